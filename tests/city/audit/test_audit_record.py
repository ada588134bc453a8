"""The audit record: written with the act, never changed, read page by page."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from city import audit
from city.audit import RecordFilter
from city.errors import Invalid
from city.identifiers import AccountId
from city.people import SYSTEM, Actor, Role

if TYPE_CHECKING:
    from city.works.database import Database

ACCOUNT = AccountId(UUID("01933f00-0000-7000-8000-000000000001"))
ATTENDANT = Actor("person", str(ACCOUNT), ACCOUNT, frozenset({Role.ATTENDANT}), "Lin")


def write(database: Database, count: int, action: str = "parking.vehicle_attached") -> None:
    with database.unit_of_work() as uow:
        for number in range(count):
            audit.record(uow, ATTENDANT, action, "session", str(number), {"number": number})


def test_a_record_says_who_did_what_to_which_and_when(database: Database) -> None:
    with database.unit_of_work() as uow:
        audit.record(
            uow, ATTENDANT, "payments.cash_taken", "bill", "b-1", {"minor": 250, "why": "现金"}
        )
    with database.read() as connection:
        (found,) = audit.records(connection).items
    assert (found.actor_kind, found.actor_subject, found.actor_account_id) == (
        "person",
        "01933f00-0000-7000-8000-000000000001",
        ACCOUNT,
    )
    assert (found.action, found.subject_kind, found.subject_id) == (
        "payments.cash_taken",
        "bill",
        "b-1",
    )
    assert found.actor_roles == ("attendant",)
    assert found.detail == {"minor": 250, "why": "现金"}
    assert abs(found.at - database.wall.now()) < timedelta(minutes=1)


def test_an_act_that_is_rolled_back_leaves_no_record(database: Database) -> None:
    with suppress(LookupError), database.unit_of_work() as uow:
        audit.record(uow, SYSTEM, "parking.device_placed", "device", "d-1", {})
        raise LookupError
    with database.read() as connection:
        assert audit.records(connection).items == ()


@pytest.mark.parametrize("table", ["record", "seal"])
@pytest.mark.parametrize(
    "change",
    ["update audit.{} set {} = {}", "delete from audit.{}", "truncate audit.{} cascade"],
)
@pytest.mark.parametrize("replica", [False, True])
def test_nobody_changes_the_record_not_even_its_owner(
    database: Database, table: str, change: str, replica: bool
) -> None:
    write(database, 1)
    column = {"record": "action", "seal": "number"}[table]
    statement = change.format(table, column, column)
    if replica:
        statement = f"set local session_replication_role = replica; {statement}"
    with pytest.raises(DBAPIError, match="append-only"), database.unit_of_work() as uow:
        uow.connection.execute(text(statement))


@pytest.mark.parametrize(
    "detail",
    [
        {"share": float("nan")},
        {"share": float("inf")},
        {"large": 2**53},
        {"zero": "\x00"},
        {"half": "\ud800"},
        {"bytes": b"x"},
        {"long": "x" * 20_000},
        {1: "x"},
    ],
)
def test_a_detail_that_could_not_be_kept_exactly_is_refused(
    database: Database, detail: dict[str, object]
) -> None:
    with pytest.raises(Invalid), database.unit_of_work() as uow:
        audit.record(uow, SYSTEM, "parking.device_placed", "device", "d-1", detail)  # type: ignore[arg-type] # that is the point


@pytest.mark.parametrize("action", ["", "Placed", "parking placed", "x", "a" * 81])
def test_an_action_has_a_name_of_the_common_form(database: Database, action: str) -> None:
    with pytest.raises(Invalid), database.unit_of_work() as uow:
        audit.record(uow, SYSTEM, action, "device", "d-1", {})


def test_pages_follow_each_other_without_gap_or_repeat(database: Database) -> None:
    write(database, 25)
    seen: list[str] = []
    cursor = None
    with database.read() as connection:
        for _ in range(3):
            page = audit.records(connection, cursor, 10)
            seen += [item.subject_id for item in page.items]
            cursor = page.next
    assert seen == [str(number) for number in reversed(range(25))]
    assert cursor is None


@pytest.mark.parametrize("cursor", ["", "!", "cjE", "eDE", "cg", "5"])
def test_a_cursor_is_one_that_was_given_out(database: Database, cursor: str) -> None:
    with database.read() as connection:
        if cursor == "cjE":  # "r1": well formed
            assert audit.records(connection, cursor).items == ()
            return
        with pytest.raises(Invalid, match="cursor"):
            audit.records(connection, cursor)


def test_filters_narrow_by_actor_action_subject_and_time(database: Database) -> None:
    write(database, 2)
    write(database, 3, "parking.session_closed")
    with database.unit_of_work() as uow:
        audit.record(uow, SYSTEM, "payments.bill_issued", "bill", "b-1", {})
    now = database.wall.now()
    hour = timedelta(hours=1)
    expected = {
        RecordFilter(action="parking.session_closed"): 3,
        RecordFilter(action="parking."): 5,
        RecordFilter(action="park."): 0,
        RecordFilter(actor_subject="greenbay"): 1,
        RecordFilter(subject_kind="session", subject_id="1"): 2,
        RecordFilter(since_at=now - hour, until_at=now + hour): 6,
        RecordFilter(until_at=now - hour): 0,
    }
    with database.read() as connection:
        counted = {asked: len(audit.records(connection, filters=asked).items) for asked in expected}
    assert counted == expected
