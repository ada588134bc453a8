"""What the signal groups of a junction show over time: programmes, and runs of the same lamps.

A programme is a list of intervals in each of which nothing changes. It is the one form that the
safety checker judges, whichever way it was made: stages, SUMO phases, or by hand.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Final

from city.errors import Invalid
from signals.rules.junctions import FixedPlan
from signals.rules.lamps import Lamp, lamp_steps
from signals.rules.model.aspects import FLASHING_OF, Aspect
from signals.rules.model.rings import Rings

_MOST_INTERVALS: Final = 1_000
_MOST_DURATION_S: Final = 1e10


@dataclass(frozen=True, slots=True)
class Interval:
    """A part of the cycle in which nothing changes."""

    duration_s: float
    shows: tuple[Aspect, ...]
    """What each group shows, in the programme's order."""
    name: str = ""
    least_s: float | None = None
    """Shortest duration under actuated control; None where not given."""
    most_s: float | None = None
    extra: tuple[tuple[str, str], ...] = ()
    """Attributes that we do not interpret, kept for whoever does."""

    def __post_init__(self) -> None:
        for name, value in (
            ("duration_s", self.duration_s),
            ("least_s", self.least_s),
            ("most_s", self.most_s),
        ):
            # Written so that NaN fails too.
            if value is not None and not 0 <= value <= _MOST_DURATION_S:
                raise Invalid("must not be negative", field=name)


@dataclass(frozen=True)
class Programme:
    """Intervals over and over.

    Raises
    ------
    Invalid
        Without intervals, on an interval that shows too few or too many lamps, on a cycle of no
        length or an offset that is no number.
    """

    junction: str
    name: str
    groups: tuple[str, ...]
    intervals: tuple[Interval, ...]
    offset_s: float = 0.0
    """Start of the first interval after the reference instant."""
    control: str = "static"
    """SUMO's type: `static`, `actuated`, …"""
    params: tuple[tuple[str, str], ...] = ()
    extra: tuple[tuple[str, str], ...] = field(default=())
    rings: Rings | None = None
    """The rings and barriers that the intervals are of; None where a plan has none."""

    def __post_init__(self) -> None:
        where = f"plans.{self.junction}.{self.name}"
        if not self.intervals:
            raise Invalid("has no intervals", field=where)
        if len(self.intervals) > _MOST_INTERVALS:
            raise Invalid(f"has more than {_MOST_INTERVALS} intervals", field=where)
        for place, interval in enumerate(self.intervals):
            if len(interval.shows) != len(self.groups):
                raise Invalid(
                    f"shows {len(interval.shows)} lamps for {len(self.groups)} signal groups",
                    field=f"{where}.intervals.{place}",
                )
        if not self.cycle_s > 0:
            raise Invalid("has a cycle of no length", field=where)
        if not math.isfinite(self.offset_s):
            raise Invalid("must be a number", field=f"{where}.offset_s")

    @property
    def cycle_s(self) -> float:
        """Length of the cycle with the durations as planned."""
        return sum(interval.duration_s for interval in self.intervals)

    @property
    def actuated(self) -> bool:
        """Whether durations change with the traffic."""
        return self.control not in {"static", "off"}

    @property
    def starts_s(self) -> tuple[float, ...]:
        """Start of every interval within the cycle."""
        starts, now_s = [], 0.0
        for interval in self.intervals:
            starts.append(now_s)
            now_s += interval.duration_s
        return tuple(starts)


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch over which one group shows lamps of one sort."""

    first: int
    """Index of its first interval."""
    count: int
    """How many intervals; they may run over the end of the cycle."""
    start_s: float
    duration_s: float
    least_s: float
    """Under actuated control, at least; else as planned."""
    most_s: float


def runs(
    intervals: Sequence[Interval],
    group: int,
    sort: Callable[[Aspect], bool],
    *,
    cyclic: bool = True,
    actuated: bool = False,
) -> list[Run]:
    """Give the stretches over which a group's lamps are of a sort.

    Parameters
    ----------
    intervals : Sequence of Interval
    group : int
        Place of the group.
    sort : callable
        Says whether an aspect belongs.
    cyclic : bool
        A stretch at the end goes on at the start. A group of that sort all the time gives one
        run over the whole cycle.
    actuated : bool
        Shortest and longest durations from the intervals' own limits.
    """
    belongs = [sort(interval.shows[group]) for interval in intervals]
    count = len(intervals)
    if all(belongs):
        return [_run(intervals, 0, count, actuated=actuated)]
    found = []
    for place in range(count):
        before = belongs[place - 1] if place or cyclic else False
        if not belongs[place] or before:
            continue
        length = 1
        while (place + length < count or cyclic) and belongs[(place + length) % count]:
            length += 1
        found.append(_run(intervals, place, length, actuated=actuated))
    return found


def _run(intervals: Sequence[Interval], first: int, count: int, *, actuated: bool) -> Run:
    total = len(intervals)
    parts = [intervals[(first + step) % total] for step in range(count)]
    planned_s = sum(part.duration_s for part in parts)
    least_s = most_s = planned_s
    if actuated:
        least_s = sum(part.duration_s if part.least_s is None else part.least_s for part in parts)
        most_s = sum(part.duration_s if part.most_s is None else part.most_s for part in parts)
    start_s = sum(interval.duration_s for interval in intervals[:first])
    return Run(first, count, start_s, planned_s, least_s, most_s)


def shown_only(programme: Programme) -> Programme:
    """Give the programme without intervals of no length: nobody ever sees those."""
    kept = tuple(
        each
        for each in programme.intervals
        if each.duration_s > 0 or (programme.actuated and (each.most_s or 0) > 0)
    )
    return (
        programme if len(kept) == len(programme.intervals) else replace(programme, intervals=kept)
    )


def programme_of_stages(
    junction: str,
    name: str,
    plan: FixedPlan,
    groups: Sequence[str],
    yields: Callable[[str, str], bool],
) -> Programme:
    """Give the programme of a plan of stages.

    Parameters
    ----------
    junction, name : str
    plan : FixedPlan
        Its signal groups carry the junction's names.
    groups : Sequence of str
        The junction's groups, in its order; those that the plan leaves out stay red.
    yields : callable
        Whether a group gives way to another: its green is then permissive while the other is
        green as well.

    Raises
    ------
    Invalid
        Where the plan has a group that the junction lacks.
    """
    for group in plan.groups:
        if group.name not in groups:
            raise Invalid(f"has no signal group {group.name}", field=f"plans.{junction}.groups")
    known = {group.name for group in plan.groups}
    steps = {group: lamp_steps(plan, group) for group in groups if group in known}
    cuts = sorted({0, plan.cycle_s} | {step.start_s for each in steps.values() for step in each})
    intervals = []
    for start_s, end_s in pairwise(cuts):
        lamps = {
            group: next(step.lamp for step in each if step.start_s <= start_s < step.end_s)
            for group, each in steps.items()
        }
        shows = tuple(_aspects(groups, lamps, yields))
        intervals.append(Interval(float(end_s - start_s), shows))
    return Programme(junction, name, tuple(groups), tuple(intervals), float(plan.offset_s))


def _aspects(
    groups: Sequence[str], lamps: dict[str, Lamp], yields: Callable[[str, str], bool]
) -> Iterator[Aspect]:
    # Who shows yellow still clears: a turn that gives way goes on doing so.
    greens = [g for g in groups if lamps.get(g, Lamp.RED) is not Lamp.RED]
    for group in groups:
        lamp = lamps.get(group, Lamp.RED)
        if lamp is Lamp.RED:
            yield Aspect.RED
        elif lamp is Lamp.YELLOW:
            yield Aspect.YELLOW
        else:
            giving = any(yields(group, other) for other in greens if other != group)
            green = Aspect.PERMISSIVE if giving else Aspect.GREEN
            yield FLASHING_OF[green] if lamp is Lamp.FLASHING_GREEN else green
