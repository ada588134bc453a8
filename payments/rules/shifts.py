"""An attendant's shift: begun, broken off, counted blind, approved by somebody else.

What should be there is never kept: it is what the ledger says that the attendant carries. The
count is made without being told; by how much it differs is posted at once, so that the ledger says
from then on what was counted, and is explained and approved afterwards. What was done before the
count and came to be known later (a terminal without a line) is settled by the approval, or by
another one after it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from city.errors import Conflict, Forbidden, Invalid
from city.identifiers import DistrictCode, uuid7
from city.money import Money
from payments.rules.ledger import Entry, EntryKind, Posting, cash_of, over_short_of

CURRENCY: Final = "CNY"
FACES_MINOR: Final = (10_000, 5_000, 2_000, 1_000, 500, 200, 100, 50, 20, 10, 5, 2, 1)
"""Notes and coins of the renminbi that may still be paid with, in fen."""
MOST_PIECES: Final = 100_000
LONGEST_WORDS: Final = 500
LONGEST_PLACE: Final = 80
MOST_BREAKS: Final = 50
_NOTHING: Final = Money(0, CURRENCY)


class ShiftState(StrEnum):
    """State of a shift."""

    OPEN = "open"
    COUNTED = "counted"
    """Over, and waiting for somebody else's word."""
    APPROVED = "approved"


@dataclass(frozen=True, slots=True)
class Break:
    """A pause; it lasts while its end is None."""

    from_at: datetime
    until_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Shift:
    """One attendant's shift at one place.

    Attributes
    ----------
    holder : str
        Subject of the attendant; the cash account of that name is theirs.
    carried : Money
        What the ledger said that they carried when it began.
    counted, expected : Money or None
        What was counted at its end, and what the ledger said at that moment.
    pieces : mapping of int to int
        How many of each note and coin were counted, by face value in minor units.
    late : Money
        What was settled after the count of what had been done before it.
    note, answer : str
        What the attendant and who approved it say to the difference.
    """

    id: UUID
    holder: str
    district: DistrictCode
    place: str
    opened_at: datetime
    carried: Money
    state: ShiftState = ShiftState.OPEN
    breaks: tuple[Break, ...] = ()
    counted_at: datetime | None = None
    counted: Money | None = None
    pieces: Mapping[int, int] = field(default_factory=dict)
    expected: Money | None = None
    late: Money = _NOTHING
    note: str = ""
    approved_at: datetime | None = None
    approved_by: str | None = None
    answer: str = ""

    @property
    def difference(self) -> Money | None:
        """Counted less what should have been there, by all that is settled; None before."""
        if self.counted is None or self.expected is None:
            return None
        return self.counted - self.expected - self.late

    @property
    def on_break(self) -> bool:
        """Whether a break lasts."""
        return bool(self.breaks) and self.breaks[-1].until_at is None


@dataclass(frozen=True, slots=True)
class Approval:
    """One approval of a shift; there are several where more came to be known after the first.

    Attributes
    ----------
    late : Money
        What it settled of what had been done before the count.
    """

    id: UUID
    shift_id: UUID
    late: Money
    answer: str
    at: datetime
    by: str


def opened(
    shift_id: UUID,
    holder: str,
    district: DistrictCode,
    place: str,
    *,
    carried: Money,
    at: datetime,
) -> Shift:
    """Begin a shift; Invalid without a place."""
    where = place.strip()
    if not where or len(where) > LONGEST_PLACE:
        raise Invalid(f"must be 1 to {LONGEST_PLACE} characters", field="place")
    return Shift(shift_id, holder, district, where, at, carried)


def paused(shift: Shift, at: datetime) -> Shift:
    """Begin a break; Conflict where one lasts, or the shift is over or not begun then."""
    _check_open(shift)
    _check_begun(shift, at)
    if shift.on_break:
        raise Conflict("a break has begun already", field="state", reason="on-break")
    if len(shift.breaks) >= MOST_BREAKS:
        raise Conflict(f"had {MOST_BREAKS} breaks already", field="state", reason="breaks")
    return replace(shift, breaks=(*shift.breaks, Break(at)))


def resumed(shift: Shift, at: datetime) -> Shift:
    """End the break; Conflict where there is none."""
    _check_open(shift)
    if not shift.on_break:
        raise Conflict("there is no break to end", field="state", reason="no-break")
    last = replace(shift.breaks[-1], until_at=max(at, shift.breaks[-1].from_at))
    return replace(shift, breaks=(*shift.breaks[:-1], last))


def counted(
    shift: Shift, pieces: Mapping[int, int], note: str, expected: Money, at: datetime
) -> tuple[Shift, Entry | None]:
    """End a shift by what was counted; give the entry of the difference where there is one.

    Parameters
    ----------
    shift : Shift
    pieces : mapping of int to int
        How many of each face of `FACES_MINOR`.
    note : str
        What the attendant says to it; may be empty.
    expected : Money
        What the ledger says that they carry.
    at : datetime

    Raises
    ------
    Conflict
        Where it is over already, or was not begun by then.
    Invalid
        On a face that there is not, or a number that is none.
    """
    _check_open(shift)
    _check_begun(shift, at)
    total = total_of(pieces)
    if shift.on_break:
        shift = resumed(shift, at)
    done = replace(
        shift,
        state=ShiftState.COUNTED,
        counted_at=at,
        counted=total,
        pieces={face: pieces[face] for face in FACES_MINOR if pieces.get(face)},
        expected=expected,
        note=_words(note, "note"),
    )
    return done, _booked(done, done.id, total - expected, at, by=shift.holder, reason="counted")


def explained(shift: Shift, note: str) -> Shift:
    """Say something to a difference; Conflict before the count and after the approval."""
    if shift.state is not ShiftState.COUNTED:
        raise Conflict("is not waiting for an approval", field="state", reason="not-counted")
    return replace(shift, note=_words(note, "note"))


def approved(
    shift: Shift, known: Money, answer: str, at: datetime, by: str
) -> tuple[Shift, Approval, Entry | None]:
    """Approve a counted shift; give the entry of what came to be known after the count.

    Parameters
    ----------
    shift : Shift
        Counted; or approved, where more came to be known since.
    known : Money
        What the ledger says now that the attendant carried at the count, without the count's own
        entries.
    answer : str
        What the approver says to the difference; not empty where there is one.
    at : datetime
    by : str
        Not the attendant.

    Raises
    ------
    Conflict
        Where it is not counted yet, or approved and nothing new is known.
    Forbidden
        To the attendant.
    Invalid
        On a difference that nobody says anything to.
    """
    if shift.counted is None or shift.expected is None:
        raise Conflict("was not counted yet", field="state", reason="not-counted")
    if by == shift.holder:
        raise Forbidden("a shift is approved by somebody else than whose it is")
    more = known - shift.expected - shift.late
    if shift.state is ShiftState.APPROVED and not more:
        raise Conflict("was approved already", field="state", reason="ended")
    said = _words(answer, "answer")
    if shift.counted != known and not said:
        raise Invalid("must say why the difference is accepted", field="answer")
    done = replace(
        shift,
        state=ShiftState.APPROVED,
        late=shift.late + more,
        approved_at=at,
        approved_by=by,
        answer=said,
    )
    approval = Approval(uuid7(), shift.id, more, said, at, by)
    # As of the count: what a later shift of theirs should hold is not moved by it.
    settled_at = at if shift.counted_at is None else shift.counted_at
    booked = _booked(done, approval.id, -more, settled_at, by=by, reason="known after the count")
    return done, approval, booked


def total_of(pieces: Mapping[int, int]) -> Money:
    """Add notes and coins up; Invalid on a face that there is not, or a number that is none."""
    for face, number in pieces.items():
        if face not in FACES_MINOR:
            raise Invalid("is no note or coin", field=f"pieces.{face}")
        if not 0 <= number <= MOST_PIECES:
            raise Invalid(f"must be between 0 and {MOST_PIECES}", field=f"pieces.{face}")
    return Money(sum(face * number for face, number in pieces.items()), CURRENCY)


def _booked(
    shift: Shift, subject: UUID, moved: Money, at: datetime, *, by: str, reason: str
) -> Entry | None:
    """Book that an attendant carries more (or less) than the ledger said."""
    if not moved:
        return None
    return Entry(
        uuid7(),
        at,
        EntryKind.COUNT,
        subject,
        (Posting(cash_of(shift.holder), moved), Posting(over_short_of(shift.holder), -moved)),
        reason,
        by,
    )


def _words(text: str, name: str) -> str:
    said = text.strip()
    if len(said) > LONGEST_WORDS:
        raise Invalid(f"must be at most {LONGEST_WORDS} characters", field=name)
    return said


def _check_begun(shift: Shift, at: datetime) -> None:
    last_at = shift.breaks[-1].until_at if shift.breaks else None
    if at < max(shift.opened_at, last_at or shift.opened_at):
        raise Conflict("lies before what is known of the shift", field="at", reason="overlap")


def _check_open(shift: Shift) -> None:
    if shift.state is not ShiftState.OPEN:
        raise Conflict("the shift is over", field="state", reason="ended")
