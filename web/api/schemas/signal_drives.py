"""Drives of plan versions in simulation."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from web.api.schemas.base import Incoming, Instant, Outgoing


class SignalDriveIn(Incoming):
    """A version to drive, as it was read, and how often."""

    revision: Annotated[int, Field(ge=1, le=2**31 - 1, strict=True)]
    seeds: Annotated[
        int, Field(ge=2, le=5, strict=True, description="Runs a side, each with other vehicles")
    ] = 3


class SignalEstimateOut(Outgoing):
    """A mean over the seeds with its 95 % interval (Student)."""

    mean: float
    low: float
    high: float


class SignalComparisonOut(Outgoing):
    """A figure before and after."""

    before: SignalEstimateOut
    after: SignalEstimateOut
    difference: Annotated[SignalEstimateOut, Field(description="After less before, seed by seed")]
    shown: Annotated[
        Literal["less", "more", "none"],
        Field(description="none: the difference's interval spans zero"),
    ]


class SignalDriveResultOut(Outgoing):
    """What a drive measured, and how it drove."""

    demand: str
    source: str
    signals: int
    share_driven: Annotated[
        float, Field(description="Of the demand: the rest has no way for cars, or nobody enters it")
    ]
    warm_up_s: float
    counted_s: Annotated[float, Field(description="Who starts in them is driven to the end")]
    figures: dict[str, SignalComparisonOut]


class SignalDriveOut(Outgoing):
    """A drive: how far it is, and what it measured."""

    id: UUID
    version_id: UUID
    revision: int
    profile: str
    seeds: list[int]
    status: Literal["waiting", "running", "done", "failed", "cancelled"]
    done: Annotated[int, Field(description="Runs so far, of two a seed")]
    total: int
    requested_at: Instant
    started_at: Instant | None
    finished_at: Instant | None
    problem: str | None
    result: SignalDriveResultOut | None
