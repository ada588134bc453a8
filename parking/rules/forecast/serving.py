"""A learnt model as it is kept, and what it says now."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from pydantic import JsonValue

from city.errors import Invalid
from parking.rules.forecast.features import (
    Background,
    Rows,
    add_city,
    background,
    day_residuals,
    rows,
)
from parking.rules.forecast.learning import HOURS, WIDTH
from parking.rules.forecast.profile import (
    LONG_HALF_LIFE_DAYS,
    SHORT_HALF_LIFE_DAYS,
    Grid,
    Past,
    usual,
)
from parking.rules.forecast.readings import DAY_S, Array, Cleaning, Series
from parking.rules.forecast.replay import Learnt, hour_of, kind_of

FORMAT: Final = 1
DAYS_KEPT: Final = 4
"""Usual days kept: yesterday, today and two more, in case learning is late."""
DIGITS: Final = 6


@dataclass(frozen=True, slots=True)
class Model:
    """What is needed to forecast one place at one horizon, learnt until a day.

    Attributes
    ----------
    first_day
        Local day of the first of the usual days.
    known, known_recent, coming, coming_recent
        Usual days as in `Background`: ``(DAYS_KEPT, slots)``, NaN where unknown.
    """

    learnt: Learnt
    horizon_s: int
    step_s: int
    first_day: int
    known: Array
    known_recent: Array
    coming: Array
    coming_recent: Array

    def as_json(self) -> dict[str, JsonValue]:
        """Give it as it is stored."""
        return {
            "format": FORMAT,
            "horizon_s": self.horizon_s,
            "step_s": self.step_s,
            "first_day": self.first_day,
            "coefficients": _listed(self.learnt.coefficients),
            "size": _listed(self.learnt.size),
            "low_ratio": self.learnt.low_ratio,
            "high_ratio": self.learnt.high_ratio,
            "known": _listed(self.known),
            "known_recent": _listed(self.known_recent),
            "coming": _listed(self.coming),
            "coming_recent": _listed(self.coming_recent),
        }


def _listed(values: Array) -> JsonValue:
    """Write an array as lists; what is unknown is null."""
    rounded = np.round(values, DIGITS)
    return [
        [None if np.isnan(each) else float(each) for each in row] for row in np.atleast_2d(rounded)
    ]


def _array(value: Any, shape: tuple[int, int] | None = None) -> Array:
    found = np.array(
        [[np.nan if each is None else float(each) for each in row] for row in value], dtype=float
    )
    if shape is not None and found.shape != shape:
        raise Invalid(f"must have shape {shape}", field="model")
    return found


def model_from_json(value: Any) -> Model:
    """Read a stored model; Invalid on another format."""
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise Invalid("is not a forecast model of this release", field="model")
    return Model(
        Learnt(
            _array(value["coefficients"], (HOURS, WIDTH)),
            _array(value["size"], (2, HOURS)),
            float(value["low_ratio"]),
            float(value["high_ratio"]),
        ),
        int(value["horizon_s"]),
        int(value["step_s"]),
        int(value["first_day"]),
        _array(value["known"]),
        _array(value["known_recent"]),
        _array(value["coming"]),
        _array(value["coming_recent"]),
    )


def model_of(series: Series, learnt: Learnt, horizon_s: int) -> Model:
    """Put a model together from what was learnt and the usual days from the last but one on."""
    back = background(series, horizon_s)
    lag = int(np.ceil((horizon_s + series.step_s) / DAY_S))
    start = max(back.grid.days - 2, 0)

    def days(half_life_days: float, lag_days: int) -> Array:
        found = usual(back.grid, half_life_days, lag_days, DAYS_KEPT)
        return found[start : start + DAYS_KEPT]

    known, recent = days(LONG_HALF_LIFE_DAYS, 1), days(SHORT_HALF_LIFE_DAYS, 1)
    coming = known if lag <= 1 else days(LONG_HALF_LIFE_DAYS, lag)
    coming_recent = recent if lag <= 1 else days(SHORT_HALF_LIFE_DAYS, lag)
    return Model(
        learnt,
        horizon_s,
        series.step_s,
        back.grid.first_day + start,
        known,
        recent,
        coming,
        coming_recent,
    )


def recent_series(name: str, at_s: Array, local_s: Array, share: Array, *, step_s: int) -> Series:
    """Make a series of recent readings that are clean already, in the order of time."""
    return Series(
        name,
        at_s,
        local_s,
        share,
        np.ones(share.size),
        1.0,
        step_s,
        Cleaning(rows=int(share.size)),
    )


@dataclass(frozen=True, slots=True)
class Ahead:
    """A forecast: shares of capacity."""

    occupied: float
    low90: float
    high90: float


def ahead(places: list[tuple[Series, Model]]) -> list[Ahead | None]:
    """Forecast from the last reading of each place; all of one feed and one horizon.

    None where a model is older than the usual days that it kept. Cost grows as the recent
    readings.
    """
    made: list[tuple[Series, Rows, Model]] = []
    for series, model in places:
        grid = Grid(model.first_day, model.step_s, np.empty((0, model.known.shape[1])))
        back = Background(
            series,
            Past(series),
            grid,
            model.known,
            model.known_recent,
            model.coming,
            model.coming_recent,
        )
        target_local = series.local_s + model.horizon_s
        made.append(
            (
                series,
                rows(back, series.share, series.local_s, target_local, day_residuals(back)),
                model,
            )
        )
    add_city([(series, each) for series, each, _ in made])
    return [_last(*each) for each in made]


def _last(series: Series, made: Rows, model: Model) -> Ahead | None:
    target = series.local_s[-1:] + model.horizon_s
    last_day = model.first_day + model.coming.shape[0] - 1
    if not model.first_day <= int(target[0] // DAY_S) <= last_day:
        return None
    hour, kind = int(hour_of(target)[0]), int(kind_of(target)[0])
    learnt, ceiling = model.learnt, float(series.ceiling[-1])
    moved = float(learnt.coefficients[hour] @ made.features[-1])
    middle = float(np.clip(made.now[-1] + made.usual_change[-1] + moved, 0.0, ceiling))
    size = float(learnt.size[kind, hour])
    return Ahead(
        middle,
        float(np.clip(middle + learnt.low_ratio * size, 0.0, ceiling)),
        float(np.clip(middle + learnt.high_ratio * size, 0.0, ceiling)),
    )
