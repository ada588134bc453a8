"""Which band is in force at which second of which local day."""

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import groupby, pairwise, product
from operator import itemgetter

from city.time import DayType, day_type
from parking.rules.tariffs.document import Band, clock_time_s
from parking.rules.tariffs.local_time import DAY_S, day_date

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY_TYPE_TOKENS = frozenset({"workday", "make_up_workday", "weekend", "holiday"})
_FIRST_WEEKEND_DAY = 5

Row = tuple[int, int, int]
"""From and to in seconds after local midnight, and the band's place in the schedule; -1 = none."""
DayKind = tuple[int, str]
"""Weekday from Monday = 0, and the day's token of the calendar."""


class BandTable:
    """The bands of one schedule, laid out by local day and kept.

    Parameters
    ----------
    bands : Sequence[Band]
        In order of precedence.
    calendar : str or None
        Country whose holidays count; None for none.
    """

    __slots__ = ("_by_day", "_by_kind", "_calendar", "_spans", "asks_calendar", "asks_days")

    def __init__(self, bands: Sequence[Band], calendar: str | None) -> None:
        self._calendar = calendar
        self._spans = [
            (clock_time_s(band.from_time), clock_time_s(band.to_time), _tokens(band))
            for band in bands
        ]
        named = {token for _, _, tokens in self._spans if tokens is not None for token in tokens}
        self.asks_days = bool(named)
        """Whether any band depends on the day at all."""
        self.asks_calendar = calendar is not None and bool(named & _DAY_TYPE_TOKENS)
        self._by_day: dict[int, tuple[Row, ...]] = {}
        self._by_kind: dict[tuple[DayKind, DayKind], tuple[Row, ...]] = {}

    def rows(self, day: int) -> tuple[Row, ...]:
        """Give the rows of a local day (days since 1970-01-01): in order, the day covered."""
        rows = self._by_day.get(day)
        if rows is None:
            # a zombie stay or a hostile date must not make the table grow without bound
            if len(self._by_day) > 20_000:  # noqa: PLR2004 - about 55 years of days
                self._by_day.clear()
            kinds = (self._kind(day - 1), self._kind(day)) if self.asks_days else _ANY
            rows = self.rows_of(*kinds)
            self._by_day[day] = rows
        return rows

    def rows_of(self, before: DayKind, today: DayKind) -> tuple[Row, ...]:
        """Give the rows of a day of one kind that follows a day of another."""
        key = (before, today)
        rows = self._by_kind.get(key)
        if rows is None:
            rows = self._by_kind[key] = tuple(self._painted(before, today))
        return rows

    def unpublished_year(self, day: int) -> int | None:
        """Give the year of a local day whose holidays are not published, where that matters."""
        if not self.asks_calendar or self._calendar is None:
            return None
        at = day_date(day)
        return at.year if day_type(at, self._calendar) is DayType.UNKNOWN else None

    def kinds(self) -> Iterator[tuple[DayKind, DayKind]]:
        """Give every pair of kinds that two days in a row can have."""
        for weekday in range(7):
            before = (weekday - 1) % 7
            yield from product(
                ((before, token) for token in self._possible(before)),
                ((weekday, token) for token in self._possible(weekday)),
            )

    def _possible(self, weekday: int) -> tuple[str, ...]:
        free = weekday >= _FIRST_WEEKEND_DAY
        if not self.asks_calendar:
            return ("weekend",) if free else ("workday",)
        return ("weekend", "make_up_workday", "holiday") if free else ("workday", "holiday")

    def _kind(self, day: int) -> DayKind:
        at = day_date(day)
        return at.weekday(), self._token(at)

    def _token(self, at: date) -> str:
        if self.asks_calendar and self._calendar is not None:
            kind = day_type(at, self._calendar)
            if kind is not DayType.UNKNOWN:
                return kind.value
        return "weekend" if at.weekday() >= _FIRST_WEEKEND_DAY else "workday"

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
        """Give what each band claims of a day, the first in precedence first."""
        parts: list[Row] = []
        for band, (start, end, tokens) in enumerate(self._spans):
            if _matches(tokens, today):
                parts.append((start, end if start < end else DAY_S, band))
            if start >= end and _matches(tokens, before):
                parts.append((0, end, band))
        return parts


_ANY: tuple[DayKind, DayKind] = ((0, "workday"), (0, "workday"))


def _tokens(band: Band) -> frozenset[str] | None:
    return None if band.days is None else frozenset(band.days)


def _matches(tokens: frozenset[str] | None, day: DayKind) -> bool:
    if tokens is None or WEEKDAYS[day[0]] in tokens or day[1] in tokens:
        return True
    # a worked Saturday is a working day unless the tariff names it apart
    return day[1] == "make_up_workday" and "workday" in tokens
