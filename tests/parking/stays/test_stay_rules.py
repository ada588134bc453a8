"""How a bay's history opens, closes, revises and annuls stays: decisions only."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.errors import Conflict
from city.identifiers import BayId, DistrictCode, FacilityId, ParkingSessionId, VehicleId, uuid7
from parking.rules.occupancy.history import BayChange, BayState, StateChange
from parking.rules.stays import (
    BayStay,
    ClosingReason,
    StayState,
    attached,
    confirmed_until,
    revise,
)

START_AT = datetime(2026, 3, 2, 1, tzinfo=UTC)
SILENCE = timedelta(hours=26)
BAY = BayId(UUID(int=1))
FACILITY = FacilityId(UUID(int=2))
VEHICLE = VehicleId(UUID(int=3))
LETTERS = {"f": BayState.FREE, "o": BayState.OCCUPIED, "?": BayState.UNKNOWN}


def at(minute: float) -> datetime:
    return START_AT + timedelta(minutes=minute)


def seen(text: str) -> tuple[StateChange, ...]:
    """Read changes such as ``o10 f20``: a state's letter and the minute at which it began."""
    return tuple(
        StateChange(LETTERS[word[0]], at(float(word[1:])), 900, word, None) for word in text.split()
    )


def edit(
    from_minute: float | None,
    text: str = "",
    *,
    provisional: bool = False,
    heard: float | None = None,
) -> BayChange:
    changes = seen(text)
    last = changes[-1] if changes else None
    return BayChange(
        BAY,
        FACILITY,
        DistrictCode("0153"),
        None if from_minute is None else at(from_minute),
        changes,
        BayState.FREE if last is None else last.state,
        None if last is None else last.at,
        900,
        None if heard is None else at(heard),
        provisional,
    )


def kept(stays: tuple[BayStay, ...]) -> tuple[BayStay, ...]:
    """Give new stays an id, as the store does."""
    return tuple(replace(stay, id=stay.id or ParkingSessionId(uuid7())) for stay in stays)


def after(*edits: BayChange, stays: tuple[BayStay, ...] = ()) -> tuple[BayStay, ...]:
    for each in edits:
        stays = kept(revise(stays, each, SILENCE))
    return stays


def spans(stays: tuple[BayStay, ...]) -> list[tuple[datetime, datetime | None]]:
    return [(stay.opened_at, stay.closed_at) for stay in stays]


def test_an_arrival_opens_a_stay_and_a_departure_closes_it_unattributed() -> None:
    (stay,) = after(edit(10, "o10"), edit(20, "f20"))
    assert (stay.opened_at, stay.closed_at) == (at(10), at(20))
    assert stay.state is StayState.UNATTRIBUTED
    assert stay.closing_reason is ClosingReason.DEPARTURE


def test_a_departure_and_the_next_arrival_always_part_two_stays() -> None:
    stays = after(edit(10, "o10 f20 o20.2 f30"))
    assert spans(stays) == [(at(10), at(20)), (at(20.2), at(30))]


def test_the_same_edit_twice_changes_nothing() -> None:
    once = after(edit(10, "o10 f20 o25"))
    assert after(edit(10, "o10 f20 o25"), stays=once) == once


def test_a_flicker_that_is_withdrawn_annuls_its_stay() -> None:
    assert after(edit(10, "o10", provisional=True), edit(10)) == ()


def test_a_departure_that_is_withdrawn_lets_the_stay_go_on() -> None:
    first = after(edit(10, "o10"))
    (stay,) = after(edit(20, "f20", provisional=True), edit(20), stays=first)
    assert stay.id == first[0].id
    assert stay.state is StayState.OPEN
    assert stay.closing_reason is None


def test_a_stay_keeps_its_identity_when_late_evidence_moves_its_arrival() -> None:
    first = after(edit(10, "o10"))
    moved = seen("o10")[0]
    earlier = StateChange(moved.state, at(5), 900, moved.observation + "~", None)
    (stay,) = after(replace(edit(5, "o10"), changes=(earlier,)), stays=first)
    assert (stay.id, stay.opened_at) == (first[0].id, at(5))


def test_unknown_opens_and_closes_nothing() -> None:
    (stay,) = after(edit(10, "o10"), edit(1600, "?1600", heard=40))
    assert stay.state is StayState.OPEN
    assert (stay.uncertain_from_at, stay.certain_until_at) == (at(1600), at(40))
    assert after(edit(10, "?10")) == ()


def test_a_departure_after_silence_closes_at_the_last_word_heard() -> None:
    (stay,) = after(edit(10, "o10"), edit(1600, "?1600", heard=40), edit(1700, "f1700"))
    assert (stay.closed_at, stay.closing_reason) == (at(40), ClosingReason.SILENCE)


def test_a_departure_after_silence_closes_no_earlier_than_somebody_attached_the_vehicle() -> None:
    (stay,) = after(edit(10, "o10"))
    seen_stay = attached(stay, VEHICLE, at(100))
    stays = after(edit(1600, "?1600", heard=40), edit(1700, "f1700"), stays=(seen_stay,))
    assert stays[0].closed_at == at(100)


def test_whoever_is_there_after_silence_is_another_stay() -> None:
    stays = after(edit(10, "o10"), edit(1600, "?1600", heard=40), edit(1700, "o1700"))
    assert spans(stays) == [(at(10), at(40)), (at(1700), None)]


def test_silence_noticed_only_afterwards_ends_as_if_it_had_been_seen() -> None:
    stays = after(edit(10, "o10 ?1570 f1700"))
    assert spans(stays) == [(at(10), at(10))]


def test_silence_that_late_evidence_fills_leaves_no_trace() -> None:
    stays = after(edit(10, "o10"), edit(1570, "?1570", heard=10), edit(1570), edit(1580, "f1580"))
    assert spans(stays) == [(at(10), at(1580))]
    assert stays[0].uncertain_from_at is None


def test_a_stay_with_a_vehicle_is_never_annulled() -> None:
    (stay,) = after(edit(10, "o10", provisional=True))
    (left,) = after(edit(10), stays=(attached(stay, VEHICLE, at(10.3)),))
    assert left.vehicle_id == VEHICLE
    assert (left.closed_at, left.closing_reason) == (at(10.3), ClosingReason.WITHDRAWN)


def test_two_vehicles_stay_two_stays_when_the_gap_between_them_is_withdrawn() -> None:
    first, second = after(edit(10, "o10 f20 o20.2"))
    known = (attached(first, VEHICLE, at(11)), attached(second, VehicleId(uuid7()), at(21)))
    stays = after(edit(20, ""), edit(40, "f40"), stays=known)
    assert spans(stays) == [(at(10), at(20.2)), (at(20.2), at(40))]
    assert [stay.id for stay in stays] == [first.id, second.id]


def test_a_stay_whose_closing_was_announced_never_changes() -> None:
    (stay,) = after(edit(10, "o10 f20"))
    done = replace(attached(stay, VEHICLE, at(21)), announced_at=at(21))
    assert after(edit(18, "f18"), stays=(done,)) == (done,)
    stays = after(edit(20), stays=(done,))
    assert stays[0] == done
    assert spans(stays[1:]) == [(at(20), None)]
    assert after(edit(20), stays=stays) == stays


def test_a_vehicle_may_be_attached_within_the_grace_after_the_end_and_not_later() -> None:
    (stay,) = after(edit(10, "o10 f20"))
    assert attached(stay, VEHICLE, at(35)).state is StayState.CLOSED
    with pytest.raises(Conflict, match="more than 15 minutes ago"):
        attached(stay, VEHICLE, at(35.1))


def test_a_second_vehicle_is_refused() -> None:
    (stay,) = after(edit(10, "o10"))
    with pytest.raises(Conflict, match="already has a vehicle"):
        attached(attached(stay, VEHICLE, at(11)), VehicleId(uuid7()), at(12))


def test_a_departure_is_final_once_it_is_no_longer_provisional() -> None:
    assert confirmed_until(edit(20, "f20", provisional=True)) == at(20)
    assert confirmed_until(edit(20, "f20")) is None


HISTORIES = st.lists(
    st.tuples(st.sampled_from("fo?"), st.integers(1, 500)), min_size=1, max_size=12
)


def _text(steps: list[tuple[str, int]]) -> str:
    words, minute, last = [], 0, "f"
    for letter, gap in steps:
        minute += gap
        if letter != last:
            words.append(f"{letter}{minute}")
            last = letter
    return " ".join(words)


@given(HISTORIES, st.data())
def test_stays_never_overlap_and_hold_no_free_instant_however_the_history_arrives(
    steps: list[tuple[str, int]], data: st.DataObject
) -> None:
    words = _text(steps).split()
    stays: tuple[BayStay, ...] = ()
    numbers = count()
    for _ in words:
        place = data.draw(st.integers(0, next(numbers)))
        end = data.draw(st.integers(place, len(words)))
        if place >= len(words):
            break
        stays = after(edit(float(words[place][1:]), " ".join(words[place:end])), stays=stays)
    stays = after(edit(0, " ".join(words)), stays=stays)
    for one, other in pairwise(stays):
        assert one.closed_at is not None
        assert one.closed_at <= other.opened_at
    for word, following in pairwise([*words, "f99999"]):
        if word[0] == "f":
            free_at = (float(word[1:]), float(following[1:]))
            for stay in stays:
                assert stay.opened_at >= at(free_at[1]) or (
                    stay.closed_at is not None and stay.closed_at <= at(free_at[0])
                )


@given(HISTORIES, st.integers(0, 11))
def test_a_history_in_two_parts_gives_the_stays_of_the_whole(
    steps: list[tuple[str, int]], cut: int
) -> None:
    words = _text(steps).split()
    cut = min(cut, len(words))
    whole = after(edit(0, " ".join(words)))
    parts = after(edit(0, " ".join(words[:cut])))
    if cut < len(words):
        parts = after(edit(float(words[cut][1:]), " ".join(words[cut:])), stays=parts)
    assert spans(parts) == spans(whole)
