"""Which entry of the ledger each fact of the room becomes."""

from collections.abc import Iterable
from datetime import datetime

from city.identifiers import uuid7
from city.money import Money
from payments.rules.advances import Refund
from payments.rules.arrears import Adjustment, Penalty, WriteOff
from payments.rules.bills import Bill, BillPart, BillState, Payment
from payments.rules.channel_orders import ChannelOrder, ChannelRefund
from payments.rules.contracts import Contract, earned, earned_between
from payments.rules.debts import account_of_debt
from payments.rules.ledger import (
    EARNED,
    Account,
    Entry,
    EntryKind,
    Posting,
    advance_of,
    bank_of,
    cash_of,
    clearing_of,
    fees_of,
    receivable_of,
    rounding_of,
    surplus_of,
    written_off_of,
)
from payments.rules.order_shares import Share
from payments.rules.settlements import Settlement


def book_bill(bill: Bill, by: str, contract: Contract | None = None) -> Entry | None:
    """Record that a bill is owed: the driver's debt, and what each party of the contract earned.

    What was paid ahead is not earned yet: it is owed back. The stay's bill takes it over.
    None for a bill over nothing: no money moves, now or ever.
    """
    charge = bill.charge
    if charge.part is BillPart.AHEAD:
        taken = advance_of(charge.operator_id)
        postings = [(account_of_debt(bill), bill.amount), (taken, -bill.amount)]
        reason = "paid ahead"
    else:
        postings = [
            (account_of_debt(bill), bill.amount),
            (advance_of(charge.operator_id), bill.applied),
            *(
                (account, Money(-minor, bill.fee.currency))
                for account, minor in earned(charge, bill.fee.minor, contract).items()
            ),
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
            Posting(
                (advance_of if refund.bill_id is None else receivable_of)(refund.operator_id),
                refund.amount,
            ),
            Posting(cash_of(refund.refunded_by), -refund.amount),
        ),
        "paid back",
        refund.refunded_by,
    )


def book_cash_refund(refund: Refund, bill: Bill, contract: Contract | None, reason: str) -> Entry:
    """Record that a part of a paid bill went back in cash: it was not earned after all.

    `bill` is as it stood before.
    """
    return Entry(
        uuid7(),
        refund.refunded_at,
        EntryKind.REFUND,
        refund.id,
        (
            *_earned_less(bill, refund.amount.minor, contract),
            Posting(cash_of(refund.refunded_by), -refund.amount),
        ),
        reason,
        refund.refunded_by,
    )


def book_payment(payment: Payment, bill: Bill) -> Entry:
    """Record that cash settled a bill: it lies with who took it, and is owed no more.

    What was rounded off is nobody's: it has an account of its own.
    """
    postings = (
        Posting(cash_of(payment.taken_by), payment.taken),
        Posting(rounding_of(bill.charge.operator_id), payment.amount - payment.taken),
        Posting(account_of_debt(bill), -payment.amount),
    )
    return Entry(
        uuid7(),
        payment.taken_at,
        EntryKind.PAYMENT,
        payment.id,
        tuple(each for each in postings if each.amount),
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
            Posting(account_of_debt(bill), -payment.amount),
        ),
        "paid online",
        payment.taken_by,
    )


def book_surplus(order: ChannelOrder, at: datetime) -> Entry:
    """Record money for a bill, or a card, that took none any more: the channel's, owed back."""
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


def book_surplus_share(share: Share, order: ChannelOrder, at: datetime) -> Entry:
    """Record what one of an order's bills did not need any more: held by the channel, owed back."""
    return Entry(
        uuid7(),
        at,
        EntryKind.PAYMENT,
        share.id,
        (
            Posting(clearing_of(order.channel.value), share.amount),
            Posting(surplus_of(order.channel.value), -share.amount),
        ),
        "paid, and nothing was owed",
        f"channel:{order.channel.value}",
    )


def book_surplus_refund(refund: ChannelRefund, order: ChannelOrder, at: datetime) -> Entry:
    """Record that a surplus went back through the channel that it came by."""
    return _back(refund, order, at, surplus_of(order.channel.value))


def book_channel_refund(
    refund: ChannelRefund,
    order: ChannelOrder,
    bill: Bill,
    at: datetime,
    contract: Contract | None = None,
) -> Entry:
    """Record that a part of a bill went back: it was not earned after all.

    What was paid ahead is taken off what is owed back instead; of a cancelled bill the earning is
    reversed already, and what was paid of it is owed back. `bill` is as it stood before.
    """
    charge = bill.charge
    if bill.state is BillState.CANCELLED:
        return _back(refund, order, at, account_of_debt(bill))
    if charge.part is BillPart.AHEAD:
        return _back(refund, order, at, advance_of(charge.operator_id))
    less = _earned_less(bill, refund.amount.minor, contract)
    held = Posting(clearing_of(order.channel.value), -refund.amount)
    return Entry(
        uuid7(),
        at,
        EntryKind.REFUND,
        refund.id,
        (*less, held),
        refund.reason,
        refund.asked_by,
    )


def book_refunds_of_cancelled(
    bill: Bill, went_back: Iterable[Entry], at: datetime, by: str
) -> Entry | None:
    """Take what went back of a bill before it was cancelled off what is owed back for it.

    It was booked as not earned; with the bill all that it earned is reversed, so that the same
    would be taken off twice, and stand as owed back although it went. None where nothing was.

    Parameters
    ----------
    bill : Bill
        As it stood before it was cancelled.
    went_back : iterable of Entry
        Of its refunds.
    at : datetime
    by : str
    """
    currency = bill.amount.currency
    minors: dict[Account, int] = {}
    for entry in went_back:
        for posting in entry.postings:
            if posting.account.kind in EARNED:
                minor = minors.get(posting.account, 0) - posting.amount.minor
                minors[posting.account] = minor
    if not minors:
        return None
    owed = receivable_of(bill.charge.operator_id)
    minors[owed] = -sum(minors.values())
    postings = (Posting(account, Money(minor, currency)) for account, minor in minors.items())
    return Entry(
        uuid7(),
        at,
        EntryKind.CORRECTION,
        bill.id,
        tuple(each for each in postings if each.amount),
        "went back before the bill was cancelled",
        by,
    )


def book_adjustment(adjustment: Adjustment, bill: Bill, contract: Contract | None) -> Entry:
    """Record that a bill was lowered: less is owed, less was earned. `bill` as it was before."""
    less = _earned_less(bill, adjustment.amount.minor, contract)
    return Entry(
        uuid7(),
        adjustment.made_at,
        EntryKind.ADJUSTMENT,
        adjustment.id,
        (*less, Posting(account_of_debt(bill), -adjustment.amount)),
        adjustment.reason,
        adjustment.made_by,
    )


def book_penalty(penalty: Penalty, bill: Bill, contract: Contract | None) -> Entry:
    """Record that a bill grew by a penalty, earned as the fee. `bill` as it was before."""
    stands = bill.earned_minor
    more = earned_between(bill.charge, stands, stands + penalty.amount.minor, contract)
    currency = bill.amount.currency
    return Entry(
        uuid7(),
        penalty.at,
        EntryKind.PENALTY,
        penalty.id,
        (
            Posting(account_of_debt(bill), penalty.amount),
            *(Posting(account, Money(-minor, currency)) for account, minor in more.items()),
        ),
        penalty.reason,
        "arrears",
    )


def book_write_off(write_off: WriteOff, bill: Bill, at: datetime, by: str) -> Entry:
    """Record that what is left of a bill is given up: a loss, the earning stands."""
    return Entry(
        uuid7(),
        at,
        EntryKind.WRITE_OFF,
        write_off.id,
        (
            Posting(written_off_of(bill.charge.operator_id), bill.outstanding),
            Posting(account_of_debt(bill), -bill.outstanding),
        ),
        write_off.reason,
        by,
    )


def book_settlement(settled: Settlement) -> Entry | None:
    """Record that a channel's day came out of clearing: net at the bank, the rest is its fee.

    None for a day on which no money moved.
    """
    channel = settled.channel.value
    postings = [
        (bank_of(channel), settled.net),
        (fees_of(channel), settled.fee),
        (clearing_of(channel), settled.refunded - settled.paid),
    ]
    moved = tuple(Posting(account, amount) for account, amount in postings if amount)
    if not moved:
        return None
    return Entry(
        uuid7(),
        settled.settled_at,
        EntryKind.SETTLEMENT,
        settled.id,
        moved,
        f"settled for {settled.day.isoformat()}",
        settled.settled_by,
    )


def _earned_less(bill: Bill, minor: int, contract: Contract | None) -> tuple[Posting, ...]:
    stands = bill.earned_minor
    changes = earned_between(bill.charge, stands, stands - minor, contract)
    currency = bill.amount.currency
    return tuple(Posting(account, Money(-change, currency)) for account, change in changes.items())


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
