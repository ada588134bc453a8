"""When bays are closed: hours, rules by time and works together."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from city.time import Interval
from parking.rules.places.closures import closures
from parking.rules.places.times import hold, read_spans
from parking.rules.places.usage import read_rules, usage

if TYPE_CHECKING:
    from pydantic import JsonValue

SHANGHAI = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2026, 3, 1, 16, tzinfo=UTC)
"""Its midnight in Shanghai."""
OFFICE = read_spans([{"days": ["mo", "tu", "we", "th", "fr"], "times": [["08:00", "18:00"]]}], "x")
CLEANING = read_rules(
    [
        {
            "activity": "no_parking",
            "reason": "street cleaning",
            "when": [{"days": ["mo"], "times": [["17:00", "19:00"]]}],
        }
    ]
)


def hour(number: float) -> datetime:
    return MONDAY + timedelta(hours=number)


def test_without_hours_rules_or_works_a_bay_is_always_open() -> None:
    assert closures(SHANGHAI, (), (), (), (MONDAY, hour(24))) == ()


def test_hours_cleaning_and_works_join_where_they_touch() -> None:
    works = [Interval(hour(10), hour(12))]
    assert closures(SHANGHAI, OFFICE, CLEANING, works, (MONDAY, hour(24))) == (
        (hour(0), hour(8)),
        (hour(10), hour(12)),
        (hour(17), hour(24)),
    )


HOURS = st.integers(0, 23)
WINDOWS = st.lists(st.tuples(HOURS, st.integers(1, 24)), max_size=3)
ZONES = st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "Australia/Lord_Howe"])


@given(ZONES, WINDOWS, WINDOWS, st.lists(st.tuples(HOURS, HOURS), max_size=2), st.integers(0, 400))
def test_a_bay_is_closed_at_each_instant_that_hours_rules_or_works_close_it(
    name: str,
    windows: list[tuple[int, int]],
    cleaned: list[tuple[int, int]],
    dug: list[tuple[int, int]],
    day: int,
) -> None:
    zone = ZoneInfo(name)
    opening = read_spans([{"times": [_times(each)]} for each in windows], "x")
    rules = read_rules(
        [{"activity": "no_parking", "when": [{"times": [_times(each)]}]} for each in cleaned]
    )
    begin = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day, hours=3)
    works = [
        Interval(begin + timedelta(hours=at), begin + timedelta(hours=at + lasting))
        for at, lasting in dug
    ]
    end = begin + timedelta(hours=30)
    found = closures(zone, opening, rules, works, (begin, end))
    assert list(found) == sorted(found)
    assert all(a.until_at < b.from_at for a, b in itertools.pairwise(found))
    at = begin + timedelta(minutes=15)
    while at < end:
        local = at.astimezone(zone)
        closed = (
            not hold(opening, local)
            or not usage(rules, local).allowed
            or any(each.contains(at) for each in works)
        )
        # An hour that the clocks show twice is told by its first showing.
        if local.replace(fold=0).utcoffset() == local.replace(fold=1).utcoffset():
            assert closed == any(each.from_at <= at < each.until_at for each in found)
        at += timedelta(minutes=30)


def _times(window: tuple[int, int]) -> JsonValue:
    start, lasting = window
    return [f"{start:02}:00", f"{min(24, start + lasting):02}:00"]
