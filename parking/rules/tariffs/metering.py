"""Counting charged time: one meter for each count of a band, and what it comes to by any instant.

Everything here is whole seconds since 1970 and whole minor units. ``accrued`` never falls as the
counted time grows, which is what makes a fee that never falls as a stay grows.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from pydantic import JsonValue

from parking.rules.tariffs.document import Band, Charge, Entry, Steps, Tiers

FOREVER_S: Final = 1 << 40


@dataclass(frozen=True, slots=True)
class Rate:
    """A charge laid out for counting; of the three tables one is filled, or none: no charge."""

    steps: tuple[tuple[int, int, int, int], ...] = ()
    """From, to, unit and price of each step."""
    started: bool = True
    """Whether a unit is charged when it starts, not when it is complete."""
    tolerance_s: int = 0
    """How much of a started unit is not charged yet; less than any unit."""
    tiers: tuple[tuple[int, int], ...] = ()
    """Longest counted time and price of each tier."""
    entry_minor: int | None = None
    prices: tuple[JsonValue, ...] = ()
    """The steps' prices as reasons carry them."""

    @property
    def reason(self) -> str:
        """Key of the reason for a line of units."""
        if self.tolerance_s:
            return "tariff.why.units.tolerance"
        return "tariff.why.units.started" if self.started else "tariff.why.units.completed"

    def units(self, place: int, clock_s: int) -> int:
        """Give the units of a step that are charged once so much time is counted."""
        start, end, unit_s, _ = self.steps[place]
        inside = min(clock_s, end) - start
        if not self.started:
            return max(0, inside) // unit_s
        return max(0, -((self.tolerance_s - inside) // unit_s))

    def unit_left_s(self, clock_s: int) -> int:
        """Give how long the unit under way still lasts once so much time is counted."""
        for start, end, unit_s, _ in self.steps:
            if clock_s <= end:
                return -(clock_s - start) % unit_s
        return 0

    def tier(self, clock_s: int) -> int:
        """Give the place of the tier that so much counted time falls in."""
        return next(place for place, (up_to, _) in enumerate(self.tiers) if clock_s <= up_to)

    def accrued(self, clock_s: int) -> int:
        """Give the minor units charged once so much time is counted; never falls."""
        if clock_s <= 0:
            return 0
        if self.steps:
            return sum(self.units(i, clock_s) * step[3] for i, step in enumerate(self.steps))
        if self.tiers:
            return self.tiers[self.tier(clock_s)][1]
        return self.entry_minor or 0


def rate_of(charge: Charge, currency: str) -> Rate:
    """Lay out a charge for counting."""
    if isinstance(charge, Steps):
        ends = [FOREVER_S if step.until_s is None else step.until_s for step in charge.steps]
        return Rate(
            steps=tuple(
                (start, end, step.unit_s, step.price_minor)
                for (start, end), step in zip(pairwise([0, *ends]), charge.steps, strict=True)
            ),
            started=charge.rounding == "started",
            tolerance_s=charge.tolerance_s,
            prices=tuple(
                {"minor": step.price_minor, "currency": currency} for step in charge.steps
            ),
        )
    if isinstance(charge, Tiers):
        return Rate(
            tiers=tuple(
                (FOREVER_S if tier.up_to_s is None else tier.up_to_s, tier.price_minor)
                for tier in charge.tiers
            )
        )
    return Rate(entry_minor=charge.price_minor) if isinstance(charge, Entry) else Rate()


@dataclass(slots=True)
class Meter:
    """One count of a band: its stretches of charged time, in order and apart from each other."""

    band: Band
    rate: Rate
    pieces: list[tuple[int, int]]
    cap_minor: int | None = None
    _starts: list[int] = field(default_factory=list)
    _clocks: list[int] = field(default_factory=list)

    def seconds(self) -> int:
        """Give the counted time."""
        return sum(end - start for start, end in self.pieces)

    def total(self) -> int:
        """Give what the whole count comes to."""
        return self._capped(self.rate.accrued(self.seconds()))

    def value(self, second: int) -> int:
        """Give what was charged before an instant."""
        if not self._starts:
            clock_s = 0
            for start, end in self.pieces:
                self._starts.append(start)
                self._clocks.append(clock_s)
                clock_s += end - start
        place = bisect_right(self._starts, second) - 1
        if place < 0:
            return 0
        start, end = self.pieces[place]
        return self._capped(self.rate.accrued(self._clocks[place] + min(second, end) - start))

    def _capped(self, minor: int) -> int:
        return minor if self.cap_minor is None else min(minor, self.cap_minor)


class Charges:
    """What all meters together came to by any instant; looked up by halving.

    Parameters
    ----------
    meters : Sequence[Meter]
        None of them empty.
    """

    __slots__ = ("_ends", "_long", "_prefix", "_short")

    # a count of a visit shares its time with no other; one of a day or of 24 hours spans no more
    _REACH_S = 2 * 86_400

    def __init__(self, meters: Sequence[Meter]) -> None:
        self._long = [meter for meter in meters if meter.band.counts == "stay"]
        self._short = sorted(
            (meter for meter in meters if meter.band.counts != "stay"),
            key=lambda meter: meter.pieces[-1][1],
        )
        self._ends = [meter.pieces[-1][1] for meter in self._short]
        self._prefix = [0]
        for meter in self._short:
            self._prefix.append(self._prefix[-1] + meter.total())

    def before(self, second: int) -> int:
        """Give what was charged before an instant."""
        place = bisect_right(self._ends, second)
        minor = self._prefix[place] + sum(meter.value(second) for meter in self._long)
        for meter in self._short[place:]:
            start = meter.pieces[0][0]
            if start < second:
                minor += meter.value(second)
            elif start >= second + self._REACH_S:
                break
        return minor


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time in which no more than a cap is charged."""

    start: int
    end: int
    left_minor: int
    """What of the cap earlier stays have left."""
    paid_minor: int = 0


class Together:
    """What several parts, each under caps of its own, came to by any instant."""

    __slots__ = ("_parts",)

    def __init__(self, parts: Sequence["Chargeable"]) -> None:
        self._parts = parts

    def before(self, second: int) -> int:
        """Give what was charged before an instant."""
        return sum(part.before(second) for part in self._parts)


class Capped:
    """Charges below a cap in each of several windows that follow one another without holes."""

    __slots__ = ("_at_start", "_below", "_prefix", "_starts", "_windows")

    def __init__(self, below: "Chargeable", windows: Sequence[Window]) -> None:
        self._below = below
        self._windows = windows
        self._starts = [window.start for window in windows]
        self._at_start = [below.before(window.start) for window in windows]
        self._prefix = [0]
        for place in range(len(windows)):
            self._prefix.append(self._prefix[-1] + self._inside(place, windows[place].end))

    def before(self, second: int) -> int:
        """Give what was charged before an instant, under the cap."""
        place = bisect_right(self._starts, second) - 1
        return 0 if place < 0 else self._prefix[place] + self._inside(place, second)

    def excess(self, place: int) -> int:
        """Give what the cap takes off in a window."""
        uncapped = self._below.before(self._windows[place].end) - self._at_start[place]
        return max(0, uncapped - self._windows[place].left_minor)

    def _inside(self, place: int, second: int) -> int:
        charged = self._below.before(second) - self._at_start[place]
        return min(charged, self._windows[place].left_minor)


Chargeable = Charges | Capped | Together
