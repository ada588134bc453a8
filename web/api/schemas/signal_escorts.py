"""Escort routes, for those who are cleared for them."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from web.api.schemas.base import Code, Incoming, Instant, InstantIn, Latitude, Longitude, Outgoing
from web.api.schemas.signals import SignalName

EscortStatus = Literal["draft", "approved", "running", "over", "withdrawn"]
At = Annotated[tuple[Longitude, Latitude], Field(description="`[longitude, latitude]`, WGS-84")]


class EscortStopIn(Incoming):
    """A junction on the way, and the signal group that lets the convoy go."""

    signal: SignalName
    group: Annotated[str, Field(min_length=1, max_length=64)]
    position: Annotated[At | None, Field(description="Null where the city knows it")] = None


class EscortIn(Incoming):
    """A route from a meeting point through junctions, in their order."""

    network_id: UUID
    name: Annotated[str, Field(min_length=1, max_length=100, pattern=r"\S")]
    start: At
    stops: Annotated[list[EscortStopIn], Field(min_length=1, max_length=60)]
    tail_m: Annotated[float, Field(ge=0, le=1_000, description="Length of the convoy")] = 100.0
    lead_s: Annotated[
        int,
        Field(ge=20, le=180, strict=True, description="A junction is held so long before"),
    ] = 60
    speed_kph: Annotated[float, Field(ge=5, le=120)] = 40.0
    subject: Annotated[
        Code | None, Field(description="Of the device's credential that tells where it is")
    ] = None


class EscortActIn(Incoming):
    """Nothing to say."""


class EscortPositionIn(Incoming):
    """Where the head of a convoy is."""

    at: Annotated[InstantIn, Field(description="By the device's clock")]
    position: At
    speed_kph: Annotated[float | None, Field(ge=0, le=200, allow_inf_nan=False)] = None


class EscortPositionOut(Outgoing):
    """Whether it is on its route; off it nothing is held by its place."""

    on_route: bool


class EscortStopOut(Outgoing):
    """A junction of a route, and what holds it."""

    place: int
    signal: str
    group: str
    position: list[float]
    along_m: float
    state: Literal["ahead", "asked", "held", "given_back", "behind", "ended"]
    stage: int | None
    until_at: Instant | None


class EscortRowOut(Outgoing):
    """A route in a list."""

    id: UUID
    network_id: UUID
    name: str
    status: EscortStatus
    junctions: int
    passed: int
    drafted_at: Instant
    drafted_name: str
    mine: Annotated[bool, Field(description="Drafted by the caller, who does not approve it")]


class EscortsOut(Outgoing):
    """Routes, the latest first."""

    items: list[EscortRowOut]
    next: str | None


class EscortEntryOut(Outgoing):
    """A line of the sealed log."""

    number: int
    at: Instant
    actor: str
    what: str
    detail: dict[str, Any]


class EscortOut(EscortRowOut):
    """A route with its junctions and its log."""

    now: Instant
    start: list[float]
    tail_m: float
    lead_s: int
    speed_kph: float
    subject: str | None
    approved_at: Instant | None
    approved_name: str | None
    started_at: Instant | None
    ended_at: Instant | None
    along_m: float
    located_at: Instant | None
    known: Annotated[bool, Field(description="Whether its place was told within 15 s")]
    stops: list[EscortStopOut]
    log: list[EscortEntryOut]
    log_broken_at: Annotated[
        int | None, Field(description="First line that is not as it was written; null: all are")
    ]
