"""What a forecast is made from: one row per reading, one for the moment it is asked.

The regression explains how far the coming change departs from the usual change, so that all
coefficients zero say "as it is now, moved as usual", and an unknown feature says nothing.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from parking.rules.forecast.profile import (
    LONG_HALF_LIFE_DAYS,
    SHORT_HALF_LIFE_DAYS,
    Grid,
    Past,
    lay_out,
    usual,
    usual_at,
)
from parking.rules.forecast.readings import DAY_S, Array, Series

FEATURES: Final = (
    "one",
    "usual_change",
    "residual",
    "residual_earlier",
    "residual_earlier_still",
    "scaled_change",
    "last_week_change",
    "yesterday_change",
    "recent_change",
    "recent_residual",
    "day_residual",
    "city_residual",
    "city_residual_change",
)
WEEK_S: Final = 7 * DAY_S
LEAST_LAG_S: Final = 1_200
"""Changes over less are sampling noise."""


@dataclass(frozen=True, slots=True)
class Background:
    """What is looked up for a series: readings, grid and usual days.

    `known_*` are for the moment of asking (days before it), `coming_*` for the target, which may
    lie `lag_days` ahead.
    """

    series: Series
    past: Past
    grid: Grid
    known: Array
    known_recent: Array
    coming: Array
    coming_recent: Array


def background(series: Series, horizon_s: int) -> Background:
    """Prepare the look-ups of a series for a horizon."""
    past = Past(series)
    grid = lay_out(series, past)
    lag = int(np.ceil((horizon_s + series.step_s) / DAY_S))
    known = usual(grid, LONG_HALF_LIFE_DAYS, 1)
    recent = usual(grid, SHORT_HALF_LIFE_DAYS, 1)
    coming = known if lag <= 1 else usual(grid, LONG_HALF_LIFE_DAYS, lag)
    coming_recent = recent if lag <= 1 else usual(grid, SHORT_HALF_LIFE_DAYS, lag)
    return Background(series, past, grid, known, recent, coming, coming_recent)


@dataclass(frozen=True, slots=True)
class Rows:
    """Feature rows of one series and horizon.

    Attributes
    ----------
    now, usual_change
        The last reading, and how the usual day moves from there to the target: shape ``(n,)``.
    features
        ``(n, len(FEATURES))``; the two of the city are filled in by `add_city`.
    residual, residual_change
        How far the last reading lies from usual and how that moved: what neighbours learn from it.
    """

    now: Array
    usual_change: Array
    features: Array
    residual: Array
    residual_change: Array


def _or_zero(values: Array) -> Array:
    return np.where(np.isfinite(values), values, 0.0)


def rows(
    back: Background, now: Array, local_s: Array, target_local_s: Array, day_residual: Array
) -> Rows:
    """Make the feature rows for readings `now` at `local_s` and targets at `target_local_s`."""
    past, grid = back.past, back.grid
    usual_now = usual_at(back.known, grid, local_s)
    usual_then = usual_at(back.coming, grid, target_local_s)
    recent_now = usual_at(back.known_recent, grid, local_s)
    recent_then = usual_at(back.coming_recent, grid, target_local_s)
    usual_change = _or_zero(usual_then - usual_now)
    residual = _or_zero(now - usual_now)
    lag = max(float(back.series.step_s), LEAST_LAG_S)

    def earlier(lag_s: float) -> Array:
        return past.at(local_s - lag_s) - usual_at(back.known, grid, local_s - lag_s)

    first, second = earlier(lag), earlier(2 * lag)
    residual_change = _or_zero(residual - first)
    ahead_s = target_local_s - local_s
    # A look-back of whole days that lies before the moment of asking, whatever the horizon.
    days_back = DAY_S * np.ceil((np.max(ahead_s, initial=0.0) + back.series.step_s) / DAY_S)
    last_week = past.at(target_local_s - WEEK_S) - past.at(local_s - WEEK_S)
    yesterday = past.at(target_local_s - days_back) - past.at(local_s - days_back)
    made = np.zeros((now.size, len(FEATURES)))
    made[:, 0] = 1.0
    made[:, 1] = usual_change
    made[:, 2] = residual
    made[:, 3] = residual_change
    made[:, 4] = _or_zero(first - second)
    made[:, 5] = usual_change * np.clip(residual / (np.abs(_or_zero(usual_now)) + 0.05), -2.0, 2.0)
    made[:, 6] = _or_zero(last_week - usual_change)
    made[:, 7] = _or_zero(yesterday - usual_change)
    made[:, 8] = _or_zero(recent_then - recent_now - usual_change)
    made[:, 9] = _or_zero(now - recent_now) - residual
    made[:, 10] = day_residual - residual
    return Rows(now, usual_change, made, residual, residual_change)


def day_residuals(back: Background) -> Array:
    """Give, at each reading, the mean distance from usual since its local day began."""
    series = back.series
    residual = series.share - usual_at(back.known, back.grid, series.local_s)
    known = np.isfinite(residual)
    day = np.floor(series.local_s / DAY_S)
    starts = np.flatnonzero(np.append(True, np.diff(day) != 0))
    total = np.cumsum(np.where(known, residual, 0.0))
    count = np.cumsum(known)
    first = np.repeat(starts, np.diff(np.append(starts, series.share.size)))
    before_total = np.where(first > 0, total[first - 1], 0.0)
    before_count = np.where(first > 0, count[first - 1], 0)
    seen = count - before_count
    return np.where(seen > 0, (total - before_total) / np.maximum(seen, 1), 0.0)


def add_city(each: list[tuple[Series, Rows]]) -> None:
    """Fill in what the other places of the feed show at each reading; alone, it stays 0.

    A place counts with its last reading up to then, for one and a half of its steps. Cost grows
    as the sorting of all readings.
    """
    if len(each) < 2:  # noqa: PLR2004 - there are no others
        return
    begins = np.concatenate([series.at_s for series, _ in each])
    ends = np.concatenate(
        [
            np.minimum(np.append(series.at_s[1:], np.inf), series.at_s + 1.5 * series.step_s)
            for series, _ in each
        ]
    )
    order_begin, order_end = np.argsort(begins), np.argsort(ends)
    for place, name in ((11, "residual"), (12, "residual_change")):
        values = np.concatenate([getattr(made, name) for _, made in each])
        came = np.append(0.0, np.cumsum(values[order_begin]))
        went = np.append(0.0, np.cumsum(values[order_end]))
        for series, made in each:
            begun = np.searchsorted(begins[order_begin], series.at_s, side="right")
            ended = np.searchsorted(ends[order_end], series.at_s, side="right")
            own = getattr(made, name)
            others = np.maximum(begun - ended - 1, 0)
            total = came[begun] - went[ended] - own
            made.features[:, place] = np.where(others > 0, total / np.maximum(others, 1), 0.0)
