"""How long from door to door: driving to a bay, then walking from it, along the street network.

A place is put on the street nearest to it; driving follows the links' directions, walking goes
both ways and not on expressways. Without a network, or off it, straight lines lengthened by a
usual detour stand in, and the answer says so.
"""

import math
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import pairwise
from typing import Final, Literal, NamedTuple

from city.places import EARTH_RADIUS_M, Position, distance_m
from city.streets import StreetClass, StreetLink, StreetNetwork

WALK_M_PER_S: Final = 1.2
DETOUR: Final = 1.3
"""Streets are longer than the straight line by about this factor."""
DRIVING_SHARE: Final = 0.6
"""Speed over a trip beside what is permitted, junctions included, as urban trips show."""
STRAIGHT_DRIVE_KPH: Final = 22.0
"""Of a drive whose streets are not known."""
OFF_STREET_M: Final = 250.0
"""A place further from any street is not put on one."""
FURTHEST_FACTOR: Final = 4.0
SLACK_M: Final = 1_500.0
"""A search gives up at so many times the straight line and so much more."""
CELL_M: Final = 150.0
TIE_M: Final = 1e-6
MOST_SNAPS: Final = 200_000
MOST_SEARCHES: Final = 256

Basis = Literal["streets", "straight line"]


@dataclass(frozen=True, slots=True)
class Way:
    """How far and how long, and from what that is known."""

    length_m: float
    time_s: float
    basis: Basis


@dataclass(frozen=True, slots=True)
class Snap:
    """A place put on a street: the link, how far along it, and how far off, in metres."""

    link: StreetLink
    offset_m: float
    distance_m: float


def straight_walk(a: Position, b: Position) -> Way:
    """Give a walk whose streets are not known."""
    length_m = DETOUR * distance_m(a, b)
    return Way(length_m, length_m / WALK_M_PER_S, "straight line")


def straight_drive(a: Position, b: Position) -> Way:
    """Give a drive whose streets are not known."""
    length_m = DETOUR * distance_m(a, b)
    return Way(length_m, length_m * 3.6 / STRAIGHT_DRIVE_KPH, "straight line")


class Travel:
    """Walks and drives on one network. Threads share one.

    Parameters
    ----------
    network
        The streets; None where none are known.

    Notes
    -----
    Building costs as the links. A search costs as the streets nearer than its furthest target;
    the last ones are kept, since drivers ask for the same destinations.
    """

    def __init__(self, network: StreetNetwork | None) -> None:
        self._snaps: dict[Position, Snap | None] = {}
        self._kerbs = None if network is None else _Kerbs(network)
        self._walking: dict[str, list[tuple[str, float]]] = {}
        self._driving: dict[str, list[tuple[str, float]]] = {}
        self._twins: dict[str, StreetLink] = {}
        self._found: OrderedDict[tuple[str, Position], _Search] = OrderedDict()
        if network is not None:
            self._build(network)

    def walks(self, to: Position, places: Sequence[Position]) -> list[Way]:
        """Give the walk from each place to a destination."""
        goal = self._snap(to)
        if goal is None:
            return [straight_walk(each, to) for each in places]
        search = self._search("walk", to, self._walking, self._foot_starts(goal))
        best = search.reach(
            [node for each in places for node in self._ends(each)],
            max((distance_m(each, to) for each in places), default=0.0) * FURTHEST_FACTOR + SLACK_M,
        )
        return [self._walk(best, goal, to, each) for each in places]

    def drives(self, origin: Position, places: Sequence[Position]) -> list[Way]:
        """Give the drive from an origin to each place; its time is at a share of what is permitted.

        Only times are searched for: the length is that of the straight line with a detour.
        """
        start = self._snap(origin)
        if start is None:
            return [straight_drive(origin, each) for each in places]
        search = self._search("drive", origin, self._driving, self._car_starts(start))
        furthest_m = max((distance_m(each, origin) for each in places), default=0.0)
        best = search.reach(
            [node for each in places for node in self._ends(each)],
            (furthest_m * FURTHEST_FACTOR + SLACK_M) * 3.6 / (STRAIGHT_DRIVE_KPH * DRIVING_SHARE),
        )
        return [self._drive(best, start, origin, each) for each in places]

    def _build(self, network: StreetNetwork) -> None:
        by_ends = {(link.start, link.end): link for link in network.links.values()}
        for link in network.links.values():
            self._driving.setdefault(link.start, []).append((link.end, link.travel_time_s))
            twin = by_ends.get((link.end, link.start))
            if twin is not None:
                self._twins[link.id] = twin
            if link.street_class is not StreetClass.EXPRESSWAY:
                self._walking.setdefault(link.start, []).append((link.end, link.length_m))
                self._walking.setdefault(link.end, []).append((link.start, link.length_m))

    def _snap(self, at: Position) -> Snap | None:
        if self._kerbs is None:
            return None
        if at not in self._snaps:
            if len(self._snaps) >= MOST_SNAPS:
                self._snaps = {}
            self._snaps[at] = self._kerbs.nearest(at)
        return self._snaps[at]

    def _ends(self, place: Position) -> tuple[str, ...]:
        snap = self._snap(place)
        return () if snap is None else (snap.link.start, snap.link.end)

    def _search(
        self,
        kind: str,
        at: Position,
        graph: Mapping[str, list[tuple[str, float]]],
        starts: Mapping[str, float],
    ) -> "_Search":
        key = (kind, at)
        found = self._found.pop(key, None)
        if found is None:
            found = _Search(graph, starts)
        self._found[key] = found
        while len(self._found) > MOST_SEARCHES:
            self._found.popitem(last=False)
        return found

    def _foot_starts(self, goal: Snap) -> dict[str, float]:
        off = DETOUR * goal.distance_m
        link = goal.link
        return {link.start: off + goal.offset_m, link.end: off + link.length_m - goal.offset_m}

    def _car_starts(self, start: Snap) -> dict[str, float]:
        link, share = start.link, start.offset_m / start.link.length_m
        starts = {link.end: (1.0 - share) * link.travel_time_s}
        twin = self._twins.get(link.id)
        if twin is not None:
            starts[link.start] = share * twin.travel_time_s
        return starts

    def _walk(self, best: Mapping[str, float], goal: Snap, to: Position, place: Position) -> Way:
        snap = self._snap(place)
        if snap is None:
            return straight_walk(place, to)
        link = snap.link
        reached = [
            best.get(link.start, math.inf) + snap.offset_m,
            best.get(link.end, math.inf) + link.length_m - snap.offset_m,
        ]
        if link.id == goal.link.id:
            reached.append(DETOUR * goal.distance_m + abs(snap.offset_m - goal.offset_m))
        length_m = min(reached) + DETOUR * snap.distance_m
        if not math.isfinite(length_m):
            return straight_walk(place, to)
        # Never shorter than the straight line: both ends may lie on the same side of a wide street.
        length_m = max(length_m, distance_m(place, to))
        return Way(length_m, length_m / WALK_M_PER_S, "streets")

    def _drive(
        self, best: Mapping[str, float], start: Snap, origin: Position, place: Position
    ) -> Way:
        snap = self._snap(place)
        straight = straight_drive(origin, place)
        if snap is None:
            return straight
        link, share = snap.link, snap.offset_m / snap.link.length_m
        reached = [best.get(link.start, math.inf) + share * link.travel_time_s]
        twin = self._twins.get(link.id)
        if twin is not None:
            reached.append(best.get(link.end, math.inf) + (1.0 - share) * twin.travel_time_s)
        if link.id == start.link.id:
            ahead = snap.offset_m - start.offset_m
            if ahead >= 0:
                reached.append(ahead / link.length_m * link.travel_time_s)
            elif twin is not None:
                reached.append(-ahead / link.length_m * twin.travel_time_s)
        time_s = min(reached)
        if not math.isfinite(time_s):
            return straight
        return Way(straight.length_m, time_s / DRIVING_SHARE, "streets")


class _Leg(NamedTuple):
    """A straight piece of a link, in metres from the network's corner."""

    x_m: float
    y_m: float
    dx_m: float
    dy_m: float
    square_m2: float
    link: StreetLink
    before_m: float
    length_m: float
    """Of the link, between the piece's ends; as `before_m`, in the link's own length."""


class _Kerbs:
    """Links' pieces by squares of `CELL_M`, laid flat once: a look-up is arithmetic alone.

    The earth is taken as flat over the network, which shifts a place by less than a metre within
    20 km of its middle. Of the two directions of a street the link with the smaller identifier is
    found.
    """

    def __init__(self, network: StreetNetwork) -> None:
        points = [node.position for node in network.nodes.values()]
        middle = sum(each.latitude for each in points) / max(1, len(points))
        self._north_m = math.radians(1) * EARTH_RADIUS_M
        self._east_m = self._north_m * math.cos(math.radians(middle))
        self._cells: dict[tuple[int, int], list[_Leg]] = {}
        for link in sorted(network.links.values(), key=lambda each: each.id):
            self._add(link)

    def nearest(self, at: Position) -> Snap | None:
        """Give the nearest street within `OFF_STREET_M`; costs what lies in a few squares."""
        x_m, y_m = self._flat(at)
        column, row = int(x_m // CELL_M), int(y_m // CELL_M)
        best: Snap | None = None
        limit_m = OFF_STREET_M
        for ring in range(math.ceil(OFF_STREET_M / CELL_M) + 1):
            if (ring - 1) * CELL_M > limit_m:
                break
            for leg in self._ring(column, row, ring):
                share = 0.0
                if leg.square_m2 > 0:
                    along = (x_m - leg.x_m) * leg.dx_m + (y_m - leg.y_m) * leg.dy_m
                    share = min(1.0, max(0.0, along / leg.square_m2))
                away_m = math.hypot(
                    leg.x_m + share * leg.dx_m - x_m, leg.y_m + share * leg.dy_m - y_m
                )
                if away_m < limit_m - TIE_M:
                    best = Snap(leg.link, leg.before_m + share * leg.length_m, away_m)
                    limit_m = away_m
        return best

    def _ring(self, column: int, row: int, ring: int) -> Iterator[_Leg]:
        for x in range(column - ring, column + ring + 1):
            whole = abs(x - column) == ring
            for y in range(row - ring, row + ring + 1) if whole else {row - ring, row + ring}:
                yield from self._cells.get((x, y), ())

    def _add(self, link: StreetLink) -> None:
        flat = [self._flat(each) for each in link.geometry]
        drawn = [math.dist(a, b) for a, b in pairwise(flat)]
        stretch = link.length_m / (sum(drawn) or 1.0)
        before_m = 0.0
        for (a, b), drawn_m in zip(pairwise(flat), drawn, strict=True):
            dx_m, dy_m = b[0] - a[0], b[1] - a[1]
            length_m = drawn_m * stretch
            leg = _Leg(*a, dx_m, dy_m, dx_m**2 + dy_m**2, link, before_m, length_m)
            columns = sorted((int(a[0] // CELL_M), int(b[0] // CELL_M)))
            rows = sorted((int(a[1] // CELL_M), int(b[1] // CELL_M)))
            for column in range(columns[0], columns[1] + 1):
                for row in range(rows[0], rows[1] + 1):
                    self._cells.setdefault((column, row), []).append(leg)
            before_m += length_m

    def _flat(self, at: Position) -> tuple[float, float]:
        return at.longitude * self._east_m, at.latitude * self._north_m


class _Search:
    """Dijkstra's search from one place, gone on with as further targets are asked for."""

    def __init__(
        self, graph: Mapping[str, list[tuple[str, float]]], starts: Mapping[str, float]
    ) -> None:
        self._graph = graph
        queue = sorted((cost, node) for node, cost in starts.items())
        # One attribute, replaced as a whole: threads that share a search see it before or after.
        self._state: tuple[list[tuple[float, str]], dict[str, float], dict[str, float]] = (
            queue,
            dict(starts),
            {},
        )

    def reach(self, targets: Iterable[str], limit: float) -> dict[str, float]:
        """Give the costs of all that is settled once every target is, or a limit is reached."""
        queue, reached, best = self._state
        waiting = {node for node in targets if node not in best}
        if not waiting or not queue or queue[0][0] > limit:
            return best
        queue, reached, best = list(queue), dict(reached), dict(best)
        while waiting and queue and queue[0][0] <= limit:
            cost, node = heappop(queue)
            if node in best:
                continue
            best[node] = cost
            waiting.discard(node)
            for end, length in self._graph.get(node, ()):
                found = cost + length
                if found < reached.get(end, math.inf):
                    reached[end] = found
                    heappush(queue, (found, end))
        self._state = (queue, reached, best)
        return best
