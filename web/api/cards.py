"""Stored-value cards at a desk and on the street, and what is owed to their holders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from apiflask import APIBlueprint

from city.errors import NotFound
from city.identifiers import BillId
from city.money import Money
from city.people import Role
from journeys import keep_cards
from journeys.keep_cards import Named
from journeys.pay_by_card import pay_with_read_card
from journeys.reconcile_cards import reconcile_cards
from payments import services as payments
from payments.rules.cards import CardState
from payments.rules.ledger import AccountKind
from payments.store import cards as store
from web import access, limits
from web.acts import act, act_on_plate
from web.api.cursors import after, cursor
from web.api.finance import shown_run
from web.api.schemas.base import PageQuery
from web.api.schemas.cards import (
    CardOut,
    CardPaymentOut,
    CardsDayIn,
    CardsPageOut,
    CardsQuery,
    IssuedOut,
    IssueIn,
    LiabilitiesOut,
    MediumIn,
    MovementOut,
    MovementsOut,
    NamedIn,
    NumberIn,
    PayOutIn,
    ProofIn,
    ReadPaymentIn,
    ReplacementIn,
    TopUpIn,
)
from web.api.schemas.finance import RunOut
from web.api.shown_cards import shown_card, shown_issued, shown_movements, shown_paid

if TYPE_CHECKING:
    from uuid import UUID

    from city.works.database import UnitOfWork

blueprint = APIBlueprint("cards", __name__, url_prefix="/api/v1", tag="Cards")
DESK: Final = keep_cards.DESK
READERS: Final = (Role.FINANCE, Role.AUDITOR, Role.ADMINISTRATOR)
# What a reader read and a card's code are short enough to be tried out against a plain hash, as
# plates are: what is kept to know such a request again is hashed under the vault's key.
CODES_OF_ONE_CARD: Final = 10
"""Tried in a quarter of an hour: of 60 bits nobody finds any so."""


@blueprint.post("/cards")
@access.allow(*DESK)
@act_on_plate
@blueprint.input(IssueIn)
@blueprint.output(IssuedOut, status_code=201)
@blueprint.doc(summary="Issue a stored-value card, without a deposit; it holds nothing yet")
def issue(uow: UnitOfWork, json_data: IssueIn) -> dict[str, Any]:
    """Issue a card."""
    return shown_issued(keep_cards.issue_card(uow, access.known_actor(), json_data.reader or ""))


@blueprint.post("/cards/found")
@access.allow(*DESK)
@act_on_plate
@blueprint.input(NamedIn)
@blueprint.output(CardOut)
@blueprint.doc(summary="Find a card by what a reader read, or by the number printed on it")
def find(uow: UnitOfWork, json_data: NamedIn) -> dict[str, Any]:
    """Find a card."""
    return shown_card(keep_cards.find_card(uow, access.known_actor(), _named(json_data)))


@blueprint.post("/cards/top-ups")
@access.allow(*DESK)
@act_on_plate
@blueprint.input(TopUpIn)
@blueprint.output(MovementOut, status_code=201)
@blueprint.doc(summary="Take cash onto a card")
def top_up(uow: UnitOfWork, json_data: TopUpIn) -> dict[str, Any]:
    """Take cash onto a card."""
    amount = Money(json_data.amount.minor, json_data.amount.currency)
    caller = access.known_actor()
    moved = keep_cards.top_up(uow, caller, _named(json_data), amount, json_data.id)
    return shown_movements(uow.connection, [moved], staff=True)[0]


@blueprint.post("/cards/media")
@access.allow(*DESK)
@act_on_plate
@blueprint.input(MediumIn)
@blueprint.output(CardOut)
@blueprint.doc(summary="Have readers know a card from now on, for who knows its code")
def bind_medium(uow: UnitOfWork, json_data: MediumIn) -> dict[str, Any]:
    """Give a card a medium."""
    count_code(json_data.number)
    caller = access.known_actor()
    return shown_card(
        keep_cards.bind_reader(uow, caller, json_data.number, json_data.code, json_data.reader)
    )


@blueprint.post("/cards/losses")
@access.allow(*DESK)
@act
@blueprint.input(NumberIn)
@blueprint.output(CardOut)
@blueprint.doc(summary="Freeze a card that is said to be lost, at once")
def report_lost(uow: UnitOfWork, json_data: NumberIn) -> dict[str, Any]:
    """Freeze a card."""
    return shown_card(keep_cards.report_lost(uow, access.known_actor(), json_data.number))


@blueprint.post("/cards/recoveries")
@access.allow(*DESK)
@act_on_plate
@blueprint.input(ProofIn)
@blueprint.output(CardOut)
@blueprint.doc(summary="Let a lost card pay again, for who knows its code")
def report_found(uow: UnitOfWork, json_data: ProofIn) -> dict[str, Any]:
    """Let a card pay again."""
    count_code(json_data.number)
    caller = access.known_actor()
    return shown_card(keep_cards.report_found(uow, caller, json_data.number, json_data.code))


@blueprint.post("/cards/replacements")
@access.allow(*DESK)
@act_on_plate
@blueprint.input(ReplacementIn)
@blueprint.output(IssuedOut, status_code=201)
@blueprint.doc(
    summary="Move all that a bearer's card holds to a new one, for who knows its code",
    description="A registered card is replaced by its holder alone, on their own page.",
)
def replace(uow: UnitOfWork, json_data: ReplacementIn) -> dict[str, Any]:
    """Replace a card."""
    count_code(json_data.number)
    caller = access.known_actor()
    return shown_issued(
        keep_cards.replace_card(
            uow, caller, json_data.number, json_data.code, json_data.reader or ""
        )
    )


@blueprint.post("/cards/renewals")
@access.allow(*DESK)
@act
@blueprint.input(NumberIn)
@blueprint.output(CardOut)
@blueprint.doc(summary="Give a bearer's card a whole term more; it holds what it held")
def renew(uow: UnitOfWork, json_data: NumberIn) -> dict[str, Any]:
    """Renew a card."""
    return shown_card(keep_cards.renew(uow, access.known_actor(), json_data.number))


@blueprint.post("/cards/<uuid:card_id>/refunds")
@access.allow(Role.FINANCE, Role.ADMINISTRATOR)
@act
@blueprint.input(PayOutIn)
@blueprint.output(MovementOut, status_code=201)
@blueprint.doc(summary="Give a card's holder cash for what it holds, within the role's limits")
def pay_out(uow: UnitOfWork, card_id: UUID, json_data: PayOutIn) -> dict[str, Any]:
    """Pay a card out."""
    amount = Money(json_data.amount.minor, json_data.amount.currency)
    caller = access.known_actor()
    moved = keep_cards.pay_out(uow, caller, card_id, amount, json_data.reason, json_data.id)
    return shown_movements(uow.connection, [moved], staff=True)[0]


@blueprint.post("/bills/<uuid:bill_id>/card-payments")
@access.allow(*DESK)
@blueprint.input(ReadPaymentIn)
@blueprint.output(CardPaymentOut, status_code=201)
@blueprint.doc(
    summary="Pay a bill by the stored-value card that a reader has just read",
    description="Idempotent by `order_no`. A card that holds too little pays nothing, or its part.",
)
def pay(bill_id: UUID, json_data: ReadPaymentIn) -> dict[str, Any]:
    """Pay a bill by card."""
    wiring = access.wiring()
    return shown_paid(
        pay_with_read_card(
            wiring.database,
            wiring.channels,
            access.known_actor(),
            BillId(bill_id),
            json_data.reader,
            json_data.order_no,
            part=json_data.part,
        )
    )


@blueprint.get("/cards")
@access.allow(*READERS)
@blueprint.input(CardsQuery, location="query")
@blueprint.output(CardsPageOut)
@blueprint.doc(summary="Stored-value cards, the newest first")
def cards(query_data: CardsQuery) -> dict[str, Any]:
    """List cards."""
    state = CardState(query_data.state) if query_data.state else None
    with access.wiring().database.read() as connection:
        found, last = store.page_of_cards(
            connection, state, after(query_data.cursor), query_data.limit
        )
    return {"items": [shown_card(each) for each in found], "next": cursor(last)}


@blueprint.get("/cards/liabilities")
@access.allow(*READERS)
@blueprint.output(LiabilitiesOut)
@blueprint.doc(summary="What cards hold by state, and what the ledger says is owed for them")
def liabilities() -> dict[str, Any]:
    """Show liabilities."""
    with access.wiring().database.read() as connection:
        held = store.held_by_state(connection)
        owed = payments.total(connection, AccountKind.STORED_VALUE)
    return {
        "items": [
            {"state": each.state.value, "cards": each.cards, "held": each.held.as_json()}
            for each in held
        ],
        "owed": [Money(-each.minor, each.currency).as_json() for each in owed],
    }


@blueprint.get("/cards/<uuid:card_id>")
@access.allow(*READERS)
@blueprint.output(CardOut)
@blueprint.doc(summary="One card")
def one(card_id: UUID) -> dict[str, Any]:
    """Show a card."""
    with access.wiring().database.read() as connection:
        found = store.find_card(connection, card_id)
    if found is None:
        raise NotFound("there is no such card", field="card")
    return shown_card(found)


@blueprint.get("/cards/<uuid:card_id>/movements")
@access.allow(*READERS)
@blueprint.input(PageQuery, location="query")
@blueprint.output(MovementsOut)
@blueprint.doc(summary="A card's statement with the ledger's entries, the latest first")
def movements(card_id: UUID, query_data: PageQuery) -> dict[str, Any]:
    """Show a card's statement."""
    with access.wiring().database.read() as connection:
        found, last = store.page_of_movements(
            connection, card_id, after(query_data.cursor), query_data.limit
        )
        items = shown_movements(connection, found, staff=True)
    return {"items": items, "next": cursor(last)}


@blueprint.post("/reconciliations/cards")
@access.allow(Role.FINANCE)
@act
@blueprint.input(CardsDayIn)
@blueprint.output(RunOut, status_code=201)
@blueprint.doc(summary="Hold all cards against the ledger and a day's debits against their orders")
def reconcile(uow: UnitOfWork, json_data: CardsDayIn) -> dict[str, Any]:
    """Hold the cards together."""
    return shown_run(reconcile_cards(uow, access.known_actor(), json_data.day))


def count_code(number: str) -> None:
    """Count a try at a card's code: so many in a quarter of an hour, whoever tries."""
    limits.count("card-codes", number.replace(" ", ""), CODES_OF_ONE_CARD)


def _named(given: NamedIn) -> Named:
    return Named(given.reader or "", given.number or "")
