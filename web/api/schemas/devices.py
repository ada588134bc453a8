"""Devices, their placement and their health; uplinks; audit; the demo's clock."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from web.api.schemas.base import Code, Incoming, Instant, InstantIn, Outgoing, PageQuery

District = Annotated[str, Field(pattern=r"^[0-9a-z]{2,12}$")]


class PlacementOut(Outgoing):
    """Where a device lies or lay."""

    bay_id: UUID
    bay_label: str
    since_at: Instant
    until_at: Instant | None


class DeviceOut(Outgoing):
    """A device and how it does."""

    id: UUID
    network_key: str
    model: str
    district: str
    bay_id: UUID | None
    bay_label: str | None
    first_seen_at: Instant | None
    last_seen_at: Instant | None
    battery_v: float | None
    battery_low: bool | None
    rssi: float | None
    snr: float | None
    faults: list[str]
    health: Annotated[str, Field(description="ok, silent, battery, signal, fault or never")]


class DeviceDetailOut(DeviceOut):
    """A device with the places it has had."""

    placements: list[PlacementOut]


class DevicesQuery(PageQuery):
    """Which devices."""

    district: District | None = None
    health: Annotated[str | None, Field(max_length=16, pattern="^[a-z]+$")] = None


class DevicesOut(Outgoing):
    """A page of devices."""

    items: list[DeviceOut]
    next: str | None


class DeviceIn(Incoming):
    """A device to be registered."""

    network_key: Code
    model: Code
    district: District
    bay_id: UUID | None = None


class PlacementIn(Incoming):
    """Where a device lies from an instant on; without a bay it is taken out."""

    bay_id: UUID | None
    since_at: InstantIn | None = None
    role: Annotated[
        Literal["primary", "secondary"],
        Field(description="secondary: a further witness, such as a camera beside the magnet"),
    ] = "primary"
    replace: Annotated[bool, Field(description="Take out the device that lies there now")] = False


class UnknownDeviceOut(Outgoing):
    """A device that sends but is not registered."""

    id: UUID
    network_key: str
    source: str
    first_seen_at: Instant
    last_seen_at: Instant
    frames: int
    last_port: int | None
    last_frame_hex: str | None


class UnknownDevicesOut(Outgoing):
    """A page of unregistered devices."""

    items: list[UnknownDeviceOut]
    next: str | None


class AdoptIn(Incoming):
    """What an unregistered device is and where it lies."""

    model: Code
    district: District
    bay_id: UUID | None = None


class AdoptOut(Outgoing):
    """The device, and how many of its parked frames went back into the stream."""

    device: DeviceOut
    replayed: int


class AcceptedUplink(Outgoing):
    """An uplink that is kept."""

    index: int
    device: str
    state: Literal["appended", "parked"]


class RejectedUplink(Outgoing):
    """An uplink that is not used, and why."""

    index: int
    reason: str
    detail: str


class IgnoredUplink(Outgoing):
    """A message that carries no frame: a join, a downlink's fate."""

    index: int
    kind: str


class UplinksOut(Outgoing):
    """What became of each message of a request."""

    accepted: list[AcceptedUplink]
    rejected: list[RejectedUplink]
    ignored: list[IgnoredUplink]


class ChirpStackQuery(Incoming):
    """What ChirpStack adds to the address that it was given."""

    event: Annotated[str | None, Field(max_length=32, description="Kind of the event")] = None


class MeOut(Outgoing):
    """Who calls."""

    kind: str
    name: str
    roles: list[str]
    csrf_token: Annotated[
        str | None, Field(description="Acts of a page's session carry it; a bearer has none")
    ]


class AuditRecordOut(Outgoing):
    """An act on record."""

    id: int
    at: Instant
    actor: str
    actor_kind: str
    action: str
    subject_kind: str
    subject_id: str
    detail: dict[str, object]


class AuditQuery(PageQuery):
    """Which records."""

    action: Code | None = None
    subject_id: Code | None = None


class AuditOut(Outgoing):
    """A page of records, the latest first, and the state of the chain."""

    items: list[AuditRecordOut]
    next: str | None
    unsealed_age_s: float | None


class ClockOut(Outgoing):
    """The business clock: demo time runs ``speed`` times as fast as the wall's since ``since_at``.

    That is ahead of ``now`` for the moment that a change takes to be known everywhere.
    """

    now: Instant
    speed: float
    since_at: Instant
    simulated: bool


class ClockIn(Incoming):
    """A new speed of the demo's clock."""

    speed: Annotated[float, Field(ge=0, le=600, allow_inf_nan=False)]
