"""Whether a marked bay stands where one may: clearances to crossings, hydrants, blind tracks.

Each rule states its measure, where it comes from, and how sure that source is: the law binds
everywhere, a standard where the city adopted it, a default until the city states its own. What
nobody surveyed is not passed: it is `unknown`, and listed as such.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

from city.errors import Invalid
from city.places import Position
from parking.rules.places.geometry import Plane, Point, holds_point
from parking.rules.places.model import Bay
from parking.rules.places.overlaps import outline_of

Feature = Literal[
    "junction",
    "pedestrian_crossing",
    "hydrant",
    "fire_station_gate",
    "bus_stop",
    "emergency_gate",
    "fuel_station",
    "level_crossing",
    "blind_track",
    "vehicle_entrance",
    "manhole",
]
Basis = Literal["law", "standard", "default"]
Verdict = Literal["passed", "violated", "unknown"]


@dataclass(frozen=True, slots=True)
class Surveyed:
    """Something on the street that bays must keep away from: a point, or a line or outline."""

    feature: Feature
    points: tuple[Position, ...]
    name: str = ""

    def __post_init__(self) -> None:
        if not self.points:
            raise Invalid("must have a place", field="points")


@dataclass(frozen=True, slots=True)
class Pavement:
    """What is known of the pavement that a bay is marked on."""

    width_m: float
    """Between kerb and building line."""


@dataclass(frozen=True, slots=True)
class Clearance:
    """How far bays keep from a feature; 0 means: not on it."""

    feature: Feature
    least_m: float
    basis: Basis
    source: str


IMPLEMENTING_ORDER: Final = (
    "Regulation on the Implementation of the Road Traffic Safety Law (State Council Order 405), "
    "article 63"
)
BARRIER_FREE: Final = "GB 55019-2021 and GB 50763-2012: nothing may stand on a blind track"

CLEARANCES: Final[tuple[Clearance, ...]] = (
    Clearance("junction", 50.0, "law", f"{IMPLEMENTING_ORDER}(2): within 50 m of a junction"),
    Clearance("level_crossing", 50.0, "law", f"{IMPLEMENTING_ORDER}(2): within 50 m"),
    Clearance("bus_stop", 30.0, "law", f"{IMPLEMENTING_ORDER}(3): within 30 m"),
    Clearance("emergency_gate", 30.0, "law", f"{IMPLEMENTING_ORDER}(3): within 30 m"),
    Clearance("fuel_station", 30.0, "law", f"{IMPLEMENTING_ORDER}(3): within 30 m"),
    Clearance("hydrant", 30.0, "law", f"{IMPLEMENTING_ORDER}(3): within 30 m"),
    Clearance("fire_station_gate", 30.0, "law", f"{IMPLEMENTING_ORDER}(3): within 30 m"),
    Clearance("pedestrian_crossing", 5.0, "default", "city default: sight of who steps out"),
    Clearance("blind_track", 0.25, "standard", BARRIER_FREE),
    Clearance("vehicle_entrance", 1.0, "default", "city default: room to turn in"),
    Clearance("manhole", 0.0, "default", "city default: covers stay accessible"),
)
"""In force unless a city states its own. Article 63 forbids stopping there; marked bays are
parking by permission, and a city that departs from a distance states it as its own rule with its
own source, so that the departure shows."""


@dataclass(frozen=True, slots=True)
class SitingRules:
    """The measures that a check is made by."""

    clearances: tuple[Clearance, ...] = CLEARANCES
    least_walkway_m: float = 2.0
    walkway_basis: Basis = "standard"
    walkway_source: str = (
        "GB 50763-2012, pavements: a way of at least 1.5 m, 2 m in busy streets, stays free"
    )


DEFAULT_RULES: Final = SitingRules()


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule says of one bay."""

    rule: str
    verdict: Verdict
    basis: Basis
    source: str
    needed_m: float
    found_m: float | None
    """None where it is unknown."""
    about: str = ""
    """Name of the feature that is too near."""

    @property
    def short_m(self) -> float:
        """By how much it falls short; 0 where it passed or is not known."""
        if self.verdict != "violated" or self.found_m is None:
            return 0.0
        return max(0.0, self.needed_m - self.found_m)


def check_siting(
    bay: Bay,
    surveyed: Iterable[Surveyed],
    *,
    complete: Iterable[Feature] = (),
    pavement: Pavement | None = None,
    rules: SitingRules = DEFAULT_RULES,
) -> tuple[Finding, ...]:
    """Hold a bay against the rules of siting.

    Parameters
    ----------
    bay
        With its outline, or its size and bearing; of one whose middle alone is known distances
        are too long by up to half its length, so that what passes is then `unknown`.
    surveyed
        What was found around it.
    complete
        Kinds of features that were looked for everywhere around: where none was found of these,
        the rule is passed, of others it is unknown.
    pavement
        Of a bay on a pavement.
    rules
        The city's measures.

    Returns
    -------
    tuple of Finding
        One a rule, in the order of the rules.
    """
    outline = outline_of(bay)
    looked_for = frozenset(complete)
    near = list(surveyed)
    findings = [
        _clearance(bay, outline, clearance, near, looked_for) for clearance in rules.clearances
    ]
    if bay.ground == "pavement":
        findings.append(_walkway(bay, outline, pavement, rules))
    return tuple(findings)


def _clearance(
    bay: Bay,
    outline: tuple[Position, ...],
    clearance: Clearance,
    surveyed: Sequence[Surveyed],
    complete: frozenset[Feature],
) -> Finding:
    found = [
        (distance_m(bay.position, outline, each.points), each.name)
        for each in surveyed
        if each.feature == clearance.feature
    ]
    nearest = min(found, default=None)
    rule = f"{clearance.feature}_clearance"
    stated = (clearance.basis, clearance.source, clearance.least_m)
    if nearest is None:
        verdict: Verdict = "passed" if clearance.feature in complete else "unknown"
        return Finding(rule, verdict, *stated, None)
    apart_m, name = nearest
    # Not on it: touching is too near as well.
    if apart_m < clearance.least_m or apart_m == 0:
        return Finding(rule, "violated", *stated, round(apart_m, 2), name)
    sure = bool(outline) or apart_m - _reach_m(bay) >= clearance.least_m
    return Finding(rule, "passed" if sure else "unknown", *stated, round(apart_m, 2), name)


def _reach_m(bay: Bay) -> float:
    """Give how far a bay of unknown outline may reach: a coach's bay is 15 m long."""
    longest = bay.length_m or (15.0 if bay.kind in {"coach", "lorry"} else 6.0)
    return longest / 2


def _walkway(
    bay: Bay,
    outline: tuple[Position, ...],
    pavement: Pavement | None,
    rules: SitingRules,
) -> Finding:
    stated = (rules.walkway_basis, rules.walkway_source, rules.least_walkway_m)
    depth_m = bay.width_m
    if depth_m is None and outline:
        depth_m = _least_width_m(bay.position, outline)
    if pavement is None or depth_m is None:
        return Finding("walkway_width", "unknown", *stated, None)
    left_m = pavement.width_m - depth_m
    verdict: Verdict = "passed" if left_m >= rules.least_walkway_m else "violated"
    return Finding("walkway_width", verdict, *stated, round(left_m, 2))


def _least_width_m(at: Position, outline: Sequence[Position]) -> float:
    """Give the least extent of an outline over the directions of its sides."""
    plane = Plane(at)
    corners = [plane.point(each) for each in outline]
    widths = []
    for a, b in pairwise((*corners, corners[0])):
        length = math.dist(a, b)
        if length > 0:
            across = [
                ((p.x - a.x) * (b.y - a.y) - (p.y - a.y) * (b.x - a.x)) / length for p in corners
            ]
            widths.append(max(across) - min(across))
    return min(widths)


def distance_m(at: Position, outline: Sequence[Position], points: Sequence[Position]) -> float:
    """Give the shortest way from a bay to a feature, in metres; 0 where they meet.

    Parameters
    ----------
    at, outline
        The bay's middle and its corners, if they are known.
    points
        Of the feature: one, or those of a line; closed, if the last is the first.
    """
    plane = Plane(at)
    ring = [plane.point(each) for each in outline]
    sides = list(pairwise((*ring, ring[0]))) if ring else [(Point(0, 0), Point(0, 0))]
    feature = [plane.point(each) for each in points]
    legs = list(pairwise(feature)) if len(feature) > 1 else [(feature[0], feature[0])]
    if ring and any(holds_point(tuple(ring), each) for each in feature):
        return 0.0
    closed = len(feature) > 3 and feature[0] == feature[-1]  # noqa: PLR2004 - an area
    if closed and holds_point(tuple(feature[:-1]), Point(0, 0)):
        return 0.0
    return min(_apart_m(side, leg) for side in sides for leg in legs)


def _apart_m(one: tuple[Point, Point], other: tuple[Point, Point]) -> float:
    if _cross_each_other(one, other):
        return 0.0
    return min(
        _to_leg_m(one[0], other),
        _to_leg_m(one[1], other),
        _to_leg_m(other[0], one),
        _to_leg_m(other[1], one),
    )


def _to_leg_m(p: Point, leg: tuple[Point, Point]) -> float:
    a, b = leg
    dx, dy = b.x - a.x, b.y - a.y
    square = dx * dx + dy * dy
    share = 0.0 if square == 0 else ((p.x - a.x) * dx + (p.y - a.y) * dy) / square
    share = min(1.0, max(0.0, share))
    return math.hypot(p.x - a.x - share * dx, p.y - a.y - share * dy)


def _cross_each_other(one: tuple[Point, Point], other: tuple[Point, Point]) -> bool:
    def turn(o: Point, a: Point, b: Point) -> float:
        return (a.x - o.x) * (b.y - o.y) - (a.y - o.y) * (b.x - o.x)

    (a, b), (c, d) = one, other
    return turn(a, b, c) * turn(a, b, d) < 0 and turn(c, d, a) * turn(c, d, b) < 0
