"""Devices: where they lie, how they do, and those that nobody has registered yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint

from parking.services import devices as service
from web import access
from web.acts import act
from web.api.cursors import after, cursor
from web.api.roles import KEEPERS, REGISTRY
from web.api.schemas.base import PageQuery
from web.api.schemas.devices import (
    AdoptIn,
    AdoptOut,
    DeviceDetailOut,
    DeviceIn,
    DevicesOut,
    DevicesQuery,
    PlacementIn,
    UnknownDevicesOut,
)

if TYPE_CHECKING:
    from uuid import UUID

    from city.works.database import UnitOfWork

blueprint = APIBlueprint("devices", __name__, url_prefix="/api/v1/devices", tag="Devices")


def _device(row: service.DeviceRow) -> dict[str, Any]:
    device = row.device
    return {
        "id": device.id,
        "network_key": device.network_key,
        "model": device.model,
        "district": device.district,
        "bay_id": row.bay_id,
        "bay_label": row.bay_label,
        "first_seen_at": device.first_seen_at,
        "last_seen_at": device.last_seen_at,
        "battery_v": device.battery_v,
        "battery_low": device.battery_low,
        "rssi": device.rssi,
        "snr": device.snr,
        "faults": list(device.faults),
        "health": row.health.value,
    }


def _detail(detail: service.DeviceDetail) -> dict[str, Any]:
    return {
        **_device(detail.row),
        "placements": [
            {
                "bay_id": each.bay_id,
                "bay_label": each.bay_label,
                "since_at": each.since_at,
                "until_at": each.until_at,
            }
            for each in detail.placements
        ],
    }


@blueprint.get("")
@access.allow(*REGISTRY)
@blueprint.input(DevicesQuery, location="query")
@blueprint.output(DevicesOut)
@blueprint.doc(summary="Devices and how they do")
def devices(query_data: DevicesQuery) -> dict[str, Any]:
    """List devices."""
    wiring = access.wiring()
    with wiring.database.read() as connection:
        page = service.device_rows(
            connection,
            now=wiring.clock.now(),
            district=query_data.district,
            districts=access.known_actor().districts,
            health=query_data.health,
            after=after(query_data.cursor),
            limit=query_data.limit,
        )
    return {"items": [_device(each) for each in page.items], "next": cursor(page.next)}


@blueprint.get("/<uuid:device_id>")
@access.allow(*REGISTRY)
@blueprint.output(DeviceDetailOut)
@blueprint.doc(summary="One device with the places it has had")
def device(device_id: UUID) -> dict[str, Any]:
    """Show one device."""
    wiring = access.wiring()
    with wiring.database.read() as connection:
        found = service.device_detail(connection, device_id, now=wiring.clock.now())
    access.require_district(found.row.device.district)
    return _detail(found)


def _require_device(uow: UnitOfWork, device_id: UUID) -> None:
    found = service.device_detail(uow.connection, device_id, now=uow.clock.now())
    access.require_district(found.row.device.district)


@blueprint.post("")
@access.allow(*KEEPERS)
@act
@blueprint.input(DeviceIn)
@blueprint.output(DeviceDetailOut, status_code=201)
@blueprint.doc(summary="Register a device, in a bay or in none")
def register(uow: UnitOfWork, json_data: DeviceIn) -> dict[str, Any]:
    """Register a device."""
    access.require_district(json_data.district)
    detail = service.register_device(
        uow,
        access.known_actor(),
        key=json_data.network_key,
        model=json_data.model,
        district=json_data.district,
        bay_id=json_data.bay_id,
    )
    return _detail(detail)


@blueprint.post("/<uuid:device_id>/placement")
@access.allow(*KEEPERS)
@act
@blueprint.input(PlacementIn)
@blueprint.output(DeviceDetailOut)
@blueprint.doc(summary="Say where a device lies; its earlier places stay in the history")
def place(uow: UnitOfWork, device_id: UUID, json_data: PlacementIn) -> dict[str, Any]:
    """Place, move, replace or take out a device."""
    _require_device(uow, device_id)
    detail = service.place_device(
        uow,
        access.known_actor(),
        device_id,
        bay_id=json_data.bay_id,
        since_at=json_data.since_at,
        role=json_data.role,
        replace=json_data.replace,
    )
    return _detail(detail)


@blueprint.post("/<uuid:device_id>/retirement")
@access.allow(*KEEPERS)
@act
@blueprint.output(DeviceDetailOut)
@blueprint.doc(summary="Take a device out of service for good")
def retire(uow: UnitOfWork, device_id: UUID) -> dict[str, Any]:
    """Take a device out of service."""
    _require_device(uow, device_id)
    return _detail(service.retire_device(uow, access.known_actor(), device_id))


@blueprint.get("/unknown")
@access.allow(*REGISTRY)
@blueprint.input(PageQuery, location="query")
@blueprint.output(UnknownDevicesOut)
@blueprint.doc(summary="Devices that send and are not registered")
def unknown(query_data: PageQuery) -> dict[str, Any]:
    """List unregistered devices; their frames are kept and replayed on adoption."""
    with access.wiring().database.read() as connection:
        page = service.unknown_devices(
            connection, after=after(query_data.cursor), limit=query_data.limit
        )
    return {
        "items": [
            {
                "id": each.id,
                "network_key": each.network_key,
                "source": each.source,
                "first_seen_at": each.first_seen_at,
                "last_seen_at": each.last_seen_at,
                "frames": each.frames,
                "last_port": each.last_port,
                "last_frame_hex": each.last_frame.hex(),
            }
            for each in page.items
        ],
        "next": cursor(page.next),
    }


@blueprint.post("/unknown/<uuid:unknown_id>/adopt")
@access.allow(*KEEPERS)
@act
@blueprint.input(AdoptIn)
@blueprint.output(AdoptOut, status_code=201)
@blueprint.doc(summary="Register a device that sends already, and replay its frames")
def adopt(uow: UnitOfWork, unknown_id: UUID, json_data: AdoptIn) -> dict[str, Any]:
    """Adopt a device."""
    access.require_district(json_data.district)
    adopted = service.adopt_device(
        uow,
        access.known_actor(),
        unknown_id,
        model=json_data.model,
        district=json_data.district,
        bay_id=json_data.bay_id,
    )
    return {"device": _device(adopted.detail.row), "replayed": adopted.frames}
