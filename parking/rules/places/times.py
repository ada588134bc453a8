"""Spans of time in which something holds: opening hours, market days, street cleaning.

A span is a conjunction of clauses; a list of spans holds where any of them does, an empty list
always. The clauses are those that CurbLR's TimeSpan has, so that its files are read without loss.
Everything is local time; nothing here knows a zone.

Source: CurbLR specification 1.1, TimeSpans; OpenStreetMap ``opening_hours`` has the same clauses.
"""

import calendar
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Literal

from pydantic import JsonValue

from city.errors import Invalid
from city.time import DayType, day_type

DAYS: Final = ("mo", "tu", "we", "th", "fr", "sa", "su")
DAY_MINUTES: Final = 24 * 60
LAST: Final = -1
MOST_WINDOWS: Final = 24
_CHINESE_ZONES: Final = frozenset({"Asia/Shanghai", "Asia/Urumqi", "Asia/Chongqing", "PRC"})
_DAY_KEYS: Final = frozenset({"last", "odd", "even"})
_LONGEST_MONTH: Final = 31
_MOST_WEEKS: Final = 5
_MONTH_DAY: Final = len("MM-DD")
_YEAR_DAY: Final = len("YYYY-MM-DD")

HolidayRule = Literal["any", "except", "only"]
Window = tuple[int, int]
"""Minutes after local midnight, from and to, half-open; where to is not after from, to the next
day's. (0, 1440) is the whole day."""


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """When something holds: all clauses at once.

    Parameters
    ----------
    days : frozenset of int
        Days of the week, Monday 0; empty for all.
    occurrences : tuple of int
        Which of them in their month: 1 to 5, or `LAST`; empty for all.
    month_days : tuple of str
        ``1`` to ``31``, ``last``, ``odd``, ``even``; any of them suffices; empty for all.
    windows : tuple of Window
        Times of day; empty for the whole day. One across midnight belongs to the day on which
        it begins.
    dates : tuple of (str, str)
        First and last date, ``YYYY-MM-DD``, or ``MM-DD`` for every year; empty for all.
    holidays : {"any", "except", "only"}
        Public holidays.
    only_during, except_during : frozenset of str
        Names of periods that somebody declares, such as ``snow emergency``.

    Raises
    ------
    Invalid
        On a clause out of range.
    """

    days: frozenset[int] = frozenset()
    occurrences: tuple[int, ...] = ()
    month_days: tuple[str, ...] = ()
    windows: tuple[Window, ...] = ()
    dates: tuple[tuple[str, str], ...] = ()
    holidays: HolidayRule = "any"
    only_during: frozenset[str] = frozenset()
    except_during: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not self.days <= frozenset(range(len(DAYS))):
            raise Invalid("must be days of the week", field="days")
        if not all(each == LAST or 1 <= each <= _MOST_WEEKS for each in self.occurrences):
            raise Invalid("must be 1 to 5 or last", field="occurrences")
        for each in self.month_days:
            digits = each.isascii() and each.isdigit()
            if each not in _DAY_KEYS and not (digits and 1 <= int(each) <= _LONGEST_MONTH):
                raise Invalid("must be 1 to 31, last, odd or even", field="month_days")
        self._check_windows()
        for first, last in self.dates:
            if len(first) != len(last) or not (_is_date(first) and _is_date(last)):
                raise Invalid("must be two of YYYY-MM-DD or two of MM-DD", field="dates")
            if len(first) == _YEAR_DAY and last < first:
                raise Invalid("must not end before they begin", field="dates")

    def _check_windows(self) -> None:
        if len(self.windows) > MOST_WINDOWS:
            raise Invalid(f"must be at most {MOST_WINDOWS}", field="times")
        for start, end in self.windows:
            if not (0 <= start < DAY_MINUTES and 0 < end <= DAY_MINUTES and start != end):
                raise Invalid("must be times of day that differ, 00:00 to 24:00", field="times")

    def holds(self, at: datetime, periods: Iterable[str] = ()) -> bool:
        """Tell whether a local instant lies in the span.

        Parameters
        ----------
        at : datetime
            Local time of the place.
        periods : iterable of str
            Declared periods that are on now.
        """
        on = frozenset(periods)
        if self.only_during - on or self.except_during & on:
            return False
        minute = at.hour * 60 + at.minute
        day, country = at.date(), _country(at)
        if not self.windows:
            return self._on(day, country)
        for start, end in self.windows:
            if start < end:
                if start <= minute < end and self._on(day, country):
                    return True
            elif (minute >= start and self._on(day, country)) or (
                minute < end and self._on(day - timedelta(days=1), country)
            ):
                return True
        return False

    def _on(self, day: date, country: str) -> bool:
        if self.days and day.weekday() not in self.days:
            return False
        length = calendar.monthrange(day.year, day.month)[1]
        if self.occurrences:
            last = day.day + 7 > length
            if (day.day - 1) // 7 + 1 not in self.occurrences and not (
                last and LAST in self.occurrences
            ):
                return False
        if self.month_days and not any(_is_day(each, day, length) for each in self.month_days):
            return False
        if self.dates and not any(_within(day, first, last) for first, last in self.dates):
            return False
        if self.holidays == "any":
            return True
        return (day_type(day, country) is DayType.HOLIDAY) == (self.holidays == "only")

    def as_json(self) -> dict[str, JsonValue]:
        """Give the form in which it is kept and shown; clauses that say nothing are left out."""
        kept: dict[str, JsonValue] = {}
        if self.days:
            kept["days"] = [DAYS[day] for day in sorted(self.days)]
        if self.occurrences:
            kept["occurrences"] = list(self.occurrences)
        if self.month_days:
            kept["month_days"] = list(self.month_days)
        if self.windows:
            kept["times"] = [[clock(start), clock(end)] for start, end in self.windows]
        if self.dates:
            kept["dates"] = [list(each) for each in self.dates]
        if self.holidays != "any":
            kept["holidays"] = self.holidays
        if self.only_during:
            kept["only_during"] = [*sorted(self.only_during)]
        if self.except_during:
            kept["except_during"] = [*sorted(self.except_during)]
        return kept


def _country(at: datetime) -> str:
    """Say whose holidays hold where a local time is told; those of other countries are unknown.

    An unknown day is taken for no holiday.
    """
    zone = getattr(at.tzinfo, "key", "Asia/Shanghai")
    return "CN" if zone in _CHINESE_ZONES else "unknown"


def hold(spans: Sequence[TimeSpan], at: datetime, periods: Iterable[str] = ()) -> bool:
    """Tell whether any of the spans holds at a local instant; without spans, always."""
    on = tuple(periods)
    return not spans or any(span.holds(at, on) for span in spans)


def next_change(
    spans: Sequence[TimeSpan], at: datetime, *, within_days: int = 8
) -> datetime | None:
    """Give the next local minute at which `hold` gives another answer; None within the days.

    Cost grows with the days looked at and the windows, not with minutes.
    """
    if not spans:
        return None
    now = hold(spans, at)
    marks = sorted({0, *(edge % DAY_MINUTES for span in spans for w in span.windows for edge in w)})
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    for day in range(within_days + 1):
        for mark in marks:
            moment = midnight + timedelta(days=day, minutes=mark)
            if moment > at and hold(spans, moment) != now:
                return moment
    return None


def overlap(a: Sequence[TimeSpan], b: Sequence[TimeSpan]) -> bool:
    """Tell whether two lists of spans can hold at the same time, for judging contradictions.

    Days of the week, times, full dates and holidays are compared; clauses that fall together at
    some time or other (days of the month, occurrences, declared periods) are taken to.
    """
    if not a or not b:
        return True
    return any(_meet(x, y) for x in a for y in b)


def _meet(a: TimeSpan, b: TimeSpan) -> bool:
    if a.days and b.days and not a.days & b.days and not _overnight(a) and not _overnight(b):
        return False
    if {a.holidays, b.holidays} == {"only", "except"}:
        return False
    if a.only_during & b.except_during or b.only_during & a.except_during:
        return False
    full = [each for each in (a.dates, b.dates) if each and len(each[0][0]) == _YEAR_DAY]
    if len(full) == 2 and not any(  # noqa: PLR2004 - both
        max(x[0], y[0]) <= min(x[1], y[1]) for x in a.dates for y in b.dates
    ):
        return False
    pieces = [
        [piece for window in span.windows or ((0, DAY_MINUTES),) for piece in _unrolled(window)]
        for span in (a, b)
    ]
    return any(max(x[0], y[0]) < min(x[1], y[1]) for x in pieces[0] for y in pieces[1])


def _overnight(span: TimeSpan) -> bool:
    return any(end <= start for start, end in span.windows)


def _unrolled(window: Window) -> tuple[Window, ...]:
    start, end = window
    return (window,) if start < end else ((start, DAY_MINUTES), (0, end))


def clock(minute: int) -> str:
    """Write minutes after midnight as HH:MM; 1440 is 24:00."""
    return f"{minute // 60:02}:{minute % 60:02}"


def read_clock(text: str, field: str) -> int:
    """Read HH:MM or H:MM, 00:00 to 24:00, as minutes after midnight.

    Raises
    ------
    Invalid
        On anything else.
    """
    hours, colon, minutes = text.strip().partition(":")
    minutes = minutes[:2] if minutes[2:] in {":00", ""} else minutes
    if colon and hours.isascii() and hours.isdigit() and minutes.isascii() and minutes.isdigit():
        total = int(hours) * 60 + int(minutes)
        if len(minutes) == 2 and int(minutes) < 60 and total <= DAY_MINUTES:  # noqa: PLR2004 - two digits, 60 minutes
            return total
    raise Invalid("must be a time of day such as 08:30", field=field)


def read_window(start: str, end: str, field: str) -> Window:
    """Read a window of the day; an end of 23:59 is the day's, as many files write it."""
    first, last = read_clock(start, field), read_clock(end, field)
    if last == DAY_MINUTES - 1 or last == 0:
        last = DAY_MINUTES
    if first >= DAY_MINUTES or first == last:
        raise Invalid("must begin within the day and last", field=field)
    return first, last


def _is_date(text: str) -> bool:
    whole = f"2000-{text}" if len(text) == _MONTH_DAY else text
    if len(whole) != _YEAR_DAY:
        return False
    try:
        date.fromisoformat(whole)
    except ValueError:
        return False
    return True


def _is_day(name: str, day: date, length: int) -> bool:
    if name == "last":
        return day.day == length
    if name in {"odd", "even"}:
        return day.day % 2 == (name == "odd")
    return day.day == int(name)


def _within(day: date, first: str, last: str) -> bool:
    if len(first) == _YEAR_DAY:
        return first <= day.isoformat() <= last
    month_day = day.isoformat()[5:]
    if first <= last:
        return first <= month_day <= last
    return month_day >= first or month_day <= last


def read_spans(value: JsonValue, field: str) -> tuple[TimeSpan, ...]:
    """Read spans in the form that `TimeSpan.as_json` gives.

    Raises
    ------
    Invalid
        Naming the clause, such as ``opening[0].times``.
    """
    if not isinstance(value, list):
        raise Invalid("must be a list of spans of time", field=field)
    return tuple(_span(each, f"{field}[{index}]") for index, each in enumerate(value))


_KNOWN: Final = frozenset(
    {"days", "occurrences", "month_days", "times", "dates", "holidays"}
    | {"only_during", "except_during"}
)


def _span(value: JsonValue, field: str) -> TimeSpan:
    if not isinstance(value, dict):
        raise Invalid("must be an object", field=field)
    unknown = sorted(set(value) - _KNOWN)
    if unknown:
        raise Invalid("is not a clause of a span of time", field=f"{field}.{unknown[0][:40]}")
    days = _texts(value.get("days", []), f"{field}.days")
    if not set(days) <= set(DAYS):
        raise Invalid(f"must be among {', '.join(DAYS)}", field=f"{field}.days")
    occurrences = value.get("occurrences", [])
    if not isinstance(occurrences, list) or not all(
        isinstance(each, int) and not isinstance(each, bool) for each in occurrences
    ):
        raise Invalid("must be whole numbers", field=f"{field}.occurrences")
    holidays = value.get("holidays", "any")
    if holidays not in ("any", "except", "only"):
        raise Invalid("must be any, except or only", field=f"{field}.holidays")
    try:
        return TimeSpan(
            days=frozenset(DAYS.index(day) for day in days),
            occurrences=tuple(each for each in occurrences if isinstance(each, int)),
            month_days=_texts(value.get("month_days", []), f"{field}.month_days"),
            windows=tuple(
                _own_window(*pair, f"{field}.times")
                for pair in _pairs(value.get("times", []), f"{field}.times")
            ),
            dates=_pairs(value.get("dates", []), f"{field}.dates"),
            holidays="any" if holidays == "any" else "only" if holidays == "only" else "except",
            only_during=frozenset(_texts(value.get("only_during", []), f"{field}.only_during")),
            except_during=frozenset(
                _texts(value.get("except_during", []), f"{field}.except_during")
            ),
        )
    except Invalid as error:
        inner = error.field or ""
        where = inner if inner.startswith(field) else f"{field}.{inner}"
        raise Invalid(error.message, field=where) from None


def _own_window(start: str, end: str, field: str) -> Window:
    return read_clock(start, field), read_clock(end, field)


def _texts(value: JsonValue, field: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise Invalid("must be a list of texts", field=field)
    return tuple(str(each) for each in value)


def _pairs(value: JsonValue, field: str) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, list):
        raise Invalid("must be a list of pairs", field=field)
    pairs = []
    for each in value:
        if not isinstance(each, list) or len(each) != 2:  # noqa: PLR2004 - from and to
            raise Invalid("must be pairs of texts", field=field)
        start, end = _texts(each, field)
        pairs.append((start, end))
    return tuple(pairs)
