"""Bills that were wrong: cancelled with all that was booked for them, and given back."""

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from city.errors import NotFound
from city.identifiers import BillId
from city.money import Money
from city.works.database import UnitOfWork
from payments import debts, services
from payments.rules.advances import Refund, refund_of_cancelled
from payments.rules.bills import Bill, BillState, cancelled
from payments.rules.booking import book_refund, book_refunds_of_cancelled
from payments.rules.ledger import EntryKind
from payments.store import bill_changes, takings
from payments.store import bills as bill_store
from payments.store import ledger as ledger_store

if TYPE_CHECKING:
    from uuid import UUID


def cancel_bill(uow: UnitOfWork, bill: Bill, reason: str, by: str) -> Bill:
    """Cancel a bill that was wrong: its entry is reversed, and nothing is owed for it.

    Parameters
    ----------
    uow : UnitOfWork
    bill : Bill
        Locked, and not paid. What adjustments and penalties made of it is undone too; what was
        paid of it in part stands as owed back on the receivable until it goes back, less what went
        back before: that was not earned by anybody, and is taken off what is owed back instead.
    reason, by : str
        For the ledger.
    """
    gone = cancelled(bill)
    booked: list[tuple[EntryKind, UUID]] = [(EntryKind.BILL, bill.id)]
    if bill.lowered_minor:
        made = bill_changes.adjustments_of(uow.connection, bill.id)
        booked += [(EntryKind.ADJUSTMENT, each.id) for each in made]
    if bill.penalty_minor:
        added = bill_changes.penalties_of(uow.connection, bill.id)
        booked += [(EntryKind.PENALTY, each.id) for each in added]
    entry_ids = [ledger_store.entry_about(uow.connection, *each) for each in booked]
    undone = [
        services.reverse_entry(uow, each, reason, by) for each in entry_ids if each is not None
    ]
    debts.leave_arrears(uow, bill, undone)
    if bill.refunded_minor:
        went_back = takings.refunds_of_bill(uow.connection, bill.id)
        entries = ledger_store.entries_about(uow.connection, went_back)
        entry = book_refunds_of_cancelled(bill, entries, uow.clock.now(), by)
        if entry is not None:
            ledger_store.add_entry(uow.connection, entry)
    bill_store.write_state(uow.connection, gone)
    return gone


def pay_back_cancelled(uow: UnitOfWork, bill_id: BillId, by: str) -> Refund:
    """Pay back in cash what was paid in cash of a bill that was cancelled since; once.

    Raises
    ------
    NotFound
        Where there is no such bill.
    Conflict
        Where it is not cancelled, or nothing is left.
    """
    bill = bill_store.find_bill(uow.connection, bill_id, lock=True)
    if bill is None:
        raise NotFound("no such bill", field="bill_id")
    taken_minor, gone_minor = takings.cash_of_bill(uow.connection, bill_id)
    refund = refund_of_cancelled(bill, taken_minor, gone_minor, uow.clock.now(), by)
    takings.add_refund(uow.connection, refund)
    refunded_minor = bill.refunded_minor + refund.amount.minor
    bill_store.write_state(uow.connection, replace(bill, refunded_minor=refunded_minor))
    ledger_store.add_entry(uow.connection, book_refund(refund))
    return refund


def cash_owed_back(connection: Connection, bill: Bill) -> Money:
    """Give what of a cancelled bill was paid in cash and waits for being given back."""
    if bill.state is not BillState.CANCELLED or not bill.paid_minor:
        return Money(0, bill.amount.currency)
    taken_minor, gone_minor = takings.cash_of_bill(connection, bill.id)
    return Money(taken_minor - gone_minor, bill.amount.currency)
