"""Queues on roads between signals: foretold, paid for, kept off the junction before."""

from __future__ import annotations

from dataclasses import replace

import pytest

from signals.queue_making import queue_plans, queues_between
from signals.rules.plans.delay_of_plan import LaneResult
from signals.rules.plans.planning import plan_junction
from signals.rules.plans.queues import (
    metered,
    queue_veh,
    queues,
    shares_let_in,
    spill_cost_s,
    storages_veh,
)
from signals.rules.safety.checker import check_programme
from tests.signals.oversaturated import TOWN, problem, sites_of

FIRST, SECOND = TOWN.junctions
FULL = "1-west-through"
"""Between the two signals, to the second."""


def result(flow_vph: float, capacity_vph: float = 600.0, lane: str = FULL) -> LaneResult:
    return LaneResult(lane, flow_vph, capacity_vph, flow_vph / capacity_vph, 20.0, 0.0)


def test_a_lane_holds_what_fits_between_two_signals_and_others_have_nobody_behind() -> None:
    found = storages_veh(TOWN, SECOND, 7.5)
    assert {lane.partition("-")[2].partition("-")[0] for lane in found} == {"west"}
    assert found[FULL] == pytest.approx(TOWN.lanes[FULL].length_m / 7.5)
    assert {
        lane.partition("-")[2].partition("-")[0] for lane in storages_veh(TOWN, FIRST, 7.5)
    } == {"east"}


def test_a_queue_grows_with_what_cannot_go_and_costs_only_beyond_its_storage() -> None:
    # 200 of 800 an hour cannot go; 600 in a mean delay of 20 s: 3.3 wait, 6.7 at the longest.
    assert queue_veh(result(800), 0.5) == pytest.approx(100 + 6.67, abs=0.01)
    storage = {FULL: 40.0}
    (queue,) = queues("1", [result(800), result(800, lane="elsewhere")], storage, 0.5)
    assert (queue.lane, queue.spills) == (FULL, True)
    assert spill_cost_s([result(500)], storage, 0.5) == 0
    costs = [spill_cost_s([result(vph)], storage, 0.5) for vph in (700, 800, 900)]
    assert 0 < costs[0] < costs[1] < costs[2]


def test_no_more_is_let_into_a_road_than_leaves_it_or_finds_room_on_it() -> None:
    storage = {FULL: 40.0}
    share = shares_let_in(TOWN, [result(800)], storage, 0.5)
    assert share == {"1-west-in": pytest.approx((600 + 40 / 0.5) / 800)}
    assert shares_let_in(TOWN, [result(660)], storage, 0.5) == {}
    flows = {("0-west-in", "1-west-in"): 800.0, ("1-west-in", "1-east-out"): 800.0}
    let_in = metered(flows, share)
    assert let_in["0-west-in", "1-west-in"] == pytest.approx(680)
    assert let_in["1-west-in", "1-east-out"] == 800


def test_where_queues_are_paid_for_the_full_road_holds_fewer() -> None:
    asked = problem(900, 600, 900)
    case, lanes = asked.case_of(SECOND.name), asked.lanes_of(asked.network.junctions[1])
    storage = storages_veh(asked.network, asked.network.junctions[1], 7.5)
    standing = {}
    for held in (False, True):
        plan = plan_junction(case, lanes, (), 0.5, storage_veh=storage if held else None)
        assert plan is not None
        found = queues(SECOND.name, plan.lanes, storage, 0.5)
        standing[held] = next(each for each in found if each.lane == FULL)
    assert standing[False].spills
    assert not standing[True].spills


def test_plans_that_hold_queues_are_safe_and_there_are_none_where_nothing_spills() -> None:
    asked = problem(900, 600, 900)
    sites = sites_of(asked)
    standing = queues_between(asked, sites)
    assert {each.junction for each in standing if each.spills} == {SECOND.name}
    alone = tuple(site.plan.programme for site in sites.values())
    held = queue_plans(asked, sites, standing)
    assert len(held) == 2
    assert held[1] != alone
    for plans in held:
        assert [each.junction for each in plans] == list(sites)
        for each in plans:
            assert not check_programme(sites[each.junction].case, each).violations
    fewer = [replace(each, queue_veh=1.0) for each in standing]
    assert queue_plans(asked, sites, fewer) == []
