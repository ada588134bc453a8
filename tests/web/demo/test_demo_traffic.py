"""The demo's cars: laws that hold whatever the seed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from city.vehicles import PlateKind, parse_plate
from web.demo.prepare import plan_city
from web.demo.regulars import regulars
from web.demo.traffic import LONGEST_STAY_S, PROFILES, SHORTEST_STAY_S, Traffic

if TYPE_CHECKING:
    from city.identifiers import BayId
    from web.demo.bays import DemoFacility

FACILITIES = plan_city().facilities
FEW = FACILITIES[:6]
MORNING = datetime(2026, 7, 14, 0, 40, tzinfo=UTC)
"""08:40 in Shanghai."""
SHANGHAI = ZoneInfo("Asia/Shanghai")


def all_bays(facilities: tuple[DemoFacility, ...]) -> list[BayId]:
    return [bay.bay_id for each in facilities for bay in each.bays]


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**9),
    steps_s=st.lists(st.integers(1, 3_000), min_size=1, max_size=40),
)
def test_a_bay_never_holds_two_cars_and_no_car_leaves_before_it_came(
    seed: int, steps_s: list[int]
) -> None:
    traffic = Traffic(FEW, seed, MORNING)
    inside = {bay_id: traffic.plate_in(bay_id) for bay_id in traffic.taken}
    came_at = dict.fromkeys(inside, MORNING)
    now = last_at = MORNING
    for step_s in steps_s:
        now += timedelta(seconds=step_s)
        for move in traffic.until(now):
            bay_id = move.bay.bay_id
            assert last_at <= move.at <= now
            last_at = move.at
            if move.arrives:
                assert bay_id not in inside
                inside[bay_id], came_at[bay_id] = move.plate, move.at
            else:
                assert inside.pop(bay_id) == move.plate
                stay_s = (move.at - came_at[bay_id]).total_seconds()
                assert SHORTEST_STAY_S <= stay_s <= LONGEST_STAY_S
        assert traffic.taken == set(inside)
        assert all(traffic.plate_in(bay_id) == plate for bay_id, plate in inside.items())


@settings(max_examples=8, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(seed=st.integers(0, 10**9), parts=st.integers(2, 60))
def test_what_happens_does_not_depend_on_how_often_anybody_looks(seed: int, parts: int) -> None:
    end_at = MORNING + timedelta(hours=1)
    at_once = Traffic(FEW, seed, MORNING).until(end_at)
    often = Traffic(FEW, seed, MORNING)
    bit_by_bit = [
        move
        for part in range(1, parts + 1)
        for move in often.until(MORNING + (end_at - MORNING) * part / parts)
    ]
    assert bit_by_bit == at_once


REGULARS = [each.plate for each in regulars()]


@settings(max_examples=10, deadline=None)
@given(
    seed=st.integers(0, 10**9),
    steps_s=st.lists(st.integers(60, 7_000), min_size=1, max_size=20),
)
def test_no_regular_is_in_two_places_also_after_a_new_start(seed: int, steps_s: list[int]) -> None:
    traffic, now = Traffic(FEW, seed, MORNING, regulars=REGULARS[:30]), MORNING
    for again, step_s in enumerate(steps_s):
        if again == len(steps_s) // 2:
            traffic = Traffic(FEW, seed, now, traffic.taken, traffic.plates, regulars=REGULARS[:30])
        now += timedelta(seconds=step_s)
        traffic.until(now)
        places = {plate: traffic.place_of(plate) for plate in REGULARS[:30]}
        parked = [plate for plate in traffic.plates.values() if plate in places]
        assert len(parked) == len(set(parked))
        for plate, place in places.items():
            assert (place is not None) == (plate in parked)
            assert place is None or traffic.plate_in(place[1].bay_id) == plate


def test_regulars_come_again_and_everybody_else_once() -> None:
    traffic = Traffic(FACILITIES, 4, MORNING, frozenset(), regulars=REGULARS)
    came = [move.plate for move in traffic.until(MORNING + timedelta(hours=8)) if move.arrives]
    own = set(traffic._holders.values())
    others = [plate for plate in came if plate not in REGULARS and plate not in own]
    assert sum(came.count(plate) > 1 for plate in REGULARS) > len(REGULARS) / 2
    assert 0.05 < sum(plate in REGULARS for plate in came) / len(came) < 0.15
    assert len(set(others)) > 0.99 * len(others)


def test_a_city_goes_on_with_the_cars_that_it_is_told_of() -> None:
    taken = frozenset(all_bays(FEW)[::3])
    assert Traffic(FEW, 1, MORNING, taken).taken == taken
    assert Traffic(FEW, 1, MORNING, frozenset()).taken == frozenset()


def test_occupancy_follows_the_profile_through_a_day() -> None:
    """Within what full neighbours and the long tail of stays take away from Little's law."""
    traffic = Traffic(FACILITIES, 11, MORNING)
    garages = tuple(each for each in FACILITIES if each.kind == "garage")
    kerbs = tuple(each for each in FACILITIES if each.kind == "kerb")
    seen: dict[str, dict[int, float]] = {"kerb": {}, "garage": {}}
    traffic.until(MORNING + timedelta(hours=6))
    for hour in range(6, 31):
        now = MORNING + timedelta(hours=hour)
        traffic.until(now)
        for kind, places in (("kerb", kerbs), ("garage", garages)):
            bays = all_bays(places)
            local_hour = now.astimezone(SHANGHAI).hour
            seen[kind][local_hour] = len(traffic.taken & set(bays)) / len(bays)
    for kind, by_hour in seen.items():
        profile = PROFILES[kind]
        wanted = [profile.share_at(MORNING.replace(hour=hour)) for hour in range(24)]
        got = [by_hour[hour] for hour in range(24)]
        mean = sum(wanted) / 24
        covariance = sum((a - mean) * b for a, b in zip(wanted, got, strict=True))
        spread = sum((a - mean) ** 2 for a in wanted) * sum((b - sum(got) / 24) ** 2 for b in got)
        assert covariance / spread**0.5 > 0.75, (kind, got)
        assert max(got) > 0.6, (kind, got)
        assert min(got) < 0.4, (kind, got)


def test_a_new_city_is_as_full_as_it_will_be_in_half_an_hour() -> None:
    """Neither emptied nor flooded by the way in which its first cars were drawn."""
    traffic = Traffic(FACILITIES, 2, MORNING)
    first = len(traffic.taken)
    traffic.until(MORNING + timedelta(minutes=30))
    assert len(traffic.taken) == pytest.approx(first, rel=0.08)


def test_stays_are_about_as_long_as_the_profile_says() -> None:
    kerbs = tuple(each for each in FACILITIES if each.kind == "kerb")
    traffic = Traffic(kerbs, 3, MORNING, frozenset())
    came_at: dict[BayId, datetime] = {}
    stays_s: list[float] = []
    for move in traffic.until(MORNING + timedelta(hours=30)):
        if move.arrives:
            came_at[move.bay.bay_id] = move.at
        else:
            stays_s.append((move.at - came_at.pop(move.bay.bay_id)).total_seconds())
    mean_s = sum(stays_s) / len(stays_s)
    assert mean_s == pytest.approx(PROFILES["kerb"].mean_stay_s, rel=0.08)


def test_plates_are_of_many_kinds_and_each_is_one_that_the_city_accepts() -> None:
    traffic = Traffic(FACILITIES, 5, MORNING)
    plates = [plate for bay_id in traffic.taken if (plate := traffic.plate_in(bay_id)) is not None]
    for plate in plates:
        assert parse_plate(plate.text, plate.kind) == plate
    kinds = [each.kind for each in plates]
    assert kinds.count(PlateKind.BLUE7) > len(kinds) / 2
    assert 0.25 < kinds.count(PlateKind.NEV_GREEN8) / len(kinds) < 0.45
    assert {PlateKind.YELLOW7, PlateKind.POLICE_WHITE} <= set(kinds)
