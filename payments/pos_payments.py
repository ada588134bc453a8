"""Bills paid at POS terminals: by the acquirer's card or our parking card, and taken back again.

The terminal has the acquirer's word before we hear of a sale, and nobody else can be asked: an
order of this channel is asked for and paid in one transaction, and so is what goes back.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from city.errors import Conflict, NotFound
from city.identifiers import BillId, uuid7
from city.money import Money
from city.works.database import UnitOfWork
from payments import cards, channel_orders, channel_payments, channel_refunds, money_back
from payments.adapters.stored_value import MERCHANT as OUR_CARDS
from payments.rules.bills import Bill, BillState
from payments.rules.cards import Card, check_pays, what_it_pays
from payments.rules.channel_orders import ChannelOrder, ChannelRefund, OrderState, RefundState
from payments.rules.channel_registry import fee_rate_of
from payments.rules.channels import (
    Answer,
    Channel,
    Fate,
    Method,
    RefundAnswer,
    RefundFate,
    fee_of,
)
from payments.rules.pos.undoing import REOPENS, book_undone, owed_again
from payments.store import bills as bill_store
from payments.store import ledger as ledger_store
from payments.store import payments_undone

CURRENCY: Final = "CNY"
_STANDS_FOR: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Sale:
    """What a terminal takes for a bill.

    Parameters
    ----------
    bill_id : BillId
    amount : Money
        All that is left of it, or a part.
    order_no : str
        Ours, the same for the same act.
    reference : str
        The acquirer's; empty where the parking card pays.
    merchant_no : str
        Whose terminal it is.
    by : str
        The terminal as who acts.
    """

    bill_id: BillId
    amount: Money
    order_no: str
    reference: str
    merchant_no: str
    by: str


def take(
    uow: UnitOfWork, sale: Sale, card: Card | None = None, held: Bill | None = None
) -> ChannelOrder:
    """Take what a terminal's sale is over for a bill; settled where nothing is left.

    Parameters
    ----------
    uow : UnitOfWork
    sale : Sale
    card : Card or None
        The parking card that pays, held.
    held : Bill or None
        The bill, where it is held already.

    Raises
    ------
    NotFound, Conflict, Invalid
        As `channel_payments.ask_order`; where the card does not pay; where the bill is only
        offered, which is paid online.
    """
    bill = held or bill_store.find_bill(uow.connection, sale.bill_id, lock=True)
    if bill is None:
        raise NotFound("no such bill", field="bill_id")
    if bill.state is BillState.OFFERED:
        raise Conflict(
            "is only offered, to be paid online: nothing is owed for it",
            field="bill_id",
            reason="offered",
        )
    channel, merchant = (
        (Channel.POS, sale.merchant_no) if card is None else (Channel.CARD, OUR_CARDS)
    )
    if card is not None:
        check_pays(card, uow.clock.now())
        what_it_pays(card, sale.amount, part=False)
    asked = channel_payments.Asked(
        channel, merchant, Method.CODE, sale.by, sale.order_no, sale.amount
    )
    channel_payments.check_takes(uow, bill, sale.amount)
    number = sale.reference
    if card is not None:
        number = cards.debit(uow, card.id, sale.order_no, sale.amount, sale.by).id.hex
    paid = Answer(Fate.PAID, number, sale.amount, merchant, uow.wall.now())
    return channel_payments.take_at_once(uow, bill, asked, paid)


def undo(uow: UnitOfWork, order_no: str, refund_no: str, reason: str, by: str) -> ChannelRefund:
    """Take a whole payment back: its bill is owed again, and the money goes back to the card.

    Of a bill that was cancelled, disputed or given up meanwhile it goes back as a refund does, and
    so does what the finance desk agreed to give back whole: the card was there, and has it.

    Raises
    ------
    NotFound
        Where there is no such order.
    Conflict
        Where a part of it went back already, or it settled no bill.
    """
    order = channel_orders.find_order(uow.connection, order_no, lock=True)
    if order is None or order.bill_id is None:  # a terminal's order is for one bill
        raise NotFound("no such order", field="order_no")
    bill = bill_store.find_bill(uow.connection, order.bill_id, lock=True)
    if bill is None:
        raise NotFound("the order's bill is gone", field="bill_id")
    if waiting_refund(uow, order, order.amount) is not None:
        return give_back(uow, order, refund_no, order.amount, reason, by)
    if order.refunded_minor or order.payment_id is None:
        raise Conflict("a part of it went back already", field="order_no", reason="refunded")
    if bill.state not in REOPENS:
        return give_back(uow, order, refund_no, order.amount, reason, by)
    refund = voiding(uow, order, refund_no, reason, by)
    channel_orders.write_order(uow.connection, replace(order, refunded_minor=order.amount.minor))
    channel_refunds.add(uow.connection, refund)
    at = uow.clock.now()
    payments_undone.add_undone(
        uow.connection, order.payment_id, bill.id, refund.id, order.amount.minor, at, by
    )
    bill_store.write_state(uow.connection, owed_again(bill, order.amount))
    if order.channel is Channel.CARD:
        cards.give_back(uow, order.order_no, refund_no, order.amount, by)
    ledger_store.add_entry(uow.connection, book_undone(refund, order, bill, at))
    return refund


def retake(uow: UnitOfWork, voided_no: str, sale: Sale) -> ChannelOrder:
    """Take a payment again whose void is not to have happened: the acquirer has it still.

    Should its bill need none any more by then, it is a surplus, and its refund is asked for. The
    parking card is debited again only where it pays.

    Raises
    ------
    NotFound, Conflict
        Where there is no such order; as `take`.
    """
    first = channel_orders.find_order(uow.connection, voided_no)
    if first is None:
        raise NotFound("no such order", field="order_no")
    if first.channel is Channel.CARD:
        debit = cards.debit_of(uow, voided_no)
        if debit is None:
            raise NotFound("no card paid such an order", field="order_no")
        return take(uow, sale, cards.held(uow, debit.card_id))
    now = uow.wall.now().replace(microsecond=0)
    order = ChannelOrder(
        id=uuid7(),
        bill_id=first.bill_id,
        channel=first.channel,
        order_no=sale.order_no,
        merchant=first.merchant,
        method=first.method,
        amount=first.amount,
        state=OrderState.ASKED,
        opened_at=now,
        opened_by=sale.by,
        expires_at=now + _STANDS_FOR,
    )
    channel_orders.add_order(uow.connection, order)
    paid = Answer(Fate.PAID, sale.reference, first.amount, first.merchant, uow.wall.now())
    return channel_payments.hear(uow, order.order_no, paid).order


def give_back(  # noqa: PLR0917 - of what, under which number, how much, why and by whom
    uow: UnitOfWork, order: ChannelOrder, refund_no: str, amount: Money, reason: str, by: str
) -> ChannelRefund:
    """Give a part or all of a payment back, as the terminal has: the bill stays paid.

    What the finance desk asked to go back, or a bill that was cancelled owes, is that refund.

    Raises
    ------
    Conflict, Invalid
        As `money_back.ask_refund`.
    """
    waiting = waiting_refund(uow, order, amount)
    if waiting is None:
        waiting = money_back.ask_refund(uow, order.order_no, refund_no, amount, reason, by)
    if order.channel is Channel.CARD:
        cards.give_back(uow, order.order_no, waiting.refund_no, amount, by)
    done = RefundAnswer(RefundFate.DONE, amount=amount, done_at=uow.wall.now())
    return money_back.hear_of_refund(uow, waiting.refund_no, done)


def waiting_refund(
    uow: UnitOfWork, order: ChannelOrder, amount: Money | None = None
) -> ChannelRefund | None:
    """Give the oldest refund of an order that waits for its card; None without one.

    Parameters
    ----------
    uow : UnitOfWork
    order : ChannelOrder
    amount : Money or None
        Over so much; None: whatever it is over.
    """
    if order.channel is not Channel.POS:
        return None  # a parking card needs no terminal: those are on their way
    asked = channel_refunds.of_orders(uow.connection, [order])[order.id]
    return next(
        (
            each
            for each in asked
            if each.state is RefundState.ASKED and amount in {None, each.amount}
        ),
        None,
    )


def voiding(
    uow: UnitOfWork, order: ChannelOrder, refund_no: str, reason: str, by: str
) -> ChannelRefund:
    """Give what goes back of an order that is taken back whole, fee and all; nothing is kept."""
    now = uow.wall.now().replace(microsecond=0)
    fee = Money(fee_of(order.amount.minor, fee_rate_of(order.channel)), order.amount.currency)
    return ChannelRefund(
        id=uuid7(),
        order_id=order.id,
        refund_no=refund_no,
        amount=order.amount,
        fee=fee,
        void=True,
        state=RefundState.DONE,
        asked_at=now,
        asked_by=by,
        reason=reason,
        done_at=now,
    )
