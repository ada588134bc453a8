"""Attendants' shifts and the cash that goes from hand to hand."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from web.api.schemas.arrears import DistrictCode
from web.api.schemas.base import Incoming, Instant, MoneyIn, MoneyOut, Outgoing, PageQuery
from web.api.schemas.ledger import WrittenAt

ShiftState = Literal["open", "counted", "approved"]
MoveState = Literal["offered", "accepted", "refused", "withdrawn"]
Words = Annotated[str, Field(max_length=500)]
Pieces = Annotated[
    dict[Annotated[str, Field(pattern="^[0-9]{1,6}$")], Annotated[int, Field(ge=0, strict=True)]],
    Field(max_length=20, description="how many of each note and coin, by face value in fen"),
]


class ShiftIn(Incoming):
    """Where a shift begins."""

    district: DistrictCode
    place: Annotated[str, Field(min_length=1, max_length=80)]


class CountIn(Incoming):
    """What was counted at the end of a shift."""

    pieces: Pieces
    note: Words = ""


class NoteIn(Incoming):
    """What an attendant says to a difference."""

    note: Words


class ApprovalIn(Incoming):
    """What who approves says to a difference; needed where there is one."""

    answer: Words = ""


class BreakOut(Outgoing):
    """A pause."""

    from_at: Instant
    until_at: Instant | None


class ShiftOut(Outgoing):
    """A shift. What the ledger expected is told once it was counted, and not before."""

    id: UUID
    holder: str
    district: str
    place: str
    state: ShiftState
    opened_at: Instant
    carried: MoneyOut
    breaks: list[BreakOut]
    counted_at: Instant | None
    counted: MoneyOut | None
    pieces: dict[str, int]
    expected: MoneyOut | None
    late: Annotated[MoneyOut, Field(description="settled after the count")]
    difference: Annotated[MoneyOut | None, Field(description="counted less expected and late")]
    note: str
    approved_at: Instant | None
    approved_by: str | None
    answer: str


class ShiftsOut(Outgoing):
    """A page of shifts, the latest first."""

    items: list[ShiftOut]
    next: str | None
    names: dict[str, str]


class ShiftsQuery(PageQuery):
    """Which shifts."""

    state: ShiftState | None = None


class ShiftsFileQuery(Incoming):
    """Which shifts, all of them."""

    state: ShiftState | None = None
    from_at: Annotated[WrittenAt | None, Field(description="begun at or after it")] = None
    before_at: WrittenAt | None = None


class SumOut(Outgoing):
    """What entries of one kind moved in a shift."""

    kind: str
    reason: str
    entries: int
    amount: MoneyOut


class StandingOut(Outgoing):
    """A shift with what the ledger says about it now."""

    shift: ShiftOut
    account: Annotated[str, Field(description="the ledger's account of its holder's cash")]
    known: Annotated[
        MoneyOut, Field(description="what should be there now, or should have been at the count")
    ]
    unsettled: Annotated[MoneyOut, Field(description="known since, and not settled yet")]
    under_way: Annotated[
        MoneyOut,
        Field(description="said by then and awaiting the other's word: in, less out"),
    ]
    sums: list[SumOut]
    names: dict[str, str]


class ReceiverIn(Incoming):
    """Who gets cash."""

    kind: Literal["attendant", "till"]
    account_id: Annotated[UUID | None, Field(description="of an attendant")] = None


class MoveIn(Incoming):
    """Cash to be handed over."""

    district: DistrictCode
    to: ReceiverIn
    amount: MoneyIn


class FloatIn(Incoming):
    """Cash that the office gives to an attendant."""

    district: DistrictCode
    account_id: UUID
    amount: MoneyIn


class DepositIn(Incoming):
    """Cash that the office brought to the bank."""

    district: DistrictCode
    amount: MoneyIn
    slip: Annotated[str, Field(min_length=3, max_length=60, description="the bank slip's number")]


class CountedIn(Incoming):
    """What who gets it has counted."""

    counted: MoneyIn


class RefusalIn(Incoming):
    """Why cash is not taken."""

    reason: Annotated[str, Field(min_length=1, max_length=200)]


class EndOut(Outgoing):
    """From or to whom cash goes."""

    kind: Literal["cash", "till", "bank"]
    holder: str


class MoveOut(Outgoing):
    """Cash that goes, or went, from hand to hand."""

    id: UUID
    district: str
    source: EndOut
    target: EndOut
    amount: MoneyOut
    state: MoveState
    offered_at: Instant
    offered_by: Annotated[str, Field(description="who spoke first: the giver, or who got it")]
    ended_at: Instant | None
    ended_by: str | None
    words: Annotated[str, Field(description="why it was refused; a deposit's slip")]


class MovesOut(Outgoing):
    """A page of cash that changed hands, the latest first."""

    items: list[MoveOut]
    next: str | None
    names: dict[str, str]


class MovesQuery(PageQuery):
    """Which."""

    state: MoveState | None = None


class MovesFileQuery(Incoming):
    """Which, all of them."""

    state: MoveState | None = None
    from_at: Annotated[WrittenAt | None, Field(description="offered at or after it")] = None
    before_at: WrittenAt | None = None


class MineOut(Outgoing):
    """An attendant's own shift, the cash that they owe, and what waits for a count."""

    shift: Annotated[ShiftOut | None, Field(description="the last one; null before the first")]
    carried: Annotated[MoneyOut, Field(description="what the ledger says that they carry")]
    waiting: list[MoveOut]
    faces: Annotated[list[int], Field(description="notes and coins that are counted, in fen")]
    names: dict[str, str]


class ColleagueOut(Outgoing):
    """An attendant on shift."""

    account_id: str
    name: str
    place: str


class ColleaguesOut(Outgoing):
    """Attendants on shift in a district."""

    items: list[ColleagueOut]


class ColleaguesQuery(Incoming):
    """Where."""

    district: DistrictCode


class TillOut(Outgoing):
    """The cash in a district's office."""

    district: str
    account: str
    holds: MoneyOut


class TillsOut(Outgoing):
    """Offices' cash."""

    items: list[TillOut]
