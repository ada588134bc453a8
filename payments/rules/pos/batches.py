"""Traces in their order, and a batch as the terminal holds it against ours.

Pure. Traces run from 1 to 999999 and begin anew; a batch holds what came between two settlements.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from payments.rules.differences import DifferenceKind, Proposal
from payments.rules.pos.requests import Kind, Totals, Uploaded

LAST_TRACE: Final = 999_999
LAST_BATCH: Final = 999_999
WINDOW: Final = 500
"""So many traces ahead of the last one a new act may be: what a terminal does between two that
reach us (echoes, sign-ins, acts that never left it). Further ahead, or behind, is another time."""


@dataclass(frozen=True, slots=True)
class BatchDifference:
    """One thing in which the terminal and we do not agree; None: that side has no such act."""

    kind: DifferenceKind
    trace: int
    act: Kind
    told_minor: int | None
    ours_minor: int | None

    @property
    def effect_minor(self) -> int:
        """By how much more the acquirer holds by the terminal's word than by ours.

        Nothing where the sums alone differ: no act says what it is.
        """
        if self.kind is DifferenceKind.TOTALS:
            return 0
        more = (self.told_minor or 0) - (self.ours_minor or 0)
        return more if self.act is Kind.SALE else -more

    @property
    def proposal(self) -> Proposal:
        """What a person should do first."""
        return _PROPOSALS[self.kind]


_PROPOSALS: Final[Mapping[DifferenceKind, Proposal]] = {
    DifferenceKind.THEIRS_ONLY: Proposal.BOOK_OR_REFUND,
    DifferenceKind.REFUND_THEIRS_ONLY: Proposal.BOOK_REFUND,
    DifferenceKind.OURS_ONLY: Proposal.QUERY_THEN_REVERSE,
    DifferenceKind.REFUND_OURS_ONLY: Proposal.ASK_REFUND_AGAIN,
    DifferenceKind.AMOUNT: Proposal.ADJUST_AMOUNT,
    DifferenceKind.TOTALS: Proposal.CLAIM_ROW,
}


def following(last: int, limit: int = LAST_TRACE) -> int:
    """Give the number after one that runs from 1 to a limit and begins anew."""
    return last % limit + 1


def ahead(last: int, trace: int) -> int:
    """Tell how far a trace is ahead of the last one: 1 is the next; a used one is far ahead."""
    return (trace - last) % LAST_TRACE or LAST_TRACE


def in_window(last: int, trace: int) -> bool:
    """Tell whether a new act may have this trace; after no act at all any may."""
    return last == 0 or ahead(last, trace) <= WINDOW


def totals_of(acts: Iterable[Uploaded]) -> Totals:
    """Add a batch's acts up."""
    sales = sales_minor = back = back_minor = 0
    for each in acts:
        if each.kind is Kind.SALE:
            sales, sales_minor = sales + 1, sales_minor + each.amount_minor
        else:
            back, back_minor = back + 1, back_minor + each.amount_minor
    return Totals(sales, sales_minor, back, back_minor)


def compare(told: Iterable[Uploaded], ours: Iterable[Uploaded]) -> list[BatchDifference]:
    """Hold what a terminal uploaded against what we did, act by act.

    Parameters
    ----------
    told, ours : iterable of Uploaded
        Each trace at most once on our side. Told twice, it is one.

    Returns
    -------
    list of BatchDifference
        By trace. Empty where both hold the same. Cost grows with the number of acts.
    """
    theirs = {(each.trace, each.kind): each.amount_minor for each in told}
    held = {(each.trace, each.kind): each.amount_minor for each in ours}
    found = []
    for trace, kind in sorted(theirs.keys() | held.keys()):
        told_minor, ours_minor = theirs.get((trace, kind)), held.get((trace, kind))
        if told_minor == ours_minor:
            continue
        sale = kind is Kind.SALE
        if ours_minor is None:
            what = DifferenceKind.THEIRS_ONLY if sale else DifferenceKind.REFUND_THEIRS_ONLY
        elif told_minor is None:
            what = DifferenceKind.OURS_ONLY if sale else DifferenceKind.REFUND_OURS_ONLY
        else:
            what = DifferenceKind.AMOUNT
        found.append(BatchDifference(what, trace, kind, told_minor, ours_minor))
    return found
