"""What uplinks say of their devices; and devices that send and that nobody registered."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, func, select, text, update

from city.errors import NotFound
from city.identifiers import DeviceId, uuid7
from parking.store import tables
from parking.store.pages import DEFAULT_PAGE, Page, checked_limit, paged
from parking.store.places import columns


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one uplink says about its device; None keeps what is known."""

    device_id: DeviceId
    received_at: datetime
    event_at: datetime
    rssi: float | None
    snr: float | None
    session: str | None
    counter: int | None
    battery_v: float | None = None
    battery_percent: float | None = None
    battery_low: bool | None = None
    temperature_c: float | None = None
    firmware: str | None = None
    reset_cause: str | None = None
    faults: tuple[str, ...] | None = None
    """None where the frame says nothing of faults; empty where it says that there are none."""


@dataclass(frozen=True, slots=True)
class UnknownSighting:
    """One uplink of a device that is not registered."""

    network_key: str
    source: str
    district_guess: str | None
    received_at: datetime
    port: int
    frame: bytes
    rssi: float | None
    snr: float | None


@dataclass(frozen=True, slots=True)
class UnknownDevice:
    """A device that sends and that nobody registered."""

    id: UUID
    network_key: str
    source: str
    district_guess: str | None
    first_seen_at: datetime
    last_seen_at: datetime
    frames: int
    last_port: int
    last_frame: bytes
    rssi: float | None
    snr: float | None
    adopted_at: datetime | None
    device_id: DeviceId | None


SEEN = text(
    "update parking.device set"
    " first_seen_at = coalesce(device.first_seen_at, seen.received_at),"
    " last_seen_at = greatest(device.last_seen_at, seen.received_at),"
    " last_event_at = greatest(device.last_event_at, seen.event_at),"
    " rssi = coalesce(seen.rssi, device.rssi), snr = coalesce(seen.snr, device.snr),"
    " session = coalesce(seen.session, device.session),"
    " counter = coalesce(seen.counter, device.counter),"
    " health_at = case when seen.healthy then greatest(device.health_at, seen.event_at)"
    "  else device.health_at end,"
    " battery_v = coalesce(seen.battery_v, device.battery_v),"
    " battery_percent = coalesce(seen.battery_percent, device.battery_percent),"
    " battery_low = coalesce(seen.battery_low, device.battery_low),"
    " temperature_c = coalesce(seen.temperature_c, device.temperature_c),"
    " firmware = coalesce(seen.firmware, device.firmware),"
    " reset_cause = coalesce(seen.reset_cause, device.reset_cause),"
    " faults = coalesce(cast(seen.faults as text[]), device.faults)"
    " from unnest(cast(:device_id as uuid[]), cast(:received_at as timestamptz[]),"
    " cast(:event_at as timestamptz[]), cast(:rssi as float8[]), cast(:snr as float8[]),"
    " cast(:session as text[]), cast(:counter as bigint[]), cast(:healthy as boolean[]),"
    " cast(:battery_v as float8[]), cast(:battery_percent as float8[]),"
    " cast(:battery_low as boolean[]), cast(:temperature_c as float8[]),"
    " cast(:firmware as text[]), cast(:reset_cause as text[]), cast(:faults as text[]))"
    " as seen (device_id, received_at, event_at, rssi, snr, session, counter, healthy, battery_v,"
    " battery_percent, battery_low, temperature_c, firmware, reset_cause, faults)"
    " where device.id = seen.device_id"
)

SEEN_UNKNOWN = text(
    "insert into parking.unknown_device (id, network_key, source, district_guess, first_seen_at,"
    " last_seen_at, frames, last_port, last_frame, rssi, snr)"
    " select * from unnest(cast(:id as uuid[]), cast(:network_key as text[]),"
    " cast(:source as text[]), cast(:district_guess as text[]),"
    " cast(:first_seen_at as timestamptz[]), cast(:last_seen_at as timestamptz[]),"
    " cast(:frames as bigint[]), cast(:last_port as integer[]), cast(:last_frame as bytea[]),"
    " cast(:rssi as float8[]), cast(:snr as float8[]))"
    " on conflict (network_key) do update set source = excluded.source,"
    " district_guess = coalesce(excluded.district_guess, unknown_device.district_guess),"
    " last_seen_at = greatest(unknown_device.last_seen_at, excluded.last_seen_at),"
    " frames = unknown_device.frames + excluded.frames, last_port = excluded.last_port,"
    " last_frame = excluded.last_frame, rssi = excluded.rssi, snr = excluded.snr,"
    # One that was adopted and has been retired since waits again.
    " adopted_at = case when exists (select from parking.device"
    "  where device.network_key = excluded.network_key and device.retired_at is null)"
    "  then unknown_device.adopted_at end"
)


def record_sightings(connection: Connection, sightings: Sequence[Sighting]) -> None:
    """Note what devices said of themselves, in one statement.

    Parameters
    ----------
    sightings
        In the order of receipt; of several from one device each member's last word counts.
    """
    merged: dict[DeviceId, dict[str, Any]] = {}
    for each in sightings:
        row = merged.setdefault(each.device_id, {"device_id": each.device_id, "healthy": False})
        said = {
            "received_at": each.received_at,
            "event_at": each.event_at,
            "rssi": each.rssi,
            "snr": each.snr,
            "session": each.session,
            "counter": each.counter,
            "battery_v": each.battery_v,
            "battery_percent": each.battery_percent,
            "battery_low": each.battery_low,
            "temperature_c": each.temperature_c,
            "firmware": each.firmware,
            "reset_cause": each.reset_cause,
            # An array of arrays has to be rectangular: each list goes as one text.
            "faults": None if each.faults is None else _array_text(each.faults),
        }
        row["healthy"] = row["healthy"] or any(
            said[name] is not None
            for name in ("battery_v", "battery_percent", "battery_low", "faults")
        )
        row.update({name: value for name, value in said.items() if value is not None})
        for name in said:
            row.setdefault(name, None)
    if merged:
        connection.execute(SEEN, columns(list(merged.values())))


def _array_text(items: Sequence[str]) -> str:
    quoted = (item.replace("\\", "\\\\").replace('"', '\\"') for item in items)
    return "{" + ",".join(f'"{item}"' for item in quoted) + "}"


def record_unknown(connection: Connection, sightings: Sequence[UnknownSighting]) -> None:
    """Note devices that nobody registered, in one statement.

    Call it for entries that `telemetry.keep_uplinks` kept for the first time, or a repeated batch
    counts twice.
    """
    merged: dict[str, dict[str, Any]] = {}
    for each in sightings:
        row = merged.setdefault(
            each.network_key,
            {
                "id": uuid7(),
                "network_key": each.network_key,
                "district_guess": None,
                "first_seen_at": each.received_at,
                "frames": 0,
            },
        )
        row["frames"] += 1
        row["source"] = each.source
        row["district_guess"] = each.district_guess or row["district_guess"]
        row["last_seen_at"] = each.received_at
        row["last_port"] = each.port
        row["last_frame"] = each.frame
        row["rssi"] = each.rssi
        row["snr"] = each.snr
    if merged:
        # Sorted, so that two batches lock rows in one order.
        connection.execute(
            SEEN_UNKNOWN, columns(sorted(merged.values(), key=lambda row: str(row["network_key"])))
        )


def _unknown(row: Row[Any]) -> UnknownDevice:
    return UnknownDevice(
        id=row.id,
        network_key=row.network_key,
        source=row.source,
        district_guess=row.district_guess,
        first_seen_at=row.first_seen_at,
        last_seen_at=row.last_seen_at,
        frames=row.frames,
        last_port=row.last_port,
        last_frame=row.last_frame,
        rssi=row.rssi,
        snr=row.snr,
        adopted_at=row.adopted_at,
        device_id=None if row.device_id is None else DeviceId(row.device_id),
    )


def unknown_devices(
    connection: Connection, *, after: UUID | None = None, limit: int = DEFAULT_PAGE
) -> Page[UnknownDevice]:
    """Give a page of devices that wait to be adopted, the first seen first."""
    query = (
        select(tables.unknown_device)
        .where(tables.unknown_device.c.adopted_at.is_(None))
        .order_by(tables.unknown_device.c.id)
        .limit(checked_limit(limit) + 1)
    )
    if after is not None:
        query = query.where(tables.unknown_device.c.id > after)
    found = [_unknown(row) for row in connection.execute(query)]
    return paged(found, [each.id for each in found], limit)


def unknown_device(
    connection: Connection, unknown_id: UUID, *, lock: bool = False
) -> UnknownDevice:
    """Give an unregistered device; NotFound where there is none."""
    query = select(tables.unknown_device).where(tables.unknown_device.c.id == unknown_id)
    found = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if found is None:
        raise NotFound("there is no such unregistered device", field="unknown_id")
    return _unknown(found)


def adopted(
    connection: Connection, network_key: str, *, device_id: UUID, at: datetime, by: str
) -> None:
    """Note that an unregistered device, if it waits, has been registered."""
    connection.execute(
        update(tables.unknown_device)
        .where(
            tables.unknown_device.c.network_key == network_key,
            tables.unknown_device.c.adopted_at.is_(None),
        )
        .values(adopted_at=at, adopted_by=by, device_id=device_id)
    )


def waiting_keys(connection: Connection, network_keys: Collection[str]) -> set[str]:
    """Give those of the keys whose devices have been sending unregistered."""
    return set(
        connection.execute(
            select(tables.unknown_device.c.network_key).where(
                tables.unknown_device.c.network_key == func.any(bindparam("keys")),
                tables.unknown_device.c.adopted_at.is_(None),
            ),
            {"keys": list(network_keys)},
        ).scalars()
    )
