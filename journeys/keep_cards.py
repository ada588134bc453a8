"""Keep stored-value cards, at a desk and as the driver whose they are; on record."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from pydantic import JsonValue

from city.audit import record
from city.errors import Conflict, Forbidden, NotFound
from city.money import Money
from city.people.actors import Actor
from city.people.roles import Role
from city.vault import keyed_digests
from city.works.database import UnitOfWork
from journeys.pay_by_card import READER_PURPOSE, own_card, read_card
from journeys.pay_online import limit_of
from payments import cards, giving_back
from payments.cards import Issued
from payments.rules.cards import Card, CardState, Movement, check_number
from payments.rules.refund_limits import check_limit
from payments.store import cards as store

DESK: Final = (Role.ATTENDANT, Role.FINANCE)
MOST_CARDS: Final = 5
"""That one driver has at once: a lost or stolen account does not become a hundred wallets."""


@dataclass(frozen=True, slots=True)
class Named:
    """How a desk names a card: by what its reader read, or by the number printed on it."""

    reader: str = ""
    number: str = ""


def issue_card(uow: UnitOfWork, actor: Actor, reader: str = "") -> Issued:
    """Issue a card to whoever asks for one at a desk; a bearer's, until its holder registers it.

    Raises
    ------
    Forbidden
        Without the role.
    Conflict
        Where readers know another card by this.
    """
    actor.require(*DESK)
    issued = cards.issue(uow, actor.subject)
    if reader:
        issued = Issued(cards.bind_reader(uow, issued.card, _digest(uow, reader)), issued.code)
    _note(uow, actor, "payments.card_issued", issued.card, {"read": issued.card.read})
    return issued


def find_card(uow: UnitOfWork, actor: Actor, named: Named) -> Card:
    """Find a card at a desk; NotFound where none is so named, Invalid where none can be."""
    actor.require(*DESK)
    return _named(uow, named)


def top_up(
    uow: UnitOfWork, actor: Actor, named: Named, amount: Money, movement_id: UUID | None = None
) -> Movement:
    """Take cash onto a card, which its number is enough for.

    Raises
    ------
    Forbidden, NotFound, Conflict, Invalid
        As `find_card` and `cards.top_up_in_cash`.
    """
    actor.require(*DESK)
    card = _named(uow, named)
    before = None if movement_id is None else store.find_movement(uow.connection, movement_id)
    moved = cards.top_up_in_cash(uow, card.id, amount, actor.subject, movement_id)
    if before is None:
        _note(uow, actor, "payments.card_topped_up", card, _of(moved))
    return moved


def bind_reader(uow: UnitOfWork, actor: Actor, number: str, code: str, reader: str) -> Card:
    """Give a card that is a number so far a medium that readers know; its code proves whose it is.

    Raises
    ------
    Forbidden
        Without the role or the code.
    NotFound, Conflict
        Where there is no such card, it is lost, or readers know another by this.
    """
    actor.require(*DESK)
    card = _proved(uow, number, code)
    bound = cards.bind_reader(uow, card, _digest(uow, reader))
    _note(uow, actor, "payments.card_medium_bound", card, {})
    return bound


def report_lost(uow: UnitOfWork, actor: Actor, number: str) -> Card:
    """Freeze a card whose number somebody tells as lost: it costs its finder more than its holder.

    It pays again when its holder, or the desk with its code, says that it was found.
    """
    actor.require(*DESK)
    card = _named(uow, Named(number=number))
    frozen = cards.report_lost(uow, card.id)
    _note(uow, actor, "payments.card_reported_lost", card, {})
    return frozen


def report_found(uow: UnitOfWork, actor: Actor, number: str, code: str) -> Card:
    """Let a lost card pay again, for who knows its code."""
    actor.require(*DESK)
    card = _proved(uow, number, code)
    found = cards.report_found(uow, card.id)
    _note(uow, actor, "payments.card_reported_found", card, {})
    return found


def replace_card(uow: UnitOfWork, actor: Actor, number: str, code: str, reader: str = "") -> Issued:
    """Move all that a card holds to a new one, for who knows its code.

    A registered card is replaced by its holder alone, on their own page: nobody at a desk moves
    anybody's money to a card in their own hand.

    Raises
    ------
    Forbidden
        Without the role or the code, or where the card is registered.
    NotFound, Conflict
        Where there is no such card, or it was replaced before.
    """
    actor.require(*DESK)
    card = _proved(uow, number, code)
    if card.holder is not None:
        raise Forbidden("the card is registered: its holder replaces it", field="number")
    issued = cards.replace_card(uow, card.id, actor.subject)
    if reader:
        issued = Issued(cards.bind_reader(uow, issued.card, _digest(uow, reader)), issued.code)
    _replaced(uow, actor, card, issued)
    return issued


def renew(uow: UnitOfWork, actor: Actor, number: str) -> Card:
    """Give a bearer's card a whole term more; its number is enough, as it only gives."""
    actor.require(*DESK)
    card = cards.renew(uow, _named(uow, Named(number=number)).id)
    detail: dict[str, JsonValue] = {
        "expires_at": card.expires_at.isoformat() if card.expires_at else None
    }
    _note(uow, actor, "payments.card_renewed", card, detail)
    return card


def pay_out(  # noqa: PLR0917 - who gives how much of which card, why and under which number
    uow: UnitOfWork,
    actor: Actor,
    card_id: UUID,
    amount: Money,
    reason: str,
    movement_id: UUID | None = None,
) -> Movement:
    """Give a card's holder cash for what it holds, within the limits of the actor's role.

    What the actor gives back by other ways on the same day counts towards the same limit.

    Raises
    ------
    Forbidden
        Where the actor's role gives nothing back, or not so much.
    NotFound, Conflict, Invalid
        As `cards.pay_out_in_cash`.
    """
    limit = limit_of(actor)
    if limit is None:
        raise Forbidden("your role gives nothing back")
    fresh = movement_id is None or store.find_movement(uow.connection, movement_id) is None
    if fresh:
        check_limit(limit, amount, giving_back.given_today(uow, actor.subject))
    moved = cards.pay_out_in_cash(uow, card_id, amount, actor.subject, reason, movement_id)
    if fresh:
        card = cards.held(uow, card_id)
        _note(uow, actor, "payments.card_paid_out", card, {**_of(moved), "reason": reason})
    return moved


def open_own(uow: UnitOfWork, actor: Actor) -> Issued:
    """Open a card for a driver: a number, until a desk gives it a medium.

    Raises
    ------
    Conflict
        Where the driver has `MOST_CARDS` that were not replaced.
    """
    actor.require(Role.DRIVER)
    _check_room(uow, actor)
    issued = cards.issue(uow, actor.subject, actor.subject)
    _note(uow, actor, "payments.card_issued", issued.card, {"read": False})
    return issued


def register_own(uow: UnitOfWork, actor: Actor, number: str, code: str) -> Card:
    """Register a bearer's card for the driver who knows its number and code.

    Raises
    ------
    Forbidden
        Without the code.
    NotFound, Conflict
        Where there is no such card, it is somebody's, or the driver has enough of them.
    """
    actor.require(Role.DRIVER)
    card = _proved(uow, number, code)
    if card.holder != actor.subject:
        _check_room(uow, actor)
    mine = cards.take_over(uow, card, actor.subject)
    _note(uow, actor, "payments.card_registered", mine, {})
    return mine


def new_own_code(uow: UnitOfWork, actor: Actor, card_id: UUID) -> str:
    """Give a driver's card another code, to show at a desk."""
    card = own_card(uow, actor, card_id)
    code = cards.new_code(uow, card)
    _note(uow, actor, "payments.card_code_given", card, {})
    return code


def report_own_lost(uow: UnitOfWork, actor: Actor, card_id: UUID) -> Card:
    """Freeze a driver's card at once."""
    card = own_card(uow, actor, card_id)
    frozen = cards.report_lost(uow, card.id)
    _note(uow, actor, "payments.card_reported_lost", card, {})
    return frozen


def report_own_found(uow: UnitOfWork, actor: Actor, card_id: UUID) -> Card:
    """Let a driver's frozen card pay again."""
    card = own_card(uow, actor, card_id)
    found = cards.report_found(uow, card.id)
    _note(uow, actor, "payments.card_reported_found", card, {})
    return found


def replace_own(uow: UnitOfWork, actor: Actor, card_id: UUID) -> Issued:
    """Move all that a driver's card holds to a new one of theirs."""
    card = own_card(uow, actor, card_id)
    issued = cards.replace_card(uow, card.id, actor.subject)
    _replaced(uow, actor, card, issued)
    return issued


def _named(uow: UnitOfWork, named: Named) -> Card:
    if named.reader:
        return read_card(uow, named.reader)
    found = store.find_by_number(uow.connection, check_number(named.number), lock=True)
    if found is None:
        raise NotFound("there is no such card", field="number")
    return found


def _proved(uow: UnitOfWork, number: str, code: str) -> Card:
    card = _named(uow, Named(number=number))
    cards.check_code(uow, card, code)
    return card


def _check_room(uow: UnitOfWork, actor: Actor) -> None:
    mine = store.cards_of(uow.connection, actor.subject)
    if sum(each.state is not CardState.REPLACED for each in mine) >= MOST_CARDS:
        raise Conflict(f"you have {MOST_CARDS} cards already", field="card", reason="enough")


def _digest(uow: UnitOfWork, reader: str) -> bytes:
    return keyed_digests(uow, READER_PURPOSE, reader)[0]


def _replaced(uow: UnitOfWork, actor: Actor, card: Card, issued: Issued) -> None:
    detail: dict[str, JsonValue] = {
        "by_card": str(issued.card.id),
        "balance": issued.card.balance.as_json(),
    }
    _note(uow, actor, "payments.card_replaced", card, detail)


def _of(moved: Movement) -> dict[str, JsonValue]:
    return {"movement_id": str(moved.id), "amount": moved.amount.as_json()}


def _note(
    uow: UnitOfWork, actor: Actor, act: str, card: Card, detail: Mapping[str, JsonValue]
) -> None:
    record(uow, actor, act, "card", str(card.id), dict(detail))
