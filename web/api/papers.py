"""Invoices and receipts as the finance desk lists them: whose they are is masked where a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from apiflask import APIBlueprint

from parking.services.place_keeping import operators_by_id
from payments import services as payments
from payments.rules.invoices import Colour, InvoiceState
from payments.store import invoices as store
from payments.store.spans import Span
from web import access
from web.api import csv_files
from web.api.csv_files import local
from web.api.cursors import after, cursor
from web.api.finance import READERS
from web.api.plates import masked_plates
from web.api.schemas.papers import PapersFileQuery, PapersOut, PapersQuery

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from flask import Response
    from sqlalchemy import Connection

    from payments.rules.invoices import Invoice

blueprint = APIBlueprint("papers", __name__, url_prefix="/api/v1", tag="Payments")
COLUMNS: Final = (
    "asked_at",
    "issued_at",
    "state",
    "kind",
    "colour",
    "serial",
    "of_serial",
    "amount_minor",
    "tax_minor",
    "currency",
    "rate_bp",
    "title",
    "tax_no",
    "seller",
    "provider",
    "bill_id",
    "id",
)


@blueprint.get("/invoices")
@access.allow(*READERS)
@blueprint.input(PapersQuery, location="query")
@blueprint.output(PapersOut)
@blueprint.doc(
    summary="Invoices and receipts, the newest first",
    description="A person's name and plates are masked; a company's are what a ledger is kept by.",
)
def papers(query_data: PapersQuery) -> dict[str, Any]:
    """List papers."""
    with access.wiring().database.read() as connection:
        found, last = store.page(
            connection,
            _which(query_data),
            access.known_actor().districts,
            after(query_data.cursor),
            query_data.limit,
        )
        return {"items": _shown(connection, found), "next": cursor(last)}


@blueprint.get("/invoices/export")
@access.allow(*READERS)
@blueprint.input(PapersFileQuery, location="query")
@blueprint.doc(
    summary="Invoices and receipts as CSV, the newest first; persons' names are masked",
    responses=csv_files.documented("paper"),
)
def export_papers(query_data: PapersFileQuery) -> Response:
    """Write papers as CSV."""
    which, districts = _which(query_data), access.known_actor().districts
    with access.wiring().database.read() as connection:
        found = csv_files.every_line(
            lambda last, limit: store.page(connection, which, districts, last, limit)
        )
        sellers = operators_by_id(connection, {each.seller_id for each in found})
        taken_back = _serials(connection, found)
    return csv_files.csv_file(
        "invoices.csv",
        COLUMNS,
        (
            (
                local(each.asked_at),
                local(each.issued_at),
                each.state.value,
                each.kind.value,
                each.colour.value,
                each.serial,
                taken_back.get(each.of) if each.of else None,
                each.amount.minor,
                each.tax.minor,
                each.amount.currency,
                each.rate_bp,
                each.buyer.masked,
                each.buyer.tax_no,
                sellers[each.seller_id].name_zh if each.seller_id in sellers else None,
                each.provider,
                str(each.bill_id),
                str(each.id),
            )
            for each in found
        ),
    )


def _which(asked: PapersFileQuery) -> store.Which:
    return store.Which(
        InvoiceState(asked.state) if asked.state else None,
        Colour(asked.colour) if asked.colour else None,
        asked.number.strip(),
        Span(asked.from_at, asked.before_at),
    )


def _serials(connection: Connection, found: Sequence[Invoice]) -> dict[UUID, str]:
    return store.serials_of(connection, {each.of for each in found if each.of is not None})


def _shown(connection: Connection, found: Sequence[Invoice]) -> list[dict[str, Any]]:
    """Return papers with their sellers and their bills' plates: four statements for a page."""
    sellers = operators_by_id(connection, {each.seller_id for each in found})
    taken_back = _serials(connection, found)
    bills = payments.bills_by_id(connection, {each.bill_id for each in found})
    plates = masked_plates(connection, (bill.charge.vehicle_id for bill in bills.values()))
    return [
        {
            "id": each.id,
            "bill_id": each.bill_id,
            "plate": plates.get(bills[each.bill_id].charge.vehicle_id),
            "kind": each.kind.value,
            "colour": each.colour.value,
            "state": each.state.value,
            "amount": each.amount.as_json(),
            "tax": each.tax.as_json(),
            "rate_bp": each.rate_bp,
            "title": each.buyer.masked,
            "tax_no": each.buyer.tax_no,
            "seller": {
                "zh": sellers[each.seller_id].name_zh,
                "en": sellers[each.seller_id].name_en,
            }
            if each.seller_id in sellers
            else None,
            "serial": each.serial or None,
            "of_serial": taken_back.get(each.of) if each.of else None,
            "provider": each.provider,
            "asked_at": each.asked_at,
            "issued_at": each.issued_at,
        }
        for each in found
    ]
