"""A street through chosen junctions: its greens, and the bands that given offsets leave at a speed.

A band may begin at the first signal at second s where, driven at the given speeds, it meets every
signal's green. With greens as arcs of the cycle brought back to the first signal by the travel
time, the widest band begins at the beginning of one of them:

    width = max over beginnings s of min over signals of (end of the green around s - s)

The page draws the same rule (`web/frontend/src/signals/bands.ts`); a test holds both to the same
cases, and to `waves.ways`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from signals.rules.junctions import GroupKind
from signals.rules.life.parts import middle_of
from signals.rules.model.aspects import GREENS
from signals.rules.model.geometry import Point, bearing_deg
from signals.rules.model.junction import Movement, SignalNetwork
from signals.rules.model.plans import Programme, runs

MOST_ASKEW_DEG: Final = 100.0
"""By how much a movement may point away from the street, coming and going together."""
_TINY_S: Final = 1e-9

Arc = tuple[float, float]
"""Beginning within the cycle and length, seconds."""


@dataclass(frozen=True, slots=True)
class Direction:
    """Who goes along the street at a junction, one way."""

    group: str
    road: str
    speed_mps: float
    greens: tuple[Arc, ...]
    """From the plan's first interval, without its offset."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A junction of the street; a direction is None where nobody can drive it."""

    signal: str
    position_m: float
    cycle_s: float
    offset_s: float
    outbound: Direction | None
    inbound: Direction | None


@dataclass(frozen=True, slots=True)
class Band:
    """The widest band of a direction: when it begins at its first signal; width 0 for none."""

    width_s: float
    begin_s: float


def street(
    parts: Mapping[str, SignalNetwork], plans: Mapping[str, Programme], names: Sequence[str]
) -> tuple[Stop, ...]:
    """Give the stops of a street through junctions in their order.

    Distances are straight from junction to junction; the groups are those of the movements that
    come and go most nearly along them.
    """
    places = [middle_of(parts[name].junctions[0]) for name in names]
    along_m = [0.0]
    for here, there in pairwise(places):
        along_m.append(along_m[-1] + math.dist(here, there))
    found = []
    for number, name in enumerate(names):
        before = places[number - 1] if number else None
        after = places[number + 1] if number + 1 < len(places) else None
        here, plan = places[number], plans[name]
        found.append(
            Stop(
                name,
                along_m[number],
                plan.cycle_s,
                plan.offset_s,
                _direction(parts[name], plan, *_headings(before, here, after)),
                _direction(parts[name], plan, *_headings(after, here, before)),
            )
        )
    return tuple(found)


def common_cycle_s(stops: Sequence[Stop]) -> float | None:
    """Give the cycle in which all of a street repeats: the longest, if the others divide it."""
    longest_s = max(stop.cycle_s for stop in stops)
    for stop in stops:
        times = longest_s / stop.cycle_s
        if abs(times - round(times)) > _TINY_S:
            return None
    return longest_s


def widest(greens: Sequence[Sequence[Arc]], reach_s: Sequence[float], cycle_s: float) -> Band:
    """Give the widest band.

    Parameters
    ----------
    greens : Sequence of Sequence of Arc
        Of each signal in the order of driving, offsets included.
    reach_s : Sequence of float
        Travel time from the first signal to each.
    cycle_s : float
        Common to all.

    Notes
    -----
    Cost grows with the square of all greens.
    """
    back = [
        [((begin - away) % cycle_s, length) for begin, length in arcs]
        for arcs, away in zip(greens, reach_s, strict=True)
    ]
    best = Band(0.0, 0.0)
    for begin, _ in sorted(arc for arcs in back for arc in arcs):
        width_s = min(
            max((_left_s(arc, begin, cycle_s) for arc in arcs), default=0.0) for arcs in back
        )
        if width_s > best.width_s + _TINY_S:
            best = Band(width_s, begin)
    return best


def _left_s(arc: Arc, at_s: float, cycle_s: float) -> float:
    """Give how much of a green is left at an instant; 0 outside it."""
    begin, length = arc
    if length >= cycle_s - _TINY_S:
        return cycle_s
    into = (at_s - begin) % cycle_s
    # A whisker before its beginning is its beginning.
    if into > cycle_s - _TINY_S:
        into = 0.0
    return max(length - into, 0.0)


def bands(
    stops: Sequence[Stop], outbound_mps: float, inbound_mps: float
) -> tuple[Band, Band] | None:
    """Give the outbound and the inbound band at their speeds; None where cycles do not fit."""
    cycle_s = common_cycle_s(stops)
    if cycle_s is None:
        return None
    last_m = stops[-1].position_m
    out = _band([(s, s.outbound, s.position_m / outbound_mps) for s in stops], cycle_s)
    back = _band(
        [(s, s.inbound, (last_m - s.position_m) / inbound_mps) for s in reversed(stops)], cycle_s
    )
    return out, back


def _band(way: Sequence[tuple[Stop, Direction | None, float]], cycle_s: float) -> Band:
    greens, reach_s = [], []
    for stop, direction, away_s in way:
        if direction is None:
            return Band(0.0, 0.0)
        greens.append(shown_greens(stop, direction, cycle_s))
        reach_s.append(away_s)
    return widest(greens, reach_s, cycle_s)


def shown_greens(stop: Stop, direction: Direction, cycle_s: float) -> list[Arc]:
    """Give a direction's greens within the common cycle, by the clock that all share."""
    times = round(cycle_s / stop.cycle_s)
    if any(length >= stop.cycle_s - _TINY_S for _, length in direction.greens):
        return [(0.0, cycle_s)]
    return [
        ((begin + stop.offset_s + turn * stop.cycle_s) % cycle_s, length)
        for turn in range(times)
        for begin, length in direction.greens
    ]


def _headings(before: Point | None, here: Point, after: Point | None) -> tuple[float, float]:
    """Give the bearings in which one comes and goes; at an end both are the one that there is."""
    came = None if before is None else bearing_deg(before, here)
    goes = None if after is None else bearing_deg(here, after)
    if came is None:
        came = 0.0 if goes is None else goes
    return came, came if goes is None else goes


def _direction(
    part: SignalNetwork, plan: Programme, came_deg: float, goes_deg: float
) -> Direction | None:
    best: tuple[float, Movement] | None = None
    for movement in part.junctions[0].movements:
        if movement.kind is not GroupKind.VEHICLE:
            continue
        start, end = part.lanes[movement.from_lane].shape, part.lanes[movement.to_lane].shape
        askew = _apart_deg(bearing_deg(start[-2], start[-1]), came_deg) + _apart_deg(
            bearing_deg(end[0], end[1]), goes_deg
        )
        if askew <= MOST_ASKEW_DEG and (best is None or askew < best[0] - _TINY_S):
            best = (askew, movement)
    if best is None:
        return None
    movement = best[1]
    place = plan.groups.index(movement.group)
    found = runs(plan.intervals, place, GREENS.__contains__)
    return Direction(
        movement.group,
        part.road_of[movement.from_lane].name,
        part.lanes[movement.from_lane].speed_mps,
        tuple((run.start_s % plan.cycle_s, min(run.duration_s, plan.cycle_s)) for run in found),
    )


def _apart_deg(one: float, other: float) -> float:
    apart = abs(one - other) % 360
    return min(apart, 360 - apart)
