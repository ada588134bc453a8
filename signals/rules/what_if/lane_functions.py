"""Other functions of a junction's lanes: which there are, and the junction with them.

A way is a turn into a road. Seen from the kerb to the middle, an approach's lanes serve its ways in
their order from right to left, neighbours may share one, and none crosses another: so two lanes
never cut each other off. U-turns stay with the lane nearest to the middle.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from city.errors import Invalid
from signals.rules.junctions import GroupKind
from signals.rules.model.conflicts import conflicts_by_geometry
from signals.rules.model.geometry import Point, length_m
from signals.rules.model.junction import (
    LEFTS,
    RIGHTS,
    Conflict,
    Lane,
    Movement,
    PathPiece,
    Road,
    SignalledJunction,
    SignalNetwork,
    Turn,
)

MOST_LANES: Final = 6
"""Approaches with more lanes are left as they are: choices grow with a power of the lanes."""
_FROM_RIGHT: Final = (
    Turn.RIGHT,
    Turn.PARTIAL_RIGHT,
    Turn.STRAIGHT,
    Turn.PARTIAL_LEFT,
    Turn.LEFT,
    Turn.U_TURN,
)
_PULL: Final = 0.4
"""How far a drawn way keeps its first and its last direction, of the distance between its ends."""
_POINTS: Final = 9
_CLEAR_M: Final = 2.0
"""Between who waits and the way that is let pass: half a lane."""
_ROOM_M: Final = 4.0
"""Less inside the junction is no place to wait in."""


@dataclass(frozen=True, slots=True)
class Way:
    """A turn out of an approach into a road."""

    turn: Turn
    to_road: str


Functions = tuple[tuple[Way, ...], ...]
"""The ways of each lane of an approach, from the kerb to the middle."""


def car_lanes(junction: SignalledJunction, road: Road) -> tuple[Lane, ...]:
    """Give an approach's lanes out of which vehicles go, from the kerb to the middle."""
    used = {each.from_lane for each in junction.movements if each.kind is GroupKind.VEHICLE}
    return tuple(lane for lane in road.lanes if lane.name in used)


def functions_of(network: SignalNetwork, junction: SignalledJunction, road: Road) -> Functions:
    """Give the functions that an approach's lanes have."""
    return tuple(
        tuple(
            dict.fromkeys(
                _way(network, each)
                for each in junction.movements
                if each.from_lane == lane.name and each.kind is GroupKind.VEHICLE
            )
        )
        for lane in car_lanes(junction, road)
    )


def choices_of(
    network: SignalNetwork, junction: SignalledJunction, road: Road
) -> Iterator[Functions]:
    """Give every other choice of functions that an approach's lanes can have.

    A way has no more lanes than the road that it leads into, and every way that there is keeps at
    least one. Nothing where the approach has one lane, more than `MOST_LANES`, or lanes that
    already cut each other off.
    """
    now = functions_of(network, junction, road)
    ways = ways_of(network, junction, road)
    back = tuple(way for way in ways if way.turn is Turn.U_TURN)
    ways = tuple(way for way in ways if way.turn is not Turn.U_TURN)
    if not 1 < len(now) <= MOST_LANES or not ways or not _in_order(now, ways):
        return
    room = {way: len(_receiving(network, way.to_road)) for way in ways}
    for found in _spread(len(now), len(ways)):
        chosen = tuple(ways[first : last + 1] for first, last in found)
        chosen = (*chosen[:-1], (*chosen[-1], *back))
        lanes = {way: sum(way in each for each in chosen) for way in ways}
        fits = all(count <= max(room[way], 1) for way, count in lanes.items())
        if fits and not _same(chosen, now):
            yield chosen


def with_functions(
    network: SignalNetwork,
    junction: SignalledJunction,
    functions: Mapping[str, Functions],
) -> SignalledJunction:
    """Give a junction whose lanes have other functions.

    Parameters
    ----------
    network : SignalNetwork
    junction : SignalledJunction
    functions : Mapping
        By approach; the others keep theirs.

    Returns
    -------
    SignalledJunction
        Every vehicle's way is drawn anew, also where nothing changes, so that two choices differ
        in their functions alone; each has a signal group for every way of an approach, with the
        lamps of the group that it had. Bicycles and people keep theirs.
    """
    kept = [each for each in junction.movements if each.kind is not GroupKind.VEHICLE]
    names = {each.group for each in kept}
    groups = [each for each in junction.groups if each.name in names]
    lamps = {each.name: each for each in junction.groups}
    movements: list[Movement] = []
    for road in network.approaches(junction):
        lanes = car_lanes(junction, road)
        if not lanes:
            continue
        chosen = functions.get(road.name) or functions_of(network, junction, road)
        for way in ways_of(network, junction, road):
            mine = [lane for lane, ways in zip(lanes, chosen, strict=True) if way in ways]
            before = _of_way(network, junction, road, way)
            name = _free(f"{road.name}:{way.turn.value}:{way.to_road}", {g.name for g in groups})
            groups.append(replace(lamps[before[0].group], name=name))
            for lane, goal in zip(mine, _goals(network, mine, way), strict=True):
                place = len(movements)
                movements.append(_movement(before, lane, goal, name, place))
    every = (*kept, *movements)
    conflicts = conflicts_by_geometry(
        every, lambda lane: network.road_of[lane].name, lambda movement: movement.path
    )
    waits_m = _waits_m(conflicts)
    parted = tuple(
        _parted(each, waits_m.get(each.name)) if each.turn in LEFTS else each for each in every
    )
    return replace(junction, groups=tuple(groups), movements=parted, conflicts=conflicts)


def network_with(network: SignalNetwork, junction: SignalledJunction) -> SignalNetwork:
    """Give the network with one junction in its new form."""
    return replace(
        network,
        junctions=tuple(
            junction if each.name == junction.name else each for each in network.junctions
        ),
    )


def checked_functions(
    network: SignalNetwork, junction: SignalledJunction, road: Road, wanted: Functions
) -> Functions:
    """Give wanted functions of an approach's lanes, if lanes can have them.

    Raises
    ------
    Invalid
        On another number of lanes, a lane for nobody, a turn that there is not, one that no lane
        serves or more lanes than the road has that it leads into, lanes that cut each other off,
        or a U-turn from another lane than the one nearest to the middle.
    """
    now = functions_of(network, junction, road)
    ways = ways_of(network, junction, road)
    if len(wanted) != len(now):
        raise Invalid(f"must say what its {len(now)} lanes are for", field=road.name)
    for number, lane in enumerate(wanted, 1):
        if not lane or len(set(lane)) < len(lane):
            raise Invalid(f"lane {number} must serve a turn, each once", field=road.name)
        if not set(lane) <= set(ways):
            raise Invalid(f"lane {number} serves a turn that there is not", field=road.name)
    for way in ways:
        lanes = sum(way in lane for lane in wanted)
        if not lanes:
            raise Invalid(f"no lane serves {way.turn.value} to {way.to_road}", field=road.name)
        if lanes > most_lanes(network, now, way):
            raise Invalid(f"{way.to_road} has fewer lanes than lead into it", field=road.name)
    if any(way.turn is Turn.U_TURN for lane in wanted[:-1] for way in lane):
        raise Invalid("U-turns stay with the lane nearest to the middle", field=road.name)
    if not _in_order(wanted, [way for way in ways if way.turn is not Turn.U_TURN]):
        raise Invalid("its lanes cut each other off", field=road.name)
    return wanted


def most_lanes(network: SignalNetwork, now: Functions, way: Way) -> int:
    """Give how many lanes may serve a way: as many as lead on from it, or as do now."""
    return max(len(_receiving(network, way.to_road)), sum(way in lane for lane in now))


def _way(network: SignalNetwork, movement: Movement) -> Way:
    return Way(movement.turn, network.road_of[movement.to_lane].name)


def _of_way(
    network: SignalNetwork, junction: SignalledJunction, road: Road, way: Way
) -> list[Movement]:
    mine = {lane.name for lane in road.lanes}
    return [
        each
        for each in junction.movements
        if each.kind is GroupKind.VEHICLE and each.from_lane in mine and _way(network, each) == way
    ]


def ways_of(network: SignalNetwork, junction: SignalledJunction, road: Road) -> tuple[Way, ...]:
    """Give an approach's ways from right to left: by their turn, then by the lanes they have."""
    places: dict[Way, list[int]] = {}
    for place, ways in enumerate(functions_of(network, junction, road)):
        for way in ways:
            places.setdefault(way, []).append(place)
    return tuple(
        sorted(
            places,
            key=lambda way: (_FROM_RIGHT.index(way.turn), sum(places[way]) / len(places[way])),
        )
    )


def _in_order(now: Functions, ways: Sequence[Way]) -> bool:
    """Whether no lane serves a way to the right of one that a lane nearer to the kerb serves."""
    reached = 0
    for each in now:
        mine = [ways.index(way) for way in each if way in ways]
        if mine and min(mine) < reached:
            return False
        reached = max([reached, *mine])
    return True


def _spread(lanes: int, ways: int) -> Iterator[tuple[tuple[int, int], ...]]:
    """Give the first and the last way of each lane in every order that leaves none out."""

    def further(done: tuple[tuple[int, int], ...]) -> Iterator[tuple[tuple[int, int], ...]]:
        if len(done) == lanes:
            if done[-1][1] == ways - 1:
                yield done
            return
        reached = done[-1][1] if done else -1
        for first in {max(reached, 0), min(reached + 1, ways - 1)}:
            for last in range(first, ways):
                yield from further((*done, (first, last)))

    yield from further(())


def _same(one: Functions, other: Functions) -> bool:
    return [set(each) for each in one] == [set(each) for each in other]


def _receiving(network: SignalNetwork, road_name: str) -> tuple[Lane, ...]:
    road = next(each for each in network.roads if each.name == road_name)
    return tuple(lane for lane in road.lanes if _for_cars(lane))


def _for_cars(lane: Lane) -> bool:
    cars = {"passenger", "all"}
    return (not lane.allow or bool(cars & set(lane.allow))) and not cars & set(lane.disallow)


def _goals(network: SignalNetwork, lanes: Sequence[Lane], way: Way) -> list[Lane]:
    """Give the lane into which each lane of a way leads.

    Right turns keep to the kerb, left ones to the middle, straight ones where it is shortest.
    """
    there = _receiving(network, way.to_road)
    spare = len(there) - len(lanes)
    if spare < 0:  # more lanes than the road has: as it is, they merge
        return [there[min(place, len(there) - 1)] for place in range(len(lanes))]
    if way.turn is Turn.STRAIGHT:
        first = min(
            range(spare + 1),
            key=lambda offset: sum(
                math.dist(lane.shape[-1], there[offset + place].shape[0])
                for place, lane in enumerate(lanes)
            ),
        )
    else:
        first = 0 if way.turn in RIGHTS else spare
    return [there[first + place] for place in range(len(lanes))]


def _movement(
    before: Sequence[Movement], lane: Lane, goal: Lane, group: str, place: int
) -> Movement:
    like = before[0]
    shape = _drawn(lane.shape, goal.shape)
    speeds = [piece.speed_mps for each in before for piece in each.pieces]
    piece = PathPiece(
        f":{like.node}_w{place}_0",
        min(speeds, default=lane.speed_mps),
        max(length_m(shape), 0.1),
        shape,
    )
    name = f"{lane.name}>{goal.name}"
    return replace(
        like, name=name, group=group, from_lane=lane.name, to_lane=goal.name, pieces=(piece,)
    )


def _waits_m(conflicts: Sequence[Conflict]) -> dict[str, float]:
    """Give where those who give way wait: before the first way that they let pass."""
    found: dict[str, float] = {}
    for each in conflicts:
        for name, yields, where_m in (
            (each.first, each.first_yields, each.first_m[0]),
            (each.second, each.second_yields, each.second_m[0]),
        ):
            if yields:
                found[name] = min(found.get(name, math.inf), where_m)
    return found


def _parted(movement: Movement, wait_m: float | None) -> Movement:
    """Part a vehicle's way where it waits inside the junction, if there is room for a car."""
    if movement.kind is not GroupKind.VEHICLE or wait_m is None:
        return movement
    (whole,) = movement.pieces
    stop_m = wait_m - _CLEAR_M
    if not _ROOM_M < stop_m < whole.length_m:
        return movement
    pieces = tuple(
        replace(whole, name=name, shape=shape, length_m=max(length_m(shape), 0.1))
        for name, shape in zip(
            (whole.name, f"{whole.name[:-2]}i_0"), _cut(whole.shape, stop_m), strict=True
        )
    )
    return replace(movement, pieces=pieces)


def _cut(line: Sequence[Point], at_m: float) -> tuple[tuple[Point, ...], tuple[Point, ...]]:
    """Cut a line at a distance from its start that is less than its length."""
    gone_m = 0.0
    for place, (a, b) in enumerate(pairwise(line), start=1):
        step_m = math.dist(a, b)
        if gone_m + step_m >= at_m:
            share = (at_m - gone_m) / step_m
            cut = (a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]))
            return (*line[:place], cut), (cut, *line[place:])
        gone_m += step_m
    raise ValueError(at_m)


def _drawn(start: Sequence[Point], end: Sequence[Point]) -> tuple[Point, ...]:
    """Draw a way from the end of one lane to the begin of another (a cubic Bézier curve)."""
    a, d = start[-1], end[0]
    pull_m = _PULL * math.dist(a, d)
    b = _moved(a, start[-2], pull_m)
    c = _moved(d, end[1], pull_m)
    found = []
    for step in range(_POINTS):
        t = step / (_POINTS - 1)
        weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
        x, y = (
            sum(w * p[axis] for w, p in zip(weights, (a, b, c, d), strict=True)) for axis in (0, 1)
        )
        found.append((x, y))
    return tuple(found)


def _moved(point: Point, away_from: Point, by_m: float) -> Point:
    """Give the point moved on from another through it."""
    apart_m = math.dist(point, away_from)
    if apart_m <= 0:
        return point
    share = by_m / apart_m
    return (
        point[0] + share * (point[0] - away_from[0]),
        point[1] + share * (point[1] - away_from[1]),
    )


def _free(name: str, taken: set[str]) -> str:
    return name if name not in taken else f"{name}~"
