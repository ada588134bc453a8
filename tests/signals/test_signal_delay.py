"""The delay model: published examples, and laws that any of it keeps."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from city.errors import Invalid
from signals.rules.delay.saturation import LaneGroup, saturation_flow_vph
from signals.rules.delay.service import burden, chinese_level, hcm_level
from signals.rules.delay.vehicles import (
    back_of_queue_veh,
    capacity_vph,
    control_delay,
    degree_of_saturation,
    incremental_delay_s,
    progression_factor,
    spills_back,
    stops_per_vehicle,
    uniform_delay_s,
)
from signals.rules.delay.walkers import bicycle_delay_s, two_step_delay_s, walking_delay_s

FLOWS = st.floats(1, 3000)
GREENS = st.floats(5, 110)
SATURATION = st.floats(800, 6000)


def test_a_lane_group_above_capacity_is_delayed_as_in_the_manual() -> None:
    """Roess, Prassas and McShane, Traffic Engineering, set this: v 800, c 775, g/C 0.4, C 90."""
    first = control_delay(800, 775 / 0.4, 36, 90)
    assert float(first.uniform_s) == pytest.approx(27.0)
    assert float(first.incremental_s) == pytest.approx(40.897, abs=1e-3)
    assert float(first.left_veh) == pytest.approx(6.25)
    second = control_delay(800, 775 / 0.4, 36, 90, initial_queue_veh=first.left_veh)
    assert float(second.initial_queue_s) == pytest.approx(29.032, abs=1e-3)
    assert float(second.total_s) == pytest.approx(96.929, abs=1e-3)
    assert float(second.left_veh) == pytest.approx(12.5)


def test_uniform_delay_is_the_area_under_a_queue_that_grows_and_clears() -> None:
    """S 2 400, v 500 an hour, 24 s of 80: 11.1 vehicles wait 275 vehicle seconds a cycle."""
    red_s, flow, most = 56.0, 500 / 3600, 2400 / 3600
    clear_s = red_s * flow / (most - flow)
    area = flow * red_s * (red_s + clear_s) / 2
    delay_s = float(uniform_delay_s(degree_of_saturation(500, 2400, 24, 80), 24, 80))
    assert delay_s == pytest.approx(area / (flow * 80))
    assert delay_s == pytest.approx(24.76, abs=0.01)


def test_the_queue_reaches_where_the_last_vehicle_joins_that_stops() -> None:
    red_s, flow, most = 56.0, 300 / 3600, 1800 / 3600
    joined = flow * red_s / (1 - flow / most)
    first = float(back_of_queue_veh(300, 1800, 24, 80, upstream=0.0))
    assert first == pytest.approx(joined)


def test_an_initial_queue_that_clears_halfway_costs_its_triangle() -> None:
    """With c 600 and v 480, 10 are gone after 10 / 120 h; on average each waits half of that."""
    delay = control_delay(480, 1500, 40, 100, initial_queue_veh=10)
    assert float(delay.initial_queue_s) == pytest.approx(10 * 3600 / 2 * (10 / 120) / (600 * 0.25))
    assert float(delay.left_veh) == 0


@settings(max_examples=60)
@given(FLOWS, st.floats(1, 1000), SATURATION, GREENS)
def test_more_traffic_is_never_less_delayed(
    flow: float, more: float, saturation: float, green_s: float
) -> None:
    low = control_delay(flow, saturation, green_s, 120).total_s
    high = control_delay(flow + more, saturation, green_s, 120).total_s
    assert high >= low - 1e-9


@settings(max_examples=60)
@given(FLOWS, SATURATION, GREENS, st.floats(0, 9))
def test_more_green_never_delays_more_nor_lengthens_a_queue(
    flow: float, saturation: float, green_s: float, more_s: float
) -> None:
    short = control_delay(flow, saturation, green_s, 120)
    long = control_delay(flow, saturation, green_s + more_s, 120)
    assert long.total_s <= short.total_s + 1e-9
    assert long.left_veh <= short.left_veh + 1e-9


@settings(max_examples=60)
@given(FLOWS, SATURATION, GREENS, st.floats(0, 200))
def test_vehicles_are_kept_or_passed(
    flow: float, saturation: float, green_s: float, queue: float
) -> None:
    delay = control_delay(flow, saturation, green_s, 120, initial_queue_veh=queue)
    passed = queue + flow * 0.25 - float(delay.left_veh)
    assert -1e-6 <= passed <= float(capacity_vph(saturation, green_s, 120)) * 0.25 + 1e-6 or (
        delay.left_veh == 0
    )
    assert delay.initial_queue_s >= 0
    assert math.isfinite(float(delay.total_s))


@given(st.floats(0, 3), st.floats(100, 3000))
def test_chance_adds_least_where_nothing_comes_and_demand_above_capacity_adds_its_half(
    saturation: float, capacity: float
) -> None:
    added = float(incremental_delay_s(saturation, capacity))
    assert added >= max(0.0, 1800 * 0.25 * (saturation - 1)) - 1e-9
    assert float(incremental_delay_s(0.0, capacity)) == pytest.approx(0)


@settings(max_examples=60)
@given(st.floats(1, 900), st.floats(900, 2000), GREENS)
def test_queues_grow_by_their_percentile(flow: float, saturation: float, green_s: float) -> None:
    reach = [
        float(back_of_queue_veh(flow, saturation, green_s, 120, percentile=each))
        for each in (None, 70, 85, 90, 95, 98)
    ]
    assert reach == sorted(reach)
    assert reach[0] >= 0


def test_arrays_are_the_numbers_one_by_one() -> None:
    flows = np.array([100.0, 500.0, 900.0])
    greens = np.array([[20.0], [40.0]])
    whole = control_delay(flows, 1800, greens, 90).total_s
    assert whole.shape == (2, 3)
    for row, green_s in enumerate((20.0, 40.0)):
        for column, flow in enumerate(flows):
            assert whole[row, column] == pytest.approx(
                float(control_delay(flow, 1800, green_s, 90).total_s)
            )


def test_platoons_on_green_wait_less_and_all_on_green_not_at_all() -> None:
    assert float(progression_factor(36, 90)) == pytest.approx(1)
    assert float(progression_factor(36, 90, 1.5)) == pytest.approx((1 - 0.6) / 0.6)
    assert float(progression_factor(36, 90, 2.5)) == pytest.approx(0)
    with pytest.raises(Invalid):
        progression_factor(36, 90, 2.6)


def test_stops_are_nine_in_ten_of_those_that_meet_the_red_or_the_queue() -> None:
    few = float(stops_per_vehicle(1e-6, 1800, 45, 90))
    assert few == pytest.approx(0.9 * (0.5 + 1800 / (900 * 90)), abs=1e-4)
    assert float(stops_per_vehicle(950, 1800, 45, 90)) > 0.9
    assert float(stops_per_vehicle(300, 1800, 90, 90)) < 0.1


def test_a_queue_longer_than_its_lane_spills_back() -> None:
    ratio, back = spills_back([5, 15], 70)
    assert ratio.tolist() == pytest.approx([0.5, 1.5])
    assert back.tolist() == [False, True]


def test_walkers_wait_half_the_red_squared_over_the_cycle() -> None:
    assert float(walking_delay_s(30, 90)) == pytest.approx(20)
    assert float(walking_delay_s(90, 90)) == 0


def test_a_second_step_that_opens_as_walkers_come_costs_nothing_more() -> None:
    assert two_step_delay_s((0, 30), (10, 30), 90, 10) == pytest.approx(20, abs=0.1)
    # Two in three come on red, leave together and then wait 30 s; the others 15 s on average.
    assert two_step_delay_s((0, 30), (40, 30), 90, 10) == pytest.approx(20 + 25, abs=0.1)


@given(st.floats(0, 3000), st.floats(5, 89))
def test_bicycles_wait_no_longer_than_the_red(flow: float, green_s: float) -> None:
    assert 0 <= float(bicycle_delay_s(flow, green_s, 90)) <= (90 - green_s) / 2 + 1e-9


def test_saturation_flow_falls_with_all_that_is_in_the_way() -> None:
    assert saturation_flow_vph(LaneGroup(2)) == pytest.approx(3800)
    assert saturation_flow_vph(LaneGroup(1, width_m=2.7)) == pytest.approx(1710)
    assert saturation_flow_vph(LaneGroup(1, heavy=0.1)) == pytest.approx(1900 / 1.1)
    assert saturation_flow_vph(LaneGroup(1, left=1)) == pytest.approx(1805)
    assert saturation_flow_vph(LaneGroup(1, right=1)) == pytest.approx(1615)
    assert saturation_flow_vph(LaneGroup(2, parking_per_h=20)) == pytest.approx(3800 * 0.9)
    assert saturation_flow_vph(LaneGroup(1, gradient_percent=4, centre=True)) == pytest.approx(
        1900 * 0.98 * 0.9
    )
    with pytest.raises(Invalid, match="width_m"):
        LaneGroup(1, width_m=2.0)
    with pytest.raises(Invalid, match="heavy"):
        LaneGroup(1, heavy=math.nan)


def test_levels_of_service_turn_at_their_limits() -> None:
    assert hcm_level([10, 10.1, 35, 55.1, 80, 80.1]).tolist() == list("ABCEEF")
    assert hcm_level(5, 1.1).tolist() == "F"
    assert chinese_level([10, 30, 55, 61]).tolist() == [1, 2, 3, 4]
    assert chinese_level(10, 0.95).tolist() == 4


def test_delay_and_stops_burn() -> None:
    """At 30 miles an hour: 0.0412 gallons a mile, 0.7329 an hour's delay, 0.0055 a stop."""
    still = burden(100, 1609.344, 48.28032, 0, 0)
    assert float(still.fuel_l) == pytest.approx(100 * 0.0411664 * 3.785411784, rel=1e-4)
    held = burden(100, 1609.344, 48.28032, 36, 1)
    assert float(held.fuel_l - still.fuel_l) == pytest.approx(
        (0.7329 + 100 * 0.0000061411 * 900) * 3.785411784
    )
    assert float(held.nox_g) == pytest.approx(float(held.fuel_l) / 3.785411784 * 13.6)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ((-1, 1800, 30, 90), "flow_vph"),
        ((100, 0, 30, 90), "saturation_flow_vph"),
        ((100, 1800, 0, 90), "effective_green_s"),
        ((100, 1800, 91, 90), "effective_green_s"),
        ((100, 1800, 30, math.inf), "cycle_s"),
        ((math.nan, 1800, 30, 90), "flow_vph"),
    ],
)
def test_what_cannot_be_names_its_argument(
    arguments: tuple[float, float, float, float], field: str
) -> None:
    with pytest.raises(Invalid) as caught:
        control_delay(*arguments)
    assert caught.value.field == field
