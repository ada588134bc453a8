"""The finance desk: what came in, and channels' bills held against ours."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from web.api.schemas.base import Incoming, Instant, MoneyOut, Outgoing, PageQuery
from web.api.schemas.figures import Day

ChannelName = Literal["wechat", "alipay", "unionpay"]
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
    taken_by: str
    taker: Annotated[str | None, Field(description="the person's name; null: a channel")]
    payments: int
    amount: MoneyOut


class TakingsOut(Outgoing):
    """What came in on a day."""

    day: date
    from_at: Instant
    before_at: Instant
    items: list[TakingOut]


class ReconcileIn(Incoming):
    """A channel's bill, as the channel gave it."""

    channel: ChannelName
    day: Annotated[Day | None, Field(description="China's; null: that of most rows")] = None
    bill: Annotated[str, Field(min_length=1, max_length=LARGEST_BILL, description="base64")]


class RunOut(Outgoing):
    """A day held against a bill."""

    id: UUID
    channel: ChannelName
    day: date
    run_at: Instant
    run_by: str
    sha256: str
    summary: dict[str, Any]


class RunsOut(Outgoing):
    """The latest runs, the newest first."""

    items: list[RunOut]


class DifferencesQuery(PageQuery):
    """Which differences."""

    state: CaseState | None = None
    channel: ChannelName | None = None
    day: Day | None = None


class DifferenceOut(Outgoing):
    """A difference, and what people said of it."""

    id: UUID
    channel: ChannelName
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


class ProposalIn(Incoming):
    """How a difference ends, and why."""

    resolution: Resolution
    note: Annotated[str, Field(min_length=3, max_length=500)]
