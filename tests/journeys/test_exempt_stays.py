"""A person frees a stay of its fee: billed, taken off again, and nobody is asked for anything."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from sqlalchemy import text

from city.errors import CityError, Conflict, Forbidden, Invalid
from city.money import Money
from city.people.roles import Role
from city.vehicles import PlateKind, parse_plate
from journeys.attach_vehicle import attach_vehicle
from journeys.exempt_stay import Freeing, exempt_stay, withdraw_exemption
from journeys.pay_ahead import fee_of_stay, pay_ahead
from journeys.tell_fee_ahead import fee_ahead
from parking.rules.evidence import EvidenceKind
from parking.rules.exemptions import (
    DEFAULT_POLICY,
    ExemptionPolicy,
    ExemptReason,
    Photo,
    judged,
)
from parking.rules.tariffs.document import Name
from parking.services import exemptions, stays
from parking.services.exemptions import FreeBy
from payments import services as payments
from payments.rules.bills import BillState
from payments.rules.ledger import AccountKind
from tests.journeys.conftest import DISTRICT, at, person
from tests.journeys.garage import bills, evidence, minutes_pass, session, sessions

if TYPE_CHECKING:
    from parking.rules.stays import ParkingSession
    from tests.journeys.conftest import Street

BLUE = parse_plate("京A12345", PlateKind.BLUE7)
PHOTO = Photo(UUID(int=(7 << 76) + (2 << 62) + 1), "ab" * 32)
PERMIT = Freeing("disabled-permit", photo=PHOTO)


def cny(minor: int) -> Money:
    return Money(minor, "CNY")


def parked(street: Street, minute: float = 0) -> ParkingSession:
    """Let a vehicle stand in a bay, noted."""
    with street.database.unit_of_work() as uow:
        stays.apply_bay_changes(uow, [street.change(minute, ("occupied", minute))])
    found = sessions(street)[-1]
    with street.database.unit_of_work() as uow:
        attach_vehicle(uow, street.attendant, found.id, BLUE)
    return found


def leaves(street: Street, minute: float) -> None:
    with street.database.unit_of_work() as uow:
        stays.apply_bay_changes(uow, [street.change(minute, ("free", minute))])


def frees(street: Street, stay: ParkingSession, said: Freeing = PERMIT) -> ParkingSession:
    with street.database.unit_of_work() as uow:
        return exempt_stay(uow, street.attendant, stay.id, said)


def adjustments(street: Street) -> list[tuple[int, str, str]]:
    with street.database.read() as connection:
        rows = connection.execute(
            text("select amount_minor, role, reason from payments.adjustment order by id")
        )
        return [(row[0], row[1], row[2]) for row in rows]


def owed(street: Street) -> list[Money]:
    with street.database.read() as connection:
        found = payments.balances(connection, AccountKind.RECEIVABLE)
    return [money for each in found.values() for money in each if money]


def test_what_it_came_to_is_billed_and_taken_off_with_reason_role_and_hash(
    street: Street,
) -> None:
    stay = parked(street)
    assert frees(street, stay).exempt == "disabled-permit"
    leaves(street, 61)
    minutes_pass(street, 100)
    (bill,) = bills(street)
    assert (bill.amount, bill.lowered_minor, bill.state) == (cny(900), 900, BillState.PAID)
    assert bill.outstanding == cny(0)
    ((minor, role, reason),) = adjustments(street)
    assert (minor, role) == (900, "attendant")
    assert "disabled person's permit" in reason
    assert PHOTO.sha256 in reason
    assert owed(street) == []
    with street.database.read() as connection:
        earned = payments.balances(connection, AccountKind.TREASURY)
    assert not any(money for each in earned.values() for money in each)
    said = next(each for each in evidence(street, stay) if each.kind is EvidenceKind.EXEMPTED)
    assert said.detail["photo_sha256"] == PHOTO.sha256
    assert said.by == street.attendant.subject
    # What a stay that was freed came to counts as paid by nobody: the next one is charged alone.
    again = parked(street, 120)
    with street.database.read() as connection:
        due = fee_of_stay(connection, session(street, again.id), at(181)).rated.quote
    assert due.total == cny(900)


def test_nothing_is_due_of_it_while_it_goes_on_and_what_was_paid_goes_back(
    street: Street,
) -> None:
    stay = parked(street)
    street.clock.advance(40 * 60)
    with street.database.unit_of_work() as uow:
        pay_ahead(uow, street.attendant, stay.id, cny(600))
    freed = frees(street, stay)
    with street.database.read() as connection:
        fee = fee_of_stay(connection, freed, street.clock.now())
        assert fee.rated.quote.total == cny(0)
        assert [line.why.key for line in fee.rated.quote.lines][-1] == "tariff.why.exempted"
        with pytest.raises(Conflict):
            fee_ahead(connection, freed, street.clock.now())
    leaves(street, 61)
    minutes_pass(street, 100)
    (bill,) = [each for each in bills(street) if each.charge.covers_until_at is None]
    assert (bill.charge.applied_minor, bill.outstanding) == (0, cny(0))
    with street.database.unit_of_work() as uow:
        back = payments.pay_back(
            uow, stay.id, [], street.facility.operator_id, "CNY", street.attendant.subject
        )
    assert back.amount == cny(600)


def test_told_late_it_lowers_the_bill_and_a_paid_one_is_for_a_person(street: Street) -> None:
    stay = parked(street)
    leaves(street, 61)
    minutes_pass(street, 100)
    (bill,) = bills(street)
    assert bill.state is BillState.OPEN
    frees(street, stay, Freeing("sensor-fault", at=at(50)))
    (bill,) = bills(street)
    assert (bill.state, bill.outstanding) == (BillState.PAID, cny(0))

    second = parked(street, 200)
    leaves(street, 261)
    minutes_pass(street, 100)
    paid = bills(street)[-1]
    with street.database.unit_of_work() as uow:
        payments.pay_in_cash(uow, paid.id, paid.outstanding, street.attendant.subject)
    with pytest.raises(Conflict) as refused:
        frees(street, second)
    assert refused.value.details["reason"] == "exempt-paid"
    assert session(street, second.id).exempt is None


def test_a_reason_shows_what_it_asks_for_and_only_its_region_knows_it(street: Street) -> None:
    stay = parked(street)
    for said, error, reason in (
        (Freeing("disabled-permit"), Conflict, "photo"),
        (Freeing("other", photo=PHOTO), Conflict, "words"),
        (Freeing("because"), Invalid, None),
    ):
        with pytest.raises(CityError) as refused:
            frees(street, stay, said)
        assert isinstance(refused.value, error)
        assert refused.value.details.get("reason") == reason
    with street.database.unit_of_work() as uow:
        exemptions.state_policy(
            uow,
            DISTRICT,
            None,
            ExemptionPolicy(
                (ExemptReason("flood", Name(zh="防汛", en="flood"), photo=False, words=False),),
                "Notice 12",
            ),
            "administrator",
        )
    with pytest.raises(Invalid):
        frees(street, stay)
    assert frees(street, stay, Freeing("flood")).exempt == "flood"
    with pytest.raises(Conflict, match="already"):
        frees(street, stay, Freeing("flood"))


def test_only_a_supervisor_takes_it_back_and_only_before_the_bill(street: Street) -> None:
    stay = parked(street)
    frees(street, stay)
    with street.database.unit_of_work() as uow, pytest.raises(Forbidden):
        withdraw_exemption(uow, street.attendant, stay.id, "no such permit")
    operator = person("operator-1", Role.OPERATOR)
    with street.database.unit_of_work() as uow:
        back = withdraw_exemption(uow, operator, stay.id, "no such permit")
    assert back.exempt is None
    frees(street, stay)
    leaves(street, 61)
    minutes_pass(street, 100)
    with street.database.unit_of_work() as uow, pytest.raises(Conflict):
        withdraw_exemption(uow, operator, stay.id, "no such permit")


def test_nobody_frees_a_stay_of_another_district_or_role(street: Street) -> None:
    stay = parked(street)
    for actor in (street.driver, street.from_elsewhere):
        with street.database.unit_of_work() as uow, pytest.raises(Forbidden):
            exempt_stay(uow, actor, stay.id, PERMIT)


def test_kinds_that_the_tariff_frees_are_free_without_anybody_asking(street: Street) -> None:
    with street.database.read() as connection:
        found = exemptions.free_kinds(connection, street.facility.id, DISTRICT, at(0))
    assert [(each.kind, each.by) for each in found] == [(PlateKind.EMERGENCY_WHITE, FreeBy.TARIFF)]


def test_every_reason_that_nobody_rules_otherwise_can_be_met() -> None:
    for each in DEFAULT_POLICY.reasons:
        assert judged(DEFAULT_POLICY, each.code, "seen by me", PHOTO) is each
    twice = (DEFAULT_POLICY.reasons[0], DEFAULT_POLICY.reasons[0])
    with pytest.raises(Invalid, match="twice"):
        ExemptionPolicy(twice, "nobody")
    read = [ExemptReason.from_json(each.as_json()) for each in DEFAULT_POLICY.reasons]
    assert read == list(DEFAULT_POLICY.reasons)
