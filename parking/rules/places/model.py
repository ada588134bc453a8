"""Operators, facilities, zones and bays, and the limits of what may be written about them."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import JsonValue

from city.errors import Invalid
from city.identifiers import (
    BayId,
    DistrictCode,
    FacilityId,
    OperatorId,
    TariffId,
    ZoneId,
    parse_district_code,
    uuid7,
)
from city.places import MAPPED_LATITUDE, Position
from parking.rules.places.times import TimeSpan
from parking.rules.places.usage import UseRule

Ownership = Literal["public", "roadside", "commercial", "institutional", "residential"]
"""The five kinds that a city brings together: public lots on municipal land; marked bays on
carriageways and pavements; commercial lots; lots of government and institutions that open at set
hours; residential lots with shared hours."""
FacilityKind = Literal["kerb", "lot", "garage", "mechanical"]
"""A kerb segment, a lot on the surface, a garage, a mechanical or stereo garage."""
RevenueNature = Literal["commercial", "public_non_tax"]
"""Fees of a public kerb can be the treasury's non-tax revenue: then a receipt is fiscal and no
share of it is anybody's."""
Onboarding = Literal[
    "proposed", "surveyed", "contracted", "connected", "live", "suspended", "withdrawn"
]
"""How far a facility has come onto the platform."""
Title = Literal["unknown", "claimed", "verified", "disputed"]
"""Whether it is settled whose the land is: without it no contract and no share of fees."""
ZoneKind = Literal["stretch", "area", "level"]
BayKind = Literal["standard", "disabled", "charging", "coach", "lorry", "loading", "motorcycle"]
Purpose = Literal["public", "reserved", "permit"]
"""Whom a bay is for: anybody for a short stay; a named holder; holders of a permit (month cards,
residents, staff). They are never added up into one count."""
Ground = Literal["unknown", "carriageway", "non_motor_lane", "pavement", "off_street"]
Located = Literal["surveyed", "derived", "facility"]
"""How a bay's position is known: surveyed, laid along a surveyed line, or only its facility's."""

PURPOSES: Final[tuple[Purpose, ...]] = get_args(Purpose)
BAY_KINDS: Final[tuple[BayKind, ...]] = get_args(BayKind)
CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
LABEL_LENGTH: Final = 64
NAME_LENGTH: Final = 200
_GRID_CELL: Final = re.compile(r"[0-9]{15}")
_COMPONENT: Final = re.compile(r"[0-9]{16}")
_LARGEST_M: Final = 60.0
_HEAVIEST_KG: Final = 100_000.0
_FULL_TURN_DEG: Final = 360


def one_of(value: str, kind: object, name: str) -> None:
    """Pass a value of a Literal; Invalid names the field and lists what is allowed."""
    allowed = get_args(kind)
    if value not in allowed:
        raise Invalid(f"must be one of {', '.join(allowed)}", field=name)


def checked_code(text: str, name: str = "code") -> str:
    """Pass a code: 1 to 64 letters, digits, ``_ . -``, the first a letter or digit."""
    if CODE.fullmatch(text) is None:
        raise Invalid("must be 1 to 64 letters, digits, _ . or -", field=name)
    return text


def _size(value: float | None, name: str, most: float) -> None:
    # Written so that NaN fails too.
    if value is not None and not 0 < value <= most:
        raise Invalid(f"must lie above 0 and up to {most:g}", field=name)


@dataclass(frozen=True, slots=True)
class Operator:
    """Who runs facilities."""

    code: str
    name_zh: str
    name_en: str
    phone: str | None = None
    id: OperatorId = field(default_factory=lambda: OperatorId(uuid7()))

    def __post_init__(self) -> None:
        checked_code(self.code)
        for name, value in (("name.zh", self.name_zh), ("name.en", self.name_en)):
            if not 0 < len(value.strip()) <= NAME_LENGTH:
                raise Invalid(f"must be 1 to {NAME_LENGTH} characters", field=name)


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest vehicle that gets in; None where nothing is stated."""

    max_height_m: float | None = None
    max_width_m: float | None = None
    max_length_m: float | None = None
    max_weight_kg: float | None = None

    def __post_init__(self) -> None:
        for name in ("max_height_m", "max_width_m", "max_length_m"):
            _size(getattr(self, name), name, _LARGEST_M)
        _size(self.max_weight_kg, "max_weight_kg", _HEAVIEST_KG)

    def refusal(
        self,
        *,
        height_m: float | None = None,
        width_m: float | None = None,
        length_m: float | None = None,
        weight_kg: float | None = None,
    ) -> str | None:
        """Name the limit that a vehicle exceeds; None where it gets in as far as is known."""
        for name, limit, value in (
            ("max_height_m", self.max_height_m, height_m),
            ("max_width_m", self.max_width_m, width_m),
            ("max_length_m", self.max_length_m, length_m),
            ("max_weight_kg", self.max_weight_kg, weight_kg),
        ):
            if limit is not None and value is not None and value > limit:
                return name
        return None


NO_LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class Machine:
    """A mechanical garage's lifts and pallets, and how long a car usually takes to come."""

    lifts: int
    pallets: int
    retrieval_s: int

    def __post_init__(self) -> None:
        for name, value, most in (
            ("lifts", self.lifts, 100),
            ("pallets", self.pallets, 100_000),
            ("retrieval_s", self.retrieval_s, 7_200),
        ):
            if not 0 < value <= most:
                raise Invalid(f"must be 1 to {most}", field=f"machine.{name}")


@dataclass(frozen=True, slots=True)
class Standing:
    """Which state of a row this is, since when, and who made it so."""

    version: int = 1
    changed_at: datetime | None = None
    changed_by: str = ""


FIRST: Final = Standing()


@dataclass(frozen=True, slots=True)
class Facility:
    """A place with bays under one tariff and one operator.

    Raises
    ------
    Invalid
        On a kind, ownership, revenue nature or time zone that is not known, or a machine where
        there is none.
    """

    code: str
    district: DistrictCode
    ownership: Ownership
    kind: FacilityKind
    name_zh: str
    name_en: str
    position: Position
    timezone: str
    operator_id: OperatorId
    revenue_nature: RevenueNature
    tariff_id: TariffId | None = None
    id: FacilityId = field(default_factory=lambda: FacilityId(uuid7()))
    address: str | None = None
    onboarding: Onboarding = "live"
    title: Title = "unknown"
    opening: tuple[TimeSpan, ...] = ()
    """When it is open; none stated: always."""
    rules: tuple[UseRule, ...] = ()
    """Of all its bays; a bay's own and its zone's come with them."""
    geometry: dict[str, JsonValue] | None = None
    """GeoJSON, WGS-84."""
    limits: Limits = NO_LIMITS
    machine: Machine | None = None
    standing: Standing = FIRST

    def __post_init__(self) -> None:
        parse_district_code(self.district)
        one_of(self.ownership, Ownership, "ownership")
        one_of(self.kind, FacilityKind, "kind")
        one_of(self.revenue_nature, RevenueNature, "revenue_nature")
        one_of(self.onboarding, Onboarding, "onboarding")
        one_of(self.title, Title, "title")
        if self.machine is not None and self.kind != "mechanical":
            raise Invalid("only a mechanical garage has lifts and pallets", field="machine")
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise Invalid("is not a time zone", field="timezone") from error

    def local(self, at: datetime) -> datetime:
        """Give an instant in the facility's own time."""
        return at.astimezone(ZoneInfo(self.timezone))


@dataclass(frozen=True, slots=True)
class Zone:
    """A part of a facility: a stretch of kerb, an area, a level."""

    facility_id: FacilityId
    district: DistrictCode
    code: str
    kind: ZoneKind
    name_zh: str = ""
    name_en: str = ""
    level: int | None = None
    length_m: float | None = None
    rules: tuple[UseRule, ...] = ()
    geometry: dict[str, JsonValue] | None = None
    id: ZoneId = field(default_factory=lambda: ZoneId(uuid7()))
    retired_at: datetime | None = None
    standing: Standing = FIRST

    def __post_init__(self) -> None:
        parse_district_code(self.district)
        checked_code(self.code)
        one_of(self.kind, ZoneKind, "kind")
        if self.level is not None and not -20 <= self.level <= 60:  # noqa: PLR2004 - storeys
            raise Invalid("must be -20 to 60", field="level")
        _size(self.length_m, "length_m", 100_000.0)


@dataclass(frozen=True, slots=True)
class Bay:
    """A marked space for one vehicle. `number` is the database's, 0 before it is kept.

    Raises
    ------
    Invalid
        On a kind, purpose or ground that is not known, or a code of another form.
    """

    facility_id: FacilityId
    district: DistrictCode
    label: str
    kind: str
    position: Position
    bearing_deg: float | None = None
    id: BayId = field(default_factory=lambda: BayId(uuid7()))
    number: int = 0
    zone_id: ZoneId | None = None
    purpose: Purpose = "public"
    ground: Ground = "unknown"
    located: Located = "surveyed"
    length_m: float | None = None
    width_m: float | None = None
    geometry: dict[str, JsonValue] | None = None
    """GeoJSON outline, WGS-84; None where only its middle is known."""
    rules: tuple[UseRule, ...] = ()
    grid_cell: str | None = None
    """Cell of the city's management grid (GB/T 30428.1): 15 digits."""
    component_code: str | None = None
    """Code as a managed component (GB/T 30428.2): 16 digits."""
    retired_at: datetime | None = None
    standing: Standing = FIRST

    def __post_init__(self) -> None:
        parse_district_code(self.district)
        if not 0 < len(self.label.strip()) <= LABEL_LENGTH:
            raise Invalid(f"must be 1 to {LABEL_LENGTH} characters", field="label")
        one_of(self.kind, BayKind, "kind")
        one_of(self.purpose, Purpose, "purpose")
        one_of(self.ground, Ground, "ground")
        one_of(self.located, Located, "located")
        if abs(self.position.latitude) > MAPPED_LATITUDE:
            raise Invalid("lies so near a pole that no map shows it", field="position")
        _size(self.length_m, "length_m", _LARGEST_M)
        _size(self.width_m, "width_m", _LARGEST_M)
        if self.bearing_deg is not None and not 0 <= self.bearing_deg < _FULL_TURN_DEG:
            raise Invalid("must be 0 to below 360 degrees", field="bearing_deg")
        if self.grid_cell is not None and _GRID_CELL.fullmatch(self.grid_cell) is None:
            raise Invalid("must be 15 digits (GB/T 30428.1)", field="grid_cell")
        if self.component_code is not None and _COMPONENT.fullmatch(self.component_code) is None:
            raise Invalid("must be 16 digits (GB/T 30428.2)", field="component_code")
