"""What a signal does for a request: extension, early green, an inserted stage, or nothing.

Every act is tried as a whole schedule of the greens that lie ahead. What keeps the limits is
weighed: the persons of the request, as often as they count, times the seconds by which they pass
sooner, against the person-seconds of everybody else. An emergency vehicle passes as soon as it can,
whatever that costs; a bus gets what gains more than it costs. Who ranks lower never delays who
ranks higher.

Source: person-based priority after Christofa and Skabardonis, Traffic signal optimization with
application of transit signal priority, Transportation Research Record 2259 (2011); acts after the
Transit Signal Priority Handbook (ITS America, 2005); all from memory.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from signals.rules.control.stages import StageSet
from signals.rules.priority.queues import Lane, Outlook
from signals.rules.priority.requests import Board, Policy, Request, VehicleClass, arriving, ranked
from signals.rules.priority.schedule import (
    Schedule,
    Slot,
    brought_forward,
    extended,
    inserted,
    moved_up,
    new_slot,
    spans_of,
)

CLEAR_S: Final = 3.0
"""A vehicle needs so much green from when it reaches the stop line until it is past it."""
_SOONER_S: Final = 2.0
"""Less is no gain that anybody would notice."""
_ABOUT_S: Final = 5.0
_CHANCE: Final = 2.0
"""What others lose counts so often: queues as a fluid know no chance, by which they grow longer."""
_PARTS: Final = (1.0, 0.75, 0.5, 0.25)
"""Of the advance that is wished for: a long one may keep others waiting too long."""
_EPS: Final = 1e-6


class Act(StrEnum):
    """What is done."""

    EXTENSION = "extension"
    EARLY_GREEN = "early_green"
    INSERTION = "insertion"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Limit:
    """A signal group that must not be red for longer."""

    group: str
    most_s: float


@dataclass(frozen=True)
class Scene:
    """A junction at an instant."""

    stages: StageSet
    lanes: tuple[Lane, ...]
    rates: tuple[tuple[float, ...], ...]
    limits: tuple[Limit, ...]
    schedule: Schedule
    following: Schedule
    """What comes after it by plan, whatever is done now."""
    since_s: float
    """When the running green began or begins."""
    queues: tuple[float, ...]
    red_since_s: tuple[float, ...]
    """By limit, when its group was green last."""
    now_s: float

    def outlook(self, schedule: Schedule) -> Outlook:
        """Give what a schedule means."""
        spans = spans_of(self.stages, schedule, self.since_s)
        return Outlook(self.lanes, self.rates, spans, self.queues, self.now_s)

    @property
    def elapsed_s(self) -> float:
        """How much of the running green is over."""
        return max(self.now_s - self.since_s, 0.0)


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided about a request, and on what grounds; told in one line."""

    request: Request
    act: Act
    stage: int
    """That serves it; -1 where none does."""
    by_s: float
    """Length of the extension, of the advance or of the inserted green."""
    sooner_s: float
    """By how much it passes sooner."""
    others_s: float
    """Person-seconds that everybody else loses, negative where they gain."""
    passes_s: float
    """When it passes then; infinite where no lane is known to release it."""
    reason: str

    def says(self) -> str:
        """Tell it."""
        if self.act is Act.NONE:
            return f"nothing for {self.request.says()}: {self.reason}"
        what = {
            Act.EXTENSION: f"stage {self.stage} lasts {self.by_s:.0f} s longer",
            Act.EARLY_GREEN: f"stage {self.stage} begins {self.by_s:.0f} s sooner",
            Act.INSERTION: f"stage {self.stage} is inserted for {self.by_s:.0f} s",
        }[self.act]
        return f"{what} for {self.request.says()}: {self.reason}"


@dataclass(frozen=True, slots=True)
class _Candidate:
    act: Act
    stage: int
    by_s: float
    schedule: Schedule | None
    """None where the others have not so much to give."""


def decided(scene: Scene, board: Board, policy: Policy) -> tuple[Schedule, tuple[Decision, ...]]:
    """Decide about all requests, in the order of their rank.

    Parameters
    ----------
    scene : Scene
    board : Board
    policy : Policy

    Returns
    -------
    Schedule
        As long as it was.
    tuple of Decision
        One a request.

    Notes
    -----
    Pure. Cost grows with requests times candidates (at most some thirty) times lanes times the
    seconds that lie ahead.
    """
    schedule, found = scene.schedule, []
    kept: list[Request] = []
    for request in ranked(board, policy):
        here = arriving(request, scene.now_s)
        schedule, decision = _for_one(replace(scene, schedule=schedule), here, kept, policy)
        found.append(replace(decision, request=request))
        if policy.urgency(request) > 0 and _lane_of(scene.lanes, request) >= 0:
            kept.append(here)
    return schedule, tuple(found)


def _for_one(
    scene: Scene, request: Request, before: Sequence[Request], policy: Policy
) -> tuple[Schedule, Decision]:
    """Decide about one request; those who rank before it are served no later."""
    lane = _lane_of(scene.lanes, request)
    now = scene.outlook(scene.schedule)
    by_now_s = _passes_s(now, lane, request) if lane >= 0 else math.inf
    reason = _needless(request, lane, now, by_now_s, policy)
    if reason:
        return scene.schedule, _nothing(request, by_now_s, reason)
    chosen, reason = _best(scene, request, lane, before, policy)
    if chosen is None:
        if _in_one_green(scene, now, lane, request.arrives_s, by_now_s):
            reason = "it passes in the green as it stands"
        return scene.schedule, _nothing(request, by_now_s, reason)
    loses = f"others {'lose' if chosen.others_s >= 0 else 'gain'} {abs(chosen.others_s):.0f}"
    told = f"it passes {chosen.sooner_s:.0f} s sooner, {loses} person-seconds"
    act = chosen.candidate
    return chosen.schedule, Decision(
        request,
        act.act,
        act.stage,
        act.by_s,
        chosen.sooner_s,
        chosen.others_s,
        by_now_s - chosen.sooner_s,
        told,
    )


def _nothing(request: Request, passes_s: float, reason: str) -> Decision:
    return Decision(request, Act.NONE, -1, 0.0, 0.0, 0.0, passes_s, reason)


def _needless(request: Request, lane: int, now: Outlook, passes_s: float, policy: Policy) -> str:
    """Say why nothing is to be done for a request; empty where something may be."""
    if policy.urgency(request) <= 0:
        known = request.lateness_s is not None
        return "it is not late" if known else "nobody knows whether it is late"
    if lane < 0:
        return f"no lane has signal group {request.group}"
    if now.until_s < request.arrives_s + request.spread_s:
        return "it comes later than can be decided now"
    if passes_s - request.arrives_s < _SOONER_S:
        return "it passes in the green as it stands"
    return ""


@dataclass(frozen=True, slots=True)
class _Chosen:
    candidate: _Candidate
    schedule: Schedule
    sooner_s: float
    others_s: float


def _best(
    scene: Scene, request: Request, lane: int, before: Sequence[Request], policy: Policy
) -> tuple[_Chosen | None, str]:
    """Give the act that gains most, or none and why."""
    now = scene.outlook(scene.schedule)
    lanes = [_lane_of(scene.lanes, each) for each in before]
    theirs = [_passes_s(now, *each) for each in zip(lanes, before, strict=True)]
    by_now_s, cost_now_s = _passes_s(now, lane, request), now.delay_s()
    emergency = request.kind is VehicleClass.EMERGENCY
    weight = request.persons * policy.urgency(request)
    found: list[tuple[tuple[float, float], _Chosen]] = []
    reason = "no act lets it pass sooner"
    for each in _candidates(scene, request, lane, now, policy):
        if each.schedule is None or not within(scene, each.schedule):
            reason = "least greens and longest waits leave no room"
            continue
        then = scene.outlook(each.schedule)
        after = [_passes_s(then, *each) for each in zip(lanes, before, strict=True)]
        if any(new > old + _EPS for new, old in zip(after, theirs, strict=True)):
            reason = f"{before[0].says()} goes first"
            continue
        sooner_s = by_now_s - _passes_s(then, lane, request)
        others_s = then.delay_s() - cost_now_s
        if sooner_s >= _SOONER_S:
            costs_s = others_s * (_CHANCE if others_s > 0 else 1.0)
            rank = sooner_s * weight - costs_s, 0.0
            if emergency:  # of those that serve it about as soon, what costs the others least
                rank = sooner_s // _ABOUT_S, -others_s
            found.append((rank, _Chosen(each, each.schedule, sooner_s, others_s)))
    if not found:
        return None, reason
    rank, best = max(found, key=lambda each: each[0])
    if not emergency and rank[0] <= 0:
        return None, (
            f"it would pass {best.sooner_s:.0f} s sooner,"
            f" and others lose {best.others_s:.0f} person-seconds"
        )
    return best, ""


def _lane_of(lanes: Sequence[Lane], request: Request) -> int:
    """Give the lane that a request comes on: as told, else the fullest of its signal group."""
    fitting = [
        place
        for place, lane in enumerate(lanes)
        if any(group == request.group for group, _ in lane.groups)
    ]
    named = [place for place in fitting if lanes[place].lane == request.lane]
    among = named or fitting
    return max(among, key=lambda place: (lanes[place].flow_per_s, -place), default=-1)


def _passes_s(outlook: Outlook, lane: int, request: Request) -> float:
    """Give when it passes, between its earliest and its latest arrival."""
    ends = {request.arrives_s - request.spread_s, request.arrives_s + request.spread_s}
    return sum(outlook.passes_s(lane, each, request.ahead) for each in ends) / len(ends)


def _in_one_green(scene: Scene, now: Outlook, lane: int, from_s: float, until_s: float) -> bool:
    """Whether a green of a lane holds from one instant to another."""
    return any(
        scene.rates[span.stage][lane] > 0 and span.start_s <= from_s and until_s < span.end_s
        for span in now.spans
    )


def _candidates(
    scene: Scene, request: Request, lane: int, now: Outlook, policy: Policy
) -> Iterator[_Candidate]:
    """Give the acts that could help, as schedules."""
    emergency = request.kind is VehicleClass.EMERGENCY
    schedule = _giving(scene.schedule, scene.elapsed_s, 1.0 if emergency else policy.given)
    most_s = policy.emergency_s if emergency else policy.extension_s
    tried = _Trial(scene, schedule, request, lane, now, most_s)
    latest_s = request.arrives_s + request.spread_s
    for place, span in enumerate(now.spans):
        serves = scene.rates[span.stage][lane] > 0
        if serves:
            yield from tried.extensions(place)
            yield from tried.early_greens(place)
            if span.start_s > latest_s:
                break
        elif span.start_s <= latest_s:
            yield from tried.insertions(place)


@dataclass(frozen=True)
class _Trial:
    """What is tried for a request."""

    scene: Scene
    schedule: Schedule
    """With least greens below which nobody gives for it."""
    request: Request
    lane: int
    now: Outlook
    most_s: float
    """Longest extension."""

    def _made(self, act: Act, stage: int, by_s: float, found: Schedule | None) -> _Candidate:
        whole = None if found is None else _with_leasts(found, self.scene.schedule)
        return _Candidate(act, stage, by_s, whole)

    @property
    def _earliest_s(self) -> float:
        return self.request.arrives_s - self.request.spread_s

    @property
    def _latest_s(self) -> float:
        return self.request.arrives_s + self.request.spread_s

    def _in_front(self, at_s: float) -> float:
        """Give how many stand before the vehicle when it comes up to them, by an instant."""
        if self.request.ahead is not None:
            return self.request.ahead
        known = self.now.lanes[self.lane]
        return self.now.queues[self.lane] + known.flow_per_s * max(at_s - self.now.now_s, 0.0)

    def _needed_s(self, start_s: float) -> float:
        """Give when those before the vehicle are gone if they begin to move at an instant."""
        rate = max(self.now.lanes[self.lane].served_per_s, _EPS)
        return max(start_s, self.now.now_s) + self._in_front(self._latest_s) / rate

    def extensions(self, place: int) -> Iterator[_Candidate]:
        """Let a green last until the vehicle, and whoever stands in front of it, has passed."""
        span, slot = self.now.spans[place], self.schedule[place]
        needed_s = self._needed_s(span.start_s)
        by_s = float(math.ceil(max(needed_s, self._latest_s) + CLEAR_S - span.end_s))
        if 0 < by_s <= self.most_s - max(slot.green_s - slot.planned_s, 0.0):
            found = extended(self.schedule, place, by_s)
            yield self._made(Act.EXTENSION, span.stage, by_s, found)

    def early_greens(self, place: int) -> Iterator[_Candidate]:
        """Let a green begin sooner, and end as planned or sooner as well."""
        span, known = self.now.spans[place], self.now.lanes[self.lane]
        ahead_s = self._in_front(self.now.now_s) / max(known.served_per_s, _EPS)
        wish_s = span.start_s - max(self._earliest_s - ahead_s, self.scene.now_s)
        for part in _PARTS:
            by_s = float(math.floor(wish_s * part))
            while place and by_s >= 1 and brought_forward(self.schedule, place, by_s) is None:
                by_s -= 1
            if place and by_s >= 1:
                for act in (brought_forward, moved_up):
                    found = act(self.schedule, place, by_s)
                    yield self._made(Act.EARLY_GREEN, span.stage, by_s, found)

    def insertions(self, place: int) -> Iterator[_Candidate]:
        """Let a stage that serves the vehicle follow on one that does not."""
        stages, slot, lane = self.scene.stages, self.schedule[place], self.lane
        known, end_s = self.now.lanes[lane], self.now.spans[place].end_s
        room_s = max(slot.green_s - slot.least_s, 0.0)
        for stage, rates in enumerate(self.scene.rates):
            if rates[lane] <= 0 or (slot.stage, stage) not in stages.changes:
                continue
            change_s = stages.change_s(slot.stage, stage)
            clear_s = known.loss_s + self._in_front(end_s) / rates[lane] + CLEAR_S
            # So late that the vehicle finds its queue gone, so soon that it need not stop.
            sooner_s = end_s + change_s - (self._earliest_s - clear_s)
            cut_s = float(math.floor(min(room_s, max(sooner_s, 0.0))))
            begins_s = end_s - cut_s + change_s
            until_s = max(self._latest_s + CLEAR_S, begins_s + clear_s)
            green_s = float(math.ceil(max(until_s - begins_s, stages.stages[stage].least_s)))
            new = new_slot(stages, slot, stage, green_s)
            found = inserted(stages, self.schedule, place, new, cut_s)
            yield self._made(Act.INSERTION, stage, green_s, found)


def _giving(schedule: Schedule, elapsed_s: float, share: float) -> Schedule:
    """Let greens give no more than a share of what they have above their least, or what is left."""
    found = []
    for place, slot in enumerate(schedule):
        plan_s = min(slot.planned_s or slot.green_s, slot.green_s)
        floor_s = slot.least_s + math.ceil((1 - share) * max(plan_s - slot.least_s, 0.0))
        floor_s = max(floor_s, math.ceil(elapsed_s) if place == 0 else 0.0)
        found.append(replace(slot, least_s=min(floor_s, slot.green_s)))
    return tuple(found)


def _with_leasts(found: Schedule, before: Schedule) -> Schedule:
    """Give greens their own least greens back."""
    least = {(slot.stage, slot.cycle, slot.planned_s): slot.least_s for slot in before}

    def back(slot: Slot) -> Slot:
        key = slot.stage, slot.cycle, slot.planned_s
        return replace(slot, least_s=least.get(key, slot.least_s))

    return tuple(map(back, found))


def within(scene: Scene, schedule: Schedule) -> bool:
    """Whether nobody is red for longer than is allowed, or than without the act."""
    ours = _reds_s(scene, schedule)
    before = _reds_s(scene, scene.schedule)
    return all(
        red_s <= max(limit.most_s, old_s) + _EPS
        for limit, red_s, old_s in zip(scene.limits, ours, before, strict=True)
    )


def _reds_s(scene: Scene, schedule: Schedule) -> list[float]:
    """Give the longest red of every limit's group that lies ahead, with what is over of it."""
    spans = spans_of(scene.stages, (*schedule, *scene.following), scene.since_s)
    found = []
    for limit, since_s in zip(scene.limits, scene.red_since_s, strict=True):
        longest_s, dark_s = 0.0, since_s
        for span in spans:
            if limit.group in scene.stages.stages[span.stage].groups:
                longest_s = max(longest_s, span.start_s - dark_s)
                dark_s = span.end_s
        found.append(longest_s)
    return found
