"""Reservations, benefits, blacklists, the coverage of stays, and the abuse report."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from city.vehicles import PlateKind
from web.api.schemas.base import (
    Incoming,
    Instant,
    InstantIn,
    MoneyOut,
    Names,
    Outgoing,
    PageQuery,
    PlateText,
)
from web.api.schemas.permits import AllowanceIn, AllowanceOut, Reason, WindowIn, WindowOut
from web.api.schemas.stays import PlateOut

DistrictIn = Annotated[str, Field(pattern=r"^[0-9a-z]{2,12}$")]
EffectName = Literal["no_rights", "no_reservation", "no_entry", "alert"]
ReasonName = Literal["arrears", "evasion", "false_plate", "abuse", "damage"]
ReservationStateName = Literal[
    "held", "arrived", "finished", "cancelled", "released", "no_show", "unclear"
]


class ReservationIn(Incoming):
    """A bay to hold for a vehicle: one bay, or any of a facility."""

    plate: PlateText
    kind: PlateKind | None = None
    from_at: InstantIn
    until_at: InstantIn
    bay_id: UUID | None = None
    facility_id: UUID | None = None
    bay_kind: Annotated[str | None, Field(min_length=1, max_length=32)] = None


class ReservationOut(Outgoing):
    """A bay held for a vehicle."""

    id: UUID
    state: ReservationStateName
    bay_id: UUID
    bay_label: str
    facility_id: UUID
    plate: PlateOut | None
    from_at: Instant
    until_at: Instant
    hold_until_at: Annotated[
        Instant, Field(description="From here on the bay is given back where nobody came")
    ]
    session_id: UUID | None
    ended_at: Instant | None


class ReservationsQuery(PageQuery):
    """Which reservations."""

    facility_id: UUID | None = None
    state: ReservationStateName | None = None


class ReservationsOut(Outgoing):
    """A page of reservations, the latest first."""

    items: list[ReservationOut]
    next: str | None


class CoveragePartOut(Outgoing):
    """A stretch of a stay, and what becomes of it."""

    from_at: Instant
    until_at: Instant
    outcome: Literal["covered", "overstay", "charged"]
    right_kind: Literal["permit", "benefit"] | None
    right_id: UUID | None
    fee: MoneyOut | None
    why: Names


class CoverageOut(Outgoing):
    """What of a stay its vehicle's rights cover, as things stand."""

    session_id: UUID
    vehicle: Annotated[bool, Field(description="False where nobody said whose the stay is")]
    parts: list[CoveragePartOut]
    alerts: Annotated[list[Names], Field(description="Why the vehicle is on a blacklist")]


class BenefitIn(Incoming):
    """What a region grants to kinds of plates."""

    district: DistrictIn
    facility_id: UUID | None = None
    name_zh: Annotated[str, Field(min_length=1, max_length=80)]
    name_en: Annotated[str, Field(min_length=1, max_length=80)]
    classes: Annotated[
        tuple[Annotated[str, Field(max_length=40)], ...],
        Field(
            max_length=10,
            description="emergency, police, military, armed_police, diplomatic, new_energy",
        ),
    ] = ()
    plate_kinds: Annotated[tuple[PlateKind, ...], Field(max_length=20)] = ()
    timezone: Annotated[str, Field(min_length=1, max_length=64)]
    valid_from: InstantIn
    valid_until: InstantIn | None = None
    hours: Annotated[tuple[WindowIn, ...], Field(max_length=16)] = ()
    allowance: AllowanceIn | None = None
    source: Annotated[
        str, Field(min_length=1, max_length=200, description="The notice or rule that grants it")
    ]


class BenefitOut(Outgoing):
    """What a region grants to kinds of plates."""

    id: UUID
    district: str
    facility_id: UUID | None
    name: Names
    plate_kinds: list[str]
    timezone: str
    valid_from: Instant
    valid_until: Instant | None
    hours: list[WindowOut]
    allowance: AllowanceOut | None
    source: str


class BenefitsOut(Outgoing):
    """A page of benefits, the latest first."""

    items: list[BenefitOut]
    next: str | None


class ListingIn(Incoming):
    """A vehicle to put on a blacklist."""

    plate: PlateText
    kind: PlateKind | None = None
    district: DistrictIn
    reason: ReasonName
    note: Reason
    until_at: InstantIn | None = None


class ListingOut(Outgoing):
    """A vehicle on a blacklist."""

    id: UUID
    vehicle_id: UUID
    plate: PlateOut | None
    district: str
    reason: ReasonName
    note: str
    from_at: Instant
    until_at: Instant | None
    lifted_at: Instant | None
    lifted_reason: str | None


class ListingsQuery(PageQuery):
    """Which listings."""

    in_force: bool = False


class ListingsOut(Outgoing):
    """A page of listings, the latest first."""

    items: list[ListingOut]
    next: str | None


class LiftingIn(Incoming):
    """Why a vehicle is taken off the list."""

    reason: Reason


class PolicyIn(Incoming):
    """What a district makes of listings; a reason that is left out only alerts."""

    effects: Annotated[dict[ReasonName, list[EffectName]], Field(max_length=10)]
    honours: Annotated[
        tuple[DistrictIn, ...],
        Field(max_length=200, description="Other districts whose listings count here"),
    ] = ()


class PolicyOut(Outgoing):
    """What a district makes of listings."""

    district: str
    effects: dict[str, list[EffectName]]
    honours: list[str]


class AbuseQuery(Incoming):
    """Which period, and from where on a plate is named."""

    since_at: InstantIn
    until_at: InstantIn
    stays: Annotated[int, Field(ge=1, le=100_000)] = 40
    parked_h: Annotated[int, Field(ge=1, le=100_000)] = 300
    overlap_s: Annotated[int, Field(ge=1, le=86_400)] = 300
    speed_kph: Annotated[int, Field(ge=1, le=2_000)] = 150
    cursor: Annotated[str | None, Field(max_length=200)] = None
    limit: Annotated[int, Field(ge=1, le=500)] = 100


class ClashOut(Outgoing):
    """Two stays that one vehicle cannot both have had."""

    first_session_id: UUID
    second_session_id: UUID
    first_bay_id: UUID | None
    second_bay_id: UUID | None
    overlap_s: int
    distance_m: int
    speed_kph: Annotated[int | None, Field(description="Null where it was at both at once")]


class SuspectOut(Outgoing):
    """An exempt plate that reaches a threshold: a sign, no proof."""

    vehicle_id: UUID
    plate: PlateOut | None
    stays: int
    parked_s: int
    often: bool
    long: bool
    clashes: list[ClashOut]


class AbuseOut(Outgoing):
    """Exempt plates seen unusually often or in two places at once."""

    items: list[SuspectOut]
    next: str | None
    looked_at: Annotated[int, Field(description="Vehicles with an exempt kind of plate")]
