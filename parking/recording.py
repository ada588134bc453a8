"""The record: bays' changes go from the districts' streams to PostgreSQL, and become stays.

History and stays move in the transaction of the position: exactly once, whatever is killed.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Final, Protocol
from uuid import UUID

import orjson
import redis
import structlog

from city.identifiers import BayId, DeviceId, DistrictCode, FacilityId
from city.time import from_ms
from city.works.database import Database, UnitOfWork
from parking.adapters import streams
from parking.adapters.streams import changes_stream
from parking.following import Follower
from parking.rules.occupancy.history import BayChange, BayState, StateChange
from parking.store import telemetry

KEPT_FOR_PAGES: Final = timedelta(minutes=10)
"""Recorded changes stay in their stream for so long: live pages read them there."""

log = structlog.get_logger(__name__)


class StaysHook(Protocol):
    """Brings stays in line with changes, inside the record's transaction."""

    def __call__(self, uow: UnitOfWork, changes: Sequence[BayChange]) -> object:
        """Apply changes, in their order."""


class Recorder(Follower[DistrictCode]):
    """Records all districts' changes.

    Parameters
    ----------
    live, database
        Where changes wait, and where they go.
    districts
        Gives the districts; asked before each batch.
    apply
        Called with each batch inside its transaction.
    """

    GROUP = streams.RECORD_GROUP
    BLOCK_MS = 500
    GATHER_S = 0.2

    def __init__(
        self,
        live: redis.Redis,
        database: Database,
        districts: Callable[[], Sequence[DistrictCode]],
        apply: StaysHook,
    ) -> None:
        super().__init__(live, database)
        self._districts = districts
        self._apply = apply

    def sources(self) -> dict[str, DistrictCode]:
        """Give the changes streams, each with its district."""
        return {changes_stream(district): district for district in self._districts()}

    def keep(
        self,
        uow: UnitOfWork,
        stream: str,
        owner: DistrictCode,
        entries: Sequence[tuple[str, bytes | None]],
    ) -> None:
        """Rewrite the histories that changed, and bring stays in line with them."""
        del stream
        changes = [
            change
            for entry_id, value in entries
            if (change := _read(owner, entry_id, value)) is not None
        ]
        telemetry.rewrite_histories(
            uow.connection,
            [_history(change) for change in changes if change.from_at is not None],
            recorded_at=uow.clock.now(),
        )
        self._apply(uow, changes)

    def let_go(self, stream: str, owner: DistrictCode, last: str) -> None:
        """Trim what live pages need no more."""
        del owner
        oldest = streams.at_or_after(self._database.wall.now() - KEPT_FOR_PAGES)
        streams.trim_below(self._live, stream, [last, oldest])


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
