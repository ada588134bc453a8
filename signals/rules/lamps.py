"""What each lamp of a fixed plan shows at a time: a pure function of the plan and the time.

The sequence is the Chinese one. Vehicles and bicycles: red, green, flashing green, yellow, red;
pedestrians: red, green, flashing green, red. There is no red-and-yellow before the green.

Source: GB 14886-2016 for the order of the lamps; the flashing green is common practice.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import accumulate

from city.errors import Invalid
from signals.rules.junctions import FixedPlan, GroupKind, SignalGroup


class Lamp(StrEnum):
    """What a signal group shows."""

    RED = "red"
    GREEN = "green"
    FLASHING_GREEN = "flashing_green"
    YELLOW = "yellow"


class StagePart(StrEnum):
    """Part of a stage."""

    GREEN = "green"
    YELLOW = "yellow"
    ALL_RED = "all_red"


@dataclass(frozen=True, slots=True)
class LampStep:
    """What a group shows from one second of the cycle up to another."""

    lamp: Lamp
    start_s: int
    end_s: int


@dataclass(frozen=True, slots=True)
class StageMoment:
    """Where in its stages a plan is."""

    stage: int
    """Index of the stage."""
    part: StagePart
    left_s: float
    """Seconds until this part ends."""


def lamp_steps(plan: FixedPlan, group: str) -> tuple[LampStep, ...]:
    """Give what a group shows over one cycle, from the start of the first stage.

    The steps are in order, without gap or overlap, and fill the cycle; a step that runs over the
    end of the cycle is given as two. Offsets do not matter here.

    Raises
    ------
    Invalid
        Where the plan has no such group.
    """
    steps = _steps(plan).get(group)
    if steps is None:
        raise Invalid(f"the plan has no signal group {group}", field="group")
    return steps


def lamps_at(plan: FixedPlan, at_s: float) -> dict[str, Lamp]:
    """Give what every group shows.

    Parameters
    ----------
    plan : FixedPlan
        The plan in force.
    at_s : float
        Seconds since the plan's reference instant; may be negative.

    Returns
    -------
    dict of str to Lamp
        By group, in the plan's order. Cost grows with the groups; the steps are kept per plan.
    """
    place_s = (at_s - plan.offset_s) % plan.cycle_s
    return {
        name: steps[bisect_right(steps, place_s, key=lambda step: step.start_s) - 1].lamp
        for name, steps in _steps(plan).items()
    }


def stage_at(plan: FixedPlan, at_s: float) -> StageMoment:
    """Give the stage that runs, so many seconds since the plan's reference instant."""
    place_s = (at_s - plan.offset_s) % plan.cycle_s
    ends_s = list(accumulate(stage.length_s for stage in plan.stages))
    index = min(bisect_right(ends_s, place_s), len(ends_s) - 1)
    stage = plan.stages[index]
    left_s = ends_s[index] - place_s
    if left_s > stage.yellow_s + stage.all_red_s:
        return StageMoment(index, StagePart.GREEN, left_s - stage.yellow_s - stage.all_red_s)
    if left_s > stage.all_red_s:
        return StageMoment(index, StagePart.YELLOW, left_s - stage.all_red_s)
    return StageMoment(index, StagePart.ALL_RED, left_s)


@lru_cache(maxsize=1024)
def _steps(plan: FixedPlan) -> Mapping[str, tuple[LampStep, ...]]:
    return {
        group.name: tuple(_joined(_within(plan.cycle_s, _shown(plan, group))))
        for group in plan.groups
    }


def _shown(plan: FixedPlan, group: SignalGroup) -> Iterator[LampStep]:
    """Give the steps of each green and of the red after it; they may run beyond the cycle."""
    starts_s = [0, *accumulate(stage.length_s for stage in plan.stages)]
    green = [group.name in stage.groups for stage in plan.stages]
    count = len(green)
    # Runs of green begin where the stage before was not; the plan's checks see to it that
    # there is such a stage.
    firsts = [index for index in range(count) if green[index] and not green[index - 1]]
    for place, first in enumerate(firsts):
        last = first
        while green[(last + 1) % count]:
            last += 1
        ending = plan.stages[last % count]
        start_s = starts_s[first]
        end_s = starts_s[last % count] + plan.cycle_s * (last // count) + ending.green_s
        flash_s = end_s - group.flashing_green_s
        red_s = end_s + (0 if group.kind is GroupKind.PEDESTRIAN else ending.yellow_s)
        following = place + 1
        next_s = starts_s[firsts[following % len(firsts)]]
        next_s += plan.cycle_s * (following // len(firsts))
        yield LampStep(Lamp.GREEN, start_s, flash_s)
        yield LampStep(Lamp.FLASHING_GREEN, flash_s, end_s)
        yield LampStep(Lamp.YELLOW, end_s, red_s)
        yield LampStep(Lamp.RED, red_s, next_s)


def _within(cycle_s: int, steps: Iterator[LampStep]) -> list[LampStep]:
    """Fold steps that run beyond the cycle back into it, and put all in order."""
    folded = []
    for step in steps:
        if step.start_s < cycle_s:
            folded.append(LampStep(step.lamp, step.start_s, min(step.end_s, cycle_s)))
        if step.end_s > cycle_s:
            start_s = max(step.start_s, cycle_s) - cycle_s
            folded.append(LampStep(step.lamp, start_s, step.end_s - cycle_s))
    folded = [step for step in folded if step.start_s < step.end_s]
    return sorted(folded, key=lambda step: step.start_s)


def _joined(steps: list[LampStep]) -> Iterator[LampStep]:
    """Join neighbours that show the same."""
    waiting: LampStep | None = None
    for step in steps:
        if waiting is not None and waiting.lamp is step.lamp:
            waiting = LampStep(step.lamp, waiting.start_s, step.end_s)
            continue
        if waiting is not None:
            yield waiting
        waiting = step
    if waiting is not None:
        yield waiting
