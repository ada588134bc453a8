"""Vehicles drawn by chance from flows, and plans judged by them."""

from __future__ import annotations

from collections import Counter

import pytest

from signals.rules.life.outlook import Demand, outlook, outlook_of_lanes
from signals.rules.plans.chance import ByVehicles, arrivals_by_chance
from tests.signals import crossroads

NETWORK = crossroads.network()
CASE = crossroads.case_of(NETWORK)
PLAN = crossroads.plan(CASE)


def flows(vph: float) -> dict[tuple[str, str], float]:
    return {
        (f"{arm}-in", f"{crossroads.ARMS[(place + step) % 4]}-out"): vph / step
        for place, arm in enumerate(crossroads.ARMS)
        for step in (1, 2, 3)
    }


def test_a_seed_draws_the_same_vehicles_as_many_as_flow_and_another_others() -> None:
    asked = {("a", "b"): 600.0, ("b", "a"): 60.0, ("c", "a"): 0.0}
    found = arrivals_by_chance(asked, 4.0, 1)
    assert found == arrivals_by_chance(asked, 4.0, 1)
    assert found != arrivals_by_chance(asked, 4.0, 2)
    assert list(found) == sorted(found, key=lambda each: each.at_s)
    seen = Counter(each.pair for each in found)
    for pair, vph in asked.items():
        # Five standard deviations of a Poisson count.
        assert abs(seen[pair] - 4 * vph) <= 5 * (4 * vph) ** 0.5
    assert all(0 <= each.at_s < 4 * 3_600 and 0.2 <= each.pace <= 2 for each in found)


def test_light_traffic_fares_as_the_formula_says_and_a_full_lane_is_told() -> None:
    light = ByVehicles(CASE, flows(120), 1.0)
    seen = outlook_of_lanes("crossroads", light.results(PLAN))
    formula = outlook(CASE, PLAN, Demand(1.0, flows(120)))
    assert seen.flow_vph == pytest.approx(formula.flow_vph, rel=0.06)
    assert seen.delay_s == pytest.approx(formula.delay_s, rel=0.15)
    full = outlook_of_lanes("crossroads", ByVehicles(CASE, flows(900), 1.0).results(PLAN))
    assert full.saturation > 1
    assert full.level == "F"
    assert full.delay_s > 4 * seen.delay_s


def test_flows_elsewhere_and_none_at_all_cost_nothing() -> None:
    nobody = ByVehicles(CASE, {("moon", "mars"): 500.0}, 1.0)
    assert outlook_of_lanes("crossroads", nobody.results(PLAN)).level is None
