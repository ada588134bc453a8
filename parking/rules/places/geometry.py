"""Outlines of bays and lines of kerbs on the ground, in metres around one of their points.

Within a few hundred metres the earth is taken as flat: exact to centimetres, far below what a
marking is surveyed to.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

from city.errors import Invalid
from city.places import EARTH_RADIUS_M, Position

SAME_PLACE_M: Final = 1.0
"""Two bays of which only the middle is known, nearer than this, are one place stated twice: the
narrowest marked bay, for motorcycles, is 0.9 to 1.0 m wide."""
OVERLAP_SHARE: Final = 0.1
"""Part of the smaller bay that another may cover: neighbours share a line, and a survey errs by
some decimetres on a side of 2 to 6 m."""
SAME_KERB_M: Final = 1.0
"""Two kerb lines that run alongside each other nearer than this are the same kerb."""
ALONGSIDE_DEG: Final = 15.0
SHARED_KERB_SHARE: Final = 0.1
LEAST_SHARED_M: Final = 1.0
WEB_MERCATOR_RADIUS_M: Final = 6_378_137.0
_WEB_MERCATOR_EDGE_M: Final = math.pi * WEB_MERCATOR_RADIUS_M
_POLYGON: Final = 3


class Point(NamedTuple):
    """Metres east and north of a plane's origin."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Plane:
    """A flat piece of the earth around a position."""

    origin: Position

    def point(self, at: Position) -> Point:
        """Give a position's metres east and north of the origin."""
        parallel_m = EARTH_RADIUS_M * math.cos(math.radians(self.origin.latitude))
        return Point(
            math.radians(at.longitude - self.origin.longitude) * parallel_m,
            math.radians(at.latitude - self.origin.latitude) * EARTH_RADIUS_M,
        )

    def position(self, at: Point) -> Position:
        """Give the position of a point."""
        return self.origin.moved(at.x, at.y)


def from_web_mercator(x_m: float, y_m: float) -> Position:
    """Read a position in EPSG:3857.

    Raises
    ------
    Invalid
        Outside the projection.

    Notes
    -----
    Source: EPSG Guidance Note 7-2, method 1024 (Popular Visualisation Pseudo-Mercator).
    """
    if not (abs(x_m) <= _WEB_MERCATOR_EDGE_M and abs(y_m) <= _WEB_MERCATOR_EDGE_M):
        raise Invalid("lies outside EPSG:3857", field="geometry.coordinates")
    return Position(
        math.degrees(x_m / WEB_MERCATOR_RADIUS_M),
        math.degrees(2 * math.atan(math.exp(y_m / WEB_MERCATOR_RADIUS_M)) - math.pi / 2),
    )


def middle(points: Sequence[Position]) -> Position:
    """Give the mean of points: the centre of a small outline or of sensors in one garage."""
    return Position(
        math.fsum(each.longitude for each in points) / len(points),
        math.fsum(each.latitude for each in points) / len(points),
    )


def line_length_m(line: Sequence[Position]) -> float:
    """Give a line's length in metres."""
    plane = Plane(line[0])
    return math.fsum(math.dist(a, b) for a, b in pairwise([plane.point(each) for each in line]))


@dataclass(frozen=True, slots=True)
class OnLine:
    """A point of a line and the line's direction there, clockwise from north."""

    position: Position
    bearing_deg: float


def along(line: Sequence[Position], offset_m: float) -> OnLine:
    """Give the point of a line so many metres from its start; its ends stand for what is beyond.

    Raises
    ------
    Invalid
        Where the line has no length.
    """
    plane = Plane(line[0])
    points = [plane.point(each) for each in line]
    legs = [(a, b, length) for a, b in pairwise(points) if (length := math.dist(a, b)) > 0]
    if not legs:
        raise Invalid("must have a length", field="geometry.coordinates")
    left = max(0.0, offset_m)
    leg = 0
    while left > legs[leg][2] and leg < len(legs) - 1:
        left -= legs[leg][2]
        leg += 1
    a, b, length = legs[leg]
    share = min(1.0, left / length)
    at = Point(a.x + share * (b.x - a.x), a.y + share * (b.y - a.y))
    return OnLine(plane.position(at), bearing_deg(a, b))


def bearing_deg(a: Point, b: Point) -> float:
    """Give the direction from one point to another, 0 to below 360 degrees from north."""
    turned = math.degrees(math.atan2(b.x - a.x, b.y - a.y)) % 360
    return 0.0 if turned >= 360 else turned  # noqa: PLR2004 - of a tiny negative angle


def cut(line: Sequence[Position], from_m: float, to_m: float) -> tuple[Position, ...]:
    """Give the part of a line between two distances from its start."""
    plane = Plane(line[0])
    points = [plane.point(each) for each in line]
    inner: list[Position] = []
    run_m = 0.0
    for a, b in pairwise(points):
        run_m += math.dist(a, b)
        if from_m < run_m < to_m:
            inner.append(plane.position(b))
    return (along(line, from_m).position, *inner, along(line, to_m).position)


def laid_along(line: Sequence[Position], count: int) -> tuple[OnLine, ...]:
    """Share a line out among bays: the middle of each."""
    pitch_m = line_length_m(line) / count
    return tuple(along(line, (index + 0.5) * pitch_m) for index in range(count))


def rectangle(
    at: Position, bearing: float, length_m: float, width_m: float
) -> tuple[Position, ...]:
    """Give the corners of a bay from its middle, the direction of its length and its size."""
    turn = math.radians(bearing)
    ahead, right = (math.sin(turn), math.cos(turn)), (math.cos(turn), -math.sin(turn))
    return tuple(
        at.moved(
            l * length_m / 2 * ahead[0] + r * width_m / 2 * right[0],
            l * length_m / 2 * ahead[1] + r * width_m / 2 * right[1],
        )
        for l, r in ((1, 1), (1, -1), (-1, -1), (-1, 1))  # noqa: E741 - lengthwise, right
    )


# --- areas ---------------------------------------------------------------------------------------

Outline = tuple[Point, ...]


def area_m2(outline: Sequence[Point]) -> float:
    """Give an outline's area; positive where it runs anticlockwise."""
    return math.fsum(a.x * b.y - b.x * a.y for a, b in pairwise((*outline, outline[0]))) / 2


def shared_area_m2(a: Outline, b: Outline) -> float:
    """Give the area that two simple outlines share.

    Both are cut into triangles, whose intersections are convex; cost grows with the product of
    their corners.
    """
    return math.fsum(
        abs(area_m2(piece))
        for one in _triangles(a)
        for other in _triangles(b)
        if len(piece := _clipped(one, other)) >= _POLYGON
    )


def _triangles(outline: Outline) -> list[Outline]:
    """Cut a simple outline into triangles by its ears."""
    points = [p for p, q in pairwise((*outline, outline[0])) if p != q]
    if len(points) < _POLYGON:
        return []
    if area_m2(points) < 0:
        points.reverse()
    found: list[Outline] = []
    while len(points) > _POLYGON:
        ear = next((i for i in range(len(points)) if _is_ear(points, i)), 0)
        a, b, c = points[ear - 1], points[ear], points[(ear + 1) % len(points)]
        found.append((a, b, c))
        del points[ear]
    found.append(tuple(points))
    return found


def _cross(o: Point, a: Point, b: Point) -> float:
    return (a.x - o.x) * (b.y - o.y) - (a.y - o.y) * (b.x - o.x)


def _is_ear(points: Sequence[Point], index: int) -> bool:
    a, b, c = points[index - 1], points[index], points[(index + 1) % len(points)]
    if _cross(a, b, c) <= 0:
        return False
    return not any(
        _cross(a, b, p) > 0 and _cross(b, c, p) > 0 and _cross(c, a, p) > 0
        for p in points
        if p not in {a, b, c}
    )


def _clipped(subject: Outline, window: Outline) -> Outline:
    """Cut a convex outline by another, both anticlockwise.

    Source: Sutherland and Hodgman (1974).
    """
    kept = list(subject)
    for a, b in pairwise((*window, window[0])):
        previous, kept = kept, []
        for p, q in pairwise((*previous, previous[0])) if previous else ():
            inside_p, inside_q = _cross(a, b, p) >= 0, _cross(a, b, q) >= 0
            if inside_p:
                kept.append(p)
            if inside_p != inside_q:
                share = _cross(a, b, p) / (_cross(a, b, p) - _cross(a, b, q))
                kept.append(Point(p.x + share * (q.x - p.x), p.y + share * (q.y - p.y)))
    return tuple(kept)


def holds_point(outline: Outline, at: Point) -> bool:
    """Tell whether a point lies in an outline (even-odd rule)."""
    inside = False
    for a, b in pairwise((*outline, outline[0])):
        if (a.y > at.y) != (b.y > at.y) and at.x < a.x + (at.y - a.y) / (b.y - a.y) * (b.x - a.x):
            inside = not inside
    return inside


# --- what overlaps -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Footprint:
    """What is known of the ground that a bay takes: its outline, or its middle alone."""

    at: Position
    outline: tuple[Position, ...] = ()
    """Corners without the first one again; empty where only the middle is known."""

    @property
    def reach_m(self) -> float:
        """How far it reaches from its middle."""
        plane = Plane(self.at)
        return max((math.hypot(*plane.point(each)) for each in self.outline), default=0.0)


def overlapping(a: Footprint, b: Footprint) -> str | None:
    """Say how two bays overlap; None where they do not."""
    plane = Plane(a.at)
    one = tuple(plane.point(each) for each in a.outline)
    other = tuple(plane.point(each) for each in b.outline)
    if one and other:
        shared = shared_area_m2(one, other)
        smaller = min(abs(area_m2(one)), abs(area_m2(other)))
        if shared > OVERLAP_SHARE * smaller:
            return f"shares {shared:.1f} m2 of {smaller:.1f}"
        return None
    if one or other:
        within = holds_point(one, plane.point(b.at)) if one else holds_point(other, Point(0, 0))
        return "lies inside its outline" if within else None
    apart_m = math.hypot(*plane.point(b.at))
    return f"lies {apart_m:.1f} m away" if apart_m < SAME_PLACE_M else None


def shared_kerb_m(a: Sequence[Position], b: Sequence[Position]) -> float:
    """Give over what length two lines run along the same kerb.

    Pieces count that run alongside each other (within `ALONGSIDE_DEG`) less than `SAME_KERB_M`
    apart; direction does not matter.
    """
    plane = Plane(a[0])
    one = [plane.point(each) for each in a]
    other = [plane.point(each) for each in b]
    return math.fsum(
        _shared_leg_m(p, q, r, s) for p, q in pairwise(one) for r, s in pairwise(other)
    )


def same_kerb(a: Sequence[Position], b: Sequence[Position]) -> float | None:
    """Give the length that two kerb lines share where that is an overlap, else None."""
    shared = shared_kerb_m(a, b)
    shorter = min(line_length_m(a), line_length_m(b))
    if shared > LEAST_SHARED_M and shared > SHARED_KERB_SHARE * shorter:
        return shared
    return None


def _shared_leg_m(p: Point, q: Point, r: Point, s: Point) -> float:
    length, other = math.dist(p, q), math.dist(r, s)
    if length == 0 or other == 0:
        return 0.0
    ux, uy = (q.x - p.x) / length, (q.y - p.y) / length
    sine = abs(ux * (s.y - r.y) - uy * (s.x - r.x)) / other
    if sine > math.sin(math.radians(ALONGSIDE_DEG)):
        return 0.0
    ends = [
        ((e.x - p.x) * ux + (e.y - p.y) * uy, (e.y - p.y) * ux - (e.x - p.x) * uy) for e in (r, s)
    ]
    (t0, n0), (t1, n1) = sorted(ends)
    first, last = max(0.0, t0), min(length, t1)
    if last <= first:
        return 0.0
    half = (first + last) / 2
    aside = n0 + (n1 - n0) * (half - t0) / (t1 - t0)
    return last - first if abs(aside) < SAME_KERB_M else 0.0
