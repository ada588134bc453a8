"""Cash that was taken ahead without a line: as much as the terminal's own table of the fee said.

The money is in somebody's bag, so it is kept as it was taken: for the stay while it goes on or
waits for its bill, for its bill after that. What turns out to be too much goes back as what is paid
ahead does, what is too little is asked for with the bill.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from city.audit import record
from city.errors import Conflict, Invalid
from city.identifiers import ParkingSessionId, PaymentId
from city.money import Money
from city.people.actors import Actor
from city.people.roles import Role
from city.works.database import UnitOfWork
from journeys.held_stay import held_stay
from journeys.pay_ahead import Fee, charge_of, check_counts, fee_of_stay, leave_by
from journeys.settle_stay import settle_stay
from parking.rules.stays import ParkingSession
from parking.rules.tariffs.reasons import Why
from parking.services import stays
from payments import services as payments
from payments.rules.bills import Bill, BillState, Charge, Payment

if TYPE_CHECKING:
    from pydantic import JsonValue

TOLD: Final = "tariff.why.ahead.told"


@dataclass(frozen=True, slots=True)
class TakenAhead:
    """What was taken on the street."""

    at: datetime
    until_at: datetime
    """Until when it is paid for."""
    amount: Money
    """What was asked for."""
    tendered: Money
    payment_id: PaymentId


def pay_ahead_late(
    uow: UnitOfWork, actor: Actor, session_id: ParkingSessionId, taken: TakenAhead
) -> Payment:
    """Keep cash that was taken for a stay that went on then.

    Parameters
    ----------
    uow : UnitOfWork
        Keeps bill, payment, ledger, stay, evidence and audit record together.
    actor : Actor
        Who took it, and carries it since.
    session_id : ParkingSessionId
        Also one that is over or billed by now.
    taken : TakenAhead

    Raises
    ------
    Forbidden
        Where the actor's role or district does not allow it.
    Conflict
        Where the stay is not charged by itself or nobody said whose it is; where it is billed by
        now and its bill asks for less than was taken.
    Invalid
        Where nothing was asked for, too little was handed over, or the stay has no tariff.
    """
    actor.require(Role.ATTENDANT, Role.FINANCE)
    session = held_stay(uow, actor, session_id)
    check_counts(session)
    if taken.amount.minor <= 0 or taken.tendered < taken.amount:
        raise Invalid("must be at least what was asked for", field="tendered")
    if session.stay.final:
        bill = payments.bill_of_session(uow.connection, session_id) or settle_stay(uow, session_id)
        payment = _for_bill(uow, actor, bill, taken)
    else:
        payment = _ahead(uow, actor, session, taken)
    record(
        uow,
        actor,
        "payments.paid_ahead",
        "parking-session",
        str(session_id),
        {
            "bill_id": str(payment.bill_id),
            "payment_id": str(payment.id),
            "amount": payment.amount.as_json(),
            "covers_until_at": taken.until_at.isoformat(),
        },
    )
    return payment


def _for_bill(uow: UnitOfWork, actor: Actor, bill: Bill | None, taken: TakenAhead) -> Payment:
    if bill is None or bill.state is not BillState.OPEN or bill.outstanding < taken.amount:
        raise Conflict(
            "the stay is billed by now, and less is asked for it than was taken",
            field="bay_id",
            reason="paid",
        )
    return payments.pay_in_cash(
        uow, bill.id, taken.tendered, actor.subject, taken.payment_id, taken.amount, at=taken.at
    ).payment


def _ahead(uow: UnitOfWork, actor: Actor, session: ParkingSession, taken: TakenAhead) -> Payment:
    fee = fee_of_stay(uow.connection, session, taken.at, taken.until_at)
    _, payment = payments.pay_ahead(
        uow, _charge(uow, fee, taken), taken.tendered, actor.subject, taken.payment_id, at=taken.at
    )
    if session.stay.closed_at is None:
        until_at = leave_by(uow.connection, session, taken.until_at)
        detail: dict[str, JsonValue] = {
            "bill_id": str(payment.bill_id),
            "paid": taken.amount.as_json(),
        }
        stays.note_paid_ahead(uow, session, until_at, actor.subject, detail)
    return payment


def _charge(uow: UnitOfWork, fee: Fee, taken: TakenAhead) -> Charge:
    """Give what was taken as a bill is written over it: explained where we say the same."""
    quote = fee.rated.quote
    if quote.total.currency != taken.amount.currency:
        raise Invalid("is another currency than the tariff's", field="currency")
    charge = replace(charge_of(uow.connection, fee), covers_until_at=taken.until_at)
    if quote.total == taken.amount:
        return charge
    line: dict[str, JsonValue] = {
        "from": fee.session.stay.opened_at.isoformat(),
        "to": taken.until_at.isoformat(),
        "band": "ahead",
        "units": 1,
        "minor": taken.amount.minor,
        "why": Why(TOLD).as_json(),
    }
    return replace(charge, amount=taken.amount, lines=(line,))
