"""The one street network that parking and signals share: directed links between nodes.

Positions are WGS-84 degrees; lengths along a link are metres from its start. The search for the
nearest link treats the earth as flat around the point in question, which is exact to centimetres
within a city. Files and maps of the network are in ``street_files``.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from heapq import heappop, heappush
from itertools import pairwise
from typing import NamedTuple, TypeVar

from city.errors import Invalid, NotFound
from city.identifiers import JunctionId
from city.places import EARTH_RADIUS_M, BoundingBox, GridCell, Position, distance_m

_MIN_POINTS = 2
_MAX_LANES = 12
_MAX_SPEED_KPH = 130
_JOIN_TOLERANCE_M = 1.0
_INDEX_STEP_E6 = 2_000


class StreetClass(StrEnum):
    """Rank of a street, as in Chinese urban planning (GB/T 51328-2018), then the small ones."""

    EXPRESSWAY = "expressway"
    ARTERIAL = "arterial"
    SUB_ARTERIAL = "sub_arterial"
    LOCAL = "local"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class StreetNode:
    """Where links meet or end; a signalled one names its junction."""

    id: str
    position: Position
    junction_id: JunctionId | None = None


@dataclass(frozen=True, slots=True)
class StreetLink:
    """One direction of a street between two nodes.

    Raises
    ------
    Invalid
        On fewer than two points, a length, number of lanes or speed out of range.
    """

    id: str
    start: str
    """Node at its beginning."""
    end: str
    """Node at its end."""
    geometry: tuple[Position, ...]
    """From the start node to the end node, at least two points."""
    length_m: float
    street_class: StreetClass
    lanes: int
    speed_kph: float
    name_zh: str
    name_en: str

    def __post_init__(self) -> None:
        if len(self.geometry) < _MIN_POINTS:
            raise Invalid("must have at least two points", field="geometry")
        # Written so that NaN fails too.
        if not 0 < self.length_m < math.inf:
            raise Invalid("must be positive", field="length_m")
        if not 1 <= self.lanes <= _MAX_LANES:
            raise Invalid(f"must lie between 1 and {_MAX_LANES}", field="lanes")
        if not 0 < self.speed_kph <= _MAX_SPEED_KPH:
            raise Invalid(f"must lie above 0 and up to {_MAX_SPEED_KPH}", field="speed_kph")

    @property
    def travel_time_s(self) -> float:
        """Seconds from end to end at the permitted speed."""
        return self.length_m * 3.6 / self.speed_kph

    def name(self, language: str) -> str:
        """Give the name in ``zh`` or ``en``; any other language reads the English one."""
        return self.name_zh if language == "zh" else self.name_en

    def point(self, offset_m: float) -> Position:
        """Give the point so many metres from the start; the ends stand for what lies beyond."""
        legs = [distance_m(a, b) for a, b in _legs(self.geometry)]
        left = max(0.0, min(1.0, offset_m / self.length_m)) * sum(legs)
        for (a, b), leg_m in zip(_legs(self.geometry), legs, strict=True):
            if left <= leg_m and leg_m > 0:
                share = left / leg_m
                return Position(
                    a.longitude + share * (b.longitude - a.longitude),
                    a.latitude + share * (b.latitude - a.latitude),
                )
            left -= leg_m
        return self.geometry[-1]


@dataclass(frozen=True, slots=True)
class Route:
    """Links in driving order; none where start and end are the same node."""

    links: tuple[StreetLink, ...]
    travel_time_s: float
    length_m: float


@dataclass(frozen=True, slots=True)
class Projection:
    """The point of a link that lies closest to somewhere."""

    link: StreetLink
    position: Position
    offset_m: float
    """Metres from the link's start."""
    distance_m: float
    """Metres from where it was asked for."""


_Named = TypeVar("_Named", StreetNode, StreetLink)


class StreetNetwork:
    """Nodes and directed links, indexed for routes and for the nearest link; immutable.

    Parameters
    ----------
    nodes : Iterable of StreetNode
    links : Iterable of StreetLink

    Raises
    ------
    Invalid
        On an identifier used twice, a link from or to an unknown node, or a geometry that begins
        or ends more than a metre off its node.

    Notes
    -----
    Building costs time and memory in proportion to the points of all links.
    """

    __slots__ = ("_cells", "_leaving", "_links", "_nodes", "_reach")

    def __init__(self, nodes: Iterable[StreetNode], links: Iterable[StreetLink]) -> None:
        self._nodes = _unique(nodes, "nodes")
        self._links = _unique(links, "links")
        self._leaving: dict[str, list[StreetLink]] = {name: [] for name in self._nodes}
        self._cells: dict[GridCell, list[tuple[StreetLink, int]]] = {}
        for link in self._links.values():
            self._join(link)
            self._index(link)
        self._reach = _reach(self._cells)

    @property
    def nodes(self) -> Mapping[str, StreetNode]:
        """Nodes by identifier, in the order given."""
        return self._nodes

    @property
    def links(self) -> Mapping[str, StreetLink]:
        """Links by identifier, in the order given."""
        return self._links

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, StreetNetwork):
            return NotImplemented
        return self._nodes == other._nodes and self._links == other._links

    __hash__ = None  # type: ignore[assignment] # large and compared by value: never a key

    def leaving(self, node: str) -> tuple[StreetLink, ...]:
        """Give the links that begin at a node; NotFound where there is no such node."""
        return tuple(self._leaving[self._known(node)])

    def junctions(self) -> dict[JunctionId, StreetNode]:
        """Give the signalled nodes by junction."""
        return {
            node.junction_id: node for node in self._nodes.values() if node.junction_id is not None
        }

    def route(self, start: str, end: str) -> Route:
        """Give the fastest way between two nodes at permitted speeds.

        Raises
        ------
        NotFound
            Where a node does not exist, or no way leads there.

        Notes
        -----
        Source: Dijkstra (1959), with a binary heap: O((nodes + links) log nodes). Equal times are
        decided by node identifier, so that the answer does not depend on memory addresses.
        """
        self._known(start)
        self._known(end)
        best_s = {start: 0.0}
        came: dict[str, StreetLink] = {}
        done: set[str] = set()
        queue = [(0.0, start)]
        while queue:
            time_s, node = heappop(queue)
            if node == end:
                return _walked_back(came, start, end)
            if node in done:
                continue
            done.add(node)
            for link in self._leaving[node]:
                reached_s = time_s + link.travel_time_s
                if reached_s < best_s.get(link.end, math.inf):
                    best_s[link.end] = reached_s
                    came[link.end] = link
                    heappush(queue, (reached_s, link.end))
        raise NotFound("no way leads there", field="end")

    def nearest(self, at: Position, within_m: float = math.inf) -> Projection | None:
        """Give the closest point of any link; None where none lies within the distance.

        Of the two directions of one street the one with the smaller identifier is given.
        Searches the index in growing rings, so it costs what is near, not what there is.
        """
        centre = GridCell.of(at, _INDEX_STEP_E6)
        plane = _Plane(at)
        best: Projection | None = None
        limit_m = within_m
        for ring, cells in _rings(centre, self._reach):
            # Whatever lies in this ring is at least (ring - 1) cells away.
            if (ring - 1) * plane.narrow_side_m > limit_m:
                break
            for link, leg in (entry for cell in cells for entry in self._cells.get(cell, ())):
                found = plane.project(link, leg)
                if found.distance_m > limit_m:
                    continue
                if best is None or (found.distance_m, link.id) < (best.distance_m, best.link.id):
                    best, limit_m = found, found.distance_m
        return best

    def box(self) -> BoundingBox:
        """Give the outline of all geometry; Invalid where there is none."""
        points = [point for link in self._links.values() for point in link.geometry]
        points += [node.position for node in self._nodes.values()]
        if not points:
            raise Invalid("an empty network has no outline", field="nodes")
        longitudes = [point.longitude for point in points]
        latitudes = [point.latitude for point in points]
        return BoundingBox(min(longitudes), min(latitudes), max(longitudes), max(latitudes))

    def _known(self, node: str) -> str:
        if node not in self._nodes:
            raise NotFound("is no node of the network", field="node", node=node)
        return node

    def _join(self, link: StreetLink) -> None:
        for name, point in ((link.start, link.geometry[0]), (link.end, link.geometry[-1])):
            node = self._nodes.get(name)
            if node is None:
                raise Invalid(f"runs to an unknown node {name}", field=f"links.{link.id}")
            if distance_m(node.position, point) > _JOIN_TOLERANCE_M:
                raise Invalid(f"does not reach its node {name}", field=f"links.{link.id}")
        self._leaving[link.start].append(link)

    def _index(self, link: StreetLink) -> None:
        for leg, (a, b) in enumerate(_legs(link.geometry)):
            first, last = GridCell.of(a, _INDEX_STEP_E6), GridCell.of(b, _INDEX_STEP_E6)
            for column in range(min(first.column, last.column), max(first.column, last.column) + 1):
                for row in range(min(first.row, last.row), max(first.row, last.row) + 1):
                    cell = GridCell(column, row, _INDEX_STEP_E6)
                    self._cells.setdefault(cell, []).append((link, leg))


class _Plane:
    """The earth around a point, flat: metres east and north of it."""

    __slots__ = ("_at", "_east_m", "_north_m")

    def __init__(self, at: Position) -> None:
        self._at = at
        self._north_m = math.radians(1) * EARTH_RADIUS_M
        self._east_m = self._north_m * math.cos(math.radians(at.latitude))

    @property
    def narrow_side_m(self) -> float:
        """Shorter side of a cell of the index."""
        return min(self._east_m, self._north_m) * _INDEX_STEP_E6 / 1e6

    def project(self, link: StreetLink, leg: int) -> Projection:
        """Give the point of one leg of a link that lies closest to the plane's origin."""
        a, b = link.geometry[leg], link.geometry[leg + 1]
        ax, ay = self._flat(a)
        dx, dy = self._flat(b)
        dx, dy = dx - ax, dy - ay
        square = dx * dx + dy * dy
        share = 0.0 if square == 0 else max(0.0, min(1.0, -(ax * dx + ay * dy) / square))
        position = Position(
            a.longitude + share * (b.longitude - a.longitude),
            a.latitude + share * (b.latitude - a.latitude),
        )
        legs_m = [distance_m(*ends) for ends in _legs(link.geometry)]
        drawn_m = sum(legs_m)
        along = (sum(legs_m[:leg]) + share * legs_m[leg]) / drawn_m if drawn_m > 0 else 0.0
        away_m = math.hypot(ax + share * dx, ay + share * dy)
        return Projection(link, position, along * link.length_m, away_m)

    def _flat(self, point: Position) -> tuple[float, float]:
        return (
            (point.longitude - self._at.longitude) * self._east_m,
            (point.latitude - self._at.latitude) * self._north_m,
        )


class _Reach(NamedTuple):
    """The cells in use, as a box of columns and rows."""

    west: int
    south: int
    east: int
    north: int


def _reach(cells: Iterable[GridCell]) -> _Reach | None:
    used = list(cells)
    if not used:
        return None
    columns, rows = [cell.column for cell in used], [cell.row for cell in used]
    return _Reach(min(columns), min(rows), max(columns), max(rows))


def _rings(centre: GridCell, reach: _Reach | None) -> Iterator[tuple[int, Iterator[GridCell]]]:
    """Give the cells in use around a cell, ring by ring outwards, from the first ring with any."""
    if reach is None:
        return
    beside = max(reach.west - centre.column, centre.column - reach.east)
    above = max(reach.south - centre.row, centre.row - reach.north)
    furthest = max(
        abs(centre.column - reach.west),
        abs(centre.column - reach.east),
        abs(centre.row - reach.south),
        abs(centre.row - reach.north),
    )
    for ring in range(max(0, beside, above), furthest + 1):
        yield ring, _ring(centre, ring, reach)


def _ring(centre: GridCell, ring: int, reach: _Reach) -> Iterator[GridCell]:
    west, east = centre.column - ring, centre.column + ring
    south, north = centre.row - ring, centre.row + ring
    for column in range(max(west, reach.west), min(east, reach.east) + 1):
        rows: Iterable[int] = {south, north}
        if column in {west, east}:
            rows = range(max(south, reach.south), min(north, reach.north) + 1)
        for row in rows:
            yield GridCell(column, row, _INDEX_STEP_E6)


def _legs(points: tuple[Position, ...]) -> Iterator[tuple[Position, Position]]:
    return pairwise(points)


def _unique(things: Iterable[_Named], field: str) -> dict[str, _Named]:
    """Key things by their identifier; Invalid where two share one."""
    found: dict[str, _Named] = {}
    for thing in things:
        if thing.id in found:
            raise Invalid(f"holds {thing.id} twice", field=field)
        found[thing.id] = thing
    return found


def _walked_back(came: Mapping[str, StreetLink], start: str, end: str) -> Route:
    links = []
    node = end
    while node != start:
        link = came[node]
        links.append(link)
        node = link.start
    links.reverse()
    return Route(
        tuple(links),
        sum(link.travel_time_s for link in links),
        sum(link.length_m for link in links),
    )
