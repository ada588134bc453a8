"""Pay a bill, or a part of it, with a stored-value card: read at the kerb, or from one's own page.

The card is a channel as the others are: the order is committed, the card is debited, what came of
it is committed. A process that dies between two of them leaves an order that is asked after.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from city.audit import record
from city.errors import Conflict, Forbidden, NotFound
from city.identifiers import BillId
from city.people.actors import Actor
from city.people.roles import Role
from city.vault import keyed_digests
from city.works.database import Database, UnitOfWork
from journeys.dispute_bill import own_bill
from journeys.pay_online import Channels, adapter_of
from payments import cards, channel_orders, channel_payments
from payments import services as payments
from payments.adapters.stored_value import MERCHANT
from payments.rules.bills import Bill
from payments.rules.cards import Card, check_pays, what_it_pays
from payments.rules.channel_orders import ChannelOrder, OrderState, as_asked
from payments.rules.channels import Channel, Method
from payments.store import cards as store

READER_PURPOSE: Final = "card-reader"


@dataclass(frozen=True, slots=True)
class PaidByCard:
    """What came of paying: the order as it stands, the card and the bill afterwards."""

    order: ChannelOrder
    card: Card
    bill: Bill


def read_card(uow: UnitOfWork, reader: str) -> Card:
    """Give the card that a reader read; what it read is hashed at once and kept nowhere.

    Raises
    ------
    NotFound
        Where no card is known by it.
    """
    return cards.read_by(uow, keyed_digests(uow, READER_PURPOSE, reader))


def pay_with_read_card(  # noqa: PLR0917 - who pays what by which reading, under which number
    database: Database,
    channels: Channels,
    actor: Actor,
    bill_id: BillId,
    reader: str,
    order_no: str,
    *,
    part: bool = False,
) -> PaidByCard:
    """Take what a bill is over off the card that a reader has just read.

    Parameters
    ----------
    database : Database
    channels : Channels
        With that of the cards.
    actor : Actor
        An attendant, or the finance desk: whoever holds the reader.
    bill_id : BillId
    reader : str
        What the reader read.
    order_no : str
        The caller's own number: sent again, the card is debited once.
    part : bool
        Where the card holds less than is left of the bill, pay what it holds.

    Raises
    ------
    Forbidden
        Where the actor's role or district does not allow it.
    NotFound
        Where there is no such bill, or no card is known by it.
    Conflict
        Where the bill takes no money, the card gives none or not enough, or the number is used.
    """
    actor.require(Role.ATTENDANT, Role.FINANCE)
    with database.unit_of_work() as uow:
        bill = _bill(uow, bill_id)
        if not actor.in_district(bill.charge.district):
            raise Forbidden("the bill is of another district than yours")
        card = read_card(uow, reader)
        order = _ask(uow, actor, bill, card, order_no, part=part)
    return _pay(database, channels, actor, order, card.id)


def pay_with_own_card(  # noqa: PLR0917 - who pays what with which card, under which number
    database: Database,
    channels: Channels,
    actor: Actor,
    bill_id: BillId,
    card_id: UUID,
    order_no: str,
    *,
    part: bool = False,
) -> PaidByCard:
    """Pay a bill of one's own with a card of one's own; as `pay_with_read_card`.

    Raises
    ------
    NotFound
        Where the bill or the card is none of the driver's.
    Conflict
        As `pay_with_read_card`.
    """
    with database.unit_of_work() as uow:
        bill = _bill(uow, bill_id)
        if not own_bill(uow, actor, bill):
            raise NotFound("is no bill of yours", field="bill_id")
        card = own_card(uow, actor, card_id)
        order = _ask(uow, actor, bill, card, order_no, part=part)
    return _pay(database, channels, actor, order, card.id)


def own_card(uow: UnitOfWork, actor: Actor, card_id: UUID) -> Card:
    """Give a card of a driver's own, held; NotFound where it is none of theirs."""
    card = store.find_card(uow.connection, card_id, lock=True)
    if card is None or card.holder != actor.subject:
        raise NotFound("is no card of yours", field="card")
    return card


def _bill(uow: UnitOfWork, bill_id: BillId | None) -> Bill:
    bill = None if bill_id is None else payments.find_bill(uow.connection, bill_id)
    if bill is None:
        raise NotFound("there is no such bill", field="bill_id")
    return bill


def _ask(
    uow: UnitOfWork, actor: Actor, bill: Bill, card: Card, order_no: str, *, part: bool
) -> ChannelOrder:
    known = channel_orders.find_order(uow.connection, order_no)
    amount = None
    if known is None:
        check_pays(card, uow.clock.now())
        amount = what_it_pays(card, bill.outstanding, part=part)
    order = channel_payments.ask_order(
        uow,
        bill.id,
        Channel.CARD,
        MERCHANT,
        Method.CODE,
        actor.subject,
        order_no=order_no,
        part=amount,
    )
    if known is None:
        record(
            uow,
            actor,
            "payments.card_debit_asked",
            "card",
            str(card.id),
            {"bill_id": str(bill.id), "order_no": order_no, "amount": order.amount.as_json()},
        )
    return order


def _pay(
    database: Database, channels: Channels, actor: Actor, order: ChannelOrder, card_id: UUID
) -> PaidByCard:
    if order.state is not OrderState.PAID:
        opening = adapter_of(channels, Channel.CARD).open(as_asked(order), str(card_id))
        with database.unit_of_work() as uow:
            learned = channel_payments.hear(uow, order.order_no, opening.answer)
            order = learned.order
            if learned.fresh:
                record(
                    uow,
                    actor,
                    "payments.card_debited",
                    "card",
                    str(card_id),
                    {"order_no": order.order_no, "surplus": bool(learned.surplus)},
                )
        if order.state is OrderState.CLOSED:
            raise Conflict("the card did not pay", field="card", reason=opening.answer.reason)
    with database.unit_of_work() as uow:
        return PaidByCard(order, cards.held(uow, card_id), _bill(uow, order.bill_id))
