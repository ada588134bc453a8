"""What a sign says against a car: from when, and only while it says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.time import Interval
from parking.rules.places.breaches import Breach, BreachKind, breach
from parking.rules.places.times import TimeSpan
from parking.rules.places.usage import UseRule

SHANGHAI = ZoneInfo("Asia/Shanghai")
BY_DAY = TimeSpan(windows=((8 * 60, 18 * 60),))
HOUR_BY_DAY = UseRule("parking", (BY_DAY,), max_stay_min=60)
CLEANING = UseRule("no_parking", (TimeSpan(windows=((11 * 60, 12 * 60),)),), reason="sweeping")
RESIDENTS = UseRule("parking", users=("residents",))


def at(clock: str, day: int = 2) -> datetime:
    """Give an instant of Monday, 2 March 2026, or another day of the month, in Shanghai."""
    hour, minute = map(int, clock.split(":"))
    return datetime(2026, 3, day, hour, minute, tzinfo=SHANGHAI).astimezone(UTC)


def found(
    came: str,
    now: str,
    *rules: UseRule,
    works: tuple[Interval, ...] = (),
    day: int = 2,
) -> Breach | None:
    return breach(lambda each: each.astimezone(SHANGHAI), rules, works, at(came), at(now, day))


@pytest.mark.parametrize(
    ("came", "now", "since"),
    [
        ("09:00", "09:59", None),
        ("09:00", "10:00", "10:00"),
        ("09:00", "12:00", "10:00"),
        # It came in the night: the hour begins with the limit.
        ("06:00", "08:30", None),
        ("06:00", "10:00", "09:00"),
        # In the evening it may stay.
        ("09:00", "18:00", None),
    ],
)
def test_a_limit_counts_from_when_both_car_and_limit_are_there(
    came: str, now: str, since: str | None
) -> None:
    expected = None if since is None else Breach(BreachKind.SIGNED, at(since), "60")
    assert found(came, now, HOUR_BY_DAY) == expected


def test_the_next_day_is_another_hour() -> None:
    assert found("09:00", "08:30", HOUR_BY_DAY, day=3) is None
    tuesday = Breach(BreachKind.SIGNED, at("09:00", 3), "60")
    assert found("09:00", "09:30", HOUR_BY_DAY, day=3) == tuesday


def test_where_nobody_may_stand_the_time_begins_with_the_prohibition() -> None:
    assert found("09:00", "10:59", CLEANING) is None
    forbidden = Breach(BreachKind.FORBIDDEN, at("11:00"), "sweeping")
    assert found("09:00", "11:20", CLEANING) == forbidden
    assert found("11:10", "11:20", CLEANING) == Breach(
        BreachKind.FORBIDDEN, at("11:10"), "sweeping"
    )
    assert found("09:00", "12:00", CLEANING) is None


def test_a_limit_begins_anew_after_a_prohibition() -> None:
    assert found("09:00", "12:30", HOUR_BY_DAY, CLEANING) is None
    assert found("09:00", "13:00", HOUR_BY_DAY, CLEANING) == Breach(
        BreachKind.SIGNED, at("13:00"), "60"
    )


def test_works_forbid_while_they_last() -> None:
    works = (Interval(at("10:00"), at("14:00")),)
    assert found("09:00", "10:30", works=works) == Breach(
        BreachKind.FORBIDDEN, at("10:00"), "works"
    )
    assert found("09:00", "14:00", works=works) is None


def test_of_who_may_be_there_by_right_nothing_is_said() -> None:
    assert found("09:00", "17:00", RESIDENTS) is None


@given(came=st.integers(0, 3 * 1440), stood=st.integers(0, 3 * 1440))
def test_what_stands_against_a_car_began_while_it_stood_there(came: int, stood: int) -> None:
    from_at = at("00:00") + timedelta(minutes=came)
    now = from_at + timedelta(minutes=stood)
    against = breach(
        lambda each: each.astimezone(SHANGHAI), (HOUR_BY_DAY, CLEANING), (), from_at, now
    )
    assert against is None or from_at <= against.since_at <= now
