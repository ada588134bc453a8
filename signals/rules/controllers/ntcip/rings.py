"""Phases in rings, and patterns of splits, as the stages of our layouts and plans.

A ring runs its phases one after another; phases of different rings are green together where the
controller calls them concurrent. A split is a phase's green with its yellow and red clearance, so
splits of one ring add up to the cycle. A phase's crossing, where it has a walk, is a phase of its
own in a layout, numbered ``CROSSING`` higher.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate, combinations, pairwise, product
from typing import Final

from city.errors import Invalid
from signals.rules.controllers.layout import (
    ControllerPlan,
    Layout,
    Phase,
    PhaseStage,
    PlanStage,
)
from signals.rules.controllers.ntcip import objects
from signals.rules.junctions import GroupKind
from signals.rules.model.aspects import Aspect
from signals.rules.model.junction import LampChange

CROSSING: Final = 16
"""Added to a phase's number: its crossing."""
MOST_PHASES: Final = 16
MOST_S: Final = 255
"""Cycles, offsets and splits are one octet."""
_EPS: Final = 1e-6


@dataclass(frozen=True, slots=True)
class RingPhase:
    """A phase as a controller keeps it; a walk of 0 s: no crossing."""

    number: int
    ring: int
    least_green_s: int
    yellow_s: float
    red_clear_s: float
    concurrent: frozenset[int]
    walk_s: int = 0
    ped_clear_s: int = 0

    @property
    def clear_s(self) -> float:
        """From the end of its green to the end of its split."""
        return self.yellow_s + self.red_clear_s


@dataclass(frozen=True)
class Rings:
    """The phases in use, and orders in which rings may run them.

    Raises
    ------
    Invalid
        On more phases than we tell apart, or one with the number of another's crossing.
    """

    phases: Mapping[int, RingPhase]
    sequences: Mapping[int, tuple[tuple[int, ...], ...]]
    """By number, the phases of each ring in their order."""

    def __post_init__(self) -> None:
        if not self.phases or max(self.phases) > MOST_PHASES:
            raise Invalid(f"phases must be 1 to {MOST_PHASES}", field="phases")

    def together(self, one: int, other: int) -> bool:
        """Say whether two phases may be green together: each calls the other concurrent."""
        return (
            other in self.phases[one].concurrent
            and one in self.phases[other].concurrent
            and self.phases[one].ring != self.phases[other].ring
        )


@dataclass(frozen=True, slots=True)
class Split:
    """What a phase gets of a cycle."""

    time_s: int
    mode: int
    coordinated: bool = False


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern with its splits."""

    number: int
    cycle_s: int
    offset_s: int
    sequence: int
    splits: Mapping[int, Split]


def layout_of(rings: Rings) -> Layout:
    """Give phases, crossings, the stages that rings can form, conflicts and clearances."""
    phases: list[Phase] = []
    conflicts, intergreen_s = set(), {}
    for phase in rings.phases.values():
        yellow = (LampChange(Aspect.YELLOW, phase.yellow_s),)
        name = f"phase {phase.number}"
        phases.append(Phase(phase.number, name, GroupKind.VEHICLE, yellow, (), phase.least_green_s))
        for other in rings.phases.values():
            if other.number == phase.number or rings.together(phase.number, other.number):
                continue
            for one, two in product(_shown(phase), _shown(other)):
                if one <= CROSSING or two <= CROSSING:
                    conflicts.add((one, two))
                    intergreen_s[one, two] = phase.clear_s
    for phase in rings.phases.values():
        if phase.walk_s:
            flash = (LampChange(Aspect.FLASHING_GREEN, float(phase.ped_clear_s)),)
            name = f"crossing of phase {phase.number}"
            losing = flash if phase.ped_clear_s else ()
            number = phase.number + CROSSING
            least_s = phase.walk_s + phase.ped_clear_s
            phases.append(Phase(number, name, GroupKind.PEDESTRIAN, losing, (), least_s))
    stages = tuple(
        PhaseStage(number, frozenset(each for one in green for each in _shown(rings.phases[one])))
        for number, green in enumerate(_greens(rings), 1)
    )
    return Layout(tuple(phases), stages, frozenset(conflicts), intergreen_s)


def _shown(phase: RingPhase) -> tuple[int, ...]:
    return (phase.number, phase.number + CROSSING) if phase.walk_s else (phase.number,)


def _greens(rings: Rings) -> list[tuple[int, ...]]:
    """Give which phases may be green at once, nobody left out who could be."""
    by_ring: dict[int, list[int]] = {}
    for phase in sorted(rings.phases.values(), key=lambda each: each.number):
        by_ring.setdefault(phase.ring, []).append(phase.number)
    found = set()
    for chosen in product(*([None, *each] for each in by_ring.values())):
        green = tuple(each for each in chosen if each is not None)
        if green and all(rings.together(*pair) for pair in combinations(green, 2)):
            found.add(green)
    return sorted(each for each in found if not any(set(each) < set(other) for other in found))


def vehicles(layout: Layout, stage: int) -> frozenset[int]:
    """Give a stage's phases without their crossings."""
    return frozenset(each for each in layout.stage_of[stage].phases if each <= CROSSING)


def pattern_of(rings: Rings, plan: ControllerPlan) -> Pattern:
    """Give a plan as a pattern; every phase in it is recalled for all of its split.

    Raises
    ------
    Invalid
        Where rings cannot run these stages in this order, or would not end phases together that
        the plan ends together.
    """
    layout = layout_of(rings)
    if plan.cycle_s > MOST_S:
        raise Invalid(f"the cycle is longer than {MOST_S} s", field="cycle_s")
    chain = [vehicles(layout, each.stage) for each in plan.stages]
    for place, green in enumerate(chain):
        clears_s = {rings.phases[each].clear_s for each in green - chain[(place + 1) % len(chain)]}
        if len(clears_s) > 1 or any(abs(each - round(each)) > _EPS for each in clears_s):
            raise Invalid(
                "phases that end together must clear in the same whole seconds", field="stages"
            )
    splits = {}
    for phase in rings.phases.values():
        runs = [place for place, green in enumerate(chain) if phase.number in green]
        begins = [place for place in runs if phase.number not in chain[place - 1]]
        if len(begins) > 1 or len(runs) == len(chain):
            raise Invalid(f"phase {phase.number} must be green once in a cycle", field="stages")
        time_s = sum(plan.stages[place].length_s for place in runs)
        recalled = objects.RECALLED_WITH_WALK if phase.walk_s else objects.RECALLED
        mode = recalled if runs else objects.OMITTED
        splits[phase.number] = Split(time_s, mode, begins == [0])
    for sequence in sorted(rings.sequences):
        pattern = Pattern(plan.number, plan.cycle_s, plan.offset_s, sequence, splits)
        try:
            if plan_of(rings, pattern) == plan:
                return pattern
        except Invalid:
            continue
    raise Invalid("no sequence of the controller's rings shows these stages so", field="stages")


def plan_of(rings: Rings, pattern: Pattern) -> ControllerPlan:
    """Give a pattern as a plan that begins with its first coordinated phase.

    Raises
    ------
    Invalid
        Where a ring's splits do not add up to the cycle, phases meet that are not concurrent, or
        no phase is coordinated.
    """
    order = rings.sequences.get(pattern.sequence)
    if order is None:
        raise Invalid(f"there is no sequence {pattern.sequence}", field="sequence")
    begins_s: dict[int, int] = {}
    for ring in order:
        served = [
            each
            for each in ring
            if each in pattern.splits and pattern.splits[each].mode != objects.OMITTED
        ]
        edges_s = [0, *accumulate(pattern.splits[each].time_s for each in served)]
        if served and edges_s[-1] != pattern.cycle_s:
            raise Invalid("a ring's splits do not add up to the cycle", field="splits")
        begins_s |= dict(zip(served, edges_s, strict=False))
    coordinated = [each for each in begins_s if pattern.splits[each].coordinated]
    if not coordinated or min(pattern.splits[each].time_s for each in begins_s) < 1:
        raise Invalid("no phase is coordinated, or one has no time", field="splits")
    cuts_s = sorted(set(begins_s.values()))
    first = cuts_s.index(begins_s[coordinated[0]])
    edges_s = [*cuts_s[first:], *(pattern.cycle_s + each for each in cuts_s[: first + 1])]
    layout = layout_of(rings)
    number_of = {vehicles(layout, each.number): each.number for each in layout.stages}
    stages = []
    for begin_s, end_s in pairwise(edges_s):
        at_s = begin_s % pattern.cycle_s
        green = frozenset(
            each
            for each, from_s in begins_s.items()
            if from_s <= at_s < from_s + pattern.splits[each].time_s
        )
        if green not in number_of:
            raise Invalid("phases meet that are not concurrent", field="splits")
        stages.append(PlanStage(number_of[green], end_s - begin_s))
    return ControllerPlan(pattern.number, pattern.cycle_s, pattern.offset_s, tuple(stages))
