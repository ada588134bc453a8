"""A plan of fixed times as stages that may last longer or shorter, and changes between any two.

From each stage to the next lie the plan's own lamps; between others those by which the safety
checker finds nothing. Who shows the stages in their order for their planned greens shows the plan.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from signals.rules.control.stages import ControlStage, StageSet, Step, letters
from signals.rules.junctions import GroupKind
from signals.rules.model.aspects import GREENS, PROTECTED
from signals.rules.model.plans import Interval, Programme, shown_only
from signals.rules.safety.case import Case
from signals.rules.safety.transitions import bridge_between, judge_stretch, may_stretch

_SHORTEST_S: Final = 4.0
"""What is steady for less is a part of a change: greens that end one after the other."""


@dataclass(frozen=True)
class PlanStages:
    """A plan's stages in their order."""

    stages: StageSet
    greens_s: tuple[float, ...]
    starts_s: tuple[float, ...]
    """Of each green, after the start of the plan's first interval."""
    cycle_s: float


def plan_stages(case: Case, programme: Programme) -> PlanStages | None:
    """Take a plan apart; None where it has no two stages, or is actuated.

    Notes
    -----
    Cost grows with the square of the stages, times judgements of the changes between them.
    """
    seen = shown_only(programme)
    places = [
        place
        for place, each in enumerate(seen.intervals)
        if may_stretch(each) and each.duration_s >= _SHORTEST_S
    ]
    if programme.actuated or len(places) < 2:  # noqa: PLR2004 - one stage never changes
        return None
    held = [seen.intervals[place] for place in places]
    whole = [least_green_s(case, each) for each in held]
    made = tuple(
        _stage(case, each, min(least_s, each.duration_s))
        for each, least_s in zip(held, whole, strict=True)
    )
    changes: dict[tuple[int, int], tuple[Step, ...]] = {}
    for one, place in enumerate(places):
        other = (one + 1) % len(places)
        upto = places[other] if other else places[0] + len(seen.intervals)
        between = [seen.intervals[each % len(seen.intervals)] for each in range(place + 1, upto)]
        changes[one, other] = _steps(between)
    # Whose plan is shorter than its least green, because it goes on in the next stage, leaves for
    # that one alone.
    free = [place for place, each in enumerate(held) if each.duration_s >= whole[place]]
    for one in free:
        for other in free:
            if one == other or (one, other) in changes:
                continue
            before = replace(held[one], duration_s=whole[one])
            after = replace(held[other], duration_s=whole[other])
            bridge = bridge_between(case, seen, (before,), (after,))
            if bridge is not None:
                changes[one, other] = _steps(bridge)
    starts = seen.starts_s
    return PlanStages(
        StageSet(case.junction.name, made, changes),
        tuple(each.duration_s for each in held),
        tuple(starts[place] for place in places),
        seen.cycle_s,
    )


def least_green_s(case: Case, interval: Interval) -> float:
    """Give the shortest green that suits all who are green in an interval."""
    profile, found = case.profile, 1.0
    for fact, aspect in zip(case.groups, interval.shows, strict=False):
        if aspect not in GREENS:
            continue
        least_s = profile.least_green_s.get(fact.kind, 0.0)
        if fact.kind is GroupKind.PEDESTRIAN:
            least_s = max(least_s, profile.least_walk_s)
        found = max(found, least_s)
    return float(math.ceil(found))


def sound(case: Case, programme: Programme) -> bool:
    """Whether a plan breaks no rule that holds at every moment, over two of its cycles."""
    twice = (*programme.intervals, *programme.intervals)
    return not judge_stretch(case, programme, twice, programme.name).violations


def _stage(case: Case, interval: Interval, least_s: float) -> ControlStage:
    names = [group.name for group in case.junction.groups]
    shows = list(zip(names, interval.shows, strict=False))
    return ControlStage(
        frozenset(name for name, aspect in shows if aspect in GREENS),
        frozenset(name for name, aspect in shows if aspect in PROTECTED),
        letters(interval.shows),
        least_s,
    )


def _steps(intervals: Sequence[Interval]) -> tuple[Step, ...]:
    return tuple((each.duration_s, letters(each.shows)) for each in intervals)
