"""Why a bay has the state it has: its sensors and what they last sent."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from city.identifiers import BayId
from parking.store import devices, telemetry
from parking.store.devices import Device
from parking.store.telemetry import KeptUplink


@dataclass(frozen=True, slots=True)
class BayEvidence:
    """The devices that lie in a bay, each with since when, and their frames, the latest first."""

    devices: tuple[tuple[Device, datetime], ...]
    frames: tuple[KeptUplink, ...]


def of_bay(connection: Connection, bay_id: BayId, *, limit: int) -> BayEvidence:
    """Give a bay's present devices and their last `limit` frames.

    Two or three statements a device; a bay has one or two.
    """
    here = [
        (devices.device(connection, placement.device_id), placement.since_at)
        for placement in devices.placements_in_bay(connection, bay_id)
        if placement.until_at is None
    ]
    frames = [
        frame
        for device, since_at in here
        for frame in telemetry.last_uplinks(connection, device.id, limit=limit)
        if frame.device_at >= since_at
    ]
    frames.sort(key=lambda frame: frame.received_at, reverse=True)
    return BayEvidence(tuple(here), tuple(frames[:limit]))
