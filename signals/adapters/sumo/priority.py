"""Fixed plans that give priority, at work in SUMO.

Runs in the simulation's process: it is given libsumo, never imports it.
"""

import time
from collections import Counter
from typing import Any, Final

from signals.adapters.sumo.approaching import Approaching
from signals.adapters.sumo.control import show
from signals.rules.control.stages import state_at
from signals.rules.priority.decision import Act
from signals.rules.priority.running import PlanPriority, begin, step

_MS: Final = 1_000.0


class PriorityController:
    """Fixed plans at every signal that can give priority."""

    def __init__(self, sumo: Any, control: PlanPriority, now_s: float) -> None:
        self._sumo, self._control = sumo, control
        self._states = [begin(site, now_s) for site in control.sites]
        self._approaching = Approaching(
            sumo, {site.stages.junction: site.groups for site in control.sites}
        )
        self.shown: dict[str, str] = {}
        self._walkers: dict[str, tuple[int, ...]] = {}
        self.decisions: list[tuple[float, str, str]] = []
        self.decision_ms: list[float] = []
        self._acts: Counter[str] = Counter()
        self._asking: set[tuple[str, str]] = set()
        self._repaid_s = 0.0
        self._show(now_s)

    @property
    def report(self) -> dict[str, Any]:
        """What was asked, done and given back."""
        return {
            "signals": len(self._states),
            "requests": len(self._asking),
            "acts": {act.value: self._acts[act.value] for act in Act},
            "repaid_s": self._repaid_s,
        }

    def step(self, now_s: float) -> None:
        """Hear who comes, decide and switch for the second that begins now."""
        messages = self._approaching.step(now_s)
        begun_s = time.thread_time()
        self._states = [
            step(site, state, messages.get(site.stages.junction, ()), self._control.policy, now_s)
            for site, state in zip(self._control.sites, self._states, strict=True)
        ]
        self.decision_ms.append((time.thread_time() - begun_s) * _MS)
        for site, state in zip(self._control.sites, self._states, strict=True):
            self._repaid_s += state.repaid_s
            for each in state.decisions:
                self._acts[each.act.value] += 1
                self._asking.add((site.stages.junction, each.request.vehicle))
                self.decisions.append((now_s, site.stages.junction, each.says()))
        self._show(now_s)

    def _show(self, now_s: float) -> None:
        for site, state in zip(self._control.sites, self._states, strict=True):
            lamps = state_at(site.stages, state.showing, now_s)
            show(self._sumo, self.shown, self._walkers, site.stages.junction, lamps)
