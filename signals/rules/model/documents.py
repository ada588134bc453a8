"""Greenbay's own JSON of signalled junctions and their plans.

One document holds either or both: ``roads`` and ``junctions`` (a network), ``plans`` (programmes,
as intervals or as stages). What is left out is worked out where it can be: lengths from shapes, the
conflicts of a junction from its ways. ``docs/signals.md`` describes every member.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import NoReturn

from pydantic import JsonValue
from pydantic import ValidationError as SchemaError

from city.errors import Invalid
from signals.rules.documents import plan_from_json, refusal
from signals.rules.junctions import GroupKind
from signals.rules.model.aspects import Aspect
from signals.rules.model.conflicts import conflicts_by_geometry
from signals.rules.model.geometry import length_m
from signals.rules.model.junction import (
    Conflict,
    ConflictKind,
    LampChange,
    Lane,
    ModelGroup,
    Movement,
    Node,
    PathPiece,
    Road,
    SignalledJunction,
    SignalNetwork,
)
from signals.rules.model.plans import Interval, Programme, programme_of_stages
from signals.rules.model.ring_documents import rings_of
from signals.rules.model.ring_plans import programme_from_rings
from signals.rules.model.schemas import (
    FileDocument,
    GroupDocument,
    JunctionDocument,
    MovementDocument,
    PlanDocument,
    RoadDocument,
)


def network_from_json(value: JsonValue) -> SignalNetwork:
    """Read the network of a document; Invalid names the first member at fault."""
    document = _read(value)
    if not document.junctions:
        raise Invalid("has no signalled junction", field="junctions")
    roads = tuple(_road(road) for road in document.roads)
    road_of = {lane.name: road.name for road in roads for lane in road.lanes}
    lanes = {lane.name: lane for road in roads for lane in road.lanes}
    junctions = tuple(_junction(each, road_of, lanes) for each in document.junctions)
    return SignalNetwork(roads, junctions)


def plans_from_json(value: JsonValue, network: SignalNetwork) -> tuple[Programme, ...]:
    """Read the plans of a document, bound to a network's junctions.

    Raises
    ------
    Invalid
        On a junction or signal group that the network lacks, naming it.
    """
    if isinstance(value, dict) and "plans" not in value and "junction" in value:
        value = {"plans": [value]}
    return tuple(_programme(plan, network) for plan in _read(value).plans)


def read_json(content: bytes) -> JsonValue:
    """Parse JSON without NaN; Invalid where it is none."""
    try:
        value: JsonValue = json.loads(content, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"is not JSON ({error})") from None
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")


def _read(value: JsonValue) -> FileDocument:
    try:
        return FileDocument.model_validate(value)
    except SchemaError as error:
        raise refusal(error) from None


def _road(document: RoadDocument) -> Road:
    lanes = tuple(
        Lane(
            lane.name,
            lane.speed_mps,
            length_m(lane.shape) if lane.length_m is None else lane.length_m,
            tuple(lane.shape),
            lane.width_m,
            tuple(lane.allow),
            tuple(lane.disallow),
            lane.waiting_area,
        )
        for lane in document.lanes
    )
    return Road(document.name, document.start, document.end, lanes)


def _junction(
    document: JunctionDocument, road_of: dict[str, str], lanes: dict[str, Lane]
) -> SignalledJunction:
    groups = tuple(_group(group) for group in document.groups)
    movements = tuple(
        _movement(each, place, document, lanes) for place, each in enumerate(document.movements)
    )
    where = f"junctions.{document.name}"
    if document.conflicts is None:
        for movement in movements:
            walks = movement.kind is GroupKind.PEDESTRIAN
            if not movement.pieces:
                raise Invalid(
                    "needs a path where conflicts are left out",
                    field=f"{where}.movements.{movement.name}",
                )
            for lane in () if walks else (movement.from_lane, movement.to_lane):
                if lane not in road_of:
                    raise Invalid(f"has no lane {lane}", field=f"{where}.movements.{movement.name}")
        conflicts = conflicts_by_geometry(
            movements, road_of.__getitem__, lambda movement: movement.path
        )
    else:
        conflicts = tuple(
            Conflict(
                each.first,
                each.second,
                each.kind,
                each.first_m,
                each.second_m,
                each.first_yields,
                each.second_yields,
            )
            for each in document.conflicts
        )
    nodes = tuple(
        Node(node.name, node.position_m, node.type, tuple(node.shape)) for node in document.nodes
    )
    if not nodes:
        points = [point for movement in movements for point in movement.path[:1]]
        count = max(len(points), 1)
        middle = (sum(p[0] for p in points) / count, sum(p[1] for p in points) / count)
        nodes = (Node(document.name, middle, "traffic_light"),)
    return SignalledJunction(document.name, nodes, groups, movements, conflicts)


def _group(document: GroupDocument) -> ModelGroup:
    gaining = tuple(LampChange(each.aspect, each.duration_s) for each in document.gaining)
    if document.losing is None:
        walks = document.kind is GroupKind.PEDESTRIAN
        losing = () if walks else ModelGroup(document.name, document.kind).losing
    else:
        losing = tuple(LampChange(each.aspect, each.duration_s) for each in document.losing)
    return ModelGroup(document.name, document.kind, gaining, losing)


def _movement(
    document: MovementDocument,
    place: int,
    junction: JunctionDocument,
    lanes: dict[str, Lane],
) -> Movement:
    first = junction.nodes[0].name if junction.nodes else junction.name
    node = document.node or first
    walks = document.kind is GroupKind.PEDESTRIAN
    start = lanes.get(document.from_lane)
    speed_mps = start.speed_mps if start is not None else 1.2
    letter = "c" if walks else ""
    pieces = tuple(
        PathPiece(
            piece.name or f":{node}_{letter}{place * 10 + step}_0",
            speed_mps if piece.speed_mps is None else piece.speed_mps,
            length_m(piece.shape) if piece.length_m is None else piece.length_m,
            tuple(piece.shape),
            piece.width_m,
        )
        for step, piece in enumerate(document.path)
    )
    return Movement(
        document.name or f"{document.from_lane}>{document.to_lane}",
        document.group,
        node,
        document.from_lane,
        document.to_lane,
        document.turn,
        document.kind,
        pieces,
        document.refuge_m,
    )


def _programme(document: PlanDocument, network: SignalNetwork) -> Programme:
    where = f"plans.{document.junction}"
    junction = network.junction_of.get(document.junction)
    if junction is None:
        raise Invalid("the network has no such signal", field=where)
    own = [group.name for group in junction.groups]
    rings = None if document.rings is None else rings_of(document.rings)
    given = [document.intervals is not None, document.stages is not None]
    if all(given) or not (any(given) or rings is not None):
        raise Invalid("must carry either intervals or stages", field=where)
    if document.intervals is None and document.stages is None and rings is not None:
        found = programme_from_rings(
            junction, document.name, rings, yields=_yields(junction), offset_s=document.offset_s
        )
        return replace(
            found,
            control=document.control,
            params=tuple(document.params.items()),
            extra=tuple(document.extra.items()),
        )
    if document.intervals is None:
        plan = plan_from_json(document.stages)
        yields = _yields(junction)
        return programme_of_stages(document.junction, document.name, plan, own, yields)
    groups = own if document.groups is None else document.groups
    if groups[: len(own)] != own:
        raise Invalid("must begin with the junction's signal groups", field=f"{where}.groups")
    intervals = []
    for place, interval in enumerate(document.intervals):
        unknown = [name for name in interval.shows if name not in groups]
        if unknown:
            raise Invalid(
                f"has no signal group {unknown[0]}", field=f"{where}.intervals.{place}.shows"
            )
        shows = tuple(interval.shows.get(name, Aspect.RED) for name in groups)
        intervals.append(
            Interval(
                interval.duration_s,
                shows,
                interval.name,
                interval.least_s,
                interval.most_s,
                tuple(interval.extra.items()),
            )
        )
    return Programme(
        document.junction,
        document.name,
        tuple(groups),
        tuple(intervals),
        document.offset_s,
        document.control,
        tuple(document.params.items()),
        tuple(document.extra.items()),
        rings,
    )


def _yields(junction: SignalledJunction) -> Callable[[str, str], bool]:
    found: set[tuple[str, str]] = set()
    for conflict in junction.conflicts:
        if conflict.kind is ConflictKind.CLOSE:
            continue
        first = junction.by_name[conflict.first].group
        second = junction.by_name[conflict.second].group
        if conflict.first_yields:
            found.add((first, second))
        if conflict.second_yields:
            found.add((second, first))
    return lambda one, other: (one, other) in found
