"""Unpaid bills: what is owed, what was done about it, and what people do."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from city.vehicles import PlateKind
from web.api.schemas.base import (
    Incoming,
    Instant,
    MoneyIn,
    MoneyOut,
    Outgoing,
    PageQuery,
    PlateText,
)
from web.api.schemas.stays import BillOut, PaymentOut

Reason = Annotated[str, Field(min_length=3, max_length=500)]
StepKind = Literal["reminder", "notice", "penalty", "court"]
Medium = Literal["message", "letter", "slip"]
Privilege = Literal["leave-first", "reserve", "permit"]
DistrictCode = Annotated[str, Field(pattern="^[0-9a-z]{2,12}$")]


class ArrearsLookupIn(Incoming):
    """Whose arrears."""

    plate: PlateText
    kind: PlateKind | None = None


class SlipOut(Outgoing):
    """A slip that waits for somebody to meet the vehicle."""

    id: UUID
    bill_id: UUID
    kind: StepKind
    text: str
    made_at: Instant


class OwedOut(Outgoing):
    """What a vehicle owes, at any place of the city."""

    bills: list[BillOut]
    total: Annotated[list[MoneyOut], Field(description="what can be paid now: nothing disputed")]
    slips: list[SlipOut]


class SeveralIn(Incoming):
    """Cash for several unpaid bills of one vehicle."""

    bills: Annotated[list[UUID], Field(min_length=1, max_length=100)]
    tendered: MoneyIn


class LinkIn(Incoming):
    """Unpaid bills of one vehicle, to be paid online by who scans a link to them."""

    bills: Annotated[list[UUID], Field(min_length=1, max_length=20)]


class SeveralOut(Outgoing):
    """What was taken, a payment a bill; the change is the last one's."""

    payments: list[PaymentOut]
    change: MoneyOut


class SlipIn(Incoming):
    """Where the slip was left."""

    where: Annotated[str, Field(min_length=1, max_length=200)]


class NoticeOut(Outgoing):
    """A reminder or a notice by one medium, with the proof of its delivery."""

    id: UUID
    kind: StepKind
    medium: Medium
    state: Literal["waiting", "sent", "delivered", "failed"]
    text: str
    made_at: Instant
    sent_at: Instant | None
    delivered_at: Instant | None
    provider: str
    provider_no: str
    proof: dict[str, Any] | None


class AdjustmentIn(Incoming):
    """What to take off a bill, and why."""

    amount: MoneyIn
    reason: Reason


class AdjustmentOut(Outgoing):
    """What was taken off a bill."""

    id: UUID
    bill_id: UUID
    amount: MoneyOut
    reason: str
    role: str
    made_at: Instant
    made_by: str


class PenaltyOut(Outgoing):
    """What was added to a bill."""

    id: UUID
    amount: MoneyOut
    at: Instant
    reason: str


class WriteOffIn(Incoming):
    """Why what is left of a bill is to be given up."""

    reason: Reason


class WriteOffOut(Outgoing):
    """A wish to give a bill up, and what a second person said."""

    id: UUID
    bill_id: UUID
    state: Literal["asked", "approved", "refused"]
    amount: MoneyOut
    reason: str
    asked_at: Instant
    asked_by: str
    decided_at: Instant | None
    decided_by: str | None


class WriteOffsFileQuery(Incoming):
    """Which wishes, all of them."""

    state: Literal["asked", "approved", "refused"] | None = None


class WriteOffsQuery(PageQuery):
    """Which wishes."""

    state: Literal["asked", "approved", "refused"] | None = None


class WriteOffsOut(Outgoing):
    """Wishes to give bills up, the newest first."""

    items: list[WriteOffOut]
    next: str | None
    names: Annotated[dict[str, str], Field(description="of staff, by subject")]


class DecisionIn(Incoming):
    """What a second person says."""

    approve: bool


class TakenStepOut(Outgoing):
    """A step of the policy that was taken, or left out because a later one said more."""

    kind: StepKind
    taken_at: Instant
    left_out: bool


class CaseOut(Outgoing):
    """All that was done about a bill."""

    bill_id: UUID
    outstanding: MoneyOut
    overdue_days: int
    policy_source: str
    steps: list[TakenStepOut]
    notices: list[NoticeOut]
    penalties: list[PenaltyOut]
    adjustments: list[AdjustmentOut]
    payments: list[PaymentOut]
    write_off: WriteOffOut | None


class DebtsOut(Outgoing):
    """What is owed in one currency."""

    bills: int
    outstanding: MoneyOut
    overdue_bills: int
    overdue: MoneyOut


class ArrearsOut(Outgoing):
    """Overdue bills, the longest overdue first, and what is owed in all."""

    items: list[BillOut]
    next: str | None
    debts: list[DebtsOut]
    in_ledger: Annotated[
        list[MoneyOut] | None,
        Field(description="what the accounts of arrears hold; null for who reads a part of them"),
    ]


class CourtFileOut(Outgoing):
    """A bill's file, ready for a court; `sha256` is over all the rest."""

    form: str
    drawn_at: str
    drawn_by: str
    plate: dict[str, Any] | None
    place: dict[str, Any] | None
    stay: dict[str, Any] | None
    bill: dict[str, Any]
    policy: dict[str, Any]
    steps: list[dict[str, Any]]
    notices: list[dict[str, Any]]
    penalties: list[dict[str, Any]]
    adjustments: list[dict[str, Any]]
    payments: list[dict[str, Any]]
    ledger: list[dict[str, Any]]
    sha256: str
