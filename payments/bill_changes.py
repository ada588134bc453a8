"""Unpaid bills lowered, and given up by two people.

Every change of what is owed is an entry of the ledger in the same transaction.
"""

from dataclasses import replace
from uuid import UUID

from sqlalchemy import Connection

from city.errors import Conflict, NotFound
from city.identifiers import BillId, uuid7
from city.money import Money
from city.works.database import UnitOfWork
from payments import services
from payments.rules.arrears import (
    Adjustment,
    WriteOff,
    WriteOffState,
    adjustment_of,
    check_decision,
    reason_given,
    write_off_of,
)
from payments.rules.bills import Bill, BillState, lowered, written_off
from payments.rules.booking import book_adjustment, book_write_off
from payments.store import bill_changes as changes
from payments.store import bills as bill_store
from payments.store import contracts as contract_store
from payments.store import ledger as ledger_store


def adjust(  # noqa: PLR0917 - which bill, by what, why, by whom in which role
    uow: UnitOfWork, bill_id: BillId, amount: Money, reason: str, by: str, role: str
) -> tuple[Adjustment, Bill]:
    """Lower a bill; give the adjustment with the bill as it is then.

    Raises
    ------
    NotFound
        Where there is no such bill.
    Conflict
        Where it is not open.
    Forbidden
        Where the role may not lower it so much.
    Invalid
        Without a reason, or by nothing, or by more than is left.
    """
    bill = _held(uow, bill_id)
    adjustment = adjustment_of(bill, amount, reason, uow.clock.now(), by, role)
    return adjustment, _lowered(uow, bill, adjustment)


def let_off(uow: UnitOfWork, bill_id: BillId, reason: str, by: str, role: str) -> Bill:
    """Take all that is left off the bill of a stay that was freed of its fee.

    Whether it may be is judged by the region's reasons, not by how much a role takes off.

    Raises
    ------
    NotFound
        Where there is no such bill.
    Conflict
        Where it is not open, or anything was paid for it.
    """
    bill = _held(uow, bill_id)
    if bill.paid_minor:
        raise Conflict(
            "the bill is paid: the finance desk gives money back",
            field="bill_id",
            reason="exempt-paid",
        )
    if not bill.outstanding:
        return bill
    now = uow.clock.now()
    off = Adjustment(uuid7(), bill.id, bill.outstanding, reason_given(reason), role, now, by)
    return _lowered(uow, bill, off)


def _lowered(uow: UnitOfWork, bill: Bill, adjustment: Adjustment) -> Bill:
    after = lowered(bill, adjustment.amount, adjustment.made_at)
    bill_store.write_state(uow.connection, after)
    changes.add_adjustment(uow.connection, adjustment)
    entry = book_adjustment(adjustment, bill, contract_store.of_bill(uow.connection, bill))
    ledger_store.add_entry(uow.connection, entry)
    if after.state is BillState.PAID:
        services.announce_settled(uow, after, None)
    return after


def ask_write_off(uow: UnitOfWork, bill_id: BillId, reason: str, by: str) -> WriteOff:
    """Ask for what is left of a bill to be given up.

    Raises
    ------
    NotFound
        Where there is no such bill.
    Conflict
        Where it is not open, or somebody has asked before.
    Invalid
        Without a reason.
    """
    bill = _held(uow, bill_id)
    if changes.open_write_off(uow.connection, bill_id) is not None:
        raise Conflict("somebody has asked for it", field="bill_id", reason="asked")
    asked = write_off_of(bill, reason, uow.clock.now(), by)
    changes.add_write_off(uow.connection, asked)
    return asked


def decide_write_off(
    uow: UnitOfWork, write_off_id: UUID, *, approve: bool, by: str
) -> tuple[WriteOff, Bill]:
    """Decide, as a second person, whether what is left of a bill is given up.

    Raises
    ------
    NotFound
        Where nobody asked for it.
    Conflict
        Where it is decided, or the bill has changed since.
    Forbidden
        Where who asked decides.
    """
    asked = changes.find_write_off(uow.connection, write_off_id)
    if asked is None:
        raise NotFound("nobody asked for that", field="write_off_id")
    bill = _held(uow, asked.bill_id)
    # Read again behind the bill's lock: of two who decide at once, one comes first.
    asked = changes.find_write_off(uow.connection, write_off_id) or asked
    now = uow.clock.now()
    check_decision(asked, bill, by, approve=approve)
    state = WriteOffState.APPROVED if approve else WriteOffState.REFUSED
    decided = replace(asked, state=state, decided_at=now, decided_by=by)
    after = bill
    if approve:
        after = written_off(bill)
        bill_store.write_state(uow.connection, after)
        ledger_store.add_entry(uow.connection, book_write_off(decided, bill, now, by))
    changes.decide_write_off(uow.connection, decided)
    return decided, after


def write_offs(
    connection: Connection,
    *,
    state: WriteOffState | None = None,
    districts: frozenset[str] | None = None,
    after: UUID | None = None,
    limit: int = 100,
) -> tuple[list[WriteOff], UUID | None]:
    """Give wishes to give bills up, the newest first, and the last one's id where more follow."""
    return changes.page_of_write_offs(
        connection, state=state, districts=districts, after=after, limit=limit
    )


def find_write_off(connection: Connection, write_off_id: UUID) -> WriteOff | None:
    """Give a wish to give a bill up."""
    return changes.find_write_off(connection, write_off_id)


def _held(uow: UnitOfWork, bill_id: BillId) -> Bill:
    bill = bill_store.find_bill(uow.connection, bill_id, lock=True)
    if bill is None:
        raise NotFound("there is no such bill", field="bill_id")
    return bill
