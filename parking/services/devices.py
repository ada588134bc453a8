"""The device registry: register, place, move, replace, retire, adopt; and how devices do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, exc

from city import audit
from city.errors import Conflict, Invalid
from city.identifiers import BayId, DeviceId, parse_district_code, uuid7
from city.people.actors import Actor
from city.works.database import UnitOfWork
from parking.rules.device_health import Health
from parking.rules.sensors.codecs import MODELS, unknown_model
from parking.store import devices as registry
from parking.store import places, sightings
from parking.store.device_lists import DeviceRow, device_row, device_rows
from parking.store.devices import Device, NewDevice, Placement, PlacementRole
from parking.store.sightings import UnknownDevice, unknown_device, unknown_devices
from parking.uplinks import NETWORK_KEY

__all__ = [
    "Adopted",
    "Device",
    "DeviceDetail",
    "DeviceRow",
    "Health",
    "NewDevice",
    "Placement",
    "UnknownDevice",
    "adopt_device",
    "device_detail",
    "device_rows",
    "place_device",
    "record_devices",
    "register_device",
    "retire_device",
    "unknown_device",
    "unknown_devices",
]

REPLAY_TASK: Final = "parking.replay_parked"
REPLAY_AFTER: Final = timedelta(seconds=5)
"""Until then every ingest process has seen the adoption and parks no more of its frames."""
CLOCK_TOLERANCE: Final = timedelta(minutes=2)
SHORTEST_PLACEMENT: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class DeviceDetail:
    """A device, how it does, and the places that it has had, the latest first."""

    row: DeviceRow
    placements: tuple[Placement, ...]


@dataclass(frozen=True, slots=True)
class Adopted:
    """A device that was unregistered, and how many of its frames a job will replay."""

    detail: DeviceDetail
    frames: int


def device_detail(connection: Connection, device_id: UUID, *, now: datetime) -> DeviceDetail:
    """Give a device with its history; NotFound where there is none."""
    return DeviceDetail(
        device_row(connection, device_id, now=now),
        registry.placements_of_device(connection, device_id),
    )


def _checked(new: NewDevice) -> NewDevice:
    if new.model not in MODELS:
        raise Invalid(unknown_model(new.model), field="model")
    parse_district_code(new.district)
    key = new.network_key.lower()
    if NETWORK_KEY.fullmatch(key) is None:
        raise Invalid("is not a device key (1 to 64 of a-z 0-9 . _ : -)", field="network_key")
    return NewDevice(key, new.model, new.district, new.bay_id, new.role, new.id)


def record_devices(
    uow: UnitOfWork,
    actor: Actor,
    devices: Sequence[NewDevice],
    *,
    since_at: datetime | None = None,
) -> None:
    """Register many devices and place those that have a bay, in three statements.

    Parameters
    ----------
    uow
        Its transaction.
    actor
        Who does it; one audit record tells how many.
    devices
        With their own ids.
    since_at
        From when on they lie there; now if None.

    Raises
    ------
    Invalid
        On an unknown model, a bad key or district, or a bay that does not exist.
    Conflict
        Where a key is registered already, or a bay has a primary device then.
    """
    if not devices:
        return
    now = uow.clock.now()
    checked = [_checked(each) for each in devices]
    revision = registry.bump(uow.connection)
    placed = sum(each.bay_id is not None for each in checked)
    by = f"{actor.kind}:{actor.subject}"
    try:
        with uow.connection.begin_nested():
            registry.add_devices(uow.connection, checked, at=now, revision=revision)
            done = registry.add_placements(
                uow.connection, checked, since_at=since_at or now, placed_by=by
            )
    except exc.IntegrityError as error:
        raise _conflict(error) from error
    if done != placed:
        raise Invalid("there is no such bay", field="bay_id")
    waiting = sightings.waiting_keys(uow.connection, [each.network_key for each in checked])
    for each in checked:
        if each.network_key in waiting:
            _replay(uow, each.id, each.network_key)
    audit.record(
        uow,
        actor,
        "parking.devices_registered",
        "device",
        str(checked[0].id),
        {"devices": len(checked), "placed": placed},
    )


def _conflict(error: exc.IntegrityError) -> Conflict:
    constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", "") or ""
    if constraint == "placement_one_primary_per_bay":
        return Conflict("another device lies in this bay then", field="bay_id")
    if constraint == "placement_one_bay_per_device":
        return Conflict("the device lies in another bay then", field="since_at")
    return Conflict("a device with this key is registered already", field="network_key")


def register_device(
    uow: UnitOfWork,
    actor: Actor,
    *,
    key: str,
    model: str,
    district: str,
    bay_id: UUID | None = None,
    since_at: datetime | None = None,
) -> DeviceDetail:
    """Register one device, and place it if a bay is given.

    Frames that it sent before, and those that are parked until every process knows it, are
    replayed by a job.

    Raises
    ------
    Invalid
        On an unknown model, a bad key or district, or a bay that is not in the district.
    Conflict
        Where the key is registered already, or another device lies in the bay.
    NotFound
        Where there is no such bay.
    """
    new = _checked(NewDevice(key, model, parse_district_code(district)))
    revision = registry.bump(uow.connection)
    now = uow.clock.now()
    try:
        with uow.connection.begin_nested():
            registry.add_devices(uow.connection, [new], at=now, revision=revision)
    except exc.IntegrityError as error:
        raise _conflict(error) from error
    audit.record(
        uow,
        actor,
        "parking.device_registered",
        "device",
        str(new.id),
        {"network_key": new.network_key, "model": model, "district": district},
    )
    _replay(uow, new.id, new.network_key)
    if bay_id is not None:
        return place_device(uow, actor, new.id, bay_id=bay_id, since_at=since_at)
    return device_detail(uow.connection, new.id, now=now)


def _replay(uow: UnitOfWork, device_id: DeviceId, key: str) -> None:
    """Have a device's parked frames replayed, once every ingest process knows the device."""
    uow.defer(
        REPLAY_TASK,
        {"device_id": str(device_id), "network_key": key},
        lock=f"replay:{device_id}",
        scheduled_at=uow.wall.now() + REPLAY_AFTER,
    )


def place_device(
    uow: UnitOfWork,
    actor: Actor,
    device_id: UUID,
    *,
    bay_id: UUID | None,
    since_at: datetime | None = None,
    role: PlacementRole = "primary",
    replace: bool = False,
) -> DeviceDetail:
    """Say where a device lies from an instant on; without a bay it is taken out.

    Its earlier place ends then and stays in the history. Frames are attributed by their own
    time, so those from before the move belong to the earlier bay, whenever they come.

    Parameters
    ----------
    uow
        Its transaction.
    actor
        Who does it; audited.
    device_id, bay_id
        Which device, and which bay of its district; None takes it out.
    since_at
        Now if None. Not in the future, and after the device's present place began.
    role
        Of several devices in a bay one is primary.
    replace
        Takes the bay's present primary device out at the same instant; without it that is a
        conflict.

    Raises
    ------
    NotFound
        Where there is no such device or bay.
    Invalid
        On an instant in the future or before the present place, or a bay of another district.
    Conflict
        Where the device is retired, or another primary device lies in the bay then.
    """
    connection = uow.connection
    revision = registry.bump(connection)
    device = registry.device(connection, device_id, lock=True)
    now = uow.clock.now()
    at = since_at or now
    if device.retired_at is not None:
        raise Conflict("the device is retired", field="device_id")
    if at > now + CLOCK_TOLERANCE:
        raise Invalid("must not lie in the future", field="since_at")
    by = f"{actor.kind}:{actor.subject}"
    changed = {device.id}
    present = [p for p in registry.placements_of_device(connection, device_id) if not p.until_at]
    if present:
        if at <= present[0].since_at:
            raise Invalid(
                f"must be after {present[0].since_at.isoformat()}, when its present place began",
                field="since_at",
            )
        registry.end_placement(connection, present[0].id, until_at=at, ended_by=by)
    if bay_id is not None:
        bay = places.bay(connection, bay_id)
        if bay.district != device.district:
            raise Invalid("the bay lies in another district than the device", field="bay_id")
        if role == "primary" and replace:
            changed |= _take_out_primary(connection, bay.id, at=at, by=by)
        try:
            with connection.begin_nested():
                registry.add_placement(
                    connection,
                    {
                        "id": uuid7(),
                        "device_id": device.id,
                        "device_number": device.number,
                        "bay_id": bay.id,
                        "bay_number": bay.number,
                        "role": role,
                        "since_at": at,
                        "placed_by": by,
                    },
                )
        except exc.IntegrityError as error:
            raise _conflict(error) from error
    registry.touch(connection, changed, revision)
    audit.record(
        uow,
        actor,
        "parking.device_placed",
        "device",
        str(device.id),
        {
            "bay_id": None if bay_id is None else str(bay_id),
            "since_at": at.isoformat(),
            "from_bay_id": str(present[0].bay_id) if present else None,
            "replaced": [str(each) for each in sorted(changed - {device.id})],
        },
    )
    return device_detail(connection, device_id, now=now)


def _take_out_primary(
    connection: Connection, bay_id: BayId, *, at: datetime, by: str
) -> set[DeviceId]:
    """End the bay's present primary placement; give whose it was."""
    taken: set[DeviceId] = set()
    for placement in registry.placements_in_bay(connection, bay_id):
        if placement.until_at is None and placement.role == "primary":
            if at <= placement.since_at:
                raise Invalid(
                    "must be after the present device's placement began", field="since_at"
                )
            registry.end_placement(connection, placement.id, until_at=at, ended_by=by)
            taken.add(placement.device_id)
    return taken


def retire_device(uow: UnitOfWork, actor: Actor, device_id: UUID) -> DeviceDetail:
    """Take a device out of service for good: out of its bay, and its frames are parked.

    Raises
    ------
    NotFound
        Where there is no such device.
    Conflict
        Where it is retired already.
    """
    now = uow.clock.now()
    revision = registry.bump(uow.connection)
    device = registry.device(uow.connection, device_id, lock=True)
    if device.retired_at is not None:
        raise Conflict("the device is retired", field="device_id")
    for placement in registry.placements_of_device(uow.connection, device_id):
        if placement.until_at is None:
            # A place that began this instant still has to have lasted.
            until_at = max(now, placement.since_at + SHORTEST_PLACEMENT)
            registry.end_placement(
                uow.connection,
                placement.id,
                until_at=until_at,
                ended_by=f"{actor.kind}:{actor.subject}",
            )
    registry.retire(uow.connection, device_id, at=now)
    registry.touch(uow.connection, [device_id], revision)
    audit.record(uow, actor, "parking.device_retired", "device", str(device_id), {})
    return device_detail(uow.connection, device_id, now=now)


def adopt_device(
    uow: UnitOfWork,
    actor: Actor,
    unknown_id: UUID,
    *,
    model: str,
    district: str,
    bay_id: UUID | None = None,
    since_at: datetime | None = None,
) -> Adopted:
    """Register a device that has been sending unregistered, and have its frames replayed.

    Parameters
    ----------
    uow
        Its transaction; the replay is a job of it.
    actor
        Who does it; audited.
    unknown_id
        Which unregistered device.
    model, district, bay_id
        What it is and where it lies.
    since_at
        From when on it lies there. If None: from its first frame on, or from when the bay's
        earlier device was taken out, so that its parked frames tell the bay's history.

    Raises
    ------
    NotFound, Invalid, Conflict
        As `register_device`; Conflict also where it has been adopted already.
    """
    unknown = sightings.unknown_device(uow.connection, unknown_id, lock=True)
    if unknown.adopted_at is not None:
        raise Conflict("the device has been adopted already", field="unknown_id")
    if bay_id is not None and since_at is None:
        since_at = _free_since(uow.connection, bay_id, unknown.first_seen_at)
    known = registry.device_by_key(uow.connection, unknown.network_key)
    if known is None:
        detail = register_device(
            uow,
            actor,
            key=unknown.network_key,
            model=model,
            district=district,
            bay_id=bay_id,
            since_at=since_at,
        )
    else:
        detail = _taken_back(
            uow, actor, known, model=model, district=district, bay_id=bay_id, since_at=since_at
        )
    device_id = detail.row.device.id
    sightings.adopted(
        uow.connection,
        unknown.network_key,
        device_id=device_id,
        at=uow.clock.now(),
        by=f"{actor.kind}:{actor.subject}",
    )
    audit.record(
        uow,
        actor,
        "parking.device_adopted",
        "device",
        str(device_id),
        {"network_key": unknown.network_key, "frames": unknown.frames},
    )
    return Adopted(detail, unknown.frames)


def _taken_back(
    uow: UnitOfWork,
    actor: Actor,
    device: Device,
    *,
    model: str,
    district: str,
    bay_id: UUID | None,
    since_at: datetime | None,
) -> DeviceDetail:
    """Adopt a key that the registry has: a retired device, or one registered a moment ago."""
    if device.retired_at is not None:
        checked = _checked(NewDevice(device.network_key, model, parse_district_code(district)))
        revision = registry.bump(uow.connection)
        registry.reinstate(
            uow.connection, device.id, model=checked.model, district=checked.district
        )
        registry.touch(uow.connection, [device.id], revision)
        # Its last place ended when it was retired.
        since_at = None if since_at is None else max(since_at, device.retired_at)
    elif (device.model, device.district) != (model, district):
        raise Conflict(
            "it is registered by now, as another model or in another district", field="model"
        )
    _replay(uow, device.id, device.network_key)
    detail = device_detail(uow.connection, device.id, now=uow.clock.now())
    if bay_id is None or detail.row.bay_id == bay_id:
        return detail
    return place_device(uow, actor, device.id, bay_id=bay_id, since_at=since_at)


def _free_since(connection: Connection, bay_id: UUID, at: datetime) -> datetime:
    """Give the first instant from `at` on at which no primary device lay in a bay."""
    ends = [
        placement.until_at
        for placement in registry.placements_in_bay(connection, bay_id)
        if placement.role == "primary" and placement.until_at is not None
    ]
    return max([at, *ends])
