"""Priority at a controller on a line: what it says as the rules' state, and what it is asked for.

The rules run a second ahead of the controller, which needs that long to hear an order. Where they
show what its plan shows by itself, nothing is asked. Where they keep a green longer, the running
stage is held; where they end one sooner or insert one, the next stage is. A stage that is held has
no end of its own, so the one after it is asked for as well, until a green has had all that its plan
gives it and what follows is as planned: there the plan is let go on.

Pure: what a controller said in, what it is to be asked out. What it does not say is unknown, and
nothing is asked of an unknown controller.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from city.errors import Conflict
from signals.rules.control.plan_stages import plan_stages
from signals.rules.control.stages import Showing, StageSet, Step
from signals.rules.controllers.layout import ControllerPlan, Layout, flashing_s, shown_as, shown_by
from signals.rules.controllers.line import Control, ControllerState
from signals.rules.controllers.orders import judge_change, known_state
from signals.rules.model.stages import GreenStage
from signals.rules.plans.passing import LaneFlow
from signals.rules.priority.decision import Decision
from signals.rules.priority.making import site_of
from signals.rules.priority.queues import Outlook, folded
from signals.rules.priority.requests import Message, Policy
from signals.rules.priority.running import PlanSite, PlanState, step
from signals.rules.priority.schedule import Schedule, Span, given
from signals.rules.safety.case import Case

AHEAD_S: Final = 1.0
"""An order that is given now is heard by the controller's next second."""
LATE_S: Final = 3.0
"""So shortly before a green ends by itself no order about it is given: it may come too late."""
APART_S: Final = 2.0
"""By more, the controller is not where the rules have it."""
LOST_S: Final = 20.0
"""Who shows another stage for so long goes its own way."""
_LONG_S: Final = 90.0
_EPS: Final = 0.5
"""Controllers count whole seconds."""
_TIMED: Final = frozenset({Control.CENTRE, Control.TIMETABLE, Control.FIXED, Control.COORDINATED})


@dataclass(frozen=True)
class LineSite:
    """A signal as its controller will show it."""

    site: PlanSite
    numbers: tuple[int, ...]
    """The controller's stages, in the order of its plan."""
    flash_s: tuple[int, ...]
    """By stage: the flashing end of its green, which the controller counts to the green."""
    plan: ControllerPlan


@dataclass(frozen=True, slots=True)
class Heard:
    """What a controller says it shows."""

    stage: int
    """Its place in the plan."""
    changing: bool
    elapsed_s: int
    left_s: float | None
    """Until the steady green ends by itself, or while changing until the next one begins; None
    where the stage is held."""


@dataclass(frozen=True)
class Led:
    """The rules' state of a controller, and what it is being asked for."""

    state: PlanState
    at_s: float
    """The second up to which the rules have run."""
    hold: int | None = None
    """Stage that is to be held, by its place in the plan; None: the plan by itself."""
    apart_s: float = 0.0
    """For how long the controller has shown another stage than the rules."""

    @property
    def at_rest(self) -> bool:
        """Whether the plan runs by itself, as planned."""
        return self.hold is None and as_planned(self.state.schedule)

    @property
    def owes(self) -> bool:
        """Whether a stage had more than its plan that another one lacked."""
        had = self.state.balance.values()
        return min(sum(max(each, 0) for each in had), -sum(min(each, 0) for each in had)) >= 1

    @property
    def lost(self) -> bool:
        """Whether the controller does not do as it is asked."""
        return self.hold is not None and self.apart_s > LOST_S


def line_site(
    case: Case, layout: Layout, plan: ControllerPlan, lanes: Sequence[LaneFlow]
) -> LineSite:
    """Take a controller's plan apart, as it will show it.

    Parameters
    ----------
    case : Case
    layout : Layout
        Its phases named after the junction's groups.
    plan : ControllerPlan
        The one that runs.
    lanes : Sequence of LaneFlow
        Who uses the signal.

    Raises
    ------
    Conflict
        Where the plan is unsafe, or its stages cannot be told apart; in words.

    Notes
    -----
    Cost grows with the square of the stages, times judgements of the changes between them.
    """
    numbers = tuple(each.stage for each in plan.stages)
    if len(set(numbers)) < len(numbers):
        raise Conflict("its plan has a stage twice", field="plan")
    found = site_of(case, shown_by(case, layout, plan), lanes)
    if found is None:
        raise Conflict("its plan is unsafe or cannot be taken apart", field="plan")
    groups = [_groups(layout, each) for each in numbers]
    if [stage.groups for stage in found.stages.stages] != groups:
        raise Conflict("its plan has greens too short to be changed", field="plan")
    changes = _changes(case, layout, plan, found)
    stages = StageSet(found.stages.junction, found.stages.stages, changes)
    return LineSite(
        replace(found, stages=stages),
        numbers,
        tuple(
            _flash_s(layout, number, numbers[(place + 1) % len(numbers)])
            for place, number in enumerate(numbers)
        ),
        plan,
    )


def _changes(
    case: Case, layout: Layout, plan: ControllerPlan, found: PlanSite
) -> dict[tuple[int, int], tuple[Step, ...]]:
    """Give the changes that are safe as the controller will show them, and how long it takes."""
    kept: dict[tuple[int, int], tuple[Step, ...]] = {}
    for (one, other), steps in found.stages.changes.items():
        here, target = plan.stages[one].stage, plan.stages[other].stage
        if other == (one + 1) % len(plan.stages):
            kept[one, other] = steps
            continue
        try:
            judge_change(case, layout, plan, one, target)
        except Conflict:
            continue
        pair = [GreenStage(f"{each}", _groups(layout, each), _LONG_S) for each in (here, target)]
        shown = plan_stages(case, shown_as(case, layout, "change", pair))
        if shown is not None and len(shown.greens_s) == len(pair):
            kept[one, other] = shown.stages.changes[0, 1]
    return kept


def _groups(layout: Layout, stage: int) -> frozenset[str]:
    return frozenset(layout.phase_of[each].name for each in layout.stage_of[stage].phases)


def _flash_s(layout: Layout, stage: int, following: int) -> int:
    ending = layout.stage_of[stage].phases - layout.stage_of[following].phases
    return max((flashing_s(layout.phase_of[each]) for each in ending), default=0)


# --- what the controller says --------------------------------------------------------------------


def heard(site: LineSite, state: ControllerState, *, held: bool) -> Heard:
    """Read what a controller says of itself.

    Parameters
    ----------
    site : LineSite
    state : ControllerState
    held : bool
        Whether it was asked to hold a stage.

    Raises
    ------
    Conflict
        Where that is not enough to ask anything of it; in words.
    """
    known_state(state)
    manual = state.control is Control.MANUAL
    if not (state.control in _TIMED or (held and manual)):
        mode = "nothing" if state.control is None else state.control.value
        raise Conflict(f"its mode is {mode}: nobody knows when its stages end", field="signal")
    if not manual and state.plan != site.plan.number:
        raise Conflict("another plan runs", field="signal")
    if state.stage not in site.numbers or state.changing is None or state.elapsed_s is None:
        raise Conflict("it does not say which stage runs and since when", field="signal")
    place = site.numbers.index(state.stage)
    if manual:
        return Heard(place, state.changing, state.elapsed_s, None)
    if state.remaining_s is None:
        raise Conflict("it does not say when its stage ends", field="signal")
    flash_s = 0 if state.changing else site.flash_s[place]
    left_s = float(state.remaining_s - flash_s)
    # The flashing end of a green is a part of the change.
    if left_s < 0:
        after = site.site.stages.change_s(place, (place + 1) % len(site.numbers))
        return Heard(place, changing=True, elapsed_s=state.elapsed_s, left_s=after + left_s)
    return Heard(place, state.changing, state.elapsed_s, left_s)


# --- the rules' state ----------------------------------------------------------------------------


def begun(site: LineSite, said: Heard, now_s: float, old: PlanState | None = None) -> PlanState:
    """Give the rules' state at a controller that runs its plan by itself.

    Parameters
    ----------
    site : LineSite
    said : Heard
        Not of a held stage.
    now_s : float
    old : PlanState or None
        Who asked, who is owed, who waits: known from before. Else who waits is what the plan has
        left since the last cycle.
    """
    plan, left_s = site.site, said.left_s or 0.0
    count = len(plan.greens_s)
    if said.changing:
        place, before = (said.stage + 1) % count, said.stage
        since_s = now_s + left_s
        steps = plan.stages.changes[before, place]
        first = plan.cycle(0)[place]
    else:
        place, before = said.stage, (said.stage - 1) % count
        since_s, steps = now_s - said.elapsed_s, ()
        green_s = said.elapsed_s + left_s
        # To get in step a controller keeps a green longer than its plan says: that is its plan now.
        slot = plan.cycle(0)[place]
        first = replace(
            slot, green_s=green_s, planned_s=green_s, least_s=min(slot.least_s, green_s)
        )
    schedule = (first, *plan.cycle(0)[place + 1 :], *plan.cycle(1))
    queues, red_since_s = _waiting(plan, place, since_s, now_s)
    showing = Showing(place, since_s, steps)
    if old is None:
        return PlanState(showing, schedule, {}, {}, queues, red_since_s, before, {})
    return replace(
        old, showing=showing, schedule=schedule, before=before, acts={}, decisions=(), repaid_s=0.0
    )


def _waiting(
    plan: PlanSite, place: int, since_s: float, now_s: float
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Give who waits, and since when, after a cycle as planned: queues, and last greens' ends."""
    count = len(plan.greens_s)
    spans, starts_s, at = [Span(place, since_s, max(now_s, since_s))], since_s, place
    for _ in range(count):
        here = (at - 1) % count
        ends_s = starts_s - plan.stages.change_s(here, at)
        starts_s, at = ends_s - plan.greens_s[here], here
        spans.insert(0, Span(here, starts_s, ends_s))
    queues = (0.0,) * len(plan.lanes)
    begin_s = spans[0].start_s
    past = Outlook(plan.lanes, plan.rates, tuple(spans), queues, begin_s)
    for rates in past.rows[: max(int(now_s - begin_s), 0)]:
        queues = folded(plan.lanes, queues, rates)
    ends = []
    for limit in plan.limits:
        served = [
            min(each.end_s, now_s)
            for each in spans
            if each.start_s <= now_s and limit.group in plan.stages.stages[each.stage].groups
        ]
        ends.append(max(served, default=begin_s))
    return queues, tuple(ends)


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look at a controller led to."""

    led: Led
    decisions: tuple[Decision, ...] = ()
    took: bool = False
    """Whether the messages were taken; while a green is about to end by itself they wait."""


def look(
    site: LineSite,
    known: Led | None,
    said: Heard,
    messages: Sequence[Message],
    *,
    policy: Policy,
    now_s: float,
) -> Looked:
    """Let the rules run up to now, and give what the controller is to be asked for.

    Parameters
    ----------
    site : LineSite
    known : Led or None
        None at the first look.
    said : Heard
    messages : Sequence of Message
    policy : Policy
    now_s : float
        Whole seconds.
    """
    if known is None:
        known = Led(begun(site, said, now_s), now_s - 1.0)
    known = _followed(site, known, said, now_s)
    late = known.hold is None and not said.changing and (said.left_s or 0.0) <= LATE_S
    found, took, decisions = known, False, list[Decision]()
    while found.at_s < now_s:
        given_now = () if late or took else messages
        took = not late
        found = _second(site, found, given_now, policy)
        decisions += found.state.decisions
    if late and found.hold is not None and found.hold == known.state.showing.stage == said.stage:
        # Nothing new is asked of a green that is about to end.
        return Looked(replace(known, at_s=now_s))
    return Looked(found, tuple(decisions), took)


def _second(site: LineSite, known: Led, messages: Sequence[Message], policy: Policy) -> Led:
    """Let the rules run for a second."""
    before, at_s = known.state, known.at_s + 1.0
    state = step(site.site, before, messages, policy, at_s + AHEAD_S)
    found = replace(known, state=state, at_s=at_s)
    if state.showing.stage == before.showing.stage:
        slot = state.schedule[0]
        longer = slot.green_s > slot.planned_s + _EPS
        return replace(found, hold=state.showing.stage) if longer else found
    old, now = before.showing, state.showing
    green_s = now.since_s - site.site.stages.change_s(old.stage, now.stage) - old.since_s
    cut = green_s < before.schedule[0].planned_s - _EPS
    follows = now.stage == (old.stage + 1) % len(site.numbers)
    if known.hold is None and follows and not cut:
        return found
    if follows and not cut and as_planned(state.schedule):
        return replace(found, hold=None)
    return replace(found, hold=now.stage)


def _followed(site: LineSite, known: Led, said: Heard, now_s: float) -> Led:
    """Put the rules where the controller is."""
    state = known.state
    by_itself = known.hold is None and as_planned(state.schedule)
    if said.changing:
        other = said.stage not in {state.before, state.showing.stage}
        if by_itself and other:
            return replace(known, state=begun(site, said, now_s, state), apart_s=0.0)
        return known
    if said.stage != state.showing.stage:
        apart_s = known.apart_s + max(now_s - known.at_s, 0.0)
        if known.hold is None and (by_itself or apart_s > LOST_S):
            return replace(known, state=begun(site, said, now_s, state), apart_s=0.0)
        return replace(known, apart_s=apart_s)
    late_s = now_s - said.elapsed_s - state.showing.since_s
    ends_s = state.showing.since_s + state.schedule[0].green_s
    own_s = ends_s if said.left_s is None else now_s + said.left_s
    if by_itself and max(abs(late_s), abs(own_s - ends_s)) > APART_S:
        return replace(known, state=begun(site, said, now_s, state), apart_s=0.0)
    if abs(late_s) > APART_S:
        showing = replace(state.showing, since_s=state.showing.since_s + late_s, steps=())
        state = replace(state, showing=showing, schedule=_caught_up(state.schedule, late_s))
    return replace(known, state=state, apart_s=0.0)


def _caught_up(schedule: Schedule, late_s: float) -> Schedule:
    """Take what a controller is late from the greens that follow, so that it is in step again."""
    if late_s <= 0:
        return schedule
    return given(schedule, range(1, len(schedule)), late_s) or schedule


def as_planned(schedule: Schedule) -> bool:
    """Whether every green ahead is as long as planned."""
    return all(abs(slot.green_s - slot.planned_s) <= _EPS for slot in schedule)
