"""What is configured in a controller's cabinet, and a plan as controllers keep it.

Controllers of every protocol here run *stages* (phases that are green together) in a chain with a
length each. Lengths are of the green and the change to the next stage together, so that they add
up to the cycle.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from city.errors import Invalid
from signals.rules.junctions import GroupKind
from signals.rules.life.parts import stages_of
from signals.rules.model.aspects import FLASHING, YELLOWS
from signals.rules.model.junction import LampChange, ModelGroup, SignalledJunction
from signals.rules.model.plans import Programme
from signals.rules.model.stages import GreenStage, change_s, programme_from_stages
from signals.rules.safety.case import Case, intergreens, yielding

MOST_PHASES: Final = 64
MOST_STAGES: Final = 64
MOST_IN_CHAIN: Final = 16
"""Stages in a plan's chain (GB/T 20999-2017, class 9)."""
MOST_PLANS: Final = 128
_EPS: Final = 1e-6
_FEWEST_STAGES: Final = 2


@dataclass(frozen=True, slots=True)
class Phase:
    """Lamps that are switched together: what the model calls a signal group."""

    number: int
    name: str
    kind: GroupKind
    losing: tuple[LampChange, ...] = ()
    """Between green and red, the flashing end of the green included."""
    gaining: tuple[LampChange, ...] = ()
    least_green_s: int = 5


@dataclass(frozen=True, slots=True)
class PhaseStage:
    """Phases that are green together."""

    number: int
    phases: frozenset[int]


@dataclass(frozen=True, slots=True)
class PlanStage:
    """A place in a plan's chain."""

    stage: int
    length_s: int
    """Green and the change to the next stage."""


@dataclass(frozen=True, slots=True)
class ControllerPlan:
    """A fixed-time plan as a controller keeps it."""

    number: int
    cycle_s: int
    offset_s: int
    stages: tuple[PlanStage, ...]


@dataclass(frozen=True)
class Layout:
    """Phases, stages and what must not be green together.

    Raises
    ------
    Invalid
        On a number used twice, a stage with an unknown phase, or one whose phases conflict.
    """

    phases: tuple[Phase, ...]
    stages: tuple[PhaseStage, ...]
    conflicts: frozenset[tuple[int, int]]
    """Phases never green together, both ways round."""
    intergreen_s: Mapping[tuple[int, int], float]
    """From the end of one phase's green to the start of another's."""

    def __post_init__(self) -> None:
        if len(self.phases) > MOST_PHASES or len(self.stages) > MOST_STAGES:
            raise Invalid("has more phases or stages than a controller holds")
        if len(self.phase_of) < len(self.phases) or len(self.stage_of) < len(self.stages):
            raise Invalid("uses a number twice")
        for stage in self.stages:
            if not stage.phases <= set(self.phase_of):
                raise Invalid("has an unknown phase", field=f"stages.{stage.number}")
            for pair in sorted(self.conflicts):
                if stage.phases >= set(pair):
                    raise Invalid(
                        f"has conflicting phases {pair[0]} and {pair[1]}",
                        field=f"stages.{stage.number}",
                    )

    @cached_property
    def phase_of(self) -> dict[int, Phase]:
        """Phases by their numbers."""
        return {phase.number: phase for phase in self.phases}

    @cached_property
    def stage_of(self) -> dict[int, PhaseStage]:
        """Stages by their numbers."""
        return {stage.number: stage for stage in self.stages}

    @cached_property
    def bare_junction(self) -> SignalledJunction:
        """The phases as signal groups named by their numbers, for the model's own functions."""
        groups = tuple(
            ModelGroup(str(phase.number), phase.kind, phase.gaining, phase.losing)
            for phase in self.phases
        )
        return SignalledJunction("controller", (), groups, (), ())

    def change_s(self, before: int, after: int) -> int:
        """Give the whole seconds between two stages' greens."""
        return self.change_between_s(self.stage_of[before].phases, self.stage_of[after].phases)

    def change_between_s(self, before: frozenset[int], after: frozenset[int]) -> int:
        """Give the whole seconds between the green of some phases and that of others."""
        here, there = (
            GreenStage("", frozenset(str(each) for each in phases), 0.0)
            for phases in (before, after)
        )
        return int(change_s(self.bare_junction, here, there, self._intergreen))

    def _intergreen(self, ended: str, started: str) -> float:
        return self.intergreen_s.get((int(ended), int(started)), 0.0)


def flashing_s(phase: Phase) -> int:
    """Give for how long the end of a phase's green flashes."""
    return int(sum(change.duration_s for change in phase.losing if change.aspect in FLASHING))


def refusals(layout: Layout, plan: ControllerPlan) -> tuple[str, ...]:
    """Say why a controller must not take a plan; empty where it may.

    What the chain leads to over time (intergreens across stages) is told by a dry run
    (``cabinet_plans.dry_run``).
    """
    found = []
    if not 1 <= plan.number <= MOST_PLANS:
        found.append(f"plan number {plan.number} lies outside 1 to {MOST_PLANS}")
    if not _FEWEST_STAGES <= len(plan.stages) <= MOST_IN_CHAIN:
        found.append(f"the chain has {len(plan.stages)} stages, not 2 to {MOST_IN_CHAIN}")
    unknown = [each.stage for each in plan.stages if each.stage not in layout.stage_of]
    if unknown:
        return (*found, f"there is no stage {unknown[0]}")
    total_s = sum(each.length_s for each in plan.stages)
    if total_s != plan.cycle_s:
        found.append(f"the stages last {total_s} s and the cycle {plan.cycle_s} s")
    if not 0 <= plan.offset_s < max(plan.cycle_s, 1):
        found.append(f"the offset of {plan.offset_s} s lies outside the cycle")
    return (*found, *_short_greens(layout, plan))


def _short_greens(layout: Layout, plan: ControllerPlan) -> list[str]:
    """Say which greens are too short: of who ends with a stage, over the stages that it ran."""
    found = []
    chain = [layout.stage_of[each.stage].phases for each in plan.stages]
    count = len(chain)
    for place, each in enumerate(plan.stages):
        after = (place + 1) % count
        green_s = each.length_s - layout.change_s(each.stage, plan.stages[after].stage)
        least_s = 1
        for number in chain[place] - chain[after]:
            phase, before_s, at = layout.phase_of[number], 0, place - 1
            while number in chain[at]:
                before_s += plan.stages[at].length_s
                at -= 1
            least_s = max(least_s, phase.least_green_s - before_s, flashing_s(phase) + 1)
        if green_s < least_s:
            found.append(f"stage {each.stage} is green for {green_s} s, below {least_s} s")
    return found


def layout_of(case: Case, programmes: Sequence[Programme]) -> Layout:
    """Give the cabinet of a junction: a phase a signal group, a stage each that its plans have.

    Conflicts and intergreens are the safety checker's under the case's profile. No yellow is
    shorter than that of the junction's own plans, which a network may show without saying it of
    the groups.
    """
    number = {group.name: place + 1 for place, group in enumerate(case.junction.groups)}
    least = case.profile.least_green_s
    phases = tuple(
        Phase(
            number[group.name],
            group.name,
            group.kind,
            _with_yellow(group.losing, case.own_yellow_s),
            group.gaining,
            math.ceil(least.get(group.kind, 0.0)),
        )
        for group in case.junction.groups
    )
    greens = dict.fromkeys(
        frozenset(number[name] for name in stage.groups)
        for programme in programmes
        for stage in stages_of(programme)
    )
    return Layout(
        phases,
        tuple(PhaseStage(place + 1, phases_) for place, phases_ in enumerate(greens)),
        frozenset(
            (pair.one + 1, pair.other + 1)
            for pair in case.pairs
            if not (pair.settled or pair.yields or pair.yielded_to)
        ),
        {(number[one], number[other]): s for (one, other), s in intergreens(case).items()},
    )


def _with_yellow(losing: tuple[LampChange, ...], least_s: float) -> tuple[LampChange, ...]:
    return tuple(
        replace(change, duration_s=max(change.duration_s, least_s))
        if change.aspect in YELLOWS
        else change
        for change in losing
    )


def named(layout: Layout, names: Sequence[str]) -> Layout:
    """Give a layout read from a controller the junction's names: phase n is the n-th group.

    Raises
    ------
    Invalid
        Where the controller has more or fewer phases than the junction has groups.
    """
    if len(names) != len(layout.phases):
        raise Invalid(
            f"the controller has {len(layout.phases)} phases and the junction {len(names)} groups",
            field="phases",
        )
    ordered = sorted(layout.phases, key=lambda phase: phase.number)
    phases = tuple(replace(phase, name=name) for phase, name in zip(ordered, names, strict=True))
    return replace(layout, phases=phases)


def plan_of(layout: Layout, programme: Programme, number: int) -> ControllerPlan:
    """Give a programme as a controller's plan.

    Raises
    ------
    Invalid
        Where the controller has no such stage, a length is no whole second, or the programme has
        fewer than two stages.
    """
    known = {
        frozenset(layout.phase_of[phase].name for phase in stage.phases): stage.number
        for stage in layout.stages
    }
    found: list[tuple[int, float]] = []
    stages = stages_of(programme)
    for stage in stages:
        groups = frozenset(stage.groups)
        if groups not in known:
            raise Invalid(
                f"the controller has no stage of {', '.join(stage.groups)}", field="intervals"
            )
        here_s = stage.green_s + stage.change_s
        if found and found[-1][0] == known[groups]:
            found[-1] = (known[groups], found[-1][1] + here_s)
        else:
            found.append((known[groups], here_s))
    if len(found) < _FEWEST_STAGES:
        raise Invalid("has fewer than two stages", field="intervals")
    start_s = programme.starts_s[stages[0].interval]
    offset_s = (programme.offset_s + start_s) % programme.cycle_s
    return ControllerPlan(
        number,
        _whole(programme.cycle_s, "cycle_s"),
        _whole(offset_s, "offset_s"),
        tuple(PlanStage(stage, _whole(here_s, f"stages.{stage}")) for stage, here_s in found),
    )


def shown_by(case: Case, layout: Layout, plan: ControllerPlan) -> Programme:
    """Give what a controller will show of a plan, by its own phases, stages and intergreens.

    This, not the plan that was meant, is what the safety checker has to judge.

    Raises
    ------
    Invalid
        Where the controller would refuse it, or its phases are not the junction's groups.
    """
    reasons = refusals(layout, plan)
    if reasons:
        raise Invalid(reasons[0], field=f"plans.{plan.number}")
    count = len(plan.stages)
    stages = [
        GreenStage(
            f"{place}",
            frozenset(layout.phase_of[phase].name for phase in layout.stage_of[each.stage].phases),
            each.length_s - layout.change_s(each.stage, plan.stages[(place + 1) % count].stage),
        )
        for place, each in enumerate(plan.stages)
    ]
    return shown_as(
        case, layout, f"controller plan {plan.number}", stages, offset_s=float(plan.offset_s)
    )


def shown_as(
    case: Case,
    layout: Layout,
    name: str,
    stages: Sequence[GreenStage],
    *,
    offset_s: float = 0.0,
) -> Programme:
    """Give what a controller will show of stages one after another, over and over.

    Raises
    ------
    Invalid
        Where its phases are not the junction's groups.
    """
    by_name = {phase.name: phase for phase in layout.phases}
    if set(by_name) != {group.name for group in case.junction.groups}:
        raise Invalid("the controller's phases are not the junction's groups", field="phases")
    groups = tuple(
        replace(group, gaining=by_name[group.name].gaining, losing=by_name[group.name].losing)
        for group in case.junction.groups
    )
    gives = yielding(case)
    return programme_from_stages(
        replace(case.junction, groups=groups),
        name,
        stages,
        intergreen=lambda ended, started: layout.intergreen_s.get(
            (by_name[ended].number, by_name[started].number), 0.0
        ),
        yields=lambda one, other: (one, other) in gives,
        offset_s=offset_s,
    )


def _whole(value_s: float, field: str) -> int:
    if abs(value_s - round(value_s)) > _EPS:
        raise Invalid("controllers take whole seconds", field=field)
    return round(value_s)
