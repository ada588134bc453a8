"""The hours of a place: every instant lies in one hour of one local day.

A clock change makes a local day of 23, 24.5 or 25 hours and an hour that comes twice or only in
part. Figures are kept by such hours and not by UTC ones, so that a day's figures are the sum of
its hours' in every time zone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

STEP: Final = timedelta(minutes=15)
"""Since 2012 all offsets are whole quarters of an hour, and clocks change at whole ones."""


@dataclass(frozen=True, slots=True)
class Hour:
    """A stretch ``[start_at, end_at)`` within one local hour: an hour long, or less."""

    start_at: datetime
    end_at: datetime
    day: date
    hour: int
    """0 to 23, as the clock on the wall showed it."""


def local_day(at: datetime, zone: ZoneInfo) -> date:
    """Give the local date of an instant."""
    return at.astimezone(zone).date()


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """Give the first instant of a local day, in UTC.

    Where clocks go forward at midnight the day begins later than 00:00; where they go back there,
    the first of the two midnights begins it.
    """
    start = datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)
    if local_day(start, zone) < day:  # midnight was skipped
        while local_day(start, zone) < day:
            start += STEP
    return start


def day_bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Give a local day's first instant and the next day's, in UTC."""
    return day_start(day, zone), day_start(day + timedelta(days=1), zone)


def hours_of(day: date, zone: ZoneInfo) -> tuple[Hour, ...]:
    """Give the hours that make up a local day, in order and without gap or overlap.

    An hour that comes twice is two hours with one name.
    """
    start_at, end_at = day_bounds(day, zone)
    hours: list[Hour] = []
    begun, label = start_at, _label(start_at, zone)
    for at in _quarters(start_at + STEP, end_at):
        named = _label(at, zone)
        if named != label:
            hours.append(Hour(begun, at, day, label[0]))
            begun, label = at, named
    hours.append(Hour(begun, end_at, day, label[0]))
    return tuple(hours)


def days_between(first: date, until: date) -> tuple[date, ...]:
    """Give the dates from `first` to the one before `until`."""
    return tuple(first + timedelta(days=n) for n in range(max(0, (until - first).days)))


def _label(at: datetime, zone: ZoneInfo) -> tuple[int, timedelta | None]:
    local = at.astimezone(zone)
    return local.hour, local.utcoffset()


def _quarters(at: datetime, end_at: datetime) -> Iterator[datetime]:
    while at < end_at:
        yield at
        at += STEP
