"""Signalled junctions and programmes out of a SUMO network or additional file.

A junction is one controller (``tl``), which may hold the signals of several SUMO nodes; its groups
are the link indices. Conflicts are the network's own ``foes``, told apart by the drawn ways; who
gives way is its ``response``. Without such rows both follow from geometry and the rules of the
road.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from city.errors import Invalid
from signals.rules.junctions import GroupKind
from signals.rules.model.aspects import ASPECTS, FLASHING_OF, Aspect
from signals.rules.model.conflicts import conflict_of, conflicts_by_geometry
from signals.rules.model.geometry import Point
from signals.rules.model.junction import (
    Conflict,
    Lane,
    ModelGroup,
    Movement,
    Node,
    PathPiece,
    Road,
    SignalledJunction,
    SignalNetwork,
    Turn,
)
from signals.rules.model.plans import Interval, Programme
from signals.rules.model.ring_documents import RINGS_KEY, read_rings
from signals.rules.model.sumo_extras import (
    FLASHING_KEY,
    JUNCTION_KEY,
    Extras,
    read_extras,
    read_flashing,
)
from signals.rules.model.sumo_net import (
    SumoConnection,
    SumoEdge,
    SumoFile,
    SumoLane,
    SumoLogic,
    SumoNode,
    SumoRequest,
)

TURNS: Final = {
    "l": Turn.LEFT,
    "L": Turn.PARTIAL_LEFT,
    "s": Turn.STRAIGHT,
    "R": Turn.PARTIAL_RIGHT,
    "r": Turn.RIGHT,
    "t": Turn.U_TURN,
    "T": Turn.U_TURN,
}
"""SUMO's directions."""

_INNER: Final = {"internal", "crossing", "walkingarea"}


def network_of(file: SumoFile) -> SignalNetwork:
    """Give the signalled junctions of a network file.

    Parameters
    ----------
    file : SumoFile
        A ``net``.

    Returns
    -------
    SignalNetwork
        Junctions in the order of the file's controllers. Cost grows with the file, and with the
        square of each junction's movements.

    Raises
    ------
    Invalid
        On a file that is no network, has no signal, or names lanes that are not there.
    """
    if file.root != "net":
        raise Invalid(f"is no SUMO network: its root is <{file.root}>")
    controlled: dict[str, list[SumoConnection]] = {}
    for connection in file.connections:
        if connection.signal is not None:
            controlled.setdefault(connection.signal, []).append(connection)
    if not controlled:
        raise Invalid("has no signalled junction")
    reader = _Reader(file)
    lengths: dict[str, int] = {}
    extras: dict[str, Extras] = {}
    for logic in file.logics:
        states = [len(phase.state) for phase in logic.phases]
        lengths[logic.name] = max([lengths.get(logic.name, 0), *states])
        for key, value in logic.params:
            if key == JUNCTION_KEY:
                extras[logic.name] = read_extras(value, f"tlLogic {logic.name}")
    order = {logic.name: None for logic in file.logics} | dict.fromkeys(controlled)
    junctions = tuple(
        reader.junction(name, controlled[name], lengths.get(name, 0), extras.get(name))
        for name in order
        if name in controlled
    )
    return SignalNetwork(reader.roads(junctions, extras), junctions)


def programmes_of(file: SumoFile, network: SignalNetwork) -> tuple[Programme, ...]:
    """Give the programmes of a network or additional file, bound to a network's junctions.

    Raises
    ------
    Invalid
        On a signal that the network lacks, a state with fewer lamps than the junction has signal
        groups, or an unknown letter; the message names the signal and the phase.
    """
    # Rail signals and controllers that are off have no phases.
    return tuple(_programme(logic, network) for logic in file.logics if logic.phases)


def _programme(logic: SumoLogic, network: SignalNetwork) -> Programme:
    junction = network.junction_of.get(logic.name)
    where = f"tlLogic {logic.name} programme {logic.programme}"
    if junction is None:
        raise Invalid(f"{where}: the network has no such signal")
    groups = [group.name for group in junction.groups]
    longest = max((len(phase.state) for phase in logic.phases), default=0)
    groups += [f"unused {index}" for index in range(len(groups), longest)]
    params = dict(logic.params)
    flashing = read_flashing(params.get(FLASHING_KEY), where)
    intervals = []
    for place, phase in enumerate(logic.phases):
        if len(phase.state) != len(groups):
            raise Invalid(
                f"{where} phase {place}: the state has {len(phase.state)} lamps for"
                f" {len(groups)} links"
            )
        shows = [_aspect(letter, f"{where} phase {place}") for letter in phase.state]
        for index in flashing.get(place, ()):
            if index < len(shows):
                shows[index] = FLASHING_OF.get(shows[index], shows[index])
        intervals.append(
            Interval(
                phase.duration_s, tuple(shows), phase.name, phase.least_s, phase.most_s, phase.extra
            )
        )
    kept = tuple(
        (key, value)
        for key, value in logic.params
        if key not in {JUNCTION_KEY, FLASHING_KEY, RINGS_KEY}
    )
    return Programme(
        logic.name,
        logic.programme,
        tuple(groups),
        tuple(intervals),
        logic.offset_s,
        logic.control,
        kept,
        logic.extra,
        read_rings(params.get(RINGS_KEY), where),
    )


def _aspect(letter: str, where: str) -> Aspect:
    aspect = ASPECTS.get(letter)
    if aspect is None:
        raise Invalid(f"{where}: {letter!r} is no lamp of SUMO's")
    return aspect


class _Reader:
    """Look-ups of one file, made once."""

    def __init__(self, file: SumoFile) -> None:
        self._file = file
        self._lanes: dict[str, SumoLane] = {}
        self._edge_of: dict[str, SumoEdge] = {}
        for edge in file.edges.values():
            for lane in edge.lanes:
                self._lanes[lane.name] = lane
                self._edge_of[lane.name] = edge
        self._next: dict[str, str] = {}
        self._beyond: dict[str, str] = {}
        self._by_lane: dict[str, list[SumoConnection]] = {}
        for each in file.connections:
            if not each.start.startswith(":"):
                start = self._name(each.start, each.start_lane)
                self._by_lane.setdefault(start, []).append(each)
            elif each.via is not None:
                self._next[f"{each.start}_{each.start_lane}"] = each.via
            else:
                self._beyond.setdefault(each.start, f"{each.end}_{each.end_lane}")

    def roads(
        self, junctions: Sequence[SignalledJunction], extras: Mapping[str, Extras]
    ) -> tuple[Road, ...]:
        """Give the roads at the junctions, in the file's order."""
        names = {
            lane
            for junction in junctions
            for movement in junction.movements
            if movement.kind is not GroupKind.PEDESTRIAN
            for lane in (movement.from_lane, movement.to_lane)
        }
        waiting = {lane: turn for each in extras.values() for lane, turn in each.waiting.items()}
        return tuple(
            Road(
                edge.name,
                edge.start,
                edge.end,
                tuple(self._lane(lane, waiting.get(lane.name)) for lane in edge.lanes),
            )
            for edge in self._file.edges.values()
            if edge.function not in _INNER and any(lane.name in names for lane in edge.lanes)
        )

    @staticmethod
    def _lane(lane: SumoLane, waiting: Turn | None) -> Lane:
        return Lane(
            lane.name,
            lane.speed_mps,
            lane.length_m,
            lane.shape,
            lane.width_m,
            lane.allow,
            lane.disallow,
            waiting,
        )

    def junction(
        self, name: str, connections: Sequence[SumoConnection], lamps: int, extras: Extras | None
    ) -> SignalledJunction:
        """Build one controller's junction."""
        count = max(lamps, 1 + max(each.index or 0 for each in connections))
        names = [str(index) for index in range(count)]
        if extras is not None:
            names = [group.name for group in extras.groups]
            if len(names) < count:
                raise Invalid(f"tlLogic {name}: names fewer groups than it has links")
        pairs = [(each, self._movement(each, names, extras)) for each in connections]
        movements = tuple(movement for _, movement in pairs)
        kinds = {movement.group: movement.kind for movement in movements}
        groups = tuple(ModelGroup(group, kinds.get(group, GroupKind.VEHICLE)) for group in names)
        nodes = tuple(self._node(node) for node in dict.fromkeys(each.node for each in movements))
        return SignalledJunction(
            name,
            nodes,
            groups if extras is None else extras.groups,
            movements,
            tuple(self._conflicts(pairs)),
        )

    def _node(self, name: str) -> Node:
        node = self._file.nodes.get(name)
        if node is None:
            raise Invalid(f"has no junction {name}")
        return Node(node.name, node.position, node.type, node.shape)

    def _movement(
        self, connection: SumoConnection, names: Sequence[str], extras: Extras | None
    ) -> Movement:
        group = names[connection.index or 0]
        start = self._name(connection.start, connection.start_lane)
        end = self._name(connection.end, connection.end_lane)
        walks = self._function(connection.end) == "crossing"
        if walks:
            chain, turn, kind = [end], Turn.CROSSING, GroupKind.PEDESTRIAN
            end = self._beyond.get(connection.end, end)
        else:
            for edge, lane in ((connection.start, start), (connection.end, end)):
                if lane not in self._lanes:
                    raise Invalid(f"has a connection of lane {lane}, which edge {edge} lacks")
            chain = list(self._chain(connection.via))
            turn = TURNS.get(connection.direction, Turn.STRAIGHT)
            allow = self._lanes[start].allow
            kind = GroupKind.BICYCLE if allow == ("bicycle",) else GroupKind.VEHICLE
        node = self._node_of(connection, chain)
        name = f"{start}>{end}"
        if extras is not None and name in extras.names:
            name, start, end = extras.names[name]
        return Movement(
            name,
            group,
            node,
            start,
            end,
            turn,
            kind,
            tuple(self._piece(lane) for lane in chain),
            None if extras is None else extras.refuges.get(name),
        )

    def _name(self, edge: str, index: int) -> str:
        """Give a lane's name; SUMO's own are the edge's with the index, ours are free."""
        found = self._file.edges.get(edge)
        for lane in found.lanes if found is not None else ():
            if lane.index == index:
                return lane.name
        return f"{edge}_{index}"

    def _function(self, edge: str) -> str:
        found = self._file.edges.get(edge)
        return "" if found is None else found.function

    def _chain(self, via: str | None) -> Iterator[str]:
        seen = set()
        while via is not None and via not in seen and via in self._lanes:
            seen.add(via)
            yield via
            via = self._next.get(via)

    def _piece(self, name: str) -> PathPiece:
        lane = self._lanes.get(name)
        if lane is None:
            raise Invalid(f"has no lane {name}")
        return PathPiece(lane.name, lane.speed_mps, lane.length_m, lane.shape, lane.width_m)

    def _node_of(self, connection: SumoConnection, chain: Sequence[str]) -> str:
        if chain:
            return chain[0][1:].rsplit("_", 2)[0]
        edge = self._file.edges.get(connection.start)
        if edge is None:
            raise Invalid(f"has a connection of edge {connection.start}, which it lacks")
        return edge.end

    def _conflicts(self, pairs: Sequence[tuple[SumoConnection, Movement]]) -> Iterator[Conflict]:
        by_node: dict[str, list[tuple[SumoConnection, Movement]]] = {}
        for pair in pairs:
            by_node.setdefault(pair[1].node, []).append(pair)
        for name, here in by_node.items():
            node = self._file.nodes[name]
            rows = [self._row(node, connection, movement) for connection, movement in here]
            movements = [movement for _, movement in here]
            if any(row is None for row in rows):
                yield from conflicts_by_geometry(
                    movements, lambda lane: self._edge_of[lane].name, self._line
                )
                continue
            known = [row for row in rows if row is not None]
            for one, (place, request) in enumerate(known):
                for other in range(one + 1, len(known)):
                    index, second = known[other]
                    if not (_bit(request.foes, index) or _bit(second.foes, place)):
                        continue
                    yields = (_bit(request.response, index), _bit(second.response, place))
                    first_to, second_to = movements[one].to_lane, movements[other].to_lane
                    same_road = (
                        first_to in self._edge_of
                        and second_to in self._edge_of
                        and self._edge_of[first_to] is self._edge_of[second_to]
                        and GroupKind.PEDESTRIAN not in {movements[one].kind, movements[other].kind}
                    )
                    yield conflict_of(
                        movements[one],
                        movements[other],
                        lines=(self._line(movements[one]), self._line(movements[other])),
                        same_road=same_road,
                        yields=yields,
                    )

    def _line(self, movement: Movement) -> Sequence[Point]:
        """Give a movement's way; straight from lane to lane where the network draws none."""
        if movement.pieces:
            return movement.path
        return (
            self._lanes[movement.from_lane].shape[-1],
            self._lanes[movement.to_lane].shape[0],
        )

    def _row(
        self, node: SumoNode, connection: SumoConnection, movement: Movement
    ) -> tuple[int, SumoRequest] | None:
        """Give the row of the node's matrix that belongs to a connection.

        It stands at the place of the way's last internal lane; without internal lanes, rows
        follow the incoming lanes and each lane's connections.
        """
        if movement.pieces and node.internal:
            last = movement.pieces[-1].name
            place = node.internal.index(last) if last in node.internal else -1
        else:
            order = [each for lane in node.incoming for each in self._by_lane.get(lane, ())]
            place = order.index(connection) if connection in order else -1
        request = node.requests.get(place)
        return None if request is None else (place, request)


def _bit(row: str, index: int) -> bool:
    """Read a row of SUMO's matrix: the last character is index 0."""
    return index < len(row) and row[-1 - index] == "1"
