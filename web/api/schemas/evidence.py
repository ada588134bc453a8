"""What was said of stays, what people correct of them, and passages through gates."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import Base64Bytes, Field

from city.vehicles import PlateKind
from web.api.schemas.base import (
    Code,
    Incoming,
    Instant,
    InstantIn,
    MoneyOut,
    Outgoing,
    PageQuery,
    PlateText,
)
from web.api.schemas.stays import PlateOut, SessionOut

Reason = Annotated[str, Field(min_length=3, max_length=500)]
Gate = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[\w. -]+$")]
EventId = Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[!-~]+$")]
TicketCode = Annotated[str, Field(min_length=4, max_length=24)]
Confidence = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Pixel = Annotated[float, Field(ge=-100_000, le=100_000, allow_inf_nan=False)]

MOST_FRAME_BYTES = 1_500_000
"""A picture of 1 MiB in base64, and what is said of it."""


class StayEvidenceOut(Outgoing):
    """One thing that was said of a stay."""

    id: UUID
    session_id: UUID | None
    facility_id: UUID
    kind: str
    at: Annotated[Instant, Field(description="when it was so")]
    recorded_at: Annotated[Instant, Field(description="when we heard of it")]
    source: Literal["sensor", "gate", "camera", "attendant", "driver", "system"]
    certainty: Annotated[int, Field(ge=0, le=1000, description="per mille")]
    by: Annotated[str | None, Field(description="who said it; null for drivers")]
    plate: PlateOut | None
    read_as: Annotated[PlateOut | None, Field(description="what was read, where it differs")]
    detail: dict[str, Any]


class TimelineOut(Outgoing):
    """A stay and all that was said of it and of its parts, in the order of its time."""

    session: SessionOut
    parts: list[SessionOut]
    items: list[StayEvidenceOut]


class CorrectionIn(Incoming):
    """What a person says about a stay; which members are needed follows from the kind."""

    kind: Literal[
        "end", "begin", "split", "swap", "join", "move", "set-aside", "identify", "release"
    ]
    reason: Reason
    at: Annotated[InstantIn | None, Field(description="end, begin, split")] = None
    other_id: Annotated[UUID | None, Field(description="join: into it; move: to it")] = None
    plate: Annotated[PlateText | None, Field(description="swap, identify")] = None
    plate_kind: PlateKind | None = None
    set_aside: Literal["motorcycle", "object", "works", "sensor-fault", "other"] | None = None
    vehicle_left: Annotated[
        bool, Field(description="split: the noted vehicle is the one that left")
    ] = True


class CorrectedOut(Outgoing):
    """The stay, and the other one that a correction concerned."""

    items: list[SessionOut]


class CodeOut(Outgoing):
    """A code to show to whoever stands at the vehicle."""

    code: str
    expires_at: Instant


class LongStaysQuery(PageQuery):
    """Which stays that never end."""

    open_for_h: Annotated[int, Field(ge=1, le=24 * 365)] = 72
    facility_id: UUID | None = None


class LongStayOut(Outgoing):
    """A stay that is open for too long."""

    session: SessionOut
    why: Literal["no-exit", "sensor-silent", "still-taken", "never-seen"]
    last_word_at: Instant


class LongStaysOut(Outgoing):
    """A page of stays that never end, the longest first."""

    items: list[LongStayOut]
    next: str | None


class PassageIn(Incoming):
    """A passage through a gate: a plate as it was read, or a ticket."""

    facility_id: UUID
    gate: Gate
    direction: Literal["entry", "exit"]
    event_id: Annotated[
        EventId, Field(description="the sender's own: what comes twice counts once")
    ]
    at: InstantIn
    plate: PlateText | None = None
    plate_kind: PlateKind | None = None
    confidences: Annotated[
        list[Confidence] | None,
        Field(max_length=12, description="of each character; certain where not given"),
    ] = None
    ticket: TicketCode | None = None


class ExitIn(Incoming):
    """A vehicle before a gate, as its camera reads it: it has not passed yet."""

    facility_id: UUID
    gate: Gate
    plate: PlateText | None = None
    plate_kind: PlateKind | None = None
    confidences: Annotated[
        list[Confidence] | None,
        Field(max_length=12, description="of each character; certain where not given"),
    ] = None
    ticket: TicketCode | None = None


class ExitOut(Outgoing):
    """What the gate does."""

    verdict: Annotated[
        Literal["open", "ask", "call"],
        Field(
            description="ask: stay closed, tell what is due and show the link as a code, and ask "
            "again; call: a person decides"
        ),
    ]
    because: Literal["nothing-due", "leave-first", "pay-first", "arrears", "paying", "not-known"]
    mode: Annotated[Literal["leave-first", "pay-first"], Field(description="the facility's rule")]
    session_id: UUID | None
    due: Annotated[MoneyOut | None, Field(description="null: no stay is known")]
    link: Annotated[str | None, Field(description="where it is paid; null: nothing is asked for")]
    pay_until_at: Annotated[Instant | None, Field(description="until when that price holds")]
    leave_by_at: Annotated[
        Instant | None, Field(description="until when it can leave and pay nothing more")
    ]


class ExitRuleIn(Incoming):
    """Whether vehicles leave first and pay later: of a facility, a district, or the city."""

    facility_id: UUID | None = None
    district: Annotated[str | None, Field(pattern="^[0-9a-z]{2,12}$")] = None
    mode: Literal["leave-first", "pay-first"]
    from_at: Annotated[InstantIn | None, Field(description="null: now; never in the past")] = None
    source: Annotated[str, Field(min_length=1, max_length=500)]


class ExitRuleOut(Outgoing):
    """A rule about paying before leaving."""

    id: UUID
    facility_id: UUID | None
    district: str | None
    mode: Literal["leave-first", "pay-first"]
    from_at: Instant
    source: str
    agreed_at: Instant
    agreed_by: Annotated[str, Field(description="who proposed it")]
    approved_by: Annotated[str | None, Field(description="null: from before two were asked for")]
    standing: Literal["past", "in-force", "to-come"]


class ExitRulesOut(Outgoing):
    """All rules, the latest first; where none is, vehicles leave first."""

    at: Instant
    items: list[ExitRuleOut]
    names: Annotated[dict[str, str], Field(description="of staff, by subject")]


class PassedOut(Outgoing):
    """What became of a passage."""

    outcome: Literal["entered", "left", "confirmed", "held", "unmatched"]
    session_id: UUID | None
    hold: str | None
    repeated: bool


class UnmatchedQuery(PageQuery):
    """Which passages that belong to no stay."""

    facility_id: UUID | None = None


class UnmatchedOut(Outgoing):
    """A page of passages that belong to no stay, the latest first."""

    items: list[StayEvidenceOut]
    next: str | None


class MatchIn(Incoming):
    """Whose an unclear passage was."""

    session_id: UUID
    reason: Reason


class PlateShownOut(Outgoing):
    """A plate as it was read; null where it is forgotten."""

    plate: PlateOut | None


class MeetIn(Incoming):
    """A vehicle that no sensor or gate sees, and where it stands."""

    plate: PlateText
    plate_kind: PlateKind | None = None
    where: Annotated[str, Field(min_length=3, max_length=200)]


class BayReadIn(Incoming):
    """A plate as a camera read it in a bay."""

    event_id: Annotated[
        EventId, Field(description="the sender's own: what comes twice counts once")
    ]
    at: InstantIn
    plate: PlateText
    plate_kind: PlateKind | None = None
    confidences: Annotated[
        list[Confidence] | None,
        Field(max_length=12, description="of each character; certain where not given"),
    ] = None


class BayReadOut(Outgoing):
    """What became of a read."""

    outcome: Literal["attached", "confirmed", "held", "noted", "no-stay", "billed"]
    session_id: UUID | None
    hold: str | None
    repeated: bool


class BayFrameIn(Incoming):
    """A frame of a camera that sees a bay, of a read that it told before."""

    MOST_BYTES: ClassVar[int] = MOST_FRAME_BYTES

    event_id: Annotated[EventId, Field(description="of the read")]
    moment: Literal["entering", "parked", "leaving"]
    at: InstantIn
    frame: Annotated[Base64Bytes, Field(description="a JPEG, at most 1 MiB")]
    corners: Annotated[
        list[tuple[Pixel, Pixel]] | None,
        Field(
            min_length=4,
            max_length=4,
            description="of the plate in the frame, in pixels, from the upper left as it is read",
        ),
    ] = None
    outline: Annotated[
        list[tuple[Pixel, Pixel]] | None,
        Field(
            min_length=3,
            max_length=64,
            description="of the bay, in pixels: its lines are drawn into what is shown",
        ),
    ] = None


class BayFrameOut(Outgoing):
    """A frame that is kept."""

    frame_id: UUID


class ReaderIn(Incoming):
    """A gate's reader, or a camera with the bays that it sees."""

    subject: Annotated[Code, Field(description="the name of its credential")]
    facility_id: UUID
    gate: Gate | None = None
    bay_ids: Annotated[tuple[UUID, ...], Field(max_length=200)] = ()


class ReaderOut(Outgoing):
    """A device that reads plates."""

    id: UUID
    subject: str
    kind: Literal["gate", "camera"]
    facility_id: UUID
    gate: str | None
    bay_ids: list[UUID]
    registered_at: Instant
    retired_at: Instant | None


class ReadersQuery(PageQuery):
    """Which readers."""

    facility_id: UUID | None = None


class ReadersOut(Outgoing):
    """A page of readers, the newest first."""

    items: list[ReaderOut]
    next: str | None
