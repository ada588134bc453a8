"""A reservation's arrival is in its stay's evidence; what cannot be reserved is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from city.errors import Conflict, NotFound
from city.people.actors import SYSTEM
from city.time import Interval
from city.vault import keep_plate
from journeys.drive_stay import Binding, bind_vehicle, show_code
from journeys.reserve_bay import give_back_own, own_reservations, reserve_own
from parking.rules.evidence import EvidenceKind
from parking.rules.rights.reservations import ReservationState
from parking.services import place_keeping, suspensions
from parking.services.reservations import ReservationWish
from tests.journeys.conftest import at
from tests.journeys.garage import Garage, evidence
from tests.journeys.test_reserving_bays import found, plate, release_due, reserve, run_jobs
from tests.journeys.test_stay_to_cash import apply, attach, sessions

if TYPE_CHECKING:
    from parking.rules.evidence import Evidence
    from tests.journeys.conftest import Street


def of_reservation(street: Street) -> Evidence:
    (stay,) = sessions(street)
    (said,) = [each for each in evidence(street, stay) if each.kind is EvidenceKind.RESERVATION]
    return said


def test_the_arrival_closes_the_hold_and_is_in_the_stays_evidence_once(street: Street) -> None:
    held = reserve(street, 1, 60, 120)
    street.clock.advance(62 * 60)
    apply(street, street.change(61, ("occupied", 61)))
    attach(street, sessions(street)[0].id, plate(1))
    run_jobs(street)
    street.clock.advance(20 * 60)
    release_due(street)
    assert found(street, held).state is ReservationState.ARRIVED
    said = of_reservation(street)
    assert (said.at, said.source.value) == (at(61), "system")
    assert said.detail["reservation_id"] == str(held.id)


def test_a_car_that_stood_there_before_its_time_is_met_when_its_hold_ends(street: Street) -> None:
    apply(street, street.change(0, ("occupied", 0)))
    attach(street, sessions(street)[0].id, plate(1))
    held = reserve(street, 1, 60, 120)
    street.clock.advance(76 * 60)
    release_due(street)
    assert found(street, held).state is ReservationState.ARRIVED
    assert of_reservation(street).detail["until"] == at(120).isoformat()


def test_behind_a_gate_coming_in_is_the_arrival_and_leaving_frees_the_rest(
    street: Street,
) -> None:
    garage = Garage(street)
    with street.database.unit_of_work() as uow:
        uow.connection.execute(
            text("update parking.bay set facility_id = :garage where id = :bay"),
            {"garage": garage.facility.id, "bay": street.bays[2].id},
        )
    held = reserve(street, 12345, 60, 120, facility_id=garage.facility.id)
    garage.passes("entry", 70, "京A12345")
    assert found(street, held).state is ReservationState.ARRIVED
    assert of_reservation(street).detail["reservation_id"] == str(held.id)
    garage.passes("exit", 90, "京A12345")
    street.clock.advance(11 * 60)
    from parking.services import stays

    with street.database.unit_of_work() as uow:
        stays.announce_settled(uow)
    run_jobs(street)
    over = found(street, held)
    assert (over.state, over.ended_at) == (ReservationState.FINISHED, at(90))


def test_bays_for_permits_retired_or_suspended_are_not_reserved(street: Street) -> None:
    first, second, third = street.bays
    with street.database.unit_of_work() as uow:
        place_keeping.change_bay(uow, SYSTEM, replace(first, purpose="permit"), version=1)
        place_keeping.retire_bay(uow, SYSTEM, second.id)
        suspensions.suspend_bays(
            uow,
            SYSTEM,
            street.facility.id,
            [third.id],
            permit_no="W-1",
            reason="works",
            during=Interval(at(90), at(300)),
        )
    for bay in street.bays:
        with pytest.raises(Conflict, match="cannot be reserved"):
            reserve(street, 1, 60, 120, bay_id=bay.id)
    with pytest.raises(Conflict, match="no bay of the facility"):
        reserve(street, 1, 60, 120, facility_id=street.facility.id)
    assert reserve(street, 1, 60, 90, facility_id=street.facility.id).bay_id == third.id


def test_a_driver_reserves_for_a_vehicle_of_their_own_alone(street: Street) -> None:
    wish = ReservationWish(at(60), at(120), street.bays[1].id)
    with street.database.unit_of_work() as uow:
        vehicle_id = keep_plate(uow, plate(1))
        with pytest.raises(NotFound, match="not a vehicle of yours"):
            reserve_own(uow, street.driver, vehicle_id, wish)
    apply(street, street.change(0, ("occupied", 0)))
    attach(street, sessions(street)[0].id, plate(1))
    with street.database.unit_of_work() as uow:
        code, _ = show_code(uow, street.attendant, sessions(street)[0].id)
        bind_vehicle(uow, street.driver, Binding(code=code))
    with street.database.unit_of_work() as uow:
        held = reserve_own(uow, street.driver, vehicle_id, wish)
    another = reserve(street, 2, 60, 120, bay_id=street.bays[2].id)
    with street.database.unit_of_work() as uow:
        mine = own_reservations(uow.connection, street.driver, after=None, limit=10)
        assert [each.id for each in mine.items] == [held.id]
        with pytest.raises(NotFound, match="no such reservation of yours"):
            give_back_own(uow, street.driver, another.id)
        assert give_back_own(uow, street.driver, held.id).state is ReservationState.CANCELLED
