"""Stored-value cards: issued, topped up, debited, lost, replaced, renewed, paid out.

Every change of what a card holds is one movement and one entry of the ledger in one transaction; a
card's row is held meanwhile, so that two at once come one after the other.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from city.errors import Conflict, Forbidden, Invalid, NotFound
from city.identifiers import uuid7
from city.money import Money
from city.works.database import UnitOfWork
from payments.rules.card_booking import (
    CARD_CHANNEL,
    book_cash_top_up,
    book_debit,
    book_move,
    book_pay_out,
    book_return,
    moves,
)
from payments.rules.cards import (
    BEARER_TERM,
    CODE_ALPHABET,
    CODE_LENGTH,
    CURRENCY,
    NUMBER_DIGITS,
    Card,
    CardState,
    Movement,
    MovementKind,
    check_debit,
    check_pay_out,
    check_top_up,
    found_again,
    frozen,
    number_of,
    renewed,
    written_code,
)
from payments.rules.ledger import Entry
from payments.store import cards as store
from payments.store import ledger

_SCRYPT_N: Final = 2**14
_FIRST_DIGITS: Final = "88"
"""Of our cards' numbers: no bank's card begins so."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A card, and the code that proves whose it is; it is told once and kept as a digest."""

    card: Card
    code: str


def issue(
    uow: UnitOfWork, by: str, holder: str | None = None, replaces: UUID | None = None
) -> Issued:
    """Issue a card that holds nothing, without a deposit.

    Parameters
    ----------
    uow : UnitOfWork
    by : str
        Subject of who issues it.
    holder : str or None
        Subject of the driver whose it is; None: whoever has it.
    replaces : UUID or None
        The card whose money is moved to it.
    """
    now = uow.clock.now()
    digits = "".join(
        secrets.choice("0123456789") for _ in range(NUMBER_DIGITS - len(_FIRST_DIGITS) - 1)
    )
    card = Card(
        uuid7(),
        number_of(_FIRST_DIGITS + digits),
        holder,
        CardState.ACTIVE,
        Money(0, CURRENCY),
        now,
        by,
        None if holder is not None else now + BEARER_TERM,
        replaces,
    )
    code = _fresh_code()
    store.add_card(uow.connection, card, _digest(card.id, code))
    return Issued(card, code)


def held(uow: UnitOfWork, card_id: UUID) -> Card:
    """Give a card that stays as it is until the transaction ends; NotFound where there is none."""
    card = store.find_card(uow.connection, card_id, lock=True)
    if card is None:
        raise NotFound("there is no such card", field="card")
    return card


def read_by(uow: UnitOfWork, digests: Sequence[bytes]) -> Card:
    """Give the card that a reader read, held; it is known under the newest key afterwards.

    Parameters
    ----------
    uow : UnitOfWork
    digests : sequence of bytes
        What the reader read, hashed under each live key of the vault, the newest first.

    Raises
    ------
    NotFound
        Where no card is known by it.
    """
    found = store.find_by_reader(uow.connection, digests, lock=True)
    if found is None:
        raise NotFound("no card is known by this", field="reader")
    card, digest = found
    if digest != digests[0]:
        store.write_reader(uow.connection, card.id, digests[0])
    return card


def bind_reader(uow: UnitOfWork, card: Card, digest: bytes) -> Card:
    """Have readers know a card from now on.

    Raises
    ------
    Conflict
        Where they know another one by it, or the card is lost or replaced.
    """
    if card.state is not CardState.ACTIVE:
        raise Conflict(f"the card is {card.state.value}", field="card", reason=card.state.value)
    try:
        with uow.connection.begin_nested():
            store.write_reader(uow.connection, card.id, digest)
    except IntegrityError:
        raise Conflict("another card is known by this", field="reader") from None
    return replace(card, read=True)


def new_code(uow: UnitOfWork, card: Card) -> str:
    """Give a card another code; the one before proves nothing any more."""
    code = _fresh_code()
    store.write_code(uow.connection, card.id, _digest(card.id, code))
    return code


def check_code(uow: UnitOfWork, card: Card, code: str) -> None:
    """Refuse who does not know a card's code; Forbidden. Takes some 50 ms, as it must.

    The caller limits how often it may be tried.
    """
    kept = store.code_digest_of(uow.connection, card.id)
    if kept is None or not hmac.compare_digest(kept, _digest(card.id, code)):
        raise Forbidden("is not the card's code", field="code")


def take_over(uow: UnitOfWork, card: Card, holder: str) -> Card:
    """Register a bearer's card for a driver who proved to have it: it never ends from now on.

    Raises
    ------
    Conflict
        Where it is somebody's already, lost or replaced.
    """
    if card.holder == holder:
        return card
    if card.holder is not None:
        raise Conflict("the card is registered already", field="number", reason="registered")
    if card.state is not CardState.ACTIVE:
        raise Conflict(f"the card is {card.state.value}", field="card", reason=card.state.value)
    after = replace(card, holder=holder, expires_at=None)
    store.write_card(uow.connection, after)
    store.write_code(uow.connection, card.id, None)  # whoever saw the slip knows nothing any more
    return after


def top_up_in_cash(
    uow: UnitOfWork, card_id: UUID, amount: Money, by: str, movement_id: UUID | None = None
) -> Movement:
    """Take cash onto a card.

    Parameters
    ----------
    uow : UnitOfWork
    card_id : UUID
    amount : Money
    by : str
        Subject of who takes the cash, and carries it from now on.
    movement_id : UUID or None
        The sender's own number: sent again with it, the first movement is returned.

    Raises
    ------
    NotFound, Conflict, Invalid
        As `held` and `check_top_up`; Conflict where the number stands for something else.
    """
    card = held(uow, card_id)
    made = _made(uow, card, MovementKind.TOP_UP, amount, by, "cash", "", movement_id)
    present = _before(uow, made)
    if present is not None:
        return present
    check_top_up(card, amount, made.at)
    return _moved(uow, made, book_cash_top_up(made))


def pay_out_in_cash(  # noqa: PLR0917 - of which card, what, by whom, why and under which number
    uow: UnitOfWork,
    card_id: UUID,
    amount: Money,
    by: str,
    reason: str,
    movement_id: UUID | None = None,
) -> Movement:
    """Give a card's holder cash for what it holds, or a part; also for one that is to be renewed.

    Raises
    ------
    NotFound, Conflict, Invalid
        As `held` and `check_pay_out`; Conflict where the number stands for something else.
    """
    if not reason.strip():
        raise Invalid("a refund states its reason", field="reason")
    card = held(uow, card_id)
    made = _made(uow, card, MovementKind.PAID_OUT, -amount, by, "cash", "", movement_id)
    present = _before(uow, made)
    if present is not None:
        return present
    check_pay_out(card, amount)
    return _moved(uow, made, book_pay_out(made, reason.strip()))


def debit(uow: UnitOfWork, card_id: UUID, order_no: str, amount: Money, by: str) -> Movement:
    """Take what an order is over off a card; once, however often the order is sent.

    Raises
    ------
    NotFound, Conflict, Invalid
        As `held` and `check_debit`; Conflict where another card paid the order.
    """
    card = held(uow, card_id)
    present = store.movement_about(uow.connection, MovementKind.DEBIT, order_no)
    if present is not None:
        if (present.card_id, present.amount) != (card_id, -amount):
            raise Conflict("was used for another payment", field="order_no")
        return present
    made = _made(uow, card, MovementKind.DEBIT, -amount, by, CARD_CHANNEL, order_no)
    check_debit(card, amount, made.at)
    return _moved(uow, made, book_debit(made))


def debit_of(uow: UnitOfWork, order_no: str) -> Movement | None:
    """Give what was taken off a card for an order; None where nothing was."""
    return store.movement_about(uow.connection, MovementKind.DEBIT, order_no)


def give_back(uow: UnitOfWork, order_no: str, refund_no: str, amount: Money, by: str) -> Movement:
    """Put a part or all of an order back onto the card that paid it; once under its number.

    Where that card was replaced it is put on the one that took over; a lost one takes it as well.

    Raises
    ------
    NotFound
        Where no card paid the order.
    Conflict
        Where the number stands for another refund.
    """
    paid = debit_of(uow, order_no)
    if paid is None:
        raise NotFound("no card paid such an order", field="order_no")
    first = held(uow, paid.card_id)
    present = store.movement_about(uow.connection, MovementKind.RETURNED, refund_no)
    if present is not None:
        if present.amount != amount:
            raise Conflict("was used for another refund", field="refund_no")
        return present
    card = store.newest_card(uow.connection, first)
    made = _made(uow, card, MovementKind.RETURNED, amount, by, CARD_CHANNEL, refund_no)
    return _moved(uow, made, book_return(made))


def given_back(uow: UnitOfWork, refund_no: str) -> Movement | None:
    """Give what came back onto a card under a refund's number; None where nothing did."""
    return store.movement_about(uow.connection, MovementKind.RETURNED, refund_no)


def report_lost(uow: UnitOfWork, card_id: UUID) -> Card:
    """Freeze a card: from this instant nothing is taken off it. Reported again it stays frozen."""
    after = frozen(held(uow, card_id))
    store.write_card(uow.connection, after)
    return after


def report_found(uow: UnitOfWork, card_id: UUID) -> Card:
    """Let a frozen card pay again; Conflict where it is not frozen."""
    after = found_again(held(uow, card_id))
    store.write_card(uow.connection, after)
    return after


def renew(uow: UnitOfWork, card_id: UUID) -> Card:
    """Give a bearer's card a whole term more; it holds what it held."""
    after = renewed(held(uow, card_id), uow.clock.now())
    store.write_card(uow.connection, after)
    return after


def replace_card(uow: UnitOfWork, card_id: UUID, by: str) -> Issued:
    """Move all that a card holds to a new one; the card itself is good for nothing any more.

    Raises
    ------
    NotFound, Conflict
        Where there is no such card, or it was replaced before.
    """
    card = held(uow, card_id)
    if card.state is CardState.REPLACED:
        raise Conflict("the card was replaced by another", field="card", reason="replaced")
    issued = issue(uow, by, card.holder, card.id)
    new = issued.card
    if card.balance:
        out, onto = moves(card, new, uow.clock.now(), by)
        ledger.add_entry(uow.connection, book_move(out, onto))
        store.add_movement(uow.connection, out)
        store.add_movement(uow.connection, onto)
    store.write_card(uow.connection, replace(card, state=CardState.REPLACED))
    store.write_reader(uow.connection, card.id, None)
    store.write_code(uow.connection, card.id, None)
    return Issued(replace(new, balance=card.balance), issued.code)


def paid_out_by(uow: UnitOfWork, by: str, since_at: datetime) -> int:
    """Add up what somebody paid out for cards since an instant, in minor units."""
    return store.paid_out_by(uow.connection, by, since_at)


def _made(  # noqa: PLR0917 - all that a movement is
    uow: UnitOfWork,
    card: Card,
    kind: MovementKind,
    amount: Money,
    by: str,
    by_way_of: str,
    reference: str,
    movement_id: UUID | None = None,
) -> Movement:
    return Movement(
        movement_id or uuid7(),
        card.id,
        kind,
        amount,
        card.balance + amount if amount.currency == card.balance.currency else card.balance,
        uow.clock.now(),
        by,
        by_way_of,
        reference,
        uuid7(),
    )


def _before(uow: UnitOfWork, made: Movement) -> Movement | None:
    present = store.find_movement(uow.connection, made.id)
    if present is None:
        return None
    same = (present.card_id, present.kind, present.amount, present.made_by)
    if same != (made.card_id, made.kind, made.amount, made.made_by):
        raise Conflict("was used for another movement", field="id")
    return present


def _moved(uow: UnitOfWork, made: Movement, entry: Entry) -> Movement:
    ledger.add_entry(uow.connection, entry)
    return store.add_movement(uow.connection, made)


def _fresh_code() -> str:
    return "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))


def _digest(card_id: UUID, code: str) -> bytes:
    """Hash a code slowly, under its card: no key is needed, so none can retire under it."""
    given = written_code(code).encode("utf-8", "replace")
    return hashlib.scrypt(given, salt=card_id.bytes, n=_SCRYPT_N, r=8, p=1, dklen=32)
