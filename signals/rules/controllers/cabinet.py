"""A controller's cabinet, second by second: a pure state machine with its own conflict monitor.

It starts with all red, runs the stages of its plan, changes to another plan at the end of the cycle
only, and waits there for the new plan's clock; a stage that the centre holds (`hold`) is green
until the centre says otherwise, or has been silent for too long. Whatever it means to show, the
monitor sees what the lamps show; a trip is flashing yellow until somebody resets it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from city.errors import Conflict, NotFound
from signals.rules.controllers.layout import (
    ControllerPlan,
    Layout,
    Phase,
    flashing_s,
)
from signals.rules.controllers.monitor import Memory, Trip, watch
from signals.rules.junctions import GroupKind
from signals.rules.model.aspects import Aspect

START_RED_S: Final = 5
"""All red before the first stage at least, after power on and after flashing."""
START_FLASH_S: Final = 10
"""Flashing yellow after dark, before that red."""
_ENDLESS_S: Final = 1_000_000
_HOLD_SHARE: Final = 5
"""The first green is held for a fifth of the cycle at most to get in step."""


class Running(StrEnum):
    """What a cabinet does."""

    WAKING = "waking"
    """Flashing yellow after dark."""
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
    held: int | None = None
    """Stage that the centre wants green until it says otherwise."""
    cut_s: int | None = None
    """When this stage's green ends, where that is not the second that was planned."""
    lapses_s: int | None = None
    """Seconds after which an order of the centre that is not repeated counts no more."""
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
    def holding(self) -> bool:
        """Whether the stage is green until the centre says otherwise."""
        asked = self.held is not None and self.held == self.stage
        return asked and self.following is None and self.ordered is None

    @property
    def green_s(self) -> int:
        """Seconds of the stage's green."""
        if self.holding:
            return self.elapsed_s + _ENDLESS_S
        if self.cut_s is not None:
            return self.cut_s
        chain = self.plans[self.plan].stages
        here, after = chain[self.place], chain[(self.place + 1) % len(chain)]
        return here.length_s - self.layout.change_s(here.stage, after.stage) + self.hold_s

    @property
    def changing(self) -> bool:
        """Whether the stage's green is over."""
        return self.running is not Running.PLAN or self.elapsed_s >= self.green_s

    @property
    def remaining_s(self) -> int | None:
        """Seconds until the stage's green ends, or until the next stage while changing.

        None while no stage runs, or the centre holds it.
        """
        if self.running is not Running.PLAN or self.holding:
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
    free = replace(_freed(cabinet), ordered=None)
    if free.running is Running.PLAN:
        wanted = None if number == free.plan else number
        # What was decided for the end of this stage stands: the lamps may be flashing already.
        return replace(_to_start(free), wanted=wanted)
    if free.running in {Running.STARTING, Running.WAKING}:
        return replace(free, plan=number, wanted=None)
    return _other(replace(free, plan=number), _start_after(free.running))


def show(cabinet: Cabinet, running: Running, lapses_s: int | None = None) -> Cabinet:
    """Flash, show all red or go dark by order; a plan leaves each by way of the start-up.

    Parameters
    ----------
    cabinet : Cabinet
    running : Running
    lapses_s : int or None
        Seconds after which the order counts no more unless it is repeated.
    """
    if cabinet.trip is not None:
        raise Conflict("the conflict monitor has tripped", field="mode")
    free = replace(_freed(cabinet), lapses_s=lapses_s)
    if free.running is running:
        return free
    if free.running is Running.PLAN:
        return replace(free, ordered=running, wanted=None)
    return _other(free, running)


def hold(cabinet: Cabinet, stage: int, lapses_s: int | None = None) -> Cabinet:
    """Let a stage be green until another order: the one that runs ends at its least green.

    Parameters
    ----------
    cabinet : Cabinet
    stage : int
        Of the plan that runs, or would.
    lapses_s : int or None
        Seconds after which the order counts no more unless it is repeated.

    Raises
    ------
    NotFound
        Where the plan has no such stage.
    Conflict
        After a trip that nobody has reset.
    """
    if cabinet.trip is not None:
        raise Conflict("the conflict monitor has tripped", field="stage")
    if _place_of(cabinet, stage) is None:
        raise NotFound(f"plan {cabinet.plan} has no stage {stage}", field="stage")
    asked = replace(_to_start(cabinet), held=stage, ordered=None, wanted=None, lapses_s=lapses_s)
    if cabinet.running in {Running.FLASHING, Running.ALL_RED, Running.DARK}:
        return _other(asked, _start_after(cabinet.running))
    return asked


def reset(cabinet: Cabinet) -> Cabinet:
    """Clear a trip and start again, all red first; trips again where the cause is still there."""
    return _other(replace(cabinet, trip=None, held=None, lapses_s=None), Running.STARTING)


def _moved(cabinet: Cabinet) -> Cabinet:
    left_s = None if cabinet.lapses_s is None else cabinet.lapses_s - 1
    later = replace(
        cabinet, clock_s=cabinet.clock_s + 1, elapsed_s=cabinet.elapsed_s + 1, lapses_s=left_s
    )
    if left_s == 0:
        later = _lapsed(later)
    if later.running is Running.WAKING and later.elapsed_s >= START_FLASH_S:
        return _other(later, Running.STARTING)
    if later.running is Running.STARTING and later.elapsed_s >= START_RED_S:
        place = _place_of(later, later.held) or 0
        return _begun(later, later.plan, place) if _cleared(later, place) else later
    if later.running is not Running.PLAN:
        return later
    flash_s = _flash_s(later)
    wanted = _wanted_at_once(later)
    if wanted is not None and later.elapsed_s >= _least_green_s(later):
        later = replace(later, following=wanted, cut_s=later.elapsed_s + flash_s)
    if later.following is None and later.elapsed_s >= later.green_s - flash_s:
        later = replace(later, following=_next(later))
    if later.following is None or later.remaining_s != 0 or not later.changing:
        return later
    if isinstance(later.following, Running):
        starts = later.following is Running.STARTING and later.wanted is not None
        return _other(
            replace(later, plan=later.wanted or later.plan) if starts else later, later.following
        )
    return _begun(later, *later.following)


def _cleared(cabinet: Cabinet, place: int) -> bool:
    """Say whether the last greens are over for long enough for a stage of the plan to begin.

    A plan that was left a moment ago is started again sooner than its longest intergreen. A lamp
    that is green all the while is stuck: nobody waits for its end, the monitor sees it.
    """
    layout, gone_s = cabinet.layout, cabinet.memory.since_green_s
    starts = layout.stage_of[cabinet.plans[cabinet.plan].stages[place].stage].phases
    return all(
        gone_s[ended] >= needed_s
        for (ended, started), needed_s in layout.intergreen_s.items()
        if started in starts and gone_s.get(ended, 0) > 0
    )


def _flash_s(cabinet: Cabinet) -> int:
    """Give for how long the end of the running stage's green flashes."""
    stage = cabinet.layout.stage_of[cabinet.plans[cabinet.plan].stages[cabinet.place].stage]
    return max((flashing_s(cabinet.layout.phase_of[each]) for each in stage.phases), default=0)


def _lapsed(cabinet: Cabinet) -> Cabinet:
    """Go back to the plan: the centre's last order counts no more."""
    free = replace(_freed(cabinet), lapses_s=None)
    if free.trip is not None:
        return free
    if free.running is Running.PLAN:
        return replace(_to_start(free), ordered=None)
    if free.running in {Running.FLASHING, Running.ALL_RED, Running.DARK}:
        return _other(free, _start_after(free.running))
    return free


def _freed(cabinet: Cabinet) -> Cabinet:
    """Hold no stage any longer: one that is held ends as it should, the plan goes on from there."""
    free = replace(cabinet, held=None, lapses_s=None)
    if not cabinet.holding:
        return free
    return replace(free, cut_s=max(free.green_s, cabinet.elapsed_s + _flash_s(cabinet) + 1))


def _to_start(cabinet: Cabinet) -> Cabinet:
    """Let lamps that are on their way to red already get there, and start again."""
    if not isinstance(cabinet.following, Running):
        return cabinet
    return replace(cabinet, following=Running.STARTING)


def _start_after(running: Running) -> Running:
    """Give what follows another mode on the way to a plan."""
    return Running.WAKING if running is Running.DARK else Running.STARTING


def _place_of(cabinet: Cabinet, stage: int | None) -> int | None:
    chain = cabinet.plans[cabinet.plan].stages
    return next((place for place, each in enumerate(chain) if each.stage == stage), None)


def _wanted_at_once(cabinet: Cabinet) -> tuple[int, int] | Running | None:
    """Give what is to follow as soon as this stage's green has had its least length."""
    if cabinet.following is not None:
        return None
    if cabinet.ordered is not None:
        return cabinet.ordered
    place = _place_of(cabinet, cabinet.held)
    return None if place is None or cabinet.held == cabinet.stage else (cabinet.plan, place)


def _least_green_s(cabinet: Cabinet) -> int:
    """Give the steady green that an order leaves to everybody of the running stage."""
    stage = cabinet.layout.stage_of[cabinet.plans[cabinet.plan].stages[cabinet.place].stage]
    return max((cabinet.layout.phase_of[each].least_green_s for each in stage.phases), default=1)


def _other(cabinet: Cabinet, running: Running) -> Cabinet:
    return replace(
        cabinet,
        running=running,
        wanted=None,
        ordered=None,
        elapsed_s=0,
        place=0,
        hold_s=0,
        cut_s=None,
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
        cut_s=None,
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
    if cabinet.running in {Running.FLASHING, Running.WAKING}:
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
