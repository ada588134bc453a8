"""An order at an online channel and the refunds of it, as facts of ours.

Pure. What the channel does with them is unknown until it says so, and unknown is a state.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from city.errors import Conflict, Invalid
from city.identifiers import BillId, PaymentId
from city.money import Money
from payments.rules import channels
from payments.rules.authenticity import NotAuthentic, Refusal
from payments.rules.channel_bills.lines import LineKind
from payments.rules.channel_registry import fee_rate_of
from payments.rules.channels import (
    MOST_REFUNDS,
    Answer,
    Channel,
    Fate,
    Method,
    RefundAnswer,
    RefundFate,
    fee_of,
)
from payments.rules.differences import Record, Standing


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


class Purpose(StrEnum):
    """What an order's money is for."""

    BILL = "bill"
    BILLS = "bills"
    """Several of one vehicle, each by its share (`rules.order_shares`)."""
    TOP_UP = "top-up"
    """It comes onto a stored-value card."""


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
    bill_id : BillId or None
        What it pays; None where it pays several (`rules.order_shares`) or no bill at all.
    channel : Channel
        Through whom.
    order_no : str
        Our number at the channel, unique over all channels.
    merchant : str
        Merchant number that it was asked for under.
    method : Method
        How the payer comes to pay.
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
    payment_id : PaymentId or None
        The payment that settled its bill; a paid order over a bill without one is a surplus.
    code : str
        What the payer scans, follows or is given; empty until the channel gave it.
    agreement_id : UUID or None
        Of an order that is deducted: by which agreement.
    card_id : UUID or None
        The stored-value card that it tops up.
    movement_id : UUID or None
        By which its money came onto that card; a paid top-up without one is a surplus.
    payer_hash : str
        Of an order inside the channel's app, whose it is alone (`rules.in_app.hash_of`).
    """

    id: UUID
    bill_id: BillId | None
    channel: Channel
    order_no: str
    merchant: str
    method: Method
    amount: Money
    state: OrderState
    opened_at: datetime
    opened_by: str
    expires_at: datetime
    channel_no: str = ""
    done_at: datetime | None = None
    refunded_minor: int = 0
    payment_id: PaymentId | None = None
    code: str = ""
    agreement_id: UUID | None = None
    card_id: UUID | None = None
    movement_id: UUID | None = None
    payer_hash: str = ""

    @property
    def purpose(self) -> Purpose:
        """What its money is for; one of the three, as the database holds."""
        if self.card_id is not None:
            return Purpose.TOP_UP
        return Purpose.BILLS if self.bill_id is None else Purpose.BILL

    @property
    def merged(self) -> bool:
        """Whether it pays several bills, each by its share."""
        return self.purpose is Purpose.BILLS

    @property
    def may_be_paid(self) -> bool:
        """Whether money can have moved: where a code must be scanned, not before it was given out.

        A code whose time is over was given out all the same.
        """
        scanned = self.method in _BY_CODE and self.channel in channels.ONLINE
        return bool(self.code) or not scanned

    @property
    def code_ends_at(self) -> datetime:
        """Until when its code is of use to who holds it; what was begun by then may end later."""
        return self.expires_at - (_PAGE_WAITS_FOR if self.method is Method.PAGE else timedelta(0))

    @property
    def surplus(self) -> bool:
        """Whether it was paid when what it is for took no money any more; shares tell their own."""
        used = self.payment_id is not None or self.movement_id is not None
        return self.state is OrderState.PAID and not used and not self.merged


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
    share_id : UUID or None
        Of an order over several bills, the share that it goes back of.
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
    share_id: UUID | None = None

    def as_asked(self) -> channels.Refund:
        """Give it as a channel is asked for it."""
        return channels.Refund(self.refund_no, self.amount, self.reason, self.asked_at)


_SUBJECTS: Final[Mapping[Purpose, str]] = {
    Purpose.BILL: "停车费",
    Purpose.BILLS: "停车费",
    Purpose.TOP_UP: "停车卡充值",
}
"""What a payer reads at the channel."""
ORDER_TAKES_MONEY_FOR: Final = timedelta(minutes=15)
_CODE_TAKES_MONEY_FOR: Final = timedelta(minutes=2)
"""A payer's code that was charged: channels have its payer confirm within a minute or so, and
whoever scanned it stands beside them."""
PAGE_LEADS_FOR: Final = timedelta(minutes=5)
"""So long WeChat Pay's address of its page leads there."""
_PAGE_WAITS_FOR: Final = timedelta(minutes=1)
"""Who was led there in time may finish: the channel wants an order to end after its address."""
_CLOSES_AFTER: Final = timedelta(minutes=1)
"""So long after its time a payment that was under way then is waited for."""
_OPENED_WITHIN: Final = timedelta(seconds=30)
"""After which no answer to an opening is under way any more; a request waits ten seconds."""
_BY_CODE: Final = frozenset({Method.CODE, Method.PAGE, Method.WAP, Method.JSAPI})
"""Nobody can pay without what the channel's answer to the opening held."""
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


def takes_money_for(method: Method) -> timedelta:
    """Give how long an order takes money, by how it is paid."""
    return {
        Method.BAR: _CODE_TAKES_MONEY_FOR,
        Method.PAGE: PAGE_LEADS_FOR + _PAGE_WAITS_FOR,
    }.get(method, ORDER_TAKES_MONEY_FOR)


def as_asked(order: ChannelOrder) -> channels.Order:
    """Give an order as its channel is asked for it."""
    return channels.Order(
        order.order_no,
        order.amount,
        _SUBJECTS[order.purpose],
        order.method,
        order.opened_at,
        order.expires_at,
        order.channel_no,
    )


def heard(order: ChannelOrder, answer: Answer, now: datetime) -> ChannelOrder:
    """Give an order as it stands after a channel's word.

    The channel's word that it was paid counts whatever we held before: money that was taken late is
    taken. What was paid stays paid; what the channel does not know is closed once its time is over.
    A code that nobody has begun to pay is no transaction at some channels yet: an order with a code
    that the channel does not know is open, and one whose code was lost with the answer to its
    opening is closed: nobody can pay it.

    Raises
    ------
    NotAuthentic
        Where the word is about another amount, merchant or payment: record it and change nothing.
    """
    if answer.fate is Fate.PAID:
        _compare(order, answer)
        if order.state is OrderState.PAID:
            return order
        return replace(
            order,
            state=OrderState.PAID,
            channel_no=answer.channel_no,
            done_at=answer.paid_at or now,
        )
    if order.state in {OrderState.PAID, OrderState.CLOSED}:
        return order
    over = now > order.expires_at + _CLOSES_AFTER
    if answer.fate is Fate.CLOSED or (answer.fate is Fate.MISSING and over):
        return replace(order, state=OrderState.CLOSED, done_at=now)
    if answer.fate is Fate.MISSING:
        return _missing(order, now)
    return replace(order, state=OrderState.OPEN if answer.fate is Fate.OPEN else OrderState.UNKNOWN)


def _missing(order: ChannelOrder, now: datetime) -> ChannelOrder:
    """Give an order that has not ended, and that its channel does not know (yet)."""
    if order.code:
        return replace(order, state=OrderState.OPEN)
    if order.method in _BY_CODE and now > order.opened_at + _OPENED_WITHIN:
        return replace(order, state=OrderState.CLOSED, done_at=now)
    return order


def heard_of_refund(refund: ChannelRefund, answer: RefundAnswer, now: datetime) -> ChannelRefund:
    """Give a refund as it stands after a channel's word; one that ended stays as it ended.

    Raises
    ------
    NotAuthentic
        Where the word is about another amount.
    """
    if answer.amount is not None and answer.amount != refund.amount:
        raise NotAuthentic(Refusal.OTHER_AMOUNT, "its amount is not the refund's")
    if refund.state is not RefundState.ASKED:
        return refund
    if answer.fate is RefundFate.DONE:
        return replace(refund, state=RefundState.DONE, done_at=answer.done_at or now)
    if answer.fate is RefundFate.FAILED:
        return replace(refund, state=RefundState.FAILED, done_at=now)
    return refund


def check_refund(order: ChannelOrder, amount: Money, earlier: int) -> None:
    """Refuse a refund that an order cannot bear.

    Parameters
    ----------
    order : ChannelOrder
        With what was asked back of it already.
    amount : Money
        What would go back.
    earlier : int
        How many refunds of it were asked for.

    Raises
    ------
    Invalid
        On an amount that is not above zero or is in another currency.
    Conflict
        Where the order is not paid, too much would go back, or too many parts went back.
    """
    if amount.currency != order.amount.currency or amount.minor <= 0:
        raise Invalid(f"must be above zero, in {order.amount.currency}", field="amount")
    if order.state is not OrderState.PAID:
        raise Conflict("the order is not paid", field="order_no", reason=order.state.value)
    if order.refunded_minor + amount.minor > order.amount.minor:
        raise Conflict("more than was paid would go back", field="amount")
    if earlier >= MOST_REFUNDS:
        raise Conflict(f"{MOST_REFUNDS} parts went back already", field="order_no")


def _compare(order: ChannelOrder, answer: Answer) -> None:
    if answer.merchant != order.merchant:
        raise NotAuthentic(Refusal.OTHER_MERCHANT, "is about another merchant")
    if answer.amount != order.amount:
        raise NotAuthentic(Refusal.OTHER_AMOUNT, "its amount is not the order's")
    if not answer.channel_no or order.channel_no not in {"", answer.channel_no}:
        raise NotAuthentic(Refusal.OTHER_ORDER, "is about another payment of the channel")


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
        fee=Money(fee_of(order.amount.minor, fee_rate_of(order.channel)), order.amount.currency),
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
