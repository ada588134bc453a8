"""One signal's adaptive control, a second at a time: readings in, lamps and a reason out.

Levels, by what its detectors are worth: ``adaptive``; ``actuated``, the plan's stages extended by
the stop lines, where more than half of the traffic has no detector upstream that works; ``plan``,
the plan's stages and greens, where more than half has none at all. Every change is one of those
that were judged safe beforehand, after the stage's least green.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from signals.rules.adaptive.choice import (
    HORIZON_S,
    Comparison,
    Model,
    Question,
    Stack,
    compared,
    stacked,
)
from signals.rules.adaptive.decisions import Decision, Level
from signals.rules.adaptive.detectors import NOTHING, Detector, Reading
from signals.rules.adaptive.lanes import LaneSite, LaneState, folded, settled, unknown
from signals.rules.control.stages import Showing, StageSet, changed, may_change
from signals.rules.priority.beside_adaptive import Wish, wished
from signals.rules.priority.requests import Policy

AIM_S: Final = 120.0
"""Nobody should wait for green longer."""
GAP_S: Final = 3.0
"""Actuated: a green ends where nobody has been at its stop lines for so long."""
STANDING_S: Final = 6.0
"""Somebody standing on the first detector of a road for so long: it is full up to there."""
WALKING_OFF_PER_S: Final = 2.0
"""People on foot who set out in a second of green: side by side."""
_HALF: Final = 0.5
_STRETCH: Final = 1.5
"""Actuated: longest green, times the plan's."""


@dataclass(frozen=True, slots=True)
class Walk:
    """People on foot, whom no detector sees: their green comes in time whether they are there."""

    group: str
    most_s: float
    """Time since their steady green after which the next is due."""
    flow_per_s: float = 0.0
    """Expected."""

    @property
    def lane(self) -> LaneSite:
        """They, as a lane in the choice."""
        groups = ((self.group, 1.0),)
        return LaneSite(
            self.group, "", groups, WALKING_OFF_PER_S, 0.0, self.flow_per_s, "", None, 1.0, 0.0
        )

    def waiting(self, red_s: float) -> LaneState:
        """Give how many are expected to wait."""
        queue = self.flow_per_s * red_s
        return LaneState(queue, (), self.flow_per_s, green_s=0.0 if red_s > 0 else 1.0)


@dataclass(frozen=True)
class SignalSite:
    """A signal, its lanes and detectors, and the plan behind it."""

    stages: StageSet
    lanes: tuple[LaneSite, ...]
    model: Model
    detectors: tuple[Detector, ...]
    behind: tuple[tuple[str, ...], ...]
    """By lane, the detectors at the entry of the roads that it leads to, where those are short."""
    plan: tuple[tuple[int, float], ...]
    """Stages of the plan in force in order, and their greens in seconds."""
    walks: tuple[Walk, ...] = ()


@dataclass(frozen=True)
class Adaptive:
    """All signals under adaptive control."""

    signals: tuple[SignalSite, ...]
    failed: tuple[tuple[str, bool], ...] = ()
    """Detectors that fail in a trial, and whether they are stuck on; silent else."""
    policy: Policy | None = None
    """What buses and emergency vehicles are granted; None: they count as anybody."""
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By signal that they may ask, its signal groups in the order of their lamps."""

    @cached_property
    def stacks(self) -> tuple[Stack, ...]:
        """Every signal's model, stacked."""
        return stacked([site.model for site in self.signals])

    @property
    def detectors(self) -> tuple[Detector, ...]:
        """Every detector once."""
        found = {each.name: each for site in self.signals for each in site.detectors}
        return tuple(found.values())


@dataclass(frozen=True, slots=True)
class SignalState:
    """What a signal shows, what is believed about its lanes, and what was decided last."""

    showing: Showing
    before: int
    """The stage shown before."""
    lanes: tuple[LaneState, ...]
    standing_s: Mapping[str, float]
    """By detector behind the junction, for how long somebody has stood on it."""
    decision: Decision
    late: int = -1
    """Lane for whose wait the green was given; -1: for none."""
    red_s: tuple[float, ...] = ()
    """For how long each of the people on foot have had no green."""


def begin(site: SignalSite, now_s: float) -> SignalState:
    """Begin with the plan's first stage."""
    first = site.plan[0][0] if site.plan else 0
    lanes = tuple(unknown(lane) for lane in site.lanes)
    return SignalState(
        Showing(first, now_s),
        first,
        lanes,
        {},
        Decision(first, Level.ADAPTIVE),
        red_s=(0.0,) * len(site.walks),
    )


def step(
    control: Adaptive,
    states: Sequence[SignalState],
    readings: Mapping[str, Reading],
    now_s: float,
    wishes: Mapping[int, Wish] | None = None,
) -> list[SignalState]:
    """Take the readings of the second that ends now in, and decide for the next.

    Parameters
    ----------
    control : Adaptive
    states : Sequence of SignalState
        By signal, as everything that is returned.
    readings : Mapping
        By detector; one that is missing said nothing.
    now_s : float
    wishes : Mapping, optional
        By the signal's place, who has priority there.

    Notes
    -----
    Pure: the same readings give the same decisions, each signal's by its own readings alone. Cost
    grows with the lanes, and as of ``compared`` with the signals for which a choice is due.
    """
    found = [
        _told(site, state, readings, now_s)
        for site, state in zip(control.signals, states, strict=True)
    ]
    decided: dict[int, tuple[Decision, int]] = {}
    questions: dict[int, Question] = {}
    for place, (site, state) in enumerate(zip(control.signals, found, strict=True)):
        if not _may_decide(site, state, now_s):
            continue
        without = _decided_without(site, state, now_s)
        if without is not None:
            decided[place] = without
        else:
            on_foot = map(Walk.waiting, site.walks, state.red_s)
            room = [*_full(site, state), *(False for _ in site.walks)]
            questions[place] = Question((*state.lanes, *on_foot), state.showing.stage, room)
    for place, comparison in compared(control.stacks, questions, now_s).items():
        site, state = control.signals[place], found[place]
        full = questions[place].full
        wish = None if wishes is None else wishes.get(place)
        decided[place] = _decided(site, state, comparison, full, now_s, wish=wish)
    for place, (decision, late) in decided.items():
        found[place] = _acted(control.signals[place], found[place], decision, late, now_s)
    return found


def _told(
    site: SignalSite, state: SignalState, readings: Mapping[str, Reading], now_s: float
) -> SignalState:
    """Take a second's readings in."""
    showing = state.showing
    green = site.stages.stages[showing.stage].groups
    if showing.changing(now_s - 1):
        green = green & site.stages.stages[state.before].groups
    lanes = settled(
        site.lanes,
        [
            folded(
                lane,
                known,
                _readings(lane, readings),
                now_s,
                green=any(group in green for group, _ in lane.groups),
            )
            for lane, known in zip(site.lanes, state.lanes, strict=True)
        ],
    )
    standing_s = {
        name: state.standing_s.get(name, 0.0) + 1.0
        for names in site.behind
        for name in names
        if (found := readings.get(name)) is not None and found.occupied and not found.left
    }
    red_s = tuple(
        0.0 if walk.group in green else lasted_s + 1.0
        for walk, lasted_s in zip(site.walks, state.red_s, strict=True)
    )
    return replace(state, lanes=lanes, standing_s=standing_s, red_s=red_s)


def _may_decide(site: SignalSite, state: SignalState, now_s: float) -> bool:
    """Whether the least green is over, and no change under way."""
    showing = state.showing
    least_s = site.stages.stages[showing.stage].least_s
    return not showing.changing(now_s) and showing.green_s(now_s) >= least_s


def _acted(
    site: SignalSite, state: SignalState, decision: Decision, late: int, now_s: float
) -> SignalState:
    """Do what was decided."""
    showing = state.showing
    state = replace(state, decision=decision)
    if decision.stage == showing.stage or not may_change(
        site.stages, showing, now_s, decision.stage
    ):
        return state
    return replace(
        state,
        showing=changed(site.stages, showing, now_s, decision.stage),
        before=showing.stage,
        late=late,
    )


def _full(site: SignalSite, state: SignalState) -> list[bool]:
    """Whether the road that a lane leads to has no room, by lane."""
    return [
        any(state.standing_s.get(name, 0.0) >= STANDING_S for name in names)
        for names in site.behind
    ]


def _readings(lane: LaneSite, readings: Mapping[str, Reading]) -> tuple[Reading, Reading]:
    advance = NOTHING if lane.advance is None else readings.get(lane.advance, NOTHING)
    return readings.get(lane.stop, NOTHING), advance


def level_of(site: SignalSite, lanes: tuple[LaneState, ...]) -> Level:
    """Say what the detectors are worth."""
    total = blind = short = 0.0
    for lane, known in zip(site.lanes, lanes, strict=True):
        weight = max(lane.flow_per_s, 1e-6)
        total += weight
        far = lane.advance is not None and not known.advance.failed
        if known.stop.failed and not far:
            blind += weight
        if not far and lane.advance is not None:
            short += weight
    if blind > _HALF * total:
        return Level.PLAN
    return Level.ACTUATED if short > _HALF * total else Level.ADAPTIVE


def _decided_without(
    site: SignalSite, state: SignalState, now_s: float
) -> tuple[Decision, int] | None:
    """Decide where stages need not be compared: by the plan, and for people on foot."""
    level = level_of(site, state.lanes)
    if level is not Level.ADAPTIVE and len(site.plan) > 1:
        return Decision(_by_plan(site, state, level, now_s), level), -1
    walk = _walk_due(site, state, now_s)
    return None if walk is None else (walk, -1)


def _decided(
    site: SignalSite,
    state: SignalState,
    found: Comparison,
    full: Sequence[bool],
    now_s: float,
    *,
    wish: Wish | None,
) -> tuple[Decision, int]:
    """Decide by a comparison, and give the lane for whose wait it was; -1 for none."""
    shown, level = state.showing.stage, level_of(site, state.lanes)
    late = _latest(site, state, full)
    if late >= 0 and not _owed(site, state, now_s):
        among = [
            place
            for place in range(len(site.stages.stages))
            if site.model.goes[place, late] > 0
            and may_change(site.stages, state.showing, now_s, place)
        ]
        if among:
            best = max(among, key=lambda place: (found.rates[place], -place))
            waited = site.lanes[late].lane, state.lanes[late].waiting_s
            return Decision(best, level, found.keeps_s, *waited), late
    if wish is not None:
        known = state.lanes[wish.lane]
        stage = wished(wish, site.model, known, state.showing, found, now_s=now_s)
        if stage is not None:
            return Decision(stage, level, found.keeps_s, whom=wish.request.says()), -1
    keeps = shown if found.keeps_s >= 0 else _with_walks(site, state, found.other, now_s)
    return Decision(keeps, level, found.keeps_s), -1


def _with_walks(site: SignalSite, state: SignalState, stage: int, now_s: float) -> int:
    """Give a stage with all of another's greens in which people on foot walk, too, if some are due.

    Who would be due before this stage comes again costs a stage of his own else.
    """
    due = {
        walk.group: red_s
        for walk, red_s in zip(site.walks, state.red_s, strict=True)
        if red_s + HORIZON_S >= walk.most_s
    }
    if not due:
        return stage
    stages = site.stages.stages
    among = [
        place
        for place, each in enumerate(stages)
        if each.groups >= stages[stage].groups
        and may_change(site.stages, state.showing, now_s, place)
    ]
    return max(
        [stage, *among],
        key=lambda place: (sum(due.get(each, 0.0) for each in stages[place].groups), -place),
    )


def _walk_due(site: SignalSite, state: SignalState, now_s: float) -> Decision | None:
    """Give the stage for people on foot who must have green now; None where nobody must."""
    due = {
        walk.group: red_s
        for walk, red_s in zip(site.walks, state.red_s, strict=True)
        if red_s + _wait_for(site, state, walk.group) >= walk.most_s
    }
    if not due:
        return None
    first = max(due, key=lambda group: due[group])
    among = [
        place
        for place, stage in enumerate(site.stages.stages)
        if first in stage.groups and may_change(site.stages, state.showing, now_s, place)
    ]
    if not among:
        return None
    # As many of those who are due as can walk together.
    best = max(
        among,
        key=lambda place: (
            sum(due.get(group, 0.0) for group in site.stages.stages[place].groups),
            -place,
        ),
    )
    return Decision(best, Level.ADAPTIVE, waited=first, waited_s=due[first])


def _wait_for(site: SignalSite, state: SignalState, group: str) -> float:
    """Give how long a change to a group's green takes at least."""
    shown = state.showing.stage
    return min(
        (
            site.stages.change_s(shown, place)
            for place, stage in enumerate(site.stages.stages)
            if group in stage.groups and (shown, place) in site.stages.changes
        ),
        default=0.0,
    )


def _latest(site: SignalSite, state: SignalState, full: Sequence[bool]) -> int:
    """Give the lane that must be served next, the longest wait first; -1 where none must."""
    found, longest_s = -1, 0.0
    change_s = float(site.model.least_s.max())
    for place, lane in enumerate(state.lanes):
        if lane.waiting_s + change_s >= AIM_S and lane.waiting_s > longest_s and not full[place]:
            found, longest_s = place, lane.waiting_s
    return found


def _owed(site: SignalSite, state: SignalState, now_s: float) -> bool:
    """Whether a green that was given for a wait has not yet had its share of the longest cycle."""
    if state.late < 0 or state.lanes[state.late].queue < 1:
        return False
    loads = [
        lane.flow_per_s / known.served_per_s
        for lane, known in zip(state.lanes, site.lanes, strict=True)
    ]
    needed = sum(
        max(
            (loads[lane] for lane in range(len(loads)) if site.model.goes[place, lane] > 0),
            default=0,
        )
        for place, _ in site.plan
    )
    share = loads[state.late] / max(needed, 1.0)
    return state.showing.green_s(now_s) < share * AIM_S


def _by_plan(site: SignalSite, state: SignalState, level: Level, now_s: float) -> int:
    """Give the plan's stage: its next one where the green is over, or nobody is left to extend."""
    shown = state.showing.stage
    places = [stage for stage, _ in site.plan]
    if shown not in places:
        return places[0]
    place = places.index(shown)
    following, green_s = places[(place + 1) % len(places)], site.plan[place][1]
    lasted_s = state.showing.green_s(now_s)
    if level is Level.PLAN:
        return following if lasted_s >= green_s else shown
    groups = site.stages.stages[shown].groups
    busy = any(
        known.empty_s < GAP_S and not known.stop.failed
        for lane, known in zip(site.lanes, state.lanes, strict=True)
        if any(group in groups for group, _ in lane.groups)
    )
    return shown if busy and lasted_s < _STRETCH * green_s else following
