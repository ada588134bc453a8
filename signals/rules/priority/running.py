"""A fixed plan with priority, one signal, a second at a time: messages in, lamps and reasons out.

Without requests it shows its plan, lamp for lamp. What lies ahead is always the rest of the cycle
and the whole of the next one; every act keeps the end of that, so that the signal is in step again
by then. In the cycles after, stages that had more than their plan give it back to those that had
less (compensation), unless somebody with priority is there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from signals.rules.control.stages import Showing, StageSet, Step, changed
from signals.rules.priority.decision import Act, Decision, Limit, Scene, decided, within
from signals.rules.priority.queues import Lane, folded
from signals.rules.priority.requests import Board, Message, Policy, differs, living, told
from signals.rules.priority.schedule import Schedule, Slot, released, repaid

REPAID: Final = 0.5
"""Of what a green has above its least, so much goes back in one cycle."""


@dataclass(frozen=True)
class PlanSite:
    """A signal, its plan as stages, and who uses it."""

    stages: StageSet
    groups: tuple[str, ...]
    """All signal groups, in the order of their lamps."""
    greens_s: tuple[float, ...]
    """By stage, of the plan; each comes once a cycle, in their order."""
    starts_s: tuple[float, ...]
    """By stage, when its green begins after the cycle's reference."""
    cycle_s: float
    offset_s: float
    lanes: tuple[Lane, ...]
    rates: tuple[tuple[float, ...], ...]
    limits: tuple[Limit, ...]
    """Who must not be red for longer."""

    def cycle(self, number: int) -> Schedule:
        """Give a cycle as planned."""
        return tuple(
            Slot(stage, green_s, green_s, number, self.stages.stages[stage].least_s)
            for stage, green_s in enumerate(self.greens_s)
        )


@dataclass(frozen=True)
class PlanPriority:
    """Signals under fixed plans that give priority."""

    sites: tuple[PlanSite, ...]
    policy: Policy


@dataclass(frozen=True, slots=True)
class PlanState:
    """What a signal shows, what lies ahead, who asked and who is owed."""

    showing: Showing
    schedule: Schedule
    board: Board
    balance: Mapping[int, float]
    """By stage, seconds of green beyond its plan, negative where it lost some."""
    queues: tuple[float, ...]
    red_since_s: tuple[float, ...]
    before: int
    """The stage before the running one."""
    acts: Mapping[str, Act]
    """By vehicle that asks, what was done for it last that was more than nothing, if anything."""
    decisions: tuple[Decision, ...] = ()
    """Of the last second: whatever was done, and nothing that had been said before."""
    repaid_s: float = 0.0
    """Green given back at the start of this second."""


def begin(site: PlanSite, now_s: float) -> PlanState:
    """Begin where the plan is at an instant."""
    at_s = (now_s - site.offset_s) % site.cycle_s
    origin_s = now_s - at_s
    count = len(site.greens_s)
    running, since_s = None, 0.0
    for number in (-1, 0, 1):
        for stage in range(count):
            start_s = origin_s + number * site.cycle_s + site.starts_s[stage]
            if running is None and now_s < start_s + site.greens_s[stage]:
                running, since_s = stage, start_s
    running = running or 0
    schedule = (*site.cycle(0)[running:], *site.cycle(1))
    before = (running - 1) % count
    steps: tuple[Step, ...] = ()
    if since_s > now_s:
        steps = site.stages.changes[before, running]
    return PlanState(
        Showing(running, since_s, steps),
        schedule,
        {},
        {},
        (0.0,) * len(site.lanes),
        (now_s,) * len(site.limits),
        before,
        {},
    )


def step(
    site: PlanSite, state: PlanState, messages: Sequence[Message], policy: Policy, now_s: float
) -> PlanState:
    """Take the messages of the second that ends now in, and decide for the next.

    Notes
    -----
    Pure: the same messages give the same lamps and reasons. Only a message, a check-out or the
    start of a green asks for a decision.
    """
    board = told(state.board, messages, now_s)
    alive = living(board, now_s)
    asks = differs(living(state.board, now_s - 1), alive)
    state = _seen(site, replace(state, board=board, decisions=(), repaid_s=0.0), now_s)
    state, started = _gone_on(site, state, now_s)
    served = any(act is not Act.NONE for name, act in state.acts.items() if name not in alive)
    state = replace(state, acts={name: act for name, act in state.acts.items() if name in alive})
    if served and not _busy(state.acts):
        state = _changed(site, state, released(state.schedule, state.showing.green_s(now_s)), now_s)
    if alive and (asks or started):
        state = _decided(site, state, policy, now_s)
    if state.schedule[0].green_s <= state.showing.green_s(now_s):
        state, _ = _gone_on(site, state, now_s)
    return state


def _changed(site: PlanSite, state: PlanState, schedule: Schedule, now_s: float) -> PlanState:
    """Take a schedule that nobody asked for, unless somebody would be red for too long."""
    if schedule != state.schedule and within(_scene(site, state, now_s), schedule):
        return replace(state, schedule=schedule)
    return state


def _busy(acts: Mapping[str, Act]) -> bool:
    """Whether somebody was given something and has not passed yet."""
    return any(act is not Act.NONE for act in acts.values())


def _seen(site: PlanSite, state: PlanState, now_s: float) -> PlanState:
    """Take the second that was shown in: queues, and who was red."""
    showing = state.showing
    groups = site.stages.stages[showing.stage].groups
    rates = site.rates[showing.stage]
    if showing.changing(now_s - 1):
        groups = groups & site.stages.stages[state.before].groups
        rates = tuple(map(min, site.rates[state.before], rates))
    return replace(
        state,
        queues=folded(site.lanes, state.queues, rates),
        red_since_s=tuple(
            now_s if limit.group in groups else since_s
            for limit, since_s in zip(site.limits, state.red_since_s, strict=True)
        ),
    )


def _gone_on(site: PlanSite, state: PlanState, now_s: float) -> tuple[PlanState, bool]:
    """Begin the next stage where the running one's green is over; say whether one began."""
    over, *rest = state.schedule
    if state.showing.changing(now_s) or state.showing.green_s(now_s) < over.green_s:
        return state, False
    balance = dict(state.balance)
    balance[over.stage] = balance.get(over.stage, 0.0) + over.green_s - over.planned_s
    if rest[-1].cycle == rest[0].cycle:
        rest += site.cycle(rest[0].cycle + 1)
    state = replace(
        state,
        showing=changed(site.stages, state.showing, now_s, rest[0].stage),
        schedule=tuple(rest),
        balance=balance,
        before=over.stage,
    )
    if rest[0].cycle > over.cycle and not _busy(state.acts):
        state = _repaid(site, state, now_s)
    return state, True


def _repaid(site: PlanSite, state: PlanState, now_s: float) -> PlanState:
    """Give green back in the cycle that begins."""
    before = state.schedule
    found = _changed(site, state, repaid(before, state.balance, REPAID), now_s)
    pairs = zip(found.schedule, before, strict=True)
    repaid_s = sum(max(now.green_s - old.green_s, 0.0) for now, old in pairs)
    if max(found.balance.values()) <= 0:
        found = replace(found, balance={})  # nobody has to give back what changes of stages took
    return replace(found, repaid_s=repaid_s)


def _scene(site: PlanSite, state: PlanState, now_s: float) -> Scene:
    return Scene(
        site.stages,
        site.lanes,
        site.rates,
        site.limits,
        state.schedule,
        site.cycle(state.schedule[-1].cycle + 1),
        state.showing.since_s,
        state.queues,
        state.red_since_s,
        now_s,
    )


def _decided(site: PlanSite, state: PlanState, policy: Policy, now_s: float) -> PlanState:
    schedule, decisions = decided(_scene(site, state, now_s), living(state.board, now_s), policy)
    acts, said = dict(state.acts), []
    for each in decisions:
        name = each.request.vehicle
        if each.act is not Act.NONE or name not in acts:
            said.append(each)
            acts[name] = each.act
    return replace(state, schedule=schedule, acts=acts, decisions=tuple(said))
