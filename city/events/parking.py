"""What the parking room announces."""

from typing import ClassVar, Literal

from city.events.base import BusinessEvent, UtcInstant
from city.identifiers import (
    BayId,
    DistrictCode,
    FacilityId,
    ParkingSessionId,
    TariffVersionId,
    VehicleId,
)


class ParkingSessionOpened(BusinessEvent):
    """A stay began: something occupies a bay."""

    type: ClassVar[str] = "parking.session-opened"
    version: ClassVar[int] = 1

    session_id: ParkingSessionId
    bay_id: BayId
    facility_id: FacilityId
    district: DistrictCode
    opened_at: UtcInstant
    """Start of the stay; earlier than ``occurred_at`` by the time that it took to notice."""
    tariff_version_id: TariffVersionId | None
    """The version pinned at entry; None where the facility charges nothing."""


class ParkingSessionClosed(BusinessEvent):
    """A stay ended; it is billable only where a vehicle is attached."""

    type: ClassVar[str] = "parking.session-closed"
    version: ClassVar[int] = 1

    session_id: ParkingSessionId
    bay_id: BayId
    facility_id: FacilityId
    district: DistrictCode
    opened_at: UtcInstant
    closed_at: UtcInstant
    state: Literal["closed", "unattributed"]
    """``unattributed``: nobody attached a vehicle, so nobody is billed."""
    vehicle_id: VehicleId | None
    tariff_version_id: TariffVersionId | None


class VehicleAttached(BusinessEvent):
    """Somebody said which vehicle a stay belongs to."""

    type: ClassVar[str] = "parking.vehicle-attached"
    version: ClassVar[int] = 1

    session_id: ParkingSessionId
    facility_id: FacilityId
    vehicle_id: VehicleId
