"""Orders by hand from the duty desk: what may be asked of a controller, and in which steps.

Pure: a layout, a plan and what the controller says of itself in, the steps and the longest time
out. Whatever is asked for is judged as the controller will show it, by the safety checker's rules
for modes and for stretches of lamps; between lit and unlit lamps everybody sees red first, by an
order of its own, whatever the controller would do by itself.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from city.errors import Conflict, Invalid
from signals.rules.controllers.layout import ControllerPlan, Layout, flashing_s, shown_as, shown_by
from signals.rules.controllers.line import Control, ControllerState
from signals.rules.junctions import GroupKind
from signals.rules.live.countdown import PhaseNow, phases_now
from signals.rules.model.aspects import GREENS
from signals.rules.model.plans import Interval, Programme
from signals.rules.model.stages import GreenStage
from signals.rules.safety.case import Case
from signals.rules.safety.modes import (
    MODE_RULES,
    Mode,
    check_mode_change,
    lamps_of,
    longest_s,
)
from signals.rules.safety.transitions import judge_stretch

LEAST_S: Final = 10
"""An order is no shorter: it takes about so long to be carried out."""


class Effect(StrEnum):
    """What an engineer on duty may ask for."""

    HOLD = "hold"
    """The stage that runs stays green."""
    STEP = "step"
    """On to the plan's next stage, which is held."""
    STAGE = "stage"
    """On to a chosen stage, which is held."""
    FLASHING = "flashing"
    ALL_RED = "all_red"
    DARK = "dark"

    @property
    def of_stage(self) -> bool:
        """Whether a stage is held."""
        return self in {Effect.HOLD, Effect.STEP, Effect.STAGE}


MOST_S: Final = {
    Effect.HOLD: 1_800,
    Effect.STEP: 1_800,
    Effect.STAGE: 1_800,
    Effect.FLASHING: 8 * 3_600,
    # Drivers do not believe a red that never ends.
    Effect.ALL_RED: 300,
    Effect.DARK: 8 * 3_600,
}
"""Ours, from practice: nothing is ordered for longer, whatever the safety rules allow."""
_CONTROLS: Final = {
    Effect.FLASHING: Control.FLASHING,
    Effect.ALL_RED: Control.ALL_RED,
    Effect.DARK: Control.DARK,
}
_MODES: Final = {
    Control.FLASHING: Mode.FLASHING_YELLOW,
    Control.ALL_RED: Mode.ALL_RED,
    Control.DARK: Mode.OFF,
}
_KEPT_S: Final = 10.0
"""Of the last stage of a stretch that is judged."""
_LONG_S: Final = 90.0
_MARGIN_S: Final = 2
"""For the way of an order to the controller, and that of another back."""


@dataclass(frozen=True, slots=True)
class Step:
    """One order to a controller, and how long its lamps are seen before the next."""

    control: Control
    """MANUAL with a stage; CENTRE is back to the plan."""
    stage: int | None = None
    least_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Way:
    """Steps to what was asked for, and for how long it may last from now; None for no limit."""

    steps: tuple[Step, ...]
    most_s: float | None


def stage_of(
    effect: Effect, plan: ControllerPlan, state: ControllerState, asked: int | None
) -> int | None:
    """Give the stage that an effect means now; None for one that holds no stage.

    Raises
    ------
    Conflict
        Where the running stage is not known.
    Invalid
        On a stage that the plan does not have.
    """
    if not effect.of_stage:
        return None
    chain = [each.stage for each in plan.stages]
    if effect is Effect.STAGE:
        if asked not in chain:
            raise Invalid("is no stage of the plan that runs", field="stage")
        return asked
    if state.stage not in chain:
        raise Conflict("no stage of the plan runs: choose one", field="stage")
    if effect is Effect.HOLD:
        return state.stage
    return chain[(chain.index(state.stage) + 1) % len(chain)]


def way_to(
    case: Case,
    layout: Layout,
    plan: ControllerPlan,
    state: ControllerState,
    *,
    effect: Effect,
    stage: int | None,
) -> Way:
    """Give the steps to an effect, judged.

    Parameters
    ----------
    case : Case
    layout : Layout
        Its phases named after the junction's groups.
    plan : ControllerPlan
        The one that runs, or that the controller will go back to.
    state : ControllerState
    effect : Effect
    stage : int or None
        Of ``stage_of``.

    Raises
    ------
    Conflict
        Where the controller does not say what it shows, has faults, or what it would show on the
        way is unsafe; in words.
    """
    known_state(state)
    unknown = [each.stage for each in plan.stages if each.stage not in layout.stage_of]
    if unknown:
        raise Conflict(f"the controller has no stage {unknown[0]} of its plan", field="plan")
    if stage is not None:
        steps = (*_to_lit(case, state.control), Step(Control.MANUAL, stage))
        _judge_stage(case, layout, plan, state, stage)
        return Way(steps, _room_s(case, layout, plan, state, stage))
    control = _CONTROLS[effect]
    steps = _to_mode(case, state.control, control)
    if _lit(state.control):
        chain = [state.stage] if state.stage in layout.stage_of else [s.stage for s in plan.stages]
        for each in chain:
            assert each is not None  # noqa: S101 - it is in the layout
            _judge_leaving(case, layout, each, [step.control for step in steps])
    return Way(steps, None)


def way_back(case: Case, state: ControllerState) -> tuple[Step, ...]:
    """Give the steps back to the plan."""
    return (*_to_lit(case, state.control), Step(Control.CENTRE))


def known_state(state: ControllerState) -> None:
    """See that a controller is fit to be ordered; Conflict says why not."""
    if state.faults:
        raise Conflict(f"the controller reports {', '.join(state.faults)}", field="signal")
    if state.control in {None, Control.OTHER}:
        raise Conflict("the controller does not say what it does", field="signal")


def _lit(control: Control | None) -> bool:
    return control not in _CONTROLS.values()


def _to_lit(case: Case, control: Control | None) -> tuple[Step, ...]:
    rules = MODE_RULES[case.profile.name]
    red_s = rules.start_red_s
    if control is Control.ALL_RED:
        # The last greens may have ended a moment ago: somebody may still be on the way across.
        red_s = max(red_s, *(pair.clear_s for pair in case.pairs), 0.0)
    red = Step(Control.ALL_RED, least_s=red_s)
    if control is Control.DARK and rules.start_flash_s > 0:
        return (Step(Control.FLASHING, least_s=rules.start_flash_s), red)
    return () if _lit(control) else (red,)


def _to_mode(case: Case, now: Control | None, control: Control) -> tuple[Step, ...]:
    rules = MODE_RULES[case.profile.name]
    if now is control:
        return (Step(control),)
    if control is Control.ALL_RED:
        flash = Step(Control.FLASHING, least_s=rules.start_flash_s)
        return (flash, Step(control)) if now is Control.DARK else (Step(control),)
    if _lit(now):
        return (Step(Control.ALL_RED, least_s=rules.end_red_s), Step(control))
    return (Step(control),)


# --- judged as it will be shown ------------------------------------------------------------------


def steady_s(case: Case, layout: Layout, stage: int) -> int:
    """Give the seconds of green before which an order would cut somebody's least green or walk."""
    profile = case.profile
    needed = [0.0]
    for each in layout.stage_of[stage].phases:
        phase = layout.phase_of[each]
        needed += [float(phase.least_green_s), profile.least_green_s.get(phase.kind, 0.0)]
        if phase.kind is GroupKind.PEDESTRIAN:
            needed.append(profile.least_walk_s)
    return math.ceil(max(needed))


def ready(case: Case, layout: Layout, state: ControllerState) -> bool:
    """Say whether an order may be given now: in a steady green that has had its least length.

    Nor when that green is about to end by itself: the controller would take the order up in the
    next one, at a moment of its own.
    """
    if not _lit(state.control):
        return True
    if state.stage not in layout.stage_of or state.changing is not False:
        return False
    if state.elapsed_s is None or state.elapsed_s < steady_s(case, layout, state.stage):
        return False
    ends = state.remaining_s is not None and state.control is not Control.MANUAL
    return not ends or (state.remaining_s or 0) > _flash_s(layout, state.stage) + _MARGIN_S


def _green_s(case: Case, layout: Layout, stage: int) -> float:
    """Give the shortest green of a stage that an order ends: steady, then its flashing end."""
    return float(steady_s(case, layout, stage) + _flash_s(layout, stage))


def _flash_s(layout: Layout, stage: int) -> int:
    phases = layout.stage_of[stage].phases
    return max((flashing_s(layout.phase_of[each]) for each in phases), default=0)


def _shown(
    case: Case, layout: Layout, stages: Sequence[tuple[frozenset[int], float]]
) -> tuple[Programme, tuple[Interval, ...]]:
    """Give what a controller shows of stages one after another, the last one's beginning alone."""
    programme = shown_as(
        case,
        layout,
        "by hand",
        [
            GreenStage(
                f"{place}", frozenset(layout.phase_of[each].name for each in phases), green_s
            )
            for place, (phases, green_s) in enumerate(stages)
        ],
    )
    change_s = layout.change_between_s(stages[-1][0], stages[0][0])
    end_s = programme.cycle_s - change_s - stages[-1][1] + _KEPT_S
    found, at_s = [], 0.0
    for each in programme.intervals:
        if at_s >= end_s:
            break
        lasts_s = min(each.duration_s, end_s - at_s)
        found.append(Interval(lasts_s, each.shows))
        at_s += each.duration_s
    return programme, tuple(found)


def _judge_stage(
    case: Case, layout: Layout, plan: ControllerPlan, state: ControllerState, stage: int
) -> None:
    if not _lit(state.control):
        target = layout.stage_of[stage].phases
        _refuse_unsafe(case, *_shown(case, layout, [(frozenset(), _LONG_S), (target, _LONG_S)]))
        return
    # Between now and the order the controller may go on to another stage: all are judged.
    for place, each in enumerate(plan.stages):
        if each.stage != stage:
            judge_change(case, layout, plan, place, stage)


def judge_change(case: Case, layout: Layout, plan: ControllerPlan, place: int, target: int) -> None:
    """See that an order may end a stage of a plan for another one.

    Parameters
    ----------
    case : Case
    layout : Layout
        Its phases named after the junction's groups.
    plan : ControllerPlan
    place : int
        Of the stage that ends, in the plan.
    target : int
        The stage that follows.

    Raises
    ------
    Conflict
        Where what the controller would show is unsafe; in words.
    """
    here = plan.stages[place].stage
    stages = [
        (layout.stage_of[plan.stages[place - 1].stage].phases, _LONG_S),
        (layout.stage_of[here].phases, _green_s(case, layout, here)),
        (layout.stage_of[target].phases, _LONG_S),
    ]
    _refuse_unsafe(case, *_shown(case, layout, stages))


def _refuse_unsafe(case: Case, programme: Programme, stretch: Sequence[Interval]) -> None:
    found = judge_stretch(case, programme, stretch, "by hand").violations
    if found:
        raise Conflict(f"it would be unsafe: {found[0].rule.value}, {found[0].what}", field="stage")


def _judge_leaving(case: Case, layout: Layout, stage: int, controls: Sequence[Control]) -> None:
    rules = MODE_RULES[case.profile.name]
    here = layout.stage_of[stage].phases
    programme, stretch = _shown(case, layout, [(here, _LONG_S), (frozenset(), _LONG_S)])
    red = lamps_of(case, Mode.ALL_RED)
    lit = [each for each in stretch if each.shows != red]
    after = [Interval(max(rules.end_red_s, 1.0), red)]
    after += [Interval(1.0, lamps_of(case, _MODES[each])) for each in controls[-1:]]
    if controls[-1] is Control.ALL_RED:
        after = after[:1]
    faults = check_mode_change(case, programme, [*lit, *after])
    if faults:
        raise Conflict(f"it would be unsafe: {faults[0].what}", field="effect")


# --- how long a stage may be held ----------------------------------------------------------------


def _room_s(
    case: Case, layout: Layout, plan: ControllerPlan, state: ControllerState, stage: int
) -> float | None:
    """Give for how many seconds from now a stage may be green before somebody waits too long.

    Who waits has waited already, and will wait on until the plan comes to him again; where that is
    not known, the whole of his planned red counts.
    """
    programme = shown_by(case, layout, plan)
    now = {each.name: each for each in phases_now(layout, plan, state)}
    held = {layout.phase_of[each].name for each in layout.stage_of[stage].phases}
    rooms: list[float] = []
    for group, fact in enumerate(case.groups):
        if not fact.movements:
            continue
        name = case.junction.groups[group].name
        most_s = longest_s(case, group, green=name in held)
        if most_s is None:
            continue
        green_s = sum(
            each.duration_s for each in programme.intervals if each.shows[group] in GREENS
        )
        if name not in held and green_s == 0:
            # The plan never serves it: that is not this order's doing.
            continue
        if name in held:
            gone_s = _gone_s(now.get(name), green_s, green=True)
            rooms.append(most_s - gone_s)
        else:
            gone_s = _gone_s(now.get(name), programme.cycle_s - green_s, green=False)
            rooms.append(most_s - gone_s - _lead_s(layout, plan, stage, name))
    return max(min(rooms) - 2 * _MARGIN_S, 0.0) if rooms else None


def _gone_s(now: PhaseNow | None, planned_s: float, *, green: bool) -> float:
    """Give for how long a group has been green (or not), at most."""
    if now is None or now.aspect is None:
        return planned_s
    if (now.aspect in GREENS) is not green:
        return 0.0
    return planned_s if now.likely_s is None else max(planned_s - now.likely_s, 0.0)


def _lead_s(layout: Layout, plan: ControllerPlan, stage: int, group: str) -> float:
    """Give the seconds from the end of a stage's green to the next green of a group."""
    chain = plan.stages
    start = next(place for place, each in enumerate(chain) if each.stage == stage)
    lead_s = 0.0
    for step in range(len(chain)):
        here = chain[(start + step) % len(chain)]
        after = chain[(start + step + 1) % len(chain)]
        change_s = layout.change_s(here.stage, after.stage)
        lead_s += change_s if step == 0 else here.length_s
        names = {layout.phase_of[each].name for each in layout.stage_of[after.stage].phases}
        if group in names:
            return lead_s
    return lead_s
