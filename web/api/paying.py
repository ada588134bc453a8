"""Paying online, for whoever holds a bill's link or reads a plate off a car."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from apiflask import APIBlueprint

from city.errors import Unavailable
from city.identifiers import BayId
from city.money import Money
from city.people import Role
from city.vehicles import PlateNumber, parse_plate
from journeys import offer_ahead, pay_by_link
from parking.services import places
from payments.rules.bills import BillState
from payments.rules.channel_orders import ChannelOrder, OrderState
from payments.rules.channel_registry import TRAITS
from payments.rules.channels import Channel, Method
from payments.rules.pay_links import Scope
from web import access, limits, payers
from web.acts import look
from web.api.lines import bill_lines
from web.api.plates import masked_plates
from web.api.schemas.paying import OrderOut, PayableOut, PayIn, PlateIn, UnpaidListOut
from web.api.shown import names_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from uuid import UUID

    from city.works.database import UnitOfWork
    from city.works.settings import Settings
    from journeys.pay_by_link import Payable
    from journeys.pay_online import Started
    from payments.rules.bills import Bill

blueprint = APIBlueprint("paying", __name__, url_prefix="/api/v1", tag="Payments")

PLATES_OF_ONE_REMOTE: Final = 30
PLATES_AT_ONE_BAY: Final = 60
"""Plates tried in a quarter of an hour: a phone network's customers share an address, and nobody
reads more cars off one kerb."""
ASKING_AT_ONCE: Final = 6
"""Requests that wait for a channel in one process: the others of its threads serve whoever does
not, however long a channel takes."""
BUSY_RETRY_S: Final = 2

_asking = threading.BoundedSemaphore(ASKING_AT_ONCE)


@blueprint.get("/pay/<link>")
@access.public
@look
@blueprint.output(PayableOut)
@blueprint.doc(summary="What a bearer link is to: a bill, what became of paying it")
def payable(uow: UnitOfWork, link: str) -> dict[str, Any]:
    """Show a bill to whoever holds its link."""
    found = pay_by_link.look(uow, link)
    return _shown(uow, found)


@blueprint.post("/pay/<link>/orders")
@access.public
@blueprint.input(PayIn)
@blueprint.output(OrderOut, status_code=201)
@blueprint.doc(
    summary="Open an order over the whole bill at a channel",
    description=(
        "Asked again, it is the same order while that takes money: a bill has one open order a "
        "channel. A state of asked or unknown means that the channel's answer was lost; ask how "
        "the order stands before anything is paid another way."
    ),
)
def start(link: str, json_data: PayIn) -> dict[str, Any]:
    """Open an order."""
    return opened(pay_by_link.start, link, json_data)


@blueprint.get("/pay/<link>/orders/<order_no>")
@access.public
@blueprint.output(OrderOut)
@blueprint.doc(
    summary="How an order of the bill stands; the channel is asked where that is not known"
)
def order(link: str, order_no: str) -> dict[str, Any]:
    """Tell how an order stands."""
    return followed(pay_by_link.follow, link, order_no)


@blueprint.post("/bays/<uuid:bay_id>/unpaid")
@access.public
@blueprint.input(PlateIn)
@blueprint.output(UnpaidListOut)
@blueprint.doc(
    summary="What a vehicle owes at a bay's facility, and for standing here, by its plate",
    description=(
        "From a bay's QR page; neither places nor times are told, few plates are taken. What "
        "a stay that goes on costs by now is offered as `ahead`, of a car in that very bay or "
        "behind the facility's gates; it is paid before leaving, and costs more later."
    ),
)
def unpaid_at_bay(bay_id: UUID, json_data: PlateIn) -> dict[str, Any]:
    """Find the unpaid bills of a plate at a bay's facility."""
    plate = _plate(json_data)
    limits.count("plates-at-bay", str(bay_id), PLATES_AT_ONE_BAY)
    with access.wiring().database.unit_of_work() as uow:
        return _unpaid(offer_ahead.payable_by_plate(uow, plate, BayId(bay_id)))


@blueprint.post("/me/unpaid")
@access.allow(Role.DRIVER)
@blueprint.input(PlateIn)
@blueprint.output(UnpaidListOut)
@blueprint.doc(
    summary="What any vehicle owes in the city, by its plate: for a driver who pays it",
    description="With what a stay that goes on costs by now, as `ahead`.",
)
def unpaid(json_data: PlateIn) -> dict[str, Any]:
    """Find the unpaid bills of a plate."""
    plate = _plate(json_data)
    limits.count("plates-of-driver", access.known_actor().subject, PLATES_OF_ONE_REMOTE)
    with access.wiring().database.unit_of_work() as uow:
        return _unpaid(offer_ahead.payable_by_plate(uow, plate))


def shown_order(
    order: ChannelOrder,
    settings: Settings,
    now: datetime,
    code: str = "",
    uow: UnitOfWork | None = None,
) -> dict[str, Any]:
    """Return an order; ``now`` is wall time, which is what channels know."""
    code = code or order.code
    waits = order.state in {OrderState.ASKED, OrderState.OPEN, OrderState.UNKNOWN}
    left_s = (order.code_ends_at - now).total_seconds()
    payable_now = bool(code) and waits and left_s > 0
    return {
        "order_no": order.order_no,
        "channel": order.channel.value,
        "state": order.state.value,
        "amount": order.amount.as_json(),
        "seconds_left": max(0, int(left_s)) if waits else 0,
        "link": _followed(code, settings) if payable_now else None,
        "scannable": payable_now and order.method is Method.CODE,
        "in_app": payers.call_of(order, code, uow) if payable_now else None,
        "may_be_paid": bool(code) or order.may_be_paid,
        "surplus": order.surplus,
        "refunded": Money(order.refunded_minor, order.amount.currency).as_json(),
    }


def _shown_shared(found: Payable) -> list[dict[str, Any]]:
    """Return orders that a bill shares in, as far as they tell of it: paid, or not known yet."""
    told = {OrderState.ASKED, OrderState.UNKNOWN, OrderState.PAID}
    return [
        {
            "order_no": order.order_no,
            "channel": order.channel.value,
            "state": order.state.value,
            "amount": share.amount.as_json(),
            "seconds_left": 0,
            "link": None,
            "scannable": False,
            "in_app": None,
            "may_be_paid": order.may_be_paid,
            "surplus": order.state is OrderState.PAID and share.payment_id is None,
            "refunded": Money(share.refunded_minor, share.amount.currency).as_json(),
        }
        for order, share in found.shared
        if order.state in told
    ]


def _followed(code: str, settings: Settings) -> str | None:
    """Give where a payer goes on the phone that shows the page; a `weixin:` code is only scanned.

    The demo's gateway has a page for such a payer as well.
    """
    if code.startswith(("https://", "http://")):
        return code
    _, marked, token = code.partition("weixin://wxpay/bizpayurl?pr=")
    if marked and settings.gateway_origin is not None:
        return f"{settings.gateway_origin}/payer/{token}"
    return None


def _plate(given: PlateIn) -> PlateNumber:
    """Read a plate; only what can be one is counted and looked up."""
    plate = parse_plate(given.plate, given.kind)
    limits.count("plates", limits.remote(), PLATES_OF_ONE_REMOTE)
    return plate


def opened(start: Callable[..., Started], link: str, wanted: PayIn) -> dict[str, Any]:
    """Open an order at the channel that a payer has chosen, by the journey of what a link is to."""
    wiring = access.wiring()
    with at_a_channel() as free:
        if not free:
            raise Unavailable("the channels are busy", retry_after_s=BUSY_RETRY_S)
        channel, device = Channel(wanted.channel), payers.device(wanted.way)
        done = start(wiring.database, wiring.channels, link, channel, device)
    return shown_order(done.order, wiring.settings, wiring.wall.now(), done.code)


def followed(follow: Callable[..., ChannelOrder], link: str, order_no: str) -> dict[str, Any]:
    """Tell how an order stands, by the journey of what a link is to."""
    wiring = access.wiring()
    with at_a_channel() as free:
        channels = wiring.channels if free else {}
        found = follow(wiring.database, channels, link, order_no)
    return shown_order(found, wiring.settings, wiring.wall.now())


def to_choose_from() -> list[Channel]:
    """Give the channels that payers choose from here."""
    channels = access.wiring().channels
    return [each for each in Channel if each in channels and TRAITS[each].chosen_by_payers]


@contextmanager
def at_a_channel() -> Iterator[bool]:
    """Lend one of the places of those who wait for a channel; False where none is free."""
    free = _asking.acquire(blocking=False)
    try:
        yield free
    finally:
        if free:
            _asking.release()


def _unpaid(found: Sequence[tuple[Bill, str]]) -> dict[str, Any]:
    return {
        "items": [
            {
                "amount": bill.outstanding.as_json(),
                "issued_at": bill.issued_at,
                "due_at": bill.due_at,
                "ahead": bill.state is BillState.OFFERED,
                "link": f"/pay/{link}",
            }
            for bill, link in found
        ]
    }


def _shown(uow: UnitOfWork, found: Payable) -> dict[str, Any]:
    wiring, bill = access.wiring(), found.bill
    whole = found.scope is Scope.WHOLE
    charge = bill.charge
    facilities = places.facilities_by_id(uow.connection, [charge.facility_id]) if whole else {}
    stay = found.stay
    now = wiring.wall.now()
    return {
        "bill_id": bill.id if whole else None,
        "state": bill.state.value,
        "amount": bill.amount.as_json(),
        "outstanding": bill.outstanding.as_json(),
        "paid_ahead": bill.applied.as_json(),
        "plate": masked_plates(uow.connection, [charge.vehicle_id]).get(charge.vehicle_id),
        "issued_at": bill.issued_at,
        "due_at": bill.due_at,
        "leave_by_at": found.leave_by_at,
        "facility": names_of(facilities.get(charge.facility_id)),
        "stay": None
        if stay is None
        else {
            "bay_label": stay.bay_label,
            "opened_at": stay.stay.opened_at,
            "closed_at": stay.stay.closed_at,
        },
        "lines": bill_lines(charge.lines, bill.amount.currency) if whole else None,
        "channels": to_choose_from()
        if bill.state is BillState.OPEN
        or (bill.state is BillState.OFFERED and wiring.clock.now() <= bill.due_at)
        else [],
        "orders": [
            shown_order(each, wiring.settings, now, uow=uow)
            for each in pay_by_link.newest(found.orders).values()
        ]
        + _shown_shared(found),
        "receipt": shown_receipt(found, whole=whole),
    }


def shown_receipt(found: Payable, *, whole: bool) -> dict[str, Any] | None:
    """Return what settled a bill; null where it is not paid, or was over nothing."""
    payment = found.payment
    if payment is None or found.bill.state is not BillState.PAID:
        return None  # a part that was paid is no receipt of the whole
    order, refunded = found.settled_by or (None, Money(0, payment.amount.currency))
    return {
        "number": payment.id,
        "channel": payment.channel,
        "amount": payment.amount.as_json(),
        "rounded": (payment.amount - payment.taken).as_json(),
        "received_at": payment.taken_at,
        "order_no": order.order_no if order else None,
        "channel_no": order.channel_no if order and whole else None,
        "refunded": refunded.as_json(),
    }
