"""The finance desk: what came in, and channels' bills held against ours."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from web.api.schemas.base import Incoming, Instant, MoneyOut, Names, Outgoing, PageQuery
from web.api.schemas.figures import BodyDay, Day

ChannelName = Literal["wechat", "alipay", "unionpay"]
BilledName = Literal["wechat", "alipay", "unionpay", "pos"]
Source = Literal["wechat", "alipay", "unionpay", "stays", "cards", "ledger", "pos", "pos-batches"]
"""Whose telling is held against ours: a channel's bill, a day's stays and their sensors, what
parking cards hold, or the sums that balances are made of."""
CaseState = Literal["open", "proposed", "approved", "resolved"]
Resolution = Literal["note", "suspense", "surplus"]
LARGEST_BILL = 12_000_000
"""Characters of base64."""


class TakingsQuery(Incoming):
    """Of which day in China; null: today."""

    day: Day | None = None


class TakingOut(Outgoing):
    """What one taker took by one channel for one operator."""

    channel: str
    operator_id: UUID
    operator: Names | None
    taken_by: str
    taker: Annotated[str | None, Field(description="the person's name; null: a channel")]
    payments: int
    amount: MoneyOut


class GivenBackOut(Outgoing):
    """What arrived back at payers by one channel."""

    channel: str
    refunds: int
    amount: MoneyOut


class ToppedUpOut(Outgoing):
    """What came onto parking cards by one channel through one taker, and what of it went back."""

    channel: str
    taken_by: str
    taker: Annotated[str | None, Field(description="the person's name; null: a channel")]
    top_ups: int
    amount: MoneyOut
    backs: int
    back: MoneyOut


class TakingsOut(Outgoing):
    """What came in on a day, and what went back."""

    day: date
    from_at: Instant
    before_at: Instant
    items: list[TakingOut]
    given_back: list[GivenBackOut]
    cards: Annotated[
        list[ToppedUpOut],
        Field(
            description="money on parking cards, owed to their holders: among the items once it"
            " pays a bill; empty for who sees some districts alone, as cards are of the whole city"
        ),
    ]


class TakenPaymentsQuery(PageQuery):
    """The payments behind which figure of which day."""

    day: Day | None = None
    channel: Annotated[str | None, Field(max_length=40)] = None
    operator_id: UUID | None = None
    taken_by: Annotated[str | None, Field(max_length=100)] = None


class TakenPaymentOut(Outgoing):
    """One payment, with the entry that records it."""

    payment_id: UUID
    bill_id: UUID
    channel: str
    operator_id: UUID
    amount: MoneyOut
    taken_at: Instant
    taken_by: str
    taker: Annotated[str | None, Field(description="the person's name; null: a channel")]
    entry_id: UUID | None


class TakenPaymentsOut(Outgoing):
    """A page of payments, the latest first."""

    items: list[TakenPaymentOut]
    next: str | None


class TakenRefundsQuery(PageQuery):
    """What went back on which day, through which channel."""

    day: Day | None = None
    channel: Annotated[str | None, Field(max_length=40)] = None


class TakenRefundOut(Outgoing):
    """One sum that arrived back, with the entry that records it."""

    id: UUID
    bill_id: Annotated[
        UUID | None, Field(description="null: what was paid ahead of a stay, in cash")
    ]
    channel: str
    operator_id: UUID
    amount: MoneyOut
    at: Instant
    given_by: str
    giver: Annotated[str | None, Field(description="the person's name; null: a channel")]
    entry_id: UUID


class TakenRefundsOut(Outgoing):
    """A page of what went back, the latest first."""

    items: list[TakenRefundOut]
    next: str | None


class CardMoveOut(Outgoing):
    """One movement of a card's money, with the entry that records it."""

    id: UUID
    card_number: str
    kind: Literal["top-up", "paid-out", "returned"]
    channel: str
    amount: Annotated[MoneyOut, Field(description="below zero for what went off the card")]
    at: Instant
    made_by: str
    maker: Annotated[str | None, Field(description="the person's name; null: a channel")]
    entry_id: UUID


class CardMovesOut(Outgoing):
    """A page of movements, the latest first."""

    items: list[CardMoveOut]
    next: str | None


class ReconcileIn(Incoming):
    """A channel's bill, as the channel gave it."""

    channel: BilledName
    day: Annotated[BodyDay | None, Field(description="China's; null: that of most rows")] = None
    bill: Annotated[str, Field(min_length=1, max_length=LARGEST_BILL, description="base64")]


class FetchIn(Incoming):
    """Which of a channel's bills to fetch from it."""

    channel: ChannelName
    day: Annotated[BodyDay, Field(description="China's")]


class StaysDayIn(Incoming):
    """Which day's stays to hold against their bills."""

    day: Annotated[BodyDay, Field(description="China's, one that is over")]


class RunOut(Outgoing):
    """A day held against a bill."""

    id: UUID
    channel: Source
    day: date
    run_at: Instant
    run_by: str
    sha256: str
    summary: dict[str, Any]


class RunsOut(Outgoing):
    """A page of runs, the newest first."""

    items: list[RunOut]
    next: str | None
    names: Annotated[dict[str, str], Field(description="of staff, by subject")]


class DifferencesQuery(PageQuery):
    """Which differences."""

    state: CaseState | None = None
    channel: Source | None = None
    day: Day | None = None


class DifferenceOut(Outgoing):
    """A difference, and what people said of it."""

    id: UUID
    channel: Source
    day: date
    kind: str
    order_no: str
    refund_no: str
    proposal: str
    certain: bool
    effect: Annotated[MoneyOut, Field(description="what the channel holds more than our ledger")]
    detail: dict[str, Any]
    state: CaseState
    found_at: Instant
    resolution: Resolution | None
    note: str
    proposed_at: Instant | None
    proposed_by: str | None
    approved_at: Instant | None
    approved_by: str | None
    resolved_at: Instant | None
    resolved_by: str | None
    entry_id: UUID | None


class DifferencesOut(Outgoing):
    """A page of differences, the newest first."""

    items: list[DifferenceOut]
    next: str | None
    names: Annotated[dict[str, str], Field(description="of staff, by subject")]


class ProposalIn(Incoming):
    """How a difference ends, and why."""

    resolution: Resolution
    note: Annotated[str, Field(min_length=3, max_length=500)]
