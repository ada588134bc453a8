"""Passages past a camera as a stream that others may read: never a plate.

A vehicle is named by a keyed hash that changes every day, so that travel times and where traffic
goes can be told within a day, and nobody can be followed from one day to the next. The stream lies
beside a district's other live keys and keeps its latest entries alone: it is no record.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast
from uuid import UUID

import redis

from city.identifiers import DistrictCode
from city.time import from_ms, to_ms

MOST_KEPT: Final = 100_000
"""Entries of a district: hours of a busy one; about 150 bytes each."""
MOST_AT_ONCE: Final = 1_000


@dataclass(frozen=True, slots=True)
class PlatePass:
    """One vehicle past one camera."""

    district: DistrictCode
    lane_id: UUID
    token: str
    """Keyed hash of the vehicle, another one each day."""
    at: datetime


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
        fields: dict[str | bytes, str | int] = {
            "lane": str(each.lane_id),
            "token": each.token,
            "at": to_ms(each.at),
        }
        live.xadd(passes_key(each.district), fields, maxlen=MOST_KEPT, approximate=True)  # type: ignore[arg-type]  # its stubs are invariant


def read(
    live: redis.Redis, district: DistrictCode, after: str = "0", limit: int = MOST_AT_ONCE
) -> list[tuple[str, PlatePass]]:
    """Give passes behind an entry, the oldest first, each with the entry to go on behind."""
    begin = "-" if after == "0" else f"({after}"
    # Its stubs allow for answers that this command never gives.
    found = cast(
        "list[tuple[bytes, dict[bytes, bytes]]]",
        live.xrange(passes_key(district), min=begin, count=limit),
    )
    return [(entry.decode(), _pass(district, fields)) for entry, fields in found]


def _pass(district: DistrictCode, fields: dict[bytes, bytes]) -> PlatePass:
    lane_id, token = UUID(fields[b"lane"].decode()), fields[b"token"].decode()
    return PlatePass(district, lane_id, token, from_ms(int(fields[b"at"])))
