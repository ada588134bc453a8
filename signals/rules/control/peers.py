"""What others do: max-pressure and longest queue, guarded so that nobody waits for ever.

Both see every vehicle. Every few seconds of green they choose among the stages of the plan in
force, with the halting vehicles n of an approach (its lane prolonged to 80 m upstream) and the mean
m of those on the lanes that it leads to:

(1)  longest queue   sum of n over the approaches that are green in the stage
(2)  max-pressure    sum of max(0, n - m) over the same

An approach whose vehicles have waited 120 s is served next. A tie leaves what is shown.

Source: Varaiya, Max pressure control of a network of signalized intersections, Transportation
Research C 36 (2013), for (2); the guards are those that make either usable on real networks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from signals.rules.control.approaches import Approach
from signals.rules.control.stages import Showing, StageSet, changed, may_change

PROLONGED_M: Final = 80.0
LONGEST_S: Final = 120.0
EVERY_S: Final = (5.0, 10.0)
"""Both are driven, and the better counts."""

Rule = Literal["max-pressure", "longest-queue"]


@dataclass(frozen=True)
class PeerSignal:
    """A signal, and what its controller looks at."""

    stages: StageSet
    approaches: tuple[Approach, ...]


@dataclass(frozen=True)
class Peer:
    """All signals under one rule."""

    rule: Rule
    every_s: float
    signals: tuple[PeerSignal, ...]


@dataclass(frozen=True, slots=True)
class PeerState:
    """What one signal's controller remembers."""

    showing: Showing
    ask_at_s: float
    """Its next choice."""
    waiting: Mapping[str, float]
    """By lane whose vehicles stand at red: since when."""


def begin(signal: PeerSignal, every_s: float, now_s: float) -> PeerState:
    """Begin with the first stage."""
    least_s = max(every_s, signal.stages.stages[0].least_s)
    return PeerState(Showing(0, now_s), now_s + least_s, {})


def step(
    peer: Peer, signal: PeerSignal, state: PeerState, now_s: float, halting: Mapping[str, int]
) -> PeerState:
    """Take a second in, and choose where a choice is due.

    Parameters
    ----------
    peer : Peer
    signal : PeerSignal
    state : PeerState
    now_s : float
    halting : Mapping
        By lane, the vehicles that stand on it.

    Notes
    -----
    Cost grows with approaches, times stages where a choice is due.
    """
    showing = state.showing
    green = frozenset[str]()
    if not showing.changing(now_s):
        green = signal.stages.stages[showing.stage].groups
    waiting = {}
    for each in signal.approaches:
        if any(group in green for group, _ in each.leads):
            continue
        if any(halting.get(lane, 0) for lane in each.stretch):
            waiting[each.lane] = state.waiting.get(each.lane, now_s)
    state = replace(state, waiting=waiting)
    if showing.changing(now_s) or now_s < state.ask_at_s:
        return state
    target = _choice(peer.rule, signal, state, now_s, halting)
    if target == showing.stage or not may_change(signal.stages, showing, now_s, target):
        return replace(state, ask_at_s=now_s + peer.every_s)
    after = changed(signal.stages, showing, now_s, target)
    least_s = max(peer.every_s, signal.stages.stages[target].least_s)
    return replace(state, showing=after, ask_at_s=after.since_s + least_s)


def _choice(
    rule: Rule,
    signal: PeerSignal,
    state: PeerState,
    now_s: float,
    halting: Mapping[str, int],
) -> int:
    scores = [
        _score(rule, stage.groups, signal.approaches, halting) for stage in signal.stages.stages
    ]
    shown = state.showing.stage
    late = {
        lane: since_s
        for lane, since_s in state.waiting.items()
        if now_s - since_s >= LONGEST_S and _serving(signal, lane)
    }
    among: Sequence[int] = range(len(scores))
    if late:
        first = min(late, key=lambda lane: late[lane])
        among = _serving(signal, first)
    return max(among, key=lambda place: (scores[place], place == shown))


def _serving(signal: PeerSignal, lane: str) -> list[int]:
    groups = {group for each in signal.approaches if each.lane == lane for group, _ in each.leads}
    return [place for place, each in enumerate(signal.stages.stages) if groups & each.groups]


def _score(
    rule: Rule,
    groups: frozenset[str],
    approaches: Sequence[Approach],
    halting: Mapping[str, int],
) -> float:
    total = 0.0
    for each in approaches:
        behind = [lane for group, lanes in each.leads if group in groups for lane in lanes]
        if not behind:
            continue
        here = sum(halting.get(lane, 0) for lane in each.stretch)
        if rule == "longest-queue":
            total += here
        else:
            there = sum(halting.get(lane, 0) for lane in behind) / len(behind)
            total += max(0.0, here - there)
    return total
