"""Work orders of signals, their history and photos, and the policy of their deadlines."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Base64Bytes, Field

from web.api.schemas.base import Incoming, Instant, Names, Outgoing, PageQuery
from web.api.schemas.signals import SignalName

MOST_UPLOAD_BYTES = 3_000_000
"""A file of 2 MiB in base64, and what is said of it."""

Kind = Literal["controller", "lamp", "detector", "line", "clock", "power", "cabinet", "other"]
Priority = Literal["urgent", "high", "normal", "low"]
State = Literal["open", "taken", "done", "checked", "withdrawn"]
Words = Annotated[str, Field(min_length=3, max_length=1_000)]
Minutes = Annotated[int, Field(ge=1, le=366 * 24 * 60)]


class SignalWorkQuery(PageQuery):
    """Which orders: those that are not over by when they are due, or others, the latest first."""

    view: Literal["active", "over", "all"] = "active"
    network_id: UUID | None = None
    signal: SignalName | None = None
    mine: bool = False


class SignalWorkIn(Incoming):
    """Work: what an alarm asks for, or in one's own words."""

    alarm_id: Annotated[UUID | None, Field(description="Alone; then nothing else")] = None
    network_id: UUID | None = None
    signal: SignalName | None = None
    kind: Kind | None = None
    priority: Priority | None = None
    what: Annotated[str | None, Field(min_length=3, max_length=400)] = None


class SignalWorkActIn(Incoming):
    """What somebody does to an order."""

    act: Literal["take", "assign", "hand_back", "note", "done", "check", "give_back", "withdraw"]
    words: Annotated[
        Words | None, Field(description="The reason, or what was done, where the act needs it")
    ] = None
    assignee: Annotated[UUID | None, Field(description="An account, to assign to")] = None


class SignalWorkPhotoIn(Incoming):
    """A photo taken at the cabinet."""

    MOST_BYTES: ClassVar[int] = MOST_UPLOAD_BYTES

    photo: Annotated[Base64Bytes, Field(description="a JPEG or PNG, at most 2 MiB")]
    words: Words | None = None


class SignalWorkOut(Outgoing):
    """An order: what, where, until when, in whose hands."""

    id: UUID
    network_id: UUID
    network_code: str
    signal: str
    title: Names | None
    kind: Kind
    priority: Priority
    what: Names
    origin: Literal["alarm", "hand", "rule"]
    alarm_id: UUID | None
    state: State
    raised_at: Instant
    raised_by: str
    assignee: str | None
    mine: Annotated[bool, Field(description="In the caller's hands")]
    taken_at: Instant | None
    done_at: Instant | None
    done_by: str | None
    ended_at: Instant | None
    ended_by: str | None
    due_at: Annotated[Instant | None, Field(description="Of its next step; null where it is over")]
    overdue_s: float
    responded_s: float | None
    mended_s: float | None


class SignalWorksOut(Outgoing):
    """Orders, how many are not over, and how many of these are overdue."""

    at: Instant
    counts: dict[str, int]
    items: list[SignalWorkOut]
    next: str | None


class SignalWorkEntryOut(Outgoing):
    """A line of an order's history."""

    number: int
    at: Instant
    by: str
    what: str
    words: str | None
    other: str | None
    photo: Annotated[str | None, Field(description="SHA-256 of a photo, under which it is shown")]


class SignalWorkFaultOut(Outgoing):
    """The alarm that an order came of."""

    code: str
    open: bool
    since_at: Instant
    cleared_at: Instant | None


class SignalWorkDetailOut(SignalWorkOut):
    """An order with its history."""

    acts: Annotated[list[str], Field(description="What the caller may do now")]
    fault: Annotated[
        SignalWorkFaultOut | None, Field(description="Null where none, or none is kept")
    ]
    entries: list[SignalWorkEntryOut]
    more: Annotated[bool, Field(description="Whether later lines were left out")]


class SignalWorkerOut(Outgoing):
    """Somebody whom an order can be assigned to."""

    id: str
    name: str


class SignalWorkersOut(Outgoing):
    """Those whom an order can be assigned to."""

    items: list[SignalWorkerOut]


class SignalWorkLimits(Incoming):
    """Minutes: until taken and until mended since it was raised, until looked over since done."""

    respond_min: Minutes
    mend_min: Minutes
    check_min: Minutes


class SignalWorkLasting(Incoming):
    """An alarm that is open so long raises work by itself."""

    after_min: Minutes
    kind: Kind
    priority: Priority


class SignalWorkPolicyIn(Incoming):
    """Limits by priority, and rules by an alarm's code."""

    number: Annotated[int, Field(ge=0, description="Of the policy that this one replaces")]
    reason: Words
    limits: dict[Priority, SignalWorkLimits]
    lasting: Annotated[dict[str, SignalWorkLasting], Field(max_length=20)]


class SignalWorkLimitsOut(Outgoing):
    """Minutes: until taken and until mended since it was raised, until looked over since done."""

    respond_min: int
    mend_min: int
    check_min: int


class SignalWorkLastingOut(Outgoing):
    """An alarm that is open so long raises work by itself."""

    after_min: int
    kind: Kind
    priority: Priority


class SignalWorkPolicyOut(Outgoing):
    """The policy in force; number 0 is the standard one."""

    number: int
    set_at: Instant | None
    set_by: str | None
    reason: str | None
    limits: dict[str, SignalWorkLimitsOut]
    lasting: dict[str, SignalWorkLastingOut]
