"""Changes from one plan of a junction to another: built, and judged second by second.

The old plan runs to the end of its cycle. Those who are green then and do not stay so lose their
green as they should; then everybody waits until the new plan may begin, which is found by judging
the whole stretch with one second of red more each time. The new plan's clock is met in one of three
ways: its first green is held (dwell), or its cycles run longer (add) or shorter (subtract, no green
below its minimum) until they are in step.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from city.errors import Invalid
from signals.rules.junctions import GroupKind
from signals.rules.model.aspects import FLASHING, GREENS, Aspect
from signals.rules.model.plans import Interval, Programme, shown_only
from signals.rules.safety.case import Case, Findings, is_steady_green, see
from signals.rules.safety.lamps_of_group import check_groups, least_yellow_s
from signals.rules.safety.streams import check_conflicts, check_intergreens

MOST_CYCLES: Final = 5
"""Cycles over which adding or subtracting is spread; what is left is dwelt."""
MOST_RED_S: Final = 30
_MOST_LONGER: Final = 0.2
"""By how much of itself an interval of green grows at most."""
_EPS: Final = 1e-6


class Method(StrEnum):
    """How the new plan's clock is met."""

    DWELL = "dwell"
    ADD = "add"
    SUBTRACT = "subtract"


@dataclass(frozen=True, slots=True)
class Change:
    """What is shown from the old plan's last cycle to the new one in step."""

    old: str
    new: str
    method: Method
    intervals: tuple[Interval, ...]
    bridge_s: float
    """Time between the two plans."""
    in_step_s: float
    """From the end of the old plan's cycle until the new one is in step."""


def change_plans(
    case: Case, old: Programme, new: Programme, method: Method, start_s: float = 0.0
) -> Change | None:
    """Build the change from a plan to another.

    Parameters
    ----------
    case : Case
    old, new : Programme
        Of the case's junction; neither actuated.
    method : Method
    start_s : float
        Reference time at which the old plan's last cycle begins; offsets are told by it.

    Returns
    -------
    Change or None
        None where not even half a minute of red makes the step from old to new safe: one of the
        plans is unsafe by itself.

    Raises
    ------
    Invalid
        On an actuated plan, whose next lamps nobody knows.
    """
    for programme in (old, new):
        if programme.actuated:
            raise Invalid("is actuated: its change cannot be foretold", field=programme.name)
    before, after = shown_only(old).intervals, shown_only(new).intervals
    bridge = bridge_between(case, new, before, after)
    if bridge is None:
        return None
    bridge_s = sum(each.duration_s for each in bridge)
    ends_s = start_s + sum(each.duration_s for each in before)
    cycles = _in_step(case, after, ends_s + bridge_s - new.offset_s, method)
    return Change(
        old.name,
        new.name,
        method,
        (*before, *bridge, *cycles, *after),
        bridge_s,
        bridge_s + sum(each.duration_s for each in cycles),
    )


def bridge_between(
    case: Case, programme: Programme, before: Sequence[Interval], after: Sequence[Interval]
) -> tuple[Interval, ...] | None:
    """Give the lamps between two stretches by which the whole of them is safe.

    Those who are green at the end of the first and not at the start of the second lose it; then
    everybody waits as long as it takes, by judging with one second of red more each time.

    Parameters
    ----------
    case : Case
    programme : Programme
        Of the case's junction; its lamps' order counts alone.
    before, after : Sequence of Interval

    Returns
    -------
    tuple of Interval or None
        None where not even half a minute of red makes it safe.
    """
    losing = losing_lamps(case, before[-1], after[0])
    for red_s in range(MOST_RED_S + 1):
        bridge = (*losing, *_waiting(case, before[-1], after[0], float(red_s)))
        if not judge_stretch(case, programme, (*before, *bridge, *after), "").violations:
            return bridge
    return None


def judge_stretch(
    case: Case, programme: Programme, intervals: Sequence[Interval], name: str
) -> Findings:
    """Judge a stretch of lamps by the rules that hold at every moment.

    Cycle and offset are a plan's own affair, and so are its longest greens and waits: a change may
    hold a green once.
    """
    moment = replace(
        case,
        profile=replace(
            case.profile,
            most_green_s=None,
            longest_red_s=None,
            pedestrian_wait_s=None,
            pedestrian_wait_refuge_s=None,
        ),
    )
    found = Findings(moment, name)
    stretch = replace(programme, intervals=tuple(intervals), control="static")
    shown = see(stretch, len(case.groups), cyclic=False)
    check_conflicts(moment, shown, found)
    check_intergreens(moment, shown, found)
    check_groups(moment, shown, found)
    return found


def losing_lamps(case: Case, last: Interval, first: Interval) -> tuple[Interval, ...]:
    """Give the lamps of those that are green at the end and not at the new beginning."""
    ending = [
        place
        for place in range(len(case.groups))
        if last.shows[place] in GREENS and not _goes_on(last.shows[place], first.shows[place])
    ]
    walking = [p for p in ending if case.groups[p].kind is GroupKind.PEDESTRIAN]
    driving = [p for p in ending if p not in walking]
    parts = []
    flash_s = max(
        (case.groups[p].crossing_m / case.profile.walking_mps for p in walking), default=0
    )
    shows = list(last.shows)
    if walking and case.profile.orders:
        for place in walking:
            shows[place] = Aspect.FLASHING_GREEN
        parts.append(Interval(float(math.ceil(flash_s)), tuple(shows)))
    for place in walking:
        shows[place] = Aspect.RED
    if driving:
        for place in driving:
            shows[place] = Aspect.YELLOW
        yellow_s = max(least_yellow_s(case, case.groups[place]) for place in driving)
        parts.append(Interval(float(math.ceil(yellow_s - _EPS)), tuple(shows)))
    return tuple(parts)


def _goes_on(last: Aspect, first: Aspect) -> bool:
    """Whether a green simply goes on; one that flashes already cannot become steady again."""
    return last in GREENS and first in GREENS and (last not in FLASHING or first in FLASHING)


def _waiting(case: Case, last: Interval, first: Interval, red_s: float) -> tuple[Interval, ...]:
    """Give so many seconds in which only those are green who were and will be."""
    if red_s <= 0:
        return ()
    shows = tuple(
        last.shows[place] if _goes_on(last.shows[place], first.shows[place]) else Aspect.RED
        for place in range(len(case.groups))
    )
    return (Interval(red_s, shows),)


def _in_step(
    case: Case, after: Sequence[Interval], late_s: float, method: Method
) -> tuple[Interval, ...]:
    """Give the cycles until the new plan is in step, by how late its clock says that it begins."""
    cycle_s = sum(each.duration_s for each in after)
    late_s %= cycle_s
    if late_s < _EPS or cycle_s - late_s < _EPS:
        return ()
    if method is Method.DWELL:
        return _held(after, cycle_s - late_s)
    if method is Method.ADD:
        rooms = [_MOST_LONGER * each.duration_s if may_stretch(each) else 0.0 for each in after]
        needed_s, sign = cycle_s - late_s, 1.0
    else:
        rooms = _to_spare(case, after)
        needed_s, sign = late_s, -1.0
    room_s = sum(rooms)
    count = math.ceil(needed_s / room_s - _EPS) if room_s > 0 else MOST_CYCLES + 1
    if count > MOST_CYCLES:
        return _held(after, cycle_s - late_s)
    return tuple(
        replace(each, duration_s=each.duration_s + sign * needed_s / count * room / room_s)
        for _ in range(count)
        for each, room in zip(after, rooms, strict=True)
    )


def _held(after: Sequence[Interval], wait_s: float) -> tuple[Interval, ...]:
    """Give one cycle with its first steady green held."""
    held = next((place for place, each in enumerate(after) if may_stretch(each)), 0)
    return tuple(
        replace(each, duration_s=each.duration_s + (wait_s if place == held else 0.0))
        for place, each in enumerate(after)
    )


def may_stretch(interval: Interval) -> bool:
    """Whether an interval may last longer: somebody has a steady green and nobody is changing."""
    steady = any(is_steady_green(aspect) for aspect in interval.shows)
    return steady and all(
        is_steady_green(aspect) or aspect in {Aspect.RED, Aspect.TURN_ON_RED}
        for aspect in interval.shows
    )


def _to_spare(case: Case, after: Sequence[Interval]) -> list[float]:
    """Give by how much each interval may shrink, no green below its minimum.

    Every group with a steady green in an interval spares there what its whole green has above the
    minimum, shared over the intervals of that green in proportion to their lengths.
    """
    rooms = []
    for place, interval in enumerate(after):
        if not may_stretch(interval):
            rooms.append(0.0)
            continue
        spare_s = interval.duration_s - 1.0
        for group, fact in enumerate(case.groups):
            if not is_steady_green(interval.shows[group]):
                continue
            whole_s = _steady_s(after, place, group)
            least_s = max(
                case.profile.least_green_s.get(fact.kind, 0.0),
                case.profile.least_walk_s if fact.kind is GroupKind.PEDESTRIAN else 0.0,
            )
            spare_s = min(spare_s, (whole_s - least_s) * interval.duration_s / whole_s)
        rooms.append(max(spare_s, 0.0))
    return rooms


def _steady_s(after: Sequence[Interval], place: int, group: int) -> float:
    """Give the length of the steady green around an interval, within the cycle."""
    total_s, first = 0.0, place
    while first > 0 and is_steady_green(after[first - 1].shows[group]):
        first -= 1
    for interval in after[first:]:
        if not is_steady_green(interval.shows[group]):
            break
        total_s += interval.duration_s
    return total_s
