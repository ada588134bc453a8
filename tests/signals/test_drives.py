"""Driving a plan beside another: traffic drawn from turning flows, differences, replays."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.adapters.sumo.simulator import Simulator
from signals.rules.model.aspects import Aspect
from signals.rules.model.plans import Interval
from signals.rules.model.sumo_export import network_file
from signals.rules.simulation.comparison import compared
from signals.rules.simulation.departures import (
    Departure,
    departures,
    drivable,
    expected_vph,
    routes_file,
    share_driven,
    turning_of,
)
from signals.rules.simulation.replay import Track, packed, side_json, unpacked
from tests.signals.drivable import in_force, network

TOWN = network(3)
PAIRS = sorted(
    {
        (TOWN.road_of[each.from_lane].name, TOWN.road_of[each.to_lane].name)
        for junction in TOWN.junctions
        for each in junction.movements
    }
)
HOURS = 20.0


@given(st.lists(st.floats(0, 900), min_size=len(PAIRS), max_size=len(PAIRS)))
def test_whatever_turns_were_counted_ways_drawn_from_them_make_the_same_on_average(
    counted: list[float],
) -> None:
    flow_vph = {pair: vph for pair, vph in zip(PAIRS, counted, strict=True) if vph > 1}
    turning = turning_of(flow_vph)
    made = expected_vph(turning)
    # Into the row from its ends or sides: no ring of roads that nobody enters.
    for pair, vph in flow_vph.items():
        assert made[pair] == pytest.approx(vph, rel=1e-3, abs=0.01)


def test_hours_of_drawn_traffic_come_near_the_flows_of_the_drawn_town() -> None:
    flow_vph = {pair: 60.0 + 17.0 * (place % 11) for place, pair in enumerate(PAIRS)}
    turning = turning_of(drivable(TOWN, flow_vph))
    driven = departures(turning, HOURS * 3_600, 1)
    assert all(set(pairwise(each.roads)) <= set(PAIRS) for each in driven)
    seen = Counter(pair for each in driven for pair in pairwise(each.roads))
    for pair, vph in flow_vph.items():
        expected = vph * HOURS
        # Five standard deviations of a Poisson count.
        assert abs(seen[pair] - expected) < 5 * expected**0.5, pair
    assert share_driven(flow_vph, turning) == pytest.approx(1.0, abs=1e-6)


def test_a_seed_draws_the_same_vehicles_and_another_others() -> None:
    turning = turning_of(dict.fromkeys(PAIRS, 120.0))
    assert departures(turning, 600, 1) == departures(turning, 600, 1)
    assert departures(turning, 600, 1) != departures(turning, 600, 2)


def test_a_flow_without_a_way_for_cars_is_left_out_and_said() -> None:
    asked = {("0-west-in", "2-east-out"): 100.0, PAIRS[0]: 300.0}
    kept = drivable(TOWN, asked)
    assert set(kept) == {PAIRS[0]}
    assert share_driven(asked, turning_of(kept)) == pytest.approx(0.75)


def test_a_ring_that_nobody_enters_is_not_driven() -> None:
    ring = {("a", "b"): 50.0, ("b", "a"): 50.0}
    turning = turning_of(ring)
    assert departures(turning, 3_600, 1) == ()
    assert share_driven(ring, turning) == 0


def test_a_difference_is_shown_only_where_its_interval_leaves_zero_out() -> None:
    # Seeds differ a lot, sides by two seconds in each: pairing shows it.
    better = compared([40.0, 60.0, 80.0], [38.0, 58.1, 77.9])
    assert (better.shown, round(better.difference.mean, 2)) == ("less", -2.0)
    assert compared([40.0, 60.0, 80.0], [42.0, 58.0, 80.5]).shown == "none"
    assert compared([1.0, 1.0, 1.0], [3.0, 3.5, 3.2]).shown == "more"
    assert compared([0.0, 0.0], [0.0, 0.0]).shown == "none"


def test_sumo_drives_what_was_drawn_counts_after_the_warm_up_and_keeps_a_replay() -> None:
    flow_vph = drivable(TOWN, dict.fromkeys(PAIRS, 60.0))
    turning = turning_of(flow_vph)
    starting = departures(turning, 240, 3)
    plans = in_force(TOWN)
    content = network_file(TOWN, plans).encode()
    with Simulator(content, routes_file(starting, turning.fed), 0, 240) as simulator:
        whole = simulator.drive(plans, 3)
        run = simulator.drive(plans, 3, watch=True, counted_from_s=120, replay_s=(150, 180))
    assert len(whole.trips) == len(starting)
    assert len(run.trips) == sum(each.at_s >= 120 for each in starting)
    assert run.tracked_until_s == 180
    assert run.tracks
    assert all(150 <= each.from_s < 180 for each in run.tracks)
    assert all(len(each.places_dm) <= 2 * 30 for each in run.tracks)
    document = side_json(run.tracks, run.shown, shown_from_s=1, from_s=150, until_s=180)
    assert unpacked(packed(document)) == document
    lamps = document["lamps"]
    assert isinstance(lamps, dict)
    assert set(lamps) == {each.name for each in TOWN.junctions}
    assert all(isinstance(each, list) and each[0][0] == 0 for each in lamps.values())  # type: ignore[index]


def test_a_replay_holds_steps_from_second_to_second_and_the_states_of_its_window() -> None:
    shown = {
        "x": (
            Interval(20, (Aspect.GREEN, Aspect.RED)),
            Interval(3, (Aspect.FLASHING_GREEN, Aspect.RED)),
            Interval(60, (Aspect.RED, Aspect.GREEN)),
        )
    }
    side = side_json(
        [Track(12, (100, 50, 130, 50, 150, 48))], shown, shown_from_s=1, from_s=10, until_s=30
    )
    assert side["vehicles"] == [[2, 100, 50, 30, 0, 20, -2]]
    assert side["lamps"] == {"x": [[0, "Gr"], [11, "Fr"], [14, "rG"]]}


def test_who_begins_between_signals_does_so_along_the_road() -> None:
    text = routes_file([Departure(1, ("a", "b")), Departure(2, ("b", "c"))], frozenset({"b"}))
    assert text.count(b'departPos="base"') == 1
    assert text.count(b'departPos="random_free"') == 1
