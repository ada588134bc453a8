"""Priority at signals: what vehicles tell, who may, and what was done for them."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from web.api.schemas.base import Code, Incoming, Instant, InstantIn, Outgoing, PageQuery
from web.api.schemas.signals import SignalName

MOST_ROWS = 200

PriorityKind = Literal["emergency", "tram", "bus"]
PriorityAct = Literal["none", "extension", "early_green", "insertion"]
Refusal = Literal[
    "unknown_signal",
    "unknown_group",
    "not_granted",
    "old",
    "future",
    "too_far",
    "taken",
    "nobody",
    "incomplete",
]
TurnStatus = Literal[
    "watching",
    "holding",
    "ended",
    "gave_way",
    "limit",
    "not_sent",
    "refused",
    "flashing",
    "unknown",
]


class SignalRequestIn(Incoming):
    """What a vehicle tells on its way to a stop line; a check-out says its first four alone."""

    told: Literal["check_in", "check_out"]
    signal: SignalName
    vehicle: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$",
            description="A name that the device chooses, not a plate",
        ),
    ]
    at: Annotated[
        InstantIn, Field(description="By the device's clock; a check-out: when it passed")
    ]
    kind: PriorityKind | None = None
    group: Annotated[str | None, Field(max_length=64, description="That releases it")] = None
    lane: Annotated[str, Field(max_length=64)] = ""
    arrives_at: Annotated[
        InstantIn | None,
        Field(description="At the stop line, were nobody in its way and the signal green"),
    ] = None
    spread_s: Annotated[
        float, Field(ge=0, le=60, allow_inf_nan=False, description="By how much sooner or later")
    ] = 0.0
    lateness_s: Annotated[
        float | None,
        Field(
            ge=-7_200,
            le=14_400,
            allow_inf_nan=False,
            description="Behind its timetable; null where nobody knows",
        ),
    ] = None
    passengers: Annotated[
        int | None, Field(ge=0, le=500, strict=True, description="Null where nobody counts")
    ] = None
    ahead: Annotated[
        float | None,
        Field(
            ge=0,
            le=200,
            allow_inf_nan=False,
            description="Vehicles between it and the stop line, where it stands in a queue",
        ),
    ] = None


class SignalRequestsIn(Incoming):
    """Rows of one device, of any of its vehicles."""

    MOST_BYTES: ClassVar[int] = 262_144

    requests: Annotated[list[SignalRequestIn], Field(max_length=MOST_ROWS)]


class RejectedRequestOut(Outgoing):
    """A row that is not used."""

    index: int
    reason: Refusal
    detail: str


class SignalRequestsTakenOut(Outgoing):
    """What became of the rows."""

    accepted: int
    rejected: list[RejectedRequestOut]


class PriorityAskerIn(Incoming):
    """A device that is to ask for priority."""

    subject: Annotated[Code, Field(description="Of its credential of kind device")]
    kinds: Annotated[list[PriorityKind], Field(min_length=1, max_length=3)]


class PriorityAskerOut(Outgoing):
    """A device that may ask, and for what."""

    id: UUID
    subject: str
    kinds: list[PriorityKind]
    simulated: bool
    added_at: Instant
    added_by: str


class PriorityAskersOut(Outgoing):
    """All that may ask in a network."""

    items: list[PriorityAskerOut]


class PriorityRequestsQuery(PageQuery):
    """Whose requests: on their way, over, or all; of a signal or of the network."""

    signal: SignalName | None = None
    state: Literal["open", "over", "all"] = "all"


class PriorityRequestOut(Outgoing):
    """A vehicle on its way, and what was done for it."""

    id: UUID
    signal: str
    vehicle: str
    kind: PriorityKind
    group: str
    checked_in_at: Instant
    first_arrives_at: Instant
    arrives_at: Instant
    lateness_s: float | None
    passengers: int | None
    ahead: float | None
    lapses_at: Instant
    checked_out_at: Instant | None
    state: Literal["coming", "passed", "lapsed"]
    act: PriorityAct | None
    stage: int | None
    by_s: float | None
    sooner_s: Annotated[float | None, Field(description="As was foretold")]
    others_s: Annotated[float | None, Field(description="Person-seconds, as was foretold")]
    reason: str | None
    decided_at: Instant | None
    gained_s: Annotated[
        float | None,
        Field(description="By how much it passed sooner than was foretold without the act"),
    ]


class PriorityRequestsOut(Outgoing):
    """Requests, the latest first."""

    now: Instant
    items: list[PriorityRequestOut]
    next: str | None


class PriorityEffectQuery(Incoming):
    """Since so many hours."""

    hours: Annotated[int, Field(ge=1, le=2_160)] = 24


class PriorityEffectOut(Outgoing):
    """What came of the requests of a kind; null where none was served."""

    kind: PriorityKind
    asked: int
    passed: int
    served: int
    measured: int
    gained_s: Annotated[float | None, Field(description="A vehicle, in the mean of the measured")]
    others_s: Annotated[float | None, Field(description="Person-seconds a vehicle served")]


class PriorityEffectsOut(Outgoing):
    """By kind, and the signals that are held for somebody now."""

    since_at: Instant
    items: list[PriorityEffectOut]
    holding: list[str]


class PriorityTurnOut(Outgoing):
    """What a controller was asked for, from the first who came to the last."""

    id: UUID
    signal: str
    status: TurnStatus
    began_at: Instant
    until_at: Instant
    ended_at: Instant | None
    steps: list[str]


class PriorityTurnsOut(Outgoing):
    """Orders at a signal, the latest first."""

    items: list[PriorityTurnOut]
    next: str | None
