"""Reads: lists, reviews, searches, cameras by hour."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from city.vehicles import PlateKind
from web.api.schemas.base import Incoming, Instant, InstantIn, Outgoing, PageQuery, PlateText
from web.api.schemas.stays import PlateOut

Share = Annotated[float, Field(ge=0, le=1)]


class ReadsQuery(PageQuery):
    """Reads of which facility."""

    facility_id: UUID
    waiting: Annotated[
        bool, Field(description="those alone that wait for a person, the oldest first")
    ] = False


class ReadOut(Outgoing):
    """One read of one camera."""

    id: UUID
    facility_id: UUID
    lane_id: UUID | None
    camera: str
    at: Instant
    plate: PlateOut | None
    confidences: list[Share]
    certainty: Annotated[int, Field(ge=0, le=1000, description="per mille")]
    band: Literal["accept", "review", "reject"]
    model: str | None
    picture: Annotated[
        Literal["none", "raw", "hidden", "failed", "gone"],
        Field(description="raw: others in it are being hidden; none: the camera sent no frame"),
    ]
    review: Literal["none", "due", "sampled", "done"]
    answer: Literal["right", "wrong", "no-plate", "unreadable"] | None
    reviewed_at: Instant | None
    stated_as: PlateOut | None


class ReadsOut(Outgoing):
    """A page of reads."""

    items: list[ReadOut]
    waiting: Annotated[int, Field(description="how many of the facility wait for a person")]
    next: str | None


class ReviewIn(Incoming):
    """What stands on a read's picture."""

    answer: Literal["right", "wrong", "no-plate", "unreadable"]
    plate: Annotated[PlateText | None, Field(description="wrong: what it is")] = None
    plate_kind: PlateKind | None = None


class ReviewedOut(Outgoing):
    """A reviewed read, and what became of the stay that followed from it."""

    read: ReadOut
    stay: Literal["none", "corrected", "matched", "billed", "unclear"]


class ReadSearchIn(Incoming):
    """What is looked for, where, when and why."""

    facility_id: UUID
    from_at: InstantIn
    to_at: Annotated[InstantIn, Field(description="at most 24 hours later")]
    part: Annotated[
        str, Field(min_length=2, max_length=12, description="of a plate; ? is any one character")
    ]
    reason: Annotated[str, Field(min_length=3, max_length=200)]


class ReadsFoundOut(Outgoing):
    """What a search gave."""

    items: list[ReadOut]
    looked_at: int
    all_looked_at: bool


class CamerasQuery(Incoming):
    """Which cameras, and when."""

    facility_id: UUID
    from_at: InstantIn
    to_at: Annotated[InstantIn, Field(description="at most 24 hours later")]


class AccuracyOut(Outgoing):
    """An estimate from what people reviewed, with its 95 % interval."""

    share: Share
    low: Share
    high: Share


class CameraHourOut(Outgoing):
    """One camera in one hour."""

    camera: str
    hour_at: Instant
    reads: int
    accepted: int
    reviewed: int
    right: int
    last_at: Instant
    certainty: Annotated[Share, Field(description="mean")]
    accuracy: Annotated[
        AccuracyOut | None, Field(description="null: not enough was looked at to say")
    ]


class CamerasOut(Outgoing):
    """Cameras by hour."""

    items: list[CameraHourOut]
