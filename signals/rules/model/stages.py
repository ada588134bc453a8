"""From stages to a programme: who is green together, in which order, and what lies between.

Between two stages the groups that end show their losing lamps, and the groups that begin wait for
the longest intergreen that any of the ended ones asks of them; groups green in both stages stay so.
A flashing green is the last part of the stage's green, as in ``lamps``. Where changes may overlap
(早启迟断), who ends goes on until just the intergreens that it owes are left of the change, and who
begins does so as soon as those owed to it are over: slow bicycles then end before cars do.
"""

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

from city.errors import Invalid
from signals.rules.model.aspects import FLASHING, FLASHING_OF, GREENS, Aspect
from signals.rules.model.junction import ModelGroup, SignalledJunction
from signals.rules.model.plans import Interval, Programme

Intergreen = Callable[[str, str], float]
"""Seconds from the end of one group's green to the start of another's; 0 without a conflict."""
LampTime = tuple[float, float, Aspect]
"""From when to when in the cycle a group shows a lamp."""


@dataclass(frozen=True, slots=True)
class GreenStage:
    """Groups that are green together, and for how long."""

    name: str
    groups: frozenset[str]
    green_s: float


def change_s(
    junction: SignalledJunction, before: GreenStage, after: GreenStage, intergreen: Intergreen
) -> float:
    """Give the seconds between two stages' greens: whole ones, 0 where nobody ends.

    The yellow of every group that ends fits into it.
    """
    ending = [each for each in junction.groups if each.name in before.groups - after.groups]
    starting = after.groups - before.groups
    needed = [intergreen(one.name, other) for one in ending for other in starting]
    return float(math.ceil(max([*needed, *(after_green_s(each) for each in ending), 0.0]) - 1e-9))


@dataclass(frozen=True, slots=True)
class Overlap:
    """How a change's groups differ from the stages' edges, seconds by group."""

    late_s: Mapping[str, float] = field(default_factory=dict)
    """By how much the green of one that ends outlasts the stage's."""
    early_s: Mapping[str, float] = field(default_factory=dict)
    """By how much the green of one that begins comes before the next stage's."""


def overlap_of(
    junction: SignalledJunction,
    before: GreenStage,
    after: GreenStage,
    intergreen: Intergreen,
    together: Callable[[str], Hashable],
    *,
    clash: Callable[[str, str], bool] | None = None,
) -> Overlap:
    """Give the overlap of a change: whole seconds, within it.

    Who ends comes first: each green lasts as long as the latest that begins lets it, then each that
    begins does so as soon as those that have ended let it.

    Parameters
    ----------
    junction, before, after, intergreen
    together : callable
        Groups for which it says the same end and begin at once: one lane has one signal.
    clash : callable, optional
        Whether two groups are never green at once, also where no time need lie between them (people
        on foot whose flashing green has cleared the crossing); None: those with time between.
    """
    whole_s = change_s(junction, before, after, intergreen)
    ending = [each for each in junction.groups if each.name in before.groups - after.groups]
    starting = sorted(after.groups - before.groups)
    least: dict[Hashable, float] = {}
    for each in ending:
        owed_s = max([*(intergreen(each.name, other) for other in starting), after_green_s(each)])
        late_s = float(math.floor(whole_s - owed_s + 1e-9))
        least[together(each.name)] = min(least.get(together(each.name), late_s), late_s)
    late = {each.name: least[together(each.name)] for each in ending}
    soonest: dict[Hashable, float] = {}
    for name in starting:
        over_s = max(
            (
                late[each.name] + owed_s
                for each in ending
                if (owed_s := intergreen(each.name, name)) > 0
                or (clash is not None and clash(each.name, name))
            ),
            default=0.0,
        )
        early_s = float(math.floor(whole_s - over_s + 1e-9))
        soonest[together(name)] = min(soonest.get(together(name), early_s), early_s)
    return Overlap(late, {name: soonest[together(name)] for name in starting})


def flashing_s(group: ModelGroup) -> float:
    """Give how long the end of a group's green flashes."""
    return sum(change.duration_s for change in group.losing if change.aspect in FLASHING)


def after_green_s(group: ModelGroup) -> float:
    """Give how long a group shows lamps between its green and its red."""
    return sum(change.duration_s for change in group.losing if change.aspect not in GREENS)


def programme_from_stages(
    junction: SignalledJunction,
    name: str,
    stages: Sequence[GreenStage],
    *,
    intergreen: Intergreen,
    yields: Callable[[str, str], bool],
    offset_s: float = 0.0,
    together: Callable[[str], Hashable] | None = None,
    clash: Callable[[str, str], bool] | None = None,
) -> Programme:
    """Give the programme of stages in their order.

    Parameters
    ----------
    junction : SignalledJunction
        Its groups' losing and gaining lamps are shown; groups in no stage stay red.
    name : str
    stages : Sequence of GreenStage
        At least two, over and over.
    intergreen : callable
    yields : callable
        Whether a group gives way to another that is green with it: it is permissive then.
    offset_s : float
    together : callable, optional
        Let the groups of a change end and begin each as late and as early as it may, those for
        which it says the same at once; None: all of a stage end and begin at once.
    clash : callable, optional
        As of ``overlap_of``.

    Raises
    ------
    Invalid
        On fewer than two stages, an unknown group, or a green too short for its flashing end.
    """
    if len(stages) < 2:  # noqa: PLR2004 - one stage would never change
        raise Invalid("must have at least two stages", field=f"plans.{junction.name}.stages")
    known = {group.name for group in junction.groups}
    for stage in stages:
        if not stage.groups <= known:
            missing = min(stage.groups - known)
            raise Invalid(f"has no signal group {missing}", field=f"stages.{stage.name}")
    count = len(stages)
    changes = [
        change_s(junction, stage, stages[(place + 1) % count], intergreen)
        for place, stage in enumerate(stages)
    ]
    lengths = [stage.green_s + change for stage, change in zip(stages, changes, strict=True)]
    starts_s = [0.0, *accumulate(lengths)]
    cycle_s = starts_s[-1]
    overlaps = [
        Overlap()
        if together is None
        else overlap_of(
            junction, stage, stages[(place + 1) % count], intergreen, together, clash=clash
        )
        for place, stage in enumerate(stages)
    ]
    lamps = [_lamps(group, stages, starts_s, cycle_s, overlaps) for group in junction.groups]
    # Who ended still clears until the next stage begins: a turn that gave way goes on doing so.
    intervals = intervals_of_lamps(
        junction,
        lamps,
        cycle_s,
        lambda at_s: stages[max(place for place in range(count) if starts_s[place] <= at_s)].groups,
        yields,
    )
    names = tuple(group.name for group in junction.groups)
    return Programme(junction.name, name, names, intervals, offset_s)


def intervals_of_lamps(
    junction: SignalledJunction,
    lamps: Sequence[Sequence[LampTime]],
    cycle_s: float,
    clearing: Callable[[float], frozenset[str]],
    yields: Callable[[str, str], bool],
) -> tuple[Interval, ...]:
    """Give the intervals of a cycle in which each group shows its lamps.

    Parameters
    ----------
    junction : SignalledJunction
    lamps : Sequence
        Of each group what it shows other than red, folded into the cycle.
    cycle_s : float
    clearing : callable
        Who is green at a time of the cycle, or was and clears the junction still.
    yields : callable
        Whether a group gives way to another that is green with it: it is permissive then.
    """
    cuts = sorted(
        {0.0, cycle_s}
        | {round(edge, 6) for each in lamps for start, end, _ in each for edge in (start, end)}
    )
    intervals = []
    for start_s, end_s in pairwise(cuts):
        middle_s = (start_s + end_s) / 2
        raw = [
            next((aspect for a, b, aspect in each if a <= middle_s < b), Aspect.RED)
            for each in lamps
        ]
        running = clearing(middle_s)
        greens = [
            group.name
            for group, aspect in zip(junction.groups, raw, strict=True)
            if aspect in GREENS or group.name in running
        ]
        shows = tuple(
            _granted(group.name, aspect, greens, yields)
            for group, aspect in zip(junction.groups, raw, strict=True)
        )
        intervals.append(Interval(end_s - start_s, shows))
    return tuple(intervals)


def _granted(
    group: str, aspect: Aspect, greens: Sequence[str], yields: Callable[[str, str], bool]
) -> Aspect:
    if aspect not in GREENS or not any(yields(group, other) for other in greens if other != group):
        return aspect
    return Aspect.PERMISSIVE if aspect is Aspect.GREEN else FLASHING_OF[Aspect.PERMISSIVE]


def _lamps(
    group: ModelGroup,
    stages: Sequence[GreenStage],
    starts_s: Sequence[float],
    cycle_s: float,
    overlaps: Sequence[Overlap],
) -> list[LampTime]:
    """Give what a group shows other than red, folded into the cycle."""
    green = [group.name in stage.groups for stage in stages]
    count = len(stages)
    if all(green):
        return [(0.0, cycle_s, Aspect.GREEN)]
    shown: list[LampTime] = []
    for first in range(count):
        if not green[first] or green[first - 1]:
            continue
        last = first
        while green[(last + 1) % count]:
            last += 1
        start_s = starts_s[first] - overlaps[first - 1].early_s.get(group.name, 0.0)
        end_s = starts_s[last % count] + cycle_s * (last // count) + stages[last % count].green_s
        end_s += overlaps[last % count].late_s.get(group.name, 0.0)
        shown += lamps_around(group, start_s, end_s, cycle_s)
    return shown


def lamps_around(group: ModelGroup, start_s: float, end_s: float, cycle_s: float) -> list[LampTime]:
    """Give what a group shows before, in and after one green, folded into the cycle.

    Raises
    ------
    Invalid
        Where its flashing end takes all of the green.
    """
    if end_s - start_s >= cycle_s:
        return [(0.0, cycle_s, Aspect.GREEN)]
    flash_s = flashing_s(group)
    if flash_s >= end_s - start_s:
        raise Invalid(f"{group.name} flashes for all of its green", field="stages")
    shown: list[LampTime] = []
    now_s = start_s - sum(change.duration_s for change in group.gaining)
    for change in group.gaining:
        shown.append((now_s, now_s + change.duration_s, change.aspect))
        now_s += change.duration_s
    shown.append((start_s, end_s - flash_s, Aspect.GREEN))
    now_s = end_s - flash_s
    for change in group.losing:
        shown.append((now_s, now_s + change.duration_s, change.aspect))
        now_s += change.duration_s
    return [part for each in shown for part in _folded(each, cycle_s)]


def _folded(part: LampTime, cycle_s: float) -> list[LampTime]:
    start_s, end_s, aspect = part
    if start_s < 0:
        start_s, end_s = start_s + cycle_s, end_s + cycle_s
    if start_s >= cycle_s:
        start_s, end_s = start_s - cycle_s, end_s - cycle_s
    if end_s <= cycle_s:
        return [(start_s, end_s, aspect)] if end_s > start_s else []
    return [(start_s, cycle_s, aspect), (0.0, end_s - cycle_s, aspect)]
