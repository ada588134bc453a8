"""Pages to pay on: by a bill's link, by a plate at a bay or as a driver, from one's own bill."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response, redirect, url_for

from city.errors import NotFound
from city.identifiers import BillId
from city.money import Money
from journeys import pay_together as together
from journeys import top_up_cards
from journeys.pay_by_link import link_of_bill, open_link, order_of
from journeys.request_invoice import paper
from parking.services.signs import sign_of_bay
from payments.rules.capitals import in_capitals
from payments.rules.channel_bills.lines import CHINA
from payments.rules.channels import Method
from web import access, qr
from web.pages.blueprint import blueprint
from web.pages.context import DRIVER_ROLES, language
from web.pages.render import page
from web.pages.signs import name_of

if TYPE_CHECKING:
    from uuid import UUID

    from werkzeug.wrappers import Response as BaseResponse

    from payments.rules.channel_orders import ChannelOrder


@blueprint.get("/pay/<link>")
@access.public
def pay(link: str) -> Response:
    """Show what is to be paid, how, and what became of it."""
    with access.wiring().database.unit_of_work() as uow:
        open_link(uow, link)
    response = page("pay.html", subject=link)
    # The address is the proof: it goes to nobody, not even to our own other pages.
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@blueprint.get("/pay/<link>/orders/<order_no>/code.svg")
@access.public
def pay_code(link: str, order_no: str) -> Response:
    """Draw what the payer scans."""
    with access.wiring().database.unit_of_work() as uow:
        order = order_of(uow, link, order_no)
    return _code(order)


@blueprint.get("/pay/together/<link>")
@access.public
def pay_together(link: str) -> Response:
    """Show several bills of one vehicle, and how to pay them at once."""
    with access.wiring().database.unit_of_work() as uow:
        together.open_link(uow, link)
    response = page("pay_together.html", subject=link)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@blueprint.get("/pay/together/<link>/code.svg")
@access.public
def pay_together_link(link: str) -> Response:
    """Draw the page's own address, for a driver to scan off somebody's screen or slip."""
    with access.wiring().database.unit_of_work() as uow:
        together.open_link(uow, link)
    origin = access.wiring().settings.page_origin
    drawn = qr.svg(origin + url_for("pages.pay_together", link=link), link)
    headers = {"Cache-Control": "private, no-store", "Referrer-Policy": "no-referrer"}
    return Response(drawn, content_type="image/svg+xml", headers=headers)


@blueprint.get("/pay/together/<link>/orders/<order_no>/code.svg")
@access.public
def pay_together_code(link: str, order_no: str) -> Response:
    """Draw what the payer of several bills scans."""
    with access.wiring().database.unit_of_work() as uow:
        order = together.order_of(uow, link, order_no)
    return _code(order)


@blueprint.get("/pay/<link>/invoices/<uuid:invoice_id>")
@access.public
def pay_invoice(link: str, invoice_id: UUID) -> Response:
    """Show one invoice or fiscal receipt as it is printed or kept as a file."""
    with access.wiring().database.unit_of_work() as uow:
        found = paper(uow, link, invoice_id)
    shown, spoken = found.invoice, language()
    net = Money(shown.amount.minor - shown.tax.minor, shown.amount.currency)
    response = page(
        "invoice.html",
        invoice=shown,
        issued=None if shown.issued_at is None else shown.issued_at.astimezone(CHINA),
        original=found.original,
        seller=name_of(found.seller) if found.seller else None,
        net=net.text(spoken),
        tax=shown.tax.text(spoken),
        total=shown.amount.text(spoken),
        capitals=in_capitals(shown.amount) if shown.amount.currency == "CNY" else None,
        rate=f"{shown.rate_bp / 100:g} %",
        back=url_for("pages.pay", link=link),
    )
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "private, no-store"
    return response


@blueprint.get("/bays/<uuid:bay_id>/pay")
@access.public
def pay_at_bay(bay_id: UUID) -> Response:
    """Ask for the plate whose bills at this bay's facility are to be paid."""
    with access.wiring().database.read() as connection:
        sign = sign_of_bay(connection, bay_id)
    return page("pay_plate.html", subject=str(bay_id), sign=sign, place=name_of(sign.facility))


@blueprint.get("/pay")
@access.allow(*DRIVER_ROLES)
def pay_by_plate() -> Response:
    """Ask a driver for the plate whose bills are to be paid."""
    return page("pay_plate.html", sign=None, place=None)


@blueprint.get("/bills/<uuid:bill_id>/pay")
@access.signed_in
def pay_bill(bill_id: UUID) -> BaseResponse:
    """Lead from a bill to its pay page, for whoever may read it."""
    with access.wiring().database.unit_of_work() as uow:
        link = link_of_bill(uow, access.known_actor(), BillId(bill_id))
    return redirect(url_for("pages.pay", link=link))


@blueprint.get("/bills/<uuid:bill_id>/code.svg")
@access.signed_in
def bill_code(bill_id: UUID) -> Response:
    """Draw the address of a bill's own page, for its receipt: whoever holds it needs no account."""
    wiring = access.wiring()
    with wiring.database.unit_of_work() as uow:
        link = link_of_bill(uow, access.known_actor(), BillId(bill_id))
    drawn = qr.svg(wiring.settings.page_origin + url_for("pages.pay", link=link), str(bill_id))
    headers = {"Cache-Control": "private, no-store", "Referrer-Policy": "no-referrer"}
    return Response(drawn, content_type="image/svg+xml", headers=headers)


@blueprint.get("/mine/cards/top-ups/<order_no>")
@access.allow(*DRIVER_ROLES)
def top_up(order_no: str) -> Response:
    """Show one top-up of a driver's own card: the code, and what became of it."""
    with access.wiring().database.unit_of_work() as uow:
        top_up_cards.order_of(uow, access.known_actor(), order_no)
    return page("top_up.html", subject=order_no)


@blueprint.get("/mine/cards/top-ups/<order_no>/code.svg")
@access.allow(*DRIVER_ROLES)
def top_up_code(order_no: str) -> Response:
    """Draw what the payer of a top-up scans."""
    with access.wiring().database.unit_of_work() as uow:
        order = top_up_cards.order_of(uow, access.known_actor(), order_no)
    return _code(order)


def _code(order: ChannelOrder) -> Response:
    if not order.code or order.method is not Method.CODE:
        raise NotFound("The order has no code.")
    return Response(
        qr.svg(order.code, order.channel.value),
        content_type="image/svg+xml",
        headers={"Cache-Control": "private, no-store"},
    )
