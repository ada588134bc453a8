"""Stages that a controller may choose from at any second, and what lies between any two of them.

Every change is worked out beforehand by the rules that make fixed plans (losing lamps, intergreens,
permissive turns), so that a choice can never show a state that those rules do not have.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from signals.rules.model.aspects import CODES, PROTECTED, Aspect
from signals.rules.model.plans import Interval, Programme
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
    """Shortest green that suits all of them."""


@dataclass(frozen=True)
class StageSet:
    """What a controller may show."""

    junction: str
    stages: tuple[ControlStage, ...]
    changes: Mapping[tuple[int, int], tuple[Step, ...]] = field(repr=False)
    """Steps from one stage to another; a pair that is missing must not follow each other."""

    def change_s(self, start: int, end: int) -> float:
        """Give how long a change takes."""
        return sum(lasts_s for lasts_s, _ in self.changes[start, end])


def stage_set(
    case: Case, maker: JunctionMaker, stages: Sequence[frozenset[str]], *, judged: bool
) -> StageSet:
    """Work out stages and all changes between them.

    Parameters
    ----------
    case : Case
    maker : JunctionMaker
        Of the same case.
    stages : Sequence of frozenset
        Groups that are green together.
    judged : bool
        Leave out the changes that the safety checker refuses, each between two least greens.

    Notes
    -----
    Cost grows with the square of the stages, times a judgement where asked for.
    """
    least = [maker.least_s(stage) for stage in stages]
    made: dict[tuple[int, int], Programme] = {}
    for one, stage in enumerate(stages):
        for other, following in enumerate(stages):
            if one != other:
                made[one, other] = maker.programme((stage, following), (least[one], least[other]))
    shows = [made[one, int(one == 0)].intervals[0].shows for one in range(len(stages))]
    changes = {}
    for (one, other), programme in made.items():
        found = _between(programme.intervals, shows[one], shows[other])
        stretch = (Interval(least[one], shows[one]), *found, Interval(least[other], shows[other]))
        if judged and judge_stretch(case, programme, stretch, _NAME).violations:
            continue
        changes[one, other] = tuple((each.duration_s, letters(each.shows)) for each in found)
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
                least[place],
            )
            for place, stage in enumerate(stages)
        ),
        changes,
    )


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
