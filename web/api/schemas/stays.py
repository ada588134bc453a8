"""Parking sessions, bills and payments."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from city.vehicles import PlateKind
from web.api.schemas.base import (
    Incoming,
    Instant,
    InstantIn,
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
    exempt: Annotated[
        str | None, Field(description="reason for which a person freed it of its fee")
    ]
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


class BillPaymentOut(Outgoing):
    """What settled a bill, and by what."""

    channel: str
    amount: MoneyOut
    rounded: Annotated[MoneyOut, Field(description="what of it was not asked for in cash")]
    received_at: Instant


class BillOut(Outgoing):
    """A bill with its explained lines."""

    id: UUID
    session_id: UUID
    facility_id: UUID
    facility: Names | None
    state: str
    amount: MoneyOut
    outstanding: Annotated[MoneyOut, Field(description="what is still to be paid")]
    in_cash: Annotated[
        MoneyOut, Field(description="what of that is asked for in cash: rounded down by its region")
    ]
    paid: Annotated[MoneyOut, Field(description="what was paid of it, in one part or several")]
    lowered: Annotated[MoneyOut, Field(description="what was taken off it")]
    penalty: Annotated[MoneyOut, Field(description="what was added: it was not paid in time")]
    lines: list[QuoteLine]
    paid_ahead: Annotated[
        MoneyOut, Field(description="what of the fee was paid before: the amount is the rest")
    ]
    plate: PlateOut | None
    issued_at: Instant
    due_at: Instant
    paid_at: Instant | None
    covers_until_at: Annotated[
        Instant | None, Field(description="of a bill paid ahead: until when")
    ]
    dispute: DisputeOut | None
    cash_owed_back: Annotated[
        MoneyOut | None,
        Field(description="of a cancelled one: what was paid in cash; null in lists"),
    ] = None
    cash_refundable: Annotated[
        MoneyOut | None,
        Field(description="of a paid one: what was taken in cash and not given back; as that one"),
    ] = None
    refunded: Annotated[MoneyOut, Field(description="what went back of what was paid")]
    payment: Annotated[
        BillPaymentOut | None, Field(description="what settled it; null: not paid, or over nothing")
    ]


class BillsQuery(PageQuery):
    """Which bills."""

    state: Literal["open", "paid", "disputed", "cancelled", "written-off"] | None = None
    facility_id: UUID | None = None


class BillsOut(Outgoing):
    """A page of bills, the latest first."""

    items: list[BillOut]
    next: str | None


class PaymentIn(Incoming):
    """Cash handed over by the driver."""

    channel: Literal["cash"]
    tendered: MoneyIn
    part: Annotated[MoneyIn | None, Field(description="pay so much; null: all that is left")] = None


class PaymentOut(Outgoing):
    """A payment taken, with the change to hand back."""

    id: UUID
    bill_id: UUID
    channel: str
    amount: MoneyOut
    rounded: Annotated[MoneyOut, Field(description="what of the amount was not asked for in cash")]
    tendered: MoneyOut
    change: MoneyOut
    received_at: Instant


class FeeQuery(Incoming):
    """Up to when."""

    until_at: InstantIn | None = None


class FeeOut(Outgoing):
    """What a stay costs up to an instant, as things stand."""

    session_id: UUID
    until_at: Instant
    fee: Annotated[MoneyOut, Field(description="all of it, with what was paid ahead")]
    paid_ahead: MoneyOut
    due: MoneyOut
    unused: Annotated[MoneyOut, Field(description="paid ahead and not needed: given back")]
    lines: Annotated[list[QuoteLine], Field(description="they add up to what is due")]
    leave_by_at: Annotated[
        Instant | None, Field(description="until when it can leave and pay nothing more")
    ]
    coupons_left_out: Annotated[list[str], Field(description="do not fit the vehicle")]


class FeeCourseOut(Outgoing):
    """What is due of a stay by when it ends, for a terminal without a line."""

    session_id: UUID
    made_at: Instant
    from_at: Annotated[Instant, Field(description="first leaving that it tells, a whole second")]
    until_at: Annotated[Instant, Field(description="last one; beyond it the fee is not known")]
    currency: str
    steps: Annotated[
        list[tuple[int, int]],
        Field(description="seconds after `from_at`, and the minor units due from then on"),
    ]


class AdvanceIn(Incoming):
    """Cash for a stay that goes on: all that is due up to an instant."""

    channel: Literal["cash"]
    tendered: MoneyIn
    until_at: Annotated[
        InstantIn | None, Field(description="null: now; at most seven days ahead")
    ] = None


class AdvanceOut(Outgoing):
    """What was paid ahead, and until when the vehicle can leave."""

    payment: PaymentOut
    covers_until_at: Instant
    leave_by_at: Instant


class RefundIn(Incoming):
    """All that is left goes back."""

    channel: Literal["cash"]


class CashRefundIn(Incoming):
    """A part or all of what was paid in cash, to go back."""

    id: Annotated[UUID, Field(description="the sender's own: sent again under it, it goes once")]
    amount: MoneyIn
    reason: Annotated[str, Field(min_length=3, max_length=80)]


class RefundOut(Outgoing):
    """What went back to the driver."""

    id: UUID
    session_id: UUID
    channel: str
    amount: MoneyOut
    refunded_at: Instant


class CouponIn(Incoming):
    """A coupon of the stay's tariff, by its id."""

    coupon: Annotated[str, Field(min_length=1, max_length=64)]
