"""What plans did on the street, before and after they came."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from web.api.schemas.base import Incoming, Instant, InstantIn, Outgoing
from web.api.schemas.signals import Seconds, Text

Days = Annotated[int, Field(ge=1, le=28, description="A side")]


class SignalEffectQuery(Incoming):
    """How many days each side has at most."""

    days: Days = 14


class SignalEffectIn(Incoming):
    """Days a side whose figures are kept as what was measured."""

    days: Annotated[int, Field(ge=1, le=28, strict=True)] = 14


class EffectSpanOut(Outgoing):
    """Whole hours of which one side is made."""

    from_at: Instant
    until_at: Instant


class EffectEstimateOut(Outgoing):
    """A mean with its 95 % interval; null where fewer than two days a side tell."""

    mean: float
    low: float | None
    high: float | None


class EffectComparisonOut(Outgoing):
    """A measure in like hours of like days."""

    before: EffectEstimateOut
    after: EffectEstimateOut
    difference: Annotated[EffectEstimateOut, Field(description="After less before")]
    shown: Annotated[
        Literal["less", "more", "none", "unknown"],
        Field(description="none: the difference's interval spans zero; unknown: it has none"),
    ]
    days_before: int
    days_after: int
    hours: Annotated[int, Field(description="Of the day and kind of day, that both sides have")]


class EffectFiguresOut(Outgoing):
    """Measures of detectors; null where nothing tells of both sides."""

    delay_s: Annotated[
        EffectComparisonOut | None,
        Field(description="From arrival upstream to green; standing queues are not in it"),
    ]
    on_green: Annotated[EffectComparisonOut | None, Field(description="Share of arrivals")]
    split_failures: Annotated[EffectComparisonOut | None, Field(description="Share of cycles")]
    flow_vph: Annotated[
        EffectComparisonOut | None,
        Field(description="Vehicles at a detector upstream: how traffic itself changed"),
    ]


class EffectWayOut(Outgoing):
    """The way between two of the plan's signals that read plates."""

    from_signal: str
    to_signal: str
    took_s: Annotated[EffectComparisonOut, Field(description="Mean of the hours' medians")]


class SignalEffectOut(Outgoing):
    """What detectors and cameras of a plan's signals tell of it."""

    version_id: UUID
    days: int
    before: EffectSpanOut
    after: EffectSpanOut
    not_shown: Annotated[
        list[str], Field(description="Signals whose cabinets never showed it: left out")
    ]
    figures: EffectFiguresOut
    by_signal: dict[str, EffectFiguresOut]
    ways: list[EffectWayOut]
    unread_days: Annotated[int, Field(description="Days of passes too many for one answer")]
    left_out: Annotated[
        float | None,
        Field(description="Share of five-minute bins whose detectors could not be believed"),
    ]


class MeasuredDelayIn(Incoming):
    """A mean with its 95 % interval."""

    mean_s: Seconds
    low_s: Seconds
    high_s: Seconds


class SignalMeasurementIn(Incoming):
    """What was measured before and after, by what, and when."""

    source: Literal["simulation", "detectors", "floating_cars", "survey"]
    note: Text = ""
    before: MeasuredDelayIn
    after: MeasuredDelayIn
    from_at: InstantIn
    until_at: InstantIn
