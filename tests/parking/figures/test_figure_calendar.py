"""Hours make up days exactly, in every zone and on every day of a clock change."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parking.rules.figures.calendar import day_bounds, days_between, hours_of, local_day

ZONES = (
    "Asia/Shanghai",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Africa/Cairo",
    "Pacific/Apia",
    "UTC",
)


@given(
    st.sampled_from(ZONES),
    st.dates(date(2012, 1, 1), date(2040, 1, 1)),
)
@settings(deadline=None)
def test_hours_follow_each_other_through_the_whole_day(name: str, day: date) -> None:
    zone = ZoneInfo(name)
    hours = hours_of(day, zone)
    start_at, end_at = day_bounds(day, zone)
    assert (hours[0].start_at, hours[-1].end_at) == (start_at, end_at)
    assert [each.end_at for each in hours[:-1]] == [each.start_at for each in hours[1:]]
    for each in hours:
        assert timedelta() < each.end_at - each.start_at <= timedelta(hours=1)
        last = each.end_at - timedelta(microseconds=1)
        for at in (each.start_at, last):
            assert (local_day(at, zone), at.astimezone(zone).hour) == (day, each.hour)


@given(st.sampled_from(ZONES), st.datetimes(datetime(2012, 1, 2), datetime(2040, 1, 1)))  # noqa: DTZ001 - its zone is drawn
def test_every_instant_lies_in_one_hour_of_its_day(name: str, at: datetime) -> None:
    zone = ZoneInfo(name)
    instant = at.replace(tzinfo=UTC)
    found = [
        each
        for each in hours_of(local_day(instant, zone), zone)
        if each.start_at <= instant < each.end_at
    ]
    assert len(found) == 1


@pytest.mark.parametrize(
    ("zone", "day", "names"),
    [
        ("Asia/Shanghai", date(2026, 3, 2), list(range(24))),
        ("Europe/Berlin", date(2026, 3, 29), [0, 1, *range(3, 24)]),
        ("Europe/Berlin", date(2026, 10, 25), [0, 1, 2, 2, *range(3, 24)]),
        # Half an hour back at two o'clock: half an hour of one o'clock comes again.
        ("Australia/Lord_Howe", date(2026, 4, 5), [0, 1, 1, *range(2, 24)]),
        # Midnight itself is skipped.
        ("America/Santiago", date(2026, 9, 6), list(range(1, 24))),
    ],
)
def test_a_clock_change_makes_a_day_of_other_hours(zone: str, day: date, names: list[int]) -> None:
    assert [each.hour for each in hours_of(day, ZoneInfo(zone))] == names


def test_the_repeated_half_hour_is_half_an_hour_long() -> None:
    hours = hours_of(date(2026, 4, 5), ZoneInfo("Australia/Lord_Howe"))
    assert hours[2].end_at - hours[2].start_at == timedelta(minutes=30)


def test_days_between_ends_before_its_end() -> None:
    assert days_between(date(2026, 2, 27), date(2026, 3, 2)) == (
        date(2026, 2, 27),
        date(2026, 2, 28),
        date(2026, 3, 1),
    )
    assert days_between(date(2026, 3, 2), date(2026, 3, 2)) == ()
