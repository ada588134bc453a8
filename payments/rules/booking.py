"""Which entry of the ledger each fact of the room becomes."""

from datetime import datetime

from city.identifiers import uuid7
from payments.rules.advances import Refund
from payments.rules.bills import Bill, BillPart, Payment
from payments.rules.channel_orders import ChannelOrder, ChannelRefund
from payments.rules.ledger import (
    Account,
    Entry,
    EntryKind,
    Posting,
    advance_of,
    cash_of,
    clearing_of,
    earned_by,
    receivable_of,
    surplus_of,
)


def book_bill(bill: Bill, by: str) -> Entry | None:
    """Record that a bill is owed: the driver's debt, the facility's earning.

    What was paid ahead is not earned yet: it is owed back. The stay's bill takes it over.
    None for a bill over nothing: no money moves, now or ever.
    """
    charge = bill.charge
    if charge.part is BillPart.AHEAD:
        taken = advance_of(charge.operator_id)
        postings, reason = [(_owed(bill), bill.amount), (taken, -bill.amount)], "paid ahead"
    else:
        earned = earned_by(charge.revenue_nature, charge.operator_id, charge.district)
        postings = [
            (_owed(bill), bill.amount),
            (advance_of(charge.operator_id), bill.applied),
            (earned, -bill.fee),
        ]
        reason = "bill issued"
    moved = tuple(Posting(account, amount) for account, amount in postings if amount)
    if not moved:
        return None
    return Entry(uuid7(), bill.issued_at, EntryKind.BILL, bill.id, moved, reason, by)


def book_refund(refund: Refund) -> Entry:
    """Record that what was paid ahead and not needed went back, out of the cash of who gave it."""
    return Entry(
        uuid7(),
        refund.refunded_at,
        EntryKind.REFUND,
        refund.id,
        (
            Posting(advance_of(refund.operator_id), refund.amount),
            Posting(cash_of(refund.refunded_by), -refund.amount),
        ),
        "paid back",
        refund.refunded_by,
    )


def book_payment(payment: Payment, bill: Bill) -> Entry:
    """Record that cash settled a bill: it lies with who took it, and is owed no more."""
    return Entry(
        uuid7(),
        payment.taken_at,
        EntryKind.PAYMENT,
        payment.id,
        (
            Posting(cash_of(payment.taken_by), payment.amount),
            Posting(_owed(bill), -payment.amount),
        ),
        "cash taken",
        payment.taken_by,
    )


def book_channel_payment(payment: Payment, bill: Bill, order: ChannelOrder) -> Entry:
    """Record that a bill was paid online: the channel holds the money, and it is owed no more."""
    return Entry(
        uuid7(),
        payment.taken_at,
        EntryKind.PAYMENT,
        payment.id,
        (
            Posting(clearing_of(order.channel.value), payment.amount),
            Posting(_owed(bill), -payment.amount),
        ),
        "paid online",
        payment.taken_by,
    )


def book_surplus(order: ChannelOrder, at: datetime) -> Entry:
    """Record money for a bill that needed none any more: held by the channel, owed back."""
    return Entry(
        uuid7(),
        at,
        EntryKind.PAYMENT,
        order.id,
        (
            Posting(clearing_of(order.channel.value), order.amount),
            Posting(surplus_of(order.channel.value), -order.amount),
        ),
        "paid, and nothing was owed",
        f"channel:{order.channel.value}",
    )


def book_surplus_refund(refund: ChannelRefund, order: ChannelOrder, at: datetime) -> Entry:
    """Record that a surplus went back through the channel that it came by."""
    return _back(refund, order, at, surplus_of(order.channel.value))


def book_channel_refund(
    refund: ChannelRefund, order: ChannelOrder, bill: Bill, at: datetime
) -> Entry:
    """Record that a part of a bill went back: it was not earned after all.

    What was paid ahead is taken off what is owed back instead.
    """
    charge = bill.charge
    earned = (
        advance_of(charge.operator_id)
        if charge.part is BillPart.AHEAD
        else earned_by(charge.revenue_nature, charge.operator_id, charge.district)
    )
    return _back(refund, order, at, earned)


def _back(refund: ChannelRefund, order: ChannelOrder, at: datetime, source: Account) -> Entry:
    return Entry(
        uuid7(),
        at,
        EntryKind.REFUND,
        refund.id,
        (Posting(source, refund.amount), Posting(clearing_of(order.channel.value), -refund.amount)),
        refund.reason,
        refund.asked_by,
    )


def _owed(bill: Bill) -> Account:
    return receivable_of(bill.charge.operator_id)
