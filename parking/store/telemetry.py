"""Append-only telemetry: raw uplinks, bays' changes, how far each reader of a stream has come."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import Connection, Row, select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from city.identifiers import BayId, DeviceId, DistrictCode, FacilityId
from parking.store import tables
from parking.store.places import columns

REPLAYED: Final = "replayed"
"""Verdict of a parked frame that went back into its district's stream."""


@dataclass(frozen=True, slots=True)
class KeptUplink:
    """A raw frame as it is archived."""

    stream: str
    entry_id: str
    district: str
    device_id: DeviceId | None
    network_key: str | None
    source: str | None
    model: str | None
    port: int
    frame: bytes
    device_at: datetime
    received_at: datetime
    session: str | None
    counter: int | None
    message_id: str | None
    rssi: float | None
    snr: float | None
    verdict: str


@dataclass(frozen=True, slots=True)
class BayChange:
    """A bay's state from an instant on, and what showed it."""

    bay_id: BayId
    facility_id: FacilityId
    district: DistrictCode
    changed_at: datetime
    state: Literal["free", "occupied", "unknown"]
    sure: int
    observation_key: str
    device_id: DeviceId | None


@dataclass(frozen=True, slots=True)
class RewrittenHistory:
    """From `from_at` on, the bay's history is these changes and no other."""

    bay_id: BayId
    from_at: datetime
    changes: tuple[BayChange, ...]


KEEP_UPLINKS = text(
    "insert into parking.uplink (stream, entry_id, district, device_id, network_key, source, model,"
    " port, frame, device_at, received_at, session, counter, message_id, rssi, snr, verdict)"
    " select * from unnest(cast(:stream as text[]), cast(:entry_id as text[]),"
    " cast(:district as text[]), cast(:device_id as uuid[]), cast(:network_key as text[]),"
    " cast(:source as text[]), cast(:model as text[]), cast(:port as integer[]),"
    " cast(:frame as bytea[]), cast(:device_at as timestamptz[]),"
    " cast(:received_at as timestamptz[]), cast(:session as text[]), cast(:counter as bigint[]),"
    " cast(:message_id as text[]), cast(:rssi as float8[]), cast(:snr as float8[]),"
    " cast(:verdict as text[]))"
    " on conflict do nothing returning stream, entry_id"
)

FORGET_CHANGES = text(
    "delete from parking.bay_change using unnest(cast(:bay_id as uuid[]),"
    " cast(:from_at as timestamptz[])) as rewritten (bay_id, from_at)"
    " where bay_change.bay_id = rewritten.bay_id and bay_change.changed_at >= rewritten.from_at"
    " and not exists (select from unnest(cast(:kept_bay as uuid[]),"
    "  cast(:kept_at as timestamptz[]), cast(:kept_key as text[])) as kept (bay_id, at, key)"
    "  where kept.bay_id = bay_change.bay_id and kept.at = bay_change.changed_at"
    "  and kept.key = bay_change.observation_key)"
)

KEEP_CHANGES = text(
    "insert into parking.bay_change (bay_id, facility_id, district, changed_at, state, sure,"
    " observation_key, device_id, recorded_at)"
    " select new.*, :recorded_at from unnest(cast(:bay_id as uuid[]), cast(:facility_id as uuid[]),"
    " cast(:district as text[]), cast(:changed_at as timestamptz[]), cast(:state as text[]),"
    " cast(:sure as smallint[]), cast(:observation_key as text[]), cast(:device_id as uuid[]))"
    " as new on conflict (bay_id, changed_at, observation_key) do update set"
    " state = excluded.state, sure = excluded.sure, device_id = excluded.device_id"
    " where (bay_change.state, bay_change.sure, bay_change.device_id)"
    " is distinct from (excluded.state, excluded.sure, excluded.device_id)"
)


def keep_uplinks(connection: Connection, uplinks: Sequence[KeptUplink]) -> set[tuple[str, str]]:
    """Archive raw frames in one statement; entries that are there already stay as they are.

    Returns
    -------
    set of (stream, entry id)
        Those that were new.
    """
    if not uplinks:
        return set()
    rows = [
        {
            "stream": each.stream,
            "entry_id": each.entry_id,
            "district": each.district,
            "device_id": each.device_id,
            "network_key": each.network_key,
            "source": each.source,
            "model": each.model,
            "port": each.port,
            "frame": each.frame,
            "device_at": each.device_at,
            "received_at": each.received_at,
            "session": each.session,
            "counter": each.counter,
            "message_id": each.message_id,
            "rssi": each.rssi,
            "snr": each.snr,
            "verdict": each.verdict,
        }
        for each in uplinks
    ]
    kept = connection.execute(KEEP_UPLINKS, columns(rows))
    return {(row.stream, row.entry_id) for row in kept}


def rewrite_histories(
    connection: Connection, histories: Sequence[RewrittenHistory], *, recorded_at: datetime
) -> None:
    """Replace the tails of bays' histories, in two statements.

    A change that stands in the new tail too keeps when it was first recorded: how late the record
    learns of changes is a figure.

    Parameters
    ----------
    histories
        In the order in which they were produced: a later one of the same bay overrides.
    """
    tails: dict[BayId, tuple[datetime, list[BayChange]]] = {}
    for each in histories:
        from_at, kept = tails.get(each.bay_id, (each.from_at, []))
        kept = [change for change in kept if change.changed_at < each.from_at]
        tails[each.bay_id] = (min(from_at, each.from_at), [*kept, *each.changes])
    if not tails:
        return
    rows = {
        (change.bay_id, change.changed_at, change.observation_key): {
            "bay_id": change.bay_id,
            "facility_id": change.facility_id,
            "district": change.district,
            "changed_at": change.changed_at,
            "state": change.state,
            "sure": change.sure,
            "observation_key": change.observation_key,
            "device_id": change.device_id,
        }
        for _, changes in tails.values()
        for change in changes
    }
    connection.execute(
        FORGET_CHANGES,
        {
            "bay_id": list(tails),
            "from_at": [from_at for from_at, _ in tails.values()],
            "kept_bay": [bay_id for bay_id, _, _ in rows],
            "kept_at": [changed_at for _, changed_at, _ in rows],
            "kept_key": [key for _, _, key in rows],
        },
    )
    if rows:
        connection.execute(
            KEEP_CHANGES, {**columns(list(rows.values())), "recorded_at": recorded_at}
        )


def move_position(
    connection: Connection, stream: str, consumer: str, entry_id: str, *, at: datetime
) -> None:
    """Note that a consumer holds everything of a stream up to an entry."""
    row = {"stream": stream, "consumer": consumer, "entry_id": entry_id, "updated_at": at}
    statement = upsert(tables.stream_position).values(row)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["stream", "consumer"],
            set_={"entry_id": entry_id, "updated_at": at},
        )
    )


def position(connection: Connection, stream: str, consumer: str) -> str | None:
    """Give the last entry of a stream that a consumer holds; None before the first."""
    return connection.execute(
        select(tables.stream_position.c.entry_id).where(
            tables.stream_position.c.stream == stream,
            tables.stream_position.c.consumer == consumer,
        )
    ).scalar_one_or_none()


def positions(connection: Connection, streams: Iterable[str], consumer: str) -> dict[str, str]:
    """Give the last entry of each stream that a consumer holds; without those before the first."""
    table = tables.stream_position
    found = connection.execute(
        select(table.c.stream, table.c.entry_id).where(
            table.c.stream.in_(list(streams)), table.c.consumer == consumer
        )
    )
    return {row.stream: row.entry_id for row in found}


def claim(connection: Connection, stream: str, consumer: str, expected: str | None) -> bool:
    """Lock a consumer's position for this transaction; False where it is no longer `expected`.

    Of two processes that read the same entries one goes on, and the other finds them done.
    """
    connection.execute(
        text("select pg_advisory_xact_lock(hashtextextended(:name, 0))"),
        {"name": f"{consumer} {stream}"},
    )
    return position(connection, stream, consumer) == expected


def _kept(row: Row[Any]) -> KeptUplink:
    return KeptUplink(
        stream=row.stream,
        entry_id=row.entry_id,
        district=row.district,
        device_id=None if row.device_id is None else DeviceId(row.device_id),
        network_key=row.network_key,
        source=row.source,
        model=row.model,
        port=row.port,
        frame=row.frame,
        device_at=row.device_at,
        received_at=row.received_at,
        session=row.session,
        counter=row.counter,
        message_id=row.message_id,
        rssi=row.rssi,
        snr=row.snr,
        verdict=row.verdict,
    )


def last_uplinks(
    connection: Connection, device_id: UUID, *, limit: int = 20
) -> tuple[KeptUplink, ...]:
    """Give a device's latest archived frames, the latest first."""
    return tuple(
        _kept(row)
        for row in connection.execute(
            select(tables.uplink)
            .where(tables.uplink.c.device_id == device_id)
            .order_by(tables.uplink.c.received_at.desc())
            .limit(limit)
        )
    )


def parked_uplinks(
    connection: Connection, network_key: str, *, limit: int
) -> tuple[KeptUplink, ...]:
    """Give archived frames of an unregistered device that were not replayed, the oldest first."""
    return tuple(
        _kept(row)
        for row in connection.execute(
            select(tables.uplink)
            .where(
                tables.uplink.c.network_key == network_key,
                tables.uplink.c.device_id.is_(None),
                tables.uplink.c.verdict != REPLAYED,
            )
            .order_by(tables.uplink.c.received_at)
            .limit(limit)
        )
    )


def mark_replayed(connection: Connection, uplinks: Sequence[KeptUplink]) -> None:
    """Note that parked frames are in their district's stream now."""
    connection.execute(
        text(
            "update parking.uplink set verdict = :verdict from unnest("
            "cast(:received_at as timestamptz[]), cast(:stream as text[]),"
            " cast(:entry_id as text[])) as done (received_at, stream, entry_id)"
            " where uplink.received_at = done.received_at and uplink.stream = done.stream"
            " and uplink.entry_id = done.entry_id"
        ),
        {
            "verdict": REPLAYED,
            "received_at": [each.received_at for each in uplinks],
            "stream": [each.stream for each in uplinks],
            "entry_id": [each.entry_id for each in uplinks],
        },
    )
