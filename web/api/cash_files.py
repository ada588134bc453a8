"""Parking cards, attendants' shifts and cash on its way as CSV: whole, or refused as too much."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from apiflask import APIBlueprint

from city.errors import NotFound
from journeys.keep_shifts import READERS as SHIFT_READERS
from payments.rules.cards import CardState
from payments.rules.cash_moves import MoveState
from payments.rules.shifts import ShiftState
from payments.store import cards as card_store
from payments.store import shifts as shift_store
from payments.store.spans import Span
from web import access
from web.api import csv_files
from web.api.cards import READERS as CARD_READERS
from web.api.csv_files import local
from web.api.names import names_of
from web.api.schemas.cards import CardsFileQuery
from web.api.schemas.shifts import MovesFileQuery, ShiftsFileQuery
from web.api.shifts import districts_of

if TYPE_CHECKING:
    from uuid import UUID

    from flask import Response
    from sqlalchemy import Connection

    from city.money import Money
    from payments.rules.cash_moves import CashMove
    from payments.rules.shifts import Shift

blueprint = APIBlueprint("cash_files", __name__, url_prefix="/api/v1", tag="Payments")
CARDS: Final = (
    "issued_at",
    "number",
    "state",
    "balance_minor",
    "currency",
    "registered",
    "read",
    "expires_at",
    "id",
)
MOVEMENTS: Final = (
    "at",
    "kind",
    "amount_minor",
    "balance_minor",
    "currency",
    "by_way_of",
    "by",
    "reference",
    "bill_id",
    "entry_id",
    "id",
)
SHIFTS: Final = (
    "opened_at",
    "attendant",
    "district",
    "place",
    "state",
    "carried_minor",
    "counted_at",
    "counted_minor",
    "expected_minor",
    "late_minor",
    "difference_minor",
    "currency",
    "note",
    "approved_at",
    "approved_by",
    "answer",
    "id",
)
MOVES: Final = (
    "offered_at",
    "offered_by",
    "from",
    "to",
    "district",
    "amount_minor",
    "currency",
    "state",
    "ended_at",
    "ended_by",
    "words",
    "id",
)


@blueprint.get("/cards/export")
@access.allow(*CARD_READERS)
@blueprint.input(CardsFileQuery, location="query")
@blueprint.doc(
    summary="Stored-value cards as CSV, the newest first",
    responses=csv_files.documented("card"),
)
def export_cards(query_data: CardsFileQuery) -> Response:
    """Write cards as CSV."""
    state = CardState(query_data.state) if query_data.state else None
    span = Span(query_data.from_at, query_data.before_at)
    return csv_files.list_file(
        "cards.csv",
        CARDS,
        lambda connection, last, limit: card_store.page_of_cards(
            connection, state, last, limit, span=span
        ),
        lambda _: (),
        lambda each, _: (
            local(each.issued_at),
            each.number,
            each.state.value,
            each.balance.minor,
            each.balance.currency,
            each.holder is not None,
            each.read,
            local(each.expires_at),
            str(each.id),
        ),
    )


@blueprint.get("/cards/<uuid:card_id>/movements/export")
@access.allow(*CARD_READERS)
@blueprint.doc(
    summary="A card's statement as CSV, the latest first",
    responses=csv_files.documented("movement"),
)
def export_movements(card_id: UUID) -> Response:
    """Write a card's statement as CSV."""
    with access.wiring().database.read() as connection:
        if card_store.find_card(connection, card_id) is None:
            raise NotFound("there is no such card", field="card")
        found = csv_files.every_line(
            lambda last, limit: card_store.page_of_movements(connection, card_id, last, limit)
        )
        bills = card_store.bills_of_references(
            connection, [each.reference for each in found if each.reference]
        )
        names = names_of(connection, {each.made_by for each in found})
    return csv_files.csv_file(
        "card-statement.csv",
        MOVEMENTS,
        (
            (
                local(each.at),
                each.kind.value,
                each.amount.minor,
                each.balance.minor,
                each.amount.currency,
                each.by_way_of,
                names.get(each.made_by, each.made_by),
                each.reference,
                str(bills.get(each.reference) or ""),
                str(each.entry_id),
                str(each.id),
            )
            for each in found
        ),
    )


@blueprint.get("/shifts/export")
@access.allow(*SHIFT_READERS)
@blueprint.input(ShiftsFileQuery, location="query")
@blueprint.doc(
    summary="Shifts with what was counted, as CSV, the latest first",
    responses=csv_files.documented("shift"),
)
def export_shifts(query_data: ShiftsFileQuery) -> Response:
    """Write shifts as CSV."""
    state = ShiftState(query_data.state) if query_data.state else None
    districts = districts_of(access.known_actor())
    span = Span(query_data.from_at, query_data.before_at)

    def page(
        connection: Connection, last: UUID | None, limit: int
    ) -> tuple[list[Shift], UUID | None]:
        found = shift_store.page(connection, districts, state, last, limit, span=span)
        return found[:limit], found[limit - 1].id if len(found) > limit else None

    def minor(amount: Money | None) -> int | None:
        return None if amount is None else amount.minor

    return csv_files.list_file(
        "shifts.csv",
        SHIFTS,
        page,
        lambda each: (each.holder, each.approved_by),
        lambda each, called: (
            local(each.opened_at),
            called(each.holder),
            each.district,
            each.place,
            each.state.value,
            each.carried.minor,
            local(each.counted_at),
            minor(each.counted),
            minor(each.expected),
            each.late.minor,
            minor(each.difference),
            each.carried.currency,
            each.note,
            local(each.approved_at),
            called(each.approved_by),
            each.answer,
            str(each.id),
        ),
    )


@blueprint.get("/cash-moves/export")
@access.allow(*SHIFT_READERS)
@blueprint.input(MovesFileQuery, location="query")
@blueprint.doc(
    summary="Cash that goes, or went, from hand to hand, as CSV, the latest first",
    responses=csv_files.documented("hand-over"),
)
def export_moves(query_data: MovesFileQuery) -> Response:
    """Write cash that changed hands as CSV."""
    state = MoveState(query_data.state) if query_data.state else None
    districts = districts_of(access.known_actor())
    span = Span(query_data.from_at, query_data.before_at)

    def page(
        connection: Connection, last: UUID | None, limit: int
    ) -> tuple[list[CashMove], UUID | None]:
        found = shift_store.page_of_moves(connection, districts, state, last, limit, span=span)
        return found[:limit], found[limit - 1].id if len(found) > limit else None

    return csv_files.list_file(
        "cash-moves.csv",
        MOVES,
        page,
        lambda each: (each.source.holder, each.target.holder, each.offered_by, each.ended_by),
        lambda each, called: (
            local(each.offered_at),
            called(each.offered_by),
            f"{each.source.kind.value}: {called(each.source.holder)}",
            f"{each.target.kind.value}: {called(each.target.holder)}",
            each.district,
            each.amount.minor,
            each.amount.currency,
            each.state.value,
            local(each.ended_at),
            called(each.ended_by),
            each.words,
            str(each.id),
        ),
    )
