"""Cameras at bays and gates under credentials of their own, with real servers."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

import pytest

from city.errors import Conflict, Forbidden, Invalid, NotFound
from city.people.actors import Actor
from city.people.roles import Role
from city.vehicles import PlateKind, normalise_plate, parse_plate
from journeys.attach_vehicle import attach_vehicle
from journeys.read_bay import BayRead, ReadDone, join_waiting, read_bay
from lpr.rules.reads import PlateRead
from parking.rules.bay_reads import ReadOutcome
from parking.rules.evidence import EvidenceKind, Hold
from parking.services import readers, stays
from tests.journeys.conftest import person
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
    from parking.rules.stays import ParkingSession
    from tests.journeys.conftest import Street

_events = count(1)


@dataclass(slots=True)
class Camera:
    """A camera over the street's first two bays."""

    street: Street
    operator: Actor = field(default_factory=lambda: person("operator-1", Role.OPERATOR))
    actor: Actor = field(
        default_factory=lambda: Actor("device", "cam-1", None, frozenset(), "cam-1")
    )

    def __post_init__(self) -> None:
        with self.street.database.unit_of_work() as uow:
            readers.register(
                uow,
                self.operator,
                "cam-1",
                self.street.facility.id,
                bay_ids=[each.id for each in self.street.bays[:2]],
            )

    def reads(
        self,
        minute: float,
        plate: str = "京A12345",
        *,
        bay: int = 0,
        sure: float = 0.99,
        event: str | None = None,
    ) -> ReadDone:
        behind_s = (self.street.at(minute) - self.street.clock.now()).total_seconds()
        self.street.clock.advance(max(0, behind_s))
        text = normalise_plate(plate)
        sent = BayRead(
            self.street.bays[bay].id,
            event or f"r{next(_events)}",
            self.street.at(minute),
            PlateRead(text, PlateKind.BLUE7, (sure,) * len(text)),
        )
        with self.street.database.unit_of_work() as uow:
            return read_bay(uow, self.actor, sent)


@pytest.fixture
def camera(street: Street) -> Camera:
    return Camera(street)


def apply(street: Street, minute: float, state: str, bay: int = 0) -> None:
    with street.database.unit_of_work() as uow:
        stays.apply_bay_changes(uow, [street.change(minute, (state, minute), bay=bay)])


def notes(street: Street, plate: str) -> ParkingSession:
    (found,) = sessions(street)
    with street.database.unit_of_work() as uow:
        attach_vehicle(uow, street.attendant, found.id, parse_plate(plate, PlateKind.BLUE7))
    return session(street, found.id)


def test_a_sensor_and_a_camera_together_make_a_bill(camera: Camera) -> None:
    street = camera.street
    apply(street, 0, "occupied")
    done = camera.reads(2)
    assert done.outcome is ReadOutcome.ATTACHED
    assert camera.reads(30).outcome is ReadOutcome.CONFIRMED
    street.clock.advance(31 * 60)
    apply(street, 61, "free")
    minutes_pass(street, 11)
    assert [each.amount.minor for each in bills(street)] == [900]
    (stay,) = sessions(street)
    kinds = [each.kind for each in evidence(street, stay)]
    assert kinds == [
        EvidenceKind.BAY_ARRIVAL,
        EvidenceKind.CAMERA_READ,
        EvidenceKind.CAMERA_READ,
        EvidenceKind.BAY_DEPARTURE,
    ]


def test_a_camera_alone_opens_no_stay_and_charges_nobody(camera: Camera) -> None:
    assert camera.reads(0).outcome is ReadOutcome.NO_STAY
    assert camera.reads(60).outcome is ReadOutcome.NO_STAY
    minutes_pass(camera.street, 11)
    assert (sessions(camera.street), bills(camera.street)) == ([], [])


def test_the_same_event_is_done_once_and_answered_again(camera: Camera) -> None:
    apply(camera.street, 0, "occupied")
    first = camera.reads(1, event="x")
    again = camera.reads(1, event="x")
    assert (first.repeated, again.repeated, again.outcome) == (False, True, first.outcome)
    (stay,) = sessions(camera.street)
    assert len(evidence(camera.street, stay)) == 2


def test_a_read_that_names_another_vehicle_holds_the_stay_until_a_person_decides(
    camera: Camera,
) -> None:
    street = camera.street
    apply(street, 0, "occupied")
    stay = notes(street, "京A12345")
    held = camera.reads(5, "京B77777")
    assert held.outcome is ReadOutcome.HELD
    apply(street, 61, "free")
    minutes_pass(street, 72)
    assert session(street, stay.id).stay.hold is Hold.PLATE_DIFFERS
    assert bills(street) == []
    correct(street, session(street, stay.id), "release")
    assert camera.reads(6, "京B77777").outcome is ReadOutcome.NOTED
    minutes_pass(street, 1)
    assert [each.amount.minor for each in bills(street)] == [900]
    assert camera.reads(7, "京B77777").outcome is ReadOutcome.BILLED


def test_a_look_alike_of_who_was_noted_confirms_it(camera: Camera) -> None:
    apply(camera.street, 0, "occupied")
    stay = notes(camera.street, "京A12D45")
    assert camera.reads(5, "京A12045").outcome is ReadOutcome.CONFIRMED
    assert session(camera.street, stay.id).stay.hold is None


def test_an_unsure_read_is_noted_and_changes_nothing(camera: Camera) -> None:
    apply(camera.street, 0, "occupied")
    assert camera.reads(2, sure=0.8).outcome is ReadOutcome.NOTED
    (stay,) = sessions(camera.street)
    assert (stay.stay.vehicle_id, stay.stay.hold) == (None, None)


def test_a_read_that_comes_before_its_sensors_word_joins_later(camera: Camera) -> None:
    street = camera.street
    assert camera.reads(2).outcome is ReadOutcome.NO_STAY
    apply(street, 1, "occupied")
    for joined in (1, 0):
        with street.database.unit_of_work() as uow:
            assert join_waiting(uow) == joined
    (stay,) = sessions(street)
    assert stay.stay.vehicle_id is not None
    assert {each.kind for each in evidence(street, stay)} >= {EvidenceKind.CAMERA_READ}


def test_a_camera_that_is_quicker_than_the_magnet_is_heard_and_a_minute_is_another_car(
    camera: Camera,
) -> None:
    street = camera.street
    camera.reads(1, "京B77777")
    camera.reads(1.8, "京A12345")
    apply(street, 2, "occupied")
    with street.database.unit_of_work() as uow:
        assert join_waiting(uow) == 1
    (stay,) = sessions(street)
    (read,) = [each for each in evidence(street, stay) if each.kind is EvidenceKind.CAMERA_READ]
    assert read.at == street.at(1.8)


def test_a_read_joins_the_stay_that_had_begun_before_the_next_one(camera: Camera) -> None:
    street = camera.street
    camera.reads(2)
    for minute, state in ((1, "occupied"), (2.1, "free"), (2.3, "occupied")):
        apply(street, minute, state)
    with street.database.unit_of_work() as uow:
        assert join_waiting(uow) == 1
    first, second = sorted(sessions(street), key=lambda each: each.stay.opened_at)
    kinds = [[said.kind for said in evidence(street, each)] for each in (first, second)]
    assert [EvidenceKind.CAMERA_READ in each for each in kinds] == [True, False]


def test_one_plate_in_two_far_bays_is_held_and_in_neighbours_counts_once(
    camera: Camera,
) -> None:
    street = camera.street
    apply(street, 0, "occupied")
    apply(street, 0.5, "occupied", bay=1)
    assert camera.reads(2).outcome is ReadOutcome.ATTACHED
    assert camera.reads(3, bay=1).outcome is ReadOutcome.ATTACHED
    first, second = sessions(street)
    assert (first.stay.part_of, second.stay.part_of) == (None, first.id)


def test_a_device_speaks_of_its_own_bays_and_gate_alone(camera: Camera) -> None:
    street = camera.street
    apply(street, 0, "occupied", bay=2)
    with pytest.raises(Forbidden, match="no camera of this bay"):
        camera.reads(1, bay=2)
    garage = Garage(street)
    north = Actor("device", "gate-n1", None, frozenset(), "gate-n1")
    with street.database.unit_of_work() as uow:
        readers.register(uow, camera.operator, "gate-n1", garage.facility.id, gate="N1")
    assert garage.passes("entry", 2, by=north).session is not None
    with pytest.raises(Forbidden, match="not the reader of this gate"):
        garage.passes("exit", 3, by=north, gate="S1")
    with pytest.raises(Forbidden, match="not the reader of this gate"):
        garage.passes("exit", 3, by=camera.actor)
    with street.database.read() as connection:
        (reader, _) = readers.page(connection).items
    with street.database.unit_of_work() as uow:
        readers.retire(uow, camera.operator, reader.id)
    with pytest.raises(Forbidden):
        garage.passes("exit", 4, by=north)


def test_what_is_wrong_with_a_reader_or_a_read_is_named(camera: Camera) -> None:
    street = camera.street
    home = street.facility.id
    with street.database.unit_of_work() as uow:
        for members, fault in (
            ({"gate": "N1"}, "has no gates"),
            ({}, "sees 1 to 200 bays"),
            ({"bay_ids": [home]}, "no bay of the facility"),
        ):
            with pytest.raises(Invalid, match=fault):
                readers.register(uow, camera.operator, "cam-2", home, **members)
        with pytest.raises(Conflict, match="under this name"):
            readers.register(uow, camera.operator, "cam-1", home, bay_ids=[street.bays[0].id])
        elsewhere = person("operator-2", Role.OPERATOR, "0999")
        with pytest.raises(NotFound):
            readers.register(uow, elsewhere, "cam-3", home, bay_ids=[street.bays[0].id])
    street.clock.advance(60 * 60 * 72)
    with pytest.raises(Invalid, match="days back"):
        camera.reads(1)
