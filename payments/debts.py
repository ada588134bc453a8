"""Debts moved to the ledger's arrears when they fall overdue, and back when they are so no more.

A move, its entry and the mark on its bill are one transaction, under the bill's lock.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Final

from city.identifiers import BillId
from city.works.database import UnitOfWork
from payments.rules.bills import Bill
from payments.rules.debts import Move, book_move, move_of, move_of_cancelled
from payments.rules.ledger import Entry
from payments.store import debts as store
from payments.store import ledger as ledger_store

BATCH: Final = 200


def fall_overdue(uow: UnitOfWork) -> int:
    """Move the debts of `BATCH` bills at most that are overdue by now; give how many.

    Two at once take different bills. Six statements, however many bills.
    """
    now = uow.clock.now()
    bills = store.bills_fallen_due(uow.connection, now, BATCH)
    moves = [move for each in bills if (move := move_of(each, now)) is not None]
    _write(uow, moves, {each.id: each for each in bills})
    return len(moves)


def stand_right(uow: UnitOfWork, bill: Bill) -> Bill:
    """Move a bill's debt to where it belongs by now; give the bill as it stands then.

    `bill` is held, as its state is written, or will be, in the same transaction.
    """
    move = move_of(bill, uow.clock.now())
    if move is None:
        return bill
    _write(uow, [move], {bill.id: bill})
    return replace(bill, in_arrears=move.in_arrears)


def leave_arrears(uow: UnitOfWork, bill: Bill, undone: Collection[Entry]) -> None:
    """Take off the arrears what a bill leaves there that is being cancelled.

    Parameters
    ----------
    uow : UnitOfWork
    bill : Bill
        Held, as it was before; it is written as cancelled after this.
    undone : collection of Entry
        The reversals of all that was booked for it.
    """
    move = move_of_cancelled(bill, undone, uow.clock.now())
    if move is not None:
        _write(uow, [move], {bill.id: bill})
    elif bill.in_arrears:
        store.leave_arrears(uow.connection, bill)


def _write(uow: UnitOfWork, moves: Collection[Move], bills: Mapping[BillId, Bill]) -> None:
    store.add_moves(uow.connection, moves)
    ledger_store.add_entries(
        uow.connection, [book_move(each, bills[each.bill_id]) for each in moves]
    )
