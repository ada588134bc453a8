"""A car over two sensors is one car: to permits, and to who looks for lent plates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parking.rules.evidence import SetAside
from parking.services import blacklists
from tests.journeys.conftest import at
from tests.journeys.garage import correct
from tests.journeys.test_permit_coverage import (
    PLATES,
    covered_minutes,
    issue,
    listed,
    park,
)
from tests.journeys.test_stay_to_cash import sessions

if TYPE_CHECKING:
    from city.identifiers import VehicleId
    from tests.journeys.conftest import Street


def joined(street: Street) -> VehicleId:
    """Let a listed car be noted in two bays, once mistyped; the part was felt first."""
    vehicle, _ = listed(street, issue(street).permit.id)
    park(street, 0, 1, 3)
    park(street, 5, 0, 0)
    part, counts = sessions(street)
    correct(street, part, "identify", plate=PLATES[0])
    correct(street, part, "join", other_id=counts.id)
    street.clock.advance(60 * 60)
    return vehicle


def seen(street: Street, vehicle: VehicleId) -> int:
    with street.database.read() as connection:
        found = blacklists.sightings(connection, [vehicle], (at(0), at(60)), None)
    return len(found.get(vehicle, []))


def test_a_car_over_two_sensors_is_no_rival_of_itself(street: Street) -> None:
    joined(street)
    assert covered_minutes(street, 0) == [(5, 60, "covered")]


def test_a_car_over_two_sensors_is_seen_once(street: Street) -> None:
    assert seen(street, joined(street)) == 1


def test_what_was_set_aside_is_no_rival_and_no_sighting(street: Street) -> None:
    vehicle, _ = listed(street, issue(street).permit.id)
    park(street, 0, 1, 0)
    (wrong,) = sessions(street)
    correct(street, wrong, "set-aside", set_aside=SetAside.OTHER)
    park(street, 5, 0, 1)
    street.clock.advance(60 * 60)
    assert covered_minutes(street, 0) == [(5, 60, "covered")]
    assert seen(street, vehicle) == 0
