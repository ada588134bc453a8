"""Reads as they are kept: by ids, without their text."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from city.identifiers import DistrictCode, FacilityId, VehicleId
from city.vehicles import PlateKind
from lpr.rules.reads import Band
from lpr.rules.reviews import Review, ReviewAnswer


@dataclass(frozen=True, slots=True)
class KeptRead:
    """One read of one camera."""

    id: UUID
    event_key: str
    facility_id: FacilityId
    district: DistrictCode
    lane_id: UUID | None
    camera: str
    """The subject of its credential."""
    at: datetime
    received_at: datetime
    vehicle_id: VehicleId | None
    """What was read, as the vault knows it; None where nothing was."""
    kind: PlateKind
    confidences: tuple[float, ...]
    certainty: int
    """Per mille."""
    band: Band
    model: str | None = None
    review: Review = Review.NONE
    answer: ReviewAnswer | None = None
    reviewed_at: datetime | None = None
    reviewed_by: str | None = None
    stated_as: VehicleId | None = None
    """What a person read on the picture, where it is another plate."""
