"""Overdue bills cost a vehicle what its region's policy says, until they are paid."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from city.errors import Conflict
from city.identifiers import OperatorId, ParkingSessionId, TariffVersionId, uuid7
from city.money import Money
from city.people.roles import Role
from city.vault import keep_plate
from city.vehicles import PlateKind, parse_plate
from journeys.list_vehicles import list_vehicles
from journeys.reserve_bay import reserve_bay
from parking.rules.rights.permits import PermitKind
from parking.rules.rights.plate_lists import WrittenPlate
from parking.services import permits
from parking.services.reservations import ReservationWish
from payments import privileges, services
from payments.rules.arrears import ArrearsPolicy, Privilege
from payments.rules.bills import Charge
from payments.store import bills as bill_store
from tests.journeys.conftest import DISTRICT, at, person
from tests.payments import agreed

if TYPE_CHECKING:
    from datetime import datetime

    from city.identifiers import VehicleId
    from payments.rules.bills import Bill
    from tests.journeys.conftest import Street

OPERATOR = person("operator-1", Role.OPERATOR)
OWING, CLEAR = "京A00001", "京A00002"


def vehicle(street: Street, plate: str) -> VehicleId:
    with street.database.unit_of_work() as uow:
        return keep_plate(uow, parse_plate(plate, PlateKind.BLUE7))


def bill(street: Street, vehicle_id: VehicleId) -> Bill:
    line: dict[str, Any] = {"minor": 1250, "units": 1}
    charge = Charge(
        session_id=ParkingSessionId(uuid7()),
        vehicle_id=vehicle_id,
        facility_id=street.facility.id,
        district=DISTRICT,
        operator_id=OperatorId(uuid7()),
        revenue_nature="public_non_tax",
        tariff_version_id=TariffVersionId(uuid7()),
        amount=Money(1250, "CNY"),
        lines=(line,),
    )
    with street.database.unit_of_work() as uow:
        return services.issue_bill(uow, charge, "test")


def clock_to(street: Street, instant: datetime) -> None:
    street.clock.advance((instant - street.clock.now()).total_seconds())


def reserve(street: Street, plate: str) -> None:
    begin = street.clock.now() + timedelta(hours=1)
    wish = ReservationWish(begin, begin + timedelta(hours=1), street.bays[0].id)
    with street.database.unit_of_work() as uow:
        reserve_bay(uow, OPERATOR, parse_plate(plate, PlateKind.BLUE7), wish)


def test_who_has_overdue_bills_reserves_nothing_until_they_are_paid(street: Street) -> None:
    owed = bill(street, vehicle(street, OWING))
    clock_to(street, owed.due_at)
    with street.database.read() as connection:
        assert privileges.lost(connection, [owed.charge.vehicle_id], owed.due_at) == {}
    clock_to(street, owed.due_at + timedelta(seconds=1))
    with pytest.raises(Conflict, match="overdue bills") as refused:
        reserve(street, OWING)
    assert refused.value.details["reason"] == "arrears"
    reserve(street, CLEAR)
    with street.database.unit_of_work() as uow:
        services.pay_in_cash(uow, owed.id, owed.amount, "attendant-1")
        vehicles = [owed.charge.vehicle_id]
        assert privileges.lost(uow.connection, vehicles, uow.clock.now()) == {}


def test_no_vehicle_hides_behind_the_many_bills_of_others(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bill_store, "LARGEST_PAGE", 2)
    owing, last = vehicle(street, OWING), vehicle(street, CLEAR)
    for _ in range(4):
        bill(street, owing)
    street.clock.advance(1)
    owed = bill(street, last)
    now = owed.due_at + timedelta(seconds=1)
    with street.database.read() as connection:
        assert set(privileges.lost(connection, [owing, last], now)) == {owing, last}
        assert set(privileges.lost(connection, [owing, last], owed.due_at)) == {owing}


def test_a_region_s_policy_says_what_is_lost(street: Street) -> None:
    rules = ArrearsPolicy(0, (), frozenset({Privilege.PERMIT}), "a rule of the district")
    with street.database.unit_of_work() as uow:
        agreed.rule(uow, DISTRICT, None, rules, "finance-1")
    owing = vehicle(street, OWING)
    owed = bill(street, owing)
    with street.database.read() as connection:
        later_at = owed.due_at + timedelta(seconds=1)
        assert privileges.lost(connection, [owing], later_at) == {
            owing: frozenset({Privilege.PERMIT})
        }
    clock_to(street, owed.due_at + timedelta(seconds=1))
    wish = permits.PermitWish(
        kind=PermitKind.MONTH,
        label="B-1",
        facility_ids=[street.facility.id],
        first_day=at(0).date(),
        months=1,
    )
    with street.database.unit_of_work() as uow:
        card = permits.issue(uow, OPERATOR, wish)
        written = [WrittenPlate(OWING, "blue7"), WrittenPlate(CLEAR, "blue7")]
        listed = list_vehicles(uow, OPERATOR, card.permit.id, written)
    assert [each.read.index for each in listed.accepted] == [1]
    assert [(each.index, each.reason) for each in listed.rejected] == [
        (0, "has overdue bills: pay them first")
    ]
    reserve(street, OWING)
