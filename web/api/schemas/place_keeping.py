"""Registering, changing, suspending and importing places."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import Field, JsonValue

from web.api.schemas.base import (
    Incoming,
    Instant,
    InstantIn,
    Latitude,
    Longitude,
    Names,
    Outgoing,
    PageQuery,
)

PlaceCode = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
DistrictText = Annotated[str, Field(pattern=r"^[0-9a-z]{2,12}$")]
NameText = Annotated[str, Field(min_length=1, max_length=200)]
Metres = Annotated[float, Field(gt=0, le=60, allow_inf_nan=False)]
Ownership = Literal["public", "roadside", "commercial", "institutional", "residential"]
FacilityKind = Literal["kerb", "lot", "garage", "mechanical"]
RevenueNature = Literal["commercial", "public_non_tax"]
Onboarding = Literal[
    "proposed", "surveyed", "contracted", "connected", "live", "suspended", "withdrawn"
]
Title = Literal["unknown", "claimed", "verified", "disputed"]
ZoneKind = Literal["stretch", "area", "level"]
BayKind = Literal["standard", "disabled", "charging", "coach", "lorry", "loading", "motorcycle"]
Purpose = Literal["public", "reserved", "permit"]
Ground = Literal["unknown", "carriageway", "non_motor_lane", "pavement", "off_street"]
Members = Annotated[dict[str, JsonValue], Field(max_length=20)]
Rules = Annotated[
    list[Members],
    Field(
        default_factory=list, max_length=50, description="Rules by time and user: docs/places.md"
    ),
]
Spans = Annotated[
    list[Members],
    Field(default_factory=list, max_length=50, description="Spans of time: docs/places.md"),
]
GeoJson = Annotated[Members, Field(description="GeoJSON, WGS-84")]
At = Annotated[tuple[Longitude, Latitude], Field(description="[longitude, latitude]")]
Version = Annotated[
    int | None, Field(ge=1, description="What the caller saw; refused where it is another by now")
]


class NamesIn(Incoming):
    """A name in both languages."""

    zh: NameText
    en: NameText


class OperatorIn(Incoming):
    """An operator to be registered."""

    code: PlaceCode
    name: NamesIn
    phone: Annotated[str | None, Field(max_length=32, pattern=r"^\+?[0-9 ()-]{3,32}$")] = None


class OperatorOut(Outgoing):
    """Who runs facilities."""

    id: UUID
    code: str
    name: Names
    phone: str | None


class OperatorsOut(Outgoing):
    """A page of operators."""

    items: list[OperatorOut]
    next: str | None


class LimitsIn(Incoming):
    """The largest vehicle that gets in."""

    max_height_m: Metres | None = None
    max_width_m: Metres | None = None
    max_length_m: Metres | None = None
    max_weight_kg: Annotated[float | None, Field(gt=0, le=100_000, allow_inf_nan=False)] = None


class MachineIn(Incoming):
    """A mechanical garage's lifts and pallets."""

    lifts: Annotated[int, Field(ge=1, le=100)]
    pallets: Annotated[int, Field(ge=1, le=100_000)]
    retrieval_s: Annotated[int, Field(ge=1, le=7_200)]


class FacilityIn(Incoming):
    """A facility to be registered."""

    code: PlaceCode
    district: DistrictText
    ownership: Ownership
    kind: FacilityKind
    name: NamesIn
    position: At
    operator_id: UUID
    revenue_nature: RevenueNature
    timezone: Annotated[str, Field(max_length=64)] = "Asia/Shanghai"
    tariff_id: UUID | None = None
    address: Annotated[str | None, Field(max_length=512)] = None
    onboarding: Onboarding = "proposed"
    title: Title = "unknown"
    opening: Spans
    rules: Rules
    geometry: GeoJson | None = None
    limits: LimitsIn = LimitsIn()
    machine: MachineIn | None = None


class FacilityChangeIn(Incoming):
    """Members of a facility that change; those left out stay as they are."""

    version: Version = None
    code: PlaceCode | None = None
    ownership: Ownership | None = None
    kind: FacilityKind | None = None
    name: NamesIn | None = None
    position: At | None = None
    operator_id: UUID | None = None
    revenue_nature: RevenueNature | None = None
    timezone: Annotated[str | None, Field(max_length=64)] = None
    tariff_id: UUID | None = None
    address: Annotated[str | None, Field(max_length=512)] = None
    onboarding: Onboarding | None = None
    title: Title | None = None
    opening: Spans
    rules: Rules
    geometry: GeoJson | None = None
    limits: LimitsIn | None = None
    machine: MachineIn | None = None


class ZoneIn(Incoming):
    """A zone to be added."""

    code: PlaceCode
    kind: ZoneKind
    name: NamesIn | None = None
    level: Annotated[int | None, Field(ge=-20, le=60)] = None
    length_m: Annotated[float | None, Field(gt=0, le=100_000, allow_inf_nan=False)] = None
    rules: Rules
    geometry: GeoJson | None = None


class ZoneChangeIn(Incoming):
    """Members of a zone that change; those left out stay as they are."""

    version: Version = None
    name: NamesIn | None = None
    level: Annotated[int | None, Field(ge=-20, le=60)] = None
    length_m: Annotated[float | None, Field(gt=0, le=100_000, allow_inf_nan=False)] = None
    rules: Rules
    geometry: GeoJson | None = None


class BayIn(Incoming):
    """A bay to be registered."""

    label: Annotated[str, Field(min_length=1, max_length=64)]
    kind: BayKind = "standard"
    purpose: Purpose = "public"
    ground: Ground = "unknown"
    position: At
    bearing_deg: Annotated[float | None, Field(ge=0, lt=360, allow_inf_nan=False)] = None
    length_m: Metres | None = None
    width_m: Metres | None = None
    zone_id: UUID | None = None
    geometry: GeoJson | None = None
    rules: Rules
    grid_cell: Annotated[str | None, Field(pattern=r"^[0-9]{15}$")] = None
    component_code: Annotated[str | None, Field(pattern=r"^[0-9]{16}$")] = None


class BaysIn(Incoming):
    """Bays to be registered, all of them or none."""

    bays: Annotated[list[BayIn], Field(min_length=1, max_length=500)]


class BayChangeIn(Incoming):
    """Members of a bay that change; those left out stay as they are."""

    version: Version = None
    label: Annotated[str | None, Field(min_length=1, max_length=64)] = None
    kind: BayKind | None = None
    purpose: Purpose | None = None
    ground: Ground | None = None
    position: At | None = None
    bearing_deg: Annotated[float | None, Field(ge=0, lt=360, allow_inf_nan=False)] = None
    length_m: Metres | None = None
    width_m: Metres | None = None
    zone_id: UUID | None = None
    geometry: GeoJson | None = None
    rules: Rules
    grid_cell: Annotated[str | None, Field(pattern=r"^[0-9]{15}$")] = None
    component_code: Annotated[str | None, Field(pattern=r"^[0-9]{16}$")] = None


class AsOfQuery(Incoming):
    """When."""

    at: Annotated[InstantIn | None, Field(description="As it stood then; now if left out")] = None


class PlaceVersionOut(Outgoing):
    """A place as it stood for a time, and who made it so."""

    version: int
    from_at: Instant
    until_at: Annotated[Instant | None, Field(description="null: it stands so now")]
    changed_by: str
    state: dict[str, Any]


class PlaceHistoryOut(Outgoing):
    """What a place is and was, the latest first."""

    items: list[PlaceVersionOut]
    people: Annotated[dict[str, str], Field(description="What staff among `changed_by` are called")]


class RegisteredBaysOut(Outgoing):
    """Bays as they were registered."""

    items: list[PlaceVersionOut]


class ZonesOut(Outgoing):
    """A facility's zones."""

    items: list[PlaceVersionOut]


class SuspensionIn(Incoming):
    """Bays that a permit takes out for a time."""

    permit_no: Annotated[str, Field(min_length=1, max_length=64)]
    reason: Literal["works", "event", "emergency", "other"] = "works"
    from_at: InstantIn
    until_at: InstantIn
    bay_ids: Annotated[list[UUID], Field(min_length=1, max_length=500)]


class SuspensionOut(Outgoing):
    """Bays that a permit takes out for a time."""

    id: UUID
    facility_id: UUID
    permit_no: str
    reason: str
    from_at: Instant
    until_at: Instant
    lifted_at: Instant | None
    recorded_by: str
    bay_ids: list[UUID]


class SuspensionsOut(Outgoing):
    """A page of suspensions."""

    items: list[SuspensionOut]
    next: str | None


class SuspensionsQuery(PageQuery):
    """Which of them."""


class ImportIn(Incoming):
    """A file of places, and what it does not say about them."""

    MOST_BYTES: ClassVar[int] = 1_048_576

    format: Literal["geojson", "curblr", "csv"]
    source: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,39}$")]
    district: DistrictText
    operator_id: UUID
    content: Annotated[
        dict[str, JsonValue] | str,
        Field(description="The JSON of GeoJSON and CurbLR, the text of CSV; at most 1 MiB in all"),
    ]
    kind: FacilityKind = "kerb"
    ownership: Ownership | None = None
    revenue_nature: RevenueNature = "public_non_tax"
    timezone: Annotated[str, Field(max_length=64)] = "Asia/Shanghai"
    tariff_id: UUID | None = None
    bay_length_m: Annotated[float | None, Field(ge=1, le=30, allow_inf_nan=False)] = None
    dry_run: bool = False


class AcceptedOut(Outgoing):
    """A feature that was taken."""

    index: int
    ref: str
    facility: str
    bays: int
    notes: list[str]


class RejectedOut(Outgoing):
    """A feature that was not: the field at fault and the rule it breaks."""

    index: int
    ref: str
    field: str
    reason: str


class ImportOut(Outgoing):
    """What became of a file."""

    source: str
    dry_run: bool
    features: int
    facilities: dict[str, int]
    zones: dict[str, int]
    bays: dict[str, int]
    accepted: list[AcceptedOut]
    rejected: list[RejectedOut]
