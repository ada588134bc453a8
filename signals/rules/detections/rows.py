"""Rows as controllers and detectors send them: read one by one, the good kept, the bad returned.

A row is a list, as small as it can be said: a junction sends some of them every second.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from city.errors import Invalid
from city.vehicles import normalise_plate

MOST_ROWS: Final = 10_000
"""In one request."""
MOST_NUMBER: Final = 32_767
"""Of a code, a parameter or a channel."""
MOST_VEHICLES_PER_S: Final = 2
"""Past one detector: vehicles are longer than half a second."""
MOST_SPEED_KPH: Final = 300
LONGEST_COUNT_S: Final = 86_400
AHEAD: Final = timedelta(minutes=2)
"""A time further ahead of its receipt comes from a wrong clock."""
KEPT: Final = timedelta(days=35)
"""What is older is not kept: nobody would find it again."""
COUNTS_KEPT: Final = timedelta(days=3 * 366)


class Reason(StrEnum):
    """Why a row is not used."""

    MALFORMED = "malformed"
    TIME = "time"
    FUTURE = "future"
    OLD = "old"
    CODE = "code"
    PARAMETER = "parameter"
    CHANNEL = "channel"
    LENGTH = "length"
    VEHICLES = "vehicles"
    OCCUPANCY = "occupancy"
    SPEED = "speed"
    LANE = "lane"
    PLATE = "plate"


SAYS: Final = {
    Reason.MALFORMED: "the row does not have these members",
    Reason.TIME: "the time is no RFC 3339 instant with its offset",
    Reason.FUTURE: "the time lies in the future: the sender's clock is ahead",
    Reason.OLD: "the time lies before what is kept",
    Reason.CODE: "the event code is no whole number from 0 to 32767",
    Reason.PARAMETER: "the parameter is no whole number from 0 to 32767",
    Reason.CHANNEL: "the channel is no whole number from 0 to 32767",
    Reason.LENGTH: "the length is no whole number of seconds from 1 to 86400",
    Reason.VEHICLES: "the count is no whole number, or more than can pass",
    Reason.OCCUPANCY: "the occupancy is no share from 0 to 1",
    Reason.SPEED: "the speed is no number from 0 to 300 km/h",
    Reason.LANE: "the lane is no whole number from 0 to 99",
    Reason.PLATE: "the plate cannot be read",
}
_MOST_LANE: Final = 99
_MOST_TYPED: Final = 40
_LEAST_PLATE: Final = 5
_MOST_PLATE: Final = 12


class RefusedRow(NamedTuple):
    """A row that is not used, and why."""

    place: int
    """In the request, from 0."""
    reason: Reason


class EventRow(NamedTuple):
    """One event of a controller, by the public code list."""

    at: datetime
    code: int
    parameter: int


class CountRow(NamedTuple):
    """What a detector counted over a while."""

    from_at: datetime
    length_s: int
    channel: int
    vehicles: int
    occupancy: float | None
    speed_kph: float | None


class PassRow(NamedTuple):
    """A plate at the stop line. Never leaves the door in this form."""

    at: datetime
    lane: int
    plate: str


Row = EventRow | CountRow | PassRow


class _Bad(Exception):
    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Read:
    """What a request's rows are worth."""

    rows: tuple[Row, ...]
    refused: tuple[RefusedRow, ...]


def read_rows(
    rows: Sequence[object], read: Callable[[object, datetime], Row], now: datetime
) -> Read:
    """Read rows one by one.

    Raises
    ------
    Invalid
        On more than ``MOST_ROWS``.
    """
    if len(rows) > MOST_ROWS:
        raise Invalid(f"must hold at most {MOST_ROWS} rows", field="rows")
    good: list[Row] = []
    bad: list[RefusedRow] = []
    for index, row in enumerate(rows):
        try:
            good.append(read(row, now))
        except _Bad as refused:
            bad.append(RefusedRow(index, refused.reason))
    return Read(tuple(good), tuple(bad))


def event_row(row: object, now: datetime) -> EventRow:
    """Read ``[time, code, parameter]``."""
    at, code, parameter = _members(row, 3, 3)
    return EventRow(
        _time(at, now, KEPT), _whole(code, Reason.CODE), _whole(parameter, Reason.PARAMETER)
    )


def count_row(row: object, now: datetime) -> CountRow:
    """Read ``[from, seconds, channel, vehicles, occupancy, speed]``; the last two may be null."""
    from_at, length, channel, vehicles, occupancy, speed = _members(row, 4, 6)
    start_at = _time(from_at, now, COUNTS_KEPT)
    length_s = _whole(length, Reason.LENGTH, LONGEST_COUNT_S)
    if not length_s:
        raise _Bad(Reason.LENGTH)
    if start_at + timedelta(seconds=length_s) > now + AHEAD:
        raise _Bad(Reason.FUTURE)
    return CountRow(
        start_at,
        length_s,
        _whole(channel, Reason.CHANNEL),
        _whole(vehicles, Reason.VEHICLES, MOST_VEHICLES_PER_S * length_s),
        _share(occupancy, Reason.OCCUPANCY, 1.0),
        _share(speed, Reason.SPEED, float(MOST_SPEED_KPH)),
    )


def pass_row(row: object, now: datetime) -> PassRow:
    """Read ``[time, lane, plate]``."""
    at, lane, plate = _members(row, 3, 3)
    text = normalise_plate(plate) if isinstance(plate, str) and len(plate) <= _MOST_TYPED else ""
    if not _LEAST_PLATE <= len(text) <= _MOST_PLATE:
        raise _Bad(Reason.PLATE)
    return PassRow(_time(at, now, KEPT), _whole(lane, Reason.LANE, _MOST_LANE), text)


def _members(row: object, least: int, most: int) -> list[object]:
    if not isinstance(row, list) or not least <= len(row) <= most:
        raise _Bad(Reason.MALFORMED)
    return [*row, *[None] * (most - len(row))]


def _time(value: object, now: datetime, kept: timedelta) -> datetime:
    if not isinstance(value, str):
        raise _Bad(Reason.TIME)
    try:
        at = datetime.fromisoformat(value)
        if at.tzinfo is None:
            raise _Bad(Reason.TIME)
        at = at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _Bad(Reason.TIME) from None
    if at > now + AHEAD:
        raise _Bad(Reason.FUTURE)
    if at < now - kept:
        raise _Bad(Reason.OLD)
    return at


def _whole(value: object, reason: Reason, most: int = MOST_NUMBER) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise _Bad(reason)
    return value


def _share(value: object, reason: Reason, most: float) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Bad(reason)
    # Written so that NaN fails too.
    if not 0 <= value <= most:
        raise _Bad(reason)
    return float(value)
