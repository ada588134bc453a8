"""Give back in cash what was paid in cash of a bill: by role, within limits, on record."""

from typing import TYPE_CHECKING
from uuid import UUID

from city.audit import record
from city.errors import Forbidden, NotFound
from city.identifiers import BillId
from city.money import Money
from city.people.actors import Actor
from city.works.database import UnitOfWork
from journeys.pay_online import limit_of
from payments import giving_back
from payments import services as payments
from payments.rules.advances import Refund
from payments.rules.refund_limits import check_limit

if TYPE_CHECKING:
    from pydantic import JsonValue


def refund_cash(  # noqa: PLR0917 - who gives back how much of which bill, why, under which number
    uow: UnitOfWork, actor: Actor, bill_id: BillId, amount: Money, reason: str, refund_id: UUID
) -> Refund:
    """Give a part or all of what was paid in cash back; the bill stays paid.

    Raises
    ------
    Forbidden
        Where the actor's role gives nothing back, or not so much, or the bill is of another
        district.
    NotFound, Conflict, Invalid
        As `giving_back.give_back_cash`.
    """
    limit = limit_of(actor)
    if limit is None:
        raise Forbidden("your role gives nothing back")
    bill = payments.find_bill(uow.connection, bill_id)
    if bill is None:
        raise NotFound("no such bill", field="bill_id")
    if not actor.in_district(bill.charge.district):
        raise Forbidden("the bill is of another district than yours")
    fresh = giving_back.find(uow.connection, refund_id) is None
    if fresh:
        check_limit(limit, amount, giving_back.given_today(uow, actor.subject))
    refund = giving_back.give_back_cash(uow, bill_id, amount, reason, actor.subject, refund_id)
    if fresh:
        detail: dict[str, JsonValue] = {
            "refund_id": str(refund_id),
            "amount": amount.as_json(),
            "reason": reason,
        }
        record(uow, actor, "payments.cash_refunded", "bill", str(bill_id), detail)
    return refund
