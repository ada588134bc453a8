"""Issuing bills, taking cash for them, and reversing what was wrong."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from city.errors import Conflict, Invalid, NotFound
from city.events.payments import BillIssued, BillSettled
from city.identifiers import (
    BillId,
    FacilityId,
    OperatorId,
    ParkingSessionId,
    PaymentId,
    VehicleId,
)
from city.money import Money
from city.works.database import UnitOfWork
from payments.rules.advances import PaidAhead, Refund, refund_in_cash
from payments.rules.arrears import next_step_at
from payments.rules.bills import (
    Bill,
    BillState,
    Charge,
    Payment,
    credited,
    issue,
    settled,
    take_cash,
)
from payments.rules.booking import book_bill, book_payment, book_refund
from payments.rules.ledger import Account, AccountKind, Entry, reversal_of
from payments.store import bills as bill_store
from payments.store import contracts as contract_store
from payments.store import ledger as ledger_store
from payments.store import policies, takings


@dataclass(frozen=True, slots=True)
class Taken:
    """A payment, and whether it was taken now."""

    payment: Payment
    fresh: bool
    """False where the same request had been answered before."""


def find_bill(connection: Connection, bill_id: BillId, *, lock: bool = False) -> Bill | None:
    """Give a bill by its id; with `lock` nobody else changes it before the transaction ends."""
    return bill_store.find_bill(connection, bill_id, lock=lock)


def bill_of_session(connection: Connection, session_id: ParkingSessionId) -> Bill | None:
    """Give the bill of a stay."""
    return bill_store.bill_of_session(connection, session_id)


def bills_of_sessions(
    connection: Connection, session_ids: Collection[ParkingSessionId]
) -> list[Bill]:
    """Give all bills of some stays, the newest first: also those paid ahead and cancelled."""
    return bill_store.bills_of_sessions(connection, session_ids)


def payment_of_bill(connection: Connection, bill_id: BillId) -> Payment | None:
    """Give the payment that settled a bill."""
    return takings.payment_of_bill(connection, bill_id)


def all_payments_of_bill(connection: Connection, bill_id: BillId) -> list[Payment]:
    """Give the payments for a bill, the first one first: one, or the parts of it."""
    return takings.all_payments_of_bill(connection, bill_id)


def bills_by_id(connection: Connection, bill_ids: Collection[BillId]) -> dict[BillId, Bill]:
    """Give bills by their ids."""
    return bill_store.bills_by_id(connection, bill_ids)


def payments_of_bills(
    connection: Connection, bill_ids: Collection[BillId]
) -> dict[BillId, Payment]:
    """Give what settled each of some bills; of those not paid, and over nothing, there is none."""
    return takings.payments_of_bills(connection, bill_ids)


def bills(
    connection: Connection,
    *,
    state: BillState | None = None,
    facility_id: FacilityId | None = None,
    vehicle_id: VehicleId | None = None,
    districts: frozenset[str] | None = None,
    after: BillId | None = None,
    limit: int = 100,
) -> bill_store.BillPage:
    """Give bills, the newest first; `districts` limits them to what a reader may see."""
    return bill_store.page_of_bills(
        connection,
        state=state,
        facility_id=facility_id,
        vehicle_id=vehicle_id,
        districts=districts,
        after=after,
        limit=limit,
    )


def debtors(connection: Connection, vehicle_ids: Collection[VehicleId]) -> frozenset[VehicleId]:
    """Give those of some vehicles that have an unpaid bill."""
    return bill_store.debtors(connection, vehicle_ids)


def balance(
    connection: Connection, account: Account, before_at: datetime | None = None
) -> dict[str, Money]:
    """Give what an account holds, by currency, now or as of an instant; debits are positive."""
    return ledger_store.balance(connection, account, before_at)


def balances(
    connection: Connection, kind: AccountKind | None = None, before_at: datetime | None = None
) -> dict[Account, list[Money]]:
    """Give every account's balances, or those of one kind, now or as of an instant."""
    return ledger_store.balances(connection, kind, before_at)


def total(connection: Connection, kind: AccountKind) -> list[Money]:
    """Give what all accounts of a kind hold together now, by currency."""
    return ledger_store.total(connection, kind)


def balances_page(
    connection: Connection,
    kind: AccountKind | None,
    before_at: datetime | None,
    after: str | None,
    limit: int,
) -> tuple[dict[Account, list[Money]], str | None]:
    """Give some accounts' balances by their names, and the last name where more follow."""
    return ledger_store.balances_page(connection, kind, before_at, after, limit)


def issue_bill(uow: UnitOfWork, charge: Charge, by: str) -> Bill:
    """Write the bill of a rated stay, and the debt in the ledger.

    A stay has one bill: issued again, whatever the charge says now, the first one is returned.
    A bill over nothing is paid at once, without a payment.

    Parameters
    ----------
    uow : UnitOfWork
        Its clock tells when the bill is issued, from which its due date follows.
    charge : Charge
        The stay, its parties, its amount and its lines.
    by : str
        Subject of the actor in whose name it is issued.

    Raises
    ------
    Invalid
        Where the lines do not add up to the amount, or the nature of revenue is unknown.
    """
    contract_store.follow_terms(uow.connection)
    now = uow.clock.now()
    policy = policies.in_force(uow.connection, charge.district, now)
    bill = issue(charge, now, policy.days_to_pay, policy.cash_step_minor)
    first_step_at = next_step_at(bill, policy, ()) if bill.state is BillState.OPEN else None
    if not bill_store.add_bill(uow.connection, bill, first_step_at):
        present = next(
            (
                each
                for each in bill_store.bills_of_sessions(uow.connection, [charge.session_id])
                if each.state is not BillState.CANCELLED
                and each.charge.covers_until_at == charge.covers_until_at
            ),
            None,
        )
        if present is None:
            raise Conflict("the bill is being written by somebody else", field="session_id")
        return present
    contract = contract_store.in_force(
        uow.connection, charge.operator_id, charge.facility_id, bill.issued_at
    )
    entry = book_bill(bill, by, contract)
    if entry is not None:
        ledger_store.add_entry(uow.connection, entry)
    announce_issued(uow, bill)
    if bill.state is BillState.PAID:
        announce_settled(uow, bill, None)
    return bill


def pay_in_cash(  # noqa: PLR0917 - for which bill, what, by whom, under which number
    uow: UnitOfWork,
    bill_id: BillId,
    tendered: Money,
    by: str,
    payment_id: PaymentId | None = None,
    part: Money | None = None,
    *,
    at: datetime | None = None,
) -> Taken:
    """Take cash for a bill and write it in the ledger; the bill is settled when nothing is left.

    Two at once: the second waits for the first and is refused.

    Parameters
    ----------
    uow : UnitOfWork
        Its clock stamps the payment.
    bill_id : BillId
    tendered : Money
        What was handed over; the payment's `change` goes back. All that is left is asked for as
        the bill's `in_cash`, rounded down where its region rules so.
    by : str
        Subject of the attendant, who carries the cash from now on.
    payment_id : PaymentId or None
        The caller's own number: sent again with it, the first payment is returned.
    part : Money or None
        Pay so much of it; None: all that is left.
    at : datetime or None
        When it was taken, where that was before now: whoever took it carries it since then.

    Raises
    ------
    NotFound
        Where there is no such bill.
    Conflict
        Where the bill is paid already, other than by this very payment.
    Invalid
        Where too little or another currency was handed over.
    """
    bill = bill_store.find_bill(uow.connection, bill_id, lock=True)
    if bill is None:
        raise NotFound("no such bill", field="bill_id")
    if payment_id is not None:
        present = takings.find_payment(uow.connection, payment_id)
        if present is not None:
            given = (bill_id, tendered, by)
            if (present.bill_id, present.tendered, present.taken_by) != given:
                raise Conflict("was used for another payment", field="payment_id")
            return Taken(present, fresh=False)
    payment = take_cash(bill, tendered, at or uow.clock.now(), by, payment_id, part)
    paid = credited(bill, payment.amount, payment.taken_at)
    takings.add_payment(uow.connection, payment)
    bill_store.write_state(uow.connection, paid)
    ledger_store.add_entry(uow.connection, book_payment(payment, bill))
    if paid.state is BillState.PAID:
        announce_settled(uow, paid, payment)
    return Taken(payment, fresh=True)


def paid_ahead(connection: Connection, session_ids: Collection[ParkingSessionId]) -> PaidAhead:
    """Give what was paid ahead for a stay and its parts, and what became of it."""
    return takings.paid_ahead(connection, session_ids)


def pay_ahead(
    uow: UnitOfWork,
    charge: Charge,
    tendered: Money,
    by: str,
    payment_id: PaymentId | None = None,
    *,
    at: datetime | None = None,
) -> tuple[Bill, Payment]:
    """Take cash for what a stay costs up to an instant, before it is billed.

    The bill of it is written and settled at once; in the ledger it is owed back until the stay's
    own bill takes it over.

    Parameters
    ----------
    uow : UnitOfWork
        Holds the stay: two who pay at once come one after the other.
    charge : Charge
        With `covers_until_at`; what is still due of the stay up to then.
    tendered : Money
        What was handed over; the payment's `change` goes back.
    by : str
        Subject of who takes the cash, and carries it from now on.
    payment_id : PaymentId or None
        The caller's own number.
    at : datetime or None
        When it was taken, where that was before now.

    Raises
    ------
    Invalid
        Where nothing is due, or too little or another currency was handed over.
    Conflict
        Where the same time of the stay is paid for already.
    """
    bill = issue_bill(uow, charge, by)
    taken = pay_in_cash(uow, bill.id, tendered, by, payment_id, at=at)
    return settled(bill, taken.payment.taken_at), taken.payment


def pay_back(  # noqa: PLR0917 - of which stays, at whose facility, in which money and by whom
    uow: UnitOfWork,
    session_id: ParkingSessionId,
    parts: Collection[ParkingSessionId],
    operator_id: OperatorId,
    currency: str,
    by: str,
) -> Refund:
    """Pay back in cash what was paid ahead for a stay and its parts and nothing needs any more.

    The caller holds the stay, so that it is paid back once.

    Raises
    ------
    Conflict
        Where nothing is left.
    """
    ahead = takings.paid_ahead(uow.connection, {session_id, *parts})
    refund = refund_in_cash(session_id, operator_id, ahead, currency, uow.clock.now(), by)
    takings.add_refund(uow.connection, refund)
    ledger_store.add_entry(uow.connection, book_refund(refund))
    return refund


def reverse_entry(uow: UnitOfWork, entry_id: UUID, reason: str, by: str) -> Entry:
    """Undo an entry of the ledger by its mirror image.

    Raises
    ------
    NotFound
        Where there is no such entry.
    Conflict
        Where it was reversed already.
    Invalid
        Where it is a reversal, or no reason is given.
    """
    if not reason.strip():
        raise Invalid("a reversal states its reason", field="reason")
    entry = ledger_store.find_entry(uow.connection, entry_id, lock=True)
    if entry is None:
        raise NotFound("no such entry", field="entry_id")
    mirror = reversal_of(entry, uow.clock.now(), reason.strip(), by)
    if ledger_store.entry_about(uow.connection, mirror.kind, entry_id) is not None:
        raise Conflict("the entry is reversed already", field="entry_id")
    ledger_store.add_entry(uow.connection, mirror)
    return mirror


def announce_issued(uow: UnitOfWork, bill: Bill) -> None:
    """Announce a bill that was just written."""
    uow.announce(
        BillIssued(
            occurred_at=bill.issued_at,
            bill_id=bill.id,
            session_id=bill.charge.session_id,
            facility_id=bill.charge.facility_id,
            vehicle_id=bill.charge.vehicle_id,
            amount=bill.charge.amount,
            due_at=bill.due_at,
        )
    )


def announce_settled(uow: UnitOfWork, bill: Bill, payment: Payment | None) -> None:
    """Tell that a bill is paid; by no payment where it was over nothing."""
    if not uow.wants(BillSettled):
        return
    uow.announce(
        BillSettled(
            occurred_at=uow.clock.now(),
            bill_id=bill.id,
            session_id=bill.charge.session_id,
            facility_id=bill.charge.facility_id,
            payment_id=None if payment is None else payment.id,
            amount=bill.amount,
            channel="none" if payment is None else payment.channel,
        )
    )
