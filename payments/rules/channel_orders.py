"""An order at an online channel and the refunds of it, as facts of ours.

Pure. What the channel does with them is unknown until it says so, and unknown is a state.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from city.identifiers import BillId
from city.money import Money
from payments.rules.channel_bills.lines import LineKind
from payments.rules.channels import Channel, fee_of
from payments.rules.reconciliation import Record, Standing


class OrderState(StrEnum):
    """Where an order stands."""

    ASKED = "asked"
    """Written by us before the channel is asked: it may know of it or not."""
    OPEN = "open"
    """The channel has it, and waits for the payer."""
    UNKNOWN = "unknown"
    """The channel's answer was lost or says that it does not know: ask until it does."""
    PAID = "paid"
    CLOSED = "closed"
    """No money moved and none will."""


class RefundState(StrEnum):
    """Where a refund stands."""

    ASKED = "asked"
    """Accepted, or on its way to the channel: its end is not known yet."""
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ChannelOrder:
    """One order.

    Parameters
    ----------
    id : UUID
        Ours.
    bill_id : BillId
        What it pays.
    channel : Channel
        Through whom.
    order_no : str
        Our number at the channel, unique over all channels.
    merchant : str
        Merchant number that it was asked for under.
    method : str
        How the payer pays: ``code``, ``page``, ``jsapi``, ``bar``.
    amount : Money
        All of it is paid or nothing.
    state : OrderState
        As we know it.
    opened_at : datetime
        When we wrote it.
    opened_by : str
        Subject of the actor.
    expires_at : datetime
        After which it takes no money.
    channel_no : str
        The channel's number once known, else empty.
    done_at : datetime or None
        When it was paid by the channel's word, or when we knew it closed.
    refunded_minor : int
        What was asked back and did not fail; a constraint keeps it within the amount.
    """

    id: UUID
    bill_id: BillId
    channel: Channel
    order_no: str
    merchant: str
    method: str
    amount: Money
    state: OrderState
    opened_at: datetime
    opened_by: str
    expires_at: datetime
    channel_no: str = ""
    done_at: datetime | None = None
    refunded_minor: int = 0


@dataclass(frozen=True, slots=True)
class ChannelRefund:
    """Money on its way back through the channel that it came by.

    Parameters
    ----------
    id, order_id : UUID
        Ours, and the order's.
    refund_no : str
        Our number at the channel; asked again under it, it goes back once.
    amount, fee : Money
        What goes back to the payer, and of the fee to us.
    void : bool
        Taken back whole rather than refunded: the channel may number it itself.
    state : RefundState
        As we know it.
    asked_at, asked_by, reason
        Who asked when, and why.
    done_at : datetime or None
        When the channel says that it arrived.
    """

    id: UUID
    order_id: UUID
    refund_no: str
    amount: Money
    fee: Money
    void: bool
    state: RefundState
    asked_at: datetime
    asked_by: str
    reason: str
    done_at: datetime | None = None


# One table for both: a refund that was asked for stands as an order that was asked for does.
_STANDING: Final[Mapping[str, Standing]] = {
    OrderState.ASKED: Standing.OPEN,
    OrderState.OPEN: Standing.OPEN,
    OrderState.UNKNOWN: Standing.OPEN,
    OrderState.PAID: Standing.DONE,
    OrderState.CLOSED: Standing.FAILED,
    RefundState.DONE: Standing.DONE,
    RefundState.FAILED: Standing.FAILED,
}


def record_of_order(order: ChannelOrder) -> Record:
    """Give an order as reconciliation holds it against the channel's bill."""
    return Record(
        LineKind.PAYMENT,
        order.order_no,
        order.amount,
        order.done_at or order.opened_at,
        order.merchant,
        _STANDING[order.state],
        order.channel_no,
        fee=Money(fee_of(order.amount.minor), order.amount.currency),
    )


def record_of_refund(refund: ChannelRefund, order: ChannelOrder) -> Record:
    """Give a refund as reconciliation does: bills count it to the day on which it was asked for."""
    return Record(
        LineKind.VOID if refund.void else LineKind.REFUND,
        order.order_no,
        refund.amount,
        refund.asked_at,
        order.merchant,
        _STANDING[refund.state],
        order.channel_no,
        refund.refund_no,
        -refund.fee,
    )
