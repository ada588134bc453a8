"""The archive: raw frames of every stream go to PostgreSQL, and what devices say of themselves.

The position in each stream moves in the transaction that keeps the frames, so that a frame is
kept once whatever is killed. A stream is trimmed only below what folding has applied *and*
PostgreSQL holds.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

import redis
import structlog

from city.errors import Unavailable
from city.identifiers import DeviceId, DistrictCode
from city.time import from_ms
from city.works import metrics
from city.works.database import Database, UnitOfWork
from parking.adapters import streams
from parking.adapters.live_keys import district_keys
from parking.adapters.streams import MalformedEntry, UplinkEntry, read_uplink, uplink_streams
from parking.rules.sensors.codecs import decode
from parking.rules.sensors.model import Rejected
from parking.store import sightings, telemetry
from parking.store.telemetry import KeptUplink
from parking.uplinks import PARKED_DISTRICT, PARKED_STREAM

BATCH: Final = 1_000
BLOCK_MS: Final = 1_000
GATHER_S: Final = 0.5
"""Pause without a backlog: a transaction for a handful of frames costs as much as for hundreds."""
RETRY_S: Final = 1.0
ACCEPTED: Final = "ok"
PARKED: Final = "parked"

log = structlog.get_logger(__name__)


class Archive:
    """Archives all districts' uplinks. Several may run: one of them wins each batch.

    Parameters
    ----------
    live, database
        Where frames wait, and where they go.
    districts
        Gives the districts; asked before each batch.
    partitions
        Uplink streams a district, as ingest has it.
    parked
        Whether to archive the frames of unregistered devices too. Streams of several districts
        lie on several nodes of a cluster: there an archive takes care of one district, or of the
        parked stream.
    """

    def __init__(
        self,
        live: redis.Redis,
        database: Database,
        districts: Callable[[], Sequence[DistrictCode]],
        *,
        partitions: int = 1,
        parked: bool = True,
    ) -> None:
        self._live = live
        self._database = database
        self._districts = districts
        self._partitions = partitions
        self._parked = parked

    def run(self, stop: threading.Event) -> None:
        """Archive until told to stop, whatever fails meanwhile."""
        while not stop.is_set():
            try:
                if self.archive(block_ms=BLOCK_MS) < BATCH:
                    stop.wait(GATHER_S)
            except (redis.RedisError, Unavailable) as error:
                log.warning("the archive has to wait", reason=str(error))
                stop.wait(RETRY_S)

    def archive_all(self) -> int:
        """Archive what is there and return how many entries: for tests, tools and benches."""
        total = 0
        while done := self.archive(block_ms=None):
            total += done
        return total

    def archive(self, *, block_ms: int | None) -> int:
        """Archive one batch of each stream; give how many entries."""
        names = {PARKED_STREAM: PARKED_DISTRICT} if self._parked else {}
        for district in self._districts():
            names |= dict.fromkeys(uplink_streams(district, self._partitions), str(district))
        streams.follow(self._live, names, streams.ARCHIVE_GROUP)
        with self._database.read() as connection:
            held = {
                stream: telemetry.position(connection, stream, streams.ARCHIVE_GROUP)
                for stream in names
            }
        after = {stream: entry_id or streams.BEGINNING for stream, entry_id in held.items()}
        count = 0
        found = streams.read_after(self._live, after, count=BATCH, block_ms=block_ms)
        for stream, entries in found:
            last = entries[-1][0]
            with self._database.unit_of_work() as uow:
                if not telemetry.claim(uow.connection, stream, streams.ARCHIVE_GROUP, held[stream]):
                    continue
                self._keep(uow, stream, names[stream], entries)
                telemetry.move_position(
                    uow.connection, stream, streams.ARCHIVE_GROUP, last, at=uow.wall.now()
                )
            count += len(entries)
            self._let_go(stream, names[stream], last)
        return count

    def _keep(
        self,
        uow: UnitOfWork,
        stream: str,
        district: str,
        entries: Sequence[tuple[str, bytes | None]],
    ) -> None:
        read: list[tuple[str, UplinkEntry]] = []
        for entry_id, value in entries:
            try:
                read.append((entry_id, read_uplink(value)))
            except MalformedEntry as error:
                log.warning("a stream entry cannot be archived", entry=entry_id, error=str(error))
        kept = [_kept(stream, district, entry_id, entry) for entry_id, entry in read]
        new = telemetry.keep_uplinks(uow.connection, kept)
        fresh = [entry for entry_id, entry in read if (stream, entry_id) in new]
        known = [_sighting(entry) for entry in fresh if entry.device is not None]
        unknown = [_unknown(entry) for entry in fresh if entry.device is None]
        sightings.record_sightings(uow.connection, known)
        sightings.record_unknown(uow.connection, unknown)

    def _let_go(self, stream: str, district: str, last: str) -> None:
        """Show how far the archive is, and trim what nobody will ask for again."""
        streams.acknowledge(self._live, stream, streams.ARCHIVE_GROUP, last)
        done: list[str | bytes | None] = [last]
        if stream != PARKED_STREAM:
            # The live store's client gives bytes; its annotations allow for text.
            done.append(self._live.hget(district_keys(district).applied, stream))
        streams.trim_below(self._live, stream, done)
        metrics.STREAM_LENGTH.labels(stream).set(int(self._live.xlen(stream)))


def _kept(stream: str, district: str, entry_id: str, entry: UplinkEntry) -> KeptUplink:
    return KeptUplink(
        stream=stream,
        entry_id=entry_id,
        district=district,
        device_id=None if entry.device is None else DeviceId(UUID(hex=entry.device)),
        network_key=entry.network_key,
        source=entry.source,
        model=entry.model,
        port=entry.port,
        frame=bytes.fromhex(entry.frame),
        device_at=from_ms(entry.device_ms),
        received_at=from_ms(entry.received_ms),
        session=entry.session,
        counter=entry.counter,
        message_id=entry.message,
        rssi=entry.rssi,
        snr=entry.snr,
        verdict=_verdict(entry),
    )


def _verdict(entry: UplinkEntry) -> str:
    if entry.device is None or entry.model is None:
        return PARKED
    decoded = decode(entry.model, entry.port, bytes.fromhex(entry.frame))
    return decoded.reason.value if isinstance(decoded, Rejected) else ACCEPTED


def _sighting(entry: UplinkEntry) -> sightings.Sighting:
    decoded = decode(entry.model or "", entry.port, bytes.fromhex(entry.frame))
    health = None if isinstance(decoded, Rejected) else decoded.health
    seen = sightings.Sighting(
        device_id=DeviceId(UUID(hex=entry.device)),
        received_at=from_ms(entry.received_ms),
        event_at=from_ms(entry.device_ms),
        rssi=entry.rssi,
        snr=entry.snr,
        session=entry.session,
        counter=entry.counter,
    )
    if health is None:
        return seen
    return replace(
        seen,
        battery_v=health.battery_v,
        battery_percent=health.battery_percent,
        battery_low=health.battery_low,
        temperature_c=health.temperature_c,
        firmware=health.firmware,
        reset_cause=health.reset_cause,
        faults=health.faults,
    )


def _unknown(entry: UplinkEntry) -> sightings.UnknownSighting:
    return sightings.UnknownSighting(
        network_key=entry.network_key or "",
        source=entry.source or "",
        district_guess=entry.district,
        received_at=from_ms(entry.received_ms),
        port=entry.port,
        frame=bytes.fromhex(entry.frame),
        rssi=entry.rssi,
        snr=entry.snr,
    )
