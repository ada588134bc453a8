"""A plan's figures on the street before and after it came: like hours of like days, by days.

A measure is a ratio: seconds waited over vehicles, arrivals on green over arrivals, greens that
were too short over cycles. It is taken cell by cell, a cell being one phase in one hour of the day
on one kind of day, and cells are weighed alike on both sides (by what they have in the denominator
on an average day of both), so that neither other hours nor other days make the difference.

What one day has in common (weather, an accident, a match) is in all its hours; so days are the
clusters. Source: the separate ratio estimate with its linearised variance, Cochran, *Sampling
Techniques*, 3rd ed. (1977), 6.10, days in the place of units; Student's t with Welch's degrees of
freedom. More traffic than before is not taken out of the difference: it is told beside it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from math import sqrt
from typing import Final, Literal

from scipy.stats import t as student  # type: ignore[import-untyped] # it ships no types

LEAST_DAYS: Final = 2
"""A side, of which an interval can be told: from one day nobody knows how days differ."""
SURE: Final = 0.95

Shown = Literal["less", "more", "none", "unknown"]


@dataclass(frozen=True, slots=True)
class Cell:
    """What is compared with itself alone."""

    subject: tuple[str | int, ...]
    """A signal's phase, a detector, a pair of signals."""
    hour: int
    """Of the street's day."""
    working: bool


@dataclass(frozen=True, slots=True)
class Sample:
    """One hour of one day."""

    cell: Cell
    day: date
    over: float
    of: float
    """Above zero."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with its 95 % interval; None where too few days tell."""

    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A measure before and after."""

    before: Estimate
    after: Estimate
    difference: Estimate
    """After less before."""
    shown: Shown
    """none: the interval spans zero; unknown: there is none."""
    days_before: int
    days_after: int
    hours: int
    """Hours of the day, of each kind of day, that both sides have."""


_Days = Mapping[date, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class _Side:
    mean: float
    variance: float | None
    degrees: int
    days: int


def compare(before: Iterable[Sample], after: Iterable[Sample]) -> Comparison | None:
    """Set a measure beside itself; None where the two have no hour in common.

    Where some hours have two days at least on each side, only these count, and an interval is
    told; else all that both have.
    """
    was, will = _by_cell(before), _by_cell(after)
    both = was.keys() & will.keys()
    often = {
        each for each in both if len(was[each]) >= LEAST_DAYS and len(will[each]) >= LEAST_DAYS
    }
    cells = often or both
    if not cells:
        return None
    weights = {each: (_usual(was[each]) + _usual(will[each])) / 2 for each in cells}
    one, other = (_side(days, weights, told=bool(often)) for days in (was, will))
    difference = _difference(one, other)
    return Comparison(
        _estimate(one),
        _estimate(other),
        difference,
        shown_of(difference),
        one.days,
        other.days,
        len({(each.working, each.hour) for each in cells}),
    )


def shown_of(difference: Estimate) -> Shown:
    """Say what an interval shows."""
    if difference.low is None or difference.high is None:
        return "unknown"
    if difference.high < 0:
        return "less"
    return "more" if difference.low > 0 else "none"


def _by_cell(samples: Iterable[Sample]) -> dict[Cell, dict[date, tuple[float, float]]]:
    found: dict[Cell, dict[date, tuple[float, float]]] = {}
    for each in samples:
        days = found.setdefault(each.cell, {})
        over, of = days.get(each.day, (0.0, 0.0))
        days[each.day] = (over + each.over, of + each.of)
    return found


def _usual(days: _Days) -> float:
    return sum(of for _, of in days.values()) / len(days)


def _side(by_cell: Mapping[Cell, _Days], weights: Mapping[Cell, float], *, told: bool) -> _Side:
    whole = sum(weights.values())
    mean = 0.0
    residuals: dict[tuple[bool, date], float] = {}
    for cell, weight in weights.items():
        days = by_cell[cell]
        total = sum(of for _, of in days.values())
        ratio = sum(over for over, _ in days.values()) / total
        mean += weight / whole * ratio
        for day, (over, of) in days.items():
            key = cell.working, day
            step = weight / whole * (over - ratio * of) / total
            residuals[key] = residuals.get(key, 0.0) + step
    kinds = [[z for (kind, _), z in residuals.items() if kind is each] for each in (True, False)]
    # Days of each kind vary about their own mean.
    strata = [each for each in kinds if each]
    n = sum(map(len, strata))
    if not told:
        return _Side(mean, None, 0, n)
    variance = sum(len(each) / (len(each) - 1) * sum(z * z for z in each) for each in strata)
    return _Side(mean, variance, n - len(strata), n)


def _estimate(side: _Side) -> Estimate:
    if side.variance is None:
        return Estimate(side.mean, None, None)
    return _about(side.mean, side.variance, side.degrees)


def _difference(one: _Side, other: _Side) -> Estimate:
    mean = other.mean - one.mean
    if one.variance is None or other.variance is None:
        return Estimate(mean, None, None)
    variance = one.variance + other.variance
    if variance == 0:
        return Estimate(mean, mean, mean)
    parts = one.variance**2 / one.degrees + other.variance**2 / other.degrees
    return _about(mean, variance, variance**2 / parts)


def _about(mean: float, variance: float, degrees: float) -> Estimate:
    half = float(student.ppf((1 + SURE) / 2, degrees)) * sqrt(variance)
    return Estimate(mean, mean - half, mean + half)
