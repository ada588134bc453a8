"""Stages that a controller may choose from at any second, and what lies between any two of them.

Every change is worked out beforehand by the rules that make fixed plans (losing lamps, intergreens,
permissive turns), so that a choice can never show a state that those rules do not have.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from typing import Final

from signals.rules.junctions import GroupKind
from signals.rules.model.aspects import CODES, GREENS, PROTECTED, Aspect
from signals.rules.model.plans import Interval
from signals.rules.plans.junction_maker import JunctionMaker
from signals.rules.safety.case import Case
from signals.rules.safety.transitions import judge_stretch

Step = tuple[float, str]
"""Seconds, and the lamps, a letter of ``CODES`` each."""
_NAME: Final = "change"


@dataclass(frozen=True, slots=True)
class ControlStage:
    """Groups that are green together."""

    groups: frozenset[str]
    protected: frozenset[str]
    """Of them, those that need not give way."""
    state: str
    """A letter of ``CODES`` for each group's lamp."""
    least_s: float
    """Shortest steady green that suits all of them."""


@dataclass(frozen=True)
class StageSet:
    """What a controller may show."""

    junction: str
    stages: tuple[ControlStage, ...]
    changes: Mapping[tuple[int, int], tuple[Step, ...]] = field(repr=False)
    """Steps from one stage to another; a pair that is missing must not follow each other."""
    runs_on_s: Mapping[tuple[int, int], float] = field(default_factory=dict, repr=False)
    """For how long of a change everybody who drives and loses his green still has it: people on
    foot need longest to clear the junction, and go first. None where it is not told."""

    def change_s(self, start: int, end: int) -> float:
        """Give how long a change takes."""
        return sum(lasts_s for lasts_s, _ in self.changes[start, end])


def stage_set(
    case: Case, makers: Sequence[JunctionMaker], stages: Sequence[frozenset[str]], *, judged: bool
) -> StageSet:
    """Work out stages and all changes between them.

    Parameters
    ----------
    case : Case
    makers : Sequence of JunctionMaker
        Of the same case: a change is the first one's that is safe.
    stages : Sequence of frozenset
        Groups that are green together.
    judged : bool
        Leave out the changes that the safety checker refuses, each between two least greens.

    Notes
    -----
    Cost grows with the square of the stages, times a judgement where asked for.
    """
    least = [makers[0].least_s(stage) for stage in stages]
    shows = []
    for one, stage in enumerate(stages):
        other = int(one == 0)
        made = makers[0].programme((stage, stages[other]), (least[one], least[other]))
        shows.append(made.intervals[0].shows)
    changes, runs_on_s = {}, {}
    for one, other in permutations(range(len(stages)), 2):
        ends = Interval(least[one], shows[one]), Interval(least[other], shows[other])
        for maker in makers:
            programme = maker.programme((stages[one], stages[other]), (least[one], least[other]))
            found = _between(programme.intervals, shows[one], shows[other])
            stretch = (ends[0], *found, ends[1])
            if not judged or not judge_stretch(case, programme, stretch, _NAME).violations:
                changes[one, other] = tuple(
                    (each.duration_s, letters(each.shows)) for each in found
                )
                runs_on_s[one, other] = _runs_on_s(case, found, *ends)
                break
    names = [group.name for group in case.junction.groups]
    return StageSet(
        case.junction.name,
        tuple(
            ControlStage(
                stage,
                frozenset(
                    name
                    for name, aspect in zip(names, shows[place], strict=True)
                    if aspect in PROTECTED
                ),
                letters(shows[place]),
                # What flashes before a change is a part of the change.
                makers[0].steady_s(stage),
            )
            for place, stage in enumerate(stages)
        ),
        changes,
        runs_on_s,
    )


def _runs_on_s(case: Case, steps: Sequence[Interval], before: Interval, after: Interval) -> float:
    """Give for how long of a change everybody who drives and loses his green still has it."""
    losing = [
        place
        for place, group in enumerate(case.junction.groups)
        if group.kind is not GroupKind.PEDESTRIAN
        and before.shows[place] in GREENS
        and after.shows[place] not in GREENS
    ]
    lasts_s = 0.0
    for each in steps:
        if not losing or any(each.shows[place] not in GREENS for place in losing):
            break
        lasts_s += each.duration_s
    return lasts_s


def letters(shows: Sequence[Aspect]) -> str:
    """Give lamps a letter each."""
    return "".join(CODES[aspect] for aspect in shows)


def _between(
    intervals: Sequence[Interval], before: tuple[Aspect, ...], after: tuple[Aspect, ...]
) -> tuple[Interval, ...]:
    """Give what a programme of two stages shows from the end of the first to the second."""
    found: list[Interval] = []
    for interval in intervals:
        if interval.shows == before and not found:
            continue
        if interval.shows == after:
            break
        found.append(interval)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Showing:
    """What a signal shows: a stage, or the way to it."""

    stage: int
    since_s: float
    """When the stage's green begins or began."""
    steps: tuple[Step, ...] = ()
    """What lies before it."""

    def changing(self, now_s: float) -> bool:
        """Whether the stage's green has not begun."""
        return now_s < self.since_s

    def green_s(self, now_s: float) -> float:
        """Give how long the stage has been green."""
        return max(now_s - self.since_s, 0.0)


def may_change(stages: StageSet, showing: Showing, now_s: float, target: int) -> bool:
    """Whether a signal may leave what it shows for another stage now."""
    return (
        not showing.changing(now_s)
        and showing.green_s(now_s) >= stages.stages[showing.stage].least_s
        and (showing.stage, target) in stages.changes
    )


def changed(stages: StageSet, showing: Showing, now_s: float, target: int) -> Showing:
    """Begin the change to another stage.

    Raises
    ------
    ValueError
        Where the signal may not leave what it shows: the caller's mistake, never the street's.
    """
    if not may_change(stages, showing, now_s, target):
        raise ValueError(f"{stages.junction}: {showing.stage} to {target} at {now_s:g} s")
    steps = stages.changes[showing.stage, target]
    return Showing(target, now_s + sum(lasts_s for lasts_s, _ in steps), steps)


def state_at(stages: StageSet, showing: Showing, now_s: float) -> str:
    """Give the lamps of the second that begins now."""
    left_s = showing.since_s - now_s
    if left_s > 0:
        for lasts_s, state in reversed(showing.steps):
            left_s -= lasts_s
            if left_s <= 0:
                return state
    return stages.stages[showing.stage].state
