"""Modes of a controller besides its plan, and safe changes between them, built and judged.

A controller that runs no plan is off, shows red to everybody, or flashes yellow; a person may hold
a stage or step through the plan by hand. Between lit and unlit lamps everybody sees red for a
while: who was told nothing, or to look out for himself, is told to stop before anybody is told to
go. A change is a stretch of lamps, judged second by second like a change of plans.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final

from city.errors import Invalid
from signals.rules.junctions import GroupKind
from signals.rules.model.aspects import OFF, REDS, Aspect
from signals.rules.model.plans import Interval, Programme, runs, shown_only
from signals.rules.safety.case import Case, is_steady_green
from signals.rules.safety.transitions import MOST_RED_S, judge_stretch, losing_lamps, may_stretch

_EPS: Final = 1e-6
_LIT: Final = frozenset({"red", "lit"})
_UNLIT: Final = frozenset({"off", "flash"})


class Mode(StrEnum):
    """What a controller does."""

    OFF = "off"
    ALL_RED = "all_red"
    FLASHING_YELLOW = "flashing_yellow"
    """Vehicles see flashing yellow, people on foot nothing."""
    PLAN = "plan"
    """Fixed, actuated or adaptive: lamps follow a plan's order."""


@dataclass(frozen=True, slots=True)
class ModeRules:
    """What a region asks of changes of mode, as data."""

    source: str
    start_flash_s: float
    """Flashing yellow of a controller that was off, before it shows red."""
    start_red_s: float
    """Red to everybody before the first green."""
    end_red_s: float
    """Red to everybody after the last green, before lamps flash or go dark."""


MODE_RULES: Final[Mapping[str, ModeRules]] = {
    "gb": ModeRules(
        "GB 25280, start-up: flashing yellow of at least 10 s, then red of at least 5 s (from"
        " memory); red before night flashing by practice",
        10.0,
        5.0,
        3.0,
    ),
    "nema": ModeRules(
        "MUTCD 2009, 4D.31: steady red of 6 s between flashing and steady operation (from memory)",
        0.0,
        6.0,
        6.0,
    ),
    "as-is": ModeRules("the strictest of the other profiles", 10.0, 6.0, 6.0),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a change of mode."""

    what: str
    at_s: float
    shown_s: float | None = None
    required_s: float | None = None


def lamps_of(case: Case, mode: Mode) -> tuple[Aspect, ...]:
    """Give what each group shows in a mode that is no plan."""
    if mode is Mode.PLAN:
        raise Invalid("a plan's lamps change", field="mode")
    if mode is Mode.ALL_RED:
        return (Aspect.RED,) * len(case.groups)
    if mode is Mode.OFF:
        return (Aspect.DARK,) * len(case.groups)
    return tuple(
        Aspect.DARK if fact.kind is GroupKind.PEDESTRIAN else Aspect.FLASHING_YELLOW
        for fact in case.groups
    )


def leave_plan(
    case: Case, programme: Programme, place: int, mode: Mode
) -> tuple[Interval, ...] | None:
    """Build the change from an interval of a plan to another mode.

    Parameters
    ----------
    case : Case
    programme : Programme
        Of the case's junction.
    place : int
        The interval in which the plan is left, after it was shown as long as planned.
    mode : Mode

    Returns
    -------
    tuple of Interval or None
        From that interval to a second of the mode; None where no red of up to half a minute makes
        it safe: the plan itself is unsafe.
    """
    rules = _rules(case)
    intervals = shown_only(programme).intervals
    # A green has lasted as long as it was planned: what came before it belongs to the stretch.
    shown = tuple(
        intervals[(place + step) % len(intervals)] for step in range(1 - len(intervals), 1)
    )
    red = lamps_of(case, Mode.ALL_RED)
    losing = losing_lamps(case, shown[-1], Interval(1.0, red))
    least_s = rules.end_red_s if mode in {Mode.OFF, Mode.FLASHING_YELLOW} else 1.0
    for red_s in range(math.ceil(least_s), MOST_RED_S + 1):
        stretch = (*shown, *losing, Interval(float(red_s), red))
        if not judge_stretch(case, programme, stretch, "").violations:
            break
    else:
        return None
    after = () if mode is Mode.ALL_RED else (Interval(1.0, lamps_of(case, mode)),)
    return (shown[-1], *losing, Interval(float(red_s), red), *after)


def enter_plan(case: Case, programme: Programme, mode: Mode) -> tuple[Interval, ...] | None:
    """Build the change from another mode to a plan's first interval.

    Returns
    -------
    tuple of Interval or None
        From a second of the mode to the end of the plan's first cycle; None where the plan itself
        is unsafe.
    """
    rules = _rules(case)
    intervals = shown_only(programme).intervals
    before = [Interval(1.0, lamps_of(case, mode))]
    if mode is Mode.OFF and rules.start_flash_s > 0:
        before.append(Interval(rules.start_flash_s, lamps_of(case, Mode.FLASHING_YELLOW)))
    red = lamps_of(case, Mode.ALL_RED)
    for red_s in range(math.ceil(rules.start_red_s), MOST_RED_S + 1):
        stretch = (Interval(float(red_s), red), *intervals)
        if not judge_stretch(case, programme, stretch, "").violations:
            return (*before, *stretch)
    return None


def check_mode_change(
    case: Case, programme: Programme, intervals: Sequence[Interval]
) -> tuple[Fault, ...]:
    """Judge a stretch of lamps in which the mode changes.

    Parameters
    ----------
    case : Case
    programme : Programme
        The plan that is left or entered: whose groups the lamps are.
    intervals : Sequence of Interval
        What is shown, from well before the change until well after it.

    Returns
    -------
    tuple of Fault
        Lamps lit beside unlit ones, too short a red between them, too short a flashing yellow at
        the start, and whatever the checker finds in the lit parts.
    """
    states, lit, faults = _parts(intervals)
    faults += _between(_rules(case), states)
    for begun_s, part in lit:
        found = judge_stretch(case, programme, part, "mode")
        faults += [
            Fault(f"{each.rule.value}: {each.what}", begun_s + (each.at_s or 0.0))
            for each in found.violations
        ]
    return tuple(faults)


_Stay = tuple[str, float, float]
"""What all lamps show (lit, red, flash, off), from when, for how long."""


def _parts(
    intervals: Sequence[Interval],
) -> tuple[list[_Stay], list[tuple[float, list[Interval]]], list[Fault]]:
    """Give the states that a stretch goes through, its lit parts, and lamps that do not fit."""
    states: list[_Stay] = []
    lit: list[tuple[float, list[Interval]]] = []
    faults = []
    at_s, unlit = 0.0, True
    for interval in intervals:
        state = _state(interval.shows)
        if state == "mixed":
            faults.append(Fault("some lamps are unlit or flash beside lit ones", at_s))
        if states and states[-1][0] == state:
            states[-1] = (state, states[-1][1], states[-1][2] + interval.duration_s)
        else:
            states.append((state, at_s, interval.duration_s))
        if state in _LIT:
            if unlit:
                lit.append((at_s, []))
            lit[-1][1].append(interval)
        unlit = state not in _LIT
        at_s += interval.duration_s
    return states, lit, faults


def _between(rules: ModeRules, states: Sequence[_Stay]) -> list[Fault]:
    """Judge how long each state lasts on the way from one to another."""
    faults: list[Fault] = []
    for (before, _, _), (state, at_s, lasts_s), (after, _, _) in zip(
        states, states[1:], states[2:], strict=False
    ):
        if state == "red" and before in _UNLIT and after == "lit":
            _require(faults, "red before the first green", at_s, lasts_s, rules.start_red_s)
        if state == "red" and before == "lit" and after in _UNLIT:
            _require(faults, "red after the last green", at_s, lasts_s, rules.end_red_s)
        if state == "flash" and before == "off":
            _require(faults, "flashing yellow at the start", at_s, lasts_s, rules.start_flash_s)
    for (before, _, _), (after, at_s, _) in pairwise(states):
        if {before, after} in ({"lit", "off"}, {"lit", "flash"}):
            faults.append(Fault("no red to everybody between lit and unlit lamps", at_s))
        if before == "off" and after in _LIT and rules.start_flash_s > 0:
            faults.append(Fault("no flashing yellow at the start", at_s, 0.0, rules.start_flash_s))
    return faults


def longest_s(case: Case, group: int, *, green: bool) -> float | None:
    """Give for how long a group may be green at most, or not be green; None for no limit."""
    fact, profile = case.groups[group], case.profile
    if green:
        return profile.most_green_s
    if fact.kind is not GroupKind.PEDESTRIAN:
        return profile.longest_red_s
    if fact.refuge and profile.pedestrian_wait_refuge_s is not None:
        return profile.pedestrian_wait_refuge_s
    return profile.pedestrian_wait_s


def hold_room_s(case: Case, programme: Programme, place: int) -> float | None:
    """Give for how many seconds an interval may be held beyond its length.

    Held, nobody's green grows beyond the profile's longest and nobody waits longer than its
    longest red or a walker's wait.

    Returns
    -------
    float or None
        0 where somebody's lamps are changing: then nothing is held. None for no limit.
    """
    shown = shown_only(programme)
    intervals = shown.intervals
    if not may_stretch(intervals[place]):
        return 0.0
    rooms: list[float] = []
    for group, fact in enumerate(case.groups):
        if not fact.movements:
            continue
        green = is_steady_green(intervals[place].shows[group])
        most_s = longest_s(case, group, green=green)
        if most_s is None:
            continue
        now = [
            run.duration_s
            for run in runs(
                intervals, group, is_steady_green if green else lambda a: not is_steady_green(a)
            )
            if (place - run.first) % len(intervals) < run.count
        ]
        rooms.append(max(most_s - now[0], 0.0))
    return min(rooms) if rooms else None


def may_step(case: Case, programme: Programme, place: int, shown_s: float) -> str | None:
    """Tell why a person may not step on from an interval yet; None where they may.

    Parameters
    ----------
    case : Case
    programme : Programme
    place : int
        The interval that is shown.
    shown_s : float
        For how long it has been.

    Notes
    -----
    What lies between two greens is never cut: it runs as planned. A green that ends with the
    interval has lasted at least its minimum, counted over the intervals before it.
    """
    intervals = shown_only(programme).intervals
    interval = intervals[place]
    if not may_stretch(interval):
        left_s = interval.duration_s - shown_s
        return None if left_s <= _EPS else f"lamps are changing: {left_s:.0f} s to go"
    after = intervals[(place + 1) % len(intervals)]
    for group, fact in enumerate(case.groups):
        if not is_steady_green(interval.shows[group]) or is_steady_green(after.shows[group]):
            continue
        lasted_s, back = shown_s, place - 1
        while back > place - len(intervals) and is_steady_green(intervals[back].shows[group]):
            lasted_s += intervals[back].duration_s
            back -= 1
        walks = fact.kind is GroupKind.PEDESTRIAN
        least_s = case.profile.least_green_s.get(fact.kind, 0.0)
        least_s = max(least_s, case.profile.least_walk_s if walks else 0.0)
        if lasted_s < least_s - _EPS:
            return f"{fact.says}: {least_s - lasted_s:.0f} s of green to go"
    return None


def _rules(case: Case) -> ModeRules:
    return MODE_RULES[case.profile.name]


def _state(shows: Sequence[Aspect]) -> str:
    if all(aspect in REDS for aspect in shows):
        return "red"
    if all(aspect is Aspect.DARK for aspect in shows):
        return "off"
    if all(aspect in OFF for aspect in shows):
        return "flash"
    return "mixed" if any(aspect in OFF for aspect in shows) else "lit"


def _require(
    faults: list[Fault], what: str, at_s: float, shown_s: float, required_s: float
) -> None:
    if shown_s < required_s - _EPS:
        faults.append(Fault(f"too short a {what}", at_s, shown_s, required_s))
