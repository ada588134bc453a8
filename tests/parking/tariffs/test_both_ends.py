"""Prices by both ends of a stay: early birds, evenings."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.errors import Invalid
from tests.parking.tariffs.pricing import HOURLY, fee, name, paid, quoted, tariff

EARLY: dict[str, Any] = {
    "id": "early",
    "name": name("early bird"),
    "enter": {"days": ["monday", "tuesday"], "from": "06:00", "to": "09:30"},
    "leave": {"from": "15:00", "to": "19:00"},
    "within_s": 14 * 3600,
    "price_minor": 1500,
}
EVENING: dict[str, Any] = {
    "id": "evening",
    "name": name("evening"),
    "enter": {"from": "17:00", "to": "22:00"},
    "leave": {"from": "17:00", "to": "02:00"},
    "price_minor": 800,
}
PLAIN = tariff(HOURLY)
BIRDS = tariff(HOURLY, both_ends=[EARLY, EVENING])


@pytest.mark.parametrize(
    ("enter", "leave", "minor"),
    [
        (-1, 8, 1500),
        (-1, 5.9, 3500),  # left before the window: by the hour, and more
        (0.49, 6, 1500),  # its edges count as within
        (0.5, 7, 3500),  # came too late
        (0, 10, 1500),
        (0, 10.01, 5500),  # left too late
        (48, 56, 4000),  # a Wednesday
        (-1, 32, 16500),  # another day's afternoon
        (9, 16, 800),  # across midnight
        (12, 13, 500),  # cheaper by the hour
        (9, 17, 800),
        (9, 17.1, 4500),
    ],
)
def test_the_lowest_price_whose_windows_hold_both_ends_is_the_most_a_stay_costs(
    enter: float, leave: float, minor: int
) -> None:
    assert fee(BIRDS, enter, leave) == minor


def test_the_line_names_the_price() -> None:
    lines = quoted(BIRDS, -1, 8).lines
    assert [(line.minor, line.why.text("en")) for line in lines] == [
        (4500, "9 started × 1 h at ¥5.00"),
        (-3000, "early bird: at most ¥15.00"),
    ]


def test_whoever_paid_by_the_hour_and_leaves_in_the_window_owes_nothing_more() -> None:
    assert fee(BIRDS, 0, 8, claims=paid((3, 1500))) == 0
    assert fee(BIRDS, 0, 8, claims=paid((2, 1000))) == 500


@given(st.floats(-200, 200), st.floats(0, 100))
def test_a_price_by_both_ends_never_makes_a_stay_dearer(enter: float, lasting: float) -> None:
    assert 0 <= fee(BIRDS, enter, enter + lasting) <= fee(PLAIN, enter, enter + lasting)


@pytest.mark.parametrize(
    ("both_ends", "field"),
    [
        ([EARLY, EARLY], "schedules[0].both_ends[1]"),
        ([{**EARLY, "leave": {"from": "24:00"}}], "schedules[0].both_ends[0].leave.from"),
        ([{**EARLY, "enter": {"days": ["holiday"]}}], "schedules[0].both_ends[0].enter.days[0]"),
        ([{**EARLY, "price_minor": -1}], "schedules[0].both_ends[0].price_minor"),
    ],
)
def test_a_price_by_both_ends_that_cannot_be_names_its_field(
    both_ends: list[dict[str, Any]], field: str
) -> None:
    with pytest.raises(Invalid) as raised:
        tariff(HOURLY, both_ends=both_ends)
    assert raised.value.field == field
