"""A junction's file, its documents, and how signals were on line."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Base64Bytes, Field

from web.api.schemas.base import Incoming, Instant, Names, Outgoing
from web.api.schemas.signal_work import MOST_UPLOAD_BYTES, Words

Paper = Literal["drawing", "photo", "wiring", "plan", "other"]


class JunctionDocumentIn(Incoming):
    """A paper of a junction: the next version of the one with its kind and title."""

    MOST_BYTES: ClassVar[int] = MOST_UPLOAD_BYTES

    kind: Paper
    title: Annotated[str, Field(min_length=1, max_length=120)]
    content: Annotated[Base64Bytes, Field(description="a JPEG, PNG or PDF, at most 2 MiB")]
    note: Words | None = None


class JunctionDocumentOut(Outgoing):
    """A version of a paper."""

    id: UUID
    kind: Paper
    title: str
    version: int
    format: str
    bytes: int
    sha256: str
    note: str | None
    kept_at: Instant
    kept_by: str


class OnLineOut(Outgoing):
    """How long a signal was heard of the time that somebody listened."""

    heard_s: float
    watched_s: float
    elapsed_s: Annotated[
        float,
        Field(description="Since it should tell, in the month; what is not watched is unknown"),
    ]
    rate: Annotated[float | None, Field(description="heard / watched; null where nobody listened")]


class JunctionCabinetOut(Outgoing):
    """The cabinet at a junction."""

    protocol: str
    transport: str
    controller: int
    simulated: bool
    bound_at: Instant
    looked_at: Annotated[Instant | None, Field(description="When it told of itself last")]
    maker: str | None
    version: Annotated[str | None, Field(description="Hardware and software, as its bytes stand")]
    serial: str | None
    clock_ahead_s: float | None
    faults: Annotated[list[str] | None, Field(description="Null where it does not tell")]
    alarms: Annotated[list[str] | None, Field(description="Null where it does not tell")]


class JunctionReporterOut(Outgoing):
    """Who tells of a junction."""

    subject: str
    added_at: Instant
    heard_at: Instant | None
    newest_at: Annotated[Instant | None, Field(description="The latest instant that it told of")]
    refused_at: Instant | None
    refused_rows: int
    refused_reason: str | None


class JunctionPlanOut(Outgoing):
    """A plan that a junction runs, or ran until an instant."""

    name: str | None
    origin: Literal["found", "deployed", "restored"]
    version_id: UUID | None
    from_at: Instant
    until_at: Instant | None


class JunctionFileOut(Outgoing):
    """What is kept of a junction."""

    at: Instant
    network_code: str
    signal: str
    title: Names
    cabinet: JunctionCabinetOut | None
    reporters: list[JunctionReporterOut]
    month: OnLineOut | None
    month_before: OnLineOut | None
    plans: Annotated[list[JunctionPlanOut], Field(description="The latest first")]
    documents: Annotated[list[JunctionDocumentOut], Field(description="The latest first")]
    may_keep: Annotated[bool, Field(description="Whether the caller may add documents")]


class OnLineQuery(Incoming):
    """Of which month."""

    month: Annotated[
        str | None, Field(pattern=r"^20\d{2}-(0[1-9]|1[0-2])$", description="This one if left out")
    ] = None


class SignalOnLineOut(OnLineOut):
    """A signal's month."""

    signal: str
    title: Names


class SignalsOnLineOut(Outgoing):
    """A network's month, signals by their names."""

    month: date
    at: Instant
    rate: Annotated[float | None, Field(description="Of all signals together")]
    items: list[SignalOnLineOut]
