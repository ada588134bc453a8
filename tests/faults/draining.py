"""Waiting until a running system has worked off everything that it took."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import text

from city.time import WallClock, to_ms
from parking.adapters.live_keys import district_keys
from parking.adapters.streams import changes_stream, entry_order
from parking.uplinks import PARKED_STREAM, uplink_stream
from tests.faults.town import DISTRICTS

if TYPE_CHECKING:
    import redis
    from sqlalchemy import Connection

    from tests.faults.installation import Installation

DRAIN_PATIENCE_S: Final = 180.0


def _last(live: redis.Redis, stream: str) -> str:
    found: Any = live.xinfo_stream(stream)
    return str(found["last-generated-id"].decode())


def waiting(live: redis.Redis, connection: Connection) -> list[str]:
    """Name what is not worked off yet: entries, changes, deadlines."""
    held = {
        (row.stream, row.consumer): row.entry_id
        for row in connection.execute(
            text("select stream, consumer, entry_id from parking.stream_position")
        )
    }
    left: list[str] = []

    def compare(stream: str, reader: str, at: str | None) -> None:
        if live.exists(stream) and entry_order(at or "0-0") < entry_order(_last(live, stream)):
            left.append(f"{reader} of {stream} is at {at}, not {_last(live, stream)}")

    compare(PARKED_STREAM, "archive", held.get((PARKED_STREAM, "archive")))
    for district in DISTRICTS:
        stream, keys = uplink_stream(district, 0), district_keys(district)
        folded_to: Any = live.hget(keys.applied, stream)
        compare(stream, "fold", None if folded_to is None else folded_to.decode())
        compare(stream, "archive", held.get((stream, "archive")))
        changes = changes_stream(district)
        compare(changes, "record", held.get((changes, "record")))
        due = live.zcount(keys.due, "-inf", to_ms(WallClock().now()))
        if due:
            left.append(f"{due} bays of {district} are due")
    return left


def drain(installation: Installation, *, patience_s: float = DRAIN_PATIENCE_S) -> float:
    """Wait until everything is worked off and stays so; give the seconds it took."""
    begun = time.monotonic()
    live, database = installation.live(), installation.database()
    calm = 0
    try:
        while calm < 2:  # a sweep writes changes after the stream was read to its end
            with database.read() as connection:
                left = waiting(live, connection)
            calm = 0 if left else calm + 1
            assert time.monotonic() - begun < patience_s, f"{left}\n{installation.logs()}"
            time.sleep(0.3)
    finally:
        live.connection_pool.disconnect()
        database.close()
    return time.monotonic() - begun
