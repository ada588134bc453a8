"""A facility's bays counted by whom they are for: public, reserved and permit never added up.

A public count is what a driver without any right could use now: a bay that is suspended, closed
by a rule, retired, or in a facility that is closed, is in none of its states. What a count cannot
know is `unknown`, never `free`; no count is negative and free bays never exceed the total.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from parking.rules.places.model import Purpose

State = Literal["free", "occupied", "unknown"]
Pool = Literal["public", "reserved", "permit", "closed", "gone"]
"""Where a bay counts now: `closed` may not be used by the public, `gone` is no bay any more."""
Availability = Literal["free", "full", "unknown", "closed", "none"]
"""What a driver is told: some are free; all are taken; nobody knows; it is closed; it has no
public bays at all."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Bays by state."""

    free: int = 0
    occupied: int = 0
    unknown: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.free + self.occupied + self.unknown

    def plus(self, state: State) -> "Tally":
        """Count one more."""
        return Tally(
            self.free + (state == "free"),
            self.occupied + (state == "occupied"),
            self.unknown + (state == "unknown"),
        )


EMPTY: Final = Tally()


@dataclass(frozen=True, slots=True)
class Capacity:
    """A facility's bays by purpose, and those that nobody may use now."""

    public: Tally
    reserved: Tally
    permit: Tally
    closed: int
    availability: Availability


def pool_of(purpose: Purpose, *, gone: bool, suspended: bool, allowed: bool) -> Pool:
    """Say where a bay counts now."""
    if gone:
        return "gone"
    if suspended or (purpose == "public" and not allowed):
        return "closed"
    return purpose


def capacity(
    counted: Tally,
    bays: int,
    apart: Iterable[tuple[Pool, State]],
    *,
    is_open: bool,
) -> Capacity:
    """Take the bays that count apart out of a count of all of a facility's bays.

    Parameters
    ----------
    counted
        What the live store counts, bays of every pool together; those that never spoke are not
        in it.
    bays
        How many bays the facility has in the registry, of every pool.
    apart
        Pool and state of each bay whose pool is not `public`.
    is_open
        Whether the facility is open now.

    Notes
    -----
    The count and the states apart are read a moment after each other; where they do not agree,
    what is left over is unknown, never free.
    """
    pools: dict[Pool, Tally] = {}
    for pool, state in apart:
        pools[pool] = pools.get(pool, EMPTY).plus(state)
    away = [tally for pool, tally in pools.items() if pool != "public"]
    total = max(0, bays - sum(tally.total for tally in away))
    free = min(total, max(0, counted.free - sum(tally.free for tally in away)))
    occupied = counted.occupied - sum(tally.occupied for tally in away)
    occupied = min(total - free, max(0, occupied))
    public = Tally(free, occupied, total - free - occupied)
    closed = pools.get("closed", EMPTY).total
    if not is_open:
        closed, public = closed + public.total, EMPTY
    return Capacity(
        public,
        pools.get("reserved", EMPTY),
        pools.get("permit", EMPTY),
        closed,
        _availability(public, closed, is_open=is_open),
    )


def _availability(public: Tally, closed: int, *, is_open: bool) -> Availability:
    if public.total == 0:
        return "closed" if closed or not is_open else "none"
    if public.free:
        return "free"
    return "full" if public.unknown == 0 else "unknown"
