"""Permits: what they grant, whom they list, and how their ends move."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from web.api.schemas.base import (
    Incoming,
    Instant,
    InstantIn,
    MoneyIn,
    MoneyOut,
    Outgoing,
    PageQuery,
)
from web.api.schemas.stays import PlateOut

PermitKindName = Literal["month", "year", "resident", "staff", "off_peak", "disabled"]
PermitState = Literal["coming", "valid", "ended", "revoked"]
WallClock = Annotated[str, Field(pattern=r"^[0-2][0-9]:[0-5][0-9]$", description="HH:MM, local")]
Reason = Annotated[str, Field(min_length=1, max_length=200)]
DaysName = Literal["every", "workday", "day_off"]
PerName = Literal["stay", "day"]


class WindowIn(Incoming):
    """A stretch of the wall clock; one whose end is not after its beginning passes midnight."""

    from_: Annotated[WallClock, Field(alias="from")]
    until: WallClock
    days: DaysName = "every"


class WindowOut(Outgoing):
    """A stretch of the wall clock, on the days on which it begins."""

    from_: Annotated[str, Field(alias="from")]
    until: str
    days: DaysName


class AllowanceIn(Incoming):
    """Free time that ends."""

    free_s: Annotated[int, Field(ge=1, le=604_800, description="Seconds; a day at most per day")]
    per: PerName


class AllowanceOut(Outgoing):
    """Free time that ends, in seconds."""

    free_s: int
    per: PerName


class OverstayIn(Incoming):
    """What staying past the hours costs, instead of the tariff."""

    grace_s: Annotated[int, Field(ge=0, le=86_400)] = 0
    unit_s: Annotated[int, Field(ge=60, le=86_400)]
    price: MoneyIn
    cap: MoneyIn | None = None


class OverstayOut(Outgoing):
    """What staying past the hours costs, instead of the tariff."""

    grace_s: int
    unit_s: int
    price: MoneyOut
    cap: MoneyOut | None


class PermitIn(Incoming):
    """A permit to be issued; give either `months` or `last_day`."""

    kind: PermitKindName
    label: Annotated[
        str,
        Field(min_length=1, max_length=80, description="Contract number or list name; no plate"),
    ]
    facility_ids: Annotated[list[UUID], Field(min_length=1, max_length=200)]
    first_day: date
    months: Annotated[int | None, Field(ge=1, le=120)] = None
    last_day: date | None = None
    concurrent_limit: Annotated[
        int | None,
        Field(ge=1, le=5000, description="Vehicles covered at a time; null: every listed one"),
    ] = 1
    hours: Annotated[
        tuple[WindowIn, ...], Field(max_length=16, description="When it holds; empty: always")
    ] = ()
    allowance: AllowanceIn | None = None
    overstay: OverstayIn | None = None
    bay_ids: Annotated[
        tuple[UUID, ...], Field(max_length=50, description="Bays of its own, held in its hours")
    ] = ()


class PermitOut(Outgoing):
    """A permit."""

    id: UUID
    kind: PermitKindName
    label: str
    district: str
    state: PermitState
    facility_ids: list[UUID]
    timezone: str
    valid_from: Instant
    valid_until: Instant
    concurrent_limit: int | None
    vehicles: Annotated[int, Field(description="Vehicles on the list now")]
    hours: list[WindowOut]
    allowance: AllowanceOut | None
    overstay: OverstayOut | None
    issued_at: Instant
    revoked_at: Instant | None
    revoked_reason: str | None


class PermitsQuery(PageQuery):
    """Which permits."""

    kind: PermitKindName | None = None
    facility_id: UUID | None = None
    vehicle_id: UUID | None = None
    state: PermitState | None = None


class PermitsOut(Outgoing):
    """A page of permits, the latest first."""

    items: list[PermitOut]
    next: str | None


class ExtensionOut(Outgoing):
    """A permit's end moved."""

    why: Literal["renewal", "compensation"]
    days: int
    valid_until: Instant
    reason: str
    extended_at: Instant


class PermitDetailOut(PermitOut):
    """A permit, and how its end was moved."""

    extensions: list[ExtensionOut]


class ListedPlateIn(Incoming):
    """A plate as it was written. What is wrong with it comes back with its place in the list."""

    plate: Annotated[str, Field(max_length=40)]
    kind: Annotated[str | None, Field(max_length=40)] = None


class ListedPlatesIn(Incoming):
    """Plates to put on a permit's list; a longer list is sent in parts."""

    vehicles: Annotated[list[ListedPlateIn], Field(min_length=1, max_length=500)]


class AcceptedPlateOut(Outgoing):
    """A plate that is on the list now."""

    index: int
    vehicle_id: UUID
    plate: PlateOut
    added: Annotated[bool, Field(description="False where it was on the list already")]


class RejectedPlateOut(Outgoing):
    """A plate that is not on the list, and why."""

    index: int
    field: str
    reason: str


class ListedPlatesOut(Outgoing):
    """What became of each plate."""

    accepted: list[AcceptedPlateOut]
    rejected: list[RejectedPlateOut]


class ListedVehicleOut(Outgoing):
    """A vehicle on a permit's list."""

    vehicle_id: UUID
    plate: PlateOut | None
    from_at: Instant


class ListedVehiclesOut(Outgoing):
    """A page of a permit's list, in the order in which vehicles were put on it."""

    items: list[ListedVehicleOut]
    next: str | None


class RevocationIn(Incoming):
    """Why a permit is taken back."""

    reason: Reason


class RenewalIn(Incoming):
    """For how many more natural months, and why."""

    months: Annotated[int, Field(ge=1, le=120)]
    reason: Reason


class CompensationIn(Incoming):
    """A facility that could not be used for a time."""

    facility_id: UUID
    from_at: InstantIn
    until_at: InstantIn
    reason: Reason


class CompensatedPermitOut(Outgoing):
    """A permit that was lengthened."""

    permit_id: UUID
    days: int


class CompensationOut(Outgoing):
    """What a suspension gave back."""

    extended: list[CompensatedPermitOut]
    untouched: Annotated[list[UUID], Field(description="It took none of their hours")]
    done_before: Annotated[list[UUID], Field(description="This time was made good already")]
    bay_taken: Annotated[
        tuple[UUID, ...],
        Field(description="Lengthened, but somebody else holds their own bay then"),
    ]
