"""What calls for somebody on the street, over HTTP."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Base64Bytes, Field

from web.api.schemas.base import (
    Incoming,
    Instant,
    InstantIn,
    Latitude,
    Longitude,
    MoneyOut,
    Names,
    Outgoing,
)

TaskKind = Literal[
    "plate",
    "unpaid",
    "overstay",
    "signed",
    "forbidden",
    "zombie",
    "escape",
    "arrears",
    "sensor",
    "blocked",
]


class PatrolQuery(Incoming):
    """Around where."""

    longitude: Longitude
    latitude: Latitude
    radius_m: Annotated[float, Field(ge=50, le=3_000, allow_inf_nan=False)] = 600
    kinds: Annotated[
        str | None,
        Field(pattern=r"^[a-z]{1,20}(,[a-z]{1,20}){0,15}$", description="All where it is left out"),
    ] = None


class PatrolPlateOut(Outgoing):
    """A plate, masked."""

    text: str
    kind: str
    masked: bool


class PatrolTaskOut(Outgoing):
    """One thing that calls for somebody."""

    id: UUID
    kind: TaskKind
    facility_id: UUID
    bay_id: UUID
    bay_label: str
    position: list[float]
    session_id: UUID | None
    bill_id: UUID | None
    plate: PatrolPlateOut | None
    amount: MoneyOut | None
    what: Annotated[
        str,
        Field(
            description=(
                "Of a sensor what is wrong, of a report what it says, of a sign its minutes or why "
                "nobody may stand there"
            )
        ),
    ]
    arose_at: Instant
    seen_at: Instant | None


class PatrolFacilityOut(Outgoing):
    """A place that tasks are at."""

    id: UUID
    code: str
    name: Names
    position: list[float]


class PatrolOut(Outgoing):
    """Tasks around a place, and how far the places lie apart on foot."""

    items: list[PatrolTaskOut]
    facilities: list[PatrolFacilityOut]
    walks_m: Annotated[
        list[list[float]],
        Field(description="Between facilities along the streets, in their order, metres"),
    ]
    at: Instant


class MarkIn(Incoming):
    """What somebody says of a task."""

    task_id: UUID
    at: Annotated[InstantIn, Field(description="By the city's clock, as far as it is known")]
    done: Annotated[bool, Field(description="Looked at; of what no act ends by itself")] = False
    note: Annotated[str, Field(max_length=500)] = ""


class MarksIn(Incoming):
    """Words about tasks: the same ones may come again."""

    items: Annotated[list[MarkIn], Field(max_length=200)]


class PatrolPhotoIn(Incoming):
    """A photo of the stay that a task is about."""

    MOST_BYTES: ClassVar[int] = 1_500_000

    taken_at: Annotated[InstantIn, Field(description="By the city's clock, as far as it is known")]
    photo: Annotated[Base64Bytes, Field(description="A JPEG, at most 1 MiB")]


class PatrolPhotoOut(Outgoing):
    """A photo as it is kept; others in it are hidden before anybody sees it."""

    id: UUID
    session_id: UUID
    sha256: str
    taken_at: Instant


class MarkedOut(Outgoing):
    """How a task stands."""

    id: UUID
    seen_at: Instant | None
    ended_at: Instant | None


class MarksOut(Outgoing):
    """Tasks as they stand; what is not known any more is left out."""

    items: list[MarkedOut]
