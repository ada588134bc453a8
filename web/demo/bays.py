"""Where the demo town's bays lie: along its kerbs and in its garages."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Final, Literal

from city.identifiers import BayId, FacilityId
from city.places import Position, distance_m
from city.streets import StreetClass
from web.demo import names
from web.demo.ids import demo_id
from web.demo.town import place

if TYPE_CHECKING:
    from city.identifiers import DistrictCode
    from city.streets import StreetLink
    from parking.rules.places.model import Purpose
    from web.demo.town import Town

KERB_BAYS: Final = 1_200
BAY_LENGTH_M: Final = 6.0
CORNER_CLEARANCE_M: Final = 18.0
"""No bay nearer to a crossing: sight lines and turning lorries."""
MOST_BAYS_A_SEGMENT: Final = 26
FEWEST_BAYS_A_SEGMENT: Final = 6
LANE_WIDTH_M: Final = 3.2
BICYCLE_LANE_M: Final = 2.5
HALF_BAY_WIDTH_M: Final = 1.1

GARAGE_ROWS: Final = 6
STALL_WIDTH_M: Final = 2.5
ROW_PITCH_M: Final = 8.2
GARAGE_BAYS: Final = (72, 60, 90, 48, 84, 96, 54, 66)
GARAGE_AT_M: Final = (
    (145.0, 235.0),
    (-150.0, -250.0),
    (450.0, -580.0),
    (-460.0, 390.0),
    (145.0, -740.0),
    (450.0, 720.0),
    (-150.0, 560.0),
    (775.0, 390.0),
)
"""In the unbent plan, metres east and north: half-blocks beside a lane, clear of its kerbs."""

EVERY_RESERVED: Final = 9
EVERY_RESIDENTIAL: Final = 5
"""Of the kerb segments, those with a reserved bay and those with residents' bays at their end."""
RESIDENTS_BAYS: Final = 3

Charging = Literal["standard", "charging", "disabled"]


@dataclass(frozen=True, slots=True)
class DemoBay:
    """One bay."""

    bay_id: BayId
    label: str
    kind: Charging
    position: Position
    bearing_deg: float
    purpose: Purpose = "public"
    area: Literal["A", "B"] | None = None
    """Of a garage: the half that it lies in."""


@dataclass(frozen=True, slots=True)
class DemoFacility:
    """A kerb segment or a garage with its bays, and the street node where cars come from."""

    facility_id: FacilityId
    code: str
    kind: Literal["kerb", "garage"]
    name: names.Name
    district: DistrictCode
    position: Position
    node: str
    attraction: float
    """How much it is wanted, relative to the others: the centre more than the edge."""
    bays: tuple[DemoBay, ...]


def lay_bays(town: Town, centre: Position) -> tuple[DemoFacility, ...]:
    """Return the kerb segments, `KERB_BAYS` bays in all, and the eight garages.

    Parameters
    ----------
    town
        The streets.
    centre
        Where most people want to go.
    """
    random = Random(town.seed + 2)  # noqa: S311 - a town, not a secret
    return (*_kerbs(town, centre, random), *_garages(town, centre))


def _attraction(centre: Position, at: Position) -> float:
    return 0.35 + math.exp(-((distance_m(centre, at) / 520) ** 2))


def _kerbs(town: Town, centre: Position, random: Random) -> list[DemoFacility]:
    """Take links by how central they are, with some chance, until the bays are laid."""
    wanted = [link for link in town.network.links.values() if _takes_bays(town, link)]
    wanted.sort(
        key=lambda link: distance_m(centre, link.point(link.length_m / 2)) * random.uniform(0.6, 1)
    )
    segments: list[DemoFacility] = []
    left = KERB_BAYS
    numbers: dict[str, int] = {}
    for link in wanted:
        room = int((link.length_m - 2 * CORNER_CLEARANCE_M) / BAY_LENGTH_M)
        count = min(room, MOST_BAYS_A_SEGMENT, left)
        if count < FEWEST_BAYS_A_SEGMENT and count != left:
            continue
        # Never leave a rest that is too small for a segment of its own.
        if 0 < left - count < FEWEST_BAYS_A_SEGMENT:
            count -= FEWEST_BAYS_A_SEGMENT
        name = _segment_name(link, numbers)
        segments.append(_segment(town, centre, link, name, count, len(segments) + 1))
        left -= count
        if left == 0:
            return segments
    raise ValueError(f"the town's kerbs lack {left} bays")


def _takes_bays(town: Town, link: StreetLink) -> bool:
    middle = link.point(link.length_m / 2)
    on_bridge = any(area.kind == "water" and _inside(middle, area.outline) for area in town.areas)
    return not on_bridge and (
        link.street_class != StreetClass.ARTERIAL or link.length_m > 200  # noqa: PLR2004 - metres
    )


def _inside(at: Position, outline: tuple[Position, ...]) -> bool:
    """Return whether a position lies in a closed outline (even-odd rule)."""
    inside = False
    for a, b in itertools.pairwise(outline):
        if (a.latitude > at.latitude) != (b.latitude > at.latitude):
            share = (at.latitude - a.latitude) / (b.latitude - a.latitude)
            if at.longitude < a.longitude + share * (b.longitude - a.longitude):
                inside = not inside
    return inside


def bearing_deg(a: Position, b: Position) -> float:
    """Return the direction from one position to another, clockwise from north."""
    east = (b.longitude - a.longitude) * math.cos(math.radians(a.latitude))
    return math.degrees(math.atan2(east, b.latitude - a.latitude)) % 360


def _side(heading_deg: float) -> str:
    """Return the side of the street on which cars that drive this way park: their right."""
    right = (heading_deg + 90) % 360
    return ("north", "east", "south", "west")[round(right / 90) % 4]


def _segment_name(link: StreetLink, numbers: dict[str, int]) -> names.Name:
    side = names.SIDES[_side(bearing_deg(link.geometry[0], link.geometry[-1]))]
    key = f"{link.name_en} {side.en}"
    numbers[key] = numbers.get(key, 0) + 1
    return names.Name(
        f"{link.name_zh}{side.zh}{numbers[key]}段",
        f"{link.name_en}, {side.en} {numbers[key]}",
    )


def _segment(  # noqa: PLR0917 - one call, six different things
    town: Town, centre: Position, link: StreetLink, name: names.Name, count: int, number: int
) -> DemoFacility:
    code = f"K{number:03d}"
    start_m = (link.length_m - count * BAY_LENGTH_M) / 2
    aside_m = link.lanes * LANE_WIDTH_M + BICYCLE_LANE_M + HALF_BAY_WIDTH_M
    bays = []
    for index in range(count):
        along_m = start_m + (index + 0.5) * BAY_LENGTH_M
        before, after = link.point(along_m - 2), link.point(along_m + 2)
        bearing = bearing_deg(before, after)
        right = math.radians(bearing + 90)
        at = link.point(along_m).moved(aside_m * math.sin(right), aside_m * math.cos(right))
        bays.append(
            DemoBay(
                BayId(demo_id(town.seed, "bay", f"{code}-{index + 1:02d}")),
                f"{code}-{index + 1:02d}",
                "disabled" if index == 0 and number % 4 == 0 else "standard",
                at,
                round(bearing, 1),
                _kerb_purpose(index, count, number),
            )
        )
    middle = bays[count // 2].position
    return DemoFacility(
        FacilityId(demo_id(town.seed, "facility", code)),
        code,
        "kerb",
        name,
        town.district_at(middle).code,
        middle,
        link.start,
        _attraction(centre, middle),
        tuple(bays),
    )


def _kerb_purpose(index: int, count: int, number: int) -> Purpose:
    if number % EVERY_RESERVED == 0 and index == 1:
        return "reserved"
    residential = number % EVERY_RESIDENTIAL == 0 and index >= count - RESIDENTS_BAYS
    return "permit" if residential else "public"


def _stall_purpose(row: int, column: int) -> Purpose:
    """Month cards have a garage's last row; two stalls of the second can be reserved."""
    if row == GARAGE_ROWS - 1:
        return "permit"
    return "reserved" if row == 1 and column < 2 else "public"  # noqa: PLR2004 - two of them


def _garages(town: Town, centre: Position) -> list[DemoFacility]:
    garages = []
    sites = zip(names.GARAGES, GARAGE_AT_M, GARAGE_BAYS, strict=True)
    for number, (name, (east_m, north_m), count) in enumerate(sites, 1):
        code = f"G{number:02d}"
        at = place(town.seed, east_m, north_m)
        columns = math.ceil(count / GARAGE_ROWS)
        bays = []
        for index in range(count):
            row, column = divmod(index, columns)
            stall_at = at.moved(
                (column - (columns - 1) / 2) * STALL_WIDTH_M,
                (row - (GARAGE_ROWS - 1) / 2) * ROW_PITCH_M,
            )
            bays.append(
                DemoBay(
                    BayId(demo_id(town.seed, "bay", f"{code}-{index + 1:03d}")),
                    f"{code}-{index + 1:03d}",
                    "charging" if row == 0 else "disabled" if index % 37 == 36 else "standard",  # noqa: PLR2004 - about two a garage
                    stall_at,
                    0.0 if row % 2 else 180.0,
                    _stall_purpose(row, column),
                    "A" if row < GARAGE_ROWS // 2 else "B",
                )
            )
        nearest = town.network.nearest(at)
        if nearest is None:
            raise ValueError("the town has no street")
        garages.append(
            DemoFacility(
                FacilityId(demo_id(town.seed, "facility", code)),
                code,
                "garage",
                name,
                town.district_at(at).code,
                at,
                nearest.link.start,
                _attraction(centre, at) * 1.3,
                tuple(bays),
            )
        )
    return garages
