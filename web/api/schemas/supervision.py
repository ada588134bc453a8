"""Who is on the street and how it goes, over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from web.api.schemas.base import Incoming, Instant, MoneyOut, Names, Outgoing
from web.api.schemas.patrol import TaskKind
from web.api.schemas.stays import PlateOut
from web.api.schemas.terminals import Concern


class SupervisionQuery(Incoming):
    """How far back."""

    hours: Annotated[int, Field(ge=1, le=168)] = 8


class OnShiftOut(Outgoing):
    """One person on shift."""

    shift_id: UUID
    person: str
    name: str
    district: str
    place: str
    since_at: Instant
    on_break: bool
    carries: Annotated[MoneyOut, Field(description="Cash owed, by the ledger")]
    tasks: Annotated[int, Field(description="Answered in the time asked about")]
    middle_s: float | None


class SupervisionTerminalOut(Outgoing):
    """A terminal in service: where it last was, about 100 m, and what needs an eye."""

    id: UUID
    name: str
    state: str
    signed_in: str | None
    heard_at: Instant | None
    position: list[float] | None
    battery_percent: int | None
    acts_waiting: int | None
    concerns: list[Concern]


class SupervisionTaskOut(Outgoing):
    """A task that stands."""

    id: UUID
    kind: TaskKind
    bay_label: str
    position: list[float]
    facility: Names
    session_id: UUID | None
    arose_at: Instant
    seen_at: Instant | None


class ResponseOut(Outgoing):
    """How fast tasks of one kind were come to."""

    kind: TaskKind
    arose: int
    done: int
    left: int
    by_itself: int
    standing: int
    seen_s: Annotated[list[float], Field(description="Median and ninth decile, or none")]
    done_s: Annotated[list[float], Field(description="Median and ninth decile, or none")]


class AwaitedPhotoOut(Outgoing):
    """A photo that an act named half an hour ago or more, and that never came, whole."""

    photo_id: UUID
    act_id: UUID
    kind: Annotated[str, Field(description="Of the act")]
    terminal: str
    name: Annotated[str, Field(description="Who did it")]
    bay_label: str
    facility: Names
    session_id: UUID | None
    at: Annotated[Instant, Field(description="When it was done")]
    part_bytes: Annotated[int, Field(description="What came of it")]


class EscapeOut(Outgoing):
    """A vehicle that drove off unpaid, by whom it was seen and what became of its bill."""

    session_id: UUID
    at: Instant
    by: str
    name: Annotated[str, Field(description="Who saw it")]
    words: str
    photo: bool
    plate: PlateOut | None
    bay_label: str
    facility: Names
    bill_id: Annotated[UUID | None, Field(description="None: not billed yet")]
    outstanding: MoneyOut | None
    withdrawn_at: Annotated[Instant | None, Field(description="Since when it is taken back")]
    withdrawn_by: Annotated[str | None, Field(description="Name of who took it back")]
    because: Annotated[str, Field(description="Why it was taken back")]


class SupervisionOut(Outgoing):
    """The street now: people, terminals, tasks, and how fast they were answered."""

    people: list[OnShiftOut]
    terminals: list[SupervisionTerminalOut]
    tasks: Annotated[list[SupervisionTaskOut], Field(description="The newest that stand")]
    responses: list[ResponseOut]
    photos: Annotated[list[AwaitedPhotoOut], Field(description="Awaited, the newest")]
    escapes: Annotated[list[EscapeOut], Field(description="Told in the time asked about")]
    names: dict[str, str]
    at: Instant
