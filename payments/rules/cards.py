"""Stored-value parking cards: what they may hold, until when, and what may be done with one.

What a card holds is owed to whoever holds the card: it is no revenue before it pays for a bill, and
no time takes it away. A card without a known holder holds less and is renewed now and then; one
with a holder has no end. Both limits and the term are those of China's rules for prepaid cards of
one purpose (MOFCOM order 9 of 2012, restated from memory): 5 000 yuan, 1 000 yuan, three years, and
what is left on an ended card stays its holder's.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from city.errors import Conflict, Invalid
from city.money import Money

CURRENCY: Final = "CNY"
MOST_HELD_BY_KNOWN_MINOR: Final = 5_000_00
MOST_HELD_BY_BEARER_MINOR: Final = 1_000_00
BEARER_TERM: Final = timedelta(days=3 * 365 + 1)
"""Three years, of which one may be a leap year."""
NUMBER_DIGITS: Final = 16
CODE_LENGTH: Final = 12
CODE_ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without 0, 1, I and O, which people take for one another: 60 bits."""


class CardState(StrEnum):
    """What a card is good for."""

    ACTIVE = "active"
    FROZEN = "frozen"
    """Said to be lost: nothing is taken off it."""
    REPLACED = "replaced"
    """What it held is on another card; final."""


class MovementKind(StrEnum):
    """Why what a card holds changed."""

    TOP_UP = "top-up"
    DEBIT = "debit"
    """It paid for a bill, or a part of one."""
    RETURNED = "returned"
    """What a bill did not need any more came back."""
    PAID_OUT = "paid-out"
    """Its holder got money for it."""
    MOVED_OUT = "moved-out"
    MOVED_IN = "moved-in"


ADDS: Final = frozenset({MovementKind.TOP_UP, MovementKind.RETURNED, MovementKind.MOVED_IN})


@dataclass(frozen=True, slots=True)
class Card:
    """One card.

    Parameters
    ----------
    id : UUID
    number : str
        Printed on it: sixteen digits, drawn at random, the last one checks the others (Luhn). It
        proves nothing: money is taken off by a reader or by the holder alone.
    holder : str or None
        Subject of the driver whose it is; None: whoever has it.
    state : CardState
    balance : Money
        Never below zero: a constraint says so.
    issued_at, issued_by
        When and by whom.
    expires_at : datetime or None
        From when it must be renewed before it pays; None: never.
    replaces : UUID or None
        The card whose money it took over.
    read : bool
        Whether a reader knows it; else it is a number alone.
    """

    id: UUID
    number: str
    holder: str | None
    state: CardState
    balance: Money
    issued_at: datetime
    issued_by: str
    expires_at: datetime | None
    replaces: UUID | None = None
    read: bool = False

    @property
    def most_minor(self) -> int:
        """What it may hold at most, in minor units."""
        return MOST_HELD_BY_BEARER_MINOR if self.holder is None else MOST_HELD_BY_KNOWN_MINOR

    def expired(self, now: datetime) -> bool:
        """Whether it must be renewed first; what it holds stays."""
        return self.expires_at is not None and now >= self.expires_at


@dataclass(frozen=True, slots=True)
class Movement:
    """One change of what a card holds.

    Parameters
    ----------
    id : UUID
        The sender's own where it sent one: sent again, it is the same movement.
    card_id : UUID
    kind : MovementKind
    amount : Money
        Above zero for what came on, below for what went off.
    balance : Money
        What the card held afterwards.
    at : datetime
    made_by : str
        Subject of who did it.
    by_way_of : str
        How the money came or went: ``cash``, an online channel, or ``card`` within ourselves.
    reference : str
        The order's or the refund's number, or the other card's; empty for cash.
    entry_id : UUID
        Of the ledger.
    """

    id: UUID
    card_id: UUID
    kind: MovementKind
    amount: Money
    balance: Money
    at: datetime
    made_by: str
    by_way_of: str
    reference: str
    entry_id: UUID


def number_of(digits: str) -> str:
    """Complete fifteen digits by the one that checks them (Luhn, ISO/IEC 7812-1)."""
    return digits + str(-_luhn(f"{digits}0") % 10)


def check_number(text: str) -> str:
    """Read a card's number as people write it; spaces do not count.

    Raises
    ------
    Invalid
        Where it cannot be one: it was read or typed wrongly.
    """
    number = text.replace(" ", "")
    if len(number) != NUMBER_DIGITS or not (number.isascii() and number.isdigit()):
        raise Invalid(f"is not {NUMBER_DIGITS} digits", field="number")
    if _luhn(number) % 10:
        raise Invalid("is no card's number: a digit is wrong", field="number")
    return number


def written_code(text: str) -> str:
    """Give a card's code in the one form in which it is kept."""
    return text.replace(" ", "").replace("-", "").upper()


def check_pays(card: Card, now: datetime) -> None:
    """Refuse to take money off, or put any on, a card that is lost, replaced or to be renewed.

    Raises
    ------
    Conflict
        With which of them.
    """
    if card.state is CardState.FROZEN:
        raise Conflict("the card was reported lost", field="card", reason="frozen")
    if card.state is CardState.REPLACED:
        raise Conflict("the card was replaced by another", field="card", reason="replaced")
    if card.expired(now):
        raise Conflict(
            "the card is to be renewed first: what it holds stays", field="card", reason="expired"
        )


def check_top_up(card: Card, amount: Money, now: datetime) -> None:
    """Refuse a top-up that a card cannot bear.

    Raises
    ------
    Conflict
        Where the card takes none.
    Invalid
        On an amount that is not above zero, in another currency, or past what it may hold.
    """
    check_pays(card, now)
    _check_amount(card, amount)
    if card.balance.minor + amount.minor > card.most_minor:
        raise Invalid(
            "is more than the card may still take",
            field="amount",
            most=Money(max(0, card.most_minor - card.balance.minor), CURRENCY).as_json(),
        )


def check_debit(card: Card, amount: Money, now: datetime) -> None:
    """Refuse to take off what a card does not hold.

    Raises
    ------
    Conflict
        Where the card pays nothing, or not so much.
    Invalid
        On an amount that is not above zero or in another currency.
    """
    check_pays(card, now)
    _check_amount(card, amount)
    if amount > card.balance:
        raise Conflict(
            "the card does not hold so much",
            field="card",
            reason="insufficient",
            balance=card.balance.as_json(),
        )


def check_pay_out(card: Card, amount: Money) -> None:
    """Refuse to pay out what a card does not hold, or what is on a lost one.

    One that is to be renewed is paid out all the same: time takes nothing.
    """
    if card.state is not CardState.ACTIVE:
        raise Conflict(f"the card is {card.state.value}", field="card", reason=card.state.value)
    _check_amount(card, amount)
    if amount > card.balance:
        raise Conflict(
            "the card does not hold so much",
            field="card",
            reason="insufficient",
            balance=card.balance.as_json(),
        )


def what_it_pays(card: Card, outstanding: Money, *, part: bool) -> Money:
    """Give how much of a bill a card pays: all of it, or with `part` what it holds.

    Raises
    ------
    Conflict
        Where it does not hold enough, or nothing at all.
    """
    if card.balance >= outstanding:
        return outstanding
    if not part or not card.balance:
        raise Conflict(
            "the card does not hold so much",
            field="card",
            reason="insufficient",
            balance=card.balance.as_json(),
        )
    return card.balance


def frozen(card: Card) -> Card:
    """Give a card as lost; one that is frozen stays so, Conflict for a replaced one."""
    if card.state is CardState.REPLACED:
        raise Conflict("the card was replaced by another", field="card", reason="replaced")
    return replace(card, state=CardState.FROZEN)


def found_again(card: Card) -> Card:
    """Give a lost card as good again; Conflict for one that is not lost."""
    if card.state is not CardState.FROZEN:
        raise Conflict("the card is not reported lost", field="card", reason=card.state.value)
    return replace(card, state=CardState.ACTIVE)


def renewed(card: Card, now: datetime) -> Card:
    """Give a card with a whole term before it; Conflict for one that is lost or has no end."""
    if card.state is not CardState.ACTIVE:
        raise Conflict(f"the card is {card.state.value}", field="card", reason=card.state.value)
    if card.expires_at is None:
        raise Conflict("the card never ends", field="card", reason="endless")
    return replace(card, expires_at=now + BEARER_TERM)


def _check_amount(card: Card, amount: Money) -> None:
    if amount.currency != card.balance.currency or amount.minor <= 0:
        raise Invalid(f"must be above zero, in {card.balance.currency}", field="amount")


def _luhn(number: str) -> int:
    total = 0
    for place, digit in enumerate(reversed(number)):
        doubled = int(digit) * (1 + place % 2)
        total += doubled - 9 * (doubled > 9)  # noqa: PLR2004 - the digits of the product, added up
    return total
