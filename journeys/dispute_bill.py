"""A driver says that a bill is wrong; somebody answers."""

from uuid import UUID

from city.audit import record
from city.errors import Forbidden, NotFound
from city.identifiers import BillId
from city.people.actors import Actor
from city.people.roles import Role
from city.works.database import UnitOfWork
from journeys.drive_stay import is_own
from parking.services import corrections, stays
from payments import cancelling, channel_orders, disputes, money_back
from payments import services as payments
from payments.disputes import Disputed
from payments.rules.advances import Refund
from payments.rules.bills import Bill, BillPart
from payments.rules.disputes import DisputeState, Ground


def dispute_bill(
    uow: UnitOfWork, actor: Actor, bill_id: BillId, ground: Ground, words: str
) -> Disputed:
    """Dispute a bill of one's own: it is frozen, and its clock stands still.

    Raises
    ------
    NotFound
        Where it is not theirs.
    Conflict
        Where it is not open.
    """
    actor.require(Role.DRIVER)
    _own_bill(uow, actor, bill_id)
    done = disputes.dispute_bill(uow, bill_id, ground, words, actor.subject)
    record(
        uow,
        actor,
        "payments.bill_disputed",
        "bill",
        str(bill_id),
        {"dispute_id": str(done.dispute.id), "ground": ground.value},
    )
    return done


def withdraw_dispute(uow: UnitOfWork, actor: Actor, dispute_id: UUID, words: str) -> Disputed:
    """Take one's own dispute back: the bill is open again.

    Raises
    ------
    NotFound
        Where it is not theirs.
    Conflict
        Where it is resolved.
    """
    actor.require(Role.DRIVER)
    present = disputes.find(uow.connection, dispute_id)
    if present is None or present.opened_by != actor.subject:
        raise NotFound("is no dispute of yours", field="dispute_id")
    return _resolved(uow, actor, dispute_id, DisputeState.WITHDRAWN, words)


def resolve_dispute(
    uow: UnitOfWork, actor: Actor, dispute_id: UUID, state: DisputeState, answer: str
) -> Disputed:
    """Answer a dispute: the bill stands, or was wrong.

    One that was wrong is cancelled and reversed in the ledger; what was paid of it in part goes
    back through its channels by itself, in cash by `pay_back_cancelled`. Its stay then waits, held,
    for a correction: corrected it is billed anew, else never.

    Parameters
    ----------
    uow : UnitOfWork
    actor : Actor
        An operator or the finance desk, of the bill's district: not who noted the stay.
    dispute_id : UUID
    state : DisputeState
        Upheld or rejected.
    answer : str
        What the driver is told.

    Raises
    ------
    Forbidden
        Where the actor's role or district does not allow it, or they noted the vehicle themselves.
    NotFound, Conflict, Invalid
        As `payments.disputes.resolve`.
    """
    actor.require(Role.OPERATOR, Role.FINANCE)
    present = disputes.find(uow.connection, dispute_id)
    if present is None:
        raise NotFound("there is no such dispute", field="dispute_id")
    if not actor.in_district(present.district):
        raise Forbidden("the bill is of another district than yours")
    bill = payments.find_bill(uow.connection, present.bill_id)
    session = None if bill is None else stays.find(uow.connection, bill.charge.session_id)
    if session is not None and session.attached_by == actor.subject:
        raise Forbidden("who noted the vehicle does not judge the dispute", reason="own-act")
    return _resolved(uow, actor, dispute_id, state, answer)


def pay_back_cancelled(uow: UnitOfWork, actor: Actor, bill_id: BillId) -> Refund:
    """Give back in cash what was paid in cash of a bill that was cancelled since.

    Raises
    ------
    Forbidden
        Where the actor's role or district does not allow it.
    NotFound
        Where there is no such bill.
    Conflict
        Where it is not cancelled, or nothing is left.
    """
    actor.require(Role.ATTENDANT, Role.FINANCE)
    bill = payments.find_bill(uow.connection, bill_id)
    if bill is None:
        raise NotFound("no such bill", field="bill_id")
    if not actor.in_district(bill.charge.district):
        raise Forbidden("the bill is of another district than yours")
    refund = cancelling.pay_back_cancelled(uow, bill_id, actor.subject)
    record(
        uow,
        actor,
        "payments.paid_back",
        "bill",
        str(bill_id),
        {"refund_id": str(refund.id), "amount": refund.amount.as_json()},
    )
    return refund


def _resolved(
    uow: UnitOfWork, actor: Actor, dispute_id: UUID, state: DisputeState, answer: str
) -> Disputed:
    present = disputes.find(uow.connection, dispute_id)
    if present is not None and state is DisputeState.UPHELD:
        channel_orders.hold_orders_of(uow.connection, present.bill_id)
    done = disputes.resolve(uow, dispute_id, state, answer, actor.subject)
    if state is DisputeState.UPHELD and done.bill.paid_minor:
        money_back.give_back_cancelled(uow, done.bill, actor.subject)
    if state is DisputeState.UPHELD and done.bill.charge.part is BillPart.STAY:
        corrections.reopen(uow, done.bill.charge.session_id)
    record(
        uow,
        actor,
        "payments.dispute_resolved",
        "bill",
        str(done.bill.id),
        {"dispute_id": str(dispute_id), "outcome": state.value},
    )
    return done


def own_bill(uow: UnitOfWork, actor: Actor, bill: Bill) -> bool:
    """Say whether a bill is a driver's: its stay is."""
    session = stays.find(uow.connection, bill.charge.session_id)
    return session is not None and is_own(uow.connection, actor, session)


def _own_bill(uow: UnitOfWork, actor: Actor, bill_id: BillId) -> None:
    bill = payments.find_bill(uow.connection, bill_id)
    if bill is None or not own_bill(uow, actor, bill):
        raise NotFound("is no bill of yours", field="bill_id")
