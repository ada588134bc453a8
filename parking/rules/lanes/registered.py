"""Lanes as they are registered, what they were told to do, and what people did at the desk."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from city.errors import Invalid
from city.identifiers import DistrictCode, FacilityId, uuid7
from parking.rules.lanes.model import AlarmKind, Way

LONGEST_NOTE: Final = 500


@dataclass(frozen=True, slots=True)
class Lane:
    """A lane of a gate, through which vehicles drive one way."""

    id: UUID
    facility_id: FacilityId
    district: DistrictCode
    gate: str
    """Its name at the facility, and the gate that its controller and cameras are readers of."""
    way: Way
    registered_at: datetime
    retired_at: datetime | None = None


class OrderKind(StrEnum):
    """What a controller is told to do."""

    LIFT = "lift"
    LOWER = "lower"
    SHOW = "show"
    PHOTO = "photo"
    """Send a picture of what is before the camera."""


@dataclass(frozen=True, slots=True)
class LaneOrder:
    """What a controller is told to do, and until when it is worth doing."""

    id: UUID
    lane_id: UUID
    kind: OrderKind
    detail: str
    """Why, or which words."""
    given_at: datetime
    void_at: datetime
    done_at: datetime | None = None


class Outcome(StrEnum):
    """What became of a vehicle in a lane."""

    PASSED = "passed"
    BACKED = "backed"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class LaneVehicle:
    """A vehicle that is not in the lane any more."""

    lane_id: UUID
    facility_id: FacilityId
    district: DistrictCode
    number: int
    since_at: datetime
    ended_at: datetime
    outcome: Outcome
    granted_by: str | None
    alarmed: bool
    read_id: UUID | None
    named: dict[str, object] | None
    """Whom it was taken for, by ids."""
    evidence_id: UUID | None = None
    session_id: UUID | None = None
    became: str | None = None
    """What its passage did to its stay."""
    id: UUID = field(default_factory=uuid7)


@dataclass(frozen=True, slots=True)
class LaneAlarm:
    """Something that a person should look at."""

    lane_id: UUID
    facility_id: FacilityId
    district: DistrictCode
    kind: AlarmKind
    began_at: datetime
    number: int | None = None
    read_id: UUID | None = None
    ended_at: datetime | None = None
    answered_at: datetime | None = None
    answered_by: str | None = None
    answer: str | None = None
    note: str | None = None
    id: UUID = field(default_factory=uuid7)


class ActKind(StrEnum):
    """What people do at the desk."""

    LIFT = "lift"
    """Let one vehicle through."""
    HOLD = "hold"
    """Keep the barrier up."""
    LOWER = "lower"
    FIRE = "fire"
    """Of a facility: every barrier goes up."""
    FIRE_OVER = "fire-over"


class ActReason(StrEnum):
    """Why."""

    NO_PLATE = "no-plate"
    MISREAD = "misread"
    PAID_ELSEWHERE = "paid-elsewhere"
    EMERGENCY = "emergency"
    """A vehicle on an emergency run, or a person who has to get out at once."""
    FAULT = "fault"
    JAM = "jam"
    TEST = "test"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class LaneAct:
    """What somebody did at the desk.

    Raises
    ------
    Invalid
        Where another reason is given without saying which.
    """

    lane_id: UUID
    facility_id: FacilityId
    district: DistrictCode
    kind: ActKind
    reason: ActReason
    note: str
    at: datetime
    by: str
    number: int | None = None
    photo_order_id: UUID | None = None
    frame_id: UUID | None = None
    id: UUID = field(default_factory=uuid7)

    def __post_init__(self) -> None:
        if len(self.note) > LONGEST_NOTE:
            raise Invalid(f"must have at most {LONGEST_NOTE} characters", field="note")
        if self.reason is ActReason.OTHER and not self.note.strip():
            raise Invalid("says which, where it is none of those listed", field="note")
