"""What unpaid bills are owed, all that was done about each, and cash for several at once."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from city.errors import Conflict, Invalid, NotFound
from city.identifiers import BillId, VehicleId
from city.money import Money
from city.works.database import UnitOfWork
from payments import services
from payments.rules.arrears import (
    Adjustment,
    ArrearsPolicy,
    Penalty,
    WriteOff,
    due_at_once,
    next_step_at,
)
from payments.rules.bills import Bill, BillState, Payment
from payments.rules.debts import Move
from payments.rules.notices import Notice
from payments.store import arrears as store
from payments.store import bill_changes as changes
from payments.store import bills as bill_store
from payments.store import debts as debt_store
from payments.store import notices as notice_store
from payments.store import policies
from payments.store.arrears import Debts, TakenStep

MOST_BILLS: Final = 100
"""So many bills of a vehicle are paid at once."""


@dataclass(frozen=True, slots=True)
class Owed:
    """What one vehicle owes."""

    bills: tuple[Bill, ...]
    slips: tuple[Notice, ...]
    """That wait for somebody to meet it."""

    def total(self) -> list[Money]:
        """Add up what can be paid now, by currency: nothing of what is disputed."""
        sums: dict[str, int] = {}
        for bill in self.bills:
            if bill.state is BillState.OPEN:
                left = bill.outstanding
                sums[left.currency] = sums.get(left.currency, 0) + left.minor
        return [Money(minor, currency) for currency, minor in sorted(sums.items())]


@dataclass(frozen=True, slots=True)
class Case:
    """All that was done about a bill."""

    bill: Bill
    policy: ArrearsPolicy
    steps: tuple[TakenStep, ...]
    notices: tuple[Notice, ...]
    penalties: tuple[Penalty, ...]
    adjustments: tuple[Adjustment, ...]
    moves: tuple[Move, ...]
    """Of its debt, to the ledger's arrears and back."""
    payments: tuple[Payment, ...]
    write_off: WriteOff | None
    """That waits for a second person."""


def owed_by(connection: Connection, vehicle_ids: Collection[VehicleId]) -> Owed:
    """Give the unpaid bills of a vehicle, those due first before, and slips that wait for it."""
    bills = page = bill_store.unpaid_of_vehicles(connection, vehicle_ids)
    while len(page) == bill_store.LARGEST_PAGE:
        page = bill_store.unpaid_of_vehicles(connection, vehicle_ids, page[-1])
        bills = [*bills, *page]
    slips = [
        slip for vehicle_id in vehicle_ids for slip in notice_store.slips_of(connection, vehicle_id)
    ]
    owing = {bill.id for bill in bills if bill.state is BillState.OPEN}
    return Owed(tuple(bills), tuple(slip for slip in slips if slip.bill_id in owing))


def case_of(connection: Connection, bill_id: BillId) -> Case:
    """Give all that was done about a bill: nine statements.

    Raises
    ------
    NotFound
        Where there is no such bill.
    """
    bill = bill_store.find_bill(connection, bill_id)
    if bill is None:
        raise NotFound("there is no such bill", field="bill_id")
    return Case(
        bill,
        policies.in_force(connection, bill.charge.district, bill.issued_at),
        tuple(store.steps_of(connection, [bill_id]).get(bill_id, ())),
        tuple(notice_store.notices_of(connection, bill_id)),
        tuple(changes.penalties_of(connection, bill_id)),
        tuple(changes.adjustments_of(connection, bill_id)),
        tuple(debt_store.moves_of(connection, bill_id)),
        tuple(services.all_payments_of_bill(connection, bill_id)),
        changes.open_write_off(connection, bill_id),
    )


def overdue(
    connection: Connection,
    now: datetime,
    *,
    districts: frozenset[str] | None = None,
    after: BillId | None = None,
    limit: int = 100,
) -> tuple[list[Bill], BillId | None]:
    """Give overdue bills, the longest overdue first, and the last one's id where more follow.

    Raises
    ------
    Invalid
        Where `after` is no bill.
    """
    last = None if after is None else bill_store.find_bill(connection, after)
    if after is not None and last is None:
        raise Invalid("is not a cursor of ours", field="cursor")
    found = store.overdue(
        connection,
        now,
        districts=districts,
        after=None if last is None else (last.due_at, last.id),
        limit=limit + 1,
    )
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def fall_due(uow: UnitOfWork, bill_id: BillId) -> Bill:
    """Let a bill be due at once: what its policy asks for after that follows from now on.

    Raises
    ------
    NotFound
        Where there is no such bill.
    """
    bill = bill_store.find_bill(uow.connection, bill_id, lock=True)
    if bill is None:
        raise NotFound("no such bill", field="bill_id")
    due = due_at_once(bill, uow.clock.now())
    if due != bill:
        store.note_due_sooner(uow.connection, bill)
        _write_due(uow, due)
    return due


def due_as_issued(uow: UnitOfWork, bill_id: BillId) -> Bill:
    """Let a bill that was made due at once be due again when it was to be.

    Raises
    ------
    NotFound
        Where there is no such bill.
    Conflict
        Where a penalty was added since: it is lowered first.
    """
    bill = bill_store.find_bill(uow.connection, bill_id, lock=True)
    if bill is None:
        raise NotFound("no such bill", field="bill_id")
    due_at = store.due_before(uow.connection, bill.id)
    if due_at is None or bill.state is not BillState.OPEN or due_at <= bill.due_at:
        return bill
    if bill.penalty_minor:
        raise Conflict(
            "a penalty was added to its bill: lower the bill first",
            field="bill_id",
            reason="penalty",
        )
    due = replace(bill, due_at=due_at)
    _write_due(uow, due)
    return due


def _write_due(uow: UnitOfWork, due: Bill) -> None:
    """Write when a bill is due, and when its next step is."""
    bill_store.write_state(uow.connection, due)
    taken = {step.place for step in store.steps_of(uow.connection, [due.id]).get(due.id, [])}
    policy = policies.of_bills(uow.connection, [due])[due.id]
    store.look_again_at(uow.connection, due.id, next_step_at(due, policy, taken))


def debts(
    connection: Connection, now: datetime, districts: frozenset[str] | None = None
) -> list[Debts]:
    """Add up what is owed and overdue, by currency."""
    return store.debts(connection, now, districts)


def pay_several(
    uow: UnitOfWork,
    bill_ids: Sequence[BillId],
    tendered: Money,
    by: str,
) -> list[Payment]:
    """Take cash for several unpaid bills of one vehicle at once: all of them, or none.

    Parameters
    ----------
    uow : UnitOfWork
    bill_ids : sequence of BillId
        All that is left of each is paid.
    tendered : Money
        What was handed over for all of them.
    by : str
        Subject of who carries the cash from now on.

    Returns
    -------
    list of Payment
        One a bill, as given; what was handed over too much is the last one's change.

    Raises
    ------
    NotFound
        Where one of them is no bill.
    Conflict
        Where one of them takes no money.
    Invalid
        Where they are none, too many, named twice, of several vehicles or in several currencies, or
        too little was handed over.
    """
    if not bill_ids or len(bill_ids) > MOST_BILLS or len(set(bill_ids)) != len(bill_ids):
        raise Invalid(f"names 1 to {MOST_BILLS} bills, each once", field="bills")
    bills = bill_store.bills_by_id(uow.connection, bill_ids, lock=True)
    if len(bills) != len(bill_ids):
        raise NotFound("there is no such bill", field="bills")
    if len({bill.charge.vehicle_id for bill in bills.values()}) != 1:
        raise Invalid("are of more than one vehicle", field="bills")
    amounts = [bills[each].in_cash for each in bill_ids]
    if any(amount.currency != tendered.currency for amount in amounts):
        raise Invalid("is in another currency than the bills", field="tendered.currency")
    total = Money.total(amounts, tendered.currency)
    if tendered < total:
        raise Invalid(
            "is less than the bills are over", field="tendered.minor", amount=total.as_json()
        )
    change = tendered - total
    handed = [*amounts[:-1], amounts[-1] + change]
    return [
        services.pay_in_cash(uow, bill_id, each, by).payment
        for bill_id, each in zip(bill_ids, handed, strict=True)
    ]
