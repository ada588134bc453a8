"""Cash in steps that can be handed over: what is not asked for has an account, and never grows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from city.errors import Invalid
from payments import arrears, services
from payments.rules.arrears import CASH_STEPS_MINOR, DEFAULT_POLICY, ArrearsPolicy
from payments.rules.bills import BillState, issue, take_cash
from payments.rules.booking import book_payment
from payments.store import desk_takings, takings
from tests.payments import agreed
from tests.payments.test_ledger import AT, DISTRICT, charge, cny, sums

if TYPE_CHECKING:
    from city.time import FixedClock
    from city.works.database import Database
    from payments.rules.bills import Bill


def in_steps(step_minor: int) -> ArrearsPolicy:
    return ArrearsPolicy(
        DEFAULT_POLICY.days_to_pay,
        DEFAULT_POLICY.steps,
        DEFAULT_POLICY.privileges,
        "finance bureau 2026/8",
        step_minor,
    )


def billed(database: Database, minor: int, step_minor: int = 10) -> Bill:
    with database.unit_of_work() as uow:
        if step_minor > 1:
            agreed.rule(uow, DISTRICT, None, in_steps(step_minor), "finance-1")
        return services.issue_bill(uow, charge(minor), "test")


@given(minor=st.integers(1, 100_000), step=st.sampled_from(CASH_STEPS_MINOR))
def test_less_than_a_step_is_left_out_and_nothing_is_never_asked(minor: int, step: int) -> None:
    bill = issue(charge(minor), AT, cash_step_minor=step)
    asked = bill.in_cash.minor
    assert 0 < asked <= minor
    assert minor - asked < step
    assert asked % step == 0 or asked == minor < step
    payment = take_cash(bill, cny(asked), AT, "lin")
    assert (payment.amount, payment.taken, payment.change) == (cny(minor), cny(asked), cny(0))
    by_kind = {
        each.account.kind.value: each.amount.minor for each in book_payment(payment, bill).postings
    }
    assert by_kind == {
        "cash": asked,
        **({"rounding": minor - asked} if minor > asked else {}),
        "receivable": -minor,
    }


def test_cash_rounds_down_by_the_bills_region_and_everything_adds_up(
    database: Database, clock: FixedClock
) -> None:
    bill = billed(database, 643)
    assert bill.in_cash == cny(640)
    with database.unit_of_work() as uow, pytest.raises(Invalid) as refused:
        services.pay_in_cash(uow, bill.id, cny(639), "lin")
    assert refused.value.details["amount"] == {"minor": 640, "currency": "CNY"}
    with database.unit_of_work() as uow:
        paid = services.pay_in_cash(uow, bill.id, cny(1000), "lin").payment
        assert (paid.amount, paid.taken, paid.change) == (cny(643), cny(640), cny(360))
        held = sums(uow.connection)
        assert held == {"receivable": 0, "revenue": -643, "cash": 640, "rounding": 3}
        found = services.find_bill(uow.connection, bill.id)
        assert found is not None
        assert found.state is BillState.PAID
        assert takings.payment_of_bill(uow.connection, bill.id) == paid
        # The desk tells of the money that an attendant carries.
        (taken,) = desk_takings.takings(
            uow.connection, AT.min.replace(tzinfo=AT.tzinfo), clock.now().replace(year=2100)
        )
        assert taken.amount == cny(640)


def test_a_part_is_as_it_was_named_and_the_rest_is_rounded(database: Database) -> None:
    bill = billed(database, 643)
    with database.unit_of_work() as uow:
        services.pay_in_cash(uow, bill.id, cny(101), "lin", part=cny(101))
        rest = services.pay_in_cash(uow, bill.id, cny(540), "lin").payment
        assert (rest.amount, rest.taken) == (cny(542), cny(540))
        assert sums(uow.connection)["rounding"] == 2


def test_several_bills_are_rounded_each_by_itself(database: Database) -> None:
    first = billed(database, 643, 50)
    with database.unit_of_work() as uow:
        other = services.issue_bill(
            uow, replace(first.charge, session_id=charge().session_id), "test"
        )
        done = arrears.pay_several(uow, [first.id, other.id], cny(1200), "lin")
        assert [(each.taken, each.change) for each in done] == [
            (cny(600), cny(0)),
            (cny(600), cny(0)),
        ]
        assert sums(uow.connection)["rounding"] == 86


def test_a_bill_keeps_the_step_of_its_issue(database: Database) -> None:
    before = billed(database, 643, 1)
    after = billed(database, 643, 100)
    assert (before.in_cash, after.in_cash) == (cny(643), cny(600))
    with database.read() as connection:
        assert services.find_bill(connection, before.id) == before


@pytest.mark.parametrize(
    "wrong",
    [
        "update payments.bill set cash_step_minor = 100",
        (
            "insert into payments.payment (id, bill_id, channel, amount_minor, currency,"
            " tendered_minor, taken_at, taken_by, rounded_minor) select id, id, 'wechat', 643,"
            " 'CNY', 640, now(), 'x', 3 from payments.bill"
        ),
        (
            "insert into payments.payment (id, bill_id, channel, amount_minor, currency,"
            " tendered_minor, taken_at, taken_by, rounded_minor) select id, id, 'cash', 643, 'CNY',"
            " 639, now(), 'x', 3 from payments.bill"
        ),
        (
            "insert into payments.arrears_policy (id, from_at, days_to_pay, steps, privileges,"
            " source, agreed_at, agreed_by, cash_step_minor)"
            " select id, now(), 3, '[]', '{}', 'x', now(), 'x', 7 from payments.bill"
        ),
    ],
)
def test_the_database_holds_what_may_be_rounded(database: Database, wrong: str) -> None:
    billed(database, 643)
    with pytest.raises(IntegrityError), database.unit_of_work() as uow:
        uow.connection.execute(text(wrong))


def test_a_step_is_one_that_money_has() -> None:
    with pytest.raises(Invalid, match="five jiao"):
        in_steps(20)
