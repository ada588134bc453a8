"""Stored-value cards topped up online: an order over a card's top-up instead of a bill.

The money is on the card once its channel says that it was paid, never before. What the card cannot
take any more by then (lost, replaced, full) is owed back and goes back by itself, as for bills.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from city.errors import CityError, NotFound
from city.identifiers import uuid7
from city.money import Money
from city.works.database import UnitOfWork
from payments import cards, channel_orders
from payments.rules.card_booking import book_online_top_up, book_put_back, book_taken_off
from payments.rules.cards import (
    Card,
    Movement,
    MovementKind,
    check_pay_out,
    check_top_up,
)
from payments.rules.channel_bills.lines import CHINA
from payments.rules.channel_orders import (
    ChannelOrder,
    ChannelRefund,
    OrderState,
    takes_money_for,
)
from payments.rules.channels import Channel, Method
from payments.rules.top_ups import check_channel, check_online
from payments.store import cards as card_store
from payments.store import ledger as ledger_store
from payments.store import top_ups as store

if TYPE_CHECKING:
    from payments.rules.ledger import Entry


def ask_top_up(  # noqa: PLR0917 - which card, how much, through whom, for whom, how and by whom
    uow: UnitOfWork,
    card_id: UUID,
    amount: Money,
    channel: Channel,
    merchant: str,
    method: Method,
    by: str,
    *,
    lost_no: str = "",
    payer_hash: str = "",
) -> ChannelOrder:
    """Keep an order over a top-up before its channel is asked; the present one where there is one.

    Parameters
    ----------
    uow : UnitOfWork
        Commit it before the adapter's `open` is called.
    card_id : UUID
    amount : Money
        All of it is paid, or nothing.
    channel, merchant, method
        Through whom, for whom and how.
    by : str
        Subject of who asks.
    lost_no, payer_hash : str
        As `channel_payments.ask_order`.

    Raises
    ------
    NotFound
        Where there is no such card.
    Conflict, Invalid
        As `check_top_up` and `check_online`.
    """
    check_channel(channel)
    card = cards.held(uow, card_id)
    at, now = uow.clock.now(), uow.wall.now()
    check_online(card, amount, store.came_online(uow.connection, card_id, _midnight(at)))
    check_top_up(card, amount, at)
    present = store.open_order(uow.connection, card_id, amount, channel, method, merchant, now)
    usable = present is not None and present.code_ends_at > now and present.payer_hash == payer_hash
    if present is not None and usable and present.order_no != lost_no:
        return present
    identifier, opened_at = uuid7(), now.replace(microsecond=0)
    order = ChannelOrder(
        id=identifier,
        bill_id=None,
        channel=channel,
        order_no=identifier.hex,
        merchant=merchant,
        method=method,
        amount=amount,
        state=OrderState.ASKED,
        opened_at=opened_at,
        opened_by=by,
        expires_at=opened_at + takes_money_for(method),
        card_id=card_id,
        payer_hash=payer_hash,
    )
    channel_orders.add_order(uow.connection, order)
    return order


def hold(uow: UnitOfWork, orders: Collection[ChannelOrder]) -> dict[UUID, Card]:
    """Give the cards that some orders top up, held: before bills, as who pays by card does."""
    wanted = {each.card_id for each in orders if each.card_id is not None}
    return card_store.hold_cards(uow.connection, wanted)


def settle(
    uow: UnitOfWork, orders: Sequence[ChannelOrder], held: Mapping[UUID, Card]
) -> dict[UUID, ChannelOrder]:
    """Put what was paid onto its cards; give the orders whose money is on one, by their ids.

    Of two orders that are one too many together, the second one's money stays off the card. What
    is not given back here is for the caller to owe back; the caller writes the orders as well.

    Parameters
    ----------
    uow : UnitOfWork
    orders : sequence of ChannelOrder
        Held, over a top-up each, paid just now.
    held : mapping
        Their cards (`hold`).
    """
    at, now_on = uow.clock.now(), dict(held)
    movements: list[Movement] = []
    entries: list[Entry] = []
    taken: dict[UUID, ChannelOrder] = {}
    for order in orders:
        card = None if order.card_id is None else now_on.get(order.card_id)
        if card is None or not _takes(card, order.amount, at):
            continue
        made = _movement(card, MovementKind.TOP_UP, order.amount, order, order.order_no, at)
        now_on[card.id] = replace(card, balance=made.balance)
        movements.append(made)
        entries.append(book_online_top_up(made))
        taken[order.id] = replace(order, movement_id=made.id)
    ledger_store.add_entries(uow.connection, entries)
    for made in movements:
        card_store.add_movement(uow.connection, made)
    return taken


def take_off(uow: UnitOfWork, order: ChannelOrder, refund: ChannelRefund) -> None:
    """Take what is to go back of a top-up off its card before its channel is asked.

    From here on nobody pays with it; the order is held. The card that took over is debited where
    the first one was replaced.

    Raises
    ------
    NotFound
        Where the order tops no card up.
    Conflict
        Where the card is lost, or does not hold so much any more: it was used.
    """
    card = holder_of(uow, order)
    check_pay_out(card, refund.amount)
    made = _movement(
        card, MovementKind.PAID_OUT, -refund.amount, order, refund.refund_no, uow.clock.now()
    )
    made = replace(made, made_by=refund.asked_by)
    ledger_store.add_entry(uow.connection, book_taken_off(made, refund.reason))
    card_store.add_movement(uow.connection, made)


def put_back(uow: UnitOfWork, order: ChannelOrder, refund: ChannelRefund) -> None:
    """Put what the channel did not give back onto the card again, a lost one too; it is held."""
    card = holder_of(uow, order)
    made = _movement(
        card, MovementKind.RETURNED, refund.amount, order, refund.refund_no, uow.clock.now()
    )
    ledger_store.add_entry(uow.connection, book_put_back(made))
    card_store.add_movement(uow.connection, made)


def holder_of(uow: UnitOfWork, order: ChannelOrder) -> Card:
    """Give the card that holds a top-up's money now, held: who took over where it was replaced."""
    if order.card_id is None:
        raise NotFound("the order tops no card up", field="order_no")
    card = cards.held(uow, order.card_id)
    newest = card_store.newest_card(uow.connection, card)
    # Who took over is newer: cards are held in the order of their ids here as well.
    return card if newest.id == card.id else cards.held(uow, newest.id)


def _takes(card: Card, amount: Money, at: datetime) -> bool:
    try:
        check_top_up(card, amount, at)
    except CityError:
        return False
    return True


def _movement(  # noqa: PLR0917 - what moves on which card, by which order
    card: Card,
    kind: MovementKind,
    amount: Money,
    order: ChannelOrder,
    reference: str,
    at: datetime,
) -> Movement:
    channel = order.channel.value
    return Movement(
        uuid7(),
        card.id,
        kind,
        amount,
        card.balance + amount,
        at,
        f"channel:{channel}",
        channel,
        reference,
        uuid7(),
    )


def _midnight(at: datetime) -> datetime:
    return at.astimezone(CHINA).replace(hour=0, minute=0, second=0, microsecond=0)
