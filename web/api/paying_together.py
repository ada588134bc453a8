"""Paying several bills of one vehicle at once, for whoever holds links to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint

from journeys import pay_by_link, pay_together
from parking.services import places
from payments.rules.pay_links import Scope
from web import access, limits
from web.acts import look
from web.api.paying import followed, opened, shown_order, shown_receipt, to_choose_from
from web.api.plates import masked_plates
from web.api.schemas.paying import OrderOut, PayIn, TogetherIn, TogetherLinkOut, TogetherOut
from web.api.shown import names_of

if TYPE_CHECKING:
    from city.works.database import UnitOfWork

blueprint = APIBlueprint("paying_together", __name__, url_prefix="/api/v1", tag="Payments")

BOUND_BY_ONE_REMOTE = 60
"""Links bound in a quarter of an hour by one address."""


@blueprint.post("/pay/together")
@access.public
@blueprint.input(TogetherIn)
@blueprint.output(TogetherLinkOut)
@blueprint.doc(
    summary="One link to several unpaid bills of one vehicle, to pay them at once",
    description="It shows as much of them as the least of the links given, and ends with them.",
)
def bind(json_data: TogetherIn) -> dict[str, Any]:
    """Bind links."""
    limits.count("links-bound", limits.remote(), BOUND_BY_ONE_REMOTE)
    with access.wiring().database.unit_of_work() as uow:
        return {"link": f"/pay/together/{pay_together.bind(uow, json_data.links)}"}


@blueprint.get("/pay/together/<link>")
@access.public
@look
@blueprint.output(TogetherOut)
@blueprint.doc(summary="Several bills that are paid at once, and what became of paying them")
def together(uow: UnitOfWork, link: str) -> dict[str, Any]:
    """Show the bills of a link."""
    wiring, found = access.wiring(), pay_together.look(uow, link)
    whole = found.scope is Scope.WHOLE
    wall_now = wiring.wall.now()
    vehicle_id = found.bills[0][0].bill.charge.vehicle_id
    of = {each.bill.charge.facility_id for each, _ in found.bills} if whole else set()
    facilities = places.facilities_by_id(uow.connection, of)
    outstanding = found.outstanding
    return {
        "plate": masked_plates(uow.connection, [vehicle_id]).get(vehicle_id),
        "outstanding": outstanding.as_json(),
        "items": [
            {
                "state": each.bill.state.value,
                "amount": each.bill.amount.as_json(),
                "outstanding": each.bill.outstanding.as_json(),
                "issued_at": each.bill.issued_at,
                "due_at": each.bill.due_at,
                "facility": names_of(facilities.get(each.bill.charge.facility_id)),
                "link": f"/pay/{own}",
                "receipt": shown_receipt(each, whole=whole),
                "goes_back": None if back is None else back.as_json(),
            }
            for each, own in found.bills
            for back in [found.goes_back(each)]
        ],
        "channels": to_choose_from() if outstanding else [],
        "orders": [
            shown_order(each, wiring.settings, wall_now, uow=uow)
            for each in pay_by_link.newest(found.orders).values()
        ],
    }


@blueprint.post("/pay/together/<link>/orders")
@access.public
@blueprint.input(PayIn)
@blueprint.output(OrderOut, status_code=201)
@blueprint.doc(
    summary="Open one order over all of the bills that take money, at a channel",
    description=(
        "Each bill gets what is left of it. One that is paid another way meanwhile is given back "
        "its part by itself, and no other. Asked again, it is the same order while that takes "
        "money and nothing changed."
    ),
)
def start(link: str, json_data: PayIn) -> dict[str, Any]:
    """Open an order."""
    return opened(pay_together.start, link, json_data)


@blueprint.get("/pay/together/<link>/orders/<order_no>")
@access.public
@blueprint.output(OrderOut)
@blueprint.doc(summary="How an order over several bills stands; its channel is asked where needed")
def order(link: str, order_no: str) -> dict[str, Any]:
    """Tell how an order stands."""
    return followed(pay_together.follow, link, order_no)
