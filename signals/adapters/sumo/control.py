"""Controllers of ours at work in SUMO, and how long approaches wait under whichever controller.

Runs in the simulation's process: it is given libsumo, never imports it.
"""

import time
from collections.abc import Iterable
from typing import Any, Final, Protocol

from signals.adapters.sumo.approaching import Approaching
from signals.rules.adaptive import control as adaptive
from signals.rules.adaptive.control import Adaptive
from signals.rules.adaptive.detectors import Reading
from signals.rules.control.peers import Peer, begin, step
from signals.rules.control.stages import state_at
from signals.rules.model.aspects import driven
from signals.rules.priority.beside_adaptive import Wish, wish_of
from signals.rules.priority.requests import Board, living, ranked, told

_MS: Final = 1_000.0
_GO: Final = frozenset("Gg")
_FREE: Final = frozenset("GgsoO")
"""Lamps beside which nobody has to wait for a green."""


class Controller(Protocol):
    """Whoever switches all signals of a run."""

    decision_ms: list[float]
    """Processor time of deciding for all signals, a figure a second."""
    decisions: list[tuple[float, str, str]]
    """Instant, signal and reason of each change."""
    shown: dict[str, str]
    """By signal, the lamps that it was told to show last, in letters of ``CODES``."""

    def step(self, now_s: float) -> None:
        """Look, decide and switch for the second that begins now."""


class Halting:
    """How many vehicles stand on some lanes, looked up once a second."""

    def __init__(self, sumo: Any, lanes: set[str]) -> None:
        self._sumo = sumo
        self._wanted = sumo.constants.LAST_STEP_VEHICLE_HALTING_NUMBER
        for lane in sorted(lanes):
            sumo.lane.subscribe(lane, [self._wanted])

        self.now: dict[str, int] = {}
        """Lanes on which somebody stands."""

    def step(self) -> None:
        """Look."""
        self.now = {
            lane: found[self._wanted]
            for lane, found in self._sumo.lane.getAllSubscriptionResults().items()
            if found[self._wanted]
        }


class Waits:
    """The longest that anybody stood at a stop line without its lane having green."""

    def __init__(self, sumo: Any) -> None:
        self._links: dict[str, dict[str, list[int]]] = {}
        for light in sumo.trafficlight.getIDList():
            lanes = self._links.setdefault(light, {})
            for index, links in enumerate(sumo.trafficlight.getControlledLinks(light)):
                for link in links:
                    lanes.setdefault(link[0], []).append(index)
        self._since: dict[str, float] = {}
        self.longest_s = 0.0

    @property
    def lanes(self) -> set[str]:
        """Lanes before stop lines."""
        return {lane for lanes in self._links.values() for lane in lanes}

    def step(self, now_s: float, states: dict[str, str], halting: dict[str, int]) -> None:
        """Take in what was shown and who stood in the last second."""
        for light, lanes in self._links.items():
            state = states[light]
            for lane, links in lanes.items():
                lamps = {state[index] for index in links}
                if not halting.get(lane) or lamps & _GO or lamps <= _FREE:
                    self._since.pop(lane, None)
                    continue
                since_s = self._since.setdefault(lane, now_s - 1)
                self.longest_s = max(self.longest_s, now_s - since_s)


class PeerController:
    """Max-pressure or longest queue at every signal."""

    def __init__(self, sumo: Any, peer: Peer, halting: Halting, now_s: float) -> None:
        self._sumo, self._peer, self._halting = sumo, peer, halting
        self._states = [begin(signal, peer.every_s, now_s) for signal in peer.signals]
        self.shown: dict[str, str] = {}
        self._walkers: dict[str, tuple[int, ...]] = {}
        self.decisions: list[tuple[float, str, str]] = []
        self.decision_ms: list[float] = []
        self._show(now_s)

    @staticmethod
    def lanes(peer: Peer) -> set[str]:
        """Give the lanes that it looks at."""
        return {
            lane
            for signal in peer.signals
            for each in signal.approaches
            for lane in (*each.stretch, *(name for _, behind in each.leads for name in behind))
        }

    def step(self, now_s: float) -> None:
        """Look, decide and switch for the second that begins now."""
        halting = self._halting.now
        begun_s = time.thread_time()
        self._states = [
            step(self._peer, signal, state, now_s, halting)
            for signal, state in zip(self._peer.signals, self._states, strict=True)
        ]
        self.decision_ms.append((time.thread_time() - begun_s) * _MS)
        self._show(now_s)

    def _show(self, now_s: float) -> None:
        for signal, state in zip(self._peer.signals, self._states, strict=True):
            lamps = state_at(signal.stages, state.showing, now_s)
            show(self._sumo, self.shown, self._walkers, signal.stages.junction, lamps)


class AdaptiveController:
    """Adaptive control at every signal; it sees its point detectors and nothing else."""

    def __init__(self, sumo: Any, control: Adaptive, now_s: float) -> None:
        self._sumo, self._control = sumo, control
        self._loops = tuple(each.name for each in control.detectors)
        self._states = [adaptive.begin(site, now_s) for site in control.signals]
        self._failed = {
            name: Reading(occupied=True) if stuck else Reading() for name, stuck in control.failed
        }
        self.shown: dict[str, str] = {}
        self._walkers: dict[str, tuple[int, ...]] = {}
        self.decisions: list[tuple[float, str, str]] = []
        self.decision_ms: list[float] = []
        self._approaching = Approaching(sumo, control.groups)
        self._boards: dict[str, Board] = {}
        self._show(now_s)

    def _wishes(self, now_s: float) -> dict[int, Wish]:
        """Hear who comes, and give who has priority by the signal's place."""
        policy = self._control.policy
        if policy is None:
            return {}
        messages = self._approaching.step(now_s)
        found = {}
        for place, site in enumerate(self._control.signals):
            name = site.stages.junction
            board = told(self._boards.get(name, {}), messages.get(name, ()), now_s)
            self._boards[name] = board
            if board:
                first = ranked(living(board, now_s), policy)
                wish = wish_of(site.lanes, first, policy, now_s)
                if wish is not None:
                    found[place] = wish
        return found

    def step(self, now_s: float) -> None:
        """Read the detectors, decide and switch for the second that begins now."""
        readings = readings_of(self._sumo, self._loops, now_s)
        readings.update(self._failed)
        wishes = self._wishes(now_s)
        begun_s = time.thread_time()
        before = self._states
        self._states = adaptive.step(self._control, before, readings, now_s, wishes)
        self.decision_ms.append((time.thread_time() - begun_s) * _MS)
        for site, old, new in zip(self._control.signals, before, self._states, strict=True):
            if new.showing.stage != old.showing.stage:
                says = new.decision.says(old.showing.stage)
                self.decisions.append((now_s, site.stages.junction, says))
        self._show(now_s)

    def _show(self, now_s: float) -> None:
        for site, state in zip(self._control.signals, self._states, strict=True):
            lamps = state_at(site.stages, state.showing, now_s)
            show(self._sumo, self.shown, self._walkers, site.stages.junction, lamps)


def readings_of(sumo: Any, loops: Iterable[str], now_s: float) -> dict[str, Reading]:
    """Give what loops say about the second that ends now; those that say nothing are left out.

    Each is asked for its vehicles: in the second in which somebody leaves, and of somebody who
    comes and leaves within one, the occupancy that a subscription tells is 0.
    """
    passed = sumo.inductionloop.getVehicleData
    return {name: _reading(data, now_s - 1) for name in loops if (data := passed(name))}


def _reading(passed: Any, since_s: float) -> Reading:
    """Give what a loop says about those who were on it: length, coming and leaving, no names."""
    return Reading(
        sum(entered_s > since_s for _, _, entered_s, _, _ in passed),
        sum(left_s >= 0 for _, _, _, left_s, _ in passed),
        any(left_s < 0 for _, _, _, left_s, _ in passed),
    )


def walkers_of(sumo: Any, light: str) -> tuple[int, ...]:
    """Give the places of a signal's lamps for people on foot: their ways begin beside the roads."""
    return tuple(
        index
        for index, links in enumerate(sumo.trafficlight.getControlledLinks(light))
        if links and links[0][0].startswith(":")
    )


def show(
    sumo: Any,
    shown: dict[str, str],
    walkers: dict[str, tuple[int, ...]],
    light: str,
    lamps: str,
) -> None:
    """Switch a signal where it shows something else; `walkers` keeps which lamps are theirs."""
    if lamps != shown.get(light):
        if light not in walkers:
            walkers[light] = walkers_of(sumo, light)
        letters = driven(lamps, walkers[light])
        sumo.trafficlight.setRedYellowGreenState(light, letters)
        shown[light] = lamps
