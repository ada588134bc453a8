"""What was paid in cash goes back in cash: in parts, once, never more than was taken."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from city.errors import CityError, Conflict, Invalid, NotFound
from city.identifiers import BillId, uuid7
from payments import giving_back, services
from payments.rules.bills import BillState
from payments.rules.contracts import Party, Share
from payments.store import desk_given_back
from tests.payments import agreed
from tests.payments.test_ledger import OPERATOR, charge, cny, sums

if TYPE_CHECKING:
    from city.works.database import Database
    from payments.rules.bills import Bill


def paid(database: Database, minor: int = 900, nature: str = "commercial") -> Bill:
    with database.unit_of_work() as uow:
        bill = services.issue_bill(uow, charge(minor, nature), "test")
        services.pay_in_cash(uow, bill.id, cny(minor), "lin")
    return bill


def test_a_part_goes_back_once_and_was_not_earned_by_anybody(database: Database) -> None:
    shares = [Share(Party.PLATFORM, "green", 1), Share(Party.OPERATOR, "", 2)]
    with database.unit_of_work() as uow:
        agreed.agree(uow, OPERATOR, None, None, shares, "test")
    bill, number = paid(database), uuid7()
    for _ in range(2):
        with database.unit_of_work() as uow:
            back = giving_back.give_back_cash(uow, bill.id, cny(100), "closed", "lin", number)
    assert (back.id, back.amount, back.bill_id) == (number, cny(100), bill.id)
    with database.read() as connection:
        # Of eight yuan left the platform has a third: what stands is shared, to the fen.
        assert sums(connection) == {
            "receivable": 0,
            "cash": 800,
            "platform": -267,
            "revenue": -533,
        }
        after = services.find_bill(connection, bill.id)
        assert after is not None
        assert (after.state, after.refunded_minor) == (BillState.PAID, 100)
        assert giving_back.refundable(connection, after) == cny(800)
        assert connection.execute(text("select * from payments.unposted()")).all() == []
        now = database.clock.now()
        (told,) = desk_given_back.given_back(connection, now, now.replace(year=now.year + 1))
        assert (told.channel, told.amount) == ("cash", cny(100))


def test_what_may_not_go_back_does_not(database: Database) -> None:
    bill, other = paid(database), paid(database)
    with database.unit_of_work() as uow:
        still_open = services.issue_bill(uow, charge(900), "test")
        giving_back.give_back_cash(uow, bill.id, cny(500), "closed", "lin", number := uuid7())
    refused: tuple[tuple[BillId, int, str, object, type[CityError]], ...] = (
        (bill.id, 401, "closed", uuid7(), Invalid),
        (bill.id, 0, "closed", uuid7(), Invalid),
        (bill.id, 100, "  ", uuid7(), Invalid),
        (bill.id, 400, "closed", number, Conflict),
        (other.id, 500, "closed", number, Conflict),
        (still_open.id, 100, "closed", uuid7(), Conflict),
        (BillId(uuid7()), 100, "closed", uuid7(), NotFound),
    )
    for bill_id, minor, why, refund_id, error in refused:
        with database.unit_of_work() as uow, pytest.raises(error):
            giving_back.give_back_cash(uow, bill_id, cny(minor), why, "lin", refund_id)  # type: ignore[arg-type]
    with database.read() as connection:
        assert sums(connection)["cash"] == 1300


@given(parts=st.lists(st.integers(1, 900), min_size=2, max_size=6))
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_several_at_once_give_no_more_back_than_was_taken(
    database: Database, parts: list[int]
) -> None:
    bill = paid(database)
    gate = Barrier(len(parts))

    def give(minor: int) -> int:
        gate.wait()
        try:
            with database.unit_of_work() as uow:
                giving_back.give_back_cash(uow, bill.id, cny(minor), "closed", "lin", uuid7())
        except Invalid:
            return 0
        return minor

    with ThreadPoolExecutor(len(parts)) as pool:
        gone = sum(pool.map(give, parts))
    with database.read() as connection:
        after = services.find_bill(connection, bill.id)
        assert after is not None
        assert giving_back.refundable(connection, after) == cny(900 - gone)
    assert 0 < gone <= 900
