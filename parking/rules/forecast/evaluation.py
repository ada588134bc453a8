"""How good forecasts are on the last days of a feed, beside two plain rules on the same rows."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from parking.rules.forecast.features import WEEK_S
from parking.rules.forecast.readings import DAY_S, Array, Series
from parking.rules.forecast.replay import LEAST_DAYS, Told, replay

NOT_ENOUGH: Final = "not enough history"


@dataclass(frozen=True, slots=True)
class HorizonErrors:
    """Errors at one horizon, as shares of capacity; None where no row could be judged.

    Attributes
    ----------
    rows
        Readings of the test days that have a forecast, a reading `horizon_min` before and one a
        week before: all methods are judged on these.
    coverage90, width90
        Share of the truths inside the 90 % interval, and its mean width.
    """

    horizon_min: int
    rows: int
    mae: float | None
    rmse: float | None
    persistence_mae: float | None
    last_week_mae: float | None
    coverage90: float | None
    width90: float | None


@dataclass(frozen=True, slots=True)
class SeriesVerdict:
    """What became of one place: the rows judged at each horizon, and why there are none."""

    series: Series
    rows: dict[int, int]
    answer: str


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The result for a feed."""

    horizons: tuple[HorizonErrors, ...]
    places: tuple[SeriesVerdict, ...]
    first_test_day: int
    days: int
    test_days: int


def test_days(series: list[Series], share: float) -> np.ndarray:
    """Give the last `share` of the local days that have readings, at least one."""
    days = np.unique(np.concatenate([np.floor(each.local_s / DAY_S) for each in series]))
    return days[-max(1, round(share * days.size)) :].astype(int)


def _last_week(series: Series, target: np.ndarray) -> Array:
    """Give the reading nearest to the same local time a week before, within half a step."""
    local, wanted = series.local_s, series.local_s[target] - WEEK_S
    order = np.argsort(local, kind="stable")
    known = local[order]
    after = np.clip(np.searchsorted(known, wanted), 0, known.size - 1)
    before = np.maximum(after - 1, 0)
    nearest = np.where(
        np.abs(wanted - known[before]) < np.abs(known[after] - wanted), before, after
    )
    close = np.abs(known[nearest] - wanted) <= series.step_s / 2
    return np.where(close, series.share[order[nearest]], np.nan)


def _judged(series: Series, told: Told, first_day: int) -> dict[str, Array]:
    target, origin = told.pairs.target, told.pairs.origin
    last_week = _last_week(series, target)
    judged = (
        (np.floor(series.local_s[target] / DAY_S) >= first_day)
        & np.isfinite(told.forecast)
        & np.isfinite(last_week)
    )
    return {
        "error": (told.forecast - told.truth)[judged],
        "as_now": (series.share[origin] - told.truth)[judged],
        "last_week": (last_week - told.truth)[judged],
        "inside": ((told.truth >= told.low - 1e-9) & (told.truth <= told.high + 1e-9))[
            judged
        ].astype(float),
        "width": (told.high - told.low)[judged],
    }


def evaluate(series: list[Series], horizons_min: list[int], test_share: float) -> Evaluation:
    """Forecast the last days of a feed and compare; see `replay` for how.

    Parameters
    ----------
    series
        The feed's clean series.
    horizons_min
        Minutes ahead.
    test_share
        Share of the days at the end that are judged; everything before is only learnt from.
    """
    tested = test_days(series, test_share)
    first_day = int(tested[0])
    rows: list[dict[int, int]] = [{} for _ in series]
    found = []
    for minutes in horizons_min:
        told, _ = replay(series, minutes * 60)
        parts = [_judged(one, each, first_day) for one, each in zip(series, told, strict=True)]
        for count, part in zip(rows, parts, strict=True):
            count[minutes] = int(part["error"].size)
        found.append(_errors(minutes, parts))
    days = np.unique(np.concatenate([np.floor(each.local_s / DAY_S) for each in series]))
    return Evaluation(
        tuple(found),
        tuple(_verdict(one, count, first_day) for one, count in zip(series, rows, strict=True)),
        first_day,
        int(days.size),
        int(tested.size),
    )


def judge_places(
    series: list[Series], told: list[Told], horizon_min: int, test_share: float
) -> list[HorizonErrors]:
    """Judge each place alone on the last days of the feed."""
    first_day = int(test_days(series, test_share)[0])
    return [
        _errors(horizon_min, [_judged(one, each, first_day)])
        for one, each in zip(series, told, strict=True)
    ]


def _errors(minutes: int, parts: list[dict[str, Array]]) -> HorizonErrors:
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    rows = int(joined["error"].size)
    if rows == 0:
        return HorizonErrors(minutes, 0, None, None, None, None, None, None)
    return HorizonErrors(
        minutes,
        rows,
        mae=float(np.abs(joined["error"]).mean()),
        rmse=float(np.sqrt(np.square(joined["error"]).mean())),
        persistence_mae=float(np.abs(joined["as_now"]).mean()),
        last_week_mae=float(np.abs(joined["last_week"]).mean()),
        coverage90=float(joined["inside"].mean()),
        width90=float(joined["width"].mean()),
    )


def _verdict(series: Series, rows: dict[int, int], first_day: int) -> SeriesVerdict:
    if any(rows.values()):
        return SeriesVerdict(series, rows, "forecast")
    day = np.floor(series.local_s / DAY_S)
    if np.unique(day[day < first_day]).size < LEAST_DAYS:
        return SeriesVerdict(series, rows, NOT_ENOUGH)
    if not (day >= first_day).any():
        return SeriesVerdict(series, rows, "no readings in the test days")
    return SeriesVerdict(series, rows, "readings are too far apart, or none a week before")
