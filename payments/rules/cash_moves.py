"""Cash that goes from hand to hand: said by who gives it, posted when who gets it says the same.

A float (office to attendant), a hand-over (attendant to attendant) and a turn-in (attendant to
office) are one thing. Only two words that agree move money in the ledger, so that each fen lies at
any time with exactly one person who has said so. Between two attendants either may be known first:
their devices had no line, and the one that comes back to it says what was counted. A deposit at
the bank needs nobody's word: the bank's slip is kept with it, once.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from city.errors import Conflict, Forbidden, Invalid
from city.identifiers import DistrictCode, uuid7
from city.money import Money
from payments.rules.ledger import (
    Account,
    AccountKind,
    Entry,
    EntryKind,
    Posting,
    bank_of,
    till_of,
)

BANK: Final = "cash"
"""Holder of the bank's account that cash is brought to."""
MOST_MINOR: Final = 10_000_000
"""At once: nobody carries a hundred thousand yuan in coins; a slip of the finger does."""
LONGEST_WORDS: Final = 200


class MoveState(StrEnum):
    """State of cash under way."""

    OFFERED = "offered"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class CashMove:
    """Cash offered from one account to another.

    Attributes
    ----------
    source, target : Account
        A cash or till account each, the target of a deposit a bank's.
    offered_by, ended_by : str
        Subjects: who spoke first, and who ended it. It is the receiver who spoke first where they
        say what they have counted before the giver's word is known.
    words : str
        Why it was refused; the number of a deposit's slip.
    """

    id: UUID
    district: DistrictCode
    source: Account
    target: Account
    amount: Money
    offered_at: datetime
    offered_by: str
    state: MoveState = MoveState.OFFERED
    ended_at: datetime | None = None
    ended_by: str | None = None
    words: str = ""

    def said_by_other(self, word: "CashMove") -> bool:
        """Say whether this waits for just what the other of two attendants says."""
        same = (self.source, self.target, self.amount) == (word.source, word.target, word.amount)
        return self.state is MoveState.OFFERED and same and self.offered_by != word.offered_by

    def received_at(self, ended_at: datetime, by: str) -> datetime:
        """Give when who gets it said so, where somebody agreed at an instant."""
        return ended_at if self.target.holder == by else self.offered_at

    def entry(self, at: datetime | None = None) -> Entry:
        """Give the entry of what was accepted, as of when it was, or as of another instant."""
        if self.state is not MoveState.ACCEPTED or self.ended_at is None or self.ended_by is None:
            raise ValueError("only accepted cash has moved")
        brought = self.target.kind is AccountKind.BANK
        return Entry(
            uuid7(),
            at or self.ended_at,
            EntryKind.DEPOSIT if brought else EntryKind.HAND_OVER,
            self.id,
            (Posting(self.target, self.amount), Posting(self.source, -self.amount)),
            f"slip {self.words}" if brought else "handed over",
            self.ended_by,
        )


def offered(
    move_id: UUID,
    district: DistrictCode,
    source: Account,
    target: Account,
    amount: Money,
    *,
    at: datetime,
    by: str,
) -> CashMove:
    """Offer cash.

    Raises
    ------
    Invalid
        On an amount that is none or beyond `MOST_MINOR`, or from and to the same.
    """
    _check_amount(amount)
    if source == target:
        raise Invalid("is where the cash already lies", field="to")
    return CashMove(move_id, district, source, target, amount, at, by)


def deposited(
    move_id: UUID, district: DistrictCode, amount: Money, slip: str, *, at: datetime, by: str
) -> CashMove:
    """Record that the office's cash was brought to the bank.

    Raises
    ------
    Invalid
        On an amount that is none, or without the slip's number.
    """
    _check_amount(amount)
    number = slip.strip()
    if not 3 <= len(number) <= 60:  # noqa: PLR2004 - said by the message
        raise Invalid("must be the slip's number, 3 to 60 characters", field="slip")
    return CashMove(
        move_id,
        district,
        till_of(district),
        bank_of(BANK),
        amount,
        at,
        by,
        MoveState.ACCEPTED,
        at,
        by,
        number,
    )


def accepted(move: CashMove, counted: Money, at: datetime, by: str) -> CashMove:
    """Say that what was offered was counted and is right.

    Raises
    ------
    Conflict
        Where it was ended already, or another amount was counted: then it is refused, and who
        gives offers what they find together.
    Forbidden
        To who offered it.
    """
    _check_waits(move)
    if by == move.offered_by:
        raise Forbidden("who gives cash does not count it for who gets it")
    if counted != move.amount:
        raise Conflict(
            "what was counted is not what was offered: refuse it and count together",
            field="counted",
            reason="counted-otherwise",
        )
    return replace(move, state=MoveState.ACCEPTED, ended_at=at, ended_by=by)


def refused(move: CashMove, words: str, at: datetime, by: str) -> CashMove:
    """Refuse what was offered; Conflict where it was ended, Invalid without a reason."""
    _check_waits(move)
    said = words.strip()
    if not said or len(said) > LONGEST_WORDS:
        raise Invalid(f"must be 1 to {LONGEST_WORDS} characters", field="reason")
    return replace(move, state=MoveState.REFUSED, ended_at=at, ended_by=by, words=said)


def withdrawn(move: CashMove, at: datetime, by: str) -> CashMove:
    """Take back what was offered; Conflict where it was ended, Forbidden to anybody else."""
    _check_waits(move)
    if by != move.offered_by:
        raise Forbidden("only who offered it takes it back")
    return replace(move, state=MoveState.WITHDRAWN, ended_at=at, ended_by=by)


def _check_waits(move: CashMove) -> None:
    if move.state is not MoveState.OFFERED:
        raise Conflict(f"was {move.state.value} already", field="state", reason="ended")


def _check_amount(amount: Money) -> None:
    if not 0 < amount.minor <= MOST_MINOR:
        most = Money(MOST_MINOR, amount.currency)
        raise Invalid(f"must be above zero and at most {most.decimal()}", field="amount")
