"""Dates that a rule names: single days, stretches of days, and days that come every year."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from city.time import DayType, day_type
from parking.rules.tariffs.local_time import day_date

_DATED = re.compile(r"(\d{4}-\d{2}-\d{2})(?:/(\d{4}-\d{2}-\d{2}))?", re.ASCII)
_YEARLY = re.compile(r"(\d{2}-\d{2})(?:/(\d{2}-\d{2}))?", re.ASCII)
_LEAP_YEAR = 2028
_EPOCH_DAY = date(1970, 1, 1)
MOST_DAYS = 370
"""Longest stretch of named dates: what lasts longer is a version of the tariff."""
_FIRST_WEEKEND_DAY = 5


def day_number(at: date) -> int:
    """Give the number of a date (days since 1970-01-01)."""
    return (at - _EPOCH_DAY).days


def _dated(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text} is not a date that exists") from None


def _month_day(text: str) -> int:
    at = _dated(f"{_LEAP_YEAR}-{text}")
    return at.month * 100 + at.day


def check_date_text(text: str) -> str:
    """Give a date text back; ValueError where it is none.

    It is ``2026-05-01``, ``2026-05-01/2026-05-03`` (both ends included), ``12-25`` (every year)
    or ``11-15/03-15`` (every year, here across the new year).
    """
    yearly = _YEARLY.fullmatch(text)
    if yearly is not None:
        _month_day(yearly[1])
        _month_day(yearly[2] or yearly[1])
        return text
    match = _DATED.fullmatch(text)
    if match is None:
        raise ValueError("is not a date such as 2026-05-01, 2026-05-01/2026-05-03 or 12-25")
    days = (_dated(match[2] or match[1]) - _dated(match[1])).days
    if days < 0:
        raise ValueError("ends before it begins")
    if days >= MOST_DAYS:
        raise ValueError(f"holds more than {MOST_DAYS} days")
    return text


class DateSet:
    """Dates that any of some texts names (see ``check_date_text``).

    Parameters
    ----------
    texts : Sequence[str]
        Checked before.
    """

    __slots__ = ("_spans", "_yearly", "any_dated", "any_yearly")

    def __init__(self, texts: Sequence[str]) -> None:
        self._spans: list[tuple[int, int]] = []
        self._yearly: list[tuple[int, int]] = []
        for text in texts:
            first, _, last = text.partition("/")
            if _YEARLY.fullmatch(text):
                self._yearly.append((_month_day(first), _month_day(last or first)))
            else:
                ends = _dated(first), _dated(last or first)
                self._spans.append((day_number(ends[0]), day_number(ends[1])))
        self.any_dated = bool(self._spans)
        self.any_yearly = bool(self._yearly)

    def holds(self, day: int) -> bool:
        """Tell whether a day (days since 1970-01-01) is one of them."""
        if any(first <= day <= last for first, last in self._spans):
            return True
        return self.any_yearly and self.holds_yearly(day_date(day))

    def holds_yearly(self, at: date) -> bool:
        """Tell whether a date comes every year among them."""
        of_year = at.month * 100 + at.day
        return any(
            first <= of_year <= last if first <= last else not last < of_year < first
            for first, last in self._yearly
        )

    def dated(self) -> Iterator[int]:
        """Give every day that is named with its year, as often as it is."""
        for first, last in self._spans:
            yield from range(first, last + 1)


@dataclass(frozen=True, slots=True)
class Calendar:
    """What kind of day a date is: a country's notices, and dates that the tariff names itself."""

    country: str | None
    holidays: DateSet
    make_up_workdays: DateSet

    @property
    def has_holidays(self) -> bool:
        """Whether any day can be a holiday."""
        named = self.holidays.any_dated or self.holidays.any_yearly
        return self.country is not None or named

    @property
    def has_make_up_workdays(self) -> bool:
        """Whether any day of a weekend can be worked."""
        named = self.make_up_workdays.any_dated or self.make_up_workdays.any_yearly
        return self.country is not None or named

    def token(self, day: int) -> str:
        """Give the kind of a day; where the country's notice is not out the weekday decides."""
        if self.make_up_workdays.holds(day):
            return "make_up_workday"
        if self.holidays.holds(day):
            return "holiday"
        at = day_date(day)
        if self.country is not None:
            kind = day_type(at, self.country)
            if kind is not DayType.UNKNOWN:
                return kind.value
        return plain_token(at.weekday())

    def tokens(self, weekday: int) -> tuple[str, ...]:
        """Give every kind that a weekday (Monday = 0) can be."""
        found = [plain_token(weekday)]
        if self.has_holidays:
            found.append("holiday")
        if self.has_make_up_workdays:
            found.append("make_up_workday")
        return tuple(found)

    def unpublished_year(self, day: int) -> int | None:
        """Give the year of a day whose kind nobody has published yet."""
        if self.country is None or self.holidays.holds(day) or self.make_up_workdays.holds(day):
            return None
        at = day_date(day)
        return at.year if day_type(at, self.country) is DayType.UNKNOWN else None


def plain_token(weekday: int) -> str:
    """Give the kind of a weekday (Monday = 0) that no calendar says otherwise of."""
    return "weekend" if weekday >= _FIRST_WEEKEND_DAY else "workday"


def year_of_days() -> Iterator[tuple[date, date]]:
    """Give every pair of dates in a row of which no year has another by month and day."""
    for place in range(366):
        at = date(_LEAP_YEAR, 1, 1) + timedelta(days=place)
        yield at - timedelta(days=1), at
    yield date(_LEAP_YEAR + 1, 2, 28), date(_LEAP_YEAR + 1, 3, 1)
