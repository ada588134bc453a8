"""Killing processes at random moments, each kind at least once."""

from __future__ import annotations

import time
from collections import Counter
from random import Random
from typing import TYPE_CHECKING, Final

import psutil

from tests.faults.installation import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.faults.installation import Installation

RESTART_PATIENCE_S: Final = 60.0


class Killer:
    """Kills when so many uplinks were answered, at moments spread over all of them.

    For the main thread, which also starts killed supervisors again.

    Parameters
    ----------
    installation
        What it kills in.
    kills
        How many; with at least as many as there are kinds, each is killed.
    goal
        Uplinks that will be answered in the end.
    seed
        Decides whom and when.
    """

    def __init__(
        self,
        installation: Installation,
        kills: int,
        goal: int,
        seed: int,
        *,
        kinds: Sequence[str] = KINDS,
    ) -> None:
        self._random = Random(seed)  # noqa: S311 - repeatable kills, no secret
        self._installation = installation
        bag: list[str] = []
        while len(bag) < kills:
            bag += self._random.sample(kinds, len(kinds))
        share = 0.95 * goal / max(1, kills)
        self._plan = [
            (round(share * (number + self._random.random())), kind)
            for number, kind in enumerate(bag[:kills])
        ]
        self.killed: Counter[str] = Counter()
        self.away_s = 0.0
        """Time spent starting killed supervisors again."""

    def work(self, answered: Callable[[], int], busy: Callable[[], bool]) -> None:
        """Kill according to plan until nobody sends any more."""
        for after, kind in self._plan:
            while answered() < after and busy():
                time.sleep(0.002)
            if not busy():
                return  # nothing is left to be disturbed
            time.sleep(self._random.random() * 0.05)  # anywhere within a batch
            self.kill(kind)
        while busy():
            time.sleep(0.05)

    def kill(self, kind: str) -> None:
        """Kill one process of a kind, as soon as there is one."""
        deadline = time.monotonic() + RESTART_PATIENCE_S
        while True:
            victims = self._installation.look()[kind]
            if victims:
                break
            assert time.monotonic() < deadline, (
                f"no {kind} for {RESTART_PATIENCE_S:.0f} s\n{self._installation.logs()}"
            )
            time.sleep(0.02)
        if kind == "supervisor":
            self._installation.kill()
            begun = time.monotonic()
            self._installation.start()
            self.away_s += time.monotonic() - begun
        else:
            try:
                self._random.choice(victims).kill()
            except psutil.NoSuchProcess:
                return
        self.killed[kind] += 1
