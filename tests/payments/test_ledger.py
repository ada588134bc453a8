"""The ledger keeps its word in the database, whoever writes to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, insert, text
from sqlalchemy.exc import IntegrityError

from city.errors import Conflict, Invalid, NotFound
from city.identifiers import (
    DistrictCode,
    FacilityId,
    OperatorId,
    ParkingSessionId,
    TariffVersionId,
    VehicleId,
    uuid7,
)
from city.money import Money
from payments import services
from payments.rules.bills import BillState, Charge, issue
from payments.rules.ledger import (
    Entry,
    EntryKind,
    Posting,
    cash_of,
    earned_by,
    receivable_of,
    reversal_of,
)
from payments.store import ledger as ledger_store
from payments.store import tables

if TYPE_CHECKING:
    from uuid import UUID

    from city.time import FixedClock
    from city.works.database import Database

AT = datetime(2026, 3, 2, 1, tzinfo=UTC)
OPERATOR = OperatorId(uuid7())
DISTRICT = DistrictCode("0153")
TREASURY = earned_by("public_non_tax", OPERATOR, DISTRICT)
OWED = receivable_of(OPERATOR)


def cny(minor: int) -> Money:
    return Money(minor, "CNY")


def charge(minor: int = 900, nature: str = "commercial") -> Charge:
    line: dict[str, Any] = {"minor": minor, "units": 1}
    return Charge(
        session_id=ParkingSessionId(uuid7()),
        vehicle_id=VehicleId(uuid7()),
        facility_id=FacilityId(uuid7()),
        district=DISTRICT,
        operator_id=OPERATOR,
        revenue_nature=nature,
        tariff_version_id=TariffVersionId(uuid7()),
        amount=cny(minor),
        lines=(line,) if minor else (),
    )


def sums(connection: Connection) -> dict[str, int]:
    rows = connection.execute(
        text("select account, sum(minor)::bigint from payments.posting group by account")
    )
    return {row[0].partition(":")[0]: row[1] for row in rows}


def posting(entry_id: object, place: int, minor: int, at: datetime) -> dict[str, Any]:
    return {
        "entry_id": entry_id,
        "place": place,
        "account": OWED.code,
        "minor": minor,
        "currency": "CNY",
        "at": at,
    }


def test_a_commercial_fee_is_the_operators_and_a_non_tax_fee_the_treasurys(
    database: Database,
) -> None:
    with database.unit_of_work() as uow:
        services.issue_bill(uow, charge(900), "test")
        services.issue_bill(uow, charge(500, "public_non_tax"), "test")
        assert sums(uow.connection) == {"receivable": 1400, "revenue": -900, "treasury": -500}


def test_a_bill_over_nothing_moves_no_money_and_is_paid(database: Database) -> None:
    with database.unit_of_work() as uow:
        bill = services.issue_bill(uow, charge(0), "test")
        assert bill.state is BillState.PAID
        assert sums(uow.connection) == {}


def test_a_stay_is_billed_once_whatever_is_asked(database: Database) -> None:
    first = charge(900)
    with database.unit_of_work() as uow:
        bill = services.issue_bill(uow, first, "test")
        again = services.issue_bill(uow, first, "test")
        assert again == bill
        assert sums(uow.connection) == {"receivable": 900, "revenue": -900}


def test_lines_that_do_not_add_up_make_no_bill() -> None:
    with pytest.raises(Invalid, match="do not add up"):
        issue(replace(charge(900), amount=cny(901)), AT)


def written(database: Database, statement: str, role: str) -> None:
    """Commit a statement that nobody of ours would write, as the tables' owner."""
    with database.unit_of_work() as uow:
        uow.connection.execute(text(f"set local session_replication_role = {role}"))
        uow.connection.execute(text(statement))


def add_postings(database: Database, entry_id: UUID | None, *minors: int) -> None:
    """Commit postings by hand: to an entry of their own, or to one that stands."""
    with database.unit_of_work() as uow:
        at = uow.clock.now()
        place = 2
        if entry_id is None:
            entry_id, place = uuid7(), 0
            values = {"id": entry_id, "at": at, "kind": "bill", "subject": uuid7()}
            by_hand = {"reason": "by hand", "written_by": "test"}
            uow.connection.execute(insert(tables.entry).values({**values, **by_hand}))
        for number, minor in enumerate(minors):
            row = posting(entry_id, place + number, minor, at)
            uow.connection.execute(insert(tables.posting), [row])


def test_what_is_written_stays(database: Database) -> None:
    with database.unit_of_work() as uow:
        bill = services.issue_bill(uow, charge(900), "test")
        services.pay_in_cash(uow, bill.id, cny(900), "lin")
    for change in (
        "update payments.posting set minor = minor + 1",
        "delete from payments.posting",
        "truncate payments.posting cascade",
        "update payments.entry set reason = 'other'",
        "delete from payments.entry",
        "update payments.payment set amount_minor = 1",
        "delete from payments.payment",
        "update payments.account set holder = 'me'",
        "update payments.bill set amount_minor = 1",
        "update payments.bill set lines = '[]'",
        "update payments.bill set state = 'open', paid_at = null",
        "delete from payments.bill",
    ):
        for role in ("origin", "replica"):
            with pytest.raises(IntegrityError, match=r"append-only|a bill keeps|stays paid"):
                written(database, change, role)


ALTERED: Final = {
    "uuid": "gen_random_uuid()",
    "text": "coalesce({0}, '') || 'x'",
    "bigint": "coalesce({0}, 0) + 1",
    "integer": "coalesce({0}, 0) + 1",
    "jsonb": "coalesce({0}, '[]') || '[1]'",
    "timestamp with time zone": "coalesce({0}, now()) + interval '1 second'",
    "boolean": "{0} is not true",
}
CHANGES: Final = {
    "state",
    "paid_at",
    "due_at",
    "paid_minor",
    "lowered_minor",
    "penalty_minor",
    "refunded_minor",
    "next_step_at",
    "in_arrears",
}


def test_a_bill_keeps_each_column_but_those_that_what_happens_to_it_changes(
    database: Database,
) -> None:
    with database.unit_of_work() as uow:
        services.issue_bill(uow, charge(900), "test")
    with database.read() as connection:
        rows = connection.execute(
            text(
                "select column_name, data_type from information_schema.columns"
                " where table_schema = 'payments' and table_name = 'bill'"
            )
        )
        columns = {row.column_name: row.data_type for row in rows}
    assert columns.keys() > CHANGES
    for name in columns.keys() - CHANGES:
        other = ALTERED[columns[name]].format(name)
        change = f"update payments.bill set {name} = {other}"  # noqa: S608 - the catalogue's names
        with pytest.raises(IntegrityError, match="a bill keeps its amount, lines and parties"):
            written(database, change, "origin")


def test_an_entry_that_does_not_balance_is_refused_at_commit(database: Database) -> None:
    with database.unit_of_work() as uow:
        bill = services.issue_bill(uow, charge(900), "test")
    with database.read() as connection:
        entry_id = ledger_store.entry_about(connection, EntryKind.BILL, bill.id)
    for wrong in ((5, -4), (5,), ()):
        with pytest.raises(IntegrityError, match="does not balance"):
            add_postings(database, None, *wrong)
    with pytest.raises(IntegrityError, match="does not balance"):
        add_postings(database, entry_id, 1)
    with database.read() as connection:
        assert sums(connection) == {"receivable": 900, "revenue": -900}


def test_of_many_entries_in_one_statement_each_balances_by_itself(database: Database) -> None:
    with database.unit_of_work() as uow:
        bill = services.issue_bill(uow, charge(900), "test")
        at = uow.clock.now()
        stands = ledger_store.entry_about(uow.connection, EntryKind.BILL, bill.id)
        assert stands is not None
        # Together they are nothing, and neither is by itself.
        unlevel = [posting(stands, 8, 5, at), posting(uuid7(), 0, -5, at)]
        entry = {"id": unlevel[1]["entry_id"], "at": at, "kind": "bill", "subject": uuid7()}
        by_hand = {**entry, "reason": "by hand", "written_by": "test"}
        uow.connection.execute(insert(tables.entry).values(by_hand))
        # Before anything is committed, and whatever is put off until then.
        uow.connection.execute(text("set constraints all deferred"))
        with pytest.raises(IntegrityError, match="does not balance"), uow.attempt():
            uow.connection.execute(insert(tables.posting).values(unlevel))
        level = [
            posting(unlevel[1]["entry_id"], place, minor, at) for place, minor in ((0, 5), (1, -5))
        ]
        uow.connection.execute(insert(tables.posting).values(level))
    with database.read() as connection:
        assert sum(sums(connection).values()) == 0


def test_a_reversal_mirrors_its_entry_once_and_states_why(database: Database) -> None:
    with database.unit_of_work() as uow:
        bill = services.issue_bill(uow, charge(900), "test")
        entry_id = ledger_store.entry_about(uow.connection, EntryKind.BILL, bill.id)
        assert entry_id is not None
        mirror = services.reverse_entry(uow, entry_id, "wrong bay", "finance-1")
        assert mirror.reverses == entry_id
        assert sums(uow.connection) == {"receivable": 0, "revenue": 0}
    with database.unit_of_work() as uow, pytest.raises(Conflict, match="reversed already"):
        services.reverse_entry(uow, entry_id, "again", "finance-1")
    with database.unit_of_work() as uow, pytest.raises(Invalid, match="not reversed"):
        services.reverse_entry(uow, mirror.id, "back", "finance-1")
    with database.unit_of_work() as uow, pytest.raises(Invalid, match="reason"):
        services.reverse_entry(uow, entry_id, " ", "finance-1")
    with database.unit_of_work() as uow, pytest.raises(NotFound):
        services.reverse_entry(uow, uuid7(), "no such", "finance-1")


def test_a_balance_can_be_asked_as_of_an_instant(database: Database, clock: FixedClock) -> None:
    with database.unit_of_work() as uow:
        bill = services.issue_bill(uow, charge(900), "test")
    noted_at = clock.now() + timedelta(minutes=1)
    clock.advance(3600)
    with database.unit_of_work() as uow:
        services.pay_in_cash(uow, bill.id, cny(1000), "lin")
    with database.read() as connection:
        assert services.balance(connection, OWED, noted_at) == {"CNY": cny(900)}
        assert services.balance(connection, OWED) == {"CNY": cny(0)}
        assert services.balance(connection, cash_of("lin")) == {"CNY": cny(900)}
        assert services.balance(connection, cash_of("nobody")) == {}


def test_bills_come_in_pages_the_newest_first(database: Database) -> None:
    with database.unit_of_work() as uow:
        issued = [services.issue_bill(uow, charge(minor), "test") for minor in (1, 2, 3)]
    with database.read() as connection:
        first = services.bills(connection, limit=2)
        rest = services.bills(connection, limit=2, after=first.next)
        hidden = services.bills(connection, districts=frozenset({"0999"}))
        with pytest.raises(Invalid):
            services.bills(connection, limit=0)
    assert [bill.id for bill in first.items] == [issued[2].id, issued[1].id]
    assert [bill.id for bill in rest.items] == [issued[0].id]
    assert rest.next is None
    assert hidden.items == ()


MINORS = st.integers(-(10**9), 10**9).filter(bool)


@given(st.lists(MINORS, min_size=1, max_size=6), st.booleans())
def test_an_entry_is_made_only_where_it_balances(minors: list[int], balanced: bool) -> None:
    if balanced:
        minors = [*minors, -sum(minors)]
    postings = tuple(Posting(OWED, cny(minor)) for minor in minors)
    fine = sum(minors) == 0 and all(minors) and len(minors) > 1
    if not fine:
        with pytest.raises(Invalid):
            Entry(uuid7(), AT, EntryKind.BILL, uuid7(), postings, "why", "who")
        return
    entry = Entry(uuid7(), AT, EntryKind.BILL, uuid7(), postings, "why", "who")
    mirror = reversal_of(entry, AT, "why", "who")
    both = [*entry.postings, *mirror.postings]
    assert Money.total((each.amount for each in both), "CNY") == cny(0)
