"""Unpaid bills: the steps that a region's policy asks for, adjustments, and giving up.

Every change of what is owed is an entry of the ledger in the same transaction.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from city.errors import Conflict, Invalid, NotFound
from city.identifiers import BillId, VehicleId, uuid7
from city.money import Money
from city.works.database import UnitOfWork
from payments import services
from payments.rules.arrears import (
    Adjustment,
    ArrearsPolicy,
    Medium,
    Penalty,
    StepKind,
    WriteOff,
    WriteOffState,
    adjustment_of,
    check_decision,
    next_step_at,
    penalty_of,
    steps_due,
    steps_left_out,
    write_off_of,
)
from payments.rules.bills import Bill, BillState, Payment, lowered, raised, written_off
from payments.rules.booking import book_adjustment, book_penalty, book_write_off
from payments.rules.contracts import Contract
from payments.rules.notices import Notice, NoticeState, Receipt, text_of
from payments.store import arrears as store
from payments.store import bills as bill_store
from payments.store import contracts as contract_store
from payments.store import ledger as ledger_store
from payments.store import policies
from payments.store.arrears import Debts, TakenStep

MOST_BILLS: Final = 100
"""So many bills of a vehicle are paid at once."""
BATCH: Final = 200
ATTENDANT_SLIPS: Final = "attendant"


@dataclass(frozen=True, slots=True)
class About:
    """What a notice needs to know from other rooms."""

    names: Mapping[str, str]
    """The facility's, by language."""
    accounts: tuple[str, ...]
    """Of the drivers who use the vehicle now."""


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
    payments: tuple[Payment, ...]
    write_off: WriteOff | None
    """That waits for a second person."""


# --- steps ---------------------------------------------------------------------------------------


def take_steps(
    uow: UnitOfWork, about: Callable[[Connection, Sequence[Bill]], Mapping[BillId, About]]
) -> int:
    """Take the steps that are due of `BATCH` bills at most; give how many bills were looked at.

    Notices are kept here and sent afterwards. Two at once take different bills; done again,
    nothing is done twice.

    Parameters
    ----------
    uow : UnitOfWork
    about : callable
        Gives what notices of some bills need to know.
    """
    now = uow.clock.now()
    bills = store.bills_to_look_at(uow.connection, now, BATCH)
    if not bills:
        return 0
    known = about(uow.connection, bills)
    taken = store.steps_of(uow.connection, [bill.id for bill in bills])
    rules = policies.of_bills(uow.connection, bills)
    noted: list[tuple[BillId, TakenStep]] = []
    notices: list[Notice] = []
    for bill in bills:
        policy = rules[bill.id]
        places = {step.place for step in taken.get(bill.id, [])}
        due = steps_due(bill, policy, places, now)
        for place in due:
            step = policy.steps[place]
            noted.append((bill.id, TakenStep(place, step.kind, now, left_out=False)))
            notices += [_notice(bill, step.kind, place, m, known[bill.id], now) for m in step.media]
            if step.kind is StepKind.PENALTY:
                bill = _penalise(uow, bill, penalty_of(bill, step, now))  # noqa: PLW2901 - two penalties of one bill follow each other
        left_out = steps_left_out(due, places)
        noted += [
            (bill.id, TakenStep(place, policy.steps[place].kind, now, left_out=True))
            for place in left_out
        ]
        later_at = next_step_at(bill, policy, {*places, *due, *left_out})
        store.look_again_at(uow.connection, bill.id, later_at)
    store.note_steps(uow.connection, noted)
    store.add_notices(uow.connection, notices)
    return len(bills)


def notices_to_send(connection: Connection) -> list[Notice]:
    """Give messages and letters that wait, the oldest first; `BATCH` at most."""
    return store.notices_to_send(connection, BATCH)


def keep_receipt(uow: UnitOfWork, notice: Notice, receipt: Receipt, provider: str) -> bool:
    """Keep what a sender said; False where it was kept before."""
    return store.keep_receipt(uow.connection, notice.id, receipt, provider)


def hand_over_slip(uow: UnitOfWork, notice_id: UUID, where: str, by: str) -> Notice:
    """Keep that an attendant printed a slip and left it on the vehicle: that is its proof.

    Raises
    ------
    NotFound
        Where no such slip waits.
    Conflict
        Where it was left already, or nothing is owed any more.
    """
    slip = store.find_notice(uow.connection, notice_id, lock=True)
    if slip is None or slip.medium is not Medium.SLIP:
        raise NotFound("there is no such slip", field="notice_id")
    if slip.state is not NoticeState.WAITING:
        raise Conflict("was left already", field="notice_id", reason=slip.state.value)
    bill = bill_store.find_bill(uow.connection, slip.bill_id)
    if bill is None or bill.state is not BillState.OPEN:
        raise Conflict("nothing is asked for any more", field="notice_id", reason="not-open")
    receipt = Receipt(
        NoticeState.DELIVERED, uow.clock.now(), str(slip.id), {"by": by, "where": where}
    )
    store.keep_receipt(uow.connection, slip.id, receipt, ATTENDANT_SLIPS)
    return replace(
        slip,
        state=receipt.state,
        sent_at=receipt.at,
        delivered_at=receipt.at,
        provider=ATTENDANT_SLIPS,
        provider_no=receipt.number,
        proof=receipt.proof,
    )


def _notice(  # noqa: PLR0917 - of which bill and step, by what, to whom and when
    bill: Bill, kind: StepKind, place: int, medium: Medium, about: About, now: datetime
) -> Notice:
    return Notice(
        id=uuid7(),
        bill_id=bill.id,
        vehicle_id=bill.charge.vehicle_id,
        place=place,
        kind=kind,
        medium=medium,
        accounts=about.accounts,
        text=text_of(bill, kind, about.names, now),
        state=NoticeState.WAITING,
        made_at=now,
    )


def _penalise(uow: UnitOfWork, bill: Bill, penalty: Penalty | None) -> Bill:
    if penalty is None:
        return bill
    after = raised(bill, penalty.amount)
    bill_store.write_state(uow.connection, after)
    store.add_penalty(uow.connection, penalty)
    entry = book_penalty(penalty, bill, _contract(uow.connection, bill))
    ledger_store.add_entry(uow.connection, entry)
    return after


# --- what is owed --------------------------------------------------------------------------------


def owed_by(connection: Connection, vehicle_ids: Collection[VehicleId]) -> Owed:
    """Give the unpaid bills of a vehicle, those due first before, and slips that wait for it."""
    bills = bill_store.unpaid_of_vehicles(connection, vehicle_ids)
    slips = [slip for vehicle_id in vehicle_ids for slip in store.slips_of(connection, vehicle_id)]
    owing = {bill.id for bill in bills if bill.state is BillState.OPEN}
    return Owed(tuple(bills), tuple(slip for slip in slips if slip.bill_id in owing))


def case_of(connection: Connection, bill_id: BillId) -> Case:
    """Give all that was done about a bill: eight statements.

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
        tuple(store.notices_of(connection, bill_id)),
        tuple(store.penalties_of(connection, bill_id)),
        tuple(store.adjustments_of(connection, bill_id)),
        tuple(services.all_payments_of_bill(connection, bill_id)),
        store.open_write_off(connection, bill_id),
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


def debts(
    connection: Connection, now: datetime, districts: frozenset[str] | None = None
) -> list[Debts]:
    """Add up what is owed and overdue, by currency."""
    return store.debts(connection, now, districts)


# --- acts ----------------------------------------------------------------------------------------


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
    now = uow.clock.now()
    adjustment = adjustment_of(bill, amount, reason, now, by, role)
    after = lowered(bill, amount, now)
    bill_store.write_state(uow.connection, after)
    store.add_adjustment(uow.connection, adjustment)
    entry = book_adjustment(adjustment, bill, _contract(uow.connection, bill))
    ledger_store.add_entry(uow.connection, entry)
    if after.state is BillState.PAID:
        services.announce_settled(uow, after, None)
    return adjustment, after


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
    if store.open_write_off(uow.connection, bill_id) is not None:
        raise Conflict("somebody has asked for it", field="bill_id", reason="asked")
    asked = write_off_of(bill, reason, uow.clock.now(), by)
    store.add_write_off(uow.connection, asked)
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
    asked = store.find_write_off(uow.connection, write_off_id)
    if asked is None:
        raise NotFound("nobody asked for that", field="write_off_id")
    bill = _held(uow, asked.bill_id)
    # Read again behind the bill's lock: of two who decide at once, one comes first.
    asked = store.find_write_off(uow.connection, write_off_id) or asked
    now = uow.clock.now()
    check_decision(asked, bill, by, approve=approve)
    state = WriteOffState.APPROVED if approve else WriteOffState.REFUSED
    decided = replace(asked, state=state, decided_at=now, decided_by=by)
    after = bill
    if approve:
        after = written_off(bill)
        bill_store.write_state(uow.connection, after)
        ledger_store.add_entry(uow.connection, book_write_off(decided, bill, now, by))
    store.decide_write_off(uow.connection, decided)
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
    return store.page_of_write_offs(
        connection, state=state, districts=districts, after=after, limit=limit
    )


def find_write_off(connection: Connection, write_off_id: UUID) -> WriteOff | None:
    """Give a wish to give a bill up."""
    return store.find_write_off(connection, write_off_id)


def find_notice(connection: Connection, notice_id: UUID) -> Notice | None:
    """Give a notice."""
    return store.find_notice(connection, notice_id)


def _held(uow: UnitOfWork, bill_id: BillId) -> Bill:
    bill = bill_store.find_bill(uow.connection, bill_id, lock=True)
    if bill is None:
        raise NotFound("there is no such bill", field="bill_id")
    return bill


def _contract(connection: Connection, bill: Bill) -> Contract | None:
    charge = bill.charge
    return contract_store.in_force(
        connection, charge.operator_id, charge.facility_id, bill.issued_at
    )
