"""The device registry: devices, and where they lie and lay."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, func, insert, select, text, update

from city.errors import NotFound
from city.identifiers import BayId, DeviceId, DistrictCode, uuid7
from parking.store import tables
from parking.store.places import columns

PlacementRole = Literal["primary", "secondary"]
"""A bay's state follows from every device in it; the primary one is what a page names."""


@dataclass(frozen=True, slots=True)
class Device:
    """A registered device and what it last said of itself; None where it never did."""

    id: DeviceId
    number: int
    network_key: str
    model: str
    district: DistrictCode
    registered_at: datetime
    retired_at: datetime | None = None
    first_seen_at: datetime | None = None
    last_seen_at: datetime | None = None
    last_event_at: datetime | None = None
    health_at: datetime | None = None
    battery_v: float | None = None
    battery_percent: float | None = None
    battery_low: bool | None = None
    temperature_c: float | None = None
    firmware: str | None = None
    reset_cause: str | None = None
    faults: tuple[str, ...] = ()
    rssi: float | None = None
    snr: float | None = None
    session: str | None = None
    counter: int | None = None


@dataclass(frozen=True, slots=True)
class NewDevice:
    """A device to be registered, and where it lies."""

    network_key: str
    model: str
    district: DistrictCode
    bay_id: BayId | None = None
    role: PlacementRole = "primary"
    id: DeviceId = field(default_factory=lambda: DeviceId(uuid7()))


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a device lay, from and until when; without an end it still lies there."""

    id: UUID
    device_id: DeviceId
    bay_id: BayId
    bay_label: str
    role: PlacementRole
    since_at: datetime
    until_at: datetime | None
    placed_by: str
    ended_by: str | None


BUMP = text("update parking.registry_version set version = version + 1 where one returning version")

ADD_DEVICES = text(
    "insert into parking.device (id, network_key, model, district, registered_at, revision)"
    " select id, network_key, model, district, :registered_at, :revision"
    " from unnest(cast(:id as uuid[]), cast(:network_key as text[]), cast(:model as text[]),"
    " cast(:district as text[])) as new (id, network_key, model, district)"
)

ADD_PLACEMENTS = text(
    "insert into parking.placement (id, device_id, device_number, bay_id, bay_number, role,"
    " since_at, placed_by)"
    " select new.id, device.id, device.number, bay.id, bay.number, new.role, :since_at, :placed_by"
    " from unnest(cast(:id as uuid[]), cast(:device_id as uuid[]), cast(:bay_id as uuid[]),"
    " cast(:role as text[])) as new (id, device_id, bay_id, role)"
    " join parking.device on device.id = new.device_id join parking.bay on bay.id = new.bay_id"
)


def bump(connection: Connection) -> int:
    """Begin a change of the registry: give it its version, which no other change will have.

    Call it first in the transaction: the row's lock, held until commit, is what keeps versions in
    the order of commits.
    """
    return int(connection.execute(BUMP).scalar_one())


def add_devices(
    connection: Connection, devices: Sequence[NewDevice], *, at: datetime, revision: int
) -> None:
    """Insert devices in one statement; their placements are `add_placements`'s."""
    if devices:
        rows = [
            {
                "id": each.id,
                "network_key": each.network_key,
                "model": each.model,
                "district": each.district,
            }
            for each in devices
        ]
        connection.execute(
            ADD_DEVICES, {**columns(rows), "registered_at": at, "revision": revision}
        )


def add_placements(
    connection: Connection, devices: Sequence[NewDevice], *, since_at: datetime, placed_by: str
) -> int:
    """Place new devices in their bays in one statement; count those that have a bay that exists."""
    rows = [
        {"id": uuid7(), "device_id": each.id, "bay_id": each.bay_id, "role": each.role}
        for each in devices
        if each.bay_id is not None
    ]
    if not rows:
        return 0
    return connection.execute(
        ADD_PLACEMENTS, {**columns(rows), "since_at": since_at, "placed_by": placed_by}
    ).rowcount


def device_of(row: Row[Any]) -> Device:
    """Read a row of the device table."""
    return Device(
        id=DeviceId(row.id),
        number=row.number,
        network_key=row.network_key,
        model=row.model,
        district=DistrictCode(row.district),
        registered_at=row.registered_at,
        retired_at=row.retired_at,
        first_seen_at=row.first_seen_at,
        last_seen_at=row.last_seen_at,
        last_event_at=row.last_event_at,
        health_at=row.health_at,
        battery_v=row.battery_v,
        battery_percent=row.battery_percent,
        battery_low=row.battery_low,
        temperature_c=row.temperature_c,
        firmware=row.firmware,
        reset_cause=row.reset_cause,
        faults=tuple(row.faults),
        rssi=row.rssi,
        snr=row.snr,
        session=row.session,
        counter=row.counter,
    )


def device(connection: Connection, device_id: UUID, *, lock: bool = False) -> Device:
    """Give a device, locked for a change if asked; NotFound where there is none."""
    query = select(tables.device).where(tables.device.c.id == device_id)
    found = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if found is None:
        raise NotFound("there is no such device", field="device_id")
    return device_of(found)


def device_by_key(connection: Connection, network_key: str) -> Device | None:
    """Give the device that the network calls so."""
    found = connection.execute(
        select(tables.device).where(tables.device.c.network_key == network_key)
    ).one_or_none()
    return None if found is None else device_of(found)


def touch(connection: Connection, device_ids: Iterable[UUID], revision: int) -> None:
    """Mark devices as changed at a registry version."""
    connection.execute(
        update(tables.device)
        .where(tables.device.c.id == func.any(bindparam("ids")))
        .values(revision=revision),
        {"ids": list(device_ids)},
    )


_PLACED = select(tables.placement, tables.bay.c.label.label("bay_label")).join(
    tables.bay, tables.bay.c.id == tables.placement.c.bay_id
)


def _placement(row: Row[Any]) -> Placement:
    return Placement(
        id=row.id,
        device_id=DeviceId(row.device_id),
        bay_id=BayId(row.bay_id),
        bay_label=row.bay_label,
        role=row.role,
        since_at=row.since_at,
        until_at=row.until_at,
        placed_by=row.placed_by,
        ended_by=row.ended_by,
    )


def placements_of_device(connection: Connection, device_id: UUID) -> tuple[Placement, ...]:
    """Give the places that a device has had, the latest first."""
    return tuple(
        _placement(row)
        for row in connection.execute(
            _PLACED.where(tables.placement.c.device_id == device_id).order_by(
                tables.placement.c.since_at.desc()
            )
        )
    )


def placements_in_bay(connection: Connection, bay_id: UUID) -> tuple[Placement, ...]:
    """Give the devices that a bay has had, the latest first."""
    return tuple(
        _placement(row)
        for row in connection.execute(
            _PLACED.where(tables.placement.c.bay_id == bay_id).order_by(
                tables.placement.c.since_at.desc()
            )
        )
    )


def end_placement(
    connection: Connection, placement_id: UUID, *, until_at: datetime, ended_by: str
) -> None:
    """End a placement that runs."""
    connection.execute(
        update(tables.placement)
        .where(tables.placement.c.id == placement_id)
        .values(until_at=until_at, ended_by=ended_by)
    )


def retire(connection: Connection, device_id: UUID, *, at: datetime) -> None:
    """Take a device out of service."""
    connection.execute(
        update(tables.device).where(tables.device.c.id == device_id).values(retired_at=at)
    )


def reinstate(connection: Connection, device_id: UUID, *, model: str, district: str) -> None:
    """Take a retired device into service again, as what it is now."""
    connection.execute(
        update(tables.device)
        .where(tables.device.c.id == device_id)
        .values(retired_at=None, model=model, district=district)
    )


def add_placement(connection: Connection, row: Mapping[str, Any]) -> None:
    """Insert one placement."""
    connection.execute(insert(tables.placement).values(**row))
