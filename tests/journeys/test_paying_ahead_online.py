"""A stay is paid online before it ends: held for it, taken over by its bill, the rest back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from city.errors import Conflict, NotFound
from city.money import Money
from city.people.actors import Actor
from city.people.roles import Role
from city.works.jobs import Worker
from journeys import offer_ahead
from journeys.offer_ahead import offer_own, payable_by_plate
from journeys.pay_ahead import leaves_by, pay_back
from journeys.pay_online import refund_payment
from parking.rules.evidence import EvidenceKind, EvidenceSource, SetAside
from parking.services import stays
from payments import channel_hearing, channel_notices, channel_payments, channel_refunds, money_back
from payments import services as payments
from payments.channel_notices import Told
from payments.rules.bills import BillPart, BillState
from payments.rules.channels import (
    Answer,
    Channel,
    Fate,
    Method,
    Notice,
    RefundAnswer,
    RefundFate,
)
from payments.rules.ledger import (
    advance_of,
    clearing_of,
    earned_by,
    receivable_of,
    surplus_of,
)
from tests.journeys.garage import bills, correct, evidence, session
from tests.journeys.test_paying_ahead import (
    BLUE,
    GRACE,
    arrives,
    charges,
    cny,
    fee,
    leaves,
    pays,
)

if TYPE_CHECKING:
    from payments.rules.bills import Bill
    from payments.rules.channel_orders import ChannelOrder, ChannelRefund
    from tests.journeys.conftest import Street

FINANCE = Actor("person", "finance-1", None, frozenset({Role.FINANCE}), "finance-1")


def offered(street: Street, minute: float) -> Bill:
    """Ask at the bay what the car costs by now."""
    behind_s = (street.at(minute) - street.clock.now()).total_seconds()
    street.clock.advance(max(0, behind_s))
    with street.database.unit_of_work() as uow:
        (found,) = payable_by_plate(uow, BLUE, street.bays[0].id)
    return found[0]


def orders(street: Street, bill: Bill, channel: Channel = Channel.ALIPAY) -> ChannelOrder:
    with street.database.unit_of_work() as uow:
        return channel_payments.ask_order(uow, bill.id, channel, "M1", Method.CODE, "payer")


def hears_paid(street: Street, order: ChannelOrder) -> ChannelRefund | None:
    """Do as the channel's notification: the order is paid."""
    answer = Answer(Fate.PAID, f"CH-{order.order_no}", order.amount, order.merchant)
    with street.database.unit_of_work() as uow:
        surplus = next(iter(channel_payments.hear(uow, order.order_no, answer).surplus), None)
    Worker(street.url, [offer_ahead.task(street.database)], database=street.database).drain()
    return surplus


def arrive_refunds(street: Street, order: ChannelOrder) -> list[int]:
    """Let the channel say that each refund of an order arrived; give the amounts."""
    with street.database.unit_of_work() as uow:
        found = channel_refunds.of_orders(uow.connection, [order])[order.id]
        for refund in found:
            answer = RefundAnswer(RefundFate.DONE, amount=refund.amount)
            money_back.hear_of_refund(uow, refund.refund_no, answer)
    return [refund.amount.minor for refund in found]


def books(street: Street) -> dict[str, int]:
    operator, district = street.facility.operator_id, street.facility.district
    accounts = {
        "clearing": clearing_of("alipay"),
        "owed back": advance_of(operator),
        "surplus": surplus_of("alipay"),
        "receivable": receivable_of(operator),
        "earned": earned_by("public_non_tax", operator, district),
    }
    with street.database.read() as connection:
        held = {
            name: payments.balance(connection, of).get("CNY", cny(0)).minor
            for name, of in accounts.items()
        }
    return {name: minor for name, minor in held.items() if minor}


def test_who_pays_online_and_leaves_in_the_grace_pays_nothing_more(
    street: Street, tariff: dict[str, Any]
) -> None:
    charges(street, tariff, exit_grace=GRACE)
    stay = arrives(street)
    offer = offered(street, 58)
    assert (offer.state, offer.amount) == (BillState.OFFERED, cny(600))
    # Nothing is owed for it, and asked again it is the same one.
    assert (books(street), bills(street), offered(street, 58).id) == ({}, [], offer.id)
    assert hears_paid(street, orders(street, offer)) is None
    assert books(street) == {"clearing": 600, "owed back": -600}
    assert session(street, stay.id).stay.paid_until_at == street.at(73)
    with street.database.read() as connection:
        assert leaves_by(connection, bills(street)[0]) == street.at(73)
    assert (EvidenceKind.PAID_AHEAD, EvidenceSource.DRIVER) in {
        (each.kind, each.source) for each in evidence(street, stay)
    }
    with street.database.unit_of_work() as uow:
        assert payable_by_plate(uow, BLUE, street.bays[0].id) == []
    bill = leaves(street, 72)
    assert (bill.amount, bill.applied, bill.state) == (cny(0), cny(600), BillState.PAID)
    assert books(street) == {"clearing": 600, "earned": -600}


def test_who_overstays_owes_the_difference_and_an_offer_ends_with_its_time(
    street: Street, tariff: dict[str, Any]
) -> None:
    charges(street, tariff, exit_grace=GRACE)
    arrives(street)
    first = offered(street, 20)
    late = offered(street, 58)
    assert (first.amount, late.amount, late.id == first.id) == (cny(300), cny(600), False)
    with pytest.raises(Conflict, match="price has changed"):
        orders(street, first)
    hears_paid(street, orders(street, late))
    bill = leaves(street, 95)
    assert (bill.fee, bill.applied, bill.amount) == (cny(1200), cny(600), cny(600))
    assert books(street) == {
        "clearing": 600,
        "receivable": 600,
        "earned": -1200,
    }


def test_what_was_paid_after_the_sensor_saw_it_leave_goes_back_by_itself(street: Street) -> None:
    stay = arrives(street)
    order = orders(street, offered(street, 62))
    hears_paid(street, order)
    with pytest.raises(Conflict, match="not billed"), street.database.unit_of_work() as uow:
        pay_back(uow, street.attendant, stay.id)
    bill = leaves(street, 59)
    assert (bill.fee, bill.applied) == (cny(600), cny(600))
    assert arrive_refunds(street, order) == [300]
    assert books(street) == {"clearing": 600, "earned": -600}
    # It went back once; what the bill took over does not go back as money paid ahead.
    with pytest.raises(Conflict, match="nothing is left"), street.database.unit_of_work() as uow:
        pay_back(uow, street.attendant, stay.id)
    with pytest.raises(Conflict, match="took it over"):
        refund_payment(
            street.database, {}, FINANCE, order.order_no, "REFUND0001", cny(1), "by mistake"
        )


def test_an_offer_paid_through_two_channels_is_kept_once(street: Street) -> None:
    arrives(street)
    offer = offered(street, 58)
    first, second = orders(street, offer), orders(street, offer, Channel.WECHAT)
    assert hears_paid(street, second) is None
    surplus = hears_paid(street, first)
    assert surplus is not None
    assert surplus.amount == cny(600)
    assert arrive_refunds(street, first) == [600]
    assert leaves(street, 59).applied == cny(600)
    assert books(street) == {"earned": -600}


def test_money_for_an_offer_that_comes_after_the_bill_goes_back_and_the_bill_stands(
    street: Street,
) -> None:
    arrives(street)
    order = orders(street, offered(street, 50))
    bill = leaves(street, 55)
    assert (bill.state, bill.amount) == (BillState.OPEN, cny(600))
    surplus = hears_paid(street, order)
    assert surplus is not None
    assert arrive_refunds(street, order) == [600]
    assert books(street) == {"receivable": 600, "earned": -600}


def test_cash_and_an_offer_over_the_same_stay_are_both_kept_for_it_and_the_rest_goes_back(
    street: Street,
) -> None:
    stay = arrives(street)
    order = orders(street, offered(street, 58))
    pays(street, stay, 59, 600)
    hears_paid(street, order)
    assert fee(street, stay).rated.unused == cny(600)
    assert leaves(street, 60).applied == cny(600)
    assert arrive_refunds(street, order) == [600]
    assert books(street) == {"earned": -600}


def test_an_offer_paid_by_notifications_that_come_at_once_is_booked_as_one_that_comes_alone(
    street: Street,
) -> None:
    arrives(street)
    offer = offered(street, 58)
    told = [
        Told(
            order.channel,
            Notice(
                f"event-{order.order_no}",
                order.order_no,
                "",
                Answer(Fate.PAID, f"CH-{order.order_no}", order.amount, order.merchant),
            ),
            "",
        )
        for order in (orders(street, offer), orders(street, offer, Channel.WECHAT))
    ]
    with street.database.unit_of_work() as uow:
        assert channel_hearing.accept(uow, told) == {}
    with street.database.unit_of_work() as uow:
        waiting = channel_notices.claim(uow.connection, 10)
        assert channel_hearing.settle(uow, list(waiting)) == {}
    assert books(street) == {"clearing": 600, "owed back": -600}
    assert leaves(street, 59).applied == cny(600)


def test_what_was_paid_online_for_a_stay_set_aside_is_given_back_by_its_channel(
    street: Street,
) -> None:
    stay = arrives(street)
    order = orders(street, offered(street, 20))
    hears_paid(street, order)
    correct(street, stay, "set-aside", set_aside=SetAside.WORKS)
    departs(street, 30)
    with street.database.unit_of_work() as uow:
        back = pay_back(uow, street.attendant, stay.id)
    assert (back.channel, back.amount) == ("online", cny(300))
    assert arrive_refunds(street, order) == [300]
    assert books(street) == {}


def departs(street: Street, minute: float) -> None:
    with street.database.unit_of_work() as uow:
        stays.apply_bay_changes(uow, [street.change(minute, ("free", minute))])


def test_a_plate_typed_elsewhere_does_not_tell_that_the_car_stands_here(street: Street) -> None:
    stay = arrives(street)
    street.clock.advance(58 * 60)
    with street.database.unit_of_work() as uow:
        assert payable_by_plate(uow, BLUE, street.bays[1].id) == []
        (anywhere,) = payable_by_plate(uow, BLUE)
    assert anywhere[0].charge.session_id == stay.id
    with pytest.raises(NotFound, match="no stay of yours"), street.database.unit_of_work() as uow:
        offer_own(uow, street.driver, stay.id)


def test_an_offer_is_neither_cash_nor_owed_nor_becomes_a_bill_by_itself(street: Street) -> None:
    arrives(street)
    offer = offered(street, 58)
    with pytest.raises(Conflict, match="only offered"), street.database.unit_of_work() as uow:
        payments.pay_in_cash(uow, offer.id, Money(600, "CNY"), "attendant-1")
    with (
        pytest.raises(DBAPIError, match="paid or withdrawn"),
        street.database.unit_of_work() as uow,
    ):
        uow.connection.execute(text("update payments.bill set state = 'open'"))
    assert leaves(street, 59).charge.part is BillPart.STAY
    with street.database.read() as connection:
        withdrawn = payments.find_bill(connection, offer.id)
    assert withdrawn is not None
    assert withdrawn.state is BillState.CANCELLED
