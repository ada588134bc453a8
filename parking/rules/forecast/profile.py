"""What a place usually looks like: its value at any time of day, learnt from the days before.

All look-ups of the past go by local wall time, so that "the same time last week" is that time on
both sides of a change of clocks.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from parking.rules.forecast.readings import DAY_S, Array, Series

LONG_HALF_LIFE_DAYS: Final = 21.0
SHORT_HALF_LIFE_DAYS: Final = 3.0
OTHER_WEEKDAY: Final = 0.35
"""Weight of another weekday beside the same one, before the data say how alike they are."""
OTHER_KIND: Final = 0.03
"""Weight of a working day for a day off, and the reverse."""
BRIDGED_STEPS: Final = 2.2
"""Readings so many steps apart are joined by a line; a wider gap stays a gap."""
WHOLE_SHARE: Final = 0.2
"""Days with fewer of their slots known say nothing of weekdays."""
LIKENESS_DAYS: Final = 2
"""Days of both weekdays that are seen before their likeness is judged by the data."""


@dataclass(frozen=True, slots=True)
class Grid:
    """A series laid out by local day and time of day.

    Attributes
    ----------
    first_day
        Local day (since 1970-01-01) of row 0.
    values
        Share at the start of each slot, NaN where unknown: ``(days, slots)``.
    """

    first_day: int
    step_s: int
    values: Array

    @property
    def days(self) -> int:
        """Local days from the first reading to the last."""
        return int(self.values.shape[0])


class Past:
    """Look-ups in a series' readings by local time."""

    def __init__(self, series: Series) -> None:
        order = np.argsort(series.local_s, kind="stable")
        local = series.local_s[order]
        last = np.append(np.diff(local) > 0, True)
        self._local = local[last]
        self._share = series.share[order][last]
        self._step_s = float(series.step_s)

    def at(self, local_s: Array) -> Array:
        """Give the share at local times: between two near readings on their line, else NaN.

        A time half a step beyond a reading still has that reading's value.
        """
        known, share, step = self._local, self._share, self._step_s
        after = np.clip(np.searchsorted(known, local_s, side="left"), 0, known.size - 1)
        before = np.maximum(after - 1, 0)
        exact = known[after] == local_s
        gap = known[after] - known[before]
        inside = (known[before] <= local_s) & (local_s <= known[after]) & (gap > 0)
        near = inside & (gap <= BRIDGED_STEPS * step)
        weight = np.where(near, (local_s - known[before]) / np.where(gap > 0, gap, 1.0), 0.0)
        line = share[before] * (1.0 - weight) + share[after] * weight
        to_before, to_after = np.abs(local_s - known[before]), np.abs(known[after] - local_s)
        closest = np.where(to_before < to_after, before, after)
        close = np.minimum(to_before, to_after) <= 0.5 * step
        found = np.where(near, line, np.where(close, share[closest], np.nan))
        return np.where(exact, share[after], found)


def lay_out(series: Series, past: Past) -> Grid:
    """Lay a series out by day and slot; cost and memory grow as days x slots."""
    first_day = int(np.floor(series.local_s.min() / DAY_S))
    days = int(np.floor(series.local_s.max() / DAY_S)) - first_day + 1
    slots = DAY_S // series.step_s
    starts = (first_day + np.arange(days))[:, None] * DAY_S + np.arange(slots) * series.step_s
    values = past.at(starts.ravel().astype(float)).reshape(days, slots)
    return Grid(first_day, series.step_s, values)


def _weekdays(first_day: int, days: int) -> np.ndarray:
    # 1970-01-01 was a Thursday; Monday is 0.
    return (first_day + np.arange(days) + 3) % 7


def _likeness(values: Array, weekday: np.ndarray) -> Array:
    """Say how alike weekdays are, 0..1: ``(7, 7)``, from their mean days and their scatter."""
    likeness = np.full((7, 7), OTHER_KIND)
    off = np.array([0, 0, 0, 0, 0, 1, 1])
    likeness[off[:, None] == off[None, :]] = OTHER_WEEKDAY
    means, seen, noise = [], [], []
    for day in range(7):
        rows = values[weekday == day]
        full = rows[np.isfinite(rows).mean(axis=1) > WHOLE_SHARE] if rows.size else rows
        seen.append(len(full))
        known = np.isfinite(full)
        count = known.sum(axis=0)
        total = np.where(known, full, 0.0).sum(axis=0)
        mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
        means.append(mean)
        if len(full) >= LIKENESS_DAYS:
            spread = np.abs(full - mean)
            noise.append(float(np.nanmean(spread)) if np.isfinite(spread).any() else np.nan)
    scatter = float(np.nanmedian(noise)) if np.isfinite(noise).any() else np.nan
    if np.isfinite(scatter):
        for one in range(7):
            for other in range(7):
                if one != other and min(seen[one], seen[other]) >= LIKENESS_DAYS:
                    apart = np.abs(means[one] - means[other])
                    if np.isfinite(apart).any():
                        ratio = float(np.nanmean(apart)) / max(scatter, 1e-4)
                        likeness[one, other] = max(OTHER_KIND, 1.0 / (1.0 + ratio**2))
    np.fill_diagonal(likeness, 1.0)
    return likeness


def usual(grid: Grid, half_life_days: float, lag_days: int, beyond: int = 1) -> Array:
    """Give the usual day for each day of a grid and `beyond` more: ``(days + beyond, slots)``.

    A weighted mean of the days that lie at least `lag_days` before: the nearer and the more alike
    their weekdays, the heavier. NaN where no earlier day knows the slot. Weekdays are judged anew
    each seven days, from days that lie `lag_days` before all of them: a day that is still under
    way when it is asked about the next one has no say. Cost grows as days^2 x slots.
    """
    values, days = grid.values, grid.days
    weekday = _weekdays(grid.first_day, days + beyond)
    known = np.isfinite(values)
    filled = np.where(known, values, 0.0)
    age = np.arange(days + beyond)[:, None] - np.arange(days)[None, :]
    weight = np.where(age >= lag_days, 0.5 ** (age / half_life_days), 0.0)
    for start in range(0, days + beyond, 7):
        rows = slice(start, min(start + 7, days + beyond))
        before = min(max(start - lag_days, 0), days)
        likeness = _likeness(values[:before], weekday[:before])
        weight[rows] *= likeness[weekday[rows][:, None], weekday[None, :days]]
    total = weight @ known.astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(total > 0, (weight @ filled) / total, np.nan)


def usual_at(day: Array, grid: Grid, local_s: Array) -> Array:
    """Read usual days at local times, between slots on their line; NaN where unknown."""
    slots = day.shape[1]
    index = np.floor(local_s / DAY_S).astype(int) - grid.first_day
    row = np.clip(index, 0, day.shape[0] - 1)
    place = (local_s % DAY_S) / grid.step_s
    low = np.minimum(np.floor(place).astype(int), slots - 1)
    weight = place - low
    left, right = day[row, low], day[row, (low + 1) % slots]
    line = left * (1.0 - weight) + right * weight
    either = np.where(np.isfinite(left), left, right)
    found: Array = np.where(np.isfinite(line), line, either)
    return found
