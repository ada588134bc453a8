"""Top one's own card up online, follow what became of it, and have what was not used back.

The same orders, notifications and janitor as for bills (`journeys/pay_online.py`); on record.
"""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from city.audit import record
from city.errors import Conflict, NotFound
from city.money import Money
from city.people.actors import Actor
from city.people.roles import Role
from city.works.database import Database, UnitOfWork
from journeys import pay_online
from journeys.pay_by_card import own_card
from journeys.pay_by_link import ASKED_AGAIN_AFTER, UNSETTLED
from journeys.pay_online import Channels, Started, adapter_of, open_asked, payer_hash_of
from journeys.ways_to_pay import SCANS, Device, best_way
from payments import channel_orders, channel_refunds, money_back, top_ups
from payments.rules.cards import Card
from payments.rules.channel_orders import ChannelOrder, ChannelRefund, OrderState
from payments.rules.channels import Channel, Method
from payments.rules.top_ups import UNUSED_REASON, unused_of
from payments.store import cards as card_store
from payments.store import top_ups as store

if TYPE_CHECKING:
    from pydantic import JsonValue


@dataclass(frozen=True, slots=True)
class TopUp:
    """One top-up as its card's holder sees it.

    Parameters
    ----------
    order : ChannelOrder
    card : Card
        The one that it was asked for.
    unused : Money
        What of it can go back to where it came from.
    """

    order: ChannelOrder
    card: Card
    unused: Money


def start_top_up(  # noqa: PLR0917 - who puts how much onto which card through whom
    database: Database,
    channels: Channels,
    actor: Actor,
    card_id: UUID,
    amount: Money,
    channel: Channel,
    device: Device = SCANS,
) -> Started:
    """Open an order over a top-up of one's own card: the present one where there is one.

    Parameters
    ----------
    database : Database
    channels : Channels
    actor : Actor
        The card's holder.
    card_id : UUID
    amount : Money
    channel : Channel
        Through whom.
    device : Device
        The payer's.

    Raises
    ------
    NotFound
        Where it is no card of the driver's.
    Unavailable
        Where the channel is not configured.
    Conflict, Invalid
        As `top_ups.ask_top_up`, or as `ways_to_pay.best_way`.
    """
    actor.require(Role.DRIVER)
    with database.unit_of_work() as uow:
        own_card(uow, actor, card_id)
    adapter = adapter_of(channels, channel)

    def ask(method: Method, payer: str, uow: UnitOfWork, lost_no: str) -> ChannelOrder:
        card = own_card(uow, actor, card_id)
        order = top_ups.ask_top_up(
            uow,
            card.id,
            amount,
            channel,
            adapter.merchant,
            method,
            actor.subject,
            lost_no=lost_no,
            payer_hash=payer_hash_of(method, payer),
        )
        detail: dict[str, JsonValue] = {
            "order_no": order.order_no,
            "channel": channel.value,
            "amount": amount.as_json(),
        }
        record(uow, actor, "payments.card_top_up_asked", "card", str(card.id), detail)
        return order

    return best_way(
        channels,
        channel,
        device,
        lambda method, payer: open_asked(database, adapter, partial(ask, method, payer), payer),
    )


def follow_top_up(database: Database, channels: Channels, actor: Actor, order_no: str) -> TopUp:
    """Tell how a top-up of one's own stands; its channel is asked where it was not lately.

    What the channel does not say stays unknown.

    Raises
    ------
    NotFound
        Where it is no top-up of a card of the driver's.
    """
    with database.unit_of_work() as uow:
        order, _ = _own(uow, actor, order_no)
        due = order.state in UNSETTLED and channel_orders.take_turn(
            uow.connection, order.id, uow.wall.now(), ASKED_AGAIN_AFTER
        )
    if due and order.channel in channels:
        pay_online.refresh(database, channels, order_no)
    with database.unit_of_work() as uow:
        order, card = _own(uow, actor, order_no)
        return _seen(uow, order, card)


def order_of(uow: UnitOfWork, actor: Actor, order_no: str) -> ChannelOrder:
    """Give a top-up of one's own; NotFound where it is none."""
    return _own(uow, actor, order_no)[0]


def top_ups_of(
    uow: UnitOfWork, actor: Actor, card_id: UUID, after: UUID | None = None, limit: int = 20
) -> tuple[list[TopUp], UUID | None]:
    """Give the top-ups of a card of one's own, the newest first, and the last one's id.

    The id is None where no more follow.

    Raises
    ------
    NotFound
        Where it is no card of the driver's.
    """
    card = own_card(uow, actor, card_id)
    found, last = store.page_of_top_ups(uow.connection, [card.id], after, limit)
    return [_seen(uow, each, card) for each in found], last


def give_back_unused(
    database: Database, channels: Channels, actor: Actor, order_no: str, refund_no: str
) -> ChannelRefund:
    """Give what was not used of one's own top-up back through its channel; once under its number.

    Raises
    ------
    NotFound
        Where it is no top-up of a card of the driver's.
    Conflict
        Where nothing of it is left, its card is lost, or the number stands for another refund.
    """
    actor.require(Role.DRIVER)
    with database.unit_of_work() as uow:
        _own(uow, actor, order_no)
        known = channel_refunds.find(uow.connection, refund_no)
        if known is not None and known.order_no != order_no:
            raise Conflict("was used for another refund", field="refund_no")
        if known is not None:
            refund = known.refund
        else:
            order = channel_orders.find_order(uow.connection, order_no, lock=True)
            if order is None:
                raise NotFound("is no top-up of yours", field="order_no")
            # Somebody may have sent the same number while we waited for the order.
            known = channel_refunds.find(uow.connection, refund_no)
            amount = (
                known.refund.amount if known else unused_of(order, top_ups.holder_of(uow, order))
            )
            if not amount:
                raise Conflict("nothing of it is left to go back", field="order_no", reason="used")
            refund = money_back.ask_refund(
                uow, order_no, refund_no, amount, UNUSED_REASON, actor.subject
            )
            detail: dict[str, JsonValue] = {
                "amount": amount.as_json(),
                "refund_no": refund_no,
                "card_id": str(order.card_id),
            }
            record(uow, actor, "payments.refund_asked", "channel_order", order_no, detail)
        asked = channel_orders.find_order(uow.connection, order_no)
    if asked is None:
        raise NotFound("is no top-up of yours", field="order_no")
    return pay_online.send_refund(database, channels, asked, refund)


def _own(uow: UnitOfWork, actor: Actor, order_no: str) -> tuple[ChannelOrder, Card]:
    order = channel_orders.find_order(uow.connection, order_no)
    card = (
        card_store.find_card(uow.connection, order.card_id)
        if order is not None and order.card_id is not None
        else None
    )
    if order is None or card is None or card.holder != actor.subject:
        raise NotFound("is no top-up of yours", field="order_no")
    return order, card


def _seen(uow: UnitOfWork, order: ChannelOrder, card: Card) -> TopUp:
    if order.state is not OrderState.PAID or order.movement_id is None:
        return TopUp(order, card, unused_of(order, card))
    return TopUp(order, card, unused_of(order, card_store.newest_card(uow.connection, card)))
