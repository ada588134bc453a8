"""Pay a bill without an account: by the link that came with it, or found by the car's plate.

A link is a capability: it is signed with a key of the vault's, names no plate, and shows what its
scope says. Paying itself is `journeys/pay_online.py`'s.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from city.errors import NotFound
from city.identifiers import BillId, FacilityId, VehicleId
from city.money import Money
from city.people.actors import Actor, system_actor
from city.people.roles import Role
from city.vault import find_plate, keyed_digests
from city.vehicles import PlateNumber
from city.works.database import Database, UnitOfWork
from journeys import pay_online
from journeys.dispute_bill import own_bill
from journeys.pay_ahead import leaves_by
from journeys.pay_online import Channels, Started
from journeys.ways_to_pay import SCANS, Device, best_way
from parking.rules.stays import ParkingSession
from parking.services import stays
from payments import channel_orders
from payments import services as payments
from payments.rules.bills import Bill, BillState, Payment
from payments.rules.channel_orders import ChannelOrder, OrderState
from payments.rules.channels import Channel, Method
from payments.rules.order_shares import Share
from payments.rules.pay_links import PayLink, Scope, open_sealed, seal
from payments.store import order_shares

PAYER: Final = system_actor("payments.payer")
GIVEN_OUT_FOR: Final = timedelta(days=90)
"""A link that came with its bill: thirty days to pay, and as long again twice over."""
FOUND_FOR: Final = timedelta(days=1)
"""A link that was found by a plate: to pay now, and to come back for the receipt."""
MOST_FOUND: Final = 50
ASKED_AGAIN_AFTER: Final = timedelta(seconds=3)
"""However many pages wait for an order, its channel is asked no more often."""
_HALVES: Final = ("pay-link/siv-seal", "pay-link/siv-cover")
"""Two keys of 32 bytes, unrelated to each other, make the one that AES-SIV takes."""
UNSETTLED: Final = frozenset({OrderState.ASKED, OrderState.OPEN, OrderState.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Payable:
    """A bill as the holder of a link sees it.

    Parameters
    ----------
    bill : Bill
    scope : Scope
        How much of it shows.
    orders : sequence of ChannelOrder
        All of them over it alone, the oldest first.
    shared : sequence of tuple
        The orders that it shares in with other bills, each with its share.
    payment : Payment or None
        What settled it.
    stay : ParkingSession or None
        Where the scope shows it.
    leave_by_at : datetime or None
        Of what is paid ahead, until when the stay can be left without paying more.
    """

    bill: Bill
    scope: Scope
    orders: Sequence[ChannelOrder]
    payment: Payment | None
    stay: ParkingSession | None
    leave_by_at: datetime | None = None
    shared: Sequence[tuple[ChannelOrder, Share]] = ()

    @property
    def settled_by(self) -> tuple[ChannelOrder, Money] | None:
        """The order that settled it, and what of its money went back; None where none did."""
        if self.payment is None:
            return None
        currency = self.payment.amount.currency
        for order in self.orders:
            if order.payment_id == self.payment.id:
                return order, Money(order.refunded_minor, currency)
        for order, share in self.shared:
            if share.payment_id == self.payment.id:
                return order, Money(share.refunded_minor, currency)
        return None


def give_link(uow: UnitOfWork, bill_id: BillId, scope: Scope = Scope.WHOLE) -> str:
    """Write a link to a bill; whoever gets it may pay it."""
    lasts = GIVEN_OUT_FOR if scope is Scope.WHOLE else FOUND_FOR
    link = PayLink(bill_id, scope, uow.wall.now() + lasts)
    return seal(link, keys(uow))


def link_of_bill(uow: UnitOfWork, actor: Actor, bill_id: BillId) -> str:
    """Give a link to whoever may read the bill: its driver, or staff of its district.

    Raises
    ------
    NotFound
        Where there is no such bill, or it is none of theirs.
    """
    bill = payments.find_bill(uow.connection, bill_id)
    staff = actor.has_any(Role.ATTENDANT, Role.FINANCE, Role.OPERATOR, Role.ADMINISTRATOR)
    if bill is None or not (
        (staff and actor.in_district(bill.charge.district)) or own_bill(uow, actor, bill)
    ):
        raise NotFound("there is no such bill", field="bill_id")
    return give_link(uow, bill_id)


def open_link(uow: UnitOfWork, text: str) -> PayLink:
    """Read a link that somebody holds.

    Raises
    ------
    NotFound
        Where it is none of ours, or its time is over.
    """
    return open_sealed(text, keys(uow), uow.wall.now())


def look(uow: UnitOfWork, text: str) -> Payable:
    """Show what a link is to: six statements at most, three more for what is paid ahead.

    Raises
    ------
    NotFound
        As `open_link`, or where the bill is gone.
    """
    link = open_link(uow, text)
    bill = payments.find_bill(uow.connection, link.bill_id)
    if bill is None:
        raise NotFound("there is no such bill", field="link")
    whole = link.scope is Scope.WHOLE
    return Payable(
        bill,
        link.scope,
        channel_orders.orders_of_bill(uow.connection, bill.id),
        payments.payment_of_bill(uow.connection, bill.id),
        stays.find(uow.connection, bill.charge.session_id) if whole else None,
        leaves_by(uow.connection, bill),
        order_shares.of_bills(uow.connection, [bill.id]),
    )


def vehicle_by_plate(uow: UnitOfWork, plate: PlateNumber) -> VehicleId | None:
    """Find whose plate somebody typed who sees the car; the look at the vault is on record."""
    return find_plate(uow, PAYER, plate, "bills to be paid, by plate")


def unpaid_of(
    uow: UnitOfWork, vehicle_id: VehicleId, facility_id: FacilityId | None = None
) -> list[tuple[Bill, str]]:
    """Find what a vehicle owes, each bill with a link that shows neither place nor times.

    At most `MOST_FOUND`, the newest first.

    Parameters
    ----------
    uow : UnitOfWork
    vehicle_id : VehicleId
    facility_id : FacilityId or None
        That of the bay whose page its plate was typed on; None: all of the city.
    """
    page = payments.bills(
        uow.connection,
        state=BillState.OPEN,
        facility_id=facility_id,
        vehicle_id=vehicle_id,
        limit=MOST_FOUND,
    )
    return [(bill, give_link(uow, bill.id, Scope.AMOUNT)) for bill in page.items]


def start(
    database: Database, channels: Channels, text: str, channel: Channel, device: Device = SCANS
) -> Started:
    """Open an order at a channel over the bill of a link: the present one where there is one.

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
        As `open_link`.
    Conflict, Unavailable
        As `pay_online.start_payment` and `ways_to_pay.best_way`.
    """
    with database.unit_of_work() as uow:
        link = open_link(uow, text)

    def open_by(method: Method, payer: str) -> Started:
        return pay_online.start_payment(
            database, channels, PAYER, link.bill_id, channel, method, payer
        )

    return best_way(channels, channel, device, open_by)


def follow(database: Database, channels: Channels, text: str, order_no: str) -> ChannelOrder:
    """Tell how an order of a link's bill stands; its channel is asked where it was not lately.

    Two pages that wait for one order ask its channel once. What the channel does not say stays
    unknown.

    Raises
    ------
    NotFound
        As `open_link`, or where the bill has no such order.
    """
    with database.unit_of_work() as uow:
        link = open_link(uow, text)
        order = _order_of(uow, link, order_no)
        due = order.state in UNSETTLED and channel_orders.take_turn(
            uow.connection, order.id, uow.wall.now(), ASKED_AGAIN_AFTER
        )
    if not due or order.channel not in channels:
        return order
    return pay_online.refresh(database, channels, order_no)


def order_of(uow: UnitOfWork, text: str, order_no: str) -> ChannelOrder:
    """Give an order of a link's bill; NotFound where it is of another or of none."""
    return _order_of(uow, open_link(uow, text), order_no)


def newest(orders: Sequence[ChannelOrder]) -> Mapping[Channel, ChannelOrder]:
    """Give each channel's last order, of those that are the oldest first."""
    return {order.channel: order for order in orders}


def _order_of(uow: UnitOfWork, link: PayLink, order_no: str) -> ChannelOrder:
    order = channel_orders.find_order(uow.connection, order_no)
    if order is None or order.bill_id != link.bill_id:
        raise NotFound("the bill has no such order", field="order_no")
    return order


def keys(uow: UnitOfWork) -> list[bytes]:
    """Derive a link's keys from each live key of the vault, the one for new links first."""
    halves = (keyed_digests(uow, purpose, "") for purpose in _HALVES)
    return [first + second for first, second in zip(*halves, strict=True)]
