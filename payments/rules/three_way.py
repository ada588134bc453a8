"""A day told three times: by stays and sensors, by bills, by what channels say was paid.

Nothing here is a charge or a fine: a difference says where to look, and proposes what to do.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from pydantic import JsonValue

from city.identifiers import BillId, ParkingSessionId, PaymentId
from city.money import Money

SOURCE: Final = "stays"
"""What stands in a channel's place where a day's stays are held against their bills."""
FREE_TOLERANCE: Final = timedelta(minutes=10)
"""Time of a billed stay in which its sensor said 'free', up to which nothing is told: two clocks
of two minutes at either end (the folding's own window for one event), and a flicker between."""
BILL_GRACE: Final = timedelta(minutes=15)
"""A bill follows its stay within seconds; before this none is missing."""


class ThreeWayKind(StrEnum):
    """What does not agree."""

    STAY_WITHOUT_BILL = "stay-without-bill"
    TIME_CONTRADICTED = "time-contradicted"
    """The sensor said for longer than the tolerance that nobody was there."""
    PAID_WITHOUT_RECORD = "paid-without-record"
    """A bill counts as paid what no payment, no entry, or no channel's bill shows."""


class ThreeWayProposal(StrEnum):
    """What is proposed; done by a person, after approval."""

    BILL_IT = "look-at-the-stay-then-bill-it"
    CORRECT_STAY = "look-at-the-evidence-then-correct-the-stay"
    FIND_PAYMENT = "find-the-payment-or-ask-for-it-again"


@dataclass(frozen=True, slots=True)
class StayTold:
    """One stay that ended on the day.

    Parameters
    ----------
    billable : bool
        A bill belongs to it: it is final, counts by itself, has vehicle and tariff.
    free : timedelta or None
        How long its sensor said 'free' between its two ends; None where no sensor tells of it.
        Unknown time contradicts nothing.
    """

    session_id: ParkingSessionId
    opened_at: datetime
    closed_at: datetime
    billable: bool
    free: timedelta | None


@dataclass(frozen=True, slots=True)
class PaidPart:
    """One payment for a bill.

    Parameters
    ----------
    booked : bool
        The ledger has an entry of it.
    in_bill : bool or None
        The channel's bill has it; None for cash, and where that day's bill was not held against
        ours yet.
    """

    payment_id: PaymentId
    channel: str
    amount: Money
    booked: bool
    in_bill: bool | None


@dataclass(frozen=True, slots=True)
class Charged:
    """A stay's bill, not one that was cancelled, and what was taken for it."""

    bill_id: BillId
    session_id: ParkingSessionId
    amount: Money
    paid: Money
    parts: tuple[PaidPart, ...] = ()


@dataclass(frozen=True, slots=True)
class ThreeWayDifference:
    """One thing that does not agree, with all that was told of the stay."""

    kind: ThreeWayKind
    proposal: ThreeWayProposal
    stay: StayTold
    bill: Charged | None


@dataclass(frozen=True, slots=True)
class ThreeWay:
    """What came of holding a day's stays against bills and payments."""

    stays: int
    billed: int
    agreed: int
    differences: tuple[ThreeWayDifference, ...]

    def by_kind(self) -> dict[str, int]:
        """Count the differences of each kind."""
        return dict(Counter(each.kind.value for each in self.differences))


def hold_together(
    stays: Iterable[StayTold],
    bills: Mapping[ParkingSessionId, Charged],
    now: datetime,
    tolerance: timedelta = FREE_TOLERANCE,
) -> ThreeWay:
    """Hold stays against their bills, and these against what was paid.

    Parameters
    ----------
    stays
        Those that ended on the day.
    bills
        By stay.
    now
        A bill may still be on its way.
    tolerance
        Free time of a stay up to which sensor and bill agree.

    Returns
    -------
    ThreeWay
        Each stay in every kind in which it differs. Cost grows with stays and payments.
    """
    count = billed = agreed = 0
    found: list[ThreeWayDifference] = []
    for stay in stays:
        count += 1
        bill = bills.get(stay.session_id)
        billed += bill is not None
        differs = [
            ThreeWayDifference(kind, proposal, stay, bill)
            for kind, proposal in _of(stay, bill, now, tolerance)
        ]
        agreed += not differs
        found += differs
    return ThreeWay(count, billed, agreed, tuple(found))


def shown(found: ThreeWayDifference) -> dict[str, JsonValue]:
    """Write a difference with all three tellings, as reports and the desk keep it."""
    stay, bill = found.stay, found.bill
    return {
        "class": found.kind.value,
        "proposal": found.proposal.value,
        "stay": {
            "session_id": str(stay.session_id),
            "opened_at": stay.opened_at.isoformat(),
            "closed_at": stay.closed_at.isoformat(),
            "free_s": None if stay.free is None else round(stay.free.total_seconds()),
        },
        "bill": None
        if bill is None
        else {
            "bill_id": str(bill.bill_id),
            "amount": bill.amount.as_json(),
            "paid": bill.paid.as_json(),
        },
        "payments": []
        if bill is None
        else [
            {
                "payment_id": str(each.payment_id),
                "channel": each.channel,
                "amount": each.amount.as_json(),
                "booked": each.booked,
                "in_bill": each.in_bill,
            }
            for each in bill.parts
        ],
    }


def _of(
    stay: StayTold, bill: Charged | None, now: datetime, tolerance: timedelta
) -> Sequence[tuple[ThreeWayKind, ThreeWayProposal]]:
    if bill is None:
        if stay.billable and now - stay.closed_at >= BILL_GRACE:
            return [(ThreeWayKind.STAY_WITHOUT_BILL, ThreeWayProposal.BILL_IT)]
        return []
    found = []
    # A bill over nothing charges for no time.
    if stay.free is not None and stay.free > tolerance and bill.amount:
        found.append((ThreeWayKind.TIME_CONTRADICTED, ThreeWayProposal.CORRECT_STAY))
    taken_minor = sum(each.amount.minor for each in bill.parts)
    shown_by_all = all(each.booked and each.in_bill is not False for each in bill.parts)
    if taken_minor != bill.paid.minor or not shown_by_all:
        found.append((ThreeWayKind.PAID_WITHOUT_RECORD, ThreeWayProposal.FIND_PAYMENT))
    return found
