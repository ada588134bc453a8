"""Parking sessions, bills and payments."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from city.vehicles import PlateKind
from web.api.schemas.base import (
    Incoming,
    Instant,
    MoneyIn,
    MoneyOut,
    Names,
    Outgoing,
    PageQuery,
    PlateText,
)
from web.api.schemas.places import QuoteLine

SessionState = Literal["open", "closed", "unattributed"]


class PlateOut(Outgoing):
    """A plate as far as the caller's role may see it."""

    text: str
    kind: str
    masked: bool


class SessionOut(Outgoing):
    """A stay in a bay, or from gate to gate."""

    id: UUID
    bay_id: Annotated[UUID | None, Field(description="null from gate to gate")]
    bay_label: Annotated[str, Field(description="empty from gate to gate")]
    facility_id: UUID
    state: SessionState
    opened_at: Instant
    closed_at: Instant | None
    closing_reason: str | None
    uncertain_from_at: Instant | None
    plate: PlateOut | None
    attached_at: Instant | None
    bill_id: UUID | None
    hold: Annotated[str | None, Field(description="why a person has to look before it is billed")]
    set_aside: Annotated[str | None, Field(description="what stood there that is not charged")]
    part_of: Annotated[UUID | None, Field(description="the vehicle's stay that counts instead")]
    part_kind: str | None
    planned_until_at: Instant | None
    paid_until_at: Instant | None


class SessionsQuery(PageQuery):
    """Which stays."""

    bay_id: UUID | None = None
    facility_id: UUID | None = None
    state: SessionState | None = None
    held: bool | None = None


class SessionsOut(Outgoing):
    """A page of stays, the latest first."""

    items: list[SessionOut]
    next: str | None


class AttachIn(Incoming):
    """The plate seen on the vehicle in the bay."""

    plate: PlateText
    kind: PlateKind | None = None


class AttachedOut(SessionOut):
    """The stay with its vehicle, and what whoever attached it should know."""

    warnings: list[str]


Ground = Literal[
    "not-my-vehicle", "not-parked", "wrong-times", "wrong-fee", "already-paid", "other"
]
DisputeState = Literal["open", "upheld", "rejected", "withdrawn"]


class DisputeOut(Outgoing):
    """What a driver says is wrong with a bill, and what was answered."""

    id: UUID
    bill_id: UUID
    state: DisputeState
    ground: Ground
    words: str
    opened_at: Instant
    resolved_at: Instant | None
    answer: str | None


class BillOut(Outgoing):
    """A bill with its explained lines."""

    id: UUID
    session_id: UUID
    facility_id: UUID
    facility: Names | None
    state: str
    amount: MoneyOut
    lines: list[QuoteLine]
    plate: PlateOut | None
    issued_at: Instant
    due_at: Instant
    paid_at: Instant | None
    covers_until_at: Annotated[
        Instant | None, Field(description="of a bill paid ahead: until when")
    ]
    dispute: DisputeOut | None


class BillsQuery(PageQuery):
    """Which bills."""

    state: Literal["open", "paid", "disputed", "cancelled"] | None = None
    facility_id: UUID | None = None


class BillsOut(Outgoing):
    """A page of bills, the latest first."""

    items: list[BillOut]
    next: str | None


class PaymentIn(Incoming):
    """Cash handed over by the driver."""

    channel: Literal["cash"]
    tendered: MoneyIn


class PaymentOut(Outgoing):
    """A payment taken, with the change to hand back."""

    id: UUID
    bill_id: UUID
    channel: str
    amount: MoneyOut
    tendered: MoneyOut
    change: MoneyOut
    received_at: Instant
