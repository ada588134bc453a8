"""A simulated controller's cabinet kept running, and what goes wrong with it on purpose."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from city.errors import Invalid
from signals.rules.controllers import cabinet as rules
from signals.rules.controllers.cabinet import Cabinet

_MOST_SPEED: Final = 1_000.0
_MOST_DELAY_S: Final = 60.0
_MOST_CLOCK_S: Final = 86_400.0
_SHARES: Final = ("lose", "corrupt", "duplicate")
_SECONDS: Final = ("delay", "clock")
_SWITCHES: Final = ("lamp", "door")
GRAMMAR: Final = (
    "lose=SHARE,corrupt=SHARE,duplicate=SHARE,delay=S,seed=N,weld=PHASE,lamp=0|1,door=0|1,clock=S"
)


@dataclass(frozen=True, slots=True)
class Mischief:
    """What goes wrong on purpose."""

    lose: float = 0.0
    """Share of replies that are never sent."""
    corrupt: float = 0.0
    """Share of replies with one byte changed."""
    duplicate: float = 0.0
    """Share of replies that are sent twice."""
    delay_s: float = 0.0
    """By which every reply is late."""
    seed: int = 0
    weld: int | None = None
    """Phase whose green relay is stuck."""
    lamp: bool = False
    """Whether a red lamp is out."""
    door: bool = False
    """Whether its front door is open."""
    clock_s: float = 0.0
    """By which its clock is ahead."""


def parse_mischief(text: str) -> Mischief:
    """Read ``GRAMMAR``; Invalid names what is wrong."""
    given: dict[str, float] = {}
    for part in filter(None, (each.strip() for each in text.split(","))):
        name, _, value = part.partition("=")
        if name not in {*_SHARES, *_SECONDS, *_SWITCHES, "seed", "weld"}:
            raise Invalid(f"{name} is not in {GRAMMAR}", field="--faults")
        try:
            given[name] = float(value) if name in {*_SHARES, *_SECONDS} else int(value)
        except ValueError:
            raise Invalid(f"{name} must be a number", field="--faults") from None
        most = _MOST_DELAY_S if name == "delay" else 1.0
        if name in {*_SHARES, *_SWITCHES, "delay"} and not 0 <= given[name] <= most:
            raise Invalid(f"{name} must be 0 to {most:g}", field="--faults")
        if name == "clock" and not abs(given[name]) <= _MOST_CLOCK_S:
            raise Invalid(f"clock must be within {_MOST_CLOCK_S:g}", field="--faults")
    weld = given.get("weld")
    return Mischief(
        given.get("lose", 0.0),
        given.get("corrupt", 0.0),
        given.get("duplicate", 0.0),
        given.get("delay", 0.0),
        int(given.get("seed", 0)),
        None if weld is None else int(weld),
        given.get("lamp", 0) == 1,
        given.get("door", 0) == 1,
        given.get("clock", 0.0),
    )


class CabinetHost:
    """One cabinet on a clock.

    Parameters
    ----------
    cabinet : Cabinet
    speed : float
        Its seconds in one of ours.
    mischief : Mischief
    tick : callable
        Our seconds, from any start, never backwards.
    told : callable
        Gets the cabinet after each of its seconds, and how many seconds ago that was.
    """

    def __init__(
        self,
        cabinet: Cabinet,
        *,
        speed: float = 1.0,
        mischief: Mischief | None = None,
        tick: Callable[[], float] = time.monotonic,
        told: Callable[[Cabinet, int], None] = lambda _cabinet, _late_s: None,
    ) -> None:
        if not 0 < speed <= _MOST_SPEED:
            raise Invalid(f"must lie above 0 and up to {_MOST_SPEED:g}", field="--speed")
        self.mischief = mischief or Mischief()
        weld = self.mischief.weld
        if weld is not None and weld not in cabinet.layout.phase_of:
            raise Invalid(f"weld: there is no phase {weld}", field="--faults")
        welded = frozenset() if weld is None else frozenset({weld})
        self._cabinet = rules.started(replace(cabinet, welded=welded))
        self._speed = speed
        self._tick = tick
        self._told = told
        self._begun_s = tick()
        self._steps = 0
        self._chance = random.Random(self.mischief.seed)  # noqa: S311 - faults, not secrets

    @property
    def cabinet(self) -> Cabinet:
        """The cabinet as it is now; cost grows with the seconds since it was last asked."""
        due = int((self._tick() - self._begun_s) * self._speed)
        for late_s in range(due - self._steps - 1, -1, -1):
            self._cabinet = rules.step(self._cabinet)
            self._told(self._cabinet, late_s)
        self._steps = max(due, self._steps)
        return self._cabinet

    def change(self, cabinet: Cabinet) -> None:
        """Put a changed cabinet in the place of the one just read."""
        self._cabinet = cabinet

    def spoiled(self, reply: bytes) -> list[bytes]:
        """Give what is really sent of a reply."""
        if self._chance.random() < self.mischief.lose:
            return []
        if reply and self._chance.random() < self.mischief.corrupt:
            place = self._chance.randrange(len(reply))
            wrong = reply[place] ^ (1 << self._chance.randrange(8))
            reply = reply[:place] + bytes((wrong,)) + reply[place + 1 :]
        return [reply] * (2 if self._chance.random() < self.mischief.duplicate else 1)
