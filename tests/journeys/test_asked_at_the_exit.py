"""A gate opens, asks for money or calls somebody, by the rule of its facility or region."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from city.errors import Conflict, Forbidden, Invalid
from city.identifiers import DistrictCode, FacilityId, uuid7
from city.money import Money
from city.people.roles import Role
from city.time import WallClock
from journeys.admit_vehicle import Direction, Passage
from journeys.agree_terms import propose_exits
from journeys.ask_exit import ExitAnswer, ask_exit
from journeys.pay_ahead import pay_ahead
from payments import channel_payments
from payments.rules.bills import BillState
from payments.rules.channels import Answer, Channel, Fate, Method
from payments.rules.exits import Because, ExitMode, ExitRule, Standing, Verdict, decide, mode_of
from payments.store import offers
from tests.journeys.conftest import Street, at, person
from tests.journeys.garage import GATES, Garage, bills, minutes_pass, read
from tests.payments import agreed

if TYPE_CHECKING:
    from payments.rules.bills import Bill

FINANCE = person("finance-1", Role.FINANCE)
PLATE = "京A12345"


@pytest.fixture
def garage(street: Street) -> Garage:
    return Garage(street)


def asks(garage: Garage, minute: float, plate: str = PLATE, sure: float = 0.99) -> ExitAnswer:
    """Stand before the exit's barrier."""
    behind_s = (at(minute) - garage.street.clock.now()).total_seconds()
    if behind_s > 0:
        garage.street.clock.advance(behind_s)
    now = garage.street.clock.now()
    passage = Passage(garage.facility.id, "N1", Direction.EXIT, "", now, read(plate, sure))
    with garage.street.database.unit_of_work() as uow:
        return ask_exit(uow, GATES, passage)


def rules(garage: Garage, mode: str, *, everywhere: bool = False) -> ExitRule:
    with garage.street.database.unit_of_work() as uow:
        own = None if everywhere else garage.facility.id
        return agreed.rule_exits(uow, own, ExitMode(mode))


def said(answer: ExitAnswer) -> tuple[str, str, int | None]:
    due = answer.due
    return answer.verdict.value, answer.because.value, None if due is None else due.minor


def offered(garage: Garage, answer: ExitAnswer) -> Bill:
    assert answer.fee is not None
    with garage.street.database.read() as connection:
        found = offers.standing(connection, answer.fee.session.id, garage.street.clock.now())
    assert found is not None
    return found


def test_where_nobody_ruled_vehicles_leave_first_with_their_debt(garage: Garage) -> None:
    garage.passes("entry", 0)
    answer = asks(garage, 61)
    assert (said(answer), answer.link) == (("open", "leave-first", 900), "")
    # Nothing is owed by asking; the bill comes with the passage.
    assert bills(garage.street) == []
    garage.passes("exit", 61)
    minutes_pass(garage.street, 11)
    assert [(each.amount.minor, each.state) for each in bills(garage.street)] == [
        (900, BillState.OPEN)
    ]


def test_where_one_pays_first_the_gate_asks_and_opens_once_it_is_paid(garage: Garage) -> None:
    rules(garage, "pay-first")
    garage.passes("entry", 0)
    asked = asks(garage, 61)
    assert said(asked) == ("ask", "pay-first", 900)
    assert asked.link
    assert asked.pay_until_at == garage.street.clock.now() + timedelta(minutes=5)
    # Asked again while it waits, it is the same offer.
    assert offered(garage, asks(garage, 61)).id == offered(garage, asked).id
    with garage.street.database.unit_of_work() as uow:
        session = asks(garage, 61).fee
        assert session is not None
        pay_ahead(uow, garage.street.attendant, session.session.id, Money(900, "CNY"))
    paid = asks(garage, 62)
    assert said(paid)[:2] == ("open", "nothing-due")
    assert paid.fee is not None
    assert paid.fee.leave_by_at is not None
    # Whoever stays on beyond the grace pays the difference before leaving.
    late = asks(garage, 400)
    assert said(late)[:2] == ("ask", "pay-first")


def test_a_payment_that_nobody_knows_of_yet_is_not_waited_for(garage: Garage) -> None:
    rules(garage, "pay-first")
    garage.passes("entry", 0)
    offer = offered(garage, asks(garage, 61))
    with garage.street.database.unit_of_work() as uow:
        order = channel_payments.ask_order(
            uow, offer.id, Channel.WECHAT, "M1", Method.CODE, "payer"
        )
        channel_payments.hear(uow, order.order_no, Answer(Fate.UNKNOWN))
    assert said(asks(garage, 61))[:2] == ("open", "paying")


def test_overdue_bills_take_leaving_first_away_and_detain_nobody(garage: Garage) -> None:
    garage.passes("entry", 0)
    garage.passes("exit", 61)
    minutes_pass(garage.street, 11)
    (owed,) = bills(garage.street)
    days = (owed.due_at - garage.street.clock.now()).total_seconds() / 60 + 100
    arrived = 72 + days
    garage.passes("entry", arrived)
    asked = asks(garage, arrived + 61)
    # This stay's fee alone is asked for, not what is overdue.
    assert said(asked) == ("ask", "arrears", 900)
    with garage.street.database.unit_of_work() as uow:
        assert asked.fee is not None
        pay_ahead(uow, garage.street.attendant, asked.fee.session.id, Money(900, "CNY"))
    assert said(asks(garage, arrived + 62))[:2] == ("open", "nothing-due")


def test_a_read_that_means_no_stay_opens_or_calls_but_never_asks(garage: Garage) -> None:
    assert said(asks(garage, 10, "京B99999")) == ("open", "not-known", None)
    rules(garage, "pay-first", everywhere=True)
    assert said(asks(garage, 10, "京B99999")) == ("call", "not-known", None)


def test_rules_are_finance_s_and_begin_once(garage: Garage) -> None:
    rules(garage, "pay-first")
    with pytest.raises(Conflict, match="begins then"):
        rules(garage, "leave-first")
    with garage.street.database.unit_of_work() as uow, pytest.raises(Forbidden):
        propose_exits(uow, garage.street.attendant, None, None, ExitMode.PAY_FIRST, None, "wish")
    kerb = garage.street.facility.id
    with garage.street.database.unit_of_work() as uow, pytest.raises(Invalid, match="no gates"):
        propose_exits(uow, FINANCE, kerb, None, ExitMode.PAY_FIRST, None, "wish")


NOW = WallClock().now()
STANDINGS = st.builds(Standing, st.booleans(), st.integers(0, 5000), st.booleans(), st.booleans())


@settings(max_examples=60)
@given(st.sampled_from(ExitMode), STANDINGS)
def test_nobody_is_asked_for_money_that_is_not_due_or_not_known_to_be_theirs(
    mode: ExitMode, standing: Standing
) -> None:
    verdict, because = decide(mode, standing)
    if verdict is Verdict.ASK:
        assert standing.known
        assert standing.due_minor > 0
        assert not standing.paying
    if verdict is Verdict.CALL:
        assert (mode, because) == (ExitMode.PAY_FIRST, Because.NOT_KNOWN)


def test_the_nearest_rule_holds_and_of_two_the_later_one() -> None:
    home, other = FacilityId(uuid7()), FacilityId(uuid7())

    def rule(facility: FacilityId | None, district: str | None, mode: str, day: int) -> ExitRule:
        begins = NOW + timedelta(days=day)
        named = DistrictCode(district) if district else None
        return ExitRule(uuid7(), facility, named, ExitMode(mode), begins, "a rule", NOW, "finance")

    ruled = [
        rule(None, None, "pay-first", 0),
        rule(None, "0153", "leave-first", 1),
        rule(home, None, "pay-first", 1),
        rule(home, None, "leave-first", 5),
    ]

    def mode(facility: FacilityId, district: str, day: int) -> str:
        return mode_of(ruled, facility, DistrictCode(district), NOW + timedelta(days=day)).value

    assert [mode(home, "0153", day) for day in (-1, 0, 2, 6)] == [
        "leave-first",
        "pay-first",
        "pay-first",
        "leave-first",
    ]
    assert (mode(other, "0153", 2), mode(other, "0199", 2)) == ("leave-first", "pay-first")
