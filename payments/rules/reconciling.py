"""What becomes of a difference from a channel's bill: proposed, approved by another, resolved."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from pydantic import JsonValue

from city.errors import Conflict, Forbidden, Invalid
from city.identifiers import uuid7
from city.money import Money
from payments.rules.arrears import reason_given
from payments.rules.ledger import Entry, EntryKind, Posting, clearing_of, surplus_of, suspense_of


class CaseState(StrEnum):
    """How a difference stands."""

    OPEN = "open"
    PROPOSED = "proposed"
    APPROVED = "approved"
    RESOLVED = "resolved"


class Resolution(StrEnum):
    """How a difference ends."""

    NOTE = "note"
    """In words: nothing is to be posted."""
    SUSPENSE = "suspense"
    """The channel's account is set to its bill, the rest waits in suspense."""
    SURPLUS = "surplus"
    """The channel's account is set to its bill, the rest is owed back to payers."""


FOUND_NO_MORE: Final = "a later bill of the day does not show it any more"


@dataclass(frozen=True, slots=True)
class KeptDifference:
    """A difference of a day and channel, and what people said of it.

    Parameters
    ----------
    effect : Money
        By how much more than by our ledger the channel holds, by its bill.
    detail : mapping
        Both sides, as reports show them.
    """

    id: UUID
    channel: str
    day: date
    kind: str
    order_no: str
    refund_no: str
    proposal: str
    certain: bool
    effect: Money
    detail: Mapping[str, JsonValue]
    state: CaseState
    found_at: datetime
    resolution: Resolution | None = None
    note: str = ""
    proposed_at: datetime | None = None
    proposed_by: str | None = None
    approved_at: datetime | None = None
    approved_by: str | None = None
    resolved_at: datetime | None = None
    resolved_by: str | None = None
    entry_id: UUID | None = None


def proposed(
    case: KeptDifference, resolution: Resolution, note: str, at: datetime, by: str
) -> KeptDifference:
    """Propose how a difference ends, with words.

    Raises
    ------
    Conflict
        Where it is not open.
    Invalid
        Without words, or where a posting would move nothing.
    """
    if case.state is not CaseState.OPEN:
        raise Conflict(f"is {case.state.value}", field="difference_id", reason=case.state.value)
    if resolution is not Resolution.NOTE and not case.effect:
        raise Invalid("moves no money: resolve it by a note", field="resolution")
    said = reason_given(note)
    return replace(
        case,
        state=CaseState.PROPOSED,
        resolution=resolution,
        note=said,
        proposed_at=at,
        proposed_by=by,
    )


def approved(case: KeptDifference, at: datetime, by: str) -> KeptDifference:
    """Approve what another proposed.

    Raises
    ------
    Conflict
        Where nothing is proposed.
    Forbidden
        Where who proposed it approves.
    """
    _check_second(case, by)
    return replace(case, state=CaseState.APPROVED, approved_at=at, approved_by=by)


def sent_back(case: KeptDifference, by: str) -> KeptDifference:
    """Send a proposal back: the difference is open again; as `approved` for who may."""
    _check_second(case, by)
    return replace(case, state=CaseState.OPEN, resolution=None, proposed_at=None, proposed_by=None)


def resolved(case: KeptDifference, at: datetime, by: str) -> tuple[KeptDifference, Entry | None]:
    """Do what was approved; give the entry to be posted, None for a note.

    Raises
    ------
    Conflict
        Where it is not approved.
    """
    if case.state is not CaseState.APPROVED:
        raise Conflict(f"is {case.state.value}", field="difference_id", reason=case.state.value)
    done = replace(case, state=CaseState.RESOLVED, resolved_at=at, resolved_by=by)
    if case.resolution is Resolution.NOTE:
        return done, None
    other = surplus_of if case.resolution is Resolution.SURPLUS else suspense_of
    entry = Entry(
        uuid7(),
        at,
        EntryKind.CORRECTION,
        case.id,
        (
            Posting(clearing_of(case.channel), case.effect),
            Posting(other(case.channel), -case.effect),
        ),
        case.note,
        by,
    )
    return replace(done, entry_id=entry.id), entry


def _check_second(case: KeptDifference, by: str) -> None:
    if case.state is not CaseState.PROPOSED:
        raise Conflict(f"is {case.state.value}", field="difference_id", reason=case.state.value)
    if case.proposed_by == by:
        raise Forbidden("a second person decides", reason="own-act")
