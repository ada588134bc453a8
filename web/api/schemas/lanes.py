"""Lanes: what controllers and cameras tell, what they are told, and what the desk sees."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Base64Bytes, Field

from city.vehicles import PlateKind
from web.api.schemas.base import (
    Incoming,
    Instant,
    InstantIn,
    MoneyOut,
    Outgoing,
    PageQuery,
    PlateText,
)
from web.api.schemas.evidence import (
    MOST_FRAME_BYTES,
    Confidence,
    EventId,
    Gate,
    TicketCode,
)
from web.api.schemas.stays import PlateOut

MOST_WORDS = 200

Life = Annotated[
    str,
    Field(
        min_length=1,
        max_length=40,
        pattern=r"^[!-~]+$",
        description="of the controller: another one after each start of it",
    ),
]


class LaneIn(Incoming):
    """A lane of a gate."""

    facility_id: UUID
    gate: Gate
    way: Literal["entry", "exit"]


class LaneWordIn(Incoming):
    """One thing that happened in a lane; which members it has follows from its kind."""

    number: Annotated[
        int, Field(ge=1, le=2**53, description="from 1 on, in the order in which they happened")
    ]
    at: InstantIn
    kind: Literal["loop", "barrier", "plate", "ticket", "fire", "button", "done"]
    loop: Literal["approach", "barrier"] | None = None
    on: Annotated[bool | None, Field(description="loop, fire")] = None
    barrier: Literal["down", "moving", "up", "unknown"] | None = None
    plate: Annotated[PlateText | None, Field(description="plate; null: a vehicle without one")] = (
        None
    )
    plate_kind: PlateKind | None = None
    confidences: Annotated[list[Confidence] | None, Field(max_length=12)] = None
    ticket: TicketCode | None = None
    order_id: Annotated[UUID | None, Field(description="done")] = None


class LaneReportIn(Incoming):
    """What happened in a lane since the last report; nothing, as a heartbeat."""

    MOST_BYTES: ClassVar[int] = 131_072

    life: Life
    sent_at: Annotated[
        InstantIn, Field(description="by the clock that the words carry, right or wrong")
    ]
    words: Annotated[tuple[LaneWordIn, ...], Field(max_length=MOST_WORDS)] = ()


class LaneReadIn(Incoming):
    """What a camera read of who stands before the barrier."""

    MOST_BYTES: ClassVar[int] = MOST_FRAME_BYTES

    event_id: Annotated[
        EventId, Field(description="the sender's own: what comes twice counts once")
    ]
    at: InstantIn
    sent_at: InstantIn
    plate: Annotated[PlateText | None, Field(description="null: a vehicle, and no plate")] = None
    plate_kind: PlateKind | None = None
    confidences: Annotated[
        list[Confidence] | None,
        Field(max_length=12, description="of each character; certain where not given"),
    ] = None
    model: Annotated[str | None, Field(max_length=80)] = None
    frame: Annotated[
        Base64Bytes | None, Field(description="the JPEG that it was read in, at most 1 MiB")
    ] = None
    corners: Annotated[
        list[tuple[float, float]] | None,
        Field(
            min_length=4,
            max_length=4,
            description="of the plate in the frame, in pixels, from the upper left as it is read",
        ),
    ] = None


class LanePhotoIn(Incoming):
    """A picture that an order `photo` asked for."""

    MOST_BYTES: ClassVar[int] = MOST_FRAME_BYTES

    event_id: EventId
    at: InstantIn
    sent_at: InstantIn
    order_id: UUID
    frame: Annotated[Base64Bytes, Field(description="a JPEG, at most 1 MiB")]


class LanePhotoOut(Outgoing):
    """A picture that was kept."""

    frame_id: UUID


class PictureQuery(Incoming):
    """Which part of a picture."""

    part: Literal["frame", "crop"] = "frame"


class LaneOrderOut(Outgoing):
    """What a controller is to do; told again until it says `done` or the order is void."""

    id: UUID
    kind: Literal["lift", "lower", "show", "photo"]
    detail: Annotated[str, Field(description="why, or which words")]
    void_in_s: Annotated[float, Field(description="carried out later it may meet another vehicle")]


class LaneStandingOut(Outgoing):
    """What the rules say of who waits before the barrier."""

    verdict: Literal["open", "ask", "call"] | None
    because: str | None
    due: MoneyOut | None
    link: Annotated[str | None, Field(description="where it is paid: to be shown as a code")]


class LaneAnswerOut(Outgoing):
    """What a lane is told."""

    last_word: Annotated[int, Field(description="of this life, the last that was taken")]
    orders: list[LaneOrderOut]
    standing: LaneStandingOut | None
    read_id: UUID | None = None
    repeated: bool = False


class LaneVehicleOut(Outgoing):
    """A vehicle that went through, away again, or nobody knows which."""

    number: int
    since_at: Instant
    ended_at: Instant
    outcome: Literal["passed", "backed", "unclear"]
    granted_by: str | None
    alarmed: bool
    plate: PlateOut | None
    read_id: UUID | None
    session_id: UUID | None
    became: str | None


class LaneWaitingOut(Outgoing):
    """Who stands before the barrier."""

    number: int
    since_at: Instant
    plate: PlateOut | None
    read_id: UUID | None
    certainty: int | None
    verdict: Literal["open", "ask", "call"] | None
    because: str | None
    due: MoneyOut | None
    granted_by: str | None


class LaneOut(Outgoing):
    """A lane and how it stands."""

    id: UUID
    facility_id: UUID
    district: str
    gate: str
    way: Literal["entry", "exit"]
    registered_at: Instant
    retired_at: Instant | None
    barrier: Literal["down", "moving", "up", "unknown"]
    approach: bool | None
    beneath: bool | None
    fire: bool
    held: bool
    heard_at: Instant | None
    online: Annotated[bool | None, Field(description="null: never heard of")]
    waiting: LaneWaitingOut | None
    vehicles: Annotated[list[LaneVehicleOut], Field(description="the last ones, latest first")]


class LanesQuery(PageQuery):
    """Which lanes."""

    facility_id: UUID | None = None


class LanesOut(Outgoing):
    """A page of lanes in service, in the order of their making."""

    at: Instant
    items: list[LaneOut]
    next: str | None


class LaneActIn(Incoming):
    """What somebody at the desk does, and why."""

    kind: Literal["lift", "hold", "lower"]
    reason: Literal[
        "no-plate", "misread", "paid-elsewhere", "emergency", "fault", "jam", "test", "other"
    ]
    note: Annotated[str, Field(max_length=500)] = ""


class LaneActOut(Outgoing):
    """What somebody did at the desk."""

    id: UUID
    lane_id: UUID
    kind: Literal["lift", "hold", "lower", "fire", "fire-over"]
    reason: str
    note: str
    number: int | None
    at: Instant
    by: str
    photo_order_id: UUID | None
    frame_id: UUID | None


class LaneActsOut(Outgoing):
    """What was done last at a lane, the latest first."""

    items: list[LaneActOut]
    names: Annotated[dict[str, str], Field(description="of staff, by subject")]


class FireIn(Incoming):
    """Fire at a facility, or that it is over."""

    on: bool
    note: Annotated[str, Field(max_length=500)] = ""


class LaneFireOut(Outgoing):
    """What was told to each lane."""

    items: list[LaneActOut]


class AlarmsQuery(PageQuery):
    """Which alarms."""

    lane_id: UUID | None = None
    answered: Annotated[bool, Field(description="also those that somebody answered")] = False


class LaneAlarmOut(Outgoing):
    """Something that a person should look at."""

    id: UUID
    lane_id: UUID
    facility_id: UUID
    kind: str
    number: int | None
    read_id: UUID | None
    began_at: Instant
    ended_at: Instant | None
    answered_at: Instant | None
    answered_by: str | None
    answer: str | None
    note: str | None


class LaneAlarmsOut(Outgoing):
    """A page of alarms, the latest first."""

    items: list[LaneAlarmOut]
    next: str | None
    names: dict[str, str]


class AlarmAnswerIn(Incoming):
    """What an alarm was."""

    answer: Literal["seen", "passed", "backed"]
    note: Annotated[str, Field(max_length=500)] = ""
    plate: Annotated[
        PlateText | None, Field(description="passed: as the person reads it on the picture")
    ] = None
    plate_kind: PlateKind | None = None


class LaneAnsweredOut(Outgoing):
    """An answered alarm, and what became of its vehicle by that."""

    alarm: LaneAlarmOut
    vehicle: LaneVehicleOut | None
