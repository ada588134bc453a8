"""Parking sessions, bills and payments."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

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
    """A stay in a bay."""

    id: UUID
    bay_id: UUID
    bay_label: str
    facility_id: UUID
    state: SessionState
    opened_at: Instant
    closed_at: Instant | None
    closing_reason: str | None
    uncertain_from_at: Instant | None
    plate: PlateOut | None
    attached_at: Instant | None
    bill_id: UUID | None


class SessionsQuery(PageQuery):
    """Which stays."""

    bay_id: UUID | None = None
    facility_id: UUID | None = None
    state: SessionState | None = None


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


class BillsQuery(PageQuery):
    """Which bills."""

    state: Literal["open", "paid"] | None = None
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
