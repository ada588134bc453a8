"""The hash chain over the record: order, one sealer, and what a check finds."""

from __future__ import annotations

import hashlib
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from city import audit
from city.audit.chain import Anchor, chain_lines
from city.errors import Invalid
from city.people import SYSTEM
from city.time import FixedClock
from city.works.database import Database

if TYPE_CHECKING:
    from city.audit import ChainReport


def write(database: Database, count: int) -> None:
    with database.unit_of_work() as uow:
        for number in range(count):
            audit.record(uow, SYSTEM, "parking.device_placed", "device", str(number), {"n": number})


def seal(database: Database, limit: int = 5_000) -> int:
    with database.unit_of_work() as uow:
        return audit.seal(uow, limit)


def verify(database: Database, anchor: Anchor | None = None) -> ChainReport:
    with database.read() as connection:
        return audit.verify(connection, anchor)


def tamper(database: Database, *statements: str) -> None:
    """Do what only somebody with the owner's rights can: switch the guards off and change."""
    with database.unit_of_work() as uow:
        for table in ("record", "seal"):
            uow.connection.execute(text(f"alter table audit.{table} disable trigger all"))
        for statement in statements:
            uow.connection.execute(text(statement))
        for table in ("record", "seal"):
            uow.connection.execute(
                text(f"alter table audit.{table} enable always trigger forbid_change")
            )


def problems(report: ChainReport) -> list[tuple[str, int | None]]:
    return [(problem.kind, problem.number) for problem in report.problems]


def test_sealed_records_make_a_whole_chain(database: Database) -> None:
    write(database, 7)
    assert seal(database, 5) == 5
    assert seal(database, 5) == 2
    assert seal(database, 5) == 0
    report = verify(database)
    assert report.is_whole
    assert (report.checked, report.unsealed, report.first_broken) == (7, 0, None)


def test_an_empty_record_is_whole(database: Database) -> None:
    report = verify(database)
    assert (report.is_whole, report.checked, report.head) == (True, 0, None)


def test_the_chain_can_be_checked_by_others_with_sha256_alone(database: Database) -> None:
    write(database, 3)
    seal(database)
    with database.read() as connection:
        lines = list(chain_lines(connection))
    previous = "00" * 32
    for line in lines:
        assert line["previous_hash"] == previous
        previous = hashlib.sha256(bytes.fromhex(previous) + line["sealed"].encode()).hexdigest()
        assert line["hash"] == previous
    assert [line["number"] for line in lines] == [1, 2, 3]


def test_a_changed_record_is_found_where_it_stands(database: Database) -> None:
    write(database, 9)
    seal(database)
    tamper(database, "update audit.record set detail = '{\"n\": 77}' where subject_id = '4'")
    report = verify(database)
    assert problems(report) == [("tampered", 5)]
    assert report.first_broken == 5


@pytest.mark.parametrize(
    "change",
    [
        "at = at + interval '1 microsecond'",
        "actor_kind = 'person'",
        "actor_subject = 'x'",
        "actor_account_id = gen_random_uuid()",
        "actor_roles = '{finance}'",
        "action = 'parking.device_moved'",
        "subject_kind = 'bay'",
        "subject_id = '1x'",
        "detail = detail || '{\"more\": null}'",
    ],
)
def test_every_column_is_sealed(database: Database, change: str) -> None:
    write(database, 3)
    seal(database)
    tamper(database, f"update audit.record set {change} where subject_id = '1'")  # noqa: S608 - the test's own text
    assert problems(verify(database)) == [("tampered", 2)]


def test_a_removed_record_is_missing(database: Database) -> None:
    write(database, 5)
    seal(database)
    tamper(database, "delete from audit.record where subject_id = '2'")
    assert problems(verify(database)) == [("missing", 3)]


def test_a_removed_record_that_was_not_sealed_yet_is_missing_too(database: Database) -> None:
    write(database, 2)
    tamper(database, "delete from audit.record where subject_id = '1'")
    assert problems(verify(database)) == [("missing", None)]
    assert seal(database) == 1


def test_a_record_slipped_in_past_the_queue_is_inserted(database: Database) -> None:
    write(database, 2)
    seal(database)
    tamper(
        database,
        "insert into audit.record (at, actor_kind, actor_subject, actor_roles, action,"
        " subject_kind, subject_id, detail)"
        " values (now(), 'system', 'x', '{}', 'parking.device_placed', 'device', '9', '{}')",
    )
    assert problems(verify(database)) == [("inserted", None)]
    assert seal(database) == 0


def test_a_record_removed_with_its_seal_leaves_a_gap(database: Database) -> None:
    write(database, 4)
    seal(database)
    tamper(
        database,
        "delete from audit.seal where number = 2",
        "delete from audit.record where subject_id = '1'",
    )
    assert problems(verify(database)) == [("missing_seal", 2)]


def test_renumbering_over_a_removed_link_breaks_the_chain(database: Database) -> None:
    write(database, 4)
    seal(database)
    tamper(
        database,
        "delete from audit.seal where number = 2",
        "delete from audit.record where subject_id = '1'",
        "update audit.seal set number = 2 where number = 3",
        "update audit.seal set number = 3 where number = 4",
    )
    assert problems(verify(database))[0] == ("broken_link", 2)


def test_a_chain_cut_at_its_end_is_found_by_a_link_noted_elsewhere(database: Database) -> None:
    write(database, 4)
    seal(database)
    head = verify(database).head
    assert head is not None
    noted = Anchor.parse(str(head))
    assert verify(database, noted).is_whole
    tamper(
        database,
        "delete from audit.seal where number = 4",
        "delete from audit.record where subject_id = '3'",
    )
    assert verify(database).is_whole
    assert problems(verify(database, noted)) == [("anchor_not_found", 4)]


@pytest.mark.parametrize("written", ["", "3", "x:00", "1:zz", "1:00", f"0:{'00' * 32}"])
def test_a_noted_link_is_a_number_and_a_hash(written: str) -> None:
    with pytest.raises(Invalid):
        Anchor.parse(written)


def test_a_record_that_commits_late_is_sealed_after_those_it_was_written_before(
    database: Database,
) -> None:
    with database.unit_of_work() as early:
        audit.record(early, SYSTEM, "parking.device_placed", "device", "early", {})
        with database.unit_of_work() as late:
            audit.record(late, SYSTEM, "parking.device_placed", "device", "late", {})
        # The later one is committed, but the earlier could still bring something before it.
        assert seal(database) == 0
    assert seal(database) == 2
    with database.read() as connection:
        order = [
            line["sealed"].partition('"subject_id":')[2][:7] for line in chain_lines(connection)
        ]
    assert order == ['"early"', '"late",']
    assert verify(database).is_whole


def test_one_sealer_works_at_a_time(database: Database) -> None:
    write(database, 3)
    with database.unit_of_work() as first:
        assert audit.seal(first) == 3
        assert seal(database) == 0
    assert verify(database).checked == 3


def write_and_roll_back_one_in_five(database: Database, name: int) -> None:
    for turn in range(15):
        with suppress(LookupError), database.unit_of_work() as uow:
            for part in range(4):
                audit.record(uow, SYSTEM, "parking.device_placed", "device", f"{name}/{part}", {})
            if turn % 5 == 4:
                raise LookupError


def test_writers_and_sealers_at_once_lose_nothing(database_url: str, clock: FixedClock) -> None:
    database = Database(database_url, clock=clock, pool_size=12, pool_overflow=4)
    done = threading.Event()
    sealed: list[int] = []

    def keep_sealing() -> None:
        while not done.is_set():
            sealed.append(seal(database, 7))

    writing = [
        threading.Thread(target=write_and_roll_back_one_in_five, args=(database, name))
        for name in range(6)
    ]
    sealing = [threading.Thread(target=keep_sealing) for _ in range(2)]
    for thread in writing + sealing:
        thread.start()
    for thread in writing:
        thread.join()
    done.set()
    for thread in sealing:
        thread.join()
    while (more := seal(database)) > 0:
        sealed.append(more)
    report = verify(database)
    database.close()
    assert report.is_whole
    assert (report.checked, sum(sealed), report.unsealed) == (288, 288, 0)


def test_the_age_of_the_oldest_unsealed_record_is_known(
    database_url: str, clock: FixedClock
) -> None:
    wall = FixedClock(datetime(2026, 11, 1, tzinfo=UTC))
    database = Database(database_url, clock=clock, wall=wall)
    write(database, 1)
    wall.advance(90)
    write(database, 1)
    with database.read() as connection:
        assert audit.unsealed_age_s(connection, wall.now()) == 90.0
    assert verify(database).oldest_unsealed_at == wall.now() - timedelta(seconds=90)
    seal(database)
    with database.read() as connection:
        assert audit.unsealed_age_s(connection, wall.now()) == 0.0
    database.close()


def test_records_restored_into_a_younger_cluster_are_sealed(database: Database) -> None:
    write(database, 1)
    with database.unit_of_work() as uow:
        # As a restore brings them: transactions that this cluster has not begun yet.
        uow.connection.execute(text("alter table audit.unsealed disable trigger user"))
        uow.connection.execute(text("update audit.unsealed set tx = '900000000000'"))
    assert seal(database) == 1
    assert verify(database).is_whole
