"""Take cash for a bill, by an attendant or the finance desk."""

from datetime import datetime

from city.audit import Deed, record_each
from city.errors import Forbidden, NotFound
from city.identifiers import BillId, PaymentId
from city.money import Money
from city.people.actors import Actor
from city.people.roles import Role
from city.works.database import UnitOfWork
from payments import services as payments
from payments.rules.bills import Payment


def take_payment(
    uow: UnitOfWork,
    actor: Actor,
    bill_id: BillId,
    tendered: Money,
    payment_id: PaymentId | None = None,
    *,
    at: datetime | None = None,
) -> Payment:
    """Take cash for a bill; give the payment with its change.

    Parameters
    ----------
    uow : UnitOfWork
        Keeps payment, bill, ledger, audit record and event together.
    actor : Actor
        Who takes the cash, and carries it from now on.
    bill_id : BillId
        The bill; all of it is paid.
    tendered : Money
        What was handed over.
    payment_id : PaymentId or None
        The caller's own number: sent again with it, the first payment is returned.
    at : datetime or None
        When it was taken, where that was before now.

    Raises
    ------
    Forbidden
        Where the actor's role or district does not allow it.
    NotFound, Conflict, Invalid
        As `payments.services.pay_in_cash`.
    """
    actor.require(Role.ATTENDANT, Role.FINANCE)
    bill = payments.find_bill(uow.connection, bill_id)
    if bill is None:
        raise NotFound("no such bill", field="bill_id")
    if not actor.in_district(bill.charge.district):
        raise Forbidden("the bill is of another district than yours")
    taken = payments.pay_in_cash(uow, bill_id, tendered, actor.subject, payment_id, at=at)
    if taken.fresh:
        record_each(uow, [taking(actor, taken.payment)])
    return taken.payment


def taking(actor: Actor, payment: Payment) -> Deed:
    """Give how taken cash is recorded."""
    return Deed(
        actor,
        "payments.cash_taken",
        "bill",
        str(payment.bill_id),
        {"payment_id": str(payment.id), "amount": payment.amount.as_json()},
    )
