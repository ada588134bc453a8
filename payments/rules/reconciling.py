"""What becomes of a difference from a channel's bill: proposed, approved by another, resolved."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
REVERSE_CORRECTION: Final = "reverse-the-correction-that-the-bill-bears-out-no-more"
_AGAIN: Final = re.compile(r"\|again-[0-9]+$")


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


@dataclass(frozen=True, slots=True)
class Rerun:
    """What holding a day once more changes about what was kept of it.

    Parameters
    ----------
    new : tuple of (str, KeptDifference)
        By key: found for the first time, or again after it had ended.
    changed : tuple of KeptDifference
        Not ended, and other than before: what people said of it is void where the money is.
    gone : tuple of UUID
        Not found any more.
    """

    new: tuple[tuple[str, KeptDifference], ...]
    changed: tuple[KeptDifference, ...]
    gone: tuple[UUID, ...]


def held_again(
    kept: Iterable[tuple[str, KeptDifference]],
    found: Iterable[tuple[str, KeptDifference]],
    at: datetime,
    *,
    complete: bool = True,
) -> Rerun:
    """Say what becomes of a day's differences when it is held once more.

    What people ended stays ended as long as it is found as they ended it. What was posted counts:
    should a corrected bill show another sum, or nothing any more, the rest is a difference again.

    Parameters
    ----------
    kept : iterable of (str, KeptDifference)
        All of the day and source, by key.
    found : iterable of (str, KeptDifference)
        What this run found, by key; each key once.
    at : datetime
        When it ran.
    complete : bool
        False where it cannot be told what is not there: nothing is gone by that.
    """
    before: dict[str, list[KeptDifference]] = defaultdict(list)
    for key, case in kept:
        before[_AGAIN.sub("", key)].append(case)
    plans = [_found_again(key, case, before.pop(key, ()), complete=complete) for key, case in found]
    if complete:
        plans += [_found_no_more(key, cases, at) for key, cases in before.items()]
    return Rerun(
        tuple(one for plan in plans for one in plan.new),
        tuple(one for plan in plans for one in plan.changed),
        tuple(one for plan in plans for one in plan.gone),
    )


def _found_again(
    key: str, case: KeptDifference, cases: Sequence[KeptDifference], *, complete: bool
) -> Rerun:
    ended, live = _parted(cases)
    rest = _not_posted(case, ended)
    if live is not None:
        if complete and not rest.effect and any(each.entry_id for each in ended):
            return Rerun((), (), (live.id,))  # what was posted is right after all
        sure = rest.certain or not live.certain
        return Rerun((), tuple(_as_found_now(live, rest)) if sure else (), ())
    if not ended:
        return Rerun(((key, case),), (), ())
    told = rest.certain and _is_other(rest, ended)
    return Rerun(((f"{key}|again-{len(cases)}", rest),) if told else (), (), ())


def _found_no_more(key: str, cases: Sequence[KeptDifference], at: datetime) -> Rerun:
    ended, live = _parted(cases)
    wrong = -_posted_minor(ended)
    if live is not None and wrong and live.effect.minor == wrong:
        return Rerun((), (), ())  # that its correction is to be reversed is told already
    new = (f"{key}|again-{len(cases)}", _to_be_reversed(ended, wrong, at)) if wrong else None
    return Rerun((new,) if new else (), (), () if live is None else (live.id,))


def _parted(
    cases: Sequence[KeptDifference],
) -> tuple[list[KeptDifference], KeptDifference | None]:
    """Give what of a key has ended, the first one first, and what has not: one at most."""
    ended = [case for case in cases if case.state is CaseState.RESOLVED]
    live = [case for case in cases if case.state is not CaseState.RESOLVED]
    return sorted(ended, key=lambda case: case.id), live[0] if live else None


def _posted_minor(ended: Iterable[KeptDifference]) -> int:
    return sum(each.effect.minor for each in ended if each.entry_id is not None)


def _not_posted(case: KeptDifference, ended: Sequence[KeptDifference]) -> KeptDifference:
    posted = Money(_posted_minor(ended), case.effect.currency)
    return replace(case, effect=case.effect - posted)


def _is_other(rest: KeptDifference, ended: Sequence[KeptDifference]) -> bool:
    """Say whether a difference that ended is there again, or as another one."""
    by_people = [each for each in ended if each.note != FOUND_NO_MORE]
    if not by_people:
        return True
    last = by_people[-1]
    return bool(rest.effect) if last.entry_id is not None else rest.effect != last.effect


def _as_found_now(live: KeptDifference, now: KeptDifference) -> Iterator[KeptDifference]:
    says = replace(
        live, effect=now.effect, detail=now.detail, certain=now.certain, proposal=now.proposal
    )
    if (live.effect, live.proposal) != (now.effect, now.proposal):
        yield replace(
            says,
            state=CaseState.OPEN,
            resolution=None,
            note="",
            proposed_at=None,
            proposed_by=None,
            approved_at=None,
            approved_by=None,
        )
    elif live.state is CaseState.OPEN and live != says:
        yield says


def _to_be_reversed(ended: Sequence[KeptDifference], minor: int, at: datetime) -> KeptDifference:
    last = ended[-1]
    return KeptDifference(
        id=uuid7(),
        channel=last.channel,
        day=last.day,
        kind=last.kind,
        order_no=last.order_no,
        refund_no=last.refund_no,
        proposal=REVERSE_CORRECTION,
        certain=True,
        effect=Money(minor, last.effect.currency),
        detail=last.detail,
        state=CaseState.OPEN,
        found_at=at,
    )


def _check_second(case: KeptDifference, by: str) -> None:
    if case.state is not CaseState.PROPOSED:
        raise Conflict(f"is {case.state.value}", field="difference_id", reason=case.state.value)
    if case.proposed_by == by:
        raise Forbidden("a second person decides", reason="own-act")
