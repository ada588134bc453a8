"""Local wall-clock time by whole seconds, correct through every change of a zone's offset.

Rating works on integer seconds since 1970; a zone enters only as stretches of constant offset,
within which local time is a plain addition.
"""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from city.errors import Invalid

DAY_S = 86_400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1)
_SECOND = timedelta(seconds=1)


def floor_s(at: datetime) -> int:
    """Give the last whole second not after an instant."""
    return (at - _EPOCH) // _SECOND


def ceil_s(at: datetime) -> int:
    """Give the first whole second not before an instant."""
    return -((_EPOCH - at) // _SECOND)


def utc_at(second: int) -> datetime:
    """Give the instant of a whole second, in UTC."""
    return datetime.fromtimestamp(second, UTC)


def local_text(at: datetime, zone: str) -> str:
    """Write an instant on the zone's wall clock, with its offset."""
    return at.astimezone(_zone(zone)).isoformat()


def day_date(day: int) -> date:
    """Give the date of a local day number (days since 1970-01-01)."""
    return _EPOCH_DAY + timedelta(days=day)


def local_day(second: int, zone: str) -> int:
    """Give the number of the local day that holds a second."""
    return (second + _offset_s(second, zone)) // DAY_S


def local_clock_s(second: int, zone: str) -> int:
    """Give the seconds after local midnight of a second."""
    return (second + _offset_s(second, zone)) % DAY_S


def offset_spans(start: int, end: int, zone: str) -> list[tuple[int, int, int]]:
    """Give the stretches of constant offset that cover ``[start, end)``.

    Returns
    -------
    list of (start, end, offset_s)
        In order, without holes. One lookup a UTC day, kept; cost grows with the days.
    """
    spans: list[tuple[int, int, int]] = []
    for day in range(start // DAY_S, (end - 1) // DAY_S + 1):
        for first, last, offset in _day_spans(day, zone):
            low, high = max(first, start), min(last, end)
            if low >= high:
                continue
            if spans and spans[-1][2] == offset:
                spans[-1] = (spans[-1][0], high, offset)
            else:
                spans.append((low, high, offset))
    return spans


def parse_local(text: str, zone: str, field: str) -> datetime:
    """Read an ISO 8601 time; one without offset is meant on the zone's wall clock.

    ``T24:00`` is the end of the day. A wall-clock time that the zone skips or shows twice is
    refused: only an offset says which instant is meant.

    Raises
    ------
    Invalid
        With the field's name.
    """
    end_of_day = text[10:] in {"T24:00", "T24:00:00"}
    try:
        at = datetime.fromisoformat(text[:10] if end_of_day else text)
        if end_of_day:
            at += timedelta(days=1)
        if at.tzinfo is not None:
            return at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid("is not an ISO 8601 time such as 2026-03-02T10:15", field=field) from None
    early, late = (at.replace(tzinfo=_zone(zone), fold=fold).astimezone(UTC) for fold in (0, 1))
    if early != late:
        how = "happens twice" if early < late else "does not exist"
        raise Invalid(f"{how} on the clocks of {zone}; give an offset", field=field)
    return early


@lru_cache(maxsize=512)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _offset_s(second: int, zone: str) -> int:
    offset = utc_at(second).astimezone(_zone(zone)).utcoffset()
    return 0 if offset is None else offset // _SECOND


@lru_cache(maxsize=16_384)
def _day_spans(day: int, zone: str) -> tuple[tuple[int, int, int], ...]:
    first, last = day * DAY_S, (day + 1) * DAY_S
    before, after = _offset_s(first, zone), _offset_s(last, zone)
    if before == after:
        return ((first, last, before),)
    low, high = first, last  # the change lies in (low, high]
    while high - low > 1:
        middle = (low + high) // 2
        if _offset_s(middle, zone) == before:
            low = middle
        else:
            high = middle
    spans = ((first, high, before), (high, last, after))
    return tuple(span for span in spans if span[0] < span[1])
