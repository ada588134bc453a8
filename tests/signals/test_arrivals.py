"""Delay of a demand as it comes: bunches and platoons, held against counting by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signals.rules.model.aspects import Aspect
from signals.rules.model.plans import Interval, Programme
from signals.rules.model.sumo_export import network_file
from signals.rules.model.sumo_net import read_sumo
from signals.rules.plans.arrivals import (
    Coming,
    arrivals_of,
    lane_arrivals,
    results_as_they_come,
)
from signals.rules.plans.delay_of_plan import lane_results
from signals.rules.plans.drivers import CARS, Drivers
from signals.rules.plans.passing import CRITICAL_GAP_S, MERGING_GAP_S, LaneFlow, Passing
from signals.rules.plans.routes import read_journeys, turning_flows
from tests.signals import crossroads

OWN = crossroads.network()
ROADS = read_sumo(network_file(OWN, []).encode())
LANE = LaneFlow("lane", ((0, 360.0, 1_800.0),), 0.0)


def delay_s(came: list[float], *, red_s: float, green_s: float, offset_s: float = 0.0) -> float:
    """Give the mean delay of who comes in these seconds to a lane that passes one in two."""
    plan = Programme(
        "one",
        "0",
        ("0",),
        (Interval(red_s, (Aspect.RED,)), Interval(green_s, (Aspect.GREEN,))),
        offset_s,
    )
    series = np.zeros(int(max(came)) + 1)
    for at_s in came:
        series[int(at_s)] += 1
    even = lane_results(plan, [LANE], {})
    found = results_as_they_come(plan, even, [LANE], {}, Coming(0.0, {"lane": series}))
    return found[0].delay_s


def test_who_comes_at_red_waits_for_green_and_for_those_before() -> None:
    # The third second of red: 28 s, and a second on the way over the line; so does whoever is next.
    assert delay_s([2], red_s=30, green_s=30) == pytest.approx(28, abs=1)
    assert delay_s([2, 2], red_s=30, green_s=30) == pytest.approx(29, abs=1)
    assert delay_s([2, 2, 2, 2], red_s=30, green_s=30) == pytest.approx(31, abs=1)


def test_a_platoon_that_suits_the_cycle_waits_less_than_one_that_does_not() -> None:
    platoon = [at_s + 60.0 * cycle for cycle in range(10) for at_s in (32, 34, 36, 38, 40)]
    assert delay_s(platoon, red_s=30, green_s=30) < 1
    assert delay_s(platoon, red_s=30, green_s=30, offset_s=30) > 20


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.integers(0, 900), min_size=1, max_size=60),
    st.integers(0, 900),
    st.integers(5, 60),
)
def test_one_vehicle_more_never_shortens_the_sum_of_waits(
    came: list[int], other: int, green_s: int
) -> None:
    before = delay_s([float(each) for each in came], red_s=30, green_s=green_s) * len(came)
    after = delay_s([float(each) for each in (*came, other)], red_s=30, green_s=green_s)
    assert after * (len(came) + 1) >= before - 1e-6


def test_everybody_of_a_demand_comes_once_to_one_lane() -> None:
    body = (
        '<flow id="f" begin="0" end="600" number="60" from="south-in" to="north-out"/>'
        '<trip id="t" depart="30" from="east-in" to="south-out"/>'
    )
    journeys = read_journeys(f"<routes>{body}</routes>".encode())
    flows = turning_flows(ROADS, journeys, 0.0, 600.0)
    arrivals = arrivals_of(ROADS, journeys, flows)
    assert arrivals is not None
    coming = lane_arrivals(OWN.junctions[0], OWN, flows, arrivals)

    assert sum(each.sum() for each in coming.lanes.values()) == pytest.approx(61)
    east = sum(each.sum() for lane, each in coming.lanes.items() if lane.startswith("east"))
    assert east == pytest.approx(1)
    drive_s = ROADS.edges["east-in"].lanes[-1].length_m / ROADS.edges["east-in"].lanes[-1].speed_mps
    first = next(each for lane, each in coming.lanes.items() if lane.startswith("east"))
    assert int(np.flatnonzero(first)[0]) == int(30 + drive_s)


def test_types_of_vehicles_say_how_they_start_and_follow() -> None:
    kinds = '<vType id="slow" accel="1.3" tau="1.5" length="9.5" minGap="2.5" maxSpeed="10"/>'
    trips = "".join(
        f'<trip id="{number}" type="slow" depart="{number}" from="south-in" to="north-out"/>'
        for number in range(4)
    )
    flows = turning_flows(ROADS, read_journeys(f"<routes>{kinds}{trips}</routes>".encode()))
    assert flows.drivers == Drivers(12.0, 1.5, 1.3, 10.0)

    movement = next(each for each in OWN.junctions[0].movements if each.turn.value == "straight")
    # 3600 / (1.75 + 1.22 x 12 / 10) and 0.61 x 10 / 1.3 - 0.3.
    assert flows.drivers.saturation_flow_vph(movement) == pytest.approx(1120, abs=1)
    assert flows.drivers.start_loss_s(movement) == pytest.approx(4.39, abs=0.01)
    assert CARS.start_loss_s(movement) < flows.drivers.start_loss_s(movement)


def test_who_merges_needs_a_longer_gap_than_who_crosses() -> None:
    turning = LaneFlow("turn", ((0, 100.0, 1_500.0),), 0.0)
    other = LaneFlow("other", ((1, 400.0, 1_800.0),), 0.0)
    shown = [
        Interval(60.0, (Aspect.PERMISSIVE, Aspect.GREEN)),
        Interval(30.0, (Aspect.RED, Aspect.RED)),
    ]

    def passed(gap_s: float) -> float:
        pieces = Passing(shown, [turning, other], {0: {1: gap_s}}).pieces(turning, queued=True)
        return sum(lasts_s * share for lasts_s, share in pieces[0])

    assert passed(MERGING_GAP_S) < passed(CRITICAL_GAP_S)
