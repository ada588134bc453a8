"""Money that goes back through its channel: asked for, followed, posted once it arrived.

As for payments (`payments.channel_payments`): a refund is kept before its channel is asked, its
order is held while it changes, and what is said twice ends as said once.
"""

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from city.errors import Conflict, Invalid, NotFound
from city.identifiers import BillId, ParkingSessionId, uuid7
from city.money import Money
from city.works.database import UnitOfWork
from payments import channel_orders, channel_refunds, offers, top_ups
from payments.rules.bills import Bill
from payments.rules.booking import book_channel_refund, book_surplus, book_surplus_refund
from payments.rules.channel_orders import (
    ChannelOrder,
    ChannelRefund,
    Purpose,
    RefundState,
    check_refund,
    heard_of_refund,
)
from payments.rules.channel_registry import fee_rate_of
from payments.rules.channels import RefundAnswer, fee_back_of
from payments.rules.ledger import Entry
from payments.rules.order_shares import Share
from payments.rules.top_ups import NOT_TAKEN_REASON
from payments.store import bills as bill_store
from payments.store import contracts as contract_store
from payments.store import ledger as ledger_store
from payments.store import offers as offer_store
from payments.store import order_shares, takings

if TYPE_CHECKING:
    from uuid import UUID


UNUSED_REASON: Final = "paid ahead for longer than it stayed"
CANCELLED_REASON: Final = "the bill was wrong, and was cancelled"
SURPLUS_REASON: Final = "paid twice: the bill needed no money any more"


def ask_refund(  # noqa: PLR0917 - of which order, under which number, how much, why and by whom
    uow: UnitOfWork,
    order_no: str,
    refund_no: str,
    amount: Money,
    reason: str,
    by: str,
    bill_id: BillId | None = None,
) -> ChannelRefund:
    """Keep a refund before its channel is asked; the same one where its number was used for it.

    Parameters
    ----------
    uow : UnitOfWork
        Commit it before the adapter's `refund` is called.
    order_no : str
        Of a paid order.
    refund_no : str
        Our number: 8 to 32 ASCII letters and digits.
    amount : Money
        At most what has not gone back yet.
    reason, by : str
        For the ledger and the payer.
    bill_id : BillId or None
        Of an order over several bills, the one whose money goes back.

    Raises
    ------
    NotFound
        Where there is no such order, or it did not pay that bill.
    Conflict
        Where it is not paid, the number stands for another refund, or more than was paid would go
        back.
    Invalid
        On an amount that is not above zero or in another currency, or no reason.
    """
    order = channel_orders.find_order(uow.connection, order_no, lock=True)
    if order is None:
        raise NotFound("no such order", field="order_no")
    share = None
    if order.merged:
        if bill_id is None:
            raise Invalid("paid several bills: name one of them", field="bill_id")
        share = order_shares.share_of(uow.connection, order.id, bill_id)
    if share is None and bill_id not in {None, order.bill_id}:
        raise NotFound("the order did not pay this bill", field="bill_id")
    fresh = channel_refunds.find(uow.connection, refund_no) is None
    refund = _ask_refund(uow, order, refund_no, amount, reason, by, share)
    if fresh and order.movement_id is not None:
        top_ups.take_off(uow, order, refund)
    return refund


def hear_of_refund(uow: UnitOfWork, refund_no: str, answer: RefundAnswer) -> ChannelRefund:
    """Keep what a channel says of a refund, and post it where the money went back.

    Raises
    ------
    NotFound
        Where there is no such refund.
    NotAuthentic
        Where it speaks of another amount: nothing changes.
    """
    found = channel_refunds.find(uow.connection, refund_no)
    if found is None:
        raise NotFound("no such refund", field="refund_no")
    order = channel_orders.find_order(uow.connection, found.order_no, lock=True)
    found = channel_refunds.find(uow.connection, refund_no)
    if order is None or found is None:
        raise NotFound("no such refund", field="refund_no")
    refund, now = found.refund, uow.wall.now()
    after = heard_of_refund(refund, answer, now)
    if after.state is not refund.state:
        channel_refunds.write(uow.connection, after)
        if after.state is RefundState.FAILED:
            left = order.refunded_minor - refund.amount.minor
            channel_orders.write_order(uow.connection, replace(order, refunded_minor=left))
            share = _share_of(uow, refund)
            if share is not None:
                left = share.refunded_minor - refund.amount.minor
                order_shares.write(uow.connection, [replace(share, refunded_minor=left)])
            if order.movement_id is not None:
                top_ups.put_back(uow, order, refund)
        else:
            ledger_store.add_entry(uow.connection, _book_refund(uow, after, order))
    channel_refunds.heard_of(uow.connection, refund.id, now)
    return after


def give_back_cancelled(uow: UnitOfWork, bill: Bill, by: str) -> list[ChannelRefund]:
    """Ask channels to give back what was paid through them of a bill that was cancelled.

    The orders are held by the caller (`channel_orders.hold_orders_of`), since before the bill was.
    """
    asked: list[ChannelRefund] = []
    for order in channel_orders.orders_of_bill(uow.connection, bill.id):
        left_minor = order.amount.minor - order.refunded_minor
        if order.payment_id is not None and left_minor > 0:
            left = Money(left_minor, order.amount.currency)
            asked.append(_ask_refund(uow, order, uuid7().hex, left, CANCELLED_REASON, by))
    for order, share in order_shares.of_bills(uow.connection, [bill.id]):
        if share.payment_id is not None and share.left:
            number = uuid7().hex
            asked.append(_ask_refund(uow, order, number, share.left, CANCELLED_REASON, by, share))
    return asked


def give_back(uow: UnitOfWork, order: ChannelOrder) -> ChannelRefund:
    """Owe back, all of it, what was paid and its bill or card did not take; ask for its refund.

    The order is held and written as paid.
    """
    ledger_store.add_entry(uow.connection, book_surplus(order, uow.clock.now()))
    by = f"channel:{order.channel.value}"
    reason = NOT_TAKEN_REASON if order.purpose is Purpose.TOP_UP else SURPLUS_REASON
    return _ask_refund(uow, order, uuid7().hex, order.amount, reason, by)


def give_back_shares(
    uow: UnitOfWork, over: Collection[tuple[ChannelOrder, Share]]
) -> tuple[ChannelRefund, ...]:
    """Ask for the refunds of what some bills of paid orders did not need; each by itself.

    The orders are held and written as paid, and what was not needed is booked as owed back.
    """
    asked: list[ChannelRefund] = []
    gone: dict[UUID, int] = {}
    for order, share in over:
        now = replace(order, refunded_minor=order.refunded_minor + gone.get(order.id, 0))
        by, number = f"channel:{order.channel.value}", uuid7().hex
        asked.append(_ask_refund(uow, now, number, share.amount, SURPLUS_REASON, by, share))
        gone[order.id] = gone.get(order.id, 0) + share.amount.minor
    return tuple(asked)


def give_back_ahead(
    uow: UnitOfWork, session_ids: Collection[ParkingSessionId], reason: str, by: str
) -> list[ChannelRefund]:
    """Ask channels to give back what was paid ahead through them and nothing needs any more.

    What was paid last goes back first. The refunds are sent by who pursues channels, as those of a
    surplus are.

    Parameters
    ----------
    uow : UnitOfWork
    session_ids : collection of ParkingSessionId
        Stays that are one: billed, or never to be.
    reason, by : str
        For the ledger and the payer.
    """
    offers.hold(uow, session_ids)
    left_minor = takings.paid_ahead(uow.connection, session_ids).left_minor
    asked: list[ChannelRefund] = []
    for order in offer_store.orders_paid_ahead(uow.connection, session_ids):
        minor = min(left_minor, order.amount.minor - order.refunded_minor)
        if minor > 0:
            amount = Money(minor, order.amount.currency)
            asked.append(_ask_refund(uow, order, uuid7().hex, amount, reason, by))
            left_minor -= minor
    return asked


def _ask_refund(  # noqa: PLR0917 - as `ask_refund`
    uow: UnitOfWork,
    order: ChannelOrder,
    refund_no: str,
    amount: Money,
    reason: str,
    by: str,
    share: Share | None = None,
) -> ChannelRefund:
    share_id = None if share is None else share.id
    present = channel_refunds.find(uow.connection, refund_no)
    if present is not None:
        asked_for = (present.order_no, present.refund.amount, present.refund.share_id)
        if asked_for != (order.order_no, amount, share_id):
            raise Conflict("was used for another refund", field="refund_no")
        return present.refund
    if not reason.strip():
        raise Invalid("a refund states its reason", field="reason")
    check_refund(order, amount, channel_refunds.count(uow.connection, order.id))
    if share is not None and amount > share.left:
        raise Conflict("more than was paid would go back", field="amount")
    left_minor = order.amount.minor - order.refunded_minor
    refund = ChannelRefund(
        id=uuid7(),
        order_id=order.id,
        refund_no=refund_no,
        amount=amount,
        fee=Money(
            fee_back_of(left_minor, amount.minor, fee_rate_of(order.channel)), amount.currency
        ),
        void=False,
        state=RefundState.ASKED,
        asked_at=uow.wall.now().replace(microsecond=0),
        asked_by=by,
        reason=reason.strip(),
        share_id=share_id,
    )
    # The constraint on this sum is what two who ask at once could not get round.
    asked = replace(order, refunded_minor=order.refunded_minor + amount.minor)
    channel_orders.write_order(uow.connection, asked)
    if share is not None:
        left = share.refunded_minor + amount.minor
        order_shares.write(uow.connection, [replace(share, refunded_minor=left)])
    channel_refunds.add(uow.connection, refund)
    return refund


def _book_refund(uow: UnitOfWork, refund: ChannelRefund, order: ChannelOrder) -> Entry:
    at = uow.clock.now()
    share = _share_of(uow, refund)
    if (order if share is None else share).payment_id is None:
        return book_surplus_refund(refund, order, at)
    bill = bill_of(uow, order if share is None else share)
    charge = bill.charge
    contract = contract_store.in_force(
        uow.connection, charge.operator_id, charge.facility_id, bill.issued_at
    )
    refunded_minor = bill.refunded_minor + refund.amount.minor
    bill_store.write_state(uow.connection, replace(bill, refunded_minor=refunded_minor))
    return book_channel_refund(refund, order, bill, at, contract)


def _share_of(uow: UnitOfWork, refund: ChannelRefund) -> Share | None:
    """Give the share that a refund goes back of; its order is held, and the share with it."""
    if refund.share_id is None:
        return None
    return order_shares.find(uow.connection, refund.share_id)


def bill_of(uow: UnitOfWork, paid: ChannelOrder | Share) -> Bill:
    """Give the bill that an order or a share pays, held.

    Raises
    ------
    NotFound
        Where it is gone.
    """
    bill_id = paid.bill_id
    bill = None if bill_id is None else bill_store.find_bill(uow.connection, bill_id, lock=True)
    if bill is None:
        raise NotFound("the order's bill is gone", field="bill_id")
    return bill
