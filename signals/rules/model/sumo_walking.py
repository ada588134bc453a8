"""Where people on foot walk in a SUMO network that we write: corners, crossings, pavements.

SUMO lets people cross from walking area to walking area, and asks for those areas to be there. The
model holds the crossings alone, so that areas are drawn from their ends and from the pavements
(lanes for people on foot) that end or begin nearest to them. Reading leaves all of it out again.

Source: SUMO, "Pedestrian Simulation" and "SUMO Road Networks".
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from signals.rules.junctions import GroupKind
from signals.rules.model.geometry import Point, bearing_deg
from signals.rules.model.junction import Lane, Movement, Node, Road, SignalledJunction
from signals.rules.model.sumo_extras import sumo_ends

FOOT: Final = "pedestrian"
_NEAR_M: Final = 15.0
"""A pavement that ends farther from a crossing's end belongs to another corner."""
_CROSSED_M: Final = 8.0
"""From a crossing to the stop lines, and the beginnings, of the roads that it leads over."""
_STEEP_DEG: Final = 40.0
_HALF_M: Final = 2.0
"""Half the width of a crossing, where it says none, and of an area about its end."""
WALKING_MPS: Final = 2.78
"""SUMO's limit on ways for people on foot: nobody walks as fast."""
_BESIDE_M: Final = 1.0


@dataclass(slots=True)
class WalkingArea:
    """A corner of a node."""

    lane: str
    """Its only lane; the edge's name is that without the index."""
    points: list[Point] = field(default_factory=list)
    """What it has to reach."""
    coming: list[tuple[str, int]] = field(default_factory=list)
    """Pavements that lead to it: road and lane index."""
    leaving: list[tuple[str, int]] = field(default_factory=list)

    @property
    def edge(self) -> str:
        """The edge's name."""
        return self.lane.rpartition("_")[0]

    @property
    def shape(self) -> tuple[Point, ...]:
        """The outline: the convex hull of squares about the points."""
        return _hull(
            [
                (x + dx, y + dy)
                for x, y in self.points
                for dx in (-_HALF_M, _HALF_M)
                for dy in (-_HALF_M, _HALF_M)
            ]
        )

    @property
    def length_m(self) -> float:
        """How far people walk over it: its largest extent."""
        longest_m = max(math.dist(one, other) for one in self.points for other in self.points)
        return max(longest_m, _BESIDE_M)


def areas_of(
    junction: SignalledJunction, node: Node, roads: Sequence[Road]
) -> tuple[WalkingArea, ...]:
    """Give a node's walking areas, those of several crossings once.

    Parameters
    ----------
    junction, node
    roads : Sequence of Road
        All of the network's: their pavements at the node are bound to the nearest area.
    """
    found: dict[str, WalkingArea] = {}
    for place, movement in enumerate(junction.movements):
        if movement.node != node.name or movement.kind is not GroupKind.PEDESTRIAN:
            continue
        if not movement.path:
            continue
        ends = zip(sumo_ends(movement, place), (movement.path[0], movement.path[-1]), strict=True)
        for lane, point in ends:
            found.setdefault(lane, WalkingArea(lane)).points.append(point)
    areas = tuple(found.values())
    for road in roads if areas else ():
        for index, pavement in enumerate(road.lanes):
            if not walkable(pavement):
                continue
            if road.end == node.name:
                _bind(areas, pavement.shape[-1], (road.name, index), coming=True)
            if road.start == node.name:
                _bind(areas, pavement.shape[0], (road.name, index), coming=False)
    return areas


def walkable(lane: Lane) -> bool:
    """Whether a lane is for people on foot."""
    return FOOT in lane.allow


def crossed(movement: Movement, junction: SignalledJunction, road_of: Mapping[str, Road]) -> str:
    """Give the names of the roads that a crossing leads over: SUMO keeps people off them."""
    names: dict[str, None] = {}
    conflicts = {
        each.second if each.first == movement.name else each.first
        for each in junction.conflicts
        if movement.name in {each.first, each.second}
    }
    for each in junction.movements:
        if each.name not in conflicts or each.kind is GroupKind.PEDESTRIAN:
            continue
        for lane, point in ((each.from_lane, 0), (each.to_lane, -1)):
            way = each.path[:2] if point == 0 else each.path[-2:]
            near = _nearest_m(movement.path, each.path[point]) < _CROSSED_M
            if near and _across(movement.path, way):
                names[road_of[lane].name] = None
    return " ".join(names)


def ways_of(area: WalkingArea) -> Iterator[tuple[str, str, int, int]]:
    """Give the ways between an area and its pavements: from, to and their lanes' places."""
    for road, index in area.coming:
        yield road, area.edge, index, 0
    for road, index in area.leaving:
        yield area.edge, road, 0, index


def _bind(
    areas: Sequence[WalkingArea], point: Point, pavement: tuple[str, int], *, coming: bool
) -> None:
    def away_m(area: WalkingArea) -> float:
        return min(math.dist(point, each) for each in area.points)

    nearest = min(areas, key=away_m)
    if away_m(nearest) > _NEAR_M:
        return
    nearest.points.append(point)
    (nearest.coming if coming else nearest.leaving).append(pavement)


def _nearest_m(line: Sequence[Point], point: Point) -> float:
    return min(math.dist(each, point) for each in _along(line))


def _across(line: Sequence[Point], way: Sequence[Point]) -> bool:
    """Whether a way leads over a line rather than along it."""
    apart_deg = abs(bearing_deg(line[0], line[-1]) - bearing_deg(way[0], way[-1])) % 180.0
    return _STEEP_DEG < apart_deg < 180.0 - _STEEP_DEG


def _along(line: Sequence[Point]) -> Iterator[Point]:
    """Give points along a line, a metre apart or less."""
    for one, other in pairwise(line):
        steps = max(math.ceil(math.dist(one, other)), 1)
        for step in range(steps + 1):
            share = step / steps
            yield (one[0] + share * (other[0] - one[0]), one[1] + share * (other[1] - one[1]))


def _hull(points: Sequence[Point]) -> tuple[Point, ...]:
    """Give the convex hull (Andrew's monotone chain)."""
    ordered = sorted(set(points))

    def half(line: Sequence[Point]) -> list[Point]:
        found: list[Point] = []
        for x, y in line:
            while len(found) > 1:
                (ax, ay), (bx, by) = found[-2:]
                if (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0:
                    break
                found.pop()
            found.append((x, y))
        return found

    return (*half(ordered)[:-1], *half(ordered[::-1])[:-1])
