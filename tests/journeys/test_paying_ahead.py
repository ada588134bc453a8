"""Prepaid stays: within the grace, overstayed, left early; the ledger owes until the bill."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from city.errors import Conflict, Forbidden, Invalid
from city.money import Money
from city.vehicles import PlateKind, parse_plate
from journeys.attach_vehicle import attach_vehicle
from journeys.pay_ahead import fee_of_stay, pay_ahead, pay_back, take_coupon
from journeys.reconcile_day import reconcile_day
from parking.rules.evidence import EvidenceKind, SetAside
from parking.services import stays
from payments import collections
from payments import services as payments
from payments.rules.bills import BillPart, BillState
from payments.rules.ledger import advance_of, cash_of, earned_by, receivable_of
from tests.journeys.conftest import NINE
from tests.journeys.garage import bills, correct, evidence, minutes_pass, session, sessions

if TYPE_CHECKING:
    from journeys.pay_ahead import Advance, Fee
    from parking.rules.stays import ParkingSession
    from payments.rules.bills import Bill
    from tests.journeys.conftest import Street

BLUE = parse_plate("京A12345", PlateKind.BLUE7)
GRACE: dict[str, Any] = {"within_s": 900}
COUPONS: list[dict[str, Any]] = [
    {
        "id": "cinema",
        "name": {"zh": "影院", "en": "cinema"},
        "effect": {"kind": "free_time", "seconds": 3600},
    },
    {
        "id": "dinner",
        "name": {"zh": "晚餐", "en": "dinner"},
        "effect": {"kind": "amount_off", "minor": 300},
        "alone": True,
    },
]


def cny(minor: int) -> Money:
    return Money(minor, "CNY")


def charges(street: Street, tariff: dict[str, Any], **members: Any) -> None:
    (schedule,) = tariff["schedules"]
    street.publish(
        {**tariff, "schedules": [{**schedule, **members}], "coupons": COUPONS},
        -60,
    )


def arrives(street: Street) -> ParkingSession:
    with street.database.unit_of_work() as uow:
        stays.apply_bay_changes(uow, [street.change(0, ("occupied", 0))])
    (found,) = sessions(street)
    with street.database.unit_of_work() as uow:
        attach_vehicle(uow, street.attendant, found.id, BLUE)
    return session(street, found.id)


def leaves(street: Street, minute: float) -> Bill:
    behind_s = (street.at(minute) - street.clock.now()).total_seconds()
    street.clock.advance(max(0, behind_s))
    with street.database.unit_of_work() as uow:
        stays.apply_bay_changes(uow, [street.change(minute, ("free", minute))])
    minutes_pass(street, 11)
    return next(each for each in bills(street) if each.charge.part is BillPart.STAY)


def pays(
    street: Street, of: ParkingSession, minute: float, tendered: int, until: float | None = None
) -> Advance:
    behind_s = (street.at(minute) - street.clock.now()).total_seconds()
    street.clock.advance(max(0, behind_s))
    until_at = None if until is None else street.at(until)
    with street.database.unit_of_work() as uow:
        return pay_ahead(uow, street.attendant, of.id, cny(tendered), until_at)


def fee(street: Street, of: ParkingSession) -> Fee:
    with street.database.read() as connection:
        return fee_of_stay(connection, session(street, of.id), street.clock.now())


def books(street: Street) -> dict[str, int]:
    operator, district = street.facility.operator_id, street.facility.district
    accounts = {
        "cash": cash_of("attendant-1"),
        "owed back": advance_of(operator),
        "receivable": receivable_of(operator),
        "earned": earned_by("public_non_tax", operator, district),
    }
    with street.database.read() as connection:
        return {
            name: payments.balance(connection, of).get("CNY", cny(0)).minor
            for name, of in accounts.items()
        }


def test_who_paid_and_leaves_in_the_grace_pays_nothing_more(
    street: Street, tariff: dict[str, Any]
) -> None:
    charges(street, tariff, exit_grace=GRACE)
    stay = arrives(street)
    paid = pays(street, stay, 58, 1000)
    assert (paid.bill.amount, paid.payment.change) == (cny(600), cny(400))
    assert paid.leave_by_at == street.at(73)
    assert session(street, stay.id).stay.paid_until_at == street.at(73)
    assert books(street) == {"cash": 600, "owed back": -600, "receivable": 0, "earned": 0}
    assert EvidenceKind.PAID_AHEAD in {each.kind for each in evidence(street, stay)}
    bill = leaves(street, 72)
    assert (bill.amount, bill.applied, bill.state) == (cny(0), cny(600), BillState.PAID)
    assert [line["minor"] for line in bill.charge.lines] == [600, 0, -600]
    assert books(street) == {"cash": 600, "owed back": 0, "receivable": 0, "earned": -600}


def test_who_overstays_the_grace_pays_only_the_difference(
    street: Street, tariff: dict[str, Any]
) -> None:
    charges(street, tariff, exit_grace=GRACE)
    stay = arrives(street)
    pays(street, stay, 58, 600)
    bill = leaves(street, 95)
    assert (bill.fee, bill.applied, bill.amount) == (cny(1200), cny(600), cny(600))
    assert bill.state is BillState.OPEN
    assert books(street) == {"cash": 600, "owed back": 0, "receivable": 600, "earned": -1200}


def test_a_tariff_may_rate_the_overstay_from_the_payment_on(
    street: Street, tariff: dict[str, Any]
) -> None:
    charges(street, tariff, exit_grace={**GRACE, "overstay": "since_payment"})
    stay = arrives(street)
    pays(street, stay, 40, 600)
    bill = leaves(street, 61)
    assert (bill.fee, bill.amount) == (cny(900), cny(300))


def test_without_a_grace_every_further_unit_is_due(street: Street) -> None:
    stay = arrives(street)
    pays(street, stay, 58, 600)
    assert leaves(street, 61).amount == cny(300)


def test_a_second_payment_takes_what_the_first_left_and_nothing_due_is_refused(
    street: Street,
) -> None:
    stay = arrives(street)
    with pytest.raises(Conflict, match="nothing is due"):
        pays(street, stay, 10, 600)
    pays(street, stay, 20, 300)
    with pytest.raises(Conflict, match="nothing is due"):
        pays(street, stay, 21, 600)
    assert fee(street, stay).rated.quote.total == cny(0)
    assert pays(street, stay, 50, 300).bill.amount == cny(300)
    assert leaves(street, 59).fee == cny(600)


def test_paid_until_later_and_left_early_gets_back_what_was_not_needed(street: Street) -> None:
    stay = arrives(street)
    assert pays(street, stay, 5, 2000, until=120).bill.amount == cny(1200)
    with (
        pytest.raises(Conflict, match="not billed"),
        street.database.unit_of_work() as uow,
    ):
        pay_back(uow, street.attendant, stay.id)
    bill = leaves(street, 45)
    assert (bill.fee, bill.applied, bill.amount) == (cny(600), cny(600), cny(0))
    assert books(street) == {"cash": 1200, "owed back": -600, "receivable": 0, "earned": -600}
    with street.database.unit_of_work() as uow:
        assert pay_back(uow, street.attendant, stay.id).amount == cny(600)
    with pytest.raises(Conflict, match="nothing is left"), street.database.unit_of_work() as uow:
        pay_back(uow, street.attendant, stay.id)
    assert books(street) == {"cash": 600, "owed back": 0, "receivable": 0, "earned": -600}


def test_paid_until_later_and_left_within_a_second_is_billed_as_any(street: Street) -> None:
    stay = arrives(street)
    pays(street, stay, 5, 2000, until=120)
    # As a person's word says: seconds of devices are not whole.
    bill = leaves(street, 45.008)
    assert (bill.fee, bill.applied, bill.amount) == (cny(600), cny(600), cny(0))


def test_paid_until_later_and_left_then_or_in_the_grace_after_it_pays_nothing_more(
    street: Street, tariff: dict[str, Any]
) -> None:
    charges(street, tariff, exit_grace=GRACE)
    stay = arrives(street)
    pays(street, stay, 5, 1200, until=120)
    bill = leaves(street, 134)
    assert (bill.amount, bill.applied) == (cny(0), cny(1200))


def test_a_tariff_may_keep_what_was_paid_for_time_that_was_not_used(
    street: Street, tariff: dict[str, Any]
) -> None:
    charges(street, tariff, unused_payment="kept")
    stay = arrives(street)
    pays(street, stay, 5, 1200, until=120)
    bill = leaves(street, 45)
    assert (bill.fee, bill.applied, bill.amount) == (cny(1200), cny(1200), cny(0))
    assert books(street) == {"cash": 1200, "owed back": 0, "receivable": 0, "earned": -1200}
    with pytest.raises(Conflict, match="nothing is left"), street.database.unit_of_work() as uow:
        pay_back(uow, street.attendant, stay.id)


def test_what_is_paid_after_the_sensor_saw_it_leave_still_counts(street: Street) -> None:
    stay = arrives(street)
    pays(street, stay, 62, 900)
    bill = leaves(street, 59)
    assert (bill.fee, bill.applied) == (cny(600), cny(600))
    assert books(street)["owed back"] == -300


def test_what_was_paid_for_a_stay_that_is_set_aside_goes_back(street: Street) -> None:
    stay = arrives(street)
    pays(street, stay, 20, 300)
    correct(street, stay, "set-aside", set_aside=SetAside.WORKS)
    with street.database.unit_of_work() as uow:
        stays.apply_bay_changes(uow, [street.change(30, ("free", 30))])
    with street.database.unit_of_work() as uow:
        assert pay_back(uow, street.attendant, stay.id).amount == cny(300)
    assert books(street) == {"cash": 0, "owed back": 0, "receivable": 0, "earned": 0}


def test_caps_over_stays_see_what_was_paid_ahead_as_paid(street: Street) -> None:
    stay = arrives(street)
    pays(street, stay, 269, 3000)
    assert leaves(street, 270).fee == cny(2700)
    with street.database.unit_of_work() as uow:
        stays.apply_bay_changes(uow, [street.change(290, ("occupied", 290), bay=1)])
    second = sessions(street)[1]
    with street.database.unit_of_work() as uow:
        attach_vehicle(uow, street.attendant, second.id, BLUE)
    street.clock.advance(120 * 60)
    assert fee(street, second).rated.fee == cny(300)


def test_only_an_open_stay_with_a_vehicle_is_paid_ahead_and_only_by_who_takes_cash(
    street: Street,
) -> None:
    stay = arrives(street)
    street.clock.advance(40 * 60)
    for actor in (street.driver, street.from_elsewhere):
        with pytest.raises(Forbidden), street.database.unit_of_work() as uow:
            pay_ahead(uow, actor, stay.id, cny(600))
    for tendered, until, fault in (
        (cny(100), None, "less than"),
        (Money(600, "EUR"), None, "is in CNY"),
        (cny(9000), 20.0, "must lie within"),
        (cny(9000), 60.0 * 24 * 8, "must lie within"),
    ):
        until_at = None if until is None else street.at(until)
        with pytest.raises(Invalid, match=fault), street.database.unit_of_work() as uow:
            pay_ahead(uow, street.attendant, stay.id, tendered, until_at)
    leaves(street, 45)
    with pytest.raises(Conflict, match="pay its bill"), street.database.unit_of_work() as uow:
        pay_ahead(uow, street.attendant, stay.id, cny(600))
    assert books(street)["cash"] == 0


def test_a_coupon_counts_once_and_one_that_does_not_fit_is_refused(
    street: Street, tariff: dict[str, Any]
) -> None:
    charges(street, tariff)
    stay = arrives(street)
    for _ in range(2):
        with street.database.unit_of_work() as uow:
            take_coupon(uow, street.attendant, stay.id, "cinema")
    for coupon, fault in (("dinner", "another one"), ("museum", "is no coupon")):
        with pytest.raises(Invalid, match=fault), street.database.unit_of_work() as uow:
            take_coupon(uow, street.attendant, stay.id, coupon)
    bill = leaves(street, 118)
    assert bill.amount == cny(600)
    with pytest.raises(Conflict, match="billed"), street.database.unit_of_work() as uow:
        take_coupon(uow, street.attendant, stay.id, "cinema")


def test_figures_count_what_was_paid_ahead_once(street: Street) -> None:
    stay = arrives(street)
    pays(street, stay, 58, 600)
    bill = leaves(street, 95)
    with street.database.read() as connection:
        (found,) = collections.bills_of(connection, [stay.id])
        assert (found.amount_minor, found.received_minor) == (1200, 600)
        day = reconcile_day(connection, street.bays[0].id, NINE.date(), street.clock.now())
    assert bill.amount == cny(600)
    assert {each.amount for each in day.findings if each.bill_id == bill.id} == {cny(600)}
