"""Which entry of the ledger each fact of the room becomes."""

from city.identifiers import uuid7
from payments.rules.bills import Bill, Payment
from payments.rules.ledger import (
    Account,
    Entry,
    EntryKind,
    Posting,
    cash_of,
    earned_by,
    receivable_of,
)


def book_bill(bill: Bill, by: str) -> Entry | None:
    """Record that a bill is owed: the driver's debt, the facility's earning.

    None for a bill over nothing: no money moves, now or ever.
    """
    if not bill.amount:
        return None
    charge = bill.charge
    earned = earned_by(charge.revenue_nature, charge.operator_id, charge.district)
    return Entry(
        uuid7(),
        bill.issued_at,
        EntryKind.BILL,
        bill.id,
        (Posting(_owed(bill), bill.amount), Posting(earned, -bill.amount)),
        "bill issued",
        by,
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
