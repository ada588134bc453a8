"""Counts of traffic and schedules of plans."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import Base64Bytes, Field, JsonValue

from web.api.schemas.base import Incoming, Instant, Outgoing, PageQuery
from web.api.schemas.signals import ProfileName, Reason, SignalName

ScheduleStatus = Literal[
    "waiting",
    "making",
    "failed",
    "draft",
    "checked",
    "approved",
    "in_force",
    "ended",
    "withdrawn",
]


class SignalCountsIn(Incoming):
    """A table of counts: CSV as text, or a file (.xlsx, CSV) in Base64."""

    MOST_BYTES: ClassVar[int] = 16 * 1024 * 1024

    text: Annotated[str, Field(min_length=1)] | None = None
    file: Base64Bytes | None = None


class CountRefusalOut(Outgoing):
    """A row that was not taken."""

    row: Annotated[int, Field(description="The heading is row 1")]
    junction: str
    field: str
    why: str


class CountGapOut(Outgoing):
    """A stretch of a day on which a movement was not counted, though others were."""

    junction: str
    from_road: str
    to_road: Annotated[str | None, Field(description="null: people who cross the arm")]
    date: dt.date
    begin: Annotated[str, Field(description="Time of day")]
    until: str


class SignalCountsImportedOut(Outgoing):
    """What became of a table: rows taken, and the first hundred of those returned."""

    rows: int
    taken: int
    refused: int
    refusals: list[CountRefusalOut]
    gaps: int
    first_gaps: list[CountGapOut]


class CountedSignalOut(Outgoing):
    """What is counted at a signal."""

    signal: str
    movements: int
    days: int
    first: dt.date
    last: dt.date


class SignalCountsOut(Outgoing):
    """What is counted in a network."""

    signals: list[CountedSignalOut]


class CountTemplateQuery(Incoming):
    """Which empty table."""

    format: Literal["xlsx", "csv"] = "xlsx"
    language: Literal["zh", "en"] = "en"


class SignalScheduleIn(Incoming):
    """Signals that change plans together, and the counted days to learn from."""

    network_id: UUID
    title: Annotated[str, Field(min_length=1, max_length=40, pattern="^[^\\x00]*$")]
    signals: Annotated[list[SignalName], Field(min_length=1, max_length=20)]
    first: dt.date
    last: dt.date
    profile: ProfileName = "gb"
    least_min: Annotated[int, Field(ge=15, le=720, description="A plan runs so long at least")] = 30
    most_plans: Annotated[int, Field(ge=1, le=64)] = 12
    keep_stages: bool = False
    exceptions: Annotated[list[dict[str, JsonValue]], Field(max_length=200)] = Field(
        default_factory=list, description="Events and works (docs/signals.md)"
    )


class SignalScheduleOut(Outgoing):
    """A schedule and who did what to it."""

    id: UUID
    network_id: UUID
    number: int
    title: str
    signals: list[str]
    profile: str
    timezone: str
    settings: dict[str, Any]
    status: ScheduleStatus
    asked_at: Instant
    asked_by: str
    made_at: Instant | None
    problem: Annotated[
        str | None, Field(description="Why it failed or is unsafe, or cannot be followed now")
    ]
    checked_at: Instant | None
    checked_by: str | None
    approved_at: Instant | None
    approved_by: str | None
    from_at: Instant | None
    set_by: str | None
    until_at: Instant | None
    ended_by: str | None
    ended_reason: str | None


class SignalSchedulesQuery(PageQuery):
    """Whose schedules."""

    network_id: UUID


class SignalSchedulesOut(Outgoing):
    """A page of schedules, the latest first."""

    items: list[SignalScheduleOut]
    next: str | None


class ScheduleDatesQuery(Incoming):
    """From which date on the calendar is told; today where none is given."""

    first: dt.date | None = None
    days: Annotated[int, Field(ge=1, le=62)] = 14


class ScheduleDateOut(Outgoing):
    """What a date runs."""

    date: dt.date
    kind: Annotated[str, Field(description="mon to sun, holiday, make-up")]
    calendar_published: bool
    like: str | None
    exception: str | None
    day: Annotated[str | None, Field(description="A day of the document; null: nothing is said")]


class SchedulePlanOut(Outgoing):
    """A plan of a schedule."""

    name: str
    version_id: UUID
    status: str


class SignalScheduleDetailOut(Outgoing):
    """A schedule with its document, plans and calendar."""

    schedule: SignalScheduleOut
    document: dict[str, Any] | None
    plans: list[SchedulePlanOut]
    dates: list[ScheduleDateOut]


class SignalScheduleEndIn(Incoming):
    """Why a schedule is ended or taken back."""

    reason: Reason
