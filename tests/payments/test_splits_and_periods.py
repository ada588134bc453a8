"""Commercial fees are shared to the minor unit, and what is closed stays closed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError

from city.errors import Conflict, Invalid
from city.identifiers import uuid7
from payments import bill_changes, ledger, periods, services
from payments.rules.bills import issue
from payments.rules.booking import book_bill
from payments.rules.contracts import Contract, Party, Share, earned_between, split
from payments.rules.ledger import Account, AccountKind, EntryKind, cash_of, receivable_of
from payments.store import ledger as ledger_store
from payments.store import tables
from tests.payments import agreed
from tests.payments.test_ledger import AT, OPERATOR, OWED, TREASURY, charge, cny, sums

if TYPE_CHECKING:
    from city.time import FixedClock
    from city.works.database import Database

THIRDS = (
    Share(Party.PLATFORM, "greenbay", 1),
    Share(Party.OPERATOR, "", 1),
    Share(Party.LAND_OWNER, "village-7", 1),
)
CONTRACT = Contract(uuid7(), OPERATOR, None, AT, THIRDS, AT, "finance-1")


@pytest.mark.parametrize(
    ("minor", "parts", "shares"),
    [
        (100, (1, 1, 1), (34, 33, 33)),
        (101, (1, 1, 1), (34, 34, 33)),
        (1, (10, 85, 5), (0, 1, 0)),
        (999, (15, 75, 10), (150, 749, 100)),
        (0, (1, 2), (0, 0)),
    ],
)
def test_what_is_left_goes_to_the_largest_remainders(
    minor: int, parts: tuple[int, ...], shares: tuple[int, ...]
) -> None:
    assert split(minor, parts) == shares


@given(st.integers(0, 10**12), st.lists(st.integers(1, 10**6), min_size=1, max_size=6))
def test_a_split_adds_up_and_is_within_a_unit_of_the_quota(minor: int, parts: list[int]) -> None:
    shares = split(minor, parts)
    assert sum(shares) == minor
    for share, part in zip(shares, parts, strict=True):
        assert abs(share * sum(parts) - minor * part) < sum(parts)


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=8))
def test_however_often_a_bill_changes_each_has_its_share_of_what_stands(steps: list[int]) -> None:
    held: dict[Account, int] = {}
    stands = 0
    for after in steps:
        for account, minor in earned_between(charge(), stands, after, CONTRACT).items():
            held[account] = held.get(account, 0) + minor
        stands = after
    expected = split(stands, (1, 1, 1))
    found = [
        held.get(Account(AccountKind.PLATFORM, "greenbay"), 0),
        held.get(Account(AccountKind.REVENUE, str(OPERATOR)), 0),
        held.get(Account(AccountKind.LAND_OWNER, "village-7"), 0),
    ]
    assert tuple(found) == expected


def test_public_revenue_is_never_split() -> None:
    bill = issue(charge(901, "public_non_tax"), AT)
    entry = book_bill(bill, "test", CONTRACT)
    assert entry is not None
    assert {each.account: each.amount.minor for each in entry.postings} == {
        OWED: 901,
        TREASURY: -901,
    }


def test_bills_follow_the_contract_in_force_when_they_are_issued(
    database: Database, clock: FixedClock
) -> None:
    with database.unit_of_work() as uow:
        services.issue_bill(uow, charge(100), "test")
        agreed.agree(uow, OPERATOR, None, None, THIRDS, "finance-1")
        first = services.issue_bill(uow, charge(100), "test")
        home = charge(100).facility_id
        own = (Share(Party.OPERATOR, "", 9), Share(Party.LAND_OWNER, "village-7", 1))
        agreed.agree(uow, OPERATOR, home, None, own, "finance-1")
        services.issue_bill(uow, replace(charge(100), facility_id=home), "test")
        assert sums(uow.connection) == {
            "receivable": 300,
            "revenue": -(100 + 33 + 90),
            "platform": -34,
            "land_owner": -(33 + 10),
        }
        bill_changes.adjust(uow, first.id, cny(100), "the meter was wrong", "finance-1", "finance")
        assert sums(uow.connection)["platform"] == 0
        with pytest.raises(Invalid, match="in the past"):
            agreed.agree(uow, OPERATOR, None, clock.now() - timedelta(days=1), THIRDS, "finance-1")
        with pytest.raises(Conflict, match="another contract"):
            agreed.agree(uow, OPERATOR, None, None, (), "finance-1")


def test_nothing_is_posted_into_a_closed_period_by_nobody(
    database: Database, clock: FixedClock
) -> None:
    with database.unit_of_work() as uow:
        bill = services.issue_bill(uow, charge(900), "test")
    issued_at = clock.now()
    clock.advance(3600)
    closed_at = clock.now()
    with database.unit_of_work() as uow:
        services.pay_in_cash(uow, bill.id, cny(900), "lin")
        periods.close(uow, closed_at, "finance-1")
    with database.unit_of_work() as uow, pytest.raises(Conflict, match="closed already"):
        periods.close(uow, closed_at, "finance-1")
    with database.unit_of_work() as uow, pytest.raises(Invalid, match="future"):
        periods.close(uow, closed_at + timedelta(days=1), "finance-1")
    values = {"id": uuid7(), "at": issued_at, "kind": "bill", "subject": uuid7()}
    by_hand = {**values, "reason": "by hand", "written_by": "test"}
    with pytest.raises(IntegrityError, match="is closed"), database.unit_of_work() as uow:
        uow.connection.execute(insert(tables.entry).values(by_hand))
    with database.read() as connection:
        entry_id = ledger_store.entry_about(connection, EntryKind.BILL, bill.id)
        row = {"entry_id": entry_id, "place": 9, "account": OWED.code, "minor": 1}
        dated = [{**row, "currency": "CNY", "at": closed_at + timedelta(hours=1)}]
    with pytest.raises(IntegrityError, match="date of its entry"), database.unit_of_work() as uow:
        uow.connection.execute(insert(tables.posting), dated)


def test_what_comes_late_stands_in_the_open_period_and_says_when_it_happened(
    database: Database, clock: FixedClock
) -> None:
    happened_at = clock.now()
    clock.advance(3600)
    with database.unit_of_work() as uow:
        periods.close(uow, clock.now(), "finance-1")
        late = issue(charge(700), happened_at)
        entry = book_bill(late, "test")
        assert entry is not None
        assert ledger_store.add_entry(uow.connection, entry) == clock.now()
        found = ledger.find_entry(uow.connection, entry.id)
        assert found is not None
        assert (found.at, found.happened_at) == (clock.now(), happened_at)
        assert services.balance(uow.connection, OWED, clock.now()) == {}
        assert services.balance(uow.connection, OWED) == {"CNY": cny(700)}


def test_balances_are_the_same_whatever_was_closed_and_read_an_index_alone(
    database: Database, clock: FixedClock
) -> None:
    with database.unit_of_work() as uow:
        first = services.issue_bill(uow, charge(900), "test")
        services.issue_bill(uow, charge(50), "test")
    clock.advance(60)
    noted_at = clock.now()
    with database.unit_of_work() as uow:
        services.pay_in_cash(uow, first.id, cny(900), "lin")
    clock.advance(60)
    before = {}
    with database.unit_of_work() as uow:
        before = services.balances(uow.connection)
        as_of = services.balances(uow.connection, before_at=noted_at)
        periods.close(uow, noted_at, "finance-1")
        periods.close(uow, clock.now(), "finance-1")
        assert services.balances(uow.connection) == before
        assert services.balances(uow.connection, before_at=noted_at) == as_of
        assert services.balance(uow.connection, receivable_of(OPERATOR)) == {"CNY": cny(50)}
        assert services.balance(uow.connection, cash_of("lin"), noted_at) == {}
        lines, following = ledger.lines(uow.connection, OWED, "CNY", limit=2)
        assert [line.amount.minor for line in lines] == [-900, 50]
        rest, none = ledger.lines(uow.connection, OWED, "CNY", limit=2, after=following)
        assert ([line.amount.minor for line in rest], none) == ([900], None)
        uow.connection.execute(text("set local enable_seqscan = off"))
        plan = uow.connection.execute(
            text(
                "explain select currency, sum(minor) from payments.posting"
                " where account = 'cash:lin' and at >= now() group by currency"
            )
        ).scalars()
        assert any("Index Only Scan using posting_account" in line for line in plan)
