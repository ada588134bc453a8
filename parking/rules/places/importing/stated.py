"""What a file states, feature by feature, and what is planned from it."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from pydantic import JsonValue

from city.errors import Invalid
from city.places import Position
from parking.rules.places.model import (
    BayKind,
    FacilityKind,
    Ground,
    Limits,
    Located,
    Ownership,
    Purpose,
    ZoneKind,
)
from parking.rules.places.times import TimeSpan
from parking.rules.places.usage import UseRule

ImportFormat = Literal["geojson", "curblr", "csv"]
FORMATS: Final[tuple[ImportFormat, ...]] = ("geojson", "curblr", "csv")
MOST_FEATURES: Final = 100_000
MOST_SPACES: Final = 20_000
"""Bays that one feature may stand for."""
Orientation = Literal["parallel", "perpendicular", "diagonal"]
Shape = Literal["Point", "LineString", "Polygon"]


class Found(NamedTuple):
    """A feature's geometry, read."""

    shape: Shape
    points: tuple[Position, ...]
    """Of a polygon, its outer ring without the closing point."""


class Faulty(Invalid):
    """A feature that cannot be read; `field` names the member of the file."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What a file does not say about its places.

    Parameters
    ----------
    source : str
        Name of the source, lower case: the same one in every later import of it, for places are
        known again by it. Their codes begin with it.
    kind : FacilityKind
        Of places that do not say.
    timezone : str
        Where the file does not say.
    ownership : Ownership or None
        Of all its places; None: by their kind, roadside on kerbs and public elsewhere.
    bay_length_m : float or None
        Share kerbs of which only the length is known out among bays of this length. None: their
        capacity stays unknown, and they get none.
    """

    source: str
    kind: FacilityKind = "kerb"
    timezone: str = "Asia/Shanghai"
    ownership: Ownership | None = None
    bay_length_m: float | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Bays of one kind and use among a feature's spaces."""

    count: int
    kind: BayKind = "standard"
    purpose: Purpose = "public"
    rules: tuple[UseRule, ...] = ()


@dataclass(frozen=True, slots=True)
class Stated:
    """One feature: spaces at a place."""

    index: int
    ref: str
    """Names it again in a later file."""
    shape: Shape
    points: tuple[Position, ...]
    facility_key: str | None
    """Names the facility that it is a part of; None: it is one by itself."""
    facility_name: str
    facility_kind: FacilityKind
    groups: tuple[Group, ...]
    ground: Ground = "unknown"
    label: str | None = None
    """Of a single bay."""
    orientation: Orientation | None = None
    level: int | None = None
    bearing_deg: float | None = None
    length_m: float | None = None
    width_m: float | None = None
    opening: tuple[TimeSpan, ...] = ()
    limits: Limits = field(default_factory=Limits)
    address: str | None = None
    grid_cell: str | None = None
    component_code: str | None = None
    capacity_field: str = "capacity"
    label_field: str = "label"
    notes: tuple[str, ...] = ()

    @property
    def spaces(self) -> int:
        """How many bays it stands for."""
        return sum(group.count for group in self.groups)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A feature that was not taken: which, the field at fault, and the rule it breaks."""

    index: int
    ref: str
    field: str
    reason: str

    def as_json(self) -> dict[str, JsonValue]:
        """Give it as it is reported."""
        return {
            "index": self.index,
            "ref": self.ref,
            "field": self.field,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Accepted:
    """A feature that was taken: where it went, and what there is to know about it."""

    index: int
    ref: str
    facility: str
    """Code of the facility."""
    bays: int
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, JsonValue]:
        """Give it as it is reported."""
        return {
            "index": self.index,
            "ref": self.ref,
            "facility": self.facility,
            "bays": self.bays,
            "notes": [*self.notes],
        }


@dataclass(frozen=True, slots=True)
class PlannedBay:
    """A bay to be."""

    label: str
    kind: BayKind
    purpose: Purpose
    ground: Ground
    located: Located
    position: Position
    feature: int
    """Index of the feature that it comes from."""
    zone: str | None = None
    bearing_deg: float | None = None
    length_m: float | None = None
    width_m: float | None = None
    geometry: dict[str, JsonValue] | None = None
    rules: tuple[UseRule, ...] = ()
    grid_cell: str | None = None
    component_code: str | None = None

    def as_json(self) -> dict[str, JsonValue]:
        """Give what tells it from another state of itself."""
        return {
            "label": self.label,
            "kind": self.kind,
            "purpose": self.purpose,
            "ground": self.ground,
            "located": self.located,
            "position": [*self.position.as_json()],
            "zone": self.zone,
            "bearing_deg": self.bearing_deg,
            "length_m": self.length_m,
            "width_m": self.width_m,
            "geometry": self.geometry,
            "rules": [rule.as_json() for rule in self.rules],
            "grid_cell": self.grid_cell,
            "component_code": self.component_code,
        }


@dataclass(frozen=True, slots=True)
class PlannedZone:
    """A zone to be."""

    code: str
    kind: ZoneKind
    name: str = ""
    level: int | None = None
    length_m: float | None = None
    geometry: dict[str, JsonValue] | None = None
    rules: tuple[UseRule, ...] = ()

    def as_json(self) -> dict[str, JsonValue]:
        """Give what tells it from another state of itself."""
        return {
            "code": self.code,
            "kind": self.kind,
            "name": self.name,
            "level": self.level,
            "length_m": self.length_m,
            "geometry": self.geometry,
            "rules": [rule.as_json() for rule in self.rules],
        }


@dataclass(frozen=True, slots=True)
class PlannedFacility:
    """A facility to be, with its zones and bays."""

    ref: str
    code: str
    kind: FacilityKind
    ownership: Ownership
    name: str
    position: Position
    timezone: str
    zones: tuple[PlannedZone, ...] = ()
    bays: tuple[PlannedBay, ...] = ()
    geometry: dict[str, JsonValue] | None = None
    opening: tuple[TimeSpan, ...] = ()
    limits: Limits = field(default_factory=Limits)
    address: str | None = None
    features: tuple[int, ...] = ()

    def digest(self) -> bytes:
        """Name this very state: the same file gives the same again, whatever its order."""
        limits = self.limits
        state: dict[str, JsonValue] = {
            "code": self.code,
            "kind": self.kind,
            "ownership": self.ownership,
            "name": self.name,
            "position": [*self.position.as_json()],
            "timezone": self.timezone,
            "zones": [zone.as_json() for zone in self.zones],
            "bays": [bay.as_json() for bay in self.bays],
            "geometry": self.geometry,
            "opening": [span.as_json() for span in self.opening],
            "limits": [
                limits.max_height_m,
                limits.max_width_m,
                limits.max_length_m,
                limits.max_weight_kg,
            ],
            "address": self.address,
        }
        return hashlib.sha256(json.dumps(state, sort_keys=True).encode()).digest()


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What a file comes to: each of its features is in exactly one of the two lists."""

    facilities: tuple[PlannedFacility, ...]
    accepted: tuple[Accepted, ...]
    rejected: tuple[Rejected, ...]
