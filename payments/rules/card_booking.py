"""Which entry of the ledger each movement of a stored-value card becomes.

Debits are positive, and what a card holds is owed: money that comes on credits its account.
"""

from datetime import datetime
from typing import Final

from city.identifiers import uuid7
from payments.rules.cards import Card, Movement, MovementKind
from payments.rules.ledger import (
    Account,
    Entry,
    EntryKind,
    Posting,
    cash_of,
    clearing_of,
    stored_value_of,
    surplus_of,
)

CARD_CHANNEL: Final = "card"


def book_cash_top_up(movement: Movement) -> Entry:
    """Record that cash came onto a card: it lies with who took it."""
    return _entry(movement, EntryKind.TOP_UP, cash_of(movement.made_by), "topped up in cash")


def book_online_top_up(movement: Movement) -> Entry:
    """Record that money came onto a card online: its channel holds it, we owe it to the holder."""
    held = clearing_of(movement.by_way_of)
    return _entry(movement, EntryKind.TOP_UP, held, "topped up online")


def book_taken_off(movement: Movement, reason: str) -> Entry:
    """Record that a top-up's rest is off its card, on its way back through its channel."""
    return _entry(movement, EntryKind.CARD, surplus_of(movement.by_way_of), reason)


def book_put_back(movement: Movement) -> Entry:
    """Record that what a channel would not give back is on the card again."""
    owed = surplus_of(movement.by_way_of)
    return _entry(movement, EntryKind.CARD, owed, "the channel did not give it back")


def book_pay_out(movement: Movement, reason: str) -> Entry:
    """Record that a card's holder got cash for what it held."""
    return _entry(movement, EntryKind.REFUND, cash_of(movement.made_by), reason)


def book_debit(movement: Movement) -> Entry:
    """Record that a card pays an order: what it held is on its way to the order's bill."""
    return _entry(movement, EntryKind.CARD, clearing_of(CARD_CHANNEL), "paid by card")


def book_return(movement: Movement) -> Entry:
    """Record that what an order did not need came back onto its card."""
    return _entry(movement, EntryKind.CARD, clearing_of(CARD_CHANNEL), "back onto the card")


def book_move(out: Movement, onto: Movement) -> Entry:
    """Record that a card's whole balance is on the card that replaces it: one entry for both."""
    return Entry(
        out.entry_id,
        out.at,
        EntryKind.CARD,
        out.id,
        (
            Posting(stored_value_of(out.card_id), -out.amount),
            Posting(stored_value_of(onto.card_id), -onto.amount),
        ),
        "moved to the card that replaces it",
        out.made_by,
    )


def moves(card: Card, onto: Card, at: datetime, by: str) -> tuple[Movement, Movement]:
    """Give the two halves of handing a card's whole balance over to the one that replaces it."""
    entry_id = uuid7()
    nothing = card.balance - card.balance
    return (
        Movement(
            uuid7(),
            card.id,
            MovementKind.MOVED_OUT,
            -card.balance,
            nothing,
            at,
            by,
            CARD_CHANNEL,
            onto.number,
            entry_id,
        ),
        Movement(
            uuid7(),
            onto.id,
            MovementKind.MOVED_IN,
            card.balance,
            card.balance,
            at,
            by,
            CARD_CHANNEL,
            card.number,
            entry_id,
        ),
    )


def _entry(movement: Movement, kind: EntryKind, other: Account, reason: str) -> Entry:
    return Entry(
        movement.entry_id,
        movement.at,
        kind,
        movement.id,
        (
            Posting(other, movement.amount),
            Posting(stored_value_of(movement.card_id), -movement.amount),
        ),
        reason,
        movement.made_by,
    )
