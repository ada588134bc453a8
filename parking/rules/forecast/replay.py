"""Live through the past of several places day by day: learn, forecast, be corrected.

Each day's forecasts use what lay before that day alone, as a job that learns each night would
have made them; so their errors are honest, and they are also what the intervals are made of. The
state after the last day is the model.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from parking.rules.forecast.features import (
    Rows,
    add_city,
    background,
    day_residuals,
    rows,
)
from parking.rules.forecast.intervals import Ends, Spread
from parking.rules.forecast.learning import EXPERTS, Mixture, Sums
from parking.rules.forecast.readings import DAY_S, Array, Series

LEAST_DAYS: Final = 10
"""Days with readings before the first forecast: each kind of day was seen, most weekdays too."""
LEAST_ROWS: Final = 100
LEAST_SIZE: Final = 1e-4
"""Usual errors are at least so large a share of capacity."""
TIE: Final = 1e-9
LEAST_ERROR: Final = 0.5
"""Errors below this share of the usual one weigh no more in learning."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Readings of one place with the reading that the horizon leads to.

    Attributes
    ----------
    origin, target
        Positions in the series.
    """

    origin: np.ndarray
    target: np.ndarray


def pairs(series: Series, horizon_s: int) -> Pairs:
    """Pair each reading with the one nearest to `horizon_s` later, within half a step of it."""
    at, count = series.at_s, series.at_s.size
    wanted = at + horizon_s
    after = np.clip(np.searchsorted(at, wanted), 1, max(count - 1, 1))
    after = np.minimum(after, count - 1)
    before = np.maximum(after - 1, 0)
    nearest = np.where(wanted - at[before] < at[after] - wanted, before, after)
    off = np.abs(at[nearest] - wanted)
    fine = (off <= min(series.step_s, horizon_s) / 2) & (nearest > np.arange(count))
    origin = np.flatnonzero(fine)
    return Pairs(origin, nearest[origin])


@dataclass(frozen=True, slots=True)
class Told:
    """Forecasts of one place with their truths, in the order of their readings.

    Attributes
    ----------
    forecast, low, high, truth
        Shares of the series' scale; NaN where there was not enough history.
    """

    pairs: Pairs
    forecast: Array
    low: Array
    high: Array
    truth: Array


@dataclass(frozen=True, slots=True)
class Learnt:
    """What is left at the end: linear coefficients by hour, and the ends of intervals.

    Attributes
    ----------
    coefficients
        ``(HOURS, WIDTH)``: the mixture as one linear forecast.
    size
        Usual error by kind of day (working, off) and hour: ``(2, HOURS)``.
    low_ratio, high_ratio
        Ends of the interval in usual errors.
    """

    coefficients: Array
    size: Array
    low_ratio: float
    high_ratio: float


def hour_of(local_s: Array) -> np.ndarray:
    """Give the hour of day of local times."""
    return ((local_s % DAY_S) // 3600).astype(int)


def kind_of(local_s: Array) -> np.ndarray:
    """Give the kind of day: 1 on Saturdays and Sundays."""
    weekday = (np.floor(local_s / DAY_S).astype(int) + 3) % 7
    return (weekday >= 5).astype(int)  # noqa: PLR2004 - Saturday is 5


@dataclass(slots=True)
class _Table:
    """All places' rows in one table."""

    place: np.ndarray
    origin_day: np.ndarray
    target_day: np.ndarray
    hour: np.ndarray
    kind: np.ndarray
    now: Array
    usual_change: Array
    features: Array
    truth: Array
    ceiling: Array


def _joined(series: list[Series], made: list[Rows], paired: list[Pairs]) -> _Table:
    day = [np.floor(each.local_s / DAY_S).astype(int) for each in series]
    zipped = list(zip(series, made, paired, strict=True))
    hours = [hour_of(s.local_s[p.target]) for s, _, p in zipped]
    return _Table(
        place=np.concatenate([np.full(p.origin.size, i) for i, (_, _, p) in enumerate(zipped)]),
        origin_day=np.concatenate([d[p.origin] for d, p in zip(day, paired, strict=True)]),
        target_day=np.concatenate([d[p.target] for d, p in zip(day, paired, strict=True)]),
        hour=np.concatenate(hours),
        kind=np.concatenate([kind_of(s.local_s[p.target]) for s, _, p in zipped]),
        now=np.concatenate([m.now[p.origin] for _, m, p in zipped]),
        usual_change=np.concatenate([m.usual_change[p.origin] for _, m, p in zipped]),
        features=np.concatenate([m.features[p.origin] for _, m, p in zipped]),
        truth=np.concatenate([s.share[p.target] for s, _, p in zipped]),
        ceiling=np.concatenate([s.ceiling[p.origin] for s, _, p in zipped]),
    )


def table(series: list[Series], horizon_s: int) -> tuple[list[Pairs], _Table]:
    """Make the rows of every place for a horizon."""
    backs = [background(each, horizon_s) for each in series]
    paired = [pairs(each, horizon_s) for each in series]
    made = []
    for each, back, pair in zip(series, backs, paired, strict=True):
        target_local = each.local_s + horizon_s
        # A reading's own instant where there is one: feeds come some minutes early or late.
        target_local[pair.origin] = each.local_s[pair.target]
        made.append(rows(back, each.share, each.local_s, target_local, day_residuals(back)))
    add_city(list(zip(series, made, strict=True)))
    return paired, _joined(series, made, paired)


class _Replay:
    """The learning state of several places for one horizon, fed a day at a time."""

    def __init__(self, all_rows: _Table, places: int) -> None:
        count = all_rows.truth.size
        self._rows = all_rows
        self._sums, self._mixture = Sums(places), Mixture(places)
        self._spread = Spread(places)
        self._ends = [Ends() for _ in range(places)]
        self._mean_error = np.full(places, np.nan)
        self._seen_days = np.zeros(places, dtype=int)
        self._seen_rows = np.zeros(places, dtype=int)
        self._experts = np.zeros((count, EXPERTS))
        self.forecast, self.low, self.high = (np.full(count, np.nan) for _ in range(3))

    def fade(self, days: int) -> None:
        """Let `days` pass."""
        for each in (self._sums, self._mixture, self._spread):
            each.fade(days)

    def foretell(self, asked: np.ndarray) -> None:
        """Forecast rows from what was learnt up to now."""
        rows_, place, hour = self._rows, self._rows.place[asked], self._rows.hour[asked]
        experts, weights = self._sums.coefficients(), self._mixture.weights()
        base = rows_.now[asked] + rows_.usual_change[asked]
        ceiling = rows_.ceiling[asked]
        moved = np.einsum("enp,np->ne", experts[:, place, hour], rows_.features[asked])
        self._experts[asked] = np.clip(base[:, None] + moved, 0.0, ceiling[:, None])
        middle = np.clip(base + np.einsum("ne,ne->n", moved, weights[place]), 0.0, ceiling)
        self.forecast[asked] = middle
        size = self._spread.sizes()[place, rows_.kind[asked], hour]
        ends = np.array([each.quantiles() or (np.nan, np.nan) for each in self._ends])[place]
        ready = self._ready()[place]
        low, high = middle + ends[:, 0] * size, middle + ends[:, 1] * size
        self.low[asked] = np.where(ready, np.clip(low, 0.0, ceiling), np.nan)
        self.high[asked] = np.where(ready, np.clip(high, 0.0, ceiling), np.nan)

    def learn(self, told: np.ndarray, day: int) -> None:
        """Take in the truths of a day, which every later forecast may use."""
        rows_, place, hour = self._rows, self._rows.place[told], self._rows.hour[told]
        kind, truth = rows_.kind[told], rows_.truth[told]
        error = truth - self.forecast[told]
        size = np.abs(error)
        ratio = error / self._spread.sizes()[place, kind, hour]
        outside = (truth < self.low[told] - TIE) | (truth > self.high[told] + TIE)
        judged = np.isfinite(self.low[told])
        for one in np.unique(place):
            mine = place == one
            some = mine & judged
            missed = float(np.mean(outside[some])) if some.any() else None
            self._ends[one].add(day, ratio[mine], missed)
            today, held = float(size[mine].mean()), self._mean_error[one]
            self._mean_error[one] = today if np.isnan(held) else 0.8 * held + 0.2 * today
            self._seen_days[one] += 1
            self._seen_rows[one] += int(mine.sum())
        self._mixture.add(place, np.abs(truth[:, None] - self._experts[told]))
        self._spread.add(place, kind, hour, size)
        usual = np.maximum(self._mean_error[place], LEAST_SIZE)
        weight = 1.0 / (usual * np.maximum(size, LEAST_ERROR * usual))
        change = truth - rows_.now[told] - rows_.usual_change[told]
        self._sums.add(place, hour, rows_.features[told], change, weight)

    def _ready(self) -> np.ndarray:
        return (self._seen_days >= LEAST_DAYS) & (self._seen_rows >= LEAST_ROWS)

    def learnt(self) -> list[Learnt | None]:
        """Give each place's model; None where there was not enough history."""
        experts = self._sums.coefficients()
        mixed = np.einsum("ie,eihp->ihp", self._mixture.weights(), experts)
        sizes, ready = self._spread.sizes(), self._ready()
        found = list[Learnt | None]()
        for index, each in enumerate(self._ends):
            ends = each.quantiles()
            enough = bool(ready[index]) and ends is not None
            found.append(
                Learnt(mixed[index], sizes[index], *ends) if enough and ends is not None else None
            )
        return found


def replay(series: list[Series], horizon_s: int) -> tuple[list[Told], list[Learnt | None]]:
    """Live through the readings of several places for one horizon.

    Parameters
    ----------
    series
        Of one feed: they learn from each other.
    horizon_s
        Seconds ahead.

    Returns
    -------
    forecasts, models
        A place each; no model where there was not enough history. Cost grows as rows x WIDTH^2
        and as days x places x hours x WIDTH^3.
    """
    paired, all_rows = table(series, horizon_s)
    run = _Replay(all_rows, len(series))
    days = np.unique(np.concatenate([all_rows.origin_day, all_rows.target_day]))
    by_origin = np.argsort(all_rows.origin_day, kind="stable")
    by_target = np.argsort(all_rows.target_day, kind="stable")
    origin_at = np.searchsorted(all_rows.origin_day[by_origin], np.append(days, np.inf))
    target_at = np.searchsorted(all_rows.target_day[by_target], np.append(days, np.inf))
    for index, day in enumerate(days):
        if index:
            run.fade(int(day - days[index - 1]))
        asked = by_origin[origin_at[index] : origin_at[index + 1]]
        if asked.size:
            run.foretell(asked)
        told = by_target[target_at[index] : target_at[index + 1]]
        if told.size:
            run.learn(told, int(day))
    return _told(run, all_rows, paired), run.learnt()


def _told(run: _Replay, all_rows: _Table, paired: list[Pairs]) -> list[Told]:
    found, start = [], 0
    for pair in paired:
        mine = slice(start, start + pair.origin.size)
        start = mine.stop
        low, high = run.low[mine], run.high[mine]
        forecast = np.where(np.isfinite(low), run.forecast[mine], np.nan)
        found.append(Told(pair, forecast, low, high, all_rows.truth[mine]))
    return found
