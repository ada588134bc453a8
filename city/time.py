"""Time: injected clocks, aware UTC instants, intervals, day types.

Business rules never read a clock: they are given instants. Instants are aware and in UTC;
a local time zone enters only where a rule speaks of days or hours, and leaves again there.
"""

import datetime as dt
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Protocol, TypeGuard

import chinese_calendar  # type: ignore[import-untyped] # the package ships no type information
from pydantic import JsonValue

from city.errors import Invalid

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_RFC3339 = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)
_MAX_SPEED = 10_000
HEARD_BY_ALL = timedelta(seconds=1)
"""Within so long every process reads a shared setting again (`city.works.shared_setting`)."""


# --- instants ------------------------------------------------------------------------------------


def as_utc(at: datetime, field: str = "at") -> datetime:
    """Give the same instant in UTC; Invalid where it carries no offset."""
    if at.utcoffset() is None:
        raise Invalid("must carry an offset", field=field)
    return at.astimezone(UTC)


def rfc3339(at: datetime) -> str:
    """Write an instant as RFC 3339 in UTC with its fraction where it has one.

    ``parse_rfc3339`` of the result is the same instant.
    """
    return as_utc(at).isoformat().replace("+00:00", "Z")


def parse_rfc3339(text: str, field: str) -> datetime:
    """Read an RFC 3339 instant, offset required.

    Parameters
    ----------
    text : str
        Such as ``2026-03-02T09:00:00+08:00``; a fraction finer than microseconds is cut.
    field : str
        Name of the field, for the error.

    Returns
    -------
    datetime
        Aware, in UTC.

    Raises
    ------
    Invalid
        On any other form, a date that does not exist, or an instant outside years 1 to 9999.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise Invalid("is not an RFC 3339 time with offset", field=field)
    fraction = (match[3] or "").ljust(6, "0")[:6]
    offset = "+00:00" if match[4] in "Zz" else match[4]
    try:
        return datetime.fromisoformat(f"{match[1]}T{match[2]}.{fraction}{offset}").astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid("is not a time that exists", field=field) from None


def to_ms(at: datetime) -> int:
    """Give whole milliseconds since 1970-01-01T00:00Z, rounded down, without a float."""
    return (as_utc(at) - _EPOCH) // _MILLISECOND


def from_ms(ms: int) -> datetime:
    """Give the instant that lies so many milliseconds after 1970-01-01T00:00Z.

    Raises
    ------
    Invalid
        Where it lies outside years 1 to 9999.
    """
    try:
        return _EPOCH + timedelta(milliseconds=ms)
    except OverflowError:
        raise Invalid("is not a time that exists", field="ms") from None


# --- clocks --------------------------------------------------------------------------------------


class Clock(Protocol):
    """Tells what time it is; the only source of 'now' for everything but security and audit."""

    def now(self) -> datetime:
        """Give the present instant, aware, in UTC."""
        ...


class WallClock:
    """The machine's clock."""

    __slots__ = ()

    def now(self) -> datetime:
        """Give the present instant, aware, in UTC."""
        return datetime.now(UTC)


class FixedClock:
    """A clock that stands until it is moved: for tests and replays.

    Parameters
    ----------
    at : datetime
        Where it starts; aware.
    """

    __slots__ = ("_at",)

    def __init__(self, at: datetime) -> None:
        self._at = as_utc(at)

    def now(self) -> datetime:
        """Give the instant that it was set to."""
        return self._at

    def advance(self, seconds: float) -> datetime:
        """Move forward and give the new instant; Invalid where it would go back."""
        if seconds < 0:
            raise Invalid("a clock does not go back", field="seconds")
        self._at += timedelta(seconds=seconds)
        return self._at


@dataclass(frozen=True, slots=True)
class ClockSetting:
    """The one shared setting behind simulated time: ``d0 + speed * (wall - w0)``.

    Raises
    ------
    Invalid
        On an instant without offset, or a speed outside 0 (standing still) to 10 000.
    """

    d0_at: datetime
    """Simulated instant at ``w0_at``."""
    w0_at: datetime
    """Wall instant from which the speed applies."""
    speed: float
    """Simulated seconds per wall second."""
    speed_before: float = 0.0
    """The same before ``w0_at``."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "d0_at", as_utc(self.d0_at, "d0_at"))
        object.__setattr__(self, "w0_at", as_utc(self.w0_at, "w0_at"))
        for name in ("speed", "speed_before"):
            if not 0 <= getattr(self, name) <= _MAX_SPEED:
                raise Invalid(f"must lie between 0 and {_MAX_SPEED}", field=name)

    def instant(self, wall_at: datetime) -> datetime:
        """Give the simulated instant at a wall instant."""
        elapsed = as_utc(wall_at) - self.w0_at
        return self.d0_at + elapsed * (self.speed_before if elapsed < timedelta() else self.speed)

    def speed_at(self, wall_at: datetime) -> float:
        """Give the speed at a wall instant."""
        return self.speed_before if as_utc(wall_at) < self.w0_at else self.speed

    def changed(self, wall_at: datetime, speed: float) -> "ClockSetting":
        """Give the setting for another speed from a wall instant on: time runs on from there."""
        return ClockSetting(self.instant(wall_at), wall_at, speed)

    def changed_soon(self, wall_at: datetime, speed: float) -> "ClockSetting":
        """Give the setting for another speed in a moment, when every process has heard of it.

        Until then time runs as it does: who has heard and who has not tell one time. Changed at
        once, a process that had not heard of a slower speed would be ahead of the others, by half
        a minute where a minute took a second.
        """
        if timedelta() < self.w0_at - as_utc(wall_at) <= HEARD_BY_ALL:
            return replace(self, speed=speed)
        from_at = wall_at + HEARD_BY_ALL
        return ClockSetting(self.instant(from_at), from_at, speed, speed_before=self.speed)

    def as_json(self) -> dict[str, JsonValue]:
        """Give the form in which processes share it."""
        return {
            "d0_at": rfc3339(self.d0_at),
            "w0_at": rfc3339(self.w0_at),
            "speed": self.speed,
            "speed_before": self.speed_before,
        }

    @classmethod
    def from_json(cls, value: JsonValue) -> "ClockSetting":
        """Read what ``as_json`` gave; Invalid names the member at fault."""
        members = value if isinstance(value, dict) else {}
        d0, w0 = members.get("d0_at"), members.get("w0_at")
        if not isinstance(d0, str) or not isinstance(w0, str):
            raise Invalid("must carry d0_at and w0_at", field="clock")
        speeds = [members.get("speed"), members.get("speed_before", 0.0)]
        known = [float(each) for each in speeds if _is_number(each)]
        if len(known) < len(speeds):
            raise Invalid("must be a number", field="speed")
        return cls(parse_rfc3339(d0, "d0_at"), parse_rfc3339(w0, "w0_at"), *known)


def _is_number(value: JsonValue) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


class ScaledClock:
    """Simulated time from the shared setting; it never goes back within a process.

    Parameters
    ----------
    setting : Callable[[], ClockSetting]
        Gives the setting now in force; called at every reading, so let it cache.
    wall : Clock
        The clock that drives it.
    """

    __slots__ = ("_last", "_lock", "_setting", "_wall")

    def __init__(self, setting: Callable[[], ClockSetting], wall: Clock | None = None) -> None:
        self._setting = setting
        self._wall: Clock = wall or WallClock()
        self._lock = threading.Lock()
        self._last = datetime.min.replace(tzinfo=UTC)

    def now(self) -> datetime:
        """Give the simulated instant: never before one that was given earlier.

        A process that has not heard of a change to a slower speed in time is a little ahead of the
        others; when it hears of it, its clock stands until they have caught up.
        """
        at = self._setting().instant(self._wall.now())
        with self._lock:
            self._last = max(self._last, at)
            return self._last

    @property
    def speed(self) -> float:
        """Give how many simulated seconds a second of the wall takes."""
        return self._setting().speed_at(self._wall.now())


def speed_of(clock: Clock) -> float:
    """Give how much faster than the wall a clock runs: 1 outside the demo."""
    return clock.speed if isinstance(clock, ScaledClock) else 1.0


# --- intervals -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Interval:
    """A half-open stretch of time ``[start_at, end_at)``; without an end it is still running.

    Raises
    ------
    Invalid
        On an instant without offset, or an end before the start. Start and end may be equal:
        such an interval is empty and overlaps nothing.
    """

    start_at: datetime
    end_at: datetime | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "start_at", as_utc(self.start_at, "start_at"))
        if self.end_at is not None:
            object.__setattr__(self, "end_at", as_utc(self.end_at, "end_at"))
            if self.end_at < self.start_at:
                raise Invalid("must not lie before the start", field="end_at")

    @property
    def running(self) -> bool:
        """Whether it has no end yet."""
        return self.end_at is None

    @property
    def empty(self) -> bool:
        """Whether it holds no instant."""
        return self.end_at == self.start_at

    @property
    def duration(self) -> timedelta | None:
        """How long it lasts; None while it runs."""
        return None if self.end_at is None else self.end_at - self.start_at

    def contains(self, at: datetime) -> bool:
        """Tell whether an instant lies in it; the end does not."""
        return self.start_at <= at and (self.end_at is None or at < self.end_at)

    def overlaps(self, other: "Interval") -> bool:
        """Tell whether the two share an instant."""
        return self.intersection(other) is not None

    def intersection(self, other: "Interval") -> "Interval | None":
        """Give what the two share; None where that is nothing."""
        start = max(self.start_at, other.start_at)
        ends = [end for end in (self.end_at, other.end_at) if end is not None]
        if not ends:
            return Interval(start)
        end = min(ends)
        return Interval(start, end) if start < end else None

    def without(self, other: "Interval") -> "tuple[Interval, ...]":
        """Give what is left of this one, in order: none, one or two intervals, none empty."""
        shared = self.intersection(other)
        if shared is None:
            return () if self.empty else (self,)
        rest = []
        if self.start_at < shared.start_at:
            rest.append(Interval(self.start_at, shared.start_at))
        if shared.end_at is not None and (self.end_at is None or shared.end_at < self.end_at):
            rest.append(Interval(shared.end_at, self.end_at))
        return tuple(rest)

    def closed(self, at: datetime) -> "Interval":
        """Give the interval ended at an instant; Invalid where that lies before its start."""
        return Interval(self.start_at, at)


# --- day types -----------------------------------------------------------------------------------


class DayType(StrEnum):
    """What kind of day a date is for tariffs, timetables and signals."""

    WORKDAY = "workday"
    MAKE_UP_WORKDAY = "make_up_workday"
    """A Saturday or Sunday that is worked in exchange for a bridge day (调休上班)."""
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    """A day off of a published public holiday, bridge days and its weekend days included."""
    UNKNOWN = "unknown"
    """The year's calendar is not published, or we keep none for the country."""

    @property
    def working(self) -> bool | None:
        """Whether people work on it; None where that is not known."""
        if self is DayType.UNKNOWN:
            return None
        return self in {DayType.WORKDAY, DayType.MAKE_UP_WORKDAY}


# A year counts as published only if its National Day is in: an early New Year alone, which a
# notice for the year before may carry, does not make a calendar.
_PUBLISHED_YEARS_CN: frozenset[int] = frozenset(
    day.year for day in chinese_calendar.holidays if (day.month, day.day) == (10, 1)
)


def day_type(day: date, country: str = "CN") -> DayType:
    """Tell what kind of day a date is.

    Parameters
    ----------
    day : date
        A local date. A ``datetime`` is refused: its date depends on a zone that it may not carry.
    country : str
        ISO 3166 code; only ``CN`` has a kept calendar, any other gives ``UNKNOWN``.

    Returns
    -------
    DayType
        ``UNKNOWN`` for every day of a year whose holidays are not published, weekends included:
        any of its Saturdays may yet become a working day.

    Notes
    -----
    Source: the yearly notices of the State Council's General Office, as kept by the
    ``chinesecalendar`` package.
    """
    if isinstance(day, dt.datetime):
        raise Invalid("must be a date without a time", field="day")
    if country != "CN" or day.year not in _PUBLISHED_YEARS_CN:
        return DayType.UNKNOWN
    if day in chinese_calendar.workdays:
        return DayType.MAKE_UP_WORKDAY
    if day in chinese_calendar.holidays:
        return DayType.HOLIDAY
    return DayType.WEEKEND if day.isoweekday() > 5 else DayType.WORKDAY  # noqa: PLR2004 - Friday
