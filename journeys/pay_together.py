"""Pay several bills of one vehicle at once, by a link that names them.

Whoever holds links to the bills binds them into one; it shows as much as the least of them. What a
channel is paid by it is one sum, and settles each bill by itself (`payments/merged_payments.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from city.errors import Conflict, NotFound
from city.identifiers import BillId
from city.money import Money
from city.people.actors import Actor
from city.people.roles import Role
from city.works.database import Database, UnitOfWork
from journeys import pay_online
from journeys.pay_by_link import (
    ASKED_AGAIN_AFTER,
    PAYER,
    UNSETTLED,
    Payable,
    give_link,
    keys,
)
from journeys.pay_by_link import open_link as open_single
from journeys.pay_online import Channels, Started
from journeys.ways_to_pay import SCANS, Device, best_way
from payments import channel_orders
from payments import services as payments
from payments.rules.bills import BillPart, BillState
from payments.rules.channel_orders import ChannelOrder, OrderState
from payments.rules.channels import Channel, Method
from payments.rules.order_shares import Share, check_together
from payments.rules.pay_links import (
    PayBundle,
    PayLink,
    Scope,
    bundle_of,
    open_bundle,
    seal,
    seal_bundle,
)
from payments.store import order_shares

BINDERS = (Role.ATTENDANT, Role.INSPECTOR, Role.FINANCE)
"""Who shows a driver a code for what their vehicle owes."""


@dataclass(frozen=True, slots=True)
class Together:
    """Several bills as the holder of a link to them sees them.

    Parameters
    ----------
    scope : Scope
        How much of them shows.
    bills : sequence of tuple
        Each bill with what paid it, and with a link to it alone; those due first before.
    orders : sequence of ChannelOrder
        Over these bills or some of them, and over no other; the oldest first.
    """

    scope: Scope
    bills: Sequence[tuple[Payable, str]]
    orders: Sequence[ChannelOrder]

    @property
    def outstanding(self) -> Money:
        """What is left of all that take money now."""
        owed = [each.bill.outstanding for each, _ in self.bills]
        opened = (each.bill.state is BillState.OPEN for each, _ in self.bills)
        minor = sum(each.minor for each, is_open in zip(owed, opened, strict=True) if is_open)
        return Money(minor, owed[0].currency)

    def goes_back(self, found: Payable) -> Money | None:
        """Give what was paid here for a bill that did not need it, the last time; None: nothing."""
        ours = {each.id for each in self.orders if each.state is OrderState.PAID}
        over = [
            share.amount
            for order, share in found.shared
            if order.id in ours and share.payment_id is None
        ]
        return over[-1] if over else None


def bind(uow: UnitOfWork, links: Sequence[str]) -> str:
    """Write one link to the bills of some links.

    Raises
    ------
    NotFound
        Where a link is none of ours, its time is over, or its bill is gone.
    Invalid
        As `check_together`.
    Conflict
        Where one of them is only offered, to be paid by itself.
    """
    bundle = bundle_of([open_single(uow, each.removeprefix("/pay/")) for each in links])
    bills = payments.bills_by_id(uow.connection, bundle.bill_ids)
    if len(bills) < len(bundle.bill_ids):
        raise NotFound("there is no such bill", field="link")
    check_together(bills.values())
    if any(bill.charge.part is BillPart.AHEAD for bill in bills.values()):
        raise Conflict("what is paid ahead is paid by itself", field="links", reason="ahead")
    return seal_bundle(bundle, keys(uow))


def bind_for_driver(uow: UnitOfWork, actor: Actor, bill_ids: Sequence[BillId]) -> str:
    """Write one link to bills of one vehicle, for whoever stands before the actor to scan.

    It shows neither places nor times: who stands there is not known to be the car's driver. Bills
    of any district: arrears are paid at any bay or lot of the city.

    Raises
    ------
    Forbidden
        Without the role.
    NotFound, Invalid, Conflict
        As `bind`.
    """
    actor.require(*BINDERS)
    return bind(uow, [give_link(uow, each, Scope.AMOUNT) for each in bill_ids])


def open_link(uow: UnitOfWork, text: str) -> PayBundle:
    """Read a link to several bills; NotFound where it is none of ours, or its time is over."""
    return open_bundle(text, keys(uow), uow.wall.now())


def look(uow: UnitOfWork, text: str) -> Together:
    """Show what a link to several bills is to: seven statements, however many they are.

    Raises
    ------
    NotFound
        Where it is none of ours, its time is over, or a bill is gone.
    """
    bundle = open_link(uow, text)
    bills = payments.bills_by_id(uow.connection, bundle.bill_ids)
    if len(bills) < len(bundle.bill_ids):
        raise NotFound("there is no such bill", field="link")
    paid_by = payments.payments_of_bills(uow.connection, bundle.bill_ids)
    own = channel_orders.orders_of_bills(uow.connection, bundle.bill_ids)
    shared = order_shares.of_bills(uow.connection, bundle.bill_ids)
    sealing = keys(uow)
    found = [
        (
            Payable(
                bill,
                bundle.scope,
                own[bill.id],
                paid_by.get(bill.id),
                None,
                shared=[each for each in shared if each[1].bill_id == bill.id],
            ),
            seal(PayLink(bill.id, bundle.scope, bundle.until_at), sealing),
        )
        for bill in sorted(bills.values(), key=lambda each: (each.due_at, each.id))
    ]
    return Together(bundle.scope, found, _orders_within(uow, bundle, shared))


def start(
    database: Database, channels: Channels, text: str, channel: Channel, device: Device = SCANS
) -> Started:
    """Open an order over those of a link's bills that take money: the present one where one is.

    Parameters
    ----------
    database : Database
    channels : Channels
    text : str
        The link.
    channel : Channel
        Through whom.
    device : Device
        The payer's.

    Raises
    ------
    NotFound
        As `look`.
    Conflict
        Where none of them takes money any more; or as `ways_to_pay.best_way`.
    Unavailable
        As `pay_online.start_merged`.
    """
    with database.unit_of_work() as uow:
        bundle = open_link(uow, text)
        bills = payments.bills_by_id(uow.connection, bundle.bill_ids)
    owed = [each.id for each in bills.values() if each.state is BillState.OPEN]
    if not owed:
        raise Conflict("none of these bills takes money any more", field="link", reason="paid")

    def open_by(method: Method, payer: str) -> Started:
        return pay_online.start_merged(database, channels, PAYER, owed, channel, method, payer)

    return best_way(channels, channel, device, open_by)


def follow(database: Database, channels: Channels, text: str, order_no: str) -> ChannelOrder:
    """Tell how an order of a link's bills stands; as `pay_by_link.follow`.

    Raises
    ------
    NotFound
        As `look`, or where there is no such order over these bills.
    """
    with database.unit_of_work() as uow:
        order = order_of(uow, text, order_no)
        due = order.state in UNSETTLED and channel_orders.take_turn(
            uow.connection, order.id, uow.wall.now(), ASKED_AGAIN_AFTER
        )
    if not due or order.channel not in channels:
        return order
    return pay_online.refresh(database, channels, order_no)


def order_of(uow: UnitOfWork, text: str, order_no: str) -> ChannelOrder:
    """Give an order over a link's bills; NotFound where it is over another, or none."""
    bundle = open_link(uow, text)
    order = channel_orders.find_order(uow.connection, order_no)
    shares = {} if order is None else order_shares.of_orders(uow.connection, [order.id])
    if order is None or not _lies_within(shares[order.id], bundle.bill_ids):
        raise NotFound("the bill has no such order", field="order_no")
    return order


def _lies_within(shares: Sequence[Share], bill_ids: Sequence[BillId]) -> bool:
    return bool(shares) and {each.bill_id for each in shares} <= set(bill_ids)


def _orders_within(
    uow: UnitOfWork, bundle: PayBundle, shared: Sequence[tuple[ChannelOrder, Share]]
) -> list[ChannelOrder]:
    """Give the orders that some bills share in and no other bill does, the oldest first."""
    orders = {order.id: order for order, _ in shared}
    shares = order_shares.of_orders(uow.connection, orders)
    return [
        order
        for order in sorted(orders.values(), key=lambda each: (each.opened_at, each.id))
        if _lies_within(shares[order.id], bundle.bill_ids)
    ]
