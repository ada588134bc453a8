"""A count table read row by row: the good is kept, the bad returned with junction and field.

A row is a junction, a day, a quarter of an hour, an approach and a movement, with a number by
class. A column that the table lacks was not counted; an empty cell in a column that it has is a
gap. What nobody counted stays unknown.
"""

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from city.errors import Invalid
from signals.rules.counts.classes import DRIVERS, PCU, RIDERS, CountClass
from signals.rules.counts.places import CROSSING, Legs

QUARTERS: Final = 96
QUARTER_MIN: Final = 15
MOST_ROWS: Final = 1_000_000
MOST_PCU_OF_LANE: Final = 600.0
"""In a quarter of an hour: 1.5 s a car with never a red."""
MOST_RIDERS: Final = 2_000
MOST_WALKERS: Final = 5_000
_YEARS: Final = range(2000, 2100)
_NAMED: Final = 40

Cell = str | int | float | dt.date | dt.time | None

COLUMNS: Final = ("junction", "date", "start", "approach", "movement")
HEADINGS: Final[Mapping[str, str]] = {
    "junction": "junction", "路口": "junction",
    "date": "date", "日期": "date",
    "start": "start", "time": "start", "开始时间": "start", "时段": "start",
    "approach": "approach", "from": "approach", "进口": "approach", "进口道": "approach",
    "movement": "movement", "to": "movement", "流向": "movement",
    "car": "car", "小型车": "car", "小客车": "car",
    "bus": "bus", "大客车": "bus", "大型客车": "bus",
    "truck": "truck", "大货车": "truck", "大型货车": "truck",
    "articulated": "articulated", "铰接车": "articulated",
    "motorcycle": "motorcycle", "摩托车": "motorcycle",
    "ebike": "ebike", "电动自行车": "ebike",
    "bicycle": "bicycle", "自行车": "bicycle",
    "walker": "walker", "行人": "walker",
}  # fmt: skip
"""Headings that we know, in both languages, and the column that each means."""

_DATE: Final = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_TIME: Final = re.compile(r"(\d{1,2}):(\d{2})(?::00)?(?:\s*[-–~至]\s*(\d{1,2}):(\d{2}))?")

Numbers = dict[CountClass, list[int | None]]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that was not taken, and why."""

    row: int
    """As the table's own program numbers it: the heading is row 1."""
    junction: str
    field: str
    why: str


@dataclass(frozen=True, slots=True)
class LegDay:
    """One movement on one day."""

    junction: str
    from_road: str
    to_road: str
    """Empty for people who cross the arm."""
    day: dt.date
    numbers: Mapping[CountClass, Sequence[int | None]]
    """Of each quarter of an hour from midnight; None where nobody counted."""


@dataclass(frozen=True, slots=True)
class CountTable:
    """What a table says, and what was wrong with it."""

    legs: tuple[LegDay, ...]
    rows: int
    refused: tuple[Refusal, ...]


def columns_of(heading: Sequence[Cell]) -> dict[str, int]:
    """Give the place of each column that we know.

    Raises
    ------
    Invalid
        Where a needed column is missing or given twice, or nobody is counted.
    """
    found: dict[str, int] = {}
    for place, cell in enumerate(heading):
        name = HEADINGS.get(str(cell or "").strip().lower().lstrip("\ufeff"))
        if name is None:
            continue
        if name in found:
            raise Invalid("is given twice", field=name)
        found[name] = place
    for name in COLUMNS:
        if name not in found:
            raise Invalid("is missing from the heading", field=name)
    if not any(each.value in found for each in CountClass):
        raise Invalid("no class is counted: the heading names none", field="car")
    return found


def read_table(
    heading: Sequence[Cell], rows: Iterable[Sequence[Cell]], places: Mapping[str, Legs]
) -> CountTable:
    """Read a table.

    Parameters
    ----------
    heading : Sequence
    rows : Iterable
        Below the heading, in order; empty ones are passed over.
    places : Mapping
        The legs of every junction that may be counted, by name.

    Raises
    ------
    Invalid
        Where the heading lacks a column, or there are more than a million rows.

    Notes
    -----
    Cost grows with the rows; what is kept, with movements times days.
    """
    columns = columns_of(heading)
    classes = [each for each in CountClass if each.value in columns]
    kept: dict[tuple[str, str, str, dt.date], Numbers] = {}
    taken: dict[tuple[str, str, str, dt.date], set[int]] = {}
    refused: list[Refusal] = []
    rows_read = 0
    for number, row in enumerate(rows, 2):
        if all(cell is None or cell == "" for cell in row):
            continue
        rows_read += 1
        if rows_read > MOST_ROWS:
            raise Invalid(f"has more than {MOST_ROWS} rows", field="rows")
        cells = {name: row[place] if place < len(row) else None for name, place in columns.items()}
        name = str(cells["junction"] or "").strip()
        try:
            key, quarter, numbers = _read(name, cells, classes, places)
            _require_new(quarter, taken.setdefault(key, set()))
        except Invalid as error:
            refused.append(Refusal(number, name[:_NAMED], error.field or "", error.message))
            continue
        day = kept.setdefault(key, {})
        for each, value in numbers.items():
            day.setdefault(each, [None] * QUARTERS)[quarter] = value
    legs = tuple(
        LegDay(junction, start, end, day, kept[junction, start, end, day])
        for junction, start, end, day in sorted(kept)
    )
    return CountTable(legs, rows_read, tuple(refused))


def _read(
    name: str,
    cells: Mapping[str, Cell],
    classes: Sequence[CountClass],
    places: Mapping[str, Legs],
) -> tuple[tuple[str, str, str, dt.date], int, dict[CountClass, int]]:
    legs = places.get(name)
    if legs is None:
        raise Invalid(f"the network has no signal {name[:_NAMED]}", field="junction")
    day = _day(cells["date"])
    quarter = _quarter(cells["start"])
    start = legs.approach(_word(cells["approach"], "approach"))
    end = legs.towards(start, _word(cells["movement"], "movement"))
    walks = end == CROSSING
    numbers: dict[CountClass, int] = {}
    for each in classes:
        cell = cells[each.value]
        blank = cell is None or (isinstance(cell, str) and not cell.strip())
        if walks != (each is CountClass.WALKER):
            # People on foot have rows of their own.
            if not blank and _number(cell, each.value) != 0:
                raise Invalid("does not belong to such a movement", field=each.value)
            continue
        if blank:
            raise Invalid("is empty: write 0 where nobody passed", field=each.value)
        numbers[each] = _number(cell, each.value)
    if not numbers:
        raise Invalid("nobody is counted in this row", field="movement")
    _require_possible(numbers, legs.lanes.get((start, end), 0))
    return (name, start, end, day), quarter, numbers


def _require_possible(numbers: Mapping[CountClass, int], lanes: int) -> None:
    driven = sum(PCU[each] * number for each, number in numbers.items() if each in DRIVERS)
    most = lanes * MOST_PCU_OF_LANE
    if driven > most:
        worst = max((each for each in numbers if each in DRIVERS), key=lambda each: numbers[each])
        raise Invalid(
            f"{driven:.0f} units in 15 minutes are more than {lanes} lanes pass ({most:.0f})",
            field=worst.value,
        )
    for each, number in numbers.items():
        limit = MOST_RIDERS if each in RIDERS else MOST_WALKERS
        if each not in DRIVERS and number > limit:
            raise Invalid(f"{number} in 15 minutes are more than {limit}", field=each.value)


def _require_new(quarter: int, taken: set[int]) -> None:
    if quarter in taken:
        raise Invalid("this quarter of an hour is given twice", field="start")
    taken.add(quarter)


def _word(cell: Cell, field: str) -> str:
    word = str(cell).strip() if cell is not None else ""
    if not word:
        raise Invalid("is empty", field=field)
    return word


def _day(cell: Cell) -> dt.date:
    if isinstance(cell, dt.datetime):
        return _within(cell.date())
    if isinstance(cell, dt.date):
        return _within(cell)
    match = _DATE.fullmatch(str(cell).strip()) if cell is not None else None
    if match is None:
        raise Invalid("is no date: write 2026-03-02", field="date")
    try:
        return _within(dt.date(*map(int, match.groups())))
    except ValueError:
        raise Invalid("is a date that does not exist", field="date") from None


def _within(day: dt.date) -> dt.date:
    if day.year not in _YEARS:
        raise Invalid("lies outside the years 2000 to 2099", field="date")
    return day


def _quarter(cell: Cell) -> int:
    minutes: float
    if isinstance(cell, dt.datetime | dt.time):
        minutes = cell.hour * 60 + cell.minute + cell.second / 60
    elif isinstance(cell, float) and 0 <= cell < 1:
        minutes = round(cell * 1440, 3)  # a workbook's fraction of a day
    else:
        match = _TIME.fullmatch(str(cell).strip()) if cell is not None else None
        if match is None:
            raise Invalid("is no time: write 07:15", field="start")
        hour, minute, until_hour, until_minute = match.groups()
        minutes = int(hour) * 60 + int(minute)
        if until_hour is not None:
            until = int(until_hour) * 60 + int(until_minute)
            if (until - minutes) % 1440 != QUARTER_MIN:
                raise Invalid("must span 15 minutes", field="start")
    if not 0 <= minutes < QUARTERS * QUARTER_MIN or minutes % QUARTER_MIN:
        raise Invalid("must begin at a whole quarter of an hour", field="start")
    return int(minutes) // QUARTER_MIN


def _number(cell: Cell, field: str) -> int:
    if isinstance(cell, bool | dt.date | dt.time):
        raise Invalid("is no number", field=field)
    try:
        value = float(cell if isinstance(cell, int | float) else str(cell).strip())
    except ValueError:
        raise Invalid("is no number", field=field) from None
    # Written so that NaN fails too.
    if not value >= 0:
        raise Invalid("must not be negative", field=field)
    if value > 10**6 or value != int(value):
        raise Invalid("must be a whole number", field=field)
    return int(value)
