"""Plane geometry of the ways through a junction: metres, x to the east, y to the north."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

Point = tuple[float, float]

_FULL_TURN_DEG: Final = 360.0
_TINY: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Meeting:
    """Where two ways come together, as distances along each from its start."""

    crosses: bool
    """The lines share a point; where False they only come close."""
    first_m: tuple[float, float]
    """First and last shared point along the first line; the closest point where there is none."""
    second_m: tuple[float, float]
    apart_m: float
    """Least distance of the lines; 0 where they share a point."""


def length_m(line: Sequence[Point]) -> float:
    """Give the length of a line."""
    return sum(math.dist(line[place - 1], line[place]) for place in range(1, len(line)))


def joined(lines: Sequence[Sequence[Point]]) -> tuple[Point, ...]:
    """Give one line of several that follow each other, points shared by neighbours once."""
    points: list[Point] = []
    for line in lines:
        for point in line:
            if not points or math.dist(points[-1], point) > _TINY:
                points.append(point)
    return tuple(points)


def bearing_deg(start: Point, end: Point) -> float:
    """Give the direction from one point to another, clockwise from north, 0 up to 360."""
    angle_deg = math.degrees(math.atan2(end[0] - start[0], end[1] - start[1]))
    return angle_deg % _FULL_TURN_DEG


def turn_deg(line: Sequence[Point]) -> float:
    """Give by how much a line turns from its start to its end, -180 to 180, right positive."""
    start_deg = bearing_deg(line[0], line[1])
    end_deg = bearing_deg(line[-2], line[-1])
    return (end_deg - start_deg + 180.0) % _FULL_TURN_DEG - 180.0


def meeting(first: Sequence[Point], second: Sequence[Point]) -> Meeting:
    """Find where two lines meet, or come closest.

    Parameters
    ----------
    first, second : Sequence of Point
        Lines of at least two points.

    Returns
    -------
    Meeting

    Notes
    -----
    Cost grows with the product of their segments. Lines that touch share a point.
    """
    shared: list[tuple[float, float]] = []
    closest = (math.inf, 0.0, 0.0)
    reached_m = 0.0
    for a, b in pairwise(first):
        gone_m = 0.0
        here_m = math.dist(a, b)
        for c, d in pairwise(second):
            there_m = math.dist(c, d)
            cut = _cut(a, b, c, d)
            if cut is not None:
                shared.append((reached_m + cut[0] * here_m, gone_m + cut[1] * there_m))
            elif not shared:
                closest = min(closest, *_near(a, b, c, d, reached_m=reached_m, gone_m=gone_m))
            gone_m += there_m
        reached_m += here_m
    if shared:
        ones = [pair[0] for pair in shared]
        others = [pair[1] for pair in shared]
        return Meeting(True, (min(ones), max(ones)), (min(others), max(others)), 0.0)  # noqa: FBT003 - the first member says what it is
    apart_m, one_m, other_m = closest
    return Meeting(False, (one_m, one_m), (other_m, other_m), apart_m)  # noqa: FBT003 - as above


def _cut(a: Point, b: Point, c: Point, d: Point) -> tuple[float, float] | None:
    """Give the shares of both segments at which they cut; None where they do not."""
    ux, uy = b[0] - a[0], b[1] - a[1]
    vx, vy = d[0] - c[0], d[1] - c[1]
    wx, wy = c[0] - a[0], c[1] - a[1]
    cross = ux * vy - uy * vx
    if abs(cross) < _TINY:
        return None
    along = (wx * vy - wy * vx) / cross
    other = (wx * uy - wy * ux) / cross
    if -_TINY <= along <= 1 + _TINY and -_TINY <= other <= 1 + _TINY:
        return min(max(along, 0.0), 1.0), min(max(other, 0.0), 1.0)
    return None


def _near(
    a: Point, b: Point, c: Point, d: Point, *, reached_m: float, gone_m: float
) -> list[tuple[float, float, float]]:
    """Give the distances of each end to the other segment, with the places along both lines."""
    here_m, there_m = math.dist(a, b), math.dist(c, d)
    found = []
    for point, place_m in ((a, reached_m), (b, reached_m + here_m)):
        apart_m, share = _to_segment(point, c, d)
        found.append((apart_m, place_m, gone_m + share * there_m))
    for point, place_m in ((c, gone_m), (d, gone_m + there_m)):
        apart_m, share = _to_segment(point, a, b)
        found.append((apart_m, reached_m + share * here_m, place_m))
    return found


def _to_segment(point: Point, a: Point, b: Point) -> tuple[float, float]:
    ux, uy = b[0] - a[0], b[1] - a[1]
    square = ux * ux + uy * uy
    if square < _TINY:
        return math.dist(point, a), 0.0
    share = ((point[0] - a[0]) * ux + (point[1] - a[1]) * uy) / square
    share = min(max(share, 0.0), 1.0)
    return math.dist(point, (a[0] + share * ux, a[1] + share * uy)), share
