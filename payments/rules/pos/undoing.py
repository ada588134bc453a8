"""A payment taken back because its sale was voided or reversed: the bill is owed again.

Pure. A refund gives money back for what was paid and stays paid; this is not one: the driver who
voids at the terminal and pays in cash owes what was owed before. In the ledger the payment's
postings go back the way they came; it is the refund that the acquirer's bill shows.
"""

from dataclasses import replace
from datetime import datetime

from city.errors import Conflict
from city.identifiers import uuid7
from city.money import Money
from payments.rules.bills import Bill, BillPart, BillState
from payments.rules.channel_orders import ChannelOrder, ChannelRefund
from payments.rules.debts import account_of_debt
from payments.rules.ledger import Entry, EntryKind, Posting, clearing_of

REOPENS = frozenset({BillState.OPEN, BillState.PAID})
"""Of a bill that ended otherwise meanwhile the money goes back as a refund does."""


def owed_again(bill: Bill, amount: Money) -> Bill:
    """Give the bill with a payment taken back.

    Raises
    ------
    Conflict
        Where it is paid ahead (what was offered then is over), or ended otherwise.
    """
    if bill.state not in REOPENS or bill.charge.part is BillPart.AHEAD:
        raise Conflict(f"the bill is {bill.state.value}", field="bill_id", reason=bill.state.value)
    paid_minor = bill.paid_minor - amount.minor
    return replace(bill, state=BillState.OPEN, paid_at=None, paid_minor=paid_minor)


def book_undone(refund: ChannelRefund, order: ChannelOrder, bill: Bill, at: datetime) -> Entry:
    """Record that a payment was taken back: owed again, and no more with the channel."""
    return Entry(
        uuid7(),
        at,
        EntryKind.REFUND,
        refund.id,
        (
            Posting(account_of_debt(bill), refund.amount),
            Posting(clearing_of(order.channel.value), -refund.amount),
        ),
        refund.reason,
        refund.asked_by,
    )
