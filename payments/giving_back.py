"""Cash given back of what was paid in cash, and what one person gives back in a day."""

from dataclasses import replace
from uuid import UUID

from sqlalchemy import Connection

from city.errors import Conflict, Invalid, NotFound
from city.identifiers import BillId
from city.money import Money
from city.works.database import UnitOfWork
from payments import cards, channel_refunds
from payments.rules.advances import Refund, refund_of_paid
from payments.rules.bills import Bill, BillState
from payments.rules.booking import book_cash_refund
from payments.rules.days import begin_of, day_of
from payments.store import bills as bill_store
from payments.store import contracts as contract_store
from payments.store import ledger as ledger_store
from payments.store import takings


def given_today(uow: UnitOfWork, by: str) -> int:
    """Add up what somebody gave back on this day of China's, by any way, in minor units.

    Through channels, off parking cards, and in cash of bills that stay paid: one limit is over all.
    Of two requests at once the second waits, and sees the first.
    """
    # Channels know no business time: what goes back through them is dated by the wall's.
    today, ours = (begin_of(day_of(each.now())) for each in (uow.wall, uow.clock))
    given_minor = channel_refunds.given_back_by(uow.connection, by, today)
    given_minor += cards.paid_out_by(uow, by, ours)
    return given_minor + takings.given_of_paid(uow.connection, by, ours)


def find(connection: Connection, refund_id: UUID) -> Refund | None:
    """Give what went back in cash under a number."""
    return takings.find_refund(connection, refund_id)


def refundable(connection: Connection, bill: Bill) -> Money:
    """Give what of a paid bill was taken in cash and did not go back."""
    if bill.state is not BillState.PAID:
        return Money(0, bill.amount.currency)
    taken_minor, gone_minor = takings.cash_of_bill(connection, bill.id)
    return Money(taken_minor - gone_minor, bill.amount.currency)


def give_back_cash(  # noqa: PLR0917 - of which bill, how much, why, by whom, under which number
    uow: UnitOfWork, bill_id: BillId, amount: Money, reason: str, by: str, refund_id: UUID
) -> Refund:
    """Give back in cash a part or all of what was paid in cash of a bill; it stays paid.

    It was not earned after all: each party's share is lowered as the contract of the bill has it.

    Parameters
    ----------
    uow : UnitOfWork
    bill_id : BillId
    amount : Money
    reason : str
        For the ledger.
    by : str
        Whose cash it is paid out of.
    refund_id : UUID
        The sender's own number: sent again under it, the first refund is returned.

    Raises
    ------
    NotFound
        Where there is no such bill.
    Conflict
        Where the bill is not paid, or the number stands for another refund.
    Invalid
        Without a reason, or on an amount that is not above zero or more than is left.
    """
    bill = bill_store.find_bill(uow.connection, bill_id, lock=True)
    if bill is None:
        raise NotFound("no such bill", field="bill_id")
    present = takings.find_refund(uow.connection, refund_id)
    if present is not None:
        if (present.bill_id, present.amount, present.refunded_by) != (bill_id, amount, by):
            raise Conflict("was used for another refund", field="id")
        return present
    if not reason.strip():
        raise Invalid("a refund states its reason", field="reason")
    taken_minor, gone_minor = takings.cash_of_bill(uow.connection, bill_id)
    refund = refund_of_paid(bill, taken_minor, gone_minor, amount, uow.clock.now(), by, refund_id)
    contract = contract_store.of_bill(uow.connection, bill)
    takings.add_refund(uow.connection, refund)
    refunded_minor = bill.refunded_minor + amount.minor
    bill_store.write_state(uow.connection, replace(bill, refunded_minor=refunded_minor))
    ledger_store.add_entry(uow.connection, book_cash_refund(refund, bill, contract, reason.strip()))
    return refund
