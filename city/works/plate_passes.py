"""Passages past a camera as a stream that others may read: never a plate.

A vehicle is named by its mark of the day, so that travel times and where traffic goes can be told
within a day, and nobody can be followed from one day to the next. The stream lies beside a
district's other live keys and keeps its latest entries alone, for two days: it is no record.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import redis

from city.errors import Invalid
from city.identifiers import DistrictCode
from city.time import from_ms, to_ms

MOST_KEPT: Final = 100_000
"""Entries of a district: hours of a busy one; about 150 bytes each."""
MOST_AT_ONCE: Final = 1_000
LIES_FOR: Final = timedelta(days=2)
"""So that a quiet district's passes do not lie there for months."""


@dataclass(frozen=True, slots=True)
class PlatePass:
    """One vehicle past one camera."""

    district: DistrictCode
    lane_id: UUID
    token: str
    """The vehicle's mark of the day (`city.vault.day_marks`), hexadecimal."""
    at: datetime
    """Of the wall's time, by which the street lives."""


def passes_key(district: str) -> str:
    """Give the stream of a district."""
    return f"{{d:{district}}}:passes"


def publish(live: redis.Redis, passes: Iterable[PlatePass]) -> None:
    """Add passes to their districts' streams.

    Raises
    ------
    redis.RedisError
        Where the live store is away: what was to be told is lost, which costs nobody anything.
    """
    for each in passes:
        key = passes_key(each.district)
        fields: dict[str | bytes, str | int] = {
            "lane": str(each.lane_id),
            "token": each.token,
            "at": to_ms(each.at),
        }
        with live.pipeline(transaction=True) as turn:
            turn.xadd(key, fields, maxlen=MOST_KEPT, approximate=True)  # type: ignore[arg-type]  # its stubs are invariant
            turn.xtrim(key, minid=str(to_ms(each.at - LIES_FOR)))
            turn.expire(key, LIES_FOR)
            turn.execute()


@dataclass(frozen=True, slots=True)
class Stretch:
    """What lies behind an entry of a district's stream."""

    passes: tuple[tuple[str, PlatePass | None], ...]
    """The oldest first, each with its entry; None for one that cannot be read."""
    gone: int
    """How many entries the stream has had before the oldest that it still has."""
    added: int
    """How many it has had at all."""


def read_on(
    live: redis.Redis, district: DistrictCode, after: str = "0", limit: int = MOST_AT_ONCE
) -> Stretch:
    """Give the passes behind an entry.

    Raises
    ------
    redis.RedisError
        Where the live store is away.
    """
    with live.pipeline(transaction=True) as turn:
        turn.exists(passes_key(district))
        turn.xrange(passes_key(district), min=f"({after}", count=limit)
        turn.xinfo_stream(passes_key(district))
        found: list[Any] = turn.execute(raise_on_error=False)
    present, entries, about = found
    if not present:
        return Stretch((), 0, 0)
    for answer in found:
        if isinstance(answer, redis.RedisError):
            raise answer
    added = int(about["entries-added"])
    passes = tuple((entry.decode(), _pass(district, fields)) for entry, fields in entries)
    return Stretch(passes, added - int(about["length"]), added)


def _pass(district: DistrictCode, fields: dict[bytes, bytes]) -> PlatePass | None:
    try:
        lane_id, token = UUID(fields[b"lane"].decode()), fields[b"token"].decode()
        bytes.fromhex(token)
        return PlatePass(district, lane_id, token, from_ms(int(fields[b"at"])))
    except (KeyError, ValueError, Invalid):
        return None
