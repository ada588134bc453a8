"""A safe plan with one thing broken, over a thousand times: the checker misses none of them."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, TypeAlias

import pytest

from signals.rules.junctions import GroupKind
from signals.rules.model.aspects import GREENS, PROTECTED, YELLOWS, Aspect
from signals.rules.model.files import read_network
from signals.rules.safety.case import Case, intergreens, prepare, yielding
from signals.rules.safety.checker import check_programme
from signals.rules.safety.profiles import AS_IS, GB
from tests.signals import crossroads

if TYPE_CHECKING:
    from collections.abc import Callable

    from signals.rules.model.plans import Programme

    Mutation: TypeAlias = Callable[[Case, Programme, Random], Programme | None]

DATA = os.environ.get("GREENBAY_DATA")
NETWORKS = ("cologne1", "cologne3", "hangzhou1", "ingolstadt1")


def painted(plan: Programme, place: int, group: int, aspect: Aspect) -> Programme:
    interval = plan.intervals[place]
    shows = (*interval.shows[:group], aspect, *interval.shows[group + 1 :])
    intervals = [*plan.intervals]
    intervals[place] = replace(interval, shows=shows)
    return replace(plan, intervals=tuple(intervals))


def timed(plan: Programme, place: int, seconds: float) -> Programme:
    intervals = [*plan.intervals]
    intervals[place] = replace(intervals[place], duration_s=seconds)
    return replace(plan, intervals=tuple(intervals))


def places(plan: Programme, group: int, sort: frozenset[Aspect]) -> list[int]:
    return [p for p, each in enumerate(plan.intervals) if each.shows[group] in sort]


def served(case: Case, kind: GroupKind | None = None) -> list[int]:
    return [
        index
        for index, fact in enumerate(case.groups)
        if fact.movements and (kind is None or fact.kind is kind)
    ]


# Each mutation breaks a plan in a way that is unsafe by what it does, whatever the checker says.
# It gives None where a plan offers no place for it.


def both_green(case: Case, plan: Programme, draw: Random) -> Programme | None:
    pair = draw.choice(case.pairs)
    found = places(plan, pair.other, PROTECTED)
    return painted(plan, draw.choice(found), pair.one, Aspect.GREEN) if found else None


def green_in_yellow(case: Case, plan: Programme, draw: Random) -> Programme | None:
    pair = draw.choice(case.pairs)
    after_protected = [
        place
        for place in places(plan, pair.other, YELLOWS)
        if plan.intervals[place - 1].shows[pair.other] in PROTECTED
    ]
    if not after_protected:
        return None
    return painted(plan, draw.choice(after_protected), pair.one, Aspect.GREEN)


def no_yellow(case: Case, plan: Programme, draw: Random) -> Programme | None:
    group = draw.choice([g for g in served(case) if places(plan, g, YELLOWS)])
    for place in places(plan, group, YELLOWS):
        plan = painted(plan, place, group, Aspect.RED)
    return plan


def short_yellow(case: Case, plan: Programme, draw: Random) -> Programme | None:
    group = draw.choice([g for g in served(case) if places(plan, g, YELLOWS)])
    place = draw.choice(places(plan, group, YELLOWS))
    return timed(plan, place, draw.choice([0.5, 1.0, 2.0, 2.9]))


def short_green(case: Case, plan: Programme, draw: Random) -> Programme | None:
    group = draw.choice(served(case, GroupKind.VEHICLE))
    left_s = draw.choice([0.5, 1.0, 3.0, 4.9])
    greens = [p for p in places(plan, group, GREENS) if plan.intervals[p].duration_s > 0]
    if len(greens) == len(plan.intervals) or not greens:
        return None
    for place in greens:
        plan = timed(plan, place, left_s / len(greens))
    return plan


def never_green(case: Case, plan: Programme, draw: Random) -> Programme | None:
    group = draw.choice(served(case))
    for place in range(len(plan.intervals)):
        plan = painted(plan, place, group, Aspect.RED)
    return plan


def no_all_red(_: Case, plan: Programme, draw: Random) -> Programme | None:
    red = [
        place
        for place, interval in enumerate(plan.intervals)
        if set(interval.shows) == {Aspect.RED}
    ]
    return timed(plan, draw.choice(red), draw.choice([0.0, 0.5]))


def early_green(case: Case, plan: Programme, draw: Random) -> Programme | None:
    """Begin a green straight after the yellow of a stream that needs more than that to clear."""
    pair = draw.choice([each for each in case.pairs if each.clear_s > 1])
    ends = [
        place
        for place in places(plan, pair.one, YELLOWS)
        if plan.intervals[(place + 1) % len(plan.intervals)].shows[pair.one] is Aspect.RED
        and plan.intervals[place - 1].shows[pair.one] in GREENS
        and plan.intervals[place].shows[pair.other] is Aspect.RED
    ]
    if not ends:
        return None
    after = (draw.choice(ends) + 1) % len(plan.intervals)
    return painted(plan, after, pair.other, Aspect.GREEN)


def wrong_order(case: Case, plan: Programme, draw: Random) -> Programme | None:
    group = draw.choice(served(case, GroupKind.VEHICLE))
    first = [
        p for p in places(plan, group, GREENS) if plan.intervals[p - 1].shows[group] is Aspect.RED
    ]
    aspect = draw.choice([Aspect.RED_YELLOW, Aspect.YELLOW, Aspect.FLASHING_GREEN])
    return painted(plan, draw.choice(first) - 1, group, aspect)


def absurd_cycle(_: Case, plan: Programme, draw: Random) -> Programme | None:
    factor = draw.choice([0.2, 2.0, 5.0])
    intervals = tuple(replace(each, duration_s=each.duration_s * factor) for each in plan.intervals)
    return replace(plan, intervals=intervals)


def absurd_offset(_: Case, plan: Programme, draw: Random) -> Programme | None:
    return replace(plan, offset_s=draw.choice([-1.0, plan.cycle_s, plan.cycle_s * 3]))


def no_flashing(case: Case, plan: Programme, draw: Random) -> Programme | None:
    group = draw.choice(served(case, GroupKind.PEDESTRIAN))
    to = draw.choice([Aspect.GREEN, Aspect.RED])
    for place in places(plan, group, frozenset({Aspect.FLASHING_GREEN})):
        plan = painted(plan, place, group, to)
    return plan


def left_on_red(case: Case, plan: Programme, draw: Random) -> Programme | None:
    lefts = [g for g in served(case) if case.groups[g].name.endswith("left")]
    group = draw.choice(lefts)
    return painted(
        plan, draw.choice(places(plan, group, frozenset({Aspect.RED}))), group, Aspect.TURN_ON_RED
    )


def dark(case: Case, plan: Programme, draw: Random) -> Programme | None:
    group = draw.choice(served(case))
    for place in range(len(plan.intervals)):
        plan = painted(plan, place, group, draw.choice([Aspect.DARK, Aspect.FLASHING_YELLOW]))
    return plan


EVERYWHERE: dict[str, tuple[Mutation, set[str]]] = {
    "both green": (both_green, {"conflicting-greens"}),
    "green in yellow": (green_in_yellow, {"conflicting-greens"}),
    "no yellow": (no_yellow, {"yellow"}),
    "short yellow": (short_yellow, {"yellow"}),
    "short green": (short_green, {"minimum-green"}),
    "never green": (never_green, {"never-green"}),
}
STREET: dict[str, tuple[Mutation, set[str]]] = EVERYWHERE | {
    "no all-red": (no_all_red, {"all-red", "intergreen"}),
    "early green": (early_green, {"intergreen", "all-red"}),
    "wrong order": (wrong_order, {"lamp-sequence"}),
    "absurd cycle": (absurd_cycle, {"cycle"}),
    "absurd offset": (absurd_offset, {"offset"}),
    "no flashing": (no_flashing, {"pedestrian-clearance", "lamp-sequence"}),
    "left on red": (left_on_red, {"turn-on-red"}),
    "dark": (dark, {"steady-lamps"}),
}


def missed(
    case: Case, plan: Programme, mutations: dict[str, tuple[Mutation, set[str]]], each: int
) -> tuple[int, list[str]]:
    """Break a plan so often in each way; give how many were broken and what was not caught."""
    broken, escaped = 0, []
    for name, (mutate, expected) in mutations.items():
        draw = Random(name)  # noqa: S311 - mutations, no secret
        for _ in range(each):
            mutant = mutate(case, plan, draw)
            if mutant is None or mutant == plan:
                continue
            broken += 1
            rules = {each.rule.value for each in check_programme(case, mutant).violations}
            if not rules & expected:
                escaped.append(f"{plan.junction} {name}: {sorted(rules)}")
    return broken, escaped


def test_every_broken_plan_of_the_crossroads_is_caught() -> None:
    network = crossroads.network()
    case = crossroads.case_of(network)
    total, made = 0, Counter[str]()
    for through_s, left_s in ((28, 8), (26, 10), (24, 12)):
        plan = crossroads.plan(case, through_s, left_s)
        assert check_programme(case, plan).violations == ()
        broken, escaped = missed(case, plan, STREET, 40)
        assert escaped == []
        total += broken
        made[f"{through_s}/{left_s}"] = broken
    assert total >= 1_000, made


@pytest.mark.skipif(not DATA, reason="GREENBAY_DATA is not set")
@pytest.mark.parametrize("name", NETWORKS)
def test_every_broken_plan_of_a_real_network_is_caught(name: str) -> None:
    assert DATA is not None
    network, plans = read_network((Path(DATA) / "signals" / name / "net.xml").read_bytes())
    broken = 0
    for plan in plans:
        case = prepare(network.junction_of[plan.junction], network, AS_IS, [plan])
        assert check_programme(case, plan).violations == ()
        count, escaped = missed(case, plan, EVERYWHERE, 15)
        assert escaped == []
        broken += count
    assert broken >= 60


def test_the_matrices_of_the_crossroads_are_whole() -> None:
    case = crossroads.case_of(crossroads.network())
    matrix, gives = intergreens(case), yielding(case)

    assert all((other, one) in matrix for one, other in matrix)
    assert ("south-left", "north-through") in gives
    # Straight on with right turns: those give way to the left turn into the same road.
    assert ("north-through", "south-left") in gives
    assert ("south-through", "north-walk") not in gives
    assert case.profile is GB
