"""MAP: the lanes of a junction and which of them lead where under which signal group.

Source: SAE J2735 2016, as its ASN.1 is published in ISO/TS 19091 (module DSRC). Lanes are drawn
from the stop line outwards, in centimetres from the junction's middle.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from city.errors import Conflict
from signals.rules.j2735.bits import Bits, framed
from signals.rules.j2735.spat import MOST_BYTES, Intersection, reference
from signals.rules.junctions import GroupKind
from signals.rules.life.parts import middle_of
from signals.rules.model.geometry import Point
from signals.rules.model.junction import LEFTS, RIGHTS, SignalNetwork, Turn

MAP: Final = 18
_NODES: Final = (8, 4, 2)
"""Nodes a lane, fewer where the message does not fit."""
_SHOWN_M: Final = 150.0
"""Of a lane, from the stop line."""
_MOST_CM: Final = 32_767
_MOST_LANES: Final = 255
_MOST_CONNECTIONS: Final = 16
_STRAIGHT, _LEFT, _RIGHT, _U_TURN = 0, 1, 2, 3
_INGRESS, _EGRESS = 0, 1
_CROSSWALK, _BIKE, _VEHICLE = 1, 2, 0
_DEGREE: Final = 10_000_000


@dataclass(frozen=True, slots=True)
class Connection:
    """A lane that one leads to, and the signal group that releases it."""

    lane: int
    maneuver: int
    group: int


@dataclass(frozen=True, slots=True)
class MapLane:
    """One lane; nodes in centimetres, the first from the middle, each other from the one before."""

    lane: int
    name: str
    ingress: bool
    egress: bool
    kind: GroupKind
    nodes: tuple[tuple[int, int], ...]
    connections: tuple[Connection, ...]


@dataclass(frozen=True, slots=True)
class Map:
    """A MAP of one junction."""

    where: Intersection
    revision: int
    lanes: tuple[MapLane, ...]

    def as_json(self) -> dict[str, Any]:
        """Give the message's members by their names."""
        return {
            "msgIssueRevision": self.revision,
            "id": {"region": self.where.region, "id": self.where.id},
            "refPoint": {
                "lat": round(self.where.latitude * _DEGREE),
                "long": round(self.where.longitude * _DEGREE),
            },
            "laneSet": [
                {
                    "laneID": each.lane,
                    "name": each.name,
                    "ingress": each.ingress,
                    "egress": each.egress,
                    "kind": each.kind.value,
                    "nodes": [list(node) for node in each.nodes],
                    "connectsTo": [
                        {
                            "lane": found.lane,
                            "maneuver": found.maneuver,
                            "signalGroup": found.group,
                        }
                        for found in each.connections
                    ],
                }
                for each in self.lanes
            ],
        }


def map_of(where: Intersection, revision: int, part: SignalNetwork) -> tuple[Map, bytes]:
    """Give the MAP of a junction and its MessageFrame.

    Parameters
    ----------
    where : Intersection
    revision : int
    part : SignalNetwork
        One junction with the roads at it. Signal group n is its n-th one, as in the SPaT.

    Raises
    ------
    Conflict
        Where it does not fit into a radio packet even with two nodes a lane.
    """
    for most in _NODES:
        found = Map(where, revision, _lanes(part, most))
        if len(found.lanes) <= _MOST_LANES:
            raw = encode_map(found)
            if len(raw) <= MOST_BYTES:
                return found, raw
    raise Conflict("the junction does not fit into one radio packet", field="name")


def _lanes(part: SignalNetwork, most: int) -> tuple[MapLane, ...]:
    junction = part.junctions[0]
    middle = middle_of(junction)
    groups = {group.name: place for place, group in enumerate(junction.groups, 1)}
    known = {lane.name: lane for road in part.roads for lane in road.lanes}
    ways = [each for each in junction.movements if each.turn is not Turn.CROSSING]
    ends = dict.fromkeys(
        name for each in ways for name in (each.from_lane, each.to_lane) if name in known
    )
    numbers = {name: place for place, name in enumerate(ends, 1)}
    found = []
    for name, number in numbers.items():
        leads = [each for each in ways if each.from_lane == name and each.to_lane in numbers]
        ingress = any(each.from_lane == name for each in ways)
        # From the stop line outwards: a lane that comes in is drawn towards it.
        shape = known[name].shape[::-1] if ingress else known[name].shape
        kinds = {each.kind for each in ways if name in {each.from_lane, each.to_lane}}
        found.append(
            MapLane(
                number,
                name,
                ingress,
                any(each.to_lane == name for each in ways),
                GroupKind.BICYCLE if kinds == {GroupKind.BICYCLE} else GroupKind.VEHICLE,
                _nodes(shape, middle, most),
                tuple(
                    Connection(numbers[each.to_lane], _maneuver(each.turn), groups[each.group])
                    for each in leads
                )[:_MOST_CONNECTIONS],
            )
        )
    for each in junction.movements:
        line = [point for piece in each.pieces for point in piece.shape]
        if each.turn is Turn.CROSSING and len(line) > 1:
            number = len(found) + 1
            # On foot one comes in and leaves by the same strip.
            leads_to = (Connection(number, _STRAIGHT, groups[each.group]),)
            nodes = _nodes(line, middle, most)
            found.append(
                MapLane(
                    number,
                    each.name,
                    ingress=True,
                    egress=True,
                    kind=GroupKind.PEDESTRIAN,
                    nodes=nodes,
                    connections=leads_to,
                )
            )
    return tuple(found)


def _nodes(shape: Sequence[Point], middle: Point, most: int) -> tuple[tuple[int, int], ...]:
    """Give a line's nodes, at most so many, no farther than is shown."""
    line, gone_m = [shape[0]], 0.0
    for point in shape[1:]:
        step_m = math.dist(line[-1], point)
        if step_m == 0:
            continue
        share = min(1.0, (_SHOWN_M - gone_m) / step_m)
        line.append(
            (
                line[-1][0] + share * (point[0] - line[-1][0]),
                line[-1][1] + share * (point[1] - line[-1][1]),
            )
        )
        gone_m += step_m
        if gone_m >= _SHOWN_M:
            break
    if len(line) == 1:
        line.append((line[0][0] + 0.01, line[0][1]))
    places = sorted({round(n * (len(line) - 1) / (most - 1)) for n in range(most)})
    kept = [line[place] for place in places]
    cm = [(round((x - middle[0]) * 100), round((y - middle[1]) * 100)) for x, y in kept]
    steps = [
        cm[0],
        *((b[0] - a[0], b[1] - a[1]) for a, b in pairwise(cm)),
    ]
    if any(max(abs(x), abs(y)) > _MOST_CM for x, y in steps):
        raise Conflict("a lane lies more than 327 m from the junction's middle", field="name")
    return tuple(steps)


def _maneuver(turn: Turn) -> int:
    if turn is Turn.U_TURN:
        return _U_TURN
    return _LEFT if turn in LEFTS else _RIGHT if turn in RIGHTS else _STRAIGHT


def encode_map(found: Map) -> bytes:
    """Give a MessageFrame with a MAP; Invalid where it does not fit."""
    out = Bits()
    # MapData: intersections alone.
    out.put(0, 1)
    out.flags(8, 3)
    out.number(found.revision, 0, 127)
    out.number(1, 1, 32)
    out.put(0, 1)
    out.flags(5)
    reference(out, found.where)
    out.number(found.revision, 0, 127)
    out.put(0, 1)
    out.flags(2)
    out.number(round(found.where.latitude * _DEGREE), -900_000_000, 900_000_001)
    out.number(round(found.where.longitude * _DEGREE), -1_800_000_000, 1_800_000_001)
    out.number(len(found.lanes), 1, _MOST_LANES)
    for each in found.lanes:
        _encode_lane(out, each)
    return framed(MAP, out.bytes())


_TYPES: Final[Mapping[GroupKind, tuple[int, int, bool]]] = {
    GroupKind.VEHICLE: (_VEHICLE, 8, True),
    GroupKind.PEDESTRIAN: (_CROSSWALK, 16, False),
    GroupKind.BICYCLE: (_BIKE, 16, False),
}
"""Of LaneTypeAttributes: which, how many bits, and whether there may come more."""


def _encode_lane(out: Bits, lane: MapLane) -> None:
    out.put(0, 1)
    # Of name, approaches, maneuvers, connections, overlays, regional: connections alone.
    out.flags(7, *([4] if lane.connections else []))
    out.number(lane.lane, 0, 255)
    out.flags(1)
    used = [bit for bit, given in ((_INGRESS, lane.ingress), (_EGRESS, lane.egress)) if given]
    out.flags(2, *used)
    out.flags(10)
    which, width, extensible = _TYPES[lane.kind]
    out.put(0, 1)
    out.number(which, 0, 7)
    if extensible:
        out.put(0, 1)
    out.flags(width)
    # NodeListXY: nodes; each an offset of 2 x 16 bits without attributes.
    out.put(0, 1)
    out.number(0, 0, 1)
    out.number(len(lane.nodes), 2, 63)
    for x, y in lane.nodes:
        out.put(0, 1)
        out.flags(1)
        out.number(5, 0, 7)
        out.number(x, -32_768, 32_767)
        out.number(y, -32_768, 32_767)
    if lane.connections:
        out.number(len(lane.connections), 1, _MOST_CONNECTIONS)
    for each in lane.connections:
        out.flags(4, 1)
        out.flags(1, 0)
        out.number(each.lane, 0, 255)
        out.flags(12, each.maneuver)
        out.number(each.group, 0, 255)
