"""A controller's cabinet, second by second: a pure state machine with its own conflict monitor.

It starts with all red, runs the stages of its plan, changes to another plan at the end of the cycle
only, and waits there for the new plan's clock. Whatever it means to show, the monitor sees what
the lamps show; a trip is flashing yellow until somebody resets it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from city.errors import Conflict, Invalid, NotFound
from signals.rules.controllers.layout import (
    ControllerPlan,
    Layout,
    Phase,
    PhaseStage,
    flashing_s,
    refusals,
)
from signals.rules.controllers.monitor import Memory, Trip, watch
from signals.rules.junctions import GroupKind
from signals.rules.model.aspects import Aspect

START_RED_S: Final = 5
"""All red before the first stage, after power on and after flashing."""
_HOLD_SHARE: Final = 5
"""The first green is held for a fifth of the cycle at most to get in step."""


class Running(StrEnum):
    """What a cabinet does."""

    STARTING = "starting"
    PLAN = "plan"
    FLASHING = "flashing"
    ALL_RED = "all_red"
    DARK = "dark"


@dataclass(frozen=True)
class Cabinet:
    """A controller at one second."""

    layout: Layout
    plans: Mapping[int, ControllerPlan]
    plan: int
    """Number of the plan that runs, or that would."""
    clock_s: int = 0
    """Its clock: seconds since the reference instant of offsets."""
    running: Running = Running.STARTING
    wanted: int | None = None
    """Plan to change to at the end of the cycle."""
    place: int = 0
    """In the chain of the plan."""
    elapsed_s: int = 0
    """In the stage with its change, or in what else runs."""
    hold_s: int = 0
    """By how much this stage's green is longer."""
    following: tuple[int, int] | Running | None = None
    """Plan and place of the next stage, or what else follows; None until it is decided."""
    ordered: Running | None = None
    """What else is to run once the stage has ended as it should."""
    trip: Trip | None = None
    welded: frozenset[int] = frozenset()
    """Phases whose green relay is stuck: a fault put in on purpose."""
    memory: Memory = field(default_factory=Memory)
    lamps: Mapping[int, Aspect] = field(default_factory=dict)
    """What each phase really shows."""

    @property
    def stage(self) -> int | None:
        """Number of the stage that runs; None while none does."""
        if self.running is not Running.PLAN:
            return None
        return self.plans[self.plan].stages[self.place].stage

    @property
    def green_s(self) -> int:
        """Seconds of the stage's green."""
        chain = self.plans[self.plan].stages
        here, after = chain[self.place], chain[(self.place + 1) % len(chain)]
        return here.length_s - self.layout.change_s(here.stage, after.stage) + self.hold_s

    @property
    def changing(self) -> bool:
        """Whether the stage's green is over."""
        return self.running is not Running.PLAN or self.elapsed_s >= self.green_s

    @property
    def remaining_s(self) -> int | None:
        """Seconds until the stage's green ends, or until the next stage while changing."""
        if self.running is not Running.PLAN:
            return None
        if not self.changing:
            return self.green_s - self.elapsed_s
        return max(self.green_s + self._change_s() - self.elapsed_s, 0)

    def _change_s(self) -> int:
        following = self.following or _next(self)
        here = self.plans[self.plan].stages[self.place].stage
        if not isinstance(following, Running):
            plan, place = following
            return self.layout.change_s(here, self.plans[plan].stages[place].stage)
        phases = (self.layout.phase_of[each] for each in self.layout.stage_of[here].phases)
        return max((_after_green_s(phase) for phase in phases), default=0)


def step(cabinet: Cabinet) -> Cabinet:
    """Give the cabinet a second later, its lamps judged by the monitor.

    Cost grows with the conflicting pairs of phases.
    """
    moved = _moved(cabinet)
    meant = _lamps(moved)
    shown = {**meant, **dict.fromkeys(moved.welded & set(meant), Aspect.GREEN)}
    if moved.running is Running.FLASHING:
        return replace(moved, memory=Memory(), lamps=meant)
    memory, trip = watch(moved.layout, moved.memory, shown)
    if trip is None:
        return replace(moved, memory=memory, lamps=shown)
    tripped = replace(moved, running=Running.FLASHING, trip=trip, memory=Memory(), elapsed_s=0)
    # The flasher takes the lamps off the drivers: a stuck one is dead from here on.
    return replace(tripped, lamps=_lamps(tripped))


def started(cabinet: Cabinet) -> Cabinet:
    """Give a cabinet with its first lamps lit."""
    return replace(cabinet, lamps=_lamps(cabinet))


def write_plan(cabinet: Cabinet, plan: ControllerPlan) -> Cabinet:
    """Keep a plan.

    Raises
    ------
    Conflict
        Where it runs or is about to.
    Invalid
        Where it is unsafe; the message says why.
    """
    if plan.number in {cabinet.plan, cabinet.wanted}:
        raise Conflict(f"plan {plan.number} is running", field="plan")
    reasons = refusals(cabinet.layout, plan)
    if reasons:
        raise Invalid(reasons[0], field="plan")
    trip = dry_run(cabinet.layout, plan)
    if trip is not None:
        raise Invalid(
            f"phases {trip.phases[0]} and {trip.phases[1]} would trip the monitor ({trip.kind})",
            field="plan",
        )
    return replace(cabinet, plans={**cabinet.plans, plan.number: plan})


def write_stage(cabinet: Cabinet, stage: PhaseStage) -> Cabinet:
    """Keep a stage that no plan uses.

    Raises
    ------
    Conflict
        Where a plan has it in its chain.
    Invalid
        Where its phases conflict, or are unknown.
    """
    if any(stage.number == each.stage for plan in cabinet.plans.values() for each in plan.stages):
        raise Conflict(f"stage {stage.number} is in a plan", field="stage")
    kept = tuple(each for each in cabinet.layout.stages if each.number != stage.number)
    stages = tuple(sorted((*kept, stage), key=lambda each: each.number))
    return replace(cabinet, layout=replace(cabinet.layout, stages=stages))


def take_up(cabinet: Cabinet, number: int) -> Cabinet:
    """Ask for a plan: from the end of the cycle on, or at once where no plan runs.

    Raises
    ------
    NotFound
        Where it keeps no such plan.
    Conflict
        After a trip that nobody has reset.
    """
    if number not in cabinet.plans:
        raise NotFound(f"there is no plan {number}", field="plan")
    if cabinet.trip is not None:
        raise Conflict("the conflict monitor has tripped", field="plan")
    if cabinet.running is Running.PLAN:
        wanted = None if number == cabinet.plan else number
        # What was decided for the end of this stage stands: the lamps may be flashing already.
        return replace(cabinet, wanted=wanted)
    if cabinet.running is Running.STARTING:
        return replace(cabinet, plan=number, wanted=None)
    return replace(
        cabinet, plan=number, wanted=None, running=Running.STARTING, elapsed_s=0, place=0
    )


def show(cabinet: Cabinet, running: Running) -> Cabinet:
    """Flash, show all red or go dark by order; a plan leaves each by way of the start-up."""
    if cabinet.trip is not None:
        raise Conflict("the conflict monitor has tripped", field="mode")
    if cabinet.running is Running.PLAN:
        return replace(cabinet, ordered=running, wanted=None)
    return _other(cabinet, running)


def reset(cabinet: Cabinet) -> Cabinet:
    """Clear a trip and start again, all red first; trips again where the cause is still there."""
    return _other(replace(cabinet, trip=None), Running.STARTING)


def dry_run(layout: Layout, plan: ControllerPlan) -> Trip | None:
    """Run two cycles of a plan that ``refusals`` lets pass before a monitor."""
    cabinet = Cabinet(layout, {plan.number: plan}, plan.number, clock_s=plan.offset_s)
    for _ in range(2 * plan.cycle_s + START_RED_S):
        cabinet = step(cabinet)
        if cabinet.trip is not None:
            return cabinet.trip
    return None


def _moved(cabinet: Cabinet) -> Cabinet:
    later = replace(cabinet, clock_s=cabinet.clock_s + 1, elapsed_s=cabinet.elapsed_s + 1)
    if later.running is Running.STARTING and later.elapsed_s >= START_RED_S:
        return _begun(later, later.plan, 0)
    if later.running is not Running.PLAN:
        return later
    stage = later.layout.stage_of[later.plans[later.plan].stages[later.place].stage]
    flash_s = max((flashing_s(later.layout.phase_of[each]) for each in stage.phases), default=0)
    if later.following is None and later.elapsed_s >= later.green_s - flash_s:
        later = replace(later, following=_next(later))
    if later.following is None or later.remaining_s != 0 or not later.changing:
        return later
    if isinstance(later.following, Running):
        return _other(later, later.following)
    return _begun(later, *later.following)


def _other(cabinet: Cabinet, running: Running) -> Cabinet:
    return replace(
        cabinet,
        running=running,
        wanted=None,
        ordered=None,
        elapsed_s=0,
        place=0,
        hold_s=0,
        following=None,
    )


def _begun(cabinet: Cabinet, plan: int, place: int) -> Cabinet:
    hold_s = 0
    if place == 0:
        timing = cabinet.plans[plan]
        late_s = (cabinet.clock_s - timing.offset_s) % timing.cycle_s
        hold_s = min((timing.cycle_s - late_s) % timing.cycle_s, timing.cycle_s // _HOLD_SHARE)
    return replace(
        cabinet,
        running=Running.PLAN,
        plan=plan,
        wanted=None if plan == cabinet.wanted else cabinet.wanted,
        place=place,
        elapsed_s=0,
        hold_s=hold_s,
        following=None,
    )


def _next(cabinet: Cabinet) -> tuple[int, int] | Running:
    if cabinet.ordered is not None:
        return cabinet.ordered
    last = cabinet.place == len(cabinet.plans[cabinet.plan].stages) - 1
    if last and cabinet.wanted is not None:
        return cabinet.wanted, 0
    return cabinet.plan, 0 if last else cabinet.place + 1


def _lamps(cabinet: Cabinet) -> dict[int, Aspect]:
    phases = cabinet.layout.phases
    if cabinet.running is Running.FLASHING:
        return {
            phase.number: Aspect.DARK
            if phase.kind is GroupKind.PEDESTRIAN
            else Aspect.FLASHING_YELLOW
            for phase in phases
        }
    if cabinet.running is Running.DARK:
        return {phase.number: Aspect.DARK for phase in phases}
    if cabinet.running is not Running.PLAN:
        return {phase.number: Aspect.RED for phase in phases}
    here = cabinet.layout.stage_of[cabinet.plans[cabinet.plan].stages[cabinet.place].stage].phases
    following = cabinet.following or _next(cabinet)
    after: frozenset[int] = frozenset()
    if not isinstance(following, Running):
        plan, place = following
        after = cabinet.layout.stage_of[cabinet.plans[plan].stages[place].stage].phases
    gone_s = cabinet.elapsed_s - cabinet.green_s
    left_s = (cabinet.remaining_s or 0) if cabinet.changing else None
    return {
        phase.number: _lamp(phase, here, after, gone_s=gone_s, left_s=left_s) for phase in phases
    }


def _lamp(
    phase: Phase,
    here: frozenset[int],
    after: frozenset[int],
    *,
    gone_s: int,
    left_s: int | None,
) -> Aspect:
    """Give a phase's lamp so long after the green's end (before it: negative)."""
    if phase.number in here:
        if phase.number in after:
            return Aspect.GREEN
        at_s: float = -flashing_s(phase)
        if gone_s < at_s:
            return Aspect.GREEN
        for change in phase.losing:
            at_s += change.duration_s
            if gone_s < at_s:
                return change.aspect
        return Aspect.RED
    if phase.number in after and left_s is not None:
        before_s: float = 0.0
        for change in reversed(phase.gaining):
            before_s += change.duration_s
            if left_s <= before_s:
                return change.aspect
    return Aspect.RED


def _after_green_s(phase: Phase) -> int:
    return int(sum(each.duration_s for each in phase.losing)) - flashing_s(phase)
