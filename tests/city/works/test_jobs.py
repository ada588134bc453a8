"""Jobs: at least once, and once in effect."""

import threading
import time
from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue
from sqlalchemy import text

from city.errors import Conflict, Invalid
from city.identifiers import uuid7
from city.time import WallClock
from city.works.database import Database
from city.works.jobs import LONGEST_WAIT_S, Task, Worker, handle_once, wait_before_attempt_s

TOMORROW = WallClock().now() + timedelta(days=1)


def statuses(database: Database) -> list[tuple[object, ...]]:
    with database.read() as connection:
        return [
            tuple(row)
            for row in connection.execute(
                # A worker's own housekeeping is due once an hour, whatever is tested then.
                text(
                    "select task_name, status, attempts from procrastinate_jobs"
                    " where task_name <> 'works.tidy' order by id"
                )
            )
        ]


def test_a_worker_runs_what_was_deferred_with_its_arguments(
    database: Database, database_url: str
) -> None:
    seen: list[Mapping[str, JsonValue]] = []
    with database.unit_of_work() as uow:
        uow.defer("note", {"bay": "b-1", "parts": [1, {"two": None}]})
    Worker(database_url, [Task("note", seen.append)], database=database).drain()
    assert seen == [{"bay": "b-1", "parts": [1, {"two": None}]}]
    assert statuses(database) == []


def test_a_failing_job_waits_and_then_counts_as_failed(
    database: Database, database_url: str
) -> None:
    def fail(_arguments: Mapping[str, JsonValue]) -> None:
        raise Conflict("not yet")

    worker = Worker(database_url, [Task("fail", fail, attempts=2)], database=database)
    with database.unit_of_work() as uow:
        uow.defer("fail", {})
    worker.drain()
    assert statuses(database) == [("fail", "todo", 1)]
    with database.unit_of_work() as uow:
        uow.connection.execute(text("update procrastinate_jobs set scheduled_at = null"))
    worker.drain()
    assert statuses(database) == [("fail", "failed", 2)]


def test_of_many_events_in_a_job_one_that_fails_costs_no_other(
    database: Database, database_url: str
) -> None:
    done: list[JsonValue] = []
    broken = True

    def handle(event: Mapping[str, JsonValue]) -> None:
        with database.unit_of_work() as uow:
            if not handle_once(uow, "note", UUID(str(event["id"]))):
                return
            if event["bay"] == "b-1" and broken:
                raise Conflict("not yet")
            if event["bay"] == "b-2":
                raise Invalid("never")
            done.append(event["bay"])

    events: list[JsonValue] = [{"id": str(uuid7()), "bay": f"b-{at}"} for at in range(4)]
    worker = Worker(database_url, [Task("note", handle)], database=database)
    with database.unit_of_work() as uow:
        uow.defer("note", {"events": events})
    worker.drain()
    assert done == ["b-0", "b-3"]
    assert statuses(database) == [("note", "todo", 1)]
    broken = False
    with database.unit_of_work() as uow:
        uow.connection.execute(text("update procrastinate_jobs set scheduled_at = null"))
    worker.drain()
    assert done == ["b-0", "b-3", "b-1"]
    assert statuses(database) == [("note", "failed", 2)]


def test_an_invalid_job_is_not_tried_again(database: Database, database_url: str) -> None:
    def refuse(_arguments: Mapping[str, JsonValue]) -> None:
        raise Invalid("never")

    with database.unit_of_work() as uow:
        uow.defer("refuse", {})
    Worker(database_url, [Task("refuse", refuse)], database=database).drain()
    assert statuses(database) == [("refuse", "failed", 1)]


def test_a_failed_job_waits_again_beside_a_newer_one_with_its_queueing_lock(
    database: Database, database_url: str
) -> None:
    def fail_after_another_came(_arguments: Mapping[str, JsonValue]) -> None:
        with database.unit_of_work() as uow:
            uow.defer("seal", {}, queueing_lock="seal", scheduled_at=TOMORROW)
        raise Conflict("not yet")

    with database.unit_of_work() as uow:
        uow.defer("seal", {}, queueing_lock="seal")
    Worker(database_url, [Task("seal", fail_after_another_came)], database=database).drain()
    assert statuses(database) == [("seal", "todo", 1), ("seal", "todo", 0)]


def test_a_handler_takes_an_event_once_however_often_it_comes(database: Database) -> None:
    event = uuid7()
    with database.unit_of_work() as uow:
        assert handle_once(uow, "bill", event)
        assert not handle_once(uow, "bill", event)
        assert handle_once(uow, "receipt", event)
    with database.unit_of_work() as uow:
        assert not handle_once(uow, "bill", event)


def test_an_event_whose_handler_failed_can_be_taken_again(database: Database) -> None:
    event = uuid7()

    def fail() -> None:
        with database.unit_of_work() as uow:
            handle_once(uow, "bill", event)
            raise Conflict("no")

    with pytest.raises(Conflict):
        fail()
    with database.unit_of_work() as uow:
        assert handle_once(uow, "bill", event)


def test_two_workers_take_a_doubled_event_once(database: Database, database_url: str) -> None:
    event = uuid7()
    taken: list[bool] = []

    def take(arguments: Mapping[str, JsonValue]) -> None:
        with database.unit_of_work() as uow:
            taken.append(handle_once(uow, "bill", UUID(str(arguments["event"]))))

    with database.unit_of_work() as uow:
        for _ in range(8):
            uow.defer("bill", {"event": str(event)})
    threads = [
        threading.Thread(target=Worker(database_url, [Task("bill", take)], database=database).drain)
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [False] * 7 + [True]


def test_a_stop_lets_a_begun_job_finish(database: Database, database_url: str) -> None:
    stop = threading.Event()
    done = threading.Event()

    def slow(_arguments: Mapping[str, JsonValue]) -> None:
        stop.set()
        time.sleep(0.5)
        done.set()

    with database.unit_of_work() as uow:
        uow.defer("slow", {})
        uow.defer("slow", {}, lock="after")
    Worker(database_url, [Task("slow", slow)], database=database, concurrency=1).run(stop)
    assert done.is_set()
    assert [row[1] for row in statuses(database)] == ["todo"]


def test_a_dead_workers_job_goes_to_another(database: Database, database_url: str) -> None:
    with database.unit_of_work() as uow:
        uow.defer("note", {})
        uow.connection.execute(
            text(
                "with dead as (insert into procrastinate_workers (last_heartbeat)"
                " values (now() - interval '1 hour') returning id)"
                " update procrastinate_jobs set status = 'doing',"
                " worker_id = (select id from dead)"
            )
        )
    stop = threading.Event()
    Worker(database_url, [Task("note", lambda _arguments: stop.set())], database=database).run(stop)
    assert statuses(database) == []


def test_a_worker_outlives_a_lost_connection(
    database: Database, database_url: str, postgres_url: str
) -> None:
    stop = threading.Event()
    worker = Worker(database_url, [Task("note", lambda _arguments: stop.set())], database=database)
    thread = threading.Thread(target=worker.run, args=(stop,))
    thread.start()
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        cut = 0
        while not cut:
            found = connection.execute(
                "select count(*) filter (where pg_terminate_backend(pid)) from pg_stat_activity"
                " where application_name = 'greenbay-jobs'"
            ).fetchone()
            assert found is not None
            cut = found[0]
    with database.unit_of_work() as uow:
        uow.defer("note", {})
    thread.join(60)
    assert not thread.is_alive()


def test_a_periodic_task_runs_by_the_clock(database: Database, database_url: str) -> None:
    stop = threading.Event()
    seen: list[Mapping[str, JsonValue]] = []

    def tick(arguments: Mapping[str, JsonValue]) -> None:
        seen.append(arguments)
        stop.set()

    Worker(database_url, [Task("tick", tick, every="* * * * * *")], database=database).run(stop)
    assert list(seen[0]) == ["timestamp"]


def test_what_waits_is_run_without_what_runs_by_the_clock(
    database: Database, database_url: str
) -> None:
    seen: list[str] = []
    with database.unit_of_work() as uow:
        uow.defer("note", {})
    by_the_minute = Task("tick", lambda _arguments: seen.append("tick"), every="* * * * *")
    note = Task("note", lambda _arguments: seen.append("note"))
    Worker(database_url, [by_the_minute, note], database=database).drain()
    assert seen == ["note"]


@given(attempts=st.integers(0, 1000), share=st.floats(0, 1))
def test_waits_grow_and_stay_below_the_cap(attempts: int, share: float) -> None:
    wait_s = wait_before_attempt_s(attempts, share=share)
    assert 0.5 <= wait_s <= LONGEST_WAIT_S
    assert wait_before_attempt_s(attempts + 1, share=share) >= wait_s
