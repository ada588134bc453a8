"""Where things are: WGS-84 positions, districts, cells of the city grid, distances."""

import math
from dataclasses import dataclass

from city.errors import Invalid
from city.identifiers import DistrictCode, parse_district_code

EARTH_RADIUS_M = 6_371_008.8
"""Mean radius of the earth. Source: IUGG (Moritz, 2000), R1."""
MAPPED_LATITUDE = 85.05112878
"""Maps of EPSG:3857, and searches over them, reach so far from the equator."""

_MAX_LONGITUDE = 180.0
_MAX_LATITUDE = 90.0
_BOX_MEMBERS = 4


@dataclass(frozen=True, slots=True)
class Position:
    """A point on the earth, WGS-84 degrees.

    Chinese map services show GCJ-02, which is shifted by up to some 600 m: convert at the edge,
    never store it.

    Raises
    ------
    Invalid
        Where a coordinate is not a number or out of range.
    """

    longitude: float
    latitude: float

    def __post_init__(self) -> None:
        # Written so that NaN fails too.
        if not -_MAX_LONGITUDE <= self.longitude <= _MAX_LONGITUDE:
            raise Invalid("must lie between -180 and 180 degrees", field="longitude")
        if not -_MAX_LATITUDE <= self.latitude <= _MAX_LATITUDE:
            raise Invalid("must lie between -90 and 90 degrees", field="latitude")

    def as_json(self) -> list[float]:
        """Give ``[longitude, latitude]``, the order of the API and of GeoJSON."""
        return [self.longitude, self.latitude]

    def moved(self, east_m: float, north_m: float) -> "Position":
        """Give the point so many metres east and north of here.

        Exact to better than 1 cm within a few kilometres; not for the poles.
        """
        latitude = self.latitude + math.degrees(north_m / EARTH_RADIUS_M)
        parallel_m = EARTH_RADIUS_M * math.cos(math.radians(self.latitude))
        return Position(self.longitude + math.degrees(east_m / parallel_m), latitude)


@dataclass(frozen=True, slots=True)
class District:
    """An administrative part of the city; all live keys of its bays share its code."""

    code: DistrictCode
    name_zh: str
    name_en: str

    def __post_init__(self) -> None:
        parse_district_code(self.code, "code")

    def name(self, language: str) -> str:
        """Give the name in ``zh`` or ``en``; any other language reads the English one."""
        return self.name_zh if language == "zh" else self.name_en


@dataclass(frozen=True, slots=True)
class BoundingBox:
    """A box of degrees that does not cross the 180th meridian; its edges belong to it.

    Raises
    ------
    Invalid
        Where a corner is out of range, or west exceeds east, or south exceeds north.
    """

    west: float
    south: float
    east: float
    north: float

    def __post_init__(self) -> None:
        Position(self.west, self.south)
        Position(self.east, self.north)
        if self.west > self.east:
            raise Invalid("west must not exceed east", field="bbox")
        if self.south > self.north:
            raise Invalid("south must not exceed north", field="bbox")

    @classmethod
    def parse(cls, text: str, field: str = "bbox") -> "BoundingBox":
        """Read ``west,south,east,north`` in degrees; Invalid names the field."""
        parts = text.split(",")
        if len(parts) != _BOX_MEMBERS:
            raise Invalid("must be west,south,east,north in degrees", field=field)
        try:
            west, south, east, north = (float(part) for part in parts)
            return cls(west, south, east, north)
        except ValueError:
            raise Invalid("must be four numbers", field=field) from None
        except Invalid as error:
            raise Invalid(error.message, field=field) from None

    def contains(self, at: Position) -> bool:
        """Tell whether a point lies in the box or on its edge."""
        return self.west <= at.longitude <= self.east and self.south <= at.latitude <= self.north


@dataclass(frozen=True, slots=True, order=True)
class GridCell:
    """A cell of the city's management grid: steps of a thousandth of a degree by default.

    One step is about 111 m northwards everywhere and about 95 m eastwards at 31 degrees north.
    Cells are numbered from the west and the south, half-open, so each point is in exactly one.
    """

    column: int
    row: int
    step_e6: int = 1_000
    """Side in millionths of a degree, at least 1."""

    @classmethod
    def of(cls, at: Position, step_e6: int = 1_000) -> "GridCell":
        """Give the cell that holds a point.

        Raises
        ------
        Invalid
            Where the step is not at least 1.
        """
        if step_e6 < 1:
            raise Invalid("must be at least 1 millionth of a degree", field="step_e6")
        column = math.floor(round((at.longitude + _MAX_LONGITUDE) * 1e6) / step_e6)
        row = math.floor(round((at.latitude + _MAX_LATITUDE) * 1e6) / step_e6)
        return cls(column, row, step_e6)

    @property
    def code(self) -> str:
        """Text of the cell, unique with its step: ``301234-121234``."""
        return f"{self.column}-{self.row}"

    @property
    def box(self) -> BoundingBox:
        """The cell's outline; its east and north edges belong to the next cells."""
        west = self.column * self.step_e6 / 1e6 - _MAX_LONGITUDE
        south = self.row * self.step_e6 / 1e6 - _MAX_LATITUDE
        side = self.step_e6 / 1e6
        return BoundingBox(
            west,
            south,
            min(_MAX_LONGITUDE, west + side),
            min(_MAX_LATITUDE, south + side),
        )


def distance_m(a: Position, b: Position) -> float:
    """Give the great-circle distance between two points in metres.

    Notes
    -----
    Source: the haversine formula (Sinnott, 1984), on the mean sphere; within 0.6 % of the
    ellipsoid, far below what a bay's position is known to. Symmetric, and 0 only for equal points.
    """
    phi_a, phi_b = math.radians(a.latitude), math.radians(b.latitude)
    half_phi = (phi_b - phi_a) / 2
    half_lambda = math.radians(b.longitude - a.longitude) / 2
    chord = math.sin(half_phi) ** 2 + math.cos(phi_a) * math.cos(phi_b) * math.sin(half_lambda) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(min(1.0, chord)))
