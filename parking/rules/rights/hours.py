"""The hours of a right: windows of local wall-clock time on some days, as instants.

A window belongs to the day on which it begins: 18:00-08:00 on working days runs from Friday
evening to Saturday morning, and not from Sunday evening to Monday morning.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import JsonValue

from city.errors import Invalid
from city.time import DayType, day_type
from parking.rules.rights.spans import Span, Spans, intersection, normal

MOST_WINDOWS: Final = 16
DAY_MIN: Final = 24 * 60
_DAY: Final = timedelta(days=1)
_WEEKEND_FROM: Final = 6


class Days(StrEnum):
    """On which days a window begins."""

    EVERY = "every"
    WORKDAY = "workday"
    """Working days of the national calendar, make-up working days among them."""
    DAY_OFF = "day_off"
    """Weekends and holidays that are not worked."""


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of the wall clock; one whose end is not after its beginning runs past midnight.

    Raises
    ------
    Invalid
        On a beginning outside 00:00-23:59 or an end outside 00:01-24:00.
    """

    from_min: int
    """Minutes after local midnight, 0 to 1439."""
    until_min: int
    """Minutes after local midnight, 1 to 1440."""
    days: Days = Days.EVERY

    def __post_init__(self) -> None:
        if not 0 <= self.from_min < DAY_MIN:
            raise Invalid("must lie between 00:00 and 23:59", field="hours.from")
        if not 0 < self.until_min <= DAY_MIN:
            raise Invalid("must lie between 00:01 and 24:00", field="hours.until")

    @property
    def past_midnight(self) -> bool:
        """Whether it ends on the day after the one on which it begins."""
        return self.until_min <= self.from_min

    def as_json(self) -> dict[str, JsonValue]:
        """Give the form that is stored and sent."""
        return {
            "from": _clock_text(self.from_min),
            "until": _clock_text(self.until_min),
            "days": self.days.value,
        }


@dataclass(frozen=True, slots=True)
class Hours:
    """When a right holds; without a window it always does.

    Raises
    ------
    Invalid
        On more than ``MOST_WINDOWS`` windows.
    """

    windows: tuple[Window, ...] = ()

    def __post_init__(self) -> None:
        if len(self.windows) > MOST_WINDOWS:
            raise Invalid(f"must be at most {MOST_WINDOWS} windows", field="hours")

    def within(self, span: Span, timezone: str) -> Spans:
        """Give the instants of a span at which the hours hold.

        Parameters
        ----------
        span : Span
            Cost grows with its days.
        timezone : str
            IANA name of the zone whose wall clock counts.

        Notes
        -----
        Where a clock change skips or repeats the edge of a window, the window takes the longer
        reading. Days of a year whose holidays are not published count by their weekday, as they
        do for tariffs.
        """
        if not self.windows:
            return normal([span])
        zone = zone_of(timezone)
        first = span[0].astimezone(zone).date() - _DAY
        last = span[1].astimezone(zone).date()
        found = [
            (_instant(day, window.from_min, zone, latest=False), _end(day, window, zone))
            for day in (first + _DAY * n for n in range((last - first).days + 1))
            for window in self.windows
            if _begins_on(window.days, day)
        ]
        return intersection(normal(found), normal([span]))

    def as_json(self) -> list[JsonValue]:
        """Give the form that is stored and sent."""
        return [window.as_json() for window in self.windows]

    @classmethod
    def from_json(cls, value: JsonValue) -> "Hours":
        """Read what ``as_json`` gave.

        Raises
        ------
        Invalid
            Naming the member at fault, such as ``hours[0].from``.
        """
        if not isinstance(value, list):
            raise Invalid("must be a list of windows", field="hours")
        return cls(tuple(_window(each, f"hours[{place}]") for place, each in enumerate(value)))


ALWAYS: Final = Hours()


@lru_cache(maxsize=64)
def zone_of(timezone: str) -> ZoneInfo:
    """Give a time zone by its IANA name; Invalid where there is none."""
    try:
        return ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise Invalid("is not a time zone", field="timezone") from error


def midnight(day: date, timezone: str) -> datetime:
    """Give the instant at which a local day begins, in UTC."""
    return _instant(day, 0, zone_of(timezone), latest=False)


def local_date(at: datetime, timezone: str) -> date:
    """Give the local day of an instant."""
    return at.astimezone(zone_of(timezone)).date()


def days_touched(spans: Sequence[Span], timezone: str) -> int:
    """Count the local days of which a set of instants holds any part."""
    zone = zone_of(timezone)
    days: set[date] = set()
    for start, end in spans:
        first = start.astimezone(zone).date()
        last = (end - timedelta(microseconds=1)).astimezone(zone).date()
        days.update(first + _DAY * n for n in range((last - first).days + 1))
    return len(days)


def _window(value: JsonValue, field: str) -> Window:
    members: Mapping[str, JsonValue] = value if isinstance(value, dict) else {}
    unknown = set(members) - {"from", "until", "days"}
    if unknown:
        raise Invalid("is not known", field=f"{field}.{min(unknown)[:40]}")
    days = members.get("days", Days.EVERY.value)
    if days not in set(Days):
        raise Invalid(f"must be one of {', '.join(Days)}", field=f"{field}.days")
    return Window(
        _clock_min(members.get("from"), f"{field}.from"),
        _clock_min(members.get("until"), f"{field}.until"),
        Days(str(days)),
    )


def _clock_min(value: JsonValue, field: str) -> int:
    text = value if isinstance(value, str) else ""
    hour, _, minute = text.partition(":")
    if len(text) == len("00:00") and text.isascii() and (hour + minute).isdecimal():
        whole = int(hour) * 60 + int(minute)
        if int(minute) < 60 and whole <= DAY_MIN:  # noqa: PLR2004 - minutes of an hour
            return whole
    raise Invalid("must be a wall-clock time from 00:00 to 24:00", field=field)


def _clock_text(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _begins_on(days: Days, day: date) -> bool:
    if days is Days.EVERY:
        return True
    kind = day_type(day)
    working = day.isoweekday() < _WEEKEND_FROM if kind is DayType.UNKNOWN else kind.working
    return working is (days is Days.WORKDAY)


def _end(day: date, window: Window, zone: ZoneInfo) -> datetime:
    return _instant(day + _DAY * window.past_midnight, window.until_min, zone, latest=True)


def _instant(day: date, minute: int, zone: ZoneInfo, *, latest: bool) -> datetime:
    day += _DAY * (minute // DAY_MIN)
    wall = datetime.combine(day, time(minute % DAY_MIN // 60, minute % 60), zone)
    readings = [wall.replace(fold=fold).astimezone(UTC) for fold in (0, 1)]
    return max(readings) if latest else min(readings)
