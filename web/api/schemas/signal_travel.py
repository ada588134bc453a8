"""Travel times and where vehicles go."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from web.api.schemas.base import Incoming, Instant, InstantIn, Outgoing

Signal = Annotated[str, Field(min_length=1, max_length=64)]


class SignalTravelQuery(Incoming):
    """Whole hours, at most a day; of one pair, or all from or to a signal."""

    from_at: InstantIn
    until_at: InstantIn
    from_signal: Signal | None = None
    to_signal: Signal | None = None


class TravelQuantileOut(Outgoing):
    """A quantile, and where it surely (95 %) lies; null where too few drives tell."""

    share: float
    seconds: float
    low_s: float | None
    high_s: float | None


class TravelTimeOut(Outgoing):
    """How long drives took; no quantiles where there are fewer than five."""

    drives: int | None
    stopped: Annotated[
        int | None, Field(description="Left out: they seem to have stopped on the way")
    ]
    quantiles: list[TravelQuantileOut]


class TravelHourOut(Outgoing):
    """Drives that began in an hour."""

    from_at: Instant
    time: TravelTimeOut


class PassShareOut(Outgoing):
    """A share, and where it surely (95 %) lies; null where too few tell."""

    n: int | None
    share: float | None
    low: float | None
    high: float | None


class TravelPairOut(Outgoing):
    """The way from one signal to another."""

    from_signal: str
    to_signal: str
    time: TravelTimeOut
    reached: Annotated[
        PassShareOut, Field(description="Of those who passed the first, who went past the other")
    ]
    hours: Annotated[list[TravelHourOut], Field(description="Where one pair was asked for")]


class SignalTravelOut(Outgoing):
    """Travel times between a network's signals."""

    settled: Annotated[bool, Field(description="False while some who left may still be on the way")]
    few: Annotated[int, Field(description="Pairs of which nothing is told: fewer than five drives")]
    pairs: list[TravelPairOut]


class SignalOriginsQuery(Incoming):
    """Whole hours, at most a day, and the signals at an area's edge: nobody drives through."""

    from_at: InstantIn
    until_at: InstantIn
    ends: Annotated[
        str, Field(max_length=4_000, description="Names by commas, 2 to 60", examples=["J01,J02"])
    ]


class SignalDestinationOut(Outgoing):
    """Where some of an origin's went."""

    signal: str
    share: PassShareOut


class SignalOriginOut(Outgoing):
    """Where those who came in at a signal went."""

    signal: str
    vehicles: int
    destinations: list[SignalDestinationOut]


class SignalOriginsOut(Outgoing):
    """Origins and destinations."""

    settled: bool
    corrected: Annotated[
        bool,
        Field(description="By each end's reading rate; else shares of who was seen"),
    ]
    origins: list[SignalOriginOut]


class SignalReadingRateIn(Incoming):
    """A count beside cameras: of so many vehicles, so many were read."""

    vehicles: Annotated[int, Field(ge=1, le=1_000_000, strict=True)]
    read: Annotated[int, Field(ge=0, le=1_000_000, strict=True)]


class SignalReadingRateOut(Outgoing):
    """What a signal's cameras read."""

    signal: str
    vehicles: int
    read: int
