"""Days that differ from their type: events that bring more traffic, works that close lanes."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from pydantic import Field, JsonValue, model_validator
from pydantic import ValidationError as SchemaError

from city.errors import Invalid
from signals.rules.counts.gaps import clock
from signals.rules.counts.tables import QUARTER_MIN, QUARTERS
from signals.rules.documents import Document, refusal
from signals.rules.schedules.days import DayClass


@dataclass(frozen=True, slots=True)
class SpecialDays:
    """Something that changes some days."""

    name: str
    first: dt.date
    last: dt.date
    runs: DayClass | None = None
    """Runs like a day of that class."""
    factors: Mapping[str, float] = field(default_factory=dict)
    """By road: times as much comes from there."""
    from_quarter: int = 0
    until_quarter: int = QUARTERS
    closed_lanes: tuple[str, ...] = ()

    def covers(self, day: dt.date) -> bool:
        """Tell whether it changes a day."""
        return self.first <= day <= self.last


class _ExceptionDocument(Document):
    name: str = Field(min_length=1, max_length=60)
    first: dt.date
    last: dt.date | None = None
    runs: DayClass | None = None
    factors: dict[str, float] = Field(default_factory=dict)
    start: str = "00:00"
    end: str = "24:00"
    closed_lanes: list[str] = Field(default_factory=list, max_length=200)

    @model_validator(mode="after")
    def _says_something(self) -> "_ExceptionDocument":
        changes = bool(self.factors or self.closed_lanes)
        if changes == (self.runs is not None):
            raise ValueError("must carry either runs, or factors or closed_lanes")
        return self


class _ExceptionsDocument(Document):
    exceptions: list[_ExceptionDocument] = Field(max_length=200)


def exceptions_from_json(value: JsonValue) -> tuple[SpecialDays, ...]:
    """Read a document of events and works; Invalid names the first member at fault.

    No two may change the same day: which of them counts would be a guess.
    """
    try:
        document = _ExceptionsDocument.model_validate({"exceptions": value})
    except SchemaError as error:
        raise refusal(error) from None
    found = tuple(_read(each, place) for place, each in enumerate(document.exceptions))
    for one, other in combinations(found, 2):
        if one.first <= other.last and other.first <= one.last:
            raise Invalid(f"{other.name} meets {one.name}: join them", field="exceptions")
    return found


def exceptions_as_json(exceptions: Sequence[SpecialDays]) -> list[JsonValue]:
    """Give the document of events and works; ``exceptions_from_json`` of it equals them."""
    found: list[JsonValue] = []
    for each in exceptions:
        value: dict[str, JsonValue] = {
            "name": each.name,
            "first": each.first.isoformat(),
            "last": each.last.isoformat(),
        }
        if each.runs is not None:
            value["runs"] = each.runs.value
        else:
            value |= {
                "factors": dict(each.factors),
                "start": clock(each.from_quarter),
                "end": clock(each.until_quarter),
                "closed_lanes": list[JsonValue](each.closed_lanes),
            }
        found.append(value)
    return found


def _read(given: _ExceptionDocument, place: int) -> SpecialDays:
    where = f"exceptions.{place}"
    last = given.first if given.last is None else given.last
    if last < given.first:
        raise Invalid("must not lie before the first day", field=f"{where}.last")
    for road, factor in given.factors.items():
        # Written so that NaN fails too.
        if not 0 <= factor <= 10:  # noqa: PLR2004 - ten times the traffic is absurd
            raise Invalid("must lie from 0 to 10", field=f"{where}.factors.{road}")
    start, end = quarter_of(given.start, f"{where}.start"), quarter_of(given.end, f"{where}.end")
    if start >= end:
        raise Invalid("must lie behind the start", field=f"{where}.end")
    return SpecialDays(
        given.name,
        given.first,
        last,
        given.runs,
        dict(given.factors),
        start,
        end,
        tuple(given.closed_lanes),
    )


def quarter_of(text: str, field_name: str = "start") -> int:
    """Give the quarter of a time of day, 24:00 too; Invalid where it is none."""
    hour, colon, minute = text.partition(":")
    if not (colon and hour.isdecimal() and minute.isdecimal() and len(minute) == 2):  # noqa: PLR2004 - digits
        raise Invalid("is no time: write 07:15", field=field_name)
    minutes = int(hour) * 60 + int(minute)
    if int(minute) >= 60 or not 0 <= minutes <= QUARTERS * QUARTER_MIN or minutes % QUARTER_MIN:  # noqa: PLR2004 - an hour
        raise Invalid("must be a whole quarter of an hour", field=field_name)
    return minutes // QUARTER_MIN
