"""Adaptive control where people walk: changes that waste no green, and walks taken along."""

from __future__ import annotations

from random import Random

import pytest

from signals.rules.adaptive.choice import HORIZON_S, Question, compared, model_of, stacked
from signals.rules.adaptive.control import Adaptive, SignalSite, Walk, begin, step
from signals.rules.adaptive.detectors import Detector, Reading
from signals.rules.adaptive.lanes import LaneSite, LaneState
from signals.rules.control.stages import StageSet, stage_set
from signals.rules.junctions import GroupKind
from signals.rules.model.aspects import GREENS, OF_CODE
from signals.rules.plans.junction_maker import JunctionMaker
from tests.signals import crossroads

CASE = crossroads.case_of(crossroads.network())
GROUPS = CASE.junction.groups
WALKS = frozenset(group.name for group in GROUPS if group.kind is GroupKind.PEDESTRIAN)
WHOLE = JunctionMaker(CASE, (), (), 1.0)
OVERLAPPING = JunctionMaker(CASE, (), (), 1.0, overlapping=True)


@pytest.fixture(scope="module")
def stages() -> StageSet:
    return stage_set(CASE, (OVERLAPPING, WHOLE), WHOLE.pool[:8], judged=True)


def test_changes_overlap_where_that_is_safe_and_lose_none(stages: StageSet) -> None:
    whole = stage_set(CASE, (WHOLE,), WHOLE.pool[:8], judged=True)
    assert stages.changes.keys() >= whole.changes.keys()
    shorter = [whole.change_s(*pair) - stages.change_s(*pair) for pair in whole.changes]
    assert min(shorter) >= 0
    assert max(shorter) >= 5


def test_who_drives_goes_on_while_people_on_foot_clear_the_junction(stages: StageSet) -> None:
    told = 0
    for (one, other), runs_s in stages.runs_on_s.items():
        left_s = runs_s
        leaving = stages.stages[one].groups - stages.stages[other].groups - WALKS
        places = [place for place, group in enumerate(GROUPS) if group.name in leaving]
        for lasts_s, state in stages.changes[one, other]:
            green = all(OF_CODE[state[place]] in GREENS for place in places)
            assert green or left_s <= 0
            left_s -= lasts_s
        told += runs_s > 0
    assert told > 0


def test_what_flashes_before_a_change_is_no_part_of_a_stages_steady_green(
    stages: StageSet,
) -> None:
    for stage in stages.stages:
        walks = any(name in WALKS for name in stage.groups)
        assert stage.least_s <= WHOLE.least_s(stage.groups) - (8 if walks else 0)
        assert stage.least_s >= (CASE.profile.least_walk_s or 1 if walks else 1)


def test_people_on_foot_are_taken_along_by_a_stage_that_comes_anyway(stages: StageSet) -> None:
    drives = [group.name for group in GROUPS if group.kind is GroupKind.VEHICLE]
    lanes = tuple(
        LaneSite(name, name, ((name, 1.0),), 0.5, 2.0, 0.05, f"stop {name}", None, 1.0, 0.0)
        for name in drives
    )
    walks = tuple(Walk(name, 60.0, 0.02) for name in sorted(WALKS))
    site = SignalSite(
        stages,
        lanes,
        model_of(stages, [*lanes, *(walk.lane for walk in walks)], frozenset()),
        tuple(Detector(lane.stop, lane.lane, 2.0, 2.0) for lane in lanes),
        ((),) * len(lanes),
        ((0, 20.0), (1, 20.0)),
        walks,
    )
    draw, control = Random(1), Adaptive((site,))  # noqa: S311 - made-up traffic
    (state,), taken = [begin(site, 0.0)], 0
    for now_s in range(1, 1_500):
        readings = {
            lane.stop: Reading(entered=1, left=1, occupied=True)
            if draw.random() < 0.2
            else Reading(occupied=draw.random() < 0.3)
            for lane in lanes
        }
        before = state
        (state,) = step(control, [before], readings, float(now_s))
        shown, chosen = before.showing.stage, state.showing.stage
        if chosen == shown or state.decision.waited:
            continue
        due = {
            walk.group
            for walk, red_s in zip(site.walks, state.red_s, strict=True)
            if red_s + HORIZON_S >= walk.most_s
        }
        here = stages.stages[chosen].groups
        more = [
            each.groups
            for place, each in enumerate(stages.stages)
            if each.groups > here and (shown, place) in stages.changes
        ]
        assert all(len(groups & due) <= len(here & due) for groups in more)
        taken += bool(here & due)
    assert taken > 5


def test_a_full_bus_outweighs_cars_and_people_on_foot_count(stages: StageSet) -> None:
    """One and the same stage is left sooner for more persons."""
    drives = {group.name for group in GROUPS if group.kind is GroupKind.VEHICLE}

    def only(place: int, against: int) -> set[str]:
        return drives & stages.stages[place].groups - stages.stages[against].groups

    one, other = next(
        (one, other)
        for one, other in stages.changes
        if (other, one) in stages.changes
        and only(one, other)
        and only(other, one)
        and WALKS & stages.stages[other].groups - stages.stages[one].groups
    )
    here, there = min(only(one, other)), min(only(other, one))

    def keeps_s(persons: float, walkers: float = 0.0) -> float:
        lanes = (
            LaneSite("here", "here", ((here, 1.0),), 0.5, 2.0, 0.1, "a", None, 1.0, 0.0),
            LaneSite(
                "there", "there", ((there, 1.0),), 0.5, 2.0, 0.1, "b", None, 1.0, 0.0, persons
            ),
        )
        on_foot = [
            Walk(name, 60.0, walkers)
            for name in sorted(stages.stages[other].groups & WALKS - stages.stages[one].groups)
        ]
        model = model_of(stages, [*lanes, *(walk.lane for walk in on_foot)], frozenset())
        states = (
            LaneState(2.0, (), 0.1, green_s=10.0),
            LaneState(3.0, (), 0.1),
            *(walk.waiting(30.0) for walk in on_foot),
        )
        question = Question(states, one, [False] * len(states))
        return compared(stacked([model]), {0: question}, 0.0)[0].keeps_s

    assert keeps_s(30.0) < keeps_s(1.0)
    assert keeps_s(1.0, walkers=0.1) < keeps_s(1.0)
