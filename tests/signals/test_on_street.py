"""A plan's figures before and after it came: like hours alone, and days as what varies."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.rules.life.on_street import Cell, Sample, compare

MONDAY = date(2026, 3, 2)


def sample(day: int, over: float, of: float, hour: int = 8, *, working: bool = True) -> Sample:
    cell = Cell(("J01", 1), hour, working)
    return Sample(cell, MONDAY + timedelta(days=day), over, of)


def test_hours_that_one_side_lacks_are_not_compared() -> None:
    before = [sample(0, 300, 10), sample(0, 9_000, 100, hour=3)]
    after = [sample(7, 200, 10), sample(7, 10, 100, hour=22)]
    found = compare(before, after)
    assert found is not None
    assert (found.before.mean, found.after.mean, found.hours) == (30, 20, 1)
    assert compare(before, [sample(12, 200, 10, working=False)]) is None
    assert compare([], after) is None


def test_from_one_day_a_side_nobody_knows_how_sure_a_difference_is() -> None:
    found = compare([sample(0, 300, 10), sample(1, 320, 10)], [sample(7, 200, 10)])
    assert found is not None
    assert (found.difference.mean, found.difference.low, found.shown) == (-11, None, "unknown")
    assert (found.days_before, found.days_after) == (2, 1)


def test_where_traffic_moves_to_another_hour_the_hours_are_weighed_alike() -> None:
    # A quiet hour at 10 s and a busy one at 40 s, the same before and after: no effect at all,
    # though the plain mean of vehicles rises from 16 to 34 s.
    before = [sample(d, 10 * 80, 80, hour=5) for d in (0, 1)]
    before += [sample(d, 40 * 20, 20, hour=8) for d in (0, 1)]
    after = [sample(d, 10 * 20, 20, hour=5) for d in (7, 8)]
    after += [sample(d, 40 * 80, 80, hour=8) for d in (7, 8)]
    found = compare(before, after)
    assert found is not None
    assert found.before.mean == pytest.approx(25)
    assert found.difference.mean == pytest.approx(0)
    assert found.shown == "none"


def test_a_difference_is_worked_out_as_by_hand() -> None:
    # One hour, as many vehicles each day: the days' means are 30, 34, 38 and 20, 22, 24.
    before = [sample(d, mean * 10, 10) for d, mean in enumerate((30, 34, 38))]
    after = [sample(7 + d, mean * 10, 10) for d, mean in enumerate((20, 22, 24))]
    found = compare(before, after)
    assert found is not None
    # s^2 / n = 16 / 3 and 4 / 3; Welch's degrees (20/3)^2 / ((16/3)^2 / 2 + (4/3)^2 / 2) = 2.941;
    # t = 3.220 of it, times sqrt(20 / 3).
    assert found.difference.mean == pytest.approx(-12)
    assert found.difference.low == pytest.approx(-12 - 8.315, abs=0.02)
    assert found.shown == "less"


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(5)
    held = 0
    for _ in range(300):
        sides = []
        for start, truth in ((0, 30.0), (14, 26.0)):
            rows = []
            for day in range(6):
                # What a day has in common is in all its hours.
                common = rng.normal(0, 4)
                for hour, level in ((7, 5.0), (8, 15.0), (13, -5.0)):
                    n = int(rng.integers(40, 120))
                    mean = truth + level + common + rng.normal(0, 2)
                    rows.append(sample(start + day, mean * n, n, hour))
            sides.append(rows)
        found = compare(*sides)
        assert found is not None
        low, high = found.difference.low, found.difference.high
        assert low is not None
        assert high is not None
        held += low <= -4.0 <= high
    assert 0.91 <= held / 300 <= 0.99


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(7, 9), st.integers(1, 99)), min_size=1),
    st.floats(0.1, 3),
)
def test_a_side_set_beside_itself_shows_nothing(
    drawn: list[tuple[int, int, int]], ratio: float
) -> None:
    rows = [sample(day, ratio * n, n, hour) for day, hour, n in drawn]
    found = compare(rows, rows)
    assert found is not None
    assert found.difference.mean == pytest.approx(0, abs=1e-9)
    assert found.before.mean == pytest.approx(ratio)
    assert found.shown in {"none", "unknown"}
