"""Invoices and receipts, asked for and read by whoever holds a bill's link."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint

from journeys import request_invoice as journey
from payments.rules.invoices import Buyer
from web import access
from web.acts import look
from web.api.schemas.invoices import BuyerIn, InvoiceOut, InvoicesOut, PaperOut

if TYPE_CHECKING:
    from uuid import UUID

    from city.works.database import UnitOfWork
    from payments.rules.invoices import Invoice

blueprint = APIBlueprint("invoices", __name__, url_prefix="/api/v1", tag="Payments")


@blueprint.get("/pay/<link>/invoices")
@access.public
@look
@blueprint.output(InvoicesOut)
@blueprint.doc(summary="The invoices of a link's bill, and what may still be invoiced")
def invoices(uow: UnitOfWork, link: str) -> dict[str, Any]:
    """List a bill's papers."""
    found = journey.papers(uow, link)
    return {
        "kind": found.kind.value,
        "items": [_invoice(each) for each in found.items],
        "left": found.left.as_json(),
    }


@blueprint.post("/pay/<link>/invoices")
@access.public
@blueprint.input(BuyerIn)
@blueprint.output(InvoiceOut, status_code=201)
@blueprint.doc(
    summary="Ask for an invoice or fiscal receipt over what was paid",
    description=(
        "Over all that was paid, not given back and not invoiced yet: asked again there is nothing "
        "left. By the link that came with the bill, not by one found by a plate."
    ),
)
def request(link: str, json_data: BuyerIn) -> dict[str, Any]:
    """Ask for a paper."""
    wiring = access.wiring()
    buyer = Buyer(json_data.title.strip(), json_data.tax_no.strip().upper())
    return _invoice(journey.request_invoice(wiring.database, wiring.invoices, link, buyer))


@blueprint.get("/pay/<link>/invoices/<uuid:invoice_id>")
@access.public
@look
@blueprint.output(PaperOut)
@blueprint.doc(summary="One invoice of a link's bill, with its seller")
def invoice(uow: UnitOfWork, link: str, invoice_id: UUID) -> dict[str, Any]:
    """Show one paper."""
    found = journey.paper(uow, link, invoice_id)
    seller = found.seller
    return {
        **_invoice(found.invoice),
        "seller": None if seller is None else {"zh": seller.name_zh, "en": seller.name_en},
        "of_serial": None if found.original is None else found.original.serial,
    }


def _invoice(paper: Invoice) -> dict[str, Any]:
    return {
        "id": paper.id,
        "kind": paper.kind.value,
        "colour": paper.colour.value,
        "state": paper.state.value,
        "amount": paper.amount.as_json(),
        "tax": paper.tax.as_json(),
        "rate_bp": paper.rate_bp,
        "title": paper.buyer.title,
        "tax_no": paper.buyer.tax_no,
        "of": paper.of,
        "serial": paper.serial or None,
        "code": paper.code,
        "provider": paper.provider,
        "asked_at": paper.asked_at,
        "issued_at": paper.issued_at,
    }
