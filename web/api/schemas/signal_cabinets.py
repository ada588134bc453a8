"""Cabinets at signals, and what was sent to them."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from web.api.schemas.base import Incoming, Instant, Outgoing, PageQuery
from web.api.schemas.signals import SignalName

CabinetActStatus = Literal[
    "waiting",
    "sending",
    "active",
    "not_sent",
    "refused",
    "unconfirmed",
    "reverted",
    "flashing",
    "unknown",
    "superseded",
]


class DialectIn(Incoming):
    """What sources of GB/T 20999 disagree on, as most have it where left out; of NTCIP the user.

    Of GA/T 1049 the signal system's user and the junction's number.
    """

    version: Annotated[int, Field(ge=0, le=0xFFFF, strict=True)] | None = None
    lamp_attribute: Annotated[int, Field(ge=1, le=2, strict=True)] | None = None
    lenient: bool | None = None
    stage_time_bytes: Literal[2, 4] | None = None
    user: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=64,
            description="Of SNMPv3 or a signal system; its keys are in the settings",
        ),
    ] = None
    cross: Annotated[
        str | None, Field(max_length=20, description="The junction's number in a signal system")
    ] = None


class SignalCabinetIn(Incoming):
    """Where a signal's cabinet is reached, and what it speaks."""

    protocol: Literal["gbt20999", "gat1049", "ntcip"] = "gbt20999"
    transport: Literal["udp", "tcp"] = "udp"
    host: Annotated[str, Field(max_length=15, description="An IPv4 address, no name")]
    port: Annotated[int, Field(ge=1, le=65_535, strict=True)]
    controller: Annotated[int, Field(ge=0, le=2**32 - 1, strict=True)] = 1
    junction: Annotated[int, Field(ge=0, le=255, strict=True)] = 1
    dialect: DialectIn = DialectIn()


class DialectOut(Outgoing):
    """How a cabinet's dialect differs from what most have."""

    version: int | None = None
    lamp_attribute: int | None = None
    lenient: bool | None = None
    stage_time_bytes: int | None = None
    user: str | None = None
    cross: str | None = None


class SignalCabinetActOut(Outgoing):
    """A plan in force on its way into a cabinet, or what came of it."""

    id: UUID
    signal: str
    run_id: Annotated[UUID, Field(description="Which putting in force it belongs to")]
    status: CabinetActStatus
    asked_at: Annotated[Instant, Field(description="Wall time, as all instants of cabinets")]
    asked_by: str
    began_at: Instant | None
    ended_at: Instant | None
    plan_number: Annotated[int | None, Field(description="Where the controller keeps the plan")]
    former_number: int | None
    steps: list[str]


class SignalCabinetOut(Outgoing):
    """A signal's cabinet, and what was sent to it last."""

    signal: str
    protocol: str
    transport: str
    host: str
    port: int
    controller: int
    junction: int
    dialect: DialectOut
    simulated: bool
    bound_at: Instant
    bound_by: str
    last_act: SignalCabinetActOut | None


class SignalCabinetsOut(Outgoing):
    """The cabinets of a network."""

    items: list[SignalCabinetOut]


class SignalCabinetActsQuery(PageQuery):
    """What was sent: all, or to one signal."""

    signal: SignalName | None = None


class SignalCabinetActsOut(Outgoing):
    """What was sent, the latest first."""

    items: list[SignalCabinetActOut]
    next: str | None
