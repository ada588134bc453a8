"""Rings and barriers: what they show, that nothing is lost of them, that the checker holds them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from city.errors import Invalid
from signals.rules.model.aspects import GREENS
from signals.rules.model.document_writing import document_of
from signals.rules.model.documents import plans_from_json
from signals.rules.model.files import read_plans
from signals.rules.model.junction import Turn
from signals.rules.model.ring_plans import programme_from_rings
from signals.rules.model.rings import Overlap, RingPhase, Rings
from signals.rules.model.sumo_export import additional_file
from signals.rules.plans.delay_of_plan import lanes_of
from signals.rules.plans.junction_maker import JunctionMaker
from signals.rules.plans.ring_maker import RingMaker, sides_of
from signals.rules.safety.case import yielding
from signals.rules.safety.checker import check_programme
from tests.signals import crossroads

if TYPE_CHECKING:
    from signals.rules.model.plans import Programme

OWN = crossroads.network()
CASE = crossroads.case_of(OWN)
CHANGE_S, BARRIER_S = 8.0, 14.0


def side(one: str, other: str, *, lead_s: float, lag_s: float, late: bool = True) -> Any:
    """Give a street: one's left turn leads, the other's lags where it is late (lead-lag)."""
    greens_s = lead_s + lag_s + 24
    walks = {"south": ("west-walk", "east-walk"), "east": ("south-walk", "north-walk")}[one]

    def ring(*phases: tuple[str, float, frozenset[str]]) -> tuple[RingPhase, ...]:
        return tuple(
            RingPhase(name, groups, green_s, BARRIER_S if place else CHANGE_S)
            for place, (name, green_s, groups) in enumerate(phases)
        )

    def left(arm: str, green_s: float) -> tuple[str, float, frozenset[str]]:
        return f"{arm} left", green_s, frozenset({f"{arm}-left"})

    def ahead(arm: str, green_s: float, walk: str) -> tuple[str, float, frozenset[str]]:
        groups = frozenset({f"{arm}-through", f"{arm}-bikes", walk})
        return f"{arm} ahead", green_s, groups

    first = ring(left(one, lead_s), ahead(other, greens_s - lead_s, walks[0]))
    turning, going = left(other, lag_s), ahead(one, greens_s - lag_s, walks[1])
    return first, ring(going, turning) if late else ring(turning, going)


def rings(lead_s: float = 8, lag_s: float = 16, *, late: bool = True) -> Rings:
    return Rings(
        (
            side("south", "north", lead_s=lead_s, lag_s=lag_s, late=late),
            side("east", "west", lead_s=lead_s, lag_s=lag_s, late=late),
        )
    )


def programme(found: Rings) -> Programme:
    gives = yielding(CASE)
    return programme_from_rings(
        CASE.junction, "rings", found, yields=lambda one, other: (one, other) in gives
    )


def greens(plan: Programme, group: str) -> list[tuple[float, float]]:
    place = plan.groups.index(group)
    found: list[tuple[float, float]] = []
    for start_s, interval in zip(plan.starts_s, plan.intervals, strict=True):
        if interval.shows[place] not in GREENS:
            continue
        if found and found[-1][1] == start_s:
            found[-1] = (found[-1][0], start_s + interval.duration_s)
        else:
            found.append((start_s, start_s + interval.duration_s))
    return found


def rules(plan: Programme) -> set[str]:
    return {each.rule.value for each in check_programme(CASE, plan).violations}


def test_one_direction_leads_and_the_other_lags() -> None:
    plan = programme(rings())
    # 48 s of green, 8 s of change between a ring's two phases, 14 s at the barrier.
    assert plan.cycle_s == 140
    assert greens(plan, "south-left") == [(0, 8)]
    assert greens(plan, "north-through") == [(16, 56)]
    assert greens(plan, "south-through") == [(0, 32)]
    assert greens(plan, "north-left") == [(40, 56)]
    assert greens(plan, "west-left") == [(110, 126)]


@settings(max_examples=15, deadline=None)
@given(st.integers(8, 20), st.integers(8, 20), st.booleans())
def test_rings_that_add_up_are_safe_and_come_back_from_both_formats(
    lead_s: int, lag_s: int, late: bool
) -> None:
    plan = programme(rings(lead_s, lag_s, late=late))
    assert rules(plan) <= {"pedestrian-wait"}
    assert plans_from_json(document_of(None, [plan]), OWN) == (plan,)
    assert read_plans(additional_file([plan]).encode(), OWN) == (plan,)


def test_a_document_may_give_rings_alone() -> None:
    plan = programme(rings())
    document: Any = document_of(None, [plan])
    del document["plans"][0]["intervals"]
    assert plans_from_json(document, OWN) == (plan,)


def test_an_overlap_stays_green_through_the_change_between_its_phases() -> None:
    bikes = replace(rings(), overlaps=(Overlap("south-bikes", ("south left", "north ahead")),))
    assert greens(programme(bikes), "south-bikes") == [(0, 56)]
    # With its own phase, from 70 s, and over the end of the cycle.
    walk = replace(rings(), overlaps=(Overlap("north-walk", ("west left", "south left")),))
    assert greens(programme(walk), "north-walk") == [(0, 8), (70, 140)]


def broken(found: Rings, change: str) -> Rings:
    first, second = found.sides[0]
    if change == "longer":
        first = (replace(first[0], green_s=first[0].green_s + 3), *first[1:])
    elif change == "shorter change":
        second = (replace(second[0], change_s=second[0].change_s - 2), *second[1:])
    elif change == "wrong ring":
        # Both in one ring they would follow each other; side by side they meet.
        first, second = (first[0], second[0]), (first[1], second[1])
    return replace(found, sides=((first, second), *found.sides[1:]))


@pytest.mark.parametrize("change", ["longer", "shorter change", "wrong ring"])
def test_rings_that_do_not_add_up_or_meet_are_found(change: str) -> None:
    assert "ring-barrier" in rules(programme(broken(rings(), change)))


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_lamps_that_are_not_the_rings_are_found(data: st.DataObject) -> None:
    plan = programme(rings())
    place = data.draw(st.integers(0, len(plan.intervals) - 1))
    seconds = data.draw(st.sampled_from([-1.0, 1.0, 2.0]))
    here = plan.intervals[place]
    if here.duration_s + seconds <= 0:
        return
    intervals = [*plan.intervals]
    intervals[place] = replace(here, duration_s=here.duration_s + seconds)
    assert "ring-barrier" in rules(replace(plan, intervals=tuple(intervals)))


def test_rings_without_sense_name_what_is_wrong() -> None:
    phase = RingPhase("a", frozenset({"south-left"}), 8, 5)
    with pytest.raises(Invalid, match="at least two sides"):
        Rings((((phase,),),))
    with pytest.raises(Invalid, match="two phases"):
        Rings((((phase,),), ((phase,),)))
    with pytest.raises(Invalid, match="must be positive"):
        RingPhase("a", frozenset(), float("nan"), 5)
    other = replace(phase, name="b", groups=frozenset({"nobody"}))
    with pytest.raises(Invalid, match="no signal group nobody"):
        programme(Rings((((phase,),), ((other,),))))


def test_rings_are_planned_where_opposite_directions_differ() -> None:
    pairs = {
        ("south-in", "north-out"): 500.0,
        ("south-in", "west-out"): 250.0,
        ("north-in", "south-out"): 200.0,
        ("north-in", "east-out"): 60.0,
        ("east-in", "west-out"): 450.0,
        ("east-in", "south-out"): 200.0,
        ("west-in", "east-out"): 150.0,
        ("west-in", "north-out"): 50.0,
    }
    lanes = lanes_of(OWN.junctions[0], OWN, pairs)
    day = crossroads.plan(CASE)
    maker = JunctionMaker(CASE, lanes, [day], 1.0)
    sides = sides_of(CASE)
    assert sides is not None
    found = RingMaker(maker, sides, sorted(maker.free)).best()

    assert found is not None
    assert rules(found) == set()
    assert maker.judge(found) < maker.judge(day)
    # The heavier left turns get more than the lighter ones against them.
    assert found.rings is not None
    lefts = {
        group: each.green_s
        for each in found.rings.phases
        for group in each.groups
        if group.endswith("left")
    }
    assert lefts["south-left"] > lefts["north-left"]
    assert lefts["east-left"] > lefts["west-left"]


def test_a_crossroads_with_left_turns_in_shared_lanes_has_no_sides() -> None:
    shared = replace(
        CASE,
        groups=tuple(replace(each, turns=frozenset({Turn.STRAIGHT})) for each in CASE.groups),
    )
    assert sides_of(shared) is None
