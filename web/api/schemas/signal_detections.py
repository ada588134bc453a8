"""What controllers and detectors say, who may say it, and what is worked out of it."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from signals.rules.detections.rows import MOST_NUMBER, MOST_ROWS, Reason
from web.api.schemas.base import Code, Incoming, Instant, InstantIn, Outgoing

Rows = Annotated[list[Any], Field(max_length=MOST_ROWS, description="A list a row")]
Channel = Annotated[int, Field(ge=0, le=MOST_NUMBER, strict=True)]


class SignalRowsIn(Incoming):
    """Rows, each a list."""

    MOST_BYTES: ClassVar[int] = 2_097_152

    rows: Rows


class SignalEventsIn(SignalRowsIn):
    """Events of one controller by the public code list: ``[time, code, parameter]`` a row."""


class SignalCountsIn(SignalRowsIn):
    """What one station's detectors counted.

    ``[from, seconds, channel, vehicles, occupancy, speed]`` a row. Occupancy lies from 0 to 1,
    speed is km/h; either may be null or left out.
    """


class SignalPassesIn(SignalRowsIn):
    """Plates at one signal's stop lines: ``[time, lane, plate]`` a row; no plate is kept."""


class RejectedRowOut(Outgoing):
    """A row that is not used."""

    index: int
    reason: Reason
    detail: str


class SignalRowsOut(Outgoing):
    """What became of a batch."""

    accepted: int
    rejected: list[RejectedRowOut]


class SignalReporterIn(Incoming):
    """A device that is to tell of a signal."""

    subject: Annotated[Code, Field(description="Of its credential of kind device")]


class SignalReporterOut(Outgoing):
    """A device that tells of a signal, and how that goes."""

    id: UUID
    signal: str
    subject: str
    simulated: bool
    added_at: Annotated[Instant, Field(description="Wall time, as all instants of reporters")]
    added_by: str
    removed_at: Instant | None
    heard_at: Instant | None
    newest_at: Annotated[Instant | None, Field(description="The latest instant that it told of")]
    refused_at: Instant | None
    refused_rows: int
    refused_reason: str | None


class SignalReportersOut(Outgoing):
    """The reporters of a network in service."""

    items: list[SignalReporterOut]


class DetectorUseIn(Incoming):
    """What a detector's channel is used for."""

    channel: Channel
    phase: Annotated[
        int, Field(ge=1, le=255, strict=True, description="Phase n: the n-th signal group")
    ]
    function: Literal["advance", "presence", "count", "yellow_red"]


class DetectorUseOut(Outgoing):
    """What a detector's channel is used for."""

    channel: int
    phase: int
    function: str


class SignalDetectorsIn(Incoming):
    """All uses of a signal's detectors, in the place of those before."""

    detectors: Annotated[list[DetectorUseIn], Field(max_length=512)]


class SignalDetectorsOut(Outgoing):
    """All uses of a signal's detectors."""

    detectors: list[DetectorUseOut]


class SignalPassLaneIn(Incoming):
    """A lane of a gate beside a signal."""

    lane_id: UUID
    lane: Annotated[
        int, Field(ge=0, le=99, strict=True, description="Its number among the signal's lanes")
    ]


class SignalPassLanesIn(Incoming):
    """All lanes of gates that tell of a signal, in the place of those before."""

    lanes: Annotated[list[SignalPassLaneIn], Field(max_length=64)]


class SignalPassLaneOut(Outgoing):
    """A lane of a gate whose camera's reads count as passes of a signal."""

    signal: str
    lane_id: UUID
    lane: int
    district: str
    since_at: Annotated[Instant, Field(description="Wall time; what passed before is not kept")]


class SignalPassLanesOut(Outgoing):
    """The lanes of gates that tell of a network's signals."""

    items: list[SignalPassLaneOut]


class SignalMeasuresQuery(Incoming):
    """A span of at most two days, and the width of bins."""

    from_at: InstantIn
    until_at: InstantIn
    bin_min: Annotated[int, Field(ge=5, le=1440)] = 15


class SignalFindingOut(Outgoing):
    """One thing to look at, in both languages."""

    day: str
    device: str
    code: str
    subject: str
    severity: Literal["high", "medium"]
    value: float
    limit: float
    zh: str
    en: str


class SignalMeasuresOut(Outgoing):
    """Tables by columns, as the command ``measures`` gives them, and what to look at."""

    signal: str
    events: int
    bin_min: int
    not_told: Annotated[
        dict[str, str], Field(description="Measures that stay empty, and the function they lack")
    ]
    findings: list[SignalFindingOut]
    measures: dict[str, dict[str, list[Any]]]


class SignalProfileHoursQuery(Incoming):
    """Which days, of the last four weeks, and today."""

    days: Literal["working", "free"] = "working"


class SignalProfileHourOut(Outgoing):
    """A detector's hour."""

    channel: int
    hour: int
    days: int
    vehicles: float
    spread: Annotated[float, Field(description="Standard deviation over the days")]
    imputed_share: float


class SignalProfileHoursOut(Outgoing):
    """A signal's hours; those of which nothing is known are not there."""

    days: Literal["working", "free"]
    hours: list[SignalProfileHourOut]


class DetectorHealthOut(Outgoing):
    """A detector's last five minutes."""

    channel: int
    state: Literal["ok", "stuck", "chattering", "silent", "unknown"]
    from_at: Instant
    vehicles: int | None
    occupied_s: float | None
    held_since: Instant | None
    idle_since: Instant | None
    imputed: Annotated[float | None, Field(description="In place of what cannot be believed")]
    source: Annotated[
        Literal["past", "siblings"] | None, Field(description="What it was worked out of")
    ]


class SignalDetectorHealthOut(Outgoing):
    """A signal's detectors."""

    detectors: list[DetectorHealthOut]
