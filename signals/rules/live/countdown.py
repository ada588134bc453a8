"""How long each lamp will stay as it is: from what a controller says of itself and its plan.

The end of the stage that runs is the controller's own word; what follows is its plan's. Three
times are told apart: before which a lamp does not change, after which it has changed for sure, and
when it changes by the plan. What nobody can know (a held stage, an actuated end, a plan that may be
taken up at the end of the cycle) is None.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from signals.rules.controllers.layout import ControllerPlan, Layout, Phase, flashing_s
from signals.rules.controllers.line import Control, ControllerState
from signals.rules.junctions import GroupKind
from signals.rules.model.aspects import FLASHING, GREENS, REDS, YELLOWS, Aspect

_TIMED: Final = frozenset({Control.CENTRE, Control.TIMETABLE, Control.FIXED, Control.COORDINATED})
"""Modes in which stages last as long as the plan says."""


@dataclass(frozen=True, slots=True)
class PhaseNow:
    """One phase's lamp, and the seconds until it changes (flashing green is green)."""

    phase: int
    name: str
    kind: GroupKind
    aspect: Aspect | None
    least_s: int | None = None
    most_s: int | None = None
    likely_s: int | None = None


@dataclass(frozen=True, slots=True)
class _Green:
    """A stage's green, in seconds from now."""

    phases: frozenset[int]
    from_s: int
    until_s: int


def phases_now(
    layout: Layout, plan: ControllerPlan | None, state: ControllerState
) -> tuple[PhaseNow, ...]:
    """Give every phase's lamp and when it changes.

    Parameters
    ----------
    layout : Layout
    plan : ControllerPlan or None
        The one that the controller says it runs.
    state : ControllerState

    Returns
    -------
    tuple of PhaseNow
        In the layout's order; times are None where the controller runs by no fixed times, does not
        say how long the stage lasts, or its lamps are not what its plan would show.
    """
    course = _course(layout, plan, state)
    last = plan is not None and bool(course) and plan.stages[-1].stage == state.stage
    return tuple(_phase(phase, state.lamps, course, settled=not last) for phase in layout.phases)


def _course(
    layout: Layout, plan: ControllerPlan | None, state: ControllerState
) -> Sequence[_Green]:
    """Give the greens from now on, the stage that runs first; empty where they are not known."""
    if plan is None or state.control not in _TIMED or state.remaining_s is None:
        return ()
    chain = plan.stages
    places = [place for place, each in enumerate(chain) if each.stage == state.stage]
    known = all(each.stage in layout.stage_of for each in chain)
    if len(places) != 1 or not known or state.changing is None:
        return ()
    changes = [
        layout.change_s(each.stage, chain[(place + 1) % len(chain)].stage)
        for place, each in enumerate(chain)
    ]
    here = places[0]
    left_s = state.remaining_s
    ends_s = left_s - changes[here] if state.changing else left_s
    found = [_Green(layout.stage_of[chain[here].stage].phases, ends_s, ends_s)]
    starts_s = ends_s + changes[here]
    for step in range(1, 2 * len(chain)):
        place = (here + step) % len(chain)
        ends_s = starts_s + chain[place].length_s - changes[place]
        found.append(_Green(layout.stage_of[chain[place].stage].phases, starts_s, ends_s))
        starts_s = ends_s + changes[place]
    return found


def _phase(
    phase: Phase, lamps: Mapping[int, Aspect], course: Sequence[_Green], *, settled: bool
) -> PhaseNow:
    aspect = lamps.get(phase.number)
    bare = PhaseNow(phase.number, phase.name, phase.kind, aspect)
    if aspect is None or not course:
        return bare
    if aspect in GREENS:
        found = _end_of_green(phase, aspect, course, settled=settled)
    elif aspect in YELLOWS:
        found = _end_of_yellow(phase, course)
    elif aspect in REDS or aspect is Aspect.RED_YELLOW:
        found = _start_of_green(phase, aspect, course, settled=settled)
    else:
        found = None
    return bare if found is None else PhaseNow(*_of(bare), *found)


def _of(bare: PhaseNow) -> tuple[int, str, GroupKind, Aspect | None]:
    return bare.phase, bare.name, bare.kind, bare.aspect


_Times = tuple[int | None, int | None, int | None]


def _end_of_green(
    phase: Phase, aspect: Aspect, course: Sequence[_Green], *, settled: bool
) -> _Times | None:
    place = 0
    if phase.number not in course[0].phases:
        return None
    while place + 1 < len(course) and phase.number in course[place + 1].phases:
        place += 1
    if place + 1 == len(course):
        # Green in every stage: nobody knows of an end.
        return None
    until_s = course[place].until_s
    if until_s < 0:
        return None
    if place == 0 and (settled or aspect in FLASHING):
        return until_s, until_s, until_s
    # It goes on at least until the stage that runs is over.
    return max(course[0].until_s, 0), None, until_s


def _end_of_yellow(phase: Phase, course: Sequence[_Green]) -> _Times | None:
    if phase.number not in course[0].phases:
        return None
    after_s = int(sum(each.duration_s for each in phase.losing)) - flashing_s(phase)
    left_s = course[0].until_s + after_s
    return (left_s, left_s, left_s) if 0 <= left_s <= after_s else None


def _start_of_green(
    phase: Phase, aspect: Aspect, course: Sequence[_Green], *, settled: bool
) -> _Times | None:
    gaining_s = int(sum(each.duration_s for each in phase.gaining))
    before_s = 0 if aspect is Aspect.RED_YELLOW else gaining_s
    for place, each in enumerate(course[1:], 1):
        if phase.number in each.phases:
            left_s = each.from_s - before_s
            if left_s < 0:
                return None
            if place == 1 and settled:
                return left_s, left_s, left_s
            return max(min(course[0].until_s, left_s), 0), None, left_s
    return None
