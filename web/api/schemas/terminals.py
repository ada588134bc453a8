"""Terminals over HTTP."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from web.api.schemas.base import (
    Incoming,
    Instant,
    InstantIn,
    Latitude,
    Longitude,
    Outgoing,
    PageQuery,
)

AppVersion = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\w.:+-]+$")]
Coordinate = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$")]
State = Literal["awaited", "active", "locked", "revoked"]
Concern = Literal["silent", "battery", "waiting", "clock", "missed"]
Network = Literal["wifi", "cellular", "none", "other"]


class TerminalIn(Incoming):
    """A terminal to register."""

    name: Annotated[str, Field(min_length=1, max_length=120)]
    district: Annotated[str, Field(pattern=r"^[0-9a-z]{2,12}$")]


class TerminalReasonIn(Incoming):
    """Why."""

    reason: Annotated[str, Field(min_length=1, max_length=200)]


class PublicKeyIn(Incoming):
    """A public key as a JWK (RFC 7517) has it."""

    kty: Literal["EC"]
    crv: Literal["P-256"]
    x: Coordinate
    y: Coordinate


class EnrolmentIn(Incoming):
    """A device that enrols: the request is signed by the very key that it names."""

    code: Annotated[str, Field(min_length=12, max_length=32)]
    public_key: PublicKeyIn
    app_version: AppVersion


class TerminalHealthIn(Incoming):
    """How a terminal does."""

    app_version: AppVersion
    tariffs_version: Annotated[str | None, Field(max_length=64)] = None
    battery_percent: Annotated[int | None, Field(ge=0, le=100)] = None
    charging: bool | None = None
    network: Network | None = None
    longitude: Longitude | None = None
    latitude: Latitude | None = None
    accuracy_m: Annotated[float | None, Field(ge=0, le=1e6, allow_inf_nan=False)] = None
    acts_waiting: Annotated[int, Field(ge=0, le=1_000_000)]
    oldest_waiting_at: InstantIn | None = None
    clock_behind_ms: Annotated[
        int | None,
        Field(ge=-(10**13), le=10**13, description="Our clock less the device's own"),
    ] = None


class TerminalHealthOut(Outgoing):
    """How a terminal said it does; its place is coarse."""

    at: Instant
    battery_percent: int | None
    charging: bool | None
    network: str | None
    position: list[float] | None
    accuracy_m: float | None
    tariffs_version: str | None
    acts_waiting: int
    oldest_waiting_at: Instant | None
    clock_behind_ms: int | None


class TerminalOut(Outgoing):
    """A terminal."""

    id: UUID
    name: str
    district: str
    state: State
    state_reason: str
    registered_at: Instant
    enrolled_at: Instant | None
    key: Annotated[str | None, Field(description="Thumbprint (RFC 7638) of its public key")]
    code_expires_at: Instant | None
    heard_at: Instant | None
    app_version: str | None
    missed_requests: Annotated[int, Field(description="Running numbers that never arrived")]
    health: TerminalHealthOut | None
    concerns: list[Concern]


class TerminalCodeOut(Outgoing):
    """A terminal and its code, which is shown here and never again."""

    terminal: TerminalOut
    code: str
    expires_at: Instant


class TerminalsQuery(PageQuery):
    """Which terminals."""


class TerminalsOut(Outgoing):
    """Terminals, the newest first."""

    items: list[TerminalOut]
    next: str | None
    at: Instant


class TerminalStandingOut(Outgoing):
    """What a terminal is told of itself."""

    id: UUID
    name: str
    district: str
    state: State
    state_reason: str
    server_at: Annotated[Instant, Field(description="Wall time, to correct a device's clock by")]
    city_at: Annotated[Instant, Field(description="Business time: the demo's, in the demo")]
