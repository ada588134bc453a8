"""A driver's own stored-value cards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint

from city.errors import NotFound
from city.identifiers import BillId
from city.people import Role
from journeys import keep_cards
from journeys.pay_by_card import pay_with_own_card
from payments.store import cards as store
from web import access
from web.acts import act, act_on_plate
from web.api.cards import count_code
from web.api.cursors import after, cursor
from web.api.schemas.base import PageQuery
from web.api.schemas.cards import (
    CardOut,
    CardPaymentOut,
    CardsOut,
    CodeOut,
    IssuedOut,
    MovementsOut,
    OwnPaymentIn,
    ProofIn,
)
from web.api.shown_cards import shown_card, shown_issued, shown_movements, shown_paid

if TYPE_CHECKING:
    from uuid import UUID

    from city.works.database import UnitOfWork

blueprint = APIBlueprint("my_cards", __name__, url_prefix="/api/v1/me/cards", tag="Cards")


@blueprint.get("")
@access.allow(Role.DRIVER)
@blueprint.output(CardsOut)
@blueprint.doc(summary="The caller's stored-value cards, the newest first")
def cards() -> dict[str, Any]:
    """List the caller's cards."""
    with access.wiring().database.read() as connection:
        found = store.cards_of(connection, access.known_actor().subject)
    return {"items": [shown_card(each) for each in found]}


@blueprint.post("")
@access.allow(Role.DRIVER)
@act
@blueprint.output(IssuedOut, status_code=201)
@blueprint.doc(summary="Open a card of one's own: a number, until a desk gives it a medium")
def open_own(uow: UnitOfWork) -> dict[str, Any]:
    """Open a card."""
    return shown_issued(keep_cards.open_own(uow, access.known_actor()))


@blueprint.post("/registrations")
@access.allow(Role.DRIVER)
@act_on_plate
@blueprint.input(ProofIn)
@blueprint.output(CardOut)
@blueprint.doc(summary="Register a bearer's card by its number and code: it never ends then")
def register(uow: UnitOfWork, json_data: ProofIn) -> dict[str, Any]:
    """Register a card."""
    count_code(json_data.number)
    caller = access.known_actor()
    return shown_card(keep_cards.register_own(uow, caller, json_data.number, json_data.code))


@blueprint.post("/<uuid:card_id>/payments")
@access.allow(Role.DRIVER)
@blueprint.input(OwnPaymentIn)
@blueprint.output(CardPaymentOut, status_code=201)
@blueprint.doc(
    summary="Pay a bill of one's own by a card of one's own",
    description="Idempotent by `order_no`. A card that holds too little pays nothing, or its part.",
)
def pay(card_id: UUID, json_data: OwnPaymentIn) -> dict[str, Any]:
    """Pay a bill by card."""
    wiring = access.wiring()
    return shown_paid(
        pay_with_own_card(
            wiring.database,
            wiring.channels,
            access.known_actor(),
            BillId(json_data.bill_id),
            card_id,
            json_data.order_no,
            part=json_data.part,
        )
    )


@blueprint.post("/<uuid:card_id>/code")
@access.allow(Role.DRIVER)
@act
@blueprint.output(CodeOut)
@blueprint.doc(summary="Give a card of one's own another code, to show at a desk")
def new_code(uow: UnitOfWork, card_id: UUID) -> dict[str, Any]:
    """Give another code."""
    return {"code": keep_cards.new_own_code(uow, access.known_actor(), card_id)}


@blueprint.post("/<uuid:card_id>/loss")
@access.allow(Role.DRIVER)
@act
@blueprint.output(CardOut)
@blueprint.doc(summary="Freeze a card of one's own at once, as it is lost")
def report_lost(uow: UnitOfWork, card_id: UUID) -> dict[str, Any]:
    """Freeze a card."""
    return shown_card(keep_cards.report_own_lost(uow, access.known_actor(), card_id))


@blueprint.post("/<uuid:card_id>/recovery")
@access.allow(Role.DRIVER)
@act
@blueprint.output(CardOut)
@blueprint.doc(summary="Let a card of one's own pay again, as it was found")
def report_found(uow: UnitOfWork, card_id: UUID) -> dict[str, Any]:
    """Let a card pay again."""
    return shown_card(keep_cards.report_own_found(uow, access.known_actor(), card_id))


@blueprint.post("/<uuid:card_id>/replacement")
@access.allow(Role.DRIVER)
@act
@blueprint.output(IssuedOut, status_code=201)
@blueprint.doc(summary="Move all that a card of one's own holds to a new one")
def replace(uow: UnitOfWork, card_id: UUID) -> dict[str, Any]:
    """Replace a card."""
    return shown_issued(keep_cards.replace_own(uow, access.known_actor(), card_id))


@blueprint.get("/<uuid:card_id>/movements")
@access.allow(Role.DRIVER)
@blueprint.input(PageQuery, location="query")
@blueprint.output(MovementsOut)
@blueprint.doc(summary="The statement of a card of one's own, the latest first")
def movements(card_id: UUID, query_data: PageQuery) -> dict[str, Any]:
    """Show a card's statement."""
    with access.wiring().database.read() as connection:
        card = store.find_card(connection, card_id)
        if card is None or card.holder != access.known_actor().subject:
            raise NotFound("is no card of yours", field="card")
        found, last = store.page_of_movements(
            connection, card_id, after(query_data.cursor), query_data.limit
        )
        items = shown_movements(connection, found, staff=False)
    return {"items": items, "next": cursor(last)}
