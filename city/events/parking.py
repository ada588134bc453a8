"""What the parking room announces."""

from typing import ClassVar, Literal

from city.events.base import BusinessEvent, UtcInstant
from city.identifiers import (
    BayId,
    DistrictCode,
    FacilityId,
    ParkingSessionId,
    PermitId,
    ReservationId,
    SuspensionId,
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


class ParkingSessionClosedInBay(BusinessEvent):
    """A stay in a bay ended, as it was announced before stays could be without a bay.

    Nobody announces it any more; jobs that carry it may still wait.
    """

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


class ParkingSessionClosed(BusinessEvent):
    """A stay ended; it is billable only where a vehicle is attached."""

    type: ClassVar[str] = "parking.session-closed"
    version: ClassVar[int] = 2

    session_id: ParkingSessionId
    bay_id: BayId | None
    """None where it went from gate to gate."""
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


class PermitEnded(BusinessEvent):
    """A permit's term ran out, or it was taken back: its vehicles pay by the tariff again."""

    type: ClassVar[str] = "parking.permit-ended"
    version: ClassVar[int] = 1

    permit_id: PermitId
    district: DistrictCode
    ended_at: UtcInstant
    why: Literal["term", "revoked"]


class PermitExtended(BusinessEvent):
    """A permit's end was moved: by a renewal, or for time in which it could not be used."""

    type: ClassVar[str] = "parking.permit-extended"
    version: ClassVar[int] = 1

    permit_id: PermitId
    district: DistrictCode
    why: Literal["renewal", "compensation"]
    days: int
    valid_until: UtcInstant


class ReservationMade(BusinessEvent):
    """A bay is held for a vehicle."""

    type: ClassVar[str] = "parking.reservation-made"
    version: ClassVar[int] = 1

    reservation_id: ReservationId
    bay_id: BayId
    facility_id: FacilityId
    district: DistrictCode
    vehicle_id: VehicleId
    from_at: UtcInstant
    until_at: UtcInstant


class ReservationEnded(BusinessEvent):
    """A bay is no longer held for a vehicle."""

    type: ClassVar[str] = "parking.reservation-ended"
    version: ClassVar[int] = 1

    reservation_id: ReservationId
    bay_id: BayId
    facility_id: FacilityId
    district: DistrictCode
    vehicle_id: VehicleId
    outcome: Literal["finished", "cancelled", "released", "no_show", "unclear"]
    ended_at: UtcInstant


class BaysSuspended(BusinessEvent):
    """A works permit takes bays out for a time: whoever holds a right to one is to be told."""

    type: ClassVar[str] = "parking.bays-suspended"
    version: ClassVar[int] = 1

    suspension_id: SuspensionId
    facility_id: FacilityId
    district: DistrictCode
    bay_ids: tuple[BayId, ...]
    from_at: UtcInstant
    until_at: UtcInstant


class SuspensionLifted(BusinessEvent):
    """Suspended bays came back before the permit's end: compensation counts to here."""

    type: ClassVar[str] = "parking.suspension-lifted"
    version: ClassVar[int] = 1

    suspension_id: SuspensionId
    facility_id: FacilityId
    district: DistrictCode
    bay_ids: tuple[BayId, ...]
    from_at: UtcInstant
    lifted_at: UtcInstant
    """Not before ``from_at``: one that was lifted before it began took nothing."""
