"""On which account of the ledger a bill's debt stands: with what is owed, or with the arrears.

Pure. A bill's whole debt stands on one account at any time. It is issued as owed; once it is
overdue what is left of it is moved to its operator's arrears by an entry of its own, and what is
paid, lowered, added or given up from then on is booked there. A dispute, which stops its clock,
moves it back. Nothing but `account_of_debt` says where a bill's debt stands.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from city.identifiers import BillId, uuid7
from city.money import Money
from payments.rules.arrears import is_overdue
from payments.rules.bills import Bill
from payments.rules.ledger import (
    Account,
    AccountKind,
    Entry,
    EntryKind,
    Posting,
    arrears_of,
    receivable_of,
)

BY: Final = "arrears"
OVERDUE: Final = "overdue: it was to be paid by now"
STOPPED: Final = "not overdue: its clock was stopped"
CANCELLED: Final = "not overdue: it was cancelled"


@dataclass(frozen=True, slots=True)
class Move:
    """A bill's debt moved from one account to the other.

    Parameters
    ----------
    id : UUID
    bill_id : BillId
    amount : Money
        What the arrears have more by it; below zero: less.
    in_arrears : bool
        Where the bill's debt stands from then on.
    at : datetime
    reason : str
    """

    id: UUID
    bill_id: BillId
    amount: Money
    in_arrears: bool
    at: datetime
    reason: str


def account_of_debt(bill: Bill) -> Account:
    """Give the account on which a bill's debt stands."""
    return (arrears_of if bill.in_arrears else receivable_of)(bill.charge.operator_id)


def move_of(bill: Bill, now: datetime) -> Move | None:
    """Move a bill's debt to where it belongs by now; None where it stands there.

    Among the arrears it belongs while it is overdue, and is not disputed or over.
    """
    overdue = is_overdue(bill, now)
    if overdue == bill.in_arrears or not bill.outstanding:
        return None
    more, reason = (bill.outstanding, OVERDUE) if overdue else (-bill.outstanding, STOPPED)
    return Move(uuid7(), bill.id, more, overdue, now, reason)


def move_of_cancelled(bill: Bill, undone: Iterable[Entry], at: datetime) -> Move | None:
    """Take off the arrears what a cancelled bill leaves there; None where it leaves nothing.

    Penalties and adjustments are undone on the account that they were booked on, and what was paid
    among the arrears stays: what is left there in sum is owed back, as that of any cancelled bill.

    Parameters
    ----------
    bill : Bill
        As it stood before it was cancelled.
    undone : iterable of Entry
        The reversals of all that was booked for it.
    at : datetime
    """
    minor = bill.outstanding.minor if bill.in_arrears else 0
    minor += sum(
        posting.amount.minor
        for entry in undone
        for posting in entry.postings
        if posting.account.kind is AccountKind.ARREARS
    )
    if not minor:
        return None
    amount = Money(-minor, bill.amount.currency)
    return Move(uuid7(), bill.id, amount, in_arrears=False, at=at, reason=CANCELLED)


def book_move(move: Move, bill: Bill) -> Entry:
    """Record that a debt stands on the other account."""
    operator_id = bill.charge.operator_id
    return Entry(
        uuid7(),
        move.at,
        EntryKind.ARREARS,
        move.id,
        (
            Posting(arrears_of(operator_id), move.amount),
            Posting(receivable_of(operator_id), -move.amount),
        ),
        move.reason,
        BY,
    )
