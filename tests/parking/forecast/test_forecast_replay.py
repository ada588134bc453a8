"""Laws of the forecasts: no look ahead, honest intervals, nothing made up."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from parking.rules.forecast.evaluation import evaluate
from parking.rules.forecast.readings import DAY_S, Series, clean
from parking.rules.forecast.replay import replay

STEP_S = 1800.0
MONDAY_S = 4 * DAY_S  # 1970-01-05


def town(days: int, seed: int = 1, *, noise: float = 0.02, name: str = "lot") -> Series:
    """Make a lot that fills by day, half as much at week-ends, and busier on some days."""
    random = np.random.default_rng(seed)
    at_s = np.asarray(MONDAY_S + STEP_S * np.arange(days * 48), dtype=np.float64)
    hour = at_s % DAY_S / 3600
    day = (at_s // DAY_S).astype(int)
    busy = 1 + 0.15 * random.standard_normal(day.max() + 1)
    quiet = np.where((day + 3) % 7 >= 5, 0.5, 1.0)
    drift = np.zeros(at_s.size)
    for i in range(1, at_s.size):
        drift[i] = 0.9 * drift[i - 1] + noise * random.standard_normal()
    share = 0.1 + 0.7 * np.exp(-(((hour - 13) / 4) ** 2)) * quiet * busy[day] + drift
    value = np.round(np.clip(share, 0, 1) * 500)
    made = clean(name, at_s, at_s, value, np.full(at_s.size, 500.0))
    assert made is not None
    return made


def cut(series: Series, at_s: float) -> Series:
    kept = series.at_s <= at_s
    made = clean(
        series.name,
        series.at_s[kept],
        series.local_s[kept],
        series.share[kept] * series.scale,
        series.ceiling[kept] * series.scale,
    )
    assert made is not None
    return made


@settings(max_examples=8, deadline=None)
@given(
    st.integers(min_value=18 * 48, max_value=25 * 48 - 1),
    st.sampled_from([1800, 7200, 43200, 86400]),
)
# Weekdays are judged anew on the 21st day; what is asked the evening before leads into it.
@example(1000, 43200)
@example(1004, 7200)
def test_what_comes_later_changes_no_forecast(position: int, horizon_s: int) -> None:
    whole = [town(25), town(25, 2, name="other")]
    now_s = float(whole[0].at_s[position])
    told, _ = replay(whole, horizon_s)
    # The future is made absurd instead of cut, so that the forecasts for it still exist.
    changed = []
    for each in whole:
        value = np.where(each.at_s <= now_s, each.share, 1.0 - each.share)
        made = clean(
            each.name, each.at_s, each.local_s, value * each.scale, each.ceiling * each.scale
        )
        assert made is not None
        changed.append(made)
    again, _ = replay(changed, horizon_s)
    for before, after, series in zip(told, again, whole, strict=True):
        asked = series.at_s[before.pairs.origin] <= now_s
        assert np.array_equal(before.forecast[asked], after.forecast[asked], equal_nan=True)
        assert np.array_equal(before.low[asked], after.low[asked], equal_nan=True)
        assert np.array_equal(before.high[asked], after.high[asked], equal_nan=True)


def test_forecasts_beat_the_plain_rules_and_intervals_cover() -> None:
    found = evaluate([town(80, seed, name=str(seed)) for seed in range(4)], [30, 60, 120], 0.2)
    for each in found.horizons:
        assert each.rows == 4 * 16 * 48
        assert each.mae is not None
        assert each.persistence_mae is not None
        assert each.last_week_mae is not None
        assert each.coverage90 is not None
        assert each.mae < 0.8 * each.persistence_mae
        assert each.mae < 0.6 * each.last_week_mae
        assert 0.88 <= each.coverage90 <= 0.92


def test_intervals_hold_their_forecast_and_stay_between_empty_and_full() -> None:
    told, models = replay([town(40)], 3600)
    ready = np.isfinite(told[0].low)
    assert ready.sum() > 48 * 20
    assert np.all(told[0].low[ready] >= 0)
    assert np.all(told[0].high[ready] <= 1)
    assert np.all(told[0].low[ready] <= told[0].forecast[ready])
    assert np.all(told[0].forecast[ready] <= told[0].high[ready])
    assert models[0] is not None
    assert models[0].low_ratio < 0 < models[0].high_ratio


@pytest.mark.parametrize("days", [1, 3, 7, 9])
def test_a_few_days_are_not_enough_history(days: int) -> None:
    found = evaluate([town(days)], [30], 0.2)
    assert found.horizons[0].rows == 0
    assert found.horizons[0].mae is None
    assert found.places[0].answer == "not enough history"


def test_a_lot_that_never_changes_is_forecast_without_error() -> None:
    at_s = np.asarray(MONDAY_S + STEP_S * np.arange(40 * 48), dtype=np.float64)
    made = clean("lot", at_s, at_s, np.full(at_s.size, 50.0), np.full(at_s.size, 100.0))
    assert made is not None
    found = evaluate([made], [60], 0.2)
    assert found.horizons[0].mae == pytest.approx(0.0, abs=1e-9)
    assert found.horizons[0].coverage90 == 1.0


def test_a_place_with_enough_history_is_told_beside_one_without() -> None:
    found = evaluate([town(40), cut(town(40, 2, name="new"), MONDAY_S + 3 * DAY_S)], [30], 0.2)
    assert [each.answer for each in found.places] == ["forecast", "not enough history"]


def test_readings_too_far_apart_for_a_horizon_give_no_figure() -> None:
    whole = town(40)
    hourly = clean("lot", whole.at_s[::2], whole.local_s[::2], whole.share[::2], None)
    assert hourly is not None
    found = evaluate([hourly], [30, 60], 0.2)
    assert [each.rows > 0 for each in found.horizons] == [False, True]
