"""The unit of work on a real PostgreSQL."""

import threading
import time
from datetime import UTC, datetime
from typing import ClassVar

import psycopg
import pytest
from sqlalchemy import Connection, exc, text

from city.errors import Invalid, Unavailable
from city.events.base import BusinessEvent
from city.time import FixedClock
from city.works.database import Database, psycopg_url


class LampBroke(BusinessEvent):
    type: ClassVar[str] = "test.lamp-broke"
    version: ClassVar[int] = 1

    lamp: str


def jobs(database: Database) -> list[tuple[object, ...]]:
    with database.read() as connection:
        return [
            tuple(row)
            for row in connection.execute(
                text("select task_name, queue_name, lock, args from procrastinate_jobs order by id")
            )
        ]


def setting_names(database: Database) -> list[str]:
    with database.read() as connection:
        return list(connection.execute(text("select name from works.setting")).scalars())


def keep(database: Database, name: str) -> None:
    with database.unit_of_work() as uow:
        uow.connection.execute(
            text("insert into works.setting values (:name, '1', now())"), {"name": name}
        )


def test_a_clean_exit_commits_once(database: Database) -> None:
    keep(database, "a")
    assert setting_names(database) == ["a"]


def test_an_error_leaves_neither_rows_nor_jobs(database: Database) -> None:
    def fail() -> None:
        with database.unit_of_work() as uow:
            uow.connection.execute(text("insert into works.setting values ('a', '1', now())"))
            uow.defer("some.task", {"n": 1})
            uow.flush()
            raise Invalid("no")

    with pytest.raises(Invalid):
        fail()
    assert setting_names(database) == []
    assert jobs(database) == []


def test_an_announced_event_is_one_job_for_each_handler(
    database_url: str, clock: FixedClock
) -> None:
    database = Database(
        database_url, clock=clock, handlers={LampBroke: ("repair.order", "people.tell")}
    )
    event = LampBroke(occurred_at=clock.now(), lamp="L1")
    with database.unit_of_work() as uow:
        uow.announce(event)
    written = jobs(database)
    database.close()
    assert written == [
        ("repair.order", "default", None, event.envelope()),
        ("people.tell", "default", None, event.envelope()),
    ]


def test_many_events_of_a_kind_are_few_jobs(database_url: str, clock: FixedClock) -> None:
    database = Database(database_url, clock=clock, handlers={LampBroke: ("repair", "tell")})
    with database.unit_of_work() as uow:
        uow.announce_each(
            LampBroke(occurred_at=clock.now(), lamp=str(number)) for number in range(101)
        )
    with database.read() as connection:
        told = connection.execute(
            text(
                "select task_name, jsonb_path_query_array(args, '$.events[*].event.lamp')"
                " from procrastinate_jobs order by id"
            )
        ).all()
    database.close()
    first, last = [str(number) for number in range(100)], ["100"]
    assert [tuple(row) for row in told] == [
        ("repair", first), ("tell", first), ("repair", last), ("tell", last)
    ]  # fmt: skip


def test_an_event_that_nobody_handles_writes_nothing(database: Database) -> None:
    with database.unit_of_work() as uow:
        uow.announce(LampBroke(occurred_at=uow.clock.now(), lamp="L1"))
    assert jobs(database) == []


def test_a_job_with_a_waiting_queueing_lock_is_skipped_and_the_rest_is_kept(
    database: Database,
) -> None:
    for number in (1, 2):
        with database.unit_of_work() as uow:
            uow.defer("seal", {"n": number}, queueing_lock="seal", queue="audit", lock="chain")
            uow.defer("other", {"n": number})
    assert [row for row in jobs(database) if row[0] == "seal"] == [
        ("seal", "audit", "chain", {"n": 1})
    ]
    assert len(jobs(database)) == 3


def test_a_scheduled_job_waits_for_its_instant(database: Database) -> None:
    at = datetime(2026, 3, 3, 9, tzinfo=UTC)
    with database.unit_of_work() as uow:
        uow.defer("later", {}, scheduled_at=at)
    with database.read() as connection:
        found = connection.execute(text("select scheduled_at from procrastinate_jobs")).scalar_one()
    assert found == at


def test_a_read_cannot_write(database: Database) -> None:
    with pytest.raises(exc.InternalError, match="read-only"), database.read() as connection:
        connection.execute(text("insert into works.setting values ('a', '1', now())"))
    keep(database, "b")
    assert setting_names(database) == ["b"]


def test_a_transaction_that_idles_is_ended_and_one_that_may_wait_is_not(database: Database) -> None:
    def idle() -> None:
        with database.read(idle_limit_s=0.05) as connection:
            time.sleep(0.5)
            connection.execute(text("select 1"))

    with pytest.raises(Unavailable):
        idle()
    with database.read(idle_limit_s=600) as connection:
        assert idle_limit(connection) == "10min"
    with database.read() as connection:
        assert idle_limit(connection) == "1min"


def idle_limit(connection: Connection) -> str:
    return str(connection.scalar(text("show idle_in_transaction_session_timeout")))


def test_a_deadlock_is_unavailable_for_one_and_fine_for_the_other(database: Database) -> None:
    keep(database, "a")
    keep(database, "b")
    both_hold_one = threading.Barrier(2)
    outcomes: list[str] = []

    def change(first: str, second: str) -> None:
        statement = text("update works.setting set value = '2' where name = :name")
        try:
            with database.unit_of_work() as uow:
                uow.connection.execute(statement, {"name": first})
                both_hold_one.wait(60)
                uow.connection.execute(statement, {"name": second})
        except Unavailable as error:
            outcomes.append(error.message)
        else:
            outcomes.append("done")

    threads = [threading.Thread(target=change, args=order) for order in (("a", "b"), ("b", "a"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["a concurrent change stood in the way", "done"]


def test_a_statement_past_its_time_is_unavailable(database_url: str, clock: FixedClock) -> None:
    database = Database(database_url, clock=clock, statement_timeout_s=0.05)
    with pytest.raises(Unavailable, match="too long"), database.read() as connection:
        connection.execute(text("select pg_sleep(5)"))
    database.close()


def test_a_full_pool_is_unavailable_after_the_stated_wait(
    database_url: str, clock: FixedClock
) -> None:
    database = Database(database_url, clock=clock, pool_size=1, pool_overflow=0, pool_wait_s=0.05)
    with (
        database.read(),
        pytest.raises(Unavailable, match="no connection free"),
        database.read(),
    ):
        pass
    database.close()


def test_a_cut_connection_is_unavailable_once_and_then_replaced(
    database: Database, postgres_url: str
) -> None:
    def cut() -> None:
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where application_name = 'greenbay'"
            )

    def read_over_a_cut() -> None:
        with database.read() as connection:
            cut()
            connection.execute(text("select 1"))

    with pytest.raises(Unavailable):
        read_over_a_cut()
    keep(database, "after")
    cut()
    assert setting_names(database) == ["after"]


def test_a_server_that_is_not_there_is_unavailable(clock: FixedClock) -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/none", clock=clock)
    with pytest.raises(Unavailable, match="cannot be reached"), database.read():
        pass


def test_a_programming_error_stays_one(database: Database) -> None:
    with pytest.raises(exc.ProgrammingError), database.read() as connection:
        connection.execute(text("select no_such_column"))


def test_an_error_does_not_show_a_rows_values(database: Database) -> None:
    with pytest.raises(exc.IntegrityError) as caught:
        keep(database, "")
    assert "[SQL parameters hidden due to hide_parameters=True]" in str(caught.value)


@pytest.mark.parametrize("url", ["mysql://host/db", "not an address", ""])
def test_only_postgresql_addresses_are_taken(url: str) -> None:
    with pytest.raises(Invalid):
        psycopg_url(url)
