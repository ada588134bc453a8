"""Frames kept as evidence: what is known of each, and for how long it is kept."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from city.errors import Invalid
from city.identifiers import DistrictCode, FacilityId

Corners = tuple[tuple[float, float], ...]


class FrameState(StrEnum):
    """How far a frame is."""

    RAW = "raw"
    """As it came: nobody sees it until others in it are hidden."""
    HIDDEN = "hidden"
    """It shows one vehicle's plate, and nobody else's, and no face."""
    FAILED = "failed"
    """No picture that can be opened."""
    GONE = "gone"
    """Its time was over."""


class FramePart(StrEnum):
    """What of a frame is looked at."""

    FRAME = "frame"
    CROP = "crop"
    """The plate alone."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame of a camera, kept as evidence of a read or of an act at the desk."""

    id: UUID
    event_key: str
    facility_id: FacilityId
    district: DistrictCode
    lane_id: UUID | None
    camera: str
    read_id: UUID | None
    taken_at: datetime
    received_at: datetime
    kept_until_at: datetime
    state: FrameState
    sent_sha256: str
    """Of the picture as it was sent."""
    picture_id: UUID | None
    crop_id: UUID | None = None
    shown_sha256: str | None = None
    """Of the picture as it is shown."""
    corners: Corners | None = None
    outline: Corners | None = None
    """Of the bay, in pixels: its lines are drawn into what is shown."""


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """For how long frames are kept, in days.

    Raises
    ------
    Invalid
        Unless 1 <= ordinary <= unclear.
    """

    ordinary_days: int = 30
    unclear_days: int = 90
    """Of reads that a person had to look at, and of what people did at the desk."""

    def __post_init__(self) -> None:
        if not 1 <= self.ordinary_days <= self.unclear_days:
            raise Invalid("must keep 1 <= ordinary <= unclear", field="retention")

    def until(self, taken_at: datetime, *, unclear: bool) -> datetime:
        """Say until when a frame is kept."""
        return taken_at + timedelta(days=self.unclear_days if unclear else self.ordinary_days)
