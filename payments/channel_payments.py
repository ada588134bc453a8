"""Paying bills through online channels: orders, and what channels say of them.

Nothing here speaks to a channel (`payments.rules.channels.ChannelAdapter` does): an order is kept
before its channel is asked, and what the channel said is kept after. What is said twice, late, out
of order or by two at once ends as said once: an order's row is held while it changes.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from city.errors import Conflict, Invalid, NotFound
from city.identifiers import BillId, PaymentId, uuid7
from city.money import Money
from city.works.database import UnitOfWork
from payments import channel_orders, merged_payments, money_back, offers, services, top_ups
from payments.rules.bills import (
    Bill,
    BillPart,
    BillState,
    Payment,
    check_payable,
    check_stands,
    credited,
)
from payments.rules.booking import book_channel_payment
from payments.rules.channel_orders import (
    ChannelOrder,
    ChannelRefund,
    OrderState,
    Purpose,
    heard,
    takes_money_for,
)
from payments.rules.channels import Answer, Channel, Method
from payments.store import bills as bill_store
from payments.store import ledger as ledger_store
from payments.store import takings

OFFER_TAKES_MONEY_FOR: Final = timedelta(minutes=5)
"""What is paid ahead covers the stay up to when it was offered: who pays later has less time left
to leave in."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What came of hearing of an order.

    Parameters
    ----------
    order : ChannelOrder
        As it stands now.
    fresh : bool
        Whether it was paid by this very answer.
    surplus : tuple of ChannelRefund
        The refunds that were asked for because nothing was owed any more: one at most for a bill.
    """

    order: ChannelOrder
    fresh: bool
    surplus: tuple[ChannelRefund, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """What an order is asked for with.

    Parameters
    ----------
    channel, merchant, method
        Through whom, for whom and how.
    by : str
        Subject of who asks.
    order_no : str
        The caller's own number; empty: the order is given one.
    amount : Money
    payer_hash : str
        As `ask_order`.
    """

    channel: Channel
    merchant: str
    method: Method
    by: str
    order_no: str
    amount: Money
    payer_hash: str = ""


def ask_order(  # noqa: PLR0917 - of which bill, through whom, how and by whom
    uow: UnitOfWork,
    bill_id: BillId,
    channel: Channel,
    merchant: str,
    method: Method,
    by: str,
    *,
    lost_no: str = "",
    order_no: str = "",
    part: Money | None = None,
    payer_hash: str = "",
) -> ChannelOrder:
    """Keep an order over a bill before its channel is asked; the present one where there is one.

    Parameters
    ----------
    uow : UnitOfWork
        Commit it before the adapter's `open` is called.
    bill_id : BillId
        The bill; all that is left of it is paid.
    channel, merchant, method
        Through whom, for whom and how.
    by : str
        Subject of who asks.
    lost_no : str
        An order that nobody can pay by, as its code was lost on its way to us: another one is
        kept beside it, of two who ask at once by the first alone.
    order_no : str
        The caller's own number, where it has one: asked again under it, it is the same order,
        whatever has become of the bill. Without one the order that still takes money.
    part : Money or None
        Pay so much of it; None: all that is left.
    payer_hash : str
        Whose it is alone, inside the channel's app; another payer gets an order of their own.

    Raises
    ------
    NotFound
        Where there is no such bill.
    Conflict
        Where it takes no money: paid, disputed or cancelled, or offered too long ago; or the number
        stands for another order.
    Invalid
        Where the part is not above zero, or more than is left.
    """
    bill = bill_store.find_bill(uow.connection, bill_id, lock=True)
    if bill is None:
        raise NotFound("no such bill", field="bill_id")
    if order_no:
        known = channel_orders.find_order(uow.connection, order_no)
        if known is not None:
            if (known.bill_id, known.channel) != (bill_id, channel):
                raise Conflict("was used for another order", field="order_no")
            return known
    amount = bill.outstanding if part is None else part
    check_takes(uow, bill, amount)
    now = uow.wall.now()
    if not order_no:
        present = channel_orders.open_order(uow.connection, bill_id, channel, method, merchant, now)
        # What is left may have changed since: a part was paid, or the bill was lowered.
        usable = present is not None and present.order_no != lost_no and present.code_ends_at > now
        same = present is not None and (present.amount, present.payer_hash) == (amount, payer_hash)
        if present is not None and usable and same:
            return present
    order = _new_order(
        uow, bill, Asked(channel, merchant, method, by, order_no, amount, payer_hash)
    )
    channel_orders.add_order(uow.connection, order)
    return order


def take_at_once(uow: UnitOfWork, bill: Bill, asked: Asked, answer: Answer) -> ChannelOrder:
    """Keep an order that was paid before anybody asked us, and settle its bill.

    As `ask_order` and `hear`, without reading again what is held and without writing it twice.

    Parameters
    ----------
    uow : UnitOfWork
    bill : Bill
        Held.
    asked : Asked
        Under a number that no other order has; of two at once the second is an IntegrityError.
    answer : Answer
        What its channel said: paid.

    Raises
    ------
    Conflict, Invalid
        As `ask_order`.
    NotAuthentic
        As `hear`.
    """
    check_takes(uow, bill, asked.amount)
    opened, now = _new_order(uow, bill, asked), uow.wall.now()
    payment = _payment_of(uow, bill, opened)
    order = replace(heard(opened, answer, now), payment_id=payment.id)
    takings.add_payment(uow.connection, payment)
    channel_orders.add_order(uow.connection, order, now)
    _credit(uow, bill, order, payment)
    return order


def check_takes(uow: UnitOfWork, bill: Bill, amount: Money) -> None:
    """Refuse where a bill does not take so much money; Conflict, Invalid as `ask_order`."""
    check_payable(bill)
    if bill.charge.part is BillPart.AHEAD and amount != bill.outstanding:
        raise Conflict("what is paid ahead is paid whole", field="part", reason="ahead")
    if amount.minor <= 0 or amount > bill.outstanding:
        raise Invalid(
            "must be above zero and at most what is left",
            field="part",
            left=bill.outstanding.as_json(),
        )
    check_stands(bill, uow.clock.now())


def _new_order(uow: UnitOfWork, bill: Bill, asked: Asked) -> ChannelOrder:
    # A channel knows no business time: what it is told and tells is wall time.
    now = uow.wall.now()
    offered, longest = bill.state is BillState.OFFERED, takes_money_for(asked.method)
    identifier = uuid7()
    return ChannelOrder(
        id=identifier,
        bill_id=bill.id,
        channel=asked.channel,
        order_no=asked.order_no or identifier.hex,
        merchant=asked.merchant,
        method=asked.method,
        amount=asked.amount,
        state=OrderState.ASKED,
        opened_at=now.replace(microsecond=0),
        opened_by=asked.by,
        expires_at=now.replace(microsecond=0)
        + (min(longest, OFFER_TAKES_MONEY_FOR) if offered else longest),
        payer_hash=asked.payer_hash,
    )


def hear(uow: UnitOfWork, order_no: str, answer: Answer, channel: Channel | None = None) -> Learned:
    """Keep what a channel says of an order, and settle the bill where it is paid.

    A payment for a bill that needs none any more is owed back and its refund asked for in the same
    transaction: of two channels that are paid at once, the second goes back by itself.

    Parameters
    ----------
    uow : UnitOfWork
    order_no : str
        Ours.
    answer : Answer
        What it says.
    channel : Channel or None
        Who says it; None: whose order it is.

    Raises
    ------
    NotFound
        Where there is no such order, of that channel.
    NotAuthentic
        Where it speaks of another amount, merchant or payment than the order's: nothing changes.
    """
    order = channel_orders.find_order(uow.connection, order_no, lock=True)
    if order is None:
        raise NotFound("no such order", field="order_no")
    if channel not in {None, order.channel}:
        raise NotFound("no such order of this channel", field="order_no")
    now = uow.wall.now()
    after = heard(order, answer, now)
    fresh = after.state is OrderState.PAID and order.state is not OrderState.PAID
    surplus: tuple[ChannelRefund, ...] = ()
    if fresh:
        after, surplus = _settle(uow, after, now)
    elif after != order:
        channel_orders.write_order(uow.connection, after, now)
    else:
        channel_orders.heard_of(uow.connection, order.id, now)
    return Learned(after, fresh, surplus)


def needs(uow: UnitOfWork, bill: Bill, order: ChannelOrder) -> bool:
    """Whether a bill needs what an order paid; a part may have been paid by cash since."""
    offered = bill.state is BillState.OFFERED and not offers.covered(uow, bill)
    return (offered or bill.state is BillState.OPEN) and order.amount <= bill.outstanding


def _settle(
    uow: UnitOfWork, order: ChannelOrder, heard_at: datetime
) -> tuple[ChannelOrder, tuple[ChannelRefund, ...]]:
    if order.merged:
        shares, bills = merged_payments.hold(uow, [order])
        channel_orders.write_order(uow.connection, order, heard_at)
        over = merged_payments.settle_shares(uow, [order], shares, bills)
        refunds = money_back.give_back_shares(uow, over)
        gone = sum(each.amount.minor for each in refunds)
        return replace(order, refunded_minor=gone), refunds
    if order.purpose is Purpose.TOP_UP:
        taken = top_ups.settle(uow, [order], top_ups.hold(uow, [order]))
        order = taken.get(order.id, order)
        channel_orders.write_order(uow.connection, order, heard_at)
        if taken:
            return order, ()
        refund = money_back.give_back(uow, order)
        return replace(order, refunded_minor=order.amount.minor), (refund,)
    bill = money_back.bill_of(uow, order)
    if not needs(uow, bill, order):
        channel_orders.write_order(uow.connection, order, heard_at)
        refund = money_back.give_back(uow, order)
        return replace(order, refunded_minor=order.amount.minor), (refund,)
    payment = _payment_of(uow, bill, order)
    order = replace(order, payment_id=payment.id)
    takings.add_payment(uow.connection, payment)
    channel_orders.write_order(uow.connection, order, heard_at)
    _credit(uow, bill, order, payment)
    return order, ()


def _payment_of(uow: UnitOfWork, bill: Bill, order: ChannelOrder) -> Payment:
    return Payment(
        PaymentId(uuid7()),
        bill.id,
        order.channel.value,
        order.amount,
        order.amount,
        uow.clock.now(),
        f"channel:{order.channel.value}",
    )


def _credit(uow: UnitOfWork, bill: Bill, order: ChannelOrder, payment: Payment) -> None:
    """Count a payment that is kept on its bill, book it, and tell where nothing is left."""
    paid = credited(bill, order.amount, payment.taken_at)
    bill_store.write_state(uow.connection, paid)
    if bill.state is BillState.OFFERED:
        offers.accept(uow, bill, payment)
    ledger_store.add_entry(uow.connection, book_channel_payment(payment, bill, order))
    if paid.state is BillState.PAID:
        services.announce_settled(uow, paid, payment)
