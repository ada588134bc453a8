"""The archive: raw frames of every stream go to PostgreSQL, and what devices say of themselves.

A stream is trimmed only below what folding has applied *and* PostgreSQL holds.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

import redis
import structlog

from city.identifiers import DeviceId, DistrictCode
from city.time import from_ms
from city.works import metrics
from city.works.database import Database, UnitOfWork
from parking.adapters import streams
from parking.adapters.live_keys import district_keys
from parking.adapters.streams import MalformedEntry, UplinkEntry, read_uplink, uplink_streams
from parking.following import Follower
from parking.rules.sensors.codecs import decode
from parking.rules.sensors.model import Rejected
from parking.store import sightings, telemetry
from parking.store.telemetry import KeptUplink
from parking.uplinks import PARKED_DISTRICT, PARKED_STREAM

ACCEPTED: Final = "ok"
PARKED: Final = "parked"

log = structlog.get_logger(__name__)


class Archive(Follower[str]):
    """Archives all districts' uplinks.

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

    GROUP = streams.ARCHIVE_GROUP
    BLOCK_MS = 1_000
    GATHER_S = 0.5

    def __init__(
        self,
        live: redis.Redis,
        database: Database,
        districts: Callable[[], Sequence[DistrictCode]],
        *,
        partitions: int = 1,
        parked: bool = True,
    ) -> None:
        super().__init__(live, database)
        self._districts = districts
        self._partitions = partitions
        self._parked = parked

    def sources(self) -> dict[str, str]:
        """Give the uplink streams, each with its district."""
        names = {PARKED_STREAM: PARKED_DISTRICT} if self._parked else {}
        for district in self._districts():
            names |= dict.fromkeys(uplink_streams(district, self._partitions), str(district))
        return names

    def keep(
        self,
        uow: UnitOfWork,
        stream: str,
        owner: str,
        entries: Sequence[tuple[str, bytes | None]],
    ) -> None:
        """Keep raw frames, and what devices say of themselves."""
        read: list[tuple[str, UplinkEntry]] = []
        for entry_id, value in entries:
            try:
                read.append((entry_id, read_uplink(value)))
            except MalformedEntry as error:
                log.warning("a stream entry cannot be archived", entry=entry_id, error=str(error))
        kept = [_kept(stream, owner, entry_id, entry) for entry_id, entry in read]
        new = telemetry.keep_uplinks(uow.connection, kept)
        fresh = [entry for entry_id, entry in read if (stream, entry_id) in new]
        known = [_sighting(entry) for entry in fresh if entry.device is not None]
        unknown = [_unknown(entry) for entry in fresh if entry.device is None]
        sightings.record_sightings(uow.connection, known)
        sightings.record_unknown(uow.connection, unknown)

    def let_go(self, stream: str, owner: str, last: str) -> None:
        """Trim what folding has applied as well."""
        done: list[str | bytes | None] = [last]
        if stream != PARKED_STREAM:
            # The live store's client gives bytes; its annotations allow for text.
            done.append(self._live.hget(district_keys(owner).applied, stream))
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
