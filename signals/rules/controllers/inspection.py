"""What a controller says of itself when it is looked over: who made it, its clock, what is wrong.

What it does not say, or no source says how to ask, is None: unknown, not in order.
"""

from dataclasses import dataclass
from typing import Final

LAMPS: Final = frozenset({"red_lamp", "yellow_lamp", "green_lamp"})
DOORS: Final = frozenset({"door", "front_door", "back_door", "left_door", "right_door"})


@dataclass(frozen=True, slots=True)
class Inspection:
    """One look at a controller."""

    maker: str | None = None
    version: str | None = None
    """Of hardware and software, as its bytes stand."""
    serial: str | None = None
    clock_ahead_s: float | None = None
    """Its clock less ours, half the way of the question and answer allowed for."""
    faults: tuple[str, ...] | None = None
    alarms: tuple[str, ...] | None = None

    @property
    def lamps(self) -> tuple[str, ...] | None:
        """The faults that are of lamps."""
        return None if self.faults is None else tuple(e for e in self.faults if e in LAMPS)

    @property
    def doors(self) -> tuple[str, ...] | None:
        """The doors that are open."""
        return None if self.alarms is None else tuple(e for e in self.alarms if e in DOORS)

    @property
    def others(self) -> tuple[str, ...] | None:
        """What else is wrong; None where neither faults nor alarms are told."""
        if self.faults is None and self.alarms is None:
            return None
        told = (*(self.faults or ()), *(self.alarms or ()))
        return tuple(each for each in told if each not in LAMPS | DOORS)
