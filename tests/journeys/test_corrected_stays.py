"""What goes wrong in bays, and what people say of it, with real servers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from city.errors import Conflict, Forbidden, Invalid, NotFound
from city.identifiers import BayId, uuid7
from city.money import Money
from city.vehicles import PlateKind, parse_plate
from journeys.attach_vehicle import AttachWarning, attach_vehicle
from journeys.correct_stay import Correction, CorrectionKind, correct_stay
from journeys.meet_vehicle import meet_vehicle
from parking.rules.evidence import EvidenceKind, PartKind, SetAside
from parking.rules.stays import ClosingReason, StayState
from parking.services import stay_views, stays
from parking.store.places import Bay, add_bays
from tests.journeys.conftest import at
from tests.journeys.garage import (
    Garage,
    bills,
    correct,
    evidence,
    minutes_pass,
    session,
    sessions,
)

if TYPE_CHECKING:
    from city.identifiers import ParkingSessionId
    from parking.rules.occupancy.history import BayChange
    from tests.journeys.conftest import Street

BLUE = parse_plate("京A12345", PlateKind.BLUE7)
SECOND = parse_plate("京B23456", PlateKind.BLUE7)


def cny(minor: int) -> Money:
    return Money(minor, "CNY")


def apply(street: Street, *changes: BayChange) -> None:
    with street.database.unit_of_work() as uow:
        stays.apply_bay_changes(uow, changes)


def note(street: Street, of: ParkingSessionId, plate: object = BLUE) -> tuple[AttachWarning, ...]:
    with street.database.unit_of_work() as uow:
        return attach_vehicle(uow, street.attendant, of, plate).warnings  # type: ignore[arg-type] # a plate


def move_to(street: Street, minute: float) -> None:
    street.clock.advance((at(minute) - street.clock.now()).total_seconds())


def amounts(street: Street) -> list[Money]:
    return [bill.amount for bill in bills(street)]


def test_a_sensors_word_and_its_withdrawal_stand_in_the_timeline(street: Street) -> None:
    apply(street, street.change(0, ("occupied", 0)))
    (stay,) = sessions(street)
    note(street, stay.id)
    apply(street, street.change(30, ("free", 30), provisional=True))
    apply(street, street.change(30))
    apply(street, street.change(61, ("free", 61)))
    assert [(each.kind, each.at) for each in evidence(street, stay)] == [
        (EvidenceKind.BAY_ARRIVAL, at(0)),
        (EvidenceKind.PLATE_SEEN, at(0)),
        (EvidenceKind.BAY_DEPARTURE, at(30)),
        (EvidenceKind.BAY_STILL_TAKEN, at(30)),
        (EvidenceKind.BAY_DEPARTURE, at(61)),
    ]


def test_no_sensor_alone_ever_bills_anybody(street: Street) -> None:
    for bay in range(3):
        apply(street, street.change(bay, ("occupied", bay), ("free", 100 + bay), bay=bay))
    minutes_pass(street, 300)
    assert {each.stay.state for each in sessions(street)} == {StayState.UNATTRIBUTED}
    assert amounts(street) == []


def test_a_sensor_that_was_reset_parts_a_stay_which_its_attendant_joins(street: Street) -> None:
    apply(street, street.change(0, ("occupied", 0)))
    note(street, sessions(street)[0].id)
    apply(street, street.change(60, ("unknown", 60), heard=30))
    move_to(street, 91)
    apply(street, street.change(90, ("occupied", 90)))
    minutes_pass(street, 10)
    first, second = sessions(street)
    assert (first.stay.closed_at, first.stay.closing_reason) == (at(30), ClosingReason.SILENCE)
    part, whole = correct(street, second, "join", other_id=first.id, reason="the same car")
    assert (part.stay.part_of, part.stay.part_kind) == (whole.id, PartKind.CONTINUATION)
    minutes_pass(street, 45)
    assert amounts(street) == []
    apply(street, street.change(151, ("free", 151)))
    minutes_pass(street, 40)
    (bill,) = bills(street)
    # 30 minutes and 61 more, each from a new unit; the silence in between is nobody's
    assert bill.charge.session_id == first.id
    assert bill.amount == cny(300 + 900)


def test_a_reset_that_nobody_joins_is_two_stays_and_the_second_is_nobodys(street: Street) -> None:
    apply(street, street.change(0, ("occupied", 0)))
    note(street, sessions(street)[0].id)
    apply(street, street.change(60, ("unknown", 60), heard=30))
    apply(street, street.change(90, ("occupied", 90), ("free", 151)))
    minutes_pass(street, 200)
    assert amounts(street) == [cny(300)]


def test_two_cars_that_swap_within_a_minute_are_two_stays(street: Street) -> None:
    apply(street, street.change(0, ("occupied", 0)))
    note(street, sessions(street)[0].id)
    apply(street, street.change(31, ("free", 31), ("occupied", 31.5)))
    first, second = sessions(street)
    assert (first.stay.closed_at, second.stay.vehicle_id) == (at(31), None)
    move_to(street, 40)
    note(street, second.id, SECOND)
    apply(street, street.change(60, ("free", 60)))
    minutes_pass(street, 40)
    assert {bill.charge.session_id: bill.amount for bill in bills(street)} == {
        first.id: cny(600),
        second.id: cny(300),
    }


def test_a_swap_that_the_sensor_missed_bills_nobody_for_the_time_between(street: Street) -> None:
    apply(street, street.change(0, ("occupied", 0)))
    (stay,) = sessions(street)
    note(street, stay.id)
    move_to(street, 20)
    note(street, stay.id)  # the same car, seen again
    move_to(street, 200)
    with pytest.raises(Conflict, match="already has a vehicle"):
        note(street, stay.id, SECOND)
    first, second = correct(street, stay, "swap", plate=SECOND, reason="another car")
    assert (first.id, first.stay.closed_at) == (stay.id, at(20))
    assert (second.stay.opened_at, second.stay.closing_reason) == (at(200), None)
    apply(street, street.change(231, ("free", 231)))
    minutes_pass(street, 60)
    assert {bill.charge.session_id: bill.amount for bill in bills(street)} == {
        first.id: cny(300),
        second.id: cny(600),
    }
    again = correct_late(street, first.id)
    assert again.field == "session_id"


def correct_late(street: Street, of: ParkingSessionId) -> Conflict:
    with pytest.raises(Conflict, match="billed") as caught:
        correct(street, session(street, of), "end", at=at(5))
    return caught.value


def test_one_car_over_two_sensors_pays_once(street: Street) -> None:
    apply(
        street, street.change(0, ("occupied", 0), bay=0), street.change(0, ("occupied", 0), bay=1)
    )
    first, second = sessions(street)
    assert note(street, first.id) == ()
    assert note(street, second.id) == (AttachWarning.STRADDLES,)
    assert session(street, second.id).stay.part_of == first.id
    apply(street, street.change(61, ("free", 61), bay=0), street.change(62, ("free", 62), bay=1))
    minutes_pass(street, 90)
    assert [(bill.charge.session_id, bill.amount) for bill in bills(street)] == [
        (first.id, cny(900))
    ]
    assert EvidenceKind.JOINED in {each.kind for each in evidence(street, first)}


def test_one_plate_in_two_bays_far_apart_is_no_vehicle_over_both(street: Street) -> None:
    far = Bay(
        street.facility.id,
        street.facility.district,
        "Z9",
        "standard",
        street.bays[0].position.moved(40, 0),
        id=BayId(uuid7()),
    )
    with street.database.unit_of_work() as uow:
        add_bays(uow.connection, [far])
    change = street.change(0, ("occupied", 0))
    apply(street, change, replace(change, bay_id=far.id))
    first, second = sessions(street)
    assert note(street, first.id) == ()
    assert note(street, second.id) == (AttachWarning.ELSEWHERE,)
    assert session(street, second.id).stay.part_of is None


def test_two_cars_in_a_bay_the_second_is_charged_between_two_sights(street: Street) -> None:
    garage = Garage(street)
    assert garage.facility.kind == "garage"
    apply(street, street.change(0, ("occupied", 0)))
    (bay_stay,) = sessions(street)
    note(street, bay_stay.id)
    move_to(street, 10)
    with street.database.unit_of_work() as uow:
        met = meet_vehicle(uow, street.attendant, street.facility.id, SECOND, "second car in A1")
    assert (met.bay_id, met.stay.opened_at) == (None, at(10))
    move_to(street, 45)
    with street.database.unit_of_work() as uow:
        again = meet_vehicle(uow, street.attendant, street.facility.id, SECOND, "still there")
    assert again.id == met.id
    correct(street, again, "end", at=at(45), reason="last seen")
    apply(street, street.change(61, ("free", 61)))
    minutes_pass(street, 60)
    assert sorted(bill.amount.minor for bill in bills(street)) == [600, 900]


def test_a_motorcycle_on_a_sensor_is_set_aside_and_the_next_car_is_not(street: Street) -> None:
    apply(street, street.change(0, ("occupied", 0)))
    (stay,) = sessions(street)
    (aside,) = correct(street, stay, "set-aside", set_aside=SetAside.MOTORCYCLE)
    assert aside.stay.set_aside is SetAside.MOTORCYCLE
    with pytest.raises(Conflict, match="set aside"):
        note(street, stay.id)
    apply(street, street.change(30, ("free", 30), ("occupied", 35)))
    second = sessions(street)[1]
    note(street, second.id)
    apply(street, street.change(96, ("free", 96)))
    minutes_pass(street, 120)
    assert [bill.charge.session_id for bill in bills(street)] == [second.id]


def test_a_plate_noted_for_the_wrong_bay_is_moved(street: Street) -> None:
    apply(
        street, street.change(0, ("occupied", 0), bay=0), street.change(0, ("occupied", 0), bay=1)
    )
    first, second = sessions(street)
    note(street, first.id)
    source, target = correct(street, first, "move", other_id=second.id)
    assert (source.stay.vehicle_id, target.stay.vehicle_id) == (None, target.stay.vehicle_id)
    apply(street, street.change(61, ("free", 61), bay=0), street.change(31, ("free", 31), bay=1))
    minutes_pass(street, 90)
    assert [bill.charge.session_id for bill in bills(street)] == [second.id]


def test_a_mistyped_plate_is_corrected_before_the_bill(street: Street) -> None:
    apply(street, street.change(0, ("occupied", 0)))
    (stay,) = sessions(street)
    note(street, stay.id)
    (named,) = correct(street, stay, "identify", plate=SECOND, reason="typed wrongly")
    apply(street, street.change(61, ("free", 61)))
    minutes_pass(street, 90)
    assert [bill.charge.vehicle_id for bill in bills(street)] == [named.stay.vehicle_id]
    identified = [e for e in evidence(street, stay) if e.kind is EvidenceKind.IDENTIFIED]
    assert [each.detail["was"] for each in identified] == [str(before_of(street, stay.id))]


def before_of(street: Street, of: ParkingSessionId) -> object:
    seen = [e for e in evidence(street, session(street, of)) if e.kind is EvidenceKind.PLATE_SEEN]
    return seen[0].vehicle_id


def test_an_attendant_ends_a_stay_and_a_bay_that_stays_taken_is_looked_at(street: Street) -> None:
    apply(street, street.change(0, ("occupied", 0)))
    (stay,) = sessions(street)
    note(street, stay.id)
    record_history(street)
    move_to(street, 61)
    correct(street, stay, "end", at=at(61), reason="the driver told me")
    minutes_pass(street, 4)
    assert len(sessions(street)) == 1
    minutes_pass(street, 8)
    first, rest = sessions(street)
    assert (first.stay.closed_at, rest.stay.opened_at) == (at(61), at(61))
    assert (rest.stay.state, rest.stay.vehicle_id) == (StayState.OPEN, None)
    assert amounts(street) == [cny(900)]
    minutes_pass(street, 1)
    assert len(sessions(street)) == 2
    apply(street, street.change(100, ("free", 100)))
    assert sessions(street)[1].stay.closed_at == at(100)


def record_history(street: Street) -> None:
    from sqlalchemy import text

    with street.database.unit_of_work() as uow:
        uow.connection.execute(
            text(
                "insert into parking.bay_change (bay_id, changed_at, observation_key, facility_id,"
                " district, state, sure, recorded_at) values (:bay, :at, '0-0', :facility, '0153',"
                " 'occupied', 900, :at)"
            ),
            {"bay": street.bays[0].id, "at": at(0), "facility": street.facility.id},
        )


def test_a_bay_that_never_gets_free_is_listed_with_the_reason(street: Street) -> None:
    apply(
        street, street.change(0, ("occupied", 0), bay=0), street.change(1, ("occupied", 1), bay=1)
    )
    apply(street, street.change(1600, ("unknown", 1600), bay=1, heard=40))
    minutes_pass(street, 60 * 80)
    with street.database.read() as connection:
        found, more = stay_views.long_open(connection, street.clock.now() - timedelta(hours=72))
        page, following = stay_views.long_open(
            connection, street.clock.now() - timedelta(hours=72), limit=1
        )
    assert [each.why for each in found] == ["still-taken", "sensor-silent"]
    assert (more, following, len(page)) == (False, True, 1)


def test_corrections_are_for_the_districts_people_and_carry_a_reason(street: Street) -> None:
    apply(street, street.change(0, ("occupied", 0)))
    (stay,) = sessions(street)
    said = Correction(CorrectionKind.END, "because", at=at(0))
    for actor in (street.driver, street.from_elsewhere):
        with street.database.unit_of_work() as uow, pytest.raises(Forbidden):
            correct_stay(uow, actor, stay.id, said)
    with pytest.raises(Invalid, match="must say why"):
        correct(street, stay, "end", at=at(0), reason=" ")
    for kind, field in (
        ("end", "at"),
        ("split", "at"),
        ("swap", "plate"),
        ("join", "other_id"),
        ("set-aside", "set_aside"),
        ("identify", "plate"),
    ):
        with pytest.raises(Invalid) as caught:
            correct(street, stay, kind)
        assert caught.value.field == field


def test_a_car_behind_a_gate_pays_from_gate_to_gate_not_by_its_bay(street: Street) -> None:
    garage = Garage(street)
    inner = Bay(
        garage.facility.id, street.facility.district, "G1", "standard", street.bays[0].position
    )
    with street.database.unit_of_work() as uow:
        add_bays(uow.connection, [inner])
    garage.passes("entry", 0)
    change = street.change(2, ("occupied", 2))
    apply(street, replace(change, bay_id=inner.id, facility_id=garage.facility.id))
    gated, inside = sessions(street)
    assert note(street, inside.id) == (AttachWarning.INSIDE,)
    assert session(street, inside.id).stay.part_kind is PartKind.INSIDE
    garage.passes("exit", 61)
    minutes_pass(street, 20)
    assert [bill.charge.session_id for bill in bills(street)] == [gated.id]


def test_nothing_is_corrected_that_is_not_there(street: Street) -> None:
    apply(street, street.change(0, ("occupied", 0)))
    (stay,) = sessions(street)
    apply(street, street.change(0))
    with pytest.raises(NotFound, match="flicker"):
        correct(street, stay, "end", at=at(0))
