"""Disputes: a driver says that a bill is wrong, which stops its clock until somebody answers."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from city.errors import Conflict, Invalid
from city.identifiers import BillId, DistrictCode, uuid7
from payments.rules.bills import Bill, BillState, cancelled

LONGEST_WORDS: Final = 1000
SHORTEST_ANSWER: Final = 3


class DisputeState(StrEnum):
    """State of a dispute."""

    OPEN = "open"
    UPHELD = "upheld"
    """The bill was wrong: it is cancelled."""
    REJECTED = "rejected"
    """The bill stands; what the dispute took is added to its time."""
    WITHDRAWN = "withdrawn"


class Ground(StrEnum):
    """What is said to be wrong."""

    NOT_MY_VEHICLE = "not-my-vehicle"
    NOT_PARKED = "not-parked"
    WRONG_TIMES = "wrong-times"
    WRONG_FEE = "wrong-fee"
    ALREADY_PAID = "already-paid"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Dispute:
    """One dispute of one bill."""

    id: UUID
    bill_id: BillId
    district: DistrictCode
    state: DisputeState
    ground: Ground
    words: str
    opened_at: datetime
    opened_by: str
    resolved_at: datetime | None = None
    resolved_by: str | None = None
    answer: str | None = None


def opened(bill: Bill, ground: Ground, words: str, at: datetime, by: str) -> tuple[Dispute, Bill]:
    """Open a dispute, and freeze the bill.

    Raises
    ------
    Conflict
        Where the bill is not open: one that is paid is refunded, not disputed.
    Invalid
        Where the words are too many.
    """
    if bill.state is not BillState.OPEN:
        raise Conflict(f"the bill is {bill.state.value}", field="bill_id", reason=bill.state.value)
    said = words.strip()
    if len(said) > LONGEST_WORDS:
        raise Invalid(f"must be at most {LONGEST_WORDS} characters", field="words")
    dispute = Dispute(
        uuid7(), bill.id, bill.charge.district, DisputeState.OPEN, ground, said, at, by
    )
    return dispute, replace(bill, state=BillState.DISPUTED)


def resolved(
    dispute: Dispute, bill: Bill, state: DisputeState, answer: str, *, at: datetime, by: str
) -> tuple[Dispute, Bill]:
    """Resolve a dispute; give it with its bill.

    The bill is cancelled where the dispute is upheld, else open again: it is then due later by as
    long as the dispute took.

    Raises
    ------
    Conflict
        Where it is resolved already.
    Invalid
        Without an answer, or by a state that resolves nothing.
    """
    if dispute.state is not DisputeState.OPEN:
        raise Conflict("is resolved already", field="dispute_id", reason=dispute.state.value)
    said = answer.strip()
    if not SHORTEST_ANSWER <= len(said) <= LONGEST_WORDS:
        raise Invalid(
            f"must say why, in {SHORTEST_ANSWER} to {LONGEST_WORDS} characters", field="answer"
        )
    if state is DisputeState.OPEN:
        raise Invalid("resolves nothing", field="outcome")
    done = replace(dispute, state=state, resolved_at=at, resolved_by=by, answer=said)
    if state is DisputeState.UPHELD:
        return done, cancelled(bill)
    due_at = bill.due_at + (at - dispute.opened_at)
    return done, replace(bill, state=BillState.OPEN, due_at=due_at)
