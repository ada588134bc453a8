"""What channels tell us by notification: accepted by the dozen, and settled by the dozen.

`accept` compares what is told with its order and keeps it; nothing is held but the inbox's rows.
`settle` acts upon what waits, as `channel_payments.hear` for one: the same rules decide on each, in
the order in which they came, on what is held by then; then all is written set-wise. One statement,
and ten, for any number of them.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from city.errors import NotFound
from city.identifiers import BillId, PaymentId, uuid7
from city.works.database import UnitOfWork
from payments import (
    channel_notices,
    channel_payments,
    channel_refunds,
    merged_payments,
    money_back,
    offers,
    services,
    top_ups,
)
from payments.channel_notices import Told, Verdict
from payments.rules.authenticity import NotAuthentic
from payments.rules.bills import Bill, BillState, Payment, credited
from payments.rules.booking import book_channel_payment
from payments.rules.cards import Card
from payments.rules.channel_orders import ChannelOrder, OrderState, Purpose, heard
from payments.rules.channels import Answer, RefundAnswer
from payments.store import bills as bill_store
from payments.store import channel_batches, takings
from payments.store import ledger as ledger_store

if TYPE_CHECKING:
    from payments.rules.ledger import Entry

UNKNOWN_ORDER: Final = "unknown-order"


def accept(uow: UnitOfWork, told: Collection[Told]) -> dict[Told, str]:
    """Judge notifications by their orders as they stand, and keep those that were not taken before.

    Those about payments wait then, to be settled; those about refunds, which are few and for which
    nobody stands at a barrier, are acted upon here.

    Parameters
    ----------
    uow : UnitOfWork
        Committed before any channel is told that we took it.
    told : collection of Told
        Each of another event.

    Returns
    -------
    dict
        Those that are refused, with the reason: nothing comes of them, they are kept with it.
    """
    doubtful = channel_notices.keep(uow, told)
    if not doubtful:
        return {}
    now = uow.wall.now()
    refused: dict[Told, str] = {}
    judged = [each for each in told if each.event in doubtful]
    orders = channel_batches.orders_by_number(
        uow.connection, {each.notice.order_no for each in judged if not each.notice.refund_no}
    )
    for each in judged:
        if each.notice.refund_no:
            refused.update(_hear_refund(uow, each))
        elif reason := _refusal(each, orders.get(each.notice.order_no), now):
            refused[each] = reason
    channel_notices.decide(
        uow.connection, [(each, Verdict.REFUSED, reason) for each, reason in refused.items()]
    )
    return refused


def settle(uow: UnitOfWork, told: Collection[Told]) -> dict[Told, str]:
    """Act upon notifications that wait; they are held by the caller (`channel_notices.claim`).

    Parameters
    ----------
    uow : UnitOfWork
    told : collection of Told
        Those that came first before.

    Returns
    -------
    dict
        Those of which nothing could come although they were acknowledged, with the reason: what
        they are about has changed since they were accepted. They are kept with it.
    """
    refused = _hear_payments(uow, told)
    channel_notices.decide(
        uow.connection,
        [
            (each, Verdict.QUARANTINED if each in refused else Verdict.TAKEN, refused.get(each, ""))
            for each in told
        ],
    )
    return refused


def _refusal(told: Told, order: ChannelOrder | None, now: datetime) -> str:
    """Say why nothing can come of a notification by its order as it stands; empty: it can."""
    if order is None or order.channel is not told.channel:
        return UNKNOWN_ORDER
    if isinstance(told.notice.answer, Answer):
        try:
            heard(order, told.notice.answer, now)
        except NotAuthentic as other:
            return other.reason.value
    return ""


def _hear_payments(uow: UnitOfWork, told: Collection[Told]) -> dict[Told, str]:
    refused: dict[Told, str] = {}
    if not told:
        return refused
    now = uow.wall.now()
    numbers = {each.notice.order_no for each in told}
    orders = channel_batches.orders_by_number(uow.connection, numbers, lock=True)
    spoken: set[UUID] = set()
    changed: dict[UUID, ChannelOrder] = {}
    paid: dict[UUID, ChannelOrder] = {}
    for each in told:
        order = orders.get(each.notice.order_no)
        if order is None or order.channel is not each.channel:
            refused[each] = UNKNOWN_ORDER
            continue
        if not isinstance(each.notice.answer, Answer):
            continue
        try:
            after = heard(order, each.notice.answer, now)
        except NotAuthentic as other:
            refused[each] = other.reason.value
            continue
        spoken.add(order.id)
        if after != order:
            orders[order.order_no] = changed[order.id] = after
            if after.state is OrderState.PAID and order.state is not OrderState.PAID:
                paid[order.id] = after
    merged = [each for each in paid.values() if each.merged]
    # Cards before bills, as who pays a bill by card holds them.
    cards = top_ups.hold(uow, paid.values())
    shares, shared = merged_payments.shares_of_orders(uow, merged)
    bills = bill_store.bills_by_id(uow.connection, shared | _bills_of(paid.values()), lock=True)
    surplus = _settle(uow, paid, changed, bills) + _top_up(uow, paid, changed, cards)
    channel_batches.write_orders(uow.connection, list(changed.values()), now)
    channel_batches.heard_of_orders(uow.connection, spoken - changed.keys(), now)
    for order in surplus:
        money_back.give_back(uow, order)
    over = merged_payments.settle_shares(uow, merged, shares, bills)
    money_back.give_back_shares(uow, over)
    return refused


def _bills_of(orders: Collection[ChannelOrder]) -> set[BillId]:
    return {each.bill_id for each in orders if each.bill_id is not None}


def _settle(
    uow: UnitOfWork,
    paid: dict[UUID, ChannelOrder],
    changed: dict[UUID, ChannelOrder],
    bills: dict[BillId, Bill],
) -> list[ChannelOrder]:
    """Settle the bills of orders over one each that were paid; give those that were not needed.

    Two orders of one bill: the second finds it as the first left it. The bills are held.
    """
    if not bills:
        return []
    at = uow.clock.now()
    credit: dict[BillId, Bill] = {}
    payments: list[Payment] = []
    entries: list[Entry] = []
    surplus: list[ChannelOrder] = []
    for order in paid.values():
        if order.bill_id is None:
            continue
        bill = bills[order.bill_id]
        if not channel_payments.needs(uow, bill, order):
            surplus.append(order)
            continue
        payment = Payment(
            PaymentId(uuid7()),
            bill.id,
            order.channel.value,
            order.amount,
            order.amount,
            at,
            f"channel:{order.channel.value}",
        )
        changed[order.id] = replace(order, payment_id=payment.id)
        if bill.state is BillState.OFFERED:
            offers.accept(uow, bill, payment)
        bills[bill.id] = credit[bill.id] = credited(bill, order.amount, at)
        payments.append(payment)
        entries.append(book_channel_payment(payment, bill, order))
        if credit[bill.id].state is BillState.PAID:
            services.announce_settled(uow, credit[bill.id], payment)
    takings.add_payments(uow.connection, payments)
    bill_store.write_states(uow.connection, list(credit.values()))
    ledger_store.add_entries(uow.connection, entries)
    return surplus


def _top_up(
    uow: UnitOfWork,
    paid: dict[UUID, ChannelOrder],
    changed: dict[UUID, ChannelOrder],
    cards: dict[UUID, Card],
) -> list[ChannelOrder]:
    """Put top-ups that were paid onto their cards; give those that these did not take."""
    orders = [each for each in paid.values() if each.purpose is Purpose.TOP_UP]
    taken = top_ups.settle(uow, orders, cards) if orders else {}
    changed |= taken
    return [each for each in orders if each.id not in taken]


def _hear_refund(uow: UnitOfWork, told: Told) -> dict[Told, str]:
    notice = told.notice
    try:
        if not isinstance(notice.answer, RefundAnswer):
            return {told: UNKNOWN_ORDER}
        of = channel_refunds.channel_of(uow.connection, notice.refund_no)
        if of is not told.channel:
            return {told: UNKNOWN_ORDER}
        money_back.hear_of_refund(uow, notice.refund_no, notice.answer)
    except NotAuthentic as other:
        return {told: other.reason.value}
    except NotFound:
        return {told: UNKNOWN_ORDER}
    return {}
