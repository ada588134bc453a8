"""Which of some windows of local time is in force at which second of which local day."""

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise, product
from operator import itemgetter

from parking.rules.tariffs.dates import Calendar, DateSet, plain_token, year_of_days
from parking.rules.tariffs.document import DayWindow, TariffDocument, clock_time_s
from parking.rules.tariffs.local_time import DAY_S, day_date, local_clock_s, local_day

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY_TYPE_TOKENS = frozenset({"workday", "make_up_workday", "weekend", "holiday"})

Row = tuple[int, int, int]
"""From and to in seconds after local midnight, and the window's place in the list; -1 = none."""
DayKind = tuple[int, str, frozenset[int]]
"""Weekday from Monday = 0, the day's token of the calendar, the windows whose dates hold it."""


def calendar_of(document: TariffDocument) -> Calendar:
    """Give the calendar that a tariff's words ``workday``, ``weekend``, ``holiday`` mean."""
    return Calendar(
        document.calendar, DateSet(document.holidays), DateSet(document.make_up_workdays)
    )


class BandTable:
    """Windows of one list, laid out by local day and kept.

    Parameters
    ----------
    windows : Sequence[DayWindow]
        In order of precedence.
    calendar : Calendar
        Says what kind of day a date is.
    """

    __slots__ = (
        "_by_day",
        "_by_kind",
        "_calendar",
        "_dates",
        "_same_days",
        "_spans",
        "asks_calendar",
    )

    def __init__(self, windows: Sequence[DayWindow], calendar: Calendar) -> None:
        self._calendar = calendar
        self._spans = [
            (clock_time_s(each.from_time), clock_time_s(each.to_time), _tokens(each))
            for each in windows
        ]
        self._dates = [None if each.dates is None else DateSet(each.dates) for each in windows]
        named = {token for _, _, tokens in self._spans if tokens is not None for token in tokens}
        self.asks_calendar = bool(named & _DAY_TYPE_TOKENS)
        """Whether any window depends on what kind of day the calendar says it is."""
        self._by_day: dict[int, tuple[Row, ...]] = {}
        self._by_kind: dict[tuple[DayKind, DayKind], tuple[Row, ...]] = {}
        self._same_days = not named and all(dates is None for dates in self._dates)

    def rows(self, day: int) -> tuple[Row, ...]:
        """Give the rows of a local day (days since 1970-01-01): in order, the day covered."""
        rows = self._by_day.get(day)
        if rows is None:
            # a zombie stay or a hostile date must not make the table grow without bound
            if len(self._by_day) > 20_000:  # noqa: PLR2004 - about 55 years of days
                self._by_day.clear()
            kinds = (_ANY, _ANY) if self._same_days else (self.kind(day - 1), self.kind(day))
            rows = self.rows_of(*kinds)
            self._by_day[day] = rows
        return rows

    def holds(self, second: int, timezone: str) -> bool:
        """Say whether any window is in force at a second of UTC."""
        clock_s = local_clock_s(second, timezone)
        rows = self.rows(local_day(second, timezone))
        return any(start <= clock_s < end and window >= 0 for start, end, window in rows)

    def rows_of(self, before: DayKind, today: DayKind) -> tuple[Row, ...]:
        """Give the rows of a day of one kind that follows a day of another."""
        key = (before, today)
        rows = self._by_kind.get(key)
        if rows is None:
            rows = self._by_kind[key] = tuple(self._painted(before, today))
        return rows

    def unpublished_year(self, day: int) -> int | None:
        """Give the year of a local day whose holidays are not published, where that matters."""
        return self._calendar.unpublished_year(day) if self.asks_calendar else None

    def kind(self, day: int) -> DayKind:
        """Give all that the windows ask of a local day."""
        weekday = day_date(day).weekday()
        token = self._calendar.token(day) if self.asks_calendar else plain_token(weekday)
        return weekday, token, self._dated(day)

    def kinds(self) -> Iterator[tuple[DayKind, DayKind]]:
        """Give every pair of kinds that two days in a row can have, and no other dates.

        The dates that come every year meet every weekday; those of one year have their own.
        """
        found = {(weekday, *held) for held in self._yearly() for weekday in range(7)}
        named = {day for dates in self._dates if dates is not None for day in dates.dated()}
        for day in named | {day + 1 for day in named}:
            found.add((day_date(day).weekday(), self._dated(day - 1), self._dated(day)))
        for weekday, held_before, held in sorted(found, key=_order):
            before = (weekday - 1) % 7
            yield from product(
                ((before, token, held_before) for token in self._possible(before)),
                ((weekday, token, held) for token in self._possible(weekday)),
            )

    def _yearly(self) -> set[tuple[frozenset[int], frozenset[int]]]:
        yearly = [(i, d) for i, d in enumerate(self._dates) if d is not None and d.any_yearly]
        if not yearly:
            return {(frozenset(), frozenset())}
        return {
            (
                frozenset(place for place, dates in yearly if dates.holds_yearly(before)),
                frozenset(place for place, dates in yearly if dates.holds_yearly(today)),
            )
            for before, today in year_of_days()
        }

    def _dated(self, day: int) -> frozenset[int]:
        return frozenset(
            place
            for place, dates in enumerate(self._dates)
            if dates is not None and dates.holds(day)
        )

    def _possible(self, weekday: int) -> tuple[str, ...]:
        return self._calendar.tokens(weekday) if self.asks_calendar else (plain_token(weekday),)

    def _painted(self, before: DayKind, today: DayKind) -> Iterator[Row]:
        parts = self._parts(before, today)
        edges = sorted({0, DAY_S}.union(*((start, end) for start, end, _ in parts)))
        painted = (
            (low, high, next((band for start, end, band in parts if start <= low < end), -1))
            for low, high in pairwise(edges)
        )
        for band, run in groupby(painted, key=itemgetter(2)):
            rows = list(run)
            yield rows[0][0], rows[-1][1], band

    def _parts(self, before: DayKind, today: DayKind) -> list[Row]:
        """Give what each window claims of a day, the first in precedence first."""
        parts: list[Row] = []
        for place, (start, end, _) in enumerate(self._spans):
            if self._fits(place, today):
                parts.append((start, end if start < end else DAY_S, place))
            if start >= end and self._fits(place, before):
                parts.append((0, end, place))
        return parts

    def _fits(self, place: int, day: DayKind) -> bool:
        if self._dates[place] is not None and place not in day[2]:
            return False
        return _matches(self._spans[place][2], day)


_ANY: DayKind = (0, "workday", frozenset())


def _tokens(window: DayWindow) -> frozenset[str] | None:
    return None if window.days is None else frozenset(window.days)


def _matches(tokens: frozenset[str] | None, day: DayKind) -> bool:
    if tokens is None or WEEKDAYS[day[0]] in tokens or day[1] in tokens:
        return True
    # a worked Saturday is a working day unless the tariff names it apart
    return day[1] == "make_up_workday" and "workday" in tokens


def _order(found: tuple[int, frozenset[int], frozenset[int]]) -> tuple[int, list[int], list[int]]:
    return found[0], sorted(found[1]), sorted(found[2])
