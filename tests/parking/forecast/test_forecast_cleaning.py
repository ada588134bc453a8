"""What happens to dirty rows: each rule alone, with literals."""

import numpy as np
import pytest

from parking.rules.forecast.readings import Series, clean

HALF_HOUR_S = 1800.0


def cleaned(value: list[float], capacity: list[float] | None = None, **times: object) -> Series:
    at_s = times.get("at_s") or [HALF_HOUR_S * i for i in range(len(value))]
    made = clean(
        "lot",
        np.array(at_s, dtype=float),
        np.array(at_s, dtype=float),
        np.array(value, dtype=float),
        None if capacity is None else np.array(capacity, dtype=float),
    )
    assert made is not None
    return made


def test_a_count_below_zero_is_dropped() -> None:
    made = cleaned([10, -3, 12, 14], [100] * 4)
    assert made.share.tolist() == [0.10, 0.12, 0.14]
    assert made.cleaning.negative == 1


def test_a_little_above_capacity_is_full_and_far_above_is_dropped() -> None:
    made = cleaned([100, 104, 400, *[50] * 20], [100] * 23)
    assert made.share.tolist()[:3] == [1.0, 1.0, 0.5]
    assert made.cleaning.over_capacity_clipped == 1
    assert made.cleaning.over_capacity_dropped == 1


def test_a_capacity_that_most_readings_exceed_is_not_believed() -> None:
    made = cleaned([150, 160, 170, 80], [100] * 4)
    assert made.cleaning.capacity_disbelieved
    assert made.scale == 170
    assert made.share.tolist()[2] == 1.0


def test_of_two_rows_of_one_instant_the_last_stands() -> None:
    made = cleaned([10, 20, 30], [100] * 3, at_s=[0.0, 1800.0, 1800.0])
    assert made.share.tolist() == [0.10, 0.30]
    assert made.cleaning.duplicates == 1


def test_rows_out_of_order_are_sorted() -> None:
    made = cleaned([30, 10, 20], [100] * 3, at_s=[3600.0, 1e-9, 1800.0])
    assert made.share.tolist() == [0.10, 0.20, 0.30]


def test_a_missing_capacity_is_the_one_before_it_and_a_change_is_counted() -> None:
    made = cleaned([50, 50, 50, 50], [0, 100, np.nan, 200])
    assert made.scale == 200
    assert made.ceiling.tolist() == [0.5, 0.5, 0.5, 1.0]
    assert made.cleaning.capacity_changes == 1


def test_a_lone_fault_value_is_dropped_where_no_capacity_tells() -> None:
    made = cleaned([*[40.0, 50.0] * 200, 65535.0])
    assert made.cleaning.spikes == 1
    assert made.scale == 50


def test_readings_finer_than_five_minutes_are_thinned() -> None:
    at_s = [60.0 * i for i in range(60)]
    made = cleaned([float(i) for i in range(60)], at_s=at_s)
    assert made.share.size == 12
    assert made.step_s == 300


def test_a_half_hourly_feed_that_comes_early_and_late_has_a_step_of_half_an_hour() -> None:
    jitter = [-138, -258, -20, 166, -12, -191, -18, -255, -16, -15]
    made = cleaned(
        [1.0] * 10, [10] * 10, at_s=[36000 + 1800.0 * i + j for i, j in enumerate(jitter)]
    )
    assert made.step_s == 1800


@pytest.mark.parametrize("value", [[], [float("nan")], [-1.0], [float("inf")]])
def test_nothing_readable_is_no_series(value: list[float]) -> None:
    at_s = np.arange(len(value), dtype=float)
    assert clean("lot", at_s, at_s, np.array(value, dtype=float), None) is None


def test_a_lot_that_is_always_empty_has_a_scale_all_the_same() -> None:
    made = cleaned([0.0] * 5)
    assert made.scale == 1.0
    assert made.share.tolist() == [0.0] * 5
