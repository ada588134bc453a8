"""Delay of a demand as it comes: bunches and platoons, held against counting by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signals.rules.model.aspects import Aspect
from signals.rules.model.plans import Interval, Programme
from signals.rules.model.sumo_export import network_file
from signals.rules.model.sumo_net import read_sumo
from signals.rules.plans.arrivals import arrivals_of, coming_to
from signals.rules.plans.delay_of_plan import lanes_of
from signals.rules.plans.drivers import CARS, Drivers
from signals.rules.plans.passing import CRITICAL_GAP_S, MERGING_GAP_S, LaneFlow, Passing
from signals.rules.plans.routes import read_journeys, turning_flows
from signals.rules.plans.stop_lines import Gap, StopLines, Vehicle, Way, gap_across
from signals.rules.safety.case import prepare
from signals.rules.safety.profiles import PROFILES
from tests.signals import crossroads

OWN = crossroads.network()
ROADS = read_sumo(network_file(OWN, []).encode())
DRIVEN = CARS.acceleration_mps2
WAY = Way(0, 0, 2.0, 0.0, 13.9, 13.9, DRIVEN, 7.5, 1, 0)
"""Straight on from an only lane, one in two seconds."""


def delays_s(
    came: list[float], *, red_s: float, green_s: float, offset_s: float = 0.0
) -> list[float]:
    """Give the delay of each who comes at these times to a lane that passes one in two seconds."""
    plan = Programme(
        "one",
        "0",
        ("0",),
        (Interval(red_s, (Aspect.RED,)), Interval(green_s, (Aspect.GREEN,))),
        offset_s,
    )
    lines = StopLines(plan, 1, [0], {}, {})
    lines.drive([Vehicle(at_s, 1.0, (WAY,)) for at_s in sorted(came)])
    assert len(lines.delays) == len(came)
    return [each for _, _, each in lines.delays]


def test_who_comes_at_red_waits_for_green_and_for_those_before() -> None:
    assert delays_s([2.0], red_s=30, green_s=30) == [pytest.approx(28)]
    assert delays_s([2.0] * 4, red_s=30, green_s=30) == pytest.approx([28, 30, 32, 34])


def test_a_platoon_that_suits_the_cycle_waits_less_than_one_that_does_not() -> None:
    platoon = [at_s + 60.0 * cycle for cycle in range(10) for at_s in (32, 34, 36, 38, 40)]
    assert max(delays_s(platoon, red_s=30, green_s=30)) < 1
    assert min(delays_s(platoon, red_s=30, green_s=30, offset_s=30)) > 20


def test_who_is_too_close_to_stop_passes_on_yellow_and_who_is_not_waits() -> None:
    shown = (
        Interval(30, (Aspect.GREEN,)),
        Interval(3, (Aspect.YELLOW,)),
        Interval(30, (Aspect.RED,)),
    )
    for at_s, waits in ((29.9, False), (31.5, True)):
        lines = StopLines(Programme("one", "0", ("0",), shown), 1, [0], {}, {})
        lines.drive([Vehicle(at_s, 1.0, (WAY,))])
        assert (lines.delays[0][2] > 20) is waits


def shared_lane_s(other_s: list[float], *, room: int) -> list[float]:
    """Give delays of one who turns left, then one straight on, in one lane, and those opposite."""
    turns = replace(WAY, group=1, beside_veh=room)
    opposite = replace(WAY, lane=1, group=2)
    shown = (
        Interval(60, (Aspect.GREEN, Aspect.PERMISSIVE, Aspect.GREEN)),
        Interval(3, (Aspect.YELLOW,) * 3),
        Interval(30, (Aspect.RED,) * 3),
    )
    lines = StopLines(
        Programme("one", "0", ("0", "1", "2"), shown), 2, [0, 1, 2], {1: {2: Gap(1.5, 5.0)}}, {}
    )
    coming = [(10.0, turns), (12.0, WAY), *((at_s, opposite) for at_s in other_s)]
    lines.drive(
        [Vehicle(at_s, 1.0, (way,)) for at_s, way in sorted(coming, key=lambda each: each[0])]
    )
    found = {group: each for _, group, each in lines.delays}
    return [found[1], found[0]]


def test_who_turns_left_waits_for_a_gap_and_holds_up_who_is_behind_without_room() -> None:
    stream = [10.0 + 3 * place for place in range(8)]
    turning_s, behind_s = shared_lane_s(stream, room=0)
    # The last of the stream passes at 31 s and is clear 1.5 s later.
    assert turning_s == pytest.approx(23, abs=1)
    assert behind_s > 18

    turning_s, behind_s = shared_lane_s(stream, room=1)
    assert turning_s == pytest.approx(23, abs=1)
    assert behind_s < 3

    assert max(shared_lane_s([], room=0)) < 1


def test_drivers_take_the_lane_with_the_fewest_before_them_or_the_rightmost() -> None:
    shown = (Interval(30, (Aspect.RED,)), Interval(30, (Aspect.GREEN,)))
    lines = StopLines(Programme("one", "0", ("0",), shown), 2, [0], {}, {})
    lines.drive([Vehicle(at_s, 1.0, (WAY, replace(WAY, lane=1))) for at_s in (1.0, 2.0, 3.0, 40.0)])
    assert sorted(lane for lane, _, _ in lines.delays) == [0, 0, 1, 1]


def test_a_short_green_passes_who_is_fast_enough_at_its_end_not_to_stop() -> None:
    # They reach the line at 0, 5.4 and 7.6 m/s; the third would need 5.2 s of green, (4).
    way = replace(WAY, headway_s=2.0, pull_s=2.0)
    shown = (
        Interval(55, (Aspect.RED,)),
        Interval(4, (Aspect.GREEN,)),
        Interval(3, (Aspect.YELLOW,)),
    )
    lines = StopLines(Programme("one", "0", ("0",), shown), 1, [0], {}, {})
    lines.drive([Vehicle(at_s, 1.0, (way,)) for at_s in (10.0, 11.0, 12.0, 13.0)])
    assert [each > 60 for _, _, each in lines.delays] == [False, False, True, True]


def test_who_sets_out_standing_comes_later_than_who_drives() -> None:
    def first_s(more: str) -> float:
        trip = f'<trip id="t" depart="30" from="east-in" to="south-out"{more}/>'
        journeys = read_journeys(f"<routes>{trip}</routes>".encode())
        arrivals = arrivals_of(ROADS, journeys, turning_flows(ROADS, journeys, 0.0, 600.0))
        assert arrivals is not None
        return arrivals[0].at_s

    assert first_s("") == first_s(' departSpeed="max"')
    # 13.9 m/s over twice 1.95 m/s2, and half a second less.
    assert first_s(' departSpeed="0"') - first_s("") == pytest.approx(3.1, abs=0.5)


def test_a_car_across_another_way_needs_what_it_takes_to_clear_it() -> None:
    # 13 m and its own 5 m from a stand at 2.6 m/s2, and a second; the other is gone 20 m on.
    gap = gap_across(13.0, 2.6, 15.0, 10.0, 5.0)
    assert gap.lead_s == pytest.approx(4.72, abs=0.01)
    assert gap.clear_s == pytest.approx(2.0)


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.integers(0, 900), min_size=1, max_size=60),
    st.integers(0, 900),
    st.integers(5, 60),
)
def test_one_vehicle_more_never_shortens_the_sum_of_waits(
    came: list[int], other: int, green_s: int
) -> None:
    before = sum(delays_s([float(each) for each in came], red_s=30, green_s=green_s))
    after = sum(delays_s([float(each) for each in (*came, other)], red_s=30, green_s=green_s))
    # Behind one more, nobody has to brake for a red that ends: that alone may take less.
    assert after >= before - 2


def test_everybody_of_a_demand_comes_once_to_one_lane() -> None:
    body = (
        '<flow id="f" begin="0" end="600" number="60" from="south-in" to="north-out"/>'
        '<trip id="t" depart="30" from="east-in" to="south-out"/>'
    )
    journeys = read_journeys(f"<routes>{body}</routes>".encode())
    flows = turning_flows(ROADS, journeys, 0.0, 600.0)
    arrivals = arrivals_of(ROADS, journeys, flows)
    assert arrivals is not None
    case = prepare(OWN.junctions[0], OWN, PROFILES["as-is"], ())
    lanes = lanes_of(OWN.junctions[0], OWN, flows.flow_vph)
    coming = coming_to(case, flows, arrivals, lanes)

    assert len(coming.vehicles) == 61
    east = [
        (at_s, pace)
        for at_s, pace, ways in coming.vehicles
        if all(lanes[way.lane].lane.startswith("east") for way in ways)
    ]
    assert len(east) == 1
    at_s, pace = east[0]
    road = ROADS.edges["east-in"].lanes[-1]
    drive_s = road.length_m / (road.speed_mps * pace - CARS.acceleration_mps2 / 4)
    assert at_s == pytest.approx(30 + drive_s)


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
