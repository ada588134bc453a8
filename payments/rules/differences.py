"""What two sides of a payment are, how they can differ, what is proposed, and what it moves.

Pure. Nothing is put right here: every difference names what is proposed, and a person decides.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from pydantic import JsonValue

from city.money import Money
from payments.rules.channel_bills.lines import (
    CHINA,
    CURRENCY,
    BillLine,
    LineKind,
    LineStatus,
)


class Standing(StrEnum):
    """How one of our own records stands."""

    DONE = "done"
    OPEN = "open"
    """Not final: asked for, under way or unknown."""
    FAILED = "failed"
    """Final, and no money moved: closed, refused, failed."""


@dataclass(frozen=True, slots=True)
class Record:
    """One payment, refund or void as we have it.

    Parameters
    ----------
    kind : LineKind
        Payment, refund or void.
    order_no : str
        Our number of the order.
    amount : Money
        Never negative.
    at : datetime
        When it was done by our record, in UTC.
    merchant : str
        Merchant number that it was asked for under; empty where not recorded.
    standing : Standing
        As we hold it.
    channel_no : str
        The channel's number of the payment; empty where not known.
    refund_no : str
        Our number of the refund; empty on a payment.
    fee : Money or None
        What the channel should charge; None where no contract says, and nothing is compared.
    """

    kind: LineKind
    order_no: str
    amount: Money
    at: datetime
    merchant: str
    standing: Standing = Standing.DONE
    channel_no: str = ""
    refund_no: str = ""
    fee: Money | None = None


class DifferenceKind(StrEnum):
    """What does not agree."""

    OURS_ONLY = "ours-only"
    THEIRS_ONLY = "theirs-only"
    REFUND_OURS_ONLY = "refund-ours-only"
    REFUND_THEIRS_ONLY = "refund-theirs-only"
    AMOUNT = "amount"
    CURRENCY = "currency"
    FEE = "fee"
    STATUS = "status"
    """Done on one side and not on the other."""
    DUPLICATE = "duplicate"
    """One number twice: money taken twice under it, or one row written twice."""
    DAY_BOUNDARY = "day-boundary"
    """Both sides have it, on two days."""
    MERCHANT = "merchant"
    NUMBER = "number"
    """One order under two numbers of the channel."""
    TOTALS = "totals"
    """The sums that the bill states are not those of its rows."""


class Proposal(StrEnum):
    """What is proposed; done by a person, after approval."""

    FETCH_AGAIN = "fetch-the-bill-again"
    """The bill has broken rows: what is missing may stand in one of them."""
    AWAIT_NEXT_BILL = "await-the-next-bill"
    QUERY_THEN_REVERSE = "query-the-channel-then-reverse-ours"
    BOOK_OR_REFUND = "find-the-bill-that-it-pays-or-refund-it"
    BOOK_REFUND = "query-the-channel-then-book-the-refund"
    ASK_REFUND_AGAIN = "query-the-channel-then-ask-for-the-refund-again"
    ADJUST_AMOUNT = "query-the-channel-then-correct-ours"
    ADJUST_FEE = "book-the-fee-and-claim-the-rest"
    SETTLE = "settle-ours"
    REOPEN = "query-the-channel-then-reopen-ours"
    REFUND_SECOND = "refund-the-second-capture"
    CLAIM_ROW = "have-the-channel-correct-its-bill"
    DROP_OURS = "reverse-the-second-of-ours"
    MOVE_DAY = "count-to-the-channel-s-day"
    CHECK_ACCOUNT = "check-whose-account-was-paid"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that does not agree.

    Parameters
    ----------
    kind : DifferenceKind
        What.
    order_no, refund_no : str
        Of what; both empty where it is about the bill as a whole.
    ours : Record or None
        Our side.
    theirs : BillLine or None
        The channel's side.
    proposal : Proposal
        What to do.
    certain : bool
        False where it rests on what is missing in a bill that is not complete.
    """

    kind: DifferenceKind
    order_no: str
    refund_no: str
    ours: Record | None
    theirs: BillLine | None
    proposal: Proposal
    certain: bool = True


def shown(found: Difference) -> dict[str, JsonValue]:
    """Write a difference with both of its sides, as reports and the desk keep it."""
    ours, theirs = found.ours, found.theirs
    return {
        "class": found.kind.value,
        "order_no": found.order_no,
        "refund_no": found.refund_no,
        "ours": None if ours is None else _side(ours, ours.standing.value),
        "theirs": None if theirs is None else _side(theirs, theirs.status.value),
        "proposal": found.proposal.value,
        "certain": found.certain,
    }


def _side(side: Record | BillLine, status: str) -> dict[str, JsonValue]:
    return {
        "kind": side.kind.value,
        "amount": side.amount.as_json(),
        "fee": None if side.fee is None else side.fee.as_json(),
        "at": side.at.astimezone(CHINA).isoformat(),
        "status": status,
        "merchant": side.merchant,
        "channel_no": side.channel_no,
    }


def effect_minor(found: Difference) -> int:
    """Say by how much more than by our ledger the channel holds for us, by its bill.

    What a posting would put right; zero for what moves no money, or not in our currency, and for
    what is not sure. Of a pair that differs in several classes one alone has the effect, so that
    all of them posted put it right once. A fee is booked by settlement as the channel took it.
    """
    sides = [each for each in (found.ours, found.theirs) if each is not None]
    if any(each.amount.currency != CURRENCY for each in sides):
        return 0
    if not found.certain or found.kind in _MOVES_NOTHING:
        return 0
    mine, theirs_done = found.ours, found.theirs is not None and done(found.theirs)
    ours = 0 if mine is None or not done(mine) else _signed(mine.kind, mine.amount.minor)
    theirs = 0
    if found.theirs is not None and theirs_done:
        theirs = _signed(found.theirs.kind, found.theirs.amount.minor)
    if found.kind is DifferenceKind.DUPLICATE:
        if found.proposal is Proposal.REFUND_SECOND:
            return theirs
        return -ours if found.proposal is Proposal.DROP_OURS else 0
    if found.kind is DifferenceKind.AMOUNT and mine is not None and done(mine) != theirs_done:
        return 0  # the whole sum is the other status's: posted for both it would count twice
    return theirs - ours


def done(side: Record | BillLine) -> bool:
    """Say whether money moved by a side."""
    return (
        side.standing is Standing.DONE
        if isinstance(side, Record)
        else (side.status is LineStatus.DONE)
    )


def _signed(kind: LineKind, minor: int) -> int:
    return minor if kind is LineKind.PAYMENT else -minor


_MOVES_NOTHING: Final = frozenset(
    {
        DifferenceKind.CURRENCY,
        DifferenceKind.DAY_BOUNDARY,
        DifferenceKind.FEE,
        DifferenceKind.MERCHANT,
        DifferenceKind.NUMBER,
        DifferenceKind.TOTALS,
    }
)
