"""What a person may change about a stay, and what a bay's sensor says afterwards."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from city.errors import Conflict, Invalid
from city.identifiers import ParkingSessionId, VehicleId, uuid7
from parking.rules.corrections import (
    check_reason,
    ended,
    moved,
    part,
    released,
    renamed,
    reopened,
    set_aside,
    split,
    swapped,
)
from parking.rules.evidence import EvidenceKind, Hold, PartKind, SetAside
from parking.rules.sensor_words import words
from parking.rules.stays import BayStay, ClosingReason, StayState, attached
from tests.parking.stays.test_stay_rules import VEHICLE, after, at, edit, kept, seen, spans

if TYPE_CHECKING:
    from collections.abc import Callable

OTHER = VehicleId(uuid7())


def one(text: str = "o10", vehicle: VehicleId | None = VEHICLE) -> BayStay:
    (stay,) = after(edit(10, text))
    return stay if vehicle is None else attached(stay, vehicle, at(11))


def test_an_end_by_a_persons_word_closes_the_stay_then() -> None:
    stay = ended(one(), at(40), at(50), ClosingReason.DRIVER)
    assert (stay.state, stay.closed_at) == (StayState.CLOSED, at(40))
    assert stay.closing_reason is ClosingReason.DRIVER


@pytest.mark.parametrize(("minute", "field"), [(9, "at"), (51, "at")])
def test_an_end_lies_in_the_stay_and_not_ahead(minute: float, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        ended(one(), at(minute), at(50), ClosingReason.STATED)
    assert caught.value.field == field


def test_a_person_makes_no_stay_longer() -> None:
    with pytest.raises(Conflict, match="over before"):
        ended(one("o10 f20"), at(30), at(50), ClosingReason.STATED)


def test_a_sensor_that_saw_the_car_leave_before_its_driver_ended_the_stay_counts() -> None:
    stay = ended(one(), at(40), at(50), ClosingReason.DRIVER)
    (left,) = after(edit(35, "f35"), stays=(stay,))
    assert (left.closed_at, left.closing_reason) == (at(35), ClosingReason.DEPARTURE)


def test_a_bay_that_stays_taken_after_its_drivers_end_never_lengthens_the_stay() -> None:
    stay = ended(one(), at(40), at(50), ClosingReason.DRIVER)
    first, second = after(edit(10, "o10 f90"), stays=(stay,))
    assert (first.id, first.closed_at) == (stay.id, at(40))
    assert (second.opened_at, second.closed_at, second.vehicle_id) == (at(40), at(90), None)


def test_driving_off_some_minutes_after_the_end_is_no_stay_of_its_own() -> None:
    stay = ended(one(), at(40), at(50), ClosingReason.DRIVER)
    assert spans(after(edit(10, "o10 f44"), stays=(stay,))) == [(at(10), at(40))]


def test_a_stay_that_was_parted_twice_keeps_its_parts_through_a_refold() -> None:
    first = split(one(), at(30), at(60), vehicle_left=True)
    later = replace(first.later, id=ParkingSessionId(uuid7()))
    second = split(attached(later, OTHER, at(31)), at(45), at(60), vehicle_left=True)
    stays = kept((first.earlier, second.earlier, second.later))
    again = after(edit(10, "o10 f90"), stays=stays)
    assert spans(again) == [(at(10), at(30)), (at(30), at(45)), (at(45), at(90))]
    assert [each.id for each in again] == [each.id for each in stays]
    assert [each.vehicle_id for each in again] == [VEHICLE, OTHER, None]


def test_the_vehicle_of_a_stay_that_is_parted_is_the_one_that_left_or_the_one_that_came() -> None:
    for left, vehicles in ((True, (VEHICLE, None)), (False, (None, VEHICLE))):
        parted = split(one(), at(30), at(60), vehicle_left=left)
        assert (parted.earlier.vehicle_id, parted.later.vehicle_id) == vehicles


def test_the_time_between_two_cars_that_swapped_unseen_is_nobodys() -> None:
    parted = swapped(one(), OTHER, at(20), at(60))
    assert spans((parted.earlier, parted.later)) == [(at(10), at(20)), (at(60), None)]
    stays = kept((parted.earlier, parted.later))
    assert spans(after(edit(10, "o10 f90"), stays=stays)) == [
        (at(10), at(20)),
        (at(60), at(90)),
    ]


def test_one_car_over_two_sensors_is_one_stay_that_counts() -> None:
    counts = replace(one(), id=ParkingSessionId(uuid7()))
    covered = part(replace(one(vehicle=None), id=ParkingSessionId(uuid7())), counts)
    assert (covered.part_of, covered.part_kind) == (counts.id, PartKind.STRADDLE)
    assert not covered.billable


def test_a_stay_after_a_silence_continues_the_one_before() -> None:
    first, second = after(edit(10, "o10"), edit(1600, "?1600", heard=40), edit(1700, "o1700"))
    noted = attached(first, VEHICLE, at(11))
    assert part(second, noted).part_kind is PartKind.CONTINUATION
    with pytest.raises(Invalid, match="begins after it"):
        part(noted, attached(second, VEHICLE, at(1701)))


def test_stays_of_two_vehicles_are_never_joined() -> None:
    counts = replace(one(), id=ParkingSessionId(uuid7()))
    with pytest.raises(Conflict, match="different vehicles"):
        part(replace(one(vehicle=OTHER), id=ParkingSessionId(uuid7())), counts)


def test_a_part_has_no_parts_and_what_counts_has_a_vehicle() -> None:
    counts = replace(one(), id=ParkingSessionId(uuid7()))
    covered = part(replace(one(vehicle=None), id=ParkingSessionId(uuid7())), counts)
    with pytest.raises(Conflict, match="part of another"):
        part(replace(one(), id=ParkingSessionId(uuid7())), covered)
    bare = replace(one(vehicle=None), id=ParkingSessionId(uuid7()))
    with pytest.raises(Invalid, match="no vehicle"):
        part(counts, bare)
    with pytest.raises(Invalid, match="itself"):
        part(counts, counts)


def test_a_vehicle_noted_for_the_wrong_bay_is_moved() -> None:
    target = replace(one(vehicle=None), id=ParkingSessionId(uuid7()))
    done = moved(one(), target, at(12))
    assert (done.source.vehicle_id, done.target.vehicle_id) == (None, VEHICLE)
    with pytest.raises(Conflict, match="takes no vehicle"):
        moved(one(), replace(one(vehicle=OTHER), id=ParkingSessionId(uuid7())), at(12))


def test_what_is_set_aside_takes_no_vehicle_and_is_not_billed() -> None:
    stay = set_aside(one(vehicle=None), SetAside.MOTORCYCLE)
    with pytest.raises(Conflict, match="set aside"):
        attached(stay, VEHICLE, at(12))
    assert not set_aside(one(), SetAside.OBJECT).billable


def test_a_bill_that_is_written_is_changed_by_no_correction() -> None:
    done = replace(one("o10 f20"), announced_at=at(21))
    changes: list[Callable[[], object]] = [
        lambda: ended(done, at(15), at(30), ClosingReason.STATED),
        lambda: set_aside(done, SetAside.OTHER),
        lambda: renamed(done, OTHER, at(30)),
        lambda: part(one(), done),
    ]
    for change in changes:
        with pytest.raises(Conflict, match="billed"):
            change()


def test_a_stay_whose_bill_was_cancelled_waits_to_be_corrected() -> None:
    stay = reopened(replace(one("o10 f20"), announced_at=at(21)))
    assert (stay.final, stay.hold, stay.billable) == (False, Hold.DISPUTED, False)
    assert ended(stay, at(15), at(30), ClosingReason.STATED).hold is None
    assert released(stay).hold is None


def test_a_stay_whose_length_nobody_knows_is_not_released() -> None:
    with pytest.raises(Invalid, match="nobody knows"):
        released(replace(one(), hold=Hold.NO_ENTRY))
    with pytest.raises(Invalid, match="not held"):
        released(one())


def test_a_reason_says_something() -> None:
    assert check_reason("  the car  left ") == "the car left"
    for reason in ("", " a ", "x" * 501):
        with pytest.raises(Invalid, match="must say why"):
            check_reason(reason)


def test_what_a_sensor_says_of_a_stay_is_kept_and_so_is_what_it_takes_back() -> None:
    history = {each.observation: each for each in seen("o10 f20")}
    (opened,) = after(edit(10, "o10"))
    assert [word.kind for word in words(None, opened, history)] == [EvidenceKind.BAY_ARRIVAL]
    (closed,) = after(edit(20, "f20"), stays=(opened,))
    (left,) = words(opened, closed, history)
    assert (left.kind, left.at, left.certainty) == (EvidenceKind.BAY_DEPARTURE, at(20), 900)
    (back,) = words(closed, opened, history)
    assert (back.kind, back.at) == (EvidenceKind.BAY_STILL_TAKEN, at(20))
    (gone,) = words(opened, None, history)
    assert (gone.kind, gone.at) == (EvidenceKind.BAY_WITHDRAWN, at(10))
    (silent,) = after(edit(1600, "?1600", heard=40), stays=(opened,))
    (word,) = words(opened, silent, history)
    assert (word.kind, word.detail) == (
        EvidenceKind.BAY_SILENCE,
        {"certain_until": at(40).isoformat()},
    )
