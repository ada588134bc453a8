"""The record: bays' changes go from the districts' streams to PostgreSQL, and become stays.

History, stays and position move in one transaction: exactly once, whatever is killed.
"""

import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Final, Protocol
from uuid import UUID

import orjson
import redis
import structlog

from city.errors import Unavailable
from city.identifiers import BayId, DeviceId, DistrictCode, FacilityId
from city.time import from_ms
from city.works.database import Database, UnitOfWork
from parking.adapters import streams
from parking.adapters.streams import changes_stream
from parking.rules.occupancy.history import BayChange, BayState, StateChange
from parking.store import telemetry

BATCH: Final = 1_000
BLOCK_MS: Final = 500
GATHER_S: Final = 0.2
"""Pause without a backlog, so that changes of one moment share a transaction."""
RETRY_S: Final = 1.0
KEPT_FOR_PAGES: Final = timedelta(minutes=10)
"""Recorded changes stay in their stream for so long: live pages read them there."""

log = structlog.get_logger(__name__)


class StaysHook(Protocol):
    """Brings stays in line with changes, inside the record's transaction."""

    def __call__(self, uow: UnitOfWork, changes: Sequence[BayChange]) -> object:
        """Apply changes, in their order."""


class Recorder:
    """Records all districts' changes. Several may run: one of them wins each batch.

    Parameters
    ----------
    live, database
        Where changes wait, and where they go.
    districts
        Gives the districts; asked before each batch.
    apply
        Called with each batch inside its transaction.
    """

    def __init__(
        self,
        live: redis.Redis,
        database: Database,
        districts: Callable[[], Sequence[DistrictCode]],
        apply: StaysHook,
    ) -> None:
        self._live = live
        self._database = database
        self._districts = districts
        self._apply = apply

    def run(self, stop: threading.Event) -> None:
        """Record until told to stop, whatever fails meanwhile."""
        while not stop.is_set():
            try:
                if self.record(block_ms=BLOCK_MS) < BATCH:
                    stop.wait(GATHER_S)
            except (redis.RedisError, Unavailable) as error:
                log.warning("the record has to wait", reason=str(error))
                stop.wait(RETRY_S)

    def record_all(self) -> int:
        """Record what is there and return how many changes: for tests, tools and benches."""
        total = 0
        while done := self.record(block_ms=None):
            total += done
        return total

    def record(self, *, block_ms: int | None) -> int:
        """Record one batch of each district; give how many changes."""
        names = {changes_stream(district): district for district in self._districts()}
        if not names:
            return 0
        streams.follow(self._live, names, streams.RECORD_GROUP)
        with self._database.read() as connection:
            held = {
                stream: telemetry.position(connection, stream, streams.RECORD_GROUP)
                for stream in names
            }
        after = {stream: entry_id or streams.BEGINNING for stream, entry_id in held.items()}
        count = 0
        found = streams.read_after(self._live, after, count=BATCH, block_ms=block_ms)
        for stream, entries in found:
            last = entries[-1][0]
            with self._database.unit_of_work() as uow:
                if not telemetry.claim(uow.connection, stream, streams.RECORD_GROUP, held[stream]):
                    continue
                changes = [
                    change
                    for entry_id, value in entries
                    if (change := _read(names[stream], entry_id, value)) is not None
                ]
                telemetry.rewrite_histories(
                    uow.connection,
                    [_history(change) for change in changes if change.from_at is not None],
                    recorded_at=uow.clock.now(),
                )
                self._apply(uow, changes)
                telemetry.move_position(
                    uow.connection, stream, streams.RECORD_GROUP, last, at=uow.wall.now()
                )
            count += len(entries)
            streams.acknowledge(self._live, stream, streams.RECORD_GROUP, last)
            oldest = streams.at_or_after(self._database.wall.now() - KEPT_FOR_PAGES)
            streams.trim_below(self._live, stream, [last, oldest])
        return count


def _read(district: DistrictCode, entry_id: str, value: bytes | None) -> BayChange | None:
    try:
        return read_change(district, orjson.loads(value or b""))
    except (ValueError, TypeError, IndexError, KeyError) as error:
        log.warning("a change cannot be recorded", entry=entry_id, error=str(error))
        return None


def read_change(district: DistrictCode, entry: Sequence[Any]) -> BayChange:
    """Read an entry of a changes stream, parsed; see ``docs/occupancy.md``.

    Raises
    ------
    ValueError, TypeError, IndexError
        On anything else.
    """
    bay, facility, _, _, from_ms_or_none, changes, now = entry
    state, since_ms, sure, heard_ms, provisional = now
    return BayChange(
        bay_id=BayId(UUID(hex=bay)),
        facility_id=FacilityId(UUID(hex=facility)),
        district=district,
        from_at=None if from_ms_or_none is None else from_ms(from_ms_or_none),
        changes=tuple(
            StateChange(
                BayState(was),
                from_ms(at_ms),
                how,
                key,
                None if device is None else DeviceId(UUID(hex=device)),
            )
            for was, at_ms, how, key, device in changes
        ),
        state=BayState(state),
        since_at=from_ms(since_ms) if since_ms else None,
        sure=sure,
        heard_at=from_ms(heard_ms) if heard_ms else None,
        provisional=bool(provisional),
    )


def _history(change: BayChange) -> telemetry.RewrittenHistory:
    if change.from_at is None:
        raise ValueError("the history stays as it is")
    return telemetry.RewrittenHistory(
        change.bay_id,
        change.from_at,
        tuple(
            telemetry.BayChange(
                bay_id=change.bay_id,
                facility_id=change.facility_id,
                district=change.district,
                changed_at=each.at,
                state=each.state.value,
                sure=each.sure,
                observation_key=each.observation,
                device_id=each.device_id,
            )
            for each in change.changes
        ),
    )
