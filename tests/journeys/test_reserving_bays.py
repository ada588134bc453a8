"""Reservations on a street with real servers: one holder, arrivals, no-shows, early release."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from city.errors import Conflict, Forbidden, Invalid, NotFound
from city.identifiers import BayId, uuid7
from city.people.roles import Role
from city.vehicles import PlateKind, PlateNumber, parse_plate
from city.works.jobs import Worker
from journeys import settle_stay
from journeys.blacklist_vehicle import blacklist_vehicle
from journeys.reserve_bay import reserve_bay
from parking import rights_jobs
from parking.rules.rights.permits import PermitKind
from parking.rules.rights.reservations import Reservation, ReservationState
from parking.rules.rights.standing import Effect, ListingReason, RegionPolicy
from parking.services import blacklists, permits, reservations
from parking.services.reservations import ReservationWish
from tests.journeys.conftest import DISTRICT, at, person
from tests.journeys.test_stay_to_cash import apply, attach, sessions

if TYPE_CHECKING:
    from tests.journeys.conftest import Street

OPERATOR = person("operator-1", Role.OPERATOR)


def plate(number: int) -> PlateNumber:
    return parse_plate(f"京A{number:05}", PlateKind.BLUE7)


def reserve(
    street: Street, number: int = 1, first: float = 60, last: float = 120, **where: Any
) -> Reservation:
    """Hold the first bay, or what is asked for, for a car."""
    wish = ReservationWish(at(first), at(last), **(where or {"bay_id": street.bays[0].id}))
    with street.database.unit_of_work() as uow:
        return reserve_bay(uow, OPERATOR, plate(number), wish)


def found(street: Street, held: Reservation) -> Reservation:
    with street.database.read() as connection:
        return reservations.find(connection, held.id)


def release_due(street: Street) -> int:
    with street.database.unit_of_work() as uow:
        return reservations.release_due(uow)


def run_jobs(street: Street) -> None:
    tasks = [settle_stay.task(street.database), *rights_jobs.tasks(street.database)]
    Worker(street.url, tasks, database=street.database).drain()


def test_of_many_who_want_one_bay_at_once_one_gets_it(street: Street) -> None:
    """Twelve threads; what tells them apart is the database's constraint."""

    def attempt(number: int) -> bool:
        try:
            reserve(street, number, 60 + number % 3, 120)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(12) as pool:
        won = list(pool.map(attempt, range(12)))
    assert won.count(True) == 1
    with street.database.read() as connection:
        assert connection.execute(text("select count(*) from parking.bay_hold")).scalar_one() == 1
        count = connection.execute(text("select count(*) from parking.reservation")).scalar_one()
    assert count == 1


def test_of_many_who_want_any_bay_as_many_get_one_as_there_are(street: Street) -> None:
    def attempt(number: int) -> BayId | None:
        try:
            return reserve(street, number, facility_id=street.facility.id).bay_id
        except Conflict:
            return None

    with ThreadPoolExecutor(8) as pool:
        got = [bay for bay in pool.map(attempt, range(8)) if bay is not None]
    assert sorted(got) == sorted(bay.id for bay in street.bays)


def test_a_vehicle_that_asks_by_many_threads_holds_no_more_than_it_may(street: Street) -> None:
    def attempt(turn: int) -> bool:
        try:
            reserve(street, 1, 60 + 60 * turn, 120 + 60 * turn)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(attempt, range(6))).count(True) == 2


def test_bays_are_held_one_after_the_other_and_beside_each_other(street: Street) -> None:
    reserve(street, 1, 60, 120)
    reserve(street, 2, 120, 180)
    reserve(street, 3, 60, 120, bay_id=street.bays[1].id)
    with pytest.raises(Conflict, match="somebody else holds"):
        reserve(street, 4, 119, 121)


def test_a_permits_own_bay_cannot_be_reserved_in_its_hours(street: Street) -> None:
    wish = permits.PermitWish(
        kind=PermitKind.MONTH,
        label="fixed",
        facility_ids=[street.facility.id],
        first_day=date(2026, 3, 2),
        months=1,
        bay_ids=[street.bays[0].id],
    )
    with street.database.unit_of_work() as uow:
        card = permits.issue(uow, OPERATOR, wish)
    with pytest.raises(Conflict):
        reserve(street)
    assert reserve(street, facility_id=street.facility.id).bay_id != street.bays[0].id
    with street.database.unit_of_work() as uow:
        permits.revoke(uow, OPERATOR, card.permit.id, "moved away")
    reserve(street, 2)


@pytest.mark.parametrize(
    ("first", "last", "error", "field"),
    [
        (-1, 60, Invalid, "from_at"),
        (60, 60, Invalid, "until_at"),
        (60, 60 + 24 * 60 + 1, Invalid, "until_at"),
        (60 * 24 * 15, 60 * 24 * 15 + 60, Invalid, "from_at"),
    ],
)
def test_a_reservation_that_cannot_be_names_its_field(
    street: Street, first: float, last: float, error: type[Exception], field: str
) -> None:
    with pytest.raises(error) as refused:
        reserve(street, 1, first, last)
    assert getattr(refused.value, "field", None) == field


def test_only_those_whose_work_it_is_reserve_and_only_in_their_district(street: Street) -> None:
    wish = ReservationWish(at(60), at(120), street.bays[0].id)
    for who, error in ((street.driver, Forbidden), (street.from_elsewhere, NotFound)):
        with pytest.raises(error), street.database.unit_of_work() as uow:
            reserve_bay(uow, who, plate(1), wish)
    with pytest.raises(NotFound):
        reserve(street, bay_id=BayId(uuid7()))


def test_a_car_that_does_not_come_gives_the_bay_back_at_the_end_of_the_hold(
    street: Street,
) -> None:
    held = reserve(street)
    street.clock.advance(74 * 60)
    assert release_due(street) == 0
    street.clock.advance(60)
    task = next(
        each for each in rights_jobs.tasks(street.database) if each.name == rights_jobs.RELEASE
    )
    task.handler({})
    assert found(street, held).state is ReservationState.NO_SHOW
    assert found(street, held).ended_at == at(75)
    reserve(street, 2, 75, 120)


def test_who_often_does_not_come_reserves_nothing_for_a_while(street: Street) -> None:
    for turn in range(3):
        reserve(street, 1, 15 * turn, 60)
        street.clock.advance(15 * 60)
        assert release_due(street) == 1
    with pytest.raises(Conflict) as refused:
        reserve(street, 1, 600, 660)
    assert refused.value.details["reason"] == "no_shows"
    reserve(street, 2, 600, 660)


def test_a_car_that_comes_is_met_and_what_is_left_when_it_leaves_is_free(street: Street) -> None:
    held = reserve(street)
    street.clock.advance(65 * 60)
    apply(street, street.change(65, ("occupied", 65)))
    attach(street, sessions(street)[0].id, plate(1))
    run_jobs(street)
    met = found(street, held)
    assert (met.state, met.session_id) == (ReservationState.ARRIVED, sessions(street)[0].id)
    street.clock.advance(15 * 60)
    assert release_due(street) == 0
    apply(street, street.change(80, ("free", 80)))
    run_jobs(street)
    gone = found(street, held)
    assert (gone.state, gone.ended_at) == (ReservationState.FINISHED, at(80))
    reserve(street, 2, 81, 120)


def test_a_bay_is_not_given_away_under_a_car_that_nobody_has_noted_yet(street: Street) -> None:
    held = reserve(street)
    street.clock.advance(60 * 60)
    apply(street, street.change(60, ("occupied", 60)))
    street.clock.advance(20 * 60)
    assert release_due(street) == 0
    assert found(street, held).state is ReservationState.HELD
    attach(street, sessions(street)[0].id, plate(1))
    run_jobs(street)
    assert found(street, held).state is ReservationState.ARRIVED


def test_a_car_that_stood_there_long_before_its_time_has_come(street: Street) -> None:
    apply(street, street.change(0, ("occupied", 0)))
    attach(street, sessions(street)[0].id, plate(1))
    run_jobs(street)
    held = reserve(street)
    street.clock.advance(76 * 60)
    assert release_due(street) == 1
    assert found(street, held).state is ReservationState.ARRIVED


def test_who_finds_the_bay_taken_by_another_is_not_said_not_to_have_come(street: Street) -> None:
    held = reserve(street)
    apply(street, street.change(0, ("occupied", 0)))
    attach(street, sessions(street)[0].id, plate(7))
    street.clock.advance(76 * 60)
    assert release_due(street) == 1
    assert found(street, held).state is ReservationState.UNCLEAR


def test_given_back_early_the_bay_is_free_at_once(street: Street) -> None:
    held, coming = reserve(street), reserve(street, 2, 180, 240)
    street.clock.advance(70 * 60)
    for each in (held, coming):
        with street.database.unit_of_work() as uow:
            reservations.give_back(uow, OPERATOR, each.id)
    assert found(street, held).state is ReservationState.RELEASED
    assert found(street, coming).state is ReservationState.CANCELLED
    reserve(street, 3, 70, 240)
    with pytest.raises(Conflict), street.database.unit_of_work() as uow:
        reservations.give_back(uow, OPERATOR, held.id)


def test_a_region_may_refuse_reservations_to_listed_vehicles(street: Street) -> None:
    with street.database.unit_of_work() as uow:
        listing = blacklist_vehicle(
            uow, OPERATOR, plate(1), DISTRICT, ListingReason.EVASION, note="left unpaid"
        )
    reserve(street)
    effects = {ListingReason.EVASION: frozenset({Effect.NO_RESERVATION})}
    with street.database.unit_of_work() as uow:
        blacklists.set_policy(uow, OPERATOR, RegionPolicy(DISTRICT, effects))
    with pytest.raises(Conflict) as refused:
        reserve(street, 1, 180, 240)
    assert refused.value.details["reason"] == "blacklisted"
    with street.database.unit_of_work() as uow:
        blacklists.lift(uow, OPERATOR, listing.id, "paid")
    reserve(street, 1, 180, 240)


def test_a_vehicle_is_listed_once_for_a_reason_and_again_when_its_time_ran_out(
    street: Street,
) -> None:
    def blacklist() -> None:
        with street.database.unit_of_work() as uow:
            blacklist_vehicle(
                uow,
                OPERATOR,
                plate(1),
                DISTRICT,
                ListingReason.DAMAGE,
                note="barrier",
                until_at=street.clock.now().replace(hour=23),
            )

    blacklist()
    with pytest.raises(Conflict):
        blacklist()
    street.clock.advance(24 * 3600)
    blacklist()
    with street.database.read() as connection:
        listed = blacklists.page(connection, at=street.clock.now()).items
        in_force = blacklists.page(connection, at=street.clock.now(), in_force=True).items
    assert (len(listed), len(in_force)) == (2, 1)
