"""The chance that a bay is free on arrival: a two-state chain per bay group and hour of week.

A free bay is taken at the group's arrival rate, a taken one freed at its departure rate; both are
counted from the bays' recorded changes, hour of week by hour of week. From a bay's state now the
chain gives its state at any later time, so the current state counts for the next minutes and the
usual week for later. How the chain errs is learnt on days that it was not fitted on: a
calibration table, kept with the Brier score and shown.

An hour that was hardly seen leans on the group's own rate of that hour of day, that on the group's
mean, and that on the city's: nothing is guessed from nothing, and without any change on record the
chance is unknown.

Source: continuous-time Markov chain with two states, transient solution
``p(t) = pi + (p0 - pi) exp(-(a + d) t)``, pi = d / (a + d); queueing texts, for example
Kleinrock (1975), section 2.4.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

WEEK_HOURS: Final = 168
HOUR_S: Final = 3600.0
LEAN_S: Final = 8 * 3600.0
"""Bay-seconds of the more general rate that a rate leans on."""
LEAST_CHANGES: Final = 20
"""Changes of a group's bays below which its chance is unknown."""
BINS: Final = 10
LEAN_ROWS: Final = 30.0
"""Rows of 'as foretold' that each bin of the calibration starts with."""


@dataclass(frozen=True, slots=True)
class HourTally:
    """What one hour of the week saw in a group of bays.

    Attributes
    ----------
    free_s, occupied_s
        Bay-seconds in either state; unknown counts in neither.
    taken, freed
        Changes from free to occupied, and back.
    """

    free_s: float = 0.0
    occupied_s: float = 0.0
    taken: int = 0
    freed: int = 0


@dataclass(frozen=True, slots=True)
class Rates:
    """Arrival and departure rates per bay-second by hour of the local week (Monday 00:00 is 0)."""

    taken_per_s: tuple[float, ...]
    freed_per_s: tuple[float, ...]


def _rate(events: float, seconds: float, general: float) -> float:
    return (events + LEAN_S * general) / (seconds + LEAN_S)


def _leaning(events: Sequence[float], seconds: Sequence[float], city: float) -> tuple[float, ...]:
    mean = _rate(sum(events), sum(seconds), city)
    by_hour = []
    for hour in range(24):
        days = range(hour, WEEK_HOURS, 24)
        by_hour.append(_rate(sum(events[i] for i in days), sum(seconds[i] for i in days), mean))
    return tuple(_rate(events[i], seconds[i], by_hour[i % 24]) for i in range(WEEK_HOURS))


def fit(tallies: Mapping[int, HourTally], city: HourTally | None = None) -> Rates | None:
    """Fit a group's rates; None where fewer than `LEAST_CHANGES` changes are on record.

    Parameters
    ----------
    tallies
        By hour of the week, 0..167; absent: nothing seen.
    city
        All groups together, leant on where the group saw little.
    """
    if sum(each.taken + each.freed for each in tallies.values()) < LEAST_CHANGES:
        return None
    empty = HourTally()
    hours = [tallies.get(hour, empty) for hour in range(WEEK_HOURS)]
    whole = city or HourTally(
        sum(each.free_s for each in hours),
        sum(each.occupied_s for each in hours),
        sum(each.taken for each in hours),
        sum(each.freed for each in hours),
    )
    taken = whole.taken / whole.free_s if whole.free_s > 0 else 0.0
    freed = whole.freed / whole.occupied_s if whole.occupied_s > 0 else 0.0
    return Rates(
        _leaning([each.taken for each in hours], [each.free_s for each in hours], taken),
        _leaning([each.freed for each in hours], [each.occupied_s for each in hours], freed),
    )


def free_later(rates: Rates, week_s: float, ahead_s: float, free_now: float) -> float:
    """Give the chance that a bay is free `ahead_s` after the second `week_s` of the local week.

    Parameters
    ----------
    free_now
        Chance that it is free now: 1 for a bay that is surely free.

    Notes
    -----
    Exact for rates that are constant within each hour; costs an exponential an hour ahead, and
    no more than a week of hours: beyond, the week repeats and the start is forgotten.
    """
    chance = free_now
    left = max(0.0, min(ahead_s, 2 * WEEK_HOURS * HOUR_S + ahead_s % (WEEK_HOURS * HOUR_S)))
    at = week_s
    while left > 0:
        hour = int(at // HOUR_S) % WEEK_HOURS
        step = min(left, HOUR_S - at % HOUR_S)
        taken, freed = rates.taken_per_s[hour], rates.freed_per_s[hour]
        both = taken + freed
        if both > 0:
            settled = freed / both
            chance = settled + (chance - settled) * math.exp(-both * step)
        left -= step
        at += step
    return chance


@dataclass(frozen=True, slots=True)
class Bin:
    """Chances of one band: how many, their mean, and the share that came true."""

    rows: int
    foretold: float
    came_true: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """How well chances were foretold on days that were not fitted on.

    Attributes
    ----------
    brier
        Mean squared difference of chance and outcome (0 perfect; 0.25 for always one half).
    brier_base
        The same for always telling the outcome's mean: what a chance has to beat.
    bins
        By band of a tenth.
    """

    rows: int
    brier: float
    brier_base: float
    bins: tuple[Bin, ...]

    def corrected(self, chance: float) -> float:
        """Give a chance as its band turned out, between the centres of bands on their line."""
        points = [(each.foretold, _lent(each)) for each in self.bins if each.rows]
        if not points:
            return chance
        points = _rising(points)
        if chance <= points[0][0]:
            low = points[0]
            return max(0.0, low[1] * chance / low[0]) if low[0] > 0 else low[1]
        for (x0, y0), (x1, y1) in pairwise(points):
            if chance <= x1:
                return y0 + (y1 - y0) * (chance - x0) / (x1 - x0) if x1 > x0 else y1
        x0, y0 = points[-1]
        return y0 + (1.0 - y0) * (chance - x0) / (1.0 - x0) if x0 < 1.0 else y0


def _lent(each: Bin) -> float:
    """Lean a band's share on what was foretold, so that a few rows correct little."""
    return (each.came_true * each.rows + each.foretold * LEAN_ROWS) / (each.rows + LEAN_ROWS)


def _rising(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Pool neighbours until the shares rise: a higher chance never means a lower one."""
    pooled: list[tuple[float, float, int]] = []
    for x, y in points:
        pooled.append((x, y, 1))
        while len(pooled) > 1 and pooled[-2][1] > pooled[-1][1]:
            (x0, y0, n0), (x1, y1, n1) = pooled[-2], pooled[-1]
            whole = n0 + n1
            pooled[-2:] = [((x0 * n0 + x1 * n1) / whole, (y0 * n0 + y1 * n1) / whole, whole)]
    return [(x, y) for x, y, _ in pooled]


def calibrate(told: Iterable[tuple[float, bool]]) -> Calibration | None:
    """Judge chances by their outcomes; None without any."""
    rows = list(told)
    if not rows:
        return None
    count = len(rows)
    mean = sum(outcome for _, outcome in rows) / count
    banded: list[list[tuple[float, bool]]] = [[] for _ in range(BINS)]
    for chance, outcome in rows:
        banded[min(BINS - 1, int(chance * BINS))].append((chance, outcome))
    return Calibration(
        count,
        sum((chance - outcome) ** 2 for chance, outcome in rows) / count,
        mean * (1.0 - mean),
        tuple(
            Bin(
                len(each),
                sum(chance for chance, _ in each) / len(each) if each else 0.0,
                sum(outcome for _, outcome in each) / len(each) if each else 0.0,
            )
            for each in banded
        ),
    )
