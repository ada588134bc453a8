"""Which entry of the ledger each fact of the room becomes."""

from city.identifiers import uuid7
from payments.rules.advances import Refund
from payments.rules.bills import Bill, BillPart, Payment
from payments.rules.ledger import (
    Account,
    Entry,
    EntryKind,
    Posting,
    advance_of,
    cash_of,
    earned_by,
    receivable_of,
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


def _owed(bill: Bill) -> Account:
    return receivable_of(bill.charge.operator_id)
