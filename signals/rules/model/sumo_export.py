"""SUMO files of what the model holds: an additional file of programmes, and a network.

A network written here has the signalled junctions with the roads at them; roads that lead away end
at dead ends. Numbers are written with all their digits, so that reading gives the same model.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final
from xml.sax.saxutils import quoteattr

from city.errors import Invalid
from signals.rules.junctions import GroupKind
from signals.rules.model.aspects import LETTERS
from signals.rules.model.geometry import Point
from signals.rules.model.junction import (
    Conflict,
    Movement,
    Node,
    Road,
    SignalledJunction,
    SignalNetwork,
    Turn,
)
from signals.rules.model.plans import Programme
from signals.rules.model.ring_documents import RINGS_KEY, rings_text
from signals.rules.model.sumo_extras import (
    FLASHING_KEY,
    JUNCTION_KEY,
    extras_text,
    flashing_text,
    sumo_ends,
)
from signals.rules.model.sumo_walking import (
    FOOT,
    WALKING_MPS,
    WalkingArea,
    areas_of,
    crossed,
    ways_of,
)

_DIRECTIONS: Final = {
    Turn.LEFT: "l",
    Turn.PARTIAL_LEFT: "L",
    Turn.STRAIGHT: "s",
    Turn.PARTIAL_RIGHT: "R",
    Turn.RIGHT: "r",
    Turn.U_TURN: "t",
    Turn.CROSSING: "s",
}
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'


def additional_file(programmes: Sequence[Programme]) -> str:
    """Give the additional file of programmes, as ``sumo --additional-files`` takes it."""
    body = "".join(_logic(programme, None) for programme in programmes)
    return f"{_HEAD}<additional>\n{body}</additional>\n"


def network_file(network: SignalNetwork, programmes: Sequence[Programme] = ()) -> str:
    """Give the network file of the signalled junctions, with programmes.

    A junction without a programme gets one that is red throughout, since SUMO asks for one.

    Raises
    ------
    Invalid
        Where a movement has no way drawn: SUMO's right of way hangs on it.
    """
    for junction in network.junctions:
        for movement in junction.movements:
            if not movement.pieces:
                raise Invalid(
                    "needs a path to be written for SUMO",
                    field=f"junctions.{junction.name}.movements.{movement.name}",
                )
    walks = any(
        movement.kind is GroupKind.PEDESTRIAN
        for junction in network.junctions
        for movement in junction.movements
    )
    head = {"version": "1.20", **({"walkingareas": "true"} if walks else {})}
    return f"{_HEAD}<net{_attributes(head)}>\n{''.join(_elements(network, programmes))}</net>\n"


def _elements(network: SignalNetwork, programmes: Sequence[Programme]) -> Iterator[str]:
    areas = {
        node.name: areas_of(junction, node, network.roads)
        for junction in network.junctions
        for node in junction.nodes
    }
    for junction in network.junctions:
        yield from _internal_edges(network, junction)
    walking = [area for here in areas.values() for area in here]
    for area in walking:
        yield from _walking_edge(area)
    for road in network.roads:
        yield from _edge(road)
    yield from _logics(network, programmes)
    signalled = set()
    for junction in network.junctions:
        for node in junction.nodes:
            signalled.add(node.name)
            yield from _node(junction, node, areas[node.name])
    for name, position in _ends(network, signalled).items():
        yield (f"    {_tag('junction', {'id': name, 'type': 'dead_end', **_place(position)})}")
    for junction in network.junctions:
        yield from _connections(network, junction)
    for start, end, start_lane, end_lane in (way for area in walking for way in ways_of(area)):
        ends = {"from": start, "to": end}
        lanes = {"fromLane": str(start_lane), "toLane": str(end_lane)}
        yield f"    {_tag('connection', {**ends, **lanes, 'dir': 's', 'state': 'M'})}"


def _logics(network: SignalNetwork, programmes: Sequence[Programme]) -> Iterator[str]:
    """Write programmes; a signal without one gets one, red throughout, as SUMO asks."""
    for junction in network.junctions:
        waiting = {
            lane.name: lane.waiting_area
            for road in network.approaches(junction)
            for lane in road.lanes
            if lane.waiting_area is not None
        }
        extras = extras_text(junction, waiting)
        own = [each for each in programmes if each.junction == junction.name]
        for programme in own:
            yield _logic(programme, extras)
        if not own:
            state = "r" * len(junction.groups)
            param = "" if extras is None else _tag("param", _param(JUNCTION_KEY, extras))
            head = {"id": junction.name, "type": "static", "programID": "0", "offset": "0"}
            yield (
                f"    <tlLogic{_attributes(head)}>\n"
                f"        {_tag('phase', {'duration': '60', 'state': state})}{param}"
                "    </tlLogic>\n"
            )


def _walking_edge(area: WalkingArea) -> Iterator[str]:
    yield f"    <edge{_attributes({'id': area.edge, 'function': 'walkingarea'})}>\n"
    lane = {
        "id": area.lane,
        "index": "0",
        "allow": FOOT,
        "speed": repr(WALKING_MPS),
        "length": repr(round(area.length_m, 2)),
        "width": "4.0",
        "shape": _shape(area.shape),
    }
    yield f"        {_tag('lane', lane)}    </edge>\n"


def _internal_edges(network: SignalNetwork, junction: SignalledJunction) -> Iterator[str]:
    """Write internal edges whole: lanes that several ways share are written once."""
    edges: dict[str, dict[str, str]] = {}
    over: dict[str, str] = {}
    for movement in junction.movements:
        walks = movement.kind is GroupKind.PEDESTRIAN
        for piece in movement.pieces:
            edge, _, index = piece.name.rpartition("_")
            if walks:
                over[edge] = crossed(movement, junction, network.road_of)
            lane = {
                "id": piece.name,
                "index": index,
                **({"allow": FOOT} if walks else {}),
                "speed": repr(piece.speed_mps),
                "length": repr(piece.length_m),
                "shape": _shape(piece.shape),
            }
            if piece.width_m is not None:
                lane["width"] = repr(piece.width_m)
            function = "crossing" if walks else "internal"
            found = edges.setdefault(f"{edge} {function}", {})
            found[piece.name] = f"        {_tag('lane', lane)}"
    for key, lanes in edges.items():
        name, function = key.rsplit(" ", 1)
        roads = {"crossingEdges": over[name]} if over.get(name) else {}
        yield f"    <edge{_attributes({'id': name, 'function': function, **roads})}>\n"
        yield from lanes.values()
        yield "    </edge>\n"


def _edge(road: Road) -> Iterator[str]:
    yield f"    <edge{_attributes({'id': road.name, 'from': road.start, 'to': road.end})}>\n"
    for index, lane in enumerate(road.lanes):
        values = {"id": lane.name, "index": str(index)}
        if lane.allow:
            values["allow"] = " ".join(lane.allow)
        if lane.disallow:
            values["disallow"] = " ".join(lane.disallow)
        values |= {"speed": repr(lane.speed_mps), "length": repr(lane.length_m)}
        if lane.width_m is not None:
            values["width"] = repr(lane.width_m)
        yield f"        {_tag('lane', values | {'shape': _shape(lane.shape)})}"
    yield "    </edge>\n"


def _logic(programme: Programme, extras: str | None) -> str:
    head = {
        "id": programme.junction,
        "type": programme.control,
        "programID": programme.name,
        "offset": _short(programme.offset_s),
        **dict(programme.extra),
    }
    lines = [f"    <tlLogic{_attributes(head)}>\n"]
    for interval in programme.intervals:
        values = {
            "duration": _short(interval.duration_s),
            "state": "".join(LETTERS[aspect] for aspect in interval.shows),
        }
        if interval.name:
            values["name"] = interval.name
        if interval.least_s is not None:
            values["minDur"] = _short(interval.least_s)
        if interval.most_s is not None:
            values["maxDur"] = _short(interval.most_s)
        lines.append(f"        {_tag('phase', values | dict(interval.extra))}")
    params = list(programme.params)
    flashing = flashing_text(programme)
    if flashing is not None:
        params.append((FLASHING_KEY, flashing))
    if programme.rings is not None:
        params.append((RINGS_KEY, rings_text(programme.rings)))
    if extras is not None:
        params.append((JUNCTION_KEY, extras))
    lines += [f"        {_tag('param', _param(key, value))}" for key, value in params]
    return "".join([*lines, "    </tlLogic>\n"])


def _node(junction: SignalledJunction, node: Node, areas: Sequence[WalkingArea]) -> Iterator[str]:
    here = _in_rows(junction, node)
    values = {"id": node.name, "type": node.type, **_place(node.position)}
    driven = [each for each in here if each.kind is not GroupKind.PEDESTRIAN]
    coming = [each.from_lane for each in driven]
    coming += [_kerb(junction, each) for each in here[len(driven) :]]
    coming += [area.lane for area in areas]
    values["incLanes"] = " ".join(dict.fromkeys(coming))
    values["intLanes"] = " ".join(each.pieces[-1].name for each in here)
    values["shape"] = _shape(node.shape)
    yield f"    <junction{_attributes(values)}>\n"
    rows = _rows(here, {each.name: index for index, each in enumerate(here)}, junction.conflicts)
    for (index, (response, foes)), each in zip(enumerate(rows), here, strict=True):
        waits = str(int(len(each.pieces) > 1))
        yield (
            "        "
            + _tag(
                "request",
                {"index": str(index), "response": response, "foes": foes, "cont": waits},
            )
        )
    yield "    </junction>\n"
    yield from _waiting_places(junction, here)


def _waiting_places(junction: SignalledJunction, here: Sequence[Movement]) -> Iterator[str]:
    """Write where those who give way wait inside: SUMO asks for it where a way has parts."""
    for movement in here:
        if len(movement.pieces) < 2:  # noqa: PLR2004 - up to where one waits, and on
            continue
        foes, before = [], []
        for each in junction.conflicts:
            if movement.name not in {each.first, each.second}:
                continue
            first = each.first == movement.name
            other = junction.by_name[each.second if first else each.first]
            foes.append(other.pieces[0].name)
            if (each.first_yields if first else each.second_yields) and (
                other.kind is not GroupKind.PEDESTRIAN
            ):
                before.append(other.from_lane)
        for stands, beyond in pairwise(movement.pieces):
            values = {"id": beyond.name, "type": "internal", **_place(beyond.shape[0])}
            values["incLanes"] = " ".join(dict.fromkeys([stands.name, *before]))
            values["intLanes"] = " ".join(dict.fromkeys(foes))
            yield f"    {_tag('junction', values)}"


def _in_rows(junction: SignalledJunction, node: Node) -> list[Movement]:
    """Give a node's movements as SUMO counts them: by the lanes and areas that they come from."""
    here = [each for each in junction.movements if each.node == node.name]
    driven = [each for each in here if each.kind is not GroupKind.PEDESTRIAN]
    kerbs: dict[str, list[Movement]] = {}
    for each in here:
        if each.kind is GroupKind.PEDESTRIAN:
            kerbs.setdefault(_kerb(junction, each), []).append(each)
    return [*driven, *(each for walks in kerbs.values() for each in walks)]


def _kerb(junction: SignalledJunction, movement: Movement) -> str:
    return sumo_ends(movement, junction.movements.index(movement))[0]


def _rows(
    order: Sequence[Movement], place: Mapping[str, int], conflicts: Iterable[Conflict]
) -> Iterator[tuple[str, str]]:
    count = len(order)
    foes = [["0"] * count for _ in order]
    response = [["0"] * count for _ in order]
    for conflict in conflicts:
        if conflict.first not in place:
            continue
        one, other = place[conflict.first], place[conflict.second]
        foes[one][-1 - other] = foes[other][-1 - one] = "1"
        if conflict.first_yields:
            response[one][-1 - other] = "1"
        if conflict.second_yields:
            response[other][-1 - one] = "1"
    return (("".join(a), "".join(b)) for a, b in zip(response, foes, strict=True))


def _connections(network: SignalNetwork, junction: SignalledJunction) -> Iterator[str]:
    index = {group.name: str(place) for place, group in enumerate(junction.groups)}
    written = set()
    for place, movement in enumerate(junction.movements):
        walks = movement.kind is GroupKind.PEDESTRIAN
        start_name, end_name = sumo_ends(movement, place)
        start, start_lane = _edge_and_index(network, start_name)
        goal = movement.pieces[0].name if walks and movement.pieces else end_name
        end, end_lane = _edge_and_index(network, goal)
        values = {"from": start, "to": end, "fromLane": start_lane, "toLane": end_lane}
        if movement.pieces and not walks:
            values["via"] = movement.pieces[0].name
        values |= {
            "tl": junction.name,
            "linkIndex": index[movement.group],
            "dir": _DIRECTIONS[movement.turn],
            "state": "o",
        }
        yield f"    {_tag('connection', values)}"
        if walks and movement.pieces:
            beyond, lane = _edge_and_index(network, end_name)
            inner = {"from": end, "to": beyond, "fromLane": end_lane, "toLane": lane}
            yield f"    {_tag('connection', inner | {'dir': 's', 'state': 'M'})}"
            continue
        for piece, following in zip(movement.pieces, [*movement.pieces[1:], None], strict=True):
            if piece.name in written:
                continue
            written.add(piece.name)
            edge, _, lane = piece.name.rpartition("_")
            inner = {"from": edge, "to": end, "fromLane": lane, "toLane": end_lane}
            if following is not None:
                inner["via"] = following.name
            # Only who gives way has a place to wait inside.
            state = "m" if len(movement.pieces) > 1 else "M"
            inner |= {"dir": _DIRECTIONS[movement.turn], "state": state}
            yield f"    {_tag('connection', inner)}"


def _edge_and_index(network: SignalNetwork, lane: str) -> tuple[str, str]:
    road = network.road_of.get(lane)
    if road is not None:
        names = [each.name for each in road.lanes]
        return road.name, str(names.index(lane))
    edge, _, index = lane.rpartition("_")
    return edge, index


def _ends(network: SignalNetwork, signalled: set[str]) -> dict[str, Point]:
    found: dict[str, Point] = {}
    for road in network.roads:
        for node, point in (
            (road.start, road.lanes[0].shape[0]),
            (road.end, road.lanes[0].shape[-1]),
        ):
            if node and node not in signalled:
                found.setdefault(node, point)
    return found


def _param(key: str, value: str) -> dict[str, str]:
    return {"key": key, "value": value}


def _place(position: Point) -> dict[str, str]:
    return {"x": repr(position[0]), "y": repr(position[1])}


def _shape(points: Sequence[Point]) -> str:
    return " ".join(f"{x!r},{y!r}" for x, y in points)


def _short(number: float) -> str:
    return str(int(number)) if number == int(number) else repr(number)


def _tag(name: str, values: Mapping[str, str]) -> str:
    return f"<{name}{_attributes(values)}/>\n"


def _attributes(values: Mapping[str, str]) -> str:
    return "".join(f" {name}={quoteattr(value)}" for name, value in values.items())
