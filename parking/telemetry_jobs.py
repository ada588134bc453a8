"""What workers run for telemetry: replaying an adopted device's parked frames; partitions."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

import redis
import structlog
from pydantic import JsonValue

from city.errors import Invalid, Unavailable
from city.identifiers import parse_id
from city.time import to_ms
from city.works.database import Database
from parking.services.devices import REPLAY_AFTER, REPLAY_TASK
from parking.store import devices, partitions, sightings, telemetry
from parking.uplinks import (
    PARKED_STREAM,
    Uplink,
    known_entry,
    partition_of,
    uplink_stream,
)

BATCH: Final = 1_000
ARCHIVE: Final = "archive"
"""The consumer group that writes raw frames to PostgreSQL."""

log = structlog.get_logger(__name__)


def replay_parked(
    database: Database,
    live: redis.Redis,
    arguments: Mapping[str, JsonValue],
    *,
    partitions_of_district: int = 1,
) -> int:
    """Append an adopted device's parked frames to its district's stream, the oldest first.

    Handler of `REPLAY_TASK`. Runs until the archive holds what was parked, so that no frame is
    left behind; safe to run again, for readers tell duplicates.

    Parameters
    ----------
    database, live
        Where the frames are, and where they go.
    arguments
        `device_id`, `network_key`; `upto`, if given, is the last entry of the parked stream when
        the replay began.
    partitions_of_district
        As ingest has it.

    Returns
    -------
    int
        Frames appended.

    Raises
    ------
    Invalid
        On arguments that are not such.
    Unavailable
        Where the live store cannot take them; the job is tried again.
    """
    device_id = parse_id(_text(arguments, "device_id"), "device_id")
    key = _text(arguments, "network_key")
    upto = arguments.get("upto")
    last = str(upto) if isinstance(upto, str) else _last_entry(live)
    appended = 0
    while True:
        with database.unit_of_work() as uow:
            device = devices.device(uow.connection, device_id)
            held = telemetry.position(uow.connection, PARKED_STREAM, ARCHIVE)
            frames = telemetry.parked_uplinks(uow.connection, key, limit=BATCH)
            if frames:
                stream = uplink_stream(
                    device.district, partition_of(device.id, partitions_of_district)
                )
                _append(live, stream, device.id, device.model, frames)
                telemetry.mark_replayed(uow.connection, frames)
            elif last is None or not _before(held, last):
                sightings.adopted(
                    uow.connection, key, device_id=device_id, at=uow.clock.now(), by=REPLAY_TASK
                )
            else:
                # The archive is behind: some of its frames may only be in the stream yet.
                uow.defer(
                    REPLAY_TASK,
                    {"device_id": str(device_id), "network_key": key, "upto": last},
                    lock=f"replay:{device_id}",
                    scheduled_at=uow.wall.now() + REPLAY_AFTER,
                )
        appended += len(frames)
        if not frames:
            log.info("parked frames were replayed", device=key, frames=appended)
            return appended


def _text(arguments: Mapping[str, JsonValue], name: str) -> str:
    found = arguments.get(name)
    if not isinstance(found, str):
        raise Invalid("must be text", field=name)
    return found


def _last_entry(live: redis.Redis) -> str | None:
    """Give the parked stream's latest entry; None where there is none."""
    try:
        found = live.xrevrange(PARKED_STREAM, count=1)
    except redis.RedisError as error:
        raise Unavailable("the live store cannot be reached") from error
    # The live store's client gives bytes; its annotations allow for text.
    entry_id = found[0][0] if found else None
    return entry_id.decode() if isinstance(entry_id, bytes) else entry_id


def _before(held: str | None, last: str) -> bool:
    if held is None:
        return True
    return _order(held) < _order(last)


def _order(entry_id: str) -> tuple[int, int]:
    ms, _, sequence = entry_id.partition("-")
    return int(ms), int(sequence or 0)


def _append(
    live: redis.Redis,
    stream: str,
    device_id: UUID,
    model: str,
    frames: Sequence[telemetry.KeptUplink],
) -> None:
    try:
        pipeline = live.pipeline(transaction=False)
        for frame in frames:
            uplink = Uplink(
                index=0,
                network_key=frame.network_key or "",
                port=frame.port,
                frame=frame.frame,
                at_ms=None,
                session=frame.session,
                counter=frame.counter,
                message_id=frame.message_id,
                rssi=frame.rssi,
                snr=frame.snr,
            )
            entry = known_entry(
                uplink, device_id, model, to_ms(frame.device_at), to_ms(frame.received_at)
            )
            pipeline.xadd(stream, dict(entry))  # type: ignore[arg-type] # bytes are field names too
        pipeline.execute()
    except redis.RedisError as error:
        raise Unavailable("the live store cannot take uplinks now") from error


def keep_partitions(database: Database) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Make the telemetry's partitions ahead, drop those past their retention; give both names.

    Safe to run at any time and from several workers; hourly is enough at the wall's speed, and a
    demo at 60 times the speed has three days ahead.
    """
    with database.unit_of_work() as uow:
        made = partitions.make_partitions(uow.connection, now=uow.clock.now())
    # Apart: making locks the default partition, dropping the parent; holding both would cross
    # with an insert that holds the parent and waits for the default partition.
    with database.unit_of_work() as uow:
        dropped = partitions.drop_partitions(uow.connection, now=uow.clock.now())
    if made or dropped:
        log.info("partitions", made=list(made), dropped=list(dropped))
    return made, dropped
