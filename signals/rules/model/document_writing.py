"""Greenbay's own JSON, written: every member that reading takes, nothing left out."""

from collections.abc import Sequence

from pydantic import JsonValue

from signals.rules.model.junction import (
    LampChange,
    Movement,
    Road,
    SignalledJunction,
    SignalNetwork,
)
from signals.rules.model.plans import Programme
from signals.rules.model.ring_documents import rings_json
from signals.rules.model.schemas import FORMAT


def document_of(network: SignalNetwork | None, plans: Sequence[Programme]) -> dict[str, JsonValue]:
    """Give the document of a network, of plans, or both; reading it gives the same again."""
    result: dict[str, JsonValue] = {"format": FORMAT}
    if network is not None:
        result["roads"] = [_road_json(road) for road in network.roads]
        result["junctions"] = [_junction_json(each) for each in network.junctions]
    if plans:
        result["plans"] = [_plan_json(plan) for plan in plans]
    return result


def _line(points: Sequence[tuple[float, float]]) -> list[JsonValue]:
    return [[x, y] for x, y in points]


def _road_json(road: Road) -> dict[str, JsonValue]:
    lanes: list[JsonValue] = []
    for lane in road.lanes:
        value: dict[str, JsonValue] = {
            "name": lane.name,
            "speed_mps": lane.speed_mps,
            "length_m": lane.length_m,
            "shape": _line(lane.shape),
        }
        if lane.width_m is not None:
            value["width_m"] = lane.width_m
        if lane.allow:
            value["allow"] = list[JsonValue](lane.allow)
        if lane.disallow:
            value["disallow"] = list[JsonValue](lane.disallow)
        if lane.waiting_area is not None:
            value["waiting_area"] = lane.waiting_area.value
        lanes.append(value)
    return {"name": road.name, "start": road.start, "end": road.end, "lanes": lanes}


def _junction_json(junction: SignalledJunction) -> dict[str, JsonValue]:
    return {
        "name": junction.name,
        "nodes": [
            {
                "name": node.name,
                "position_m": list[JsonValue](node.position),
                "type": node.type,
                "shape": _line(node.shape),
            }
            for node in junction.nodes
        ],
        "groups": [
            {
                "name": group.name,
                "kind": group.kind.value,
                "gaining": [_change_json(change) for change in group.gaining],
                "losing": [_change_json(change) for change in group.losing],
            }
            for group in junction.groups
        ],
        "movements": [_movement_json(movement) for movement in junction.movements],
        "conflicts": [
            {
                "first": each.first,
                "second": each.second,
                "kind": each.kind.value,
                "first_m": list[JsonValue](each.first_m),
                "second_m": list[JsonValue](each.second_m),
                "first_yields": each.first_yields,
                "second_yields": each.second_yields,
            }
            for each in junction.conflicts
        ],
    }


def _change_json(change: LampChange) -> dict[str, JsonValue]:
    return {"aspect": change.aspect.value, "duration_s": change.duration_s}


def _movement_json(movement: Movement) -> dict[str, JsonValue]:
    path: list[JsonValue] = []
    for piece in movement.pieces:
        value: dict[str, JsonValue] = {
            "name": piece.name,
            "speed_mps": piece.speed_mps,
            "length_m": piece.length_m,
            "shape": _line(piece.shape),
        }
        if piece.width_m is not None:
            value["width_m"] = piece.width_m
        path.append(value)
    result: dict[str, JsonValue] = {
        "name": movement.name,
        "group": movement.group,
        "node": movement.node,
        "from_lane": movement.from_lane,
        "to_lane": movement.to_lane,
        "turn": movement.turn.value,
        "kind": movement.kind.value,
        "path": path,
    }
    if movement.refuge_m is not None:
        result["refuge_m"] = movement.refuge_m
    return result


def _plan_json(plan: Programme) -> dict[str, JsonValue]:
    intervals: list[JsonValue] = []
    for interval in plan.intervals:
        value: dict[str, JsonValue] = {
            "duration_s": interval.duration_s,
            "shows": {
                group: aspect.value
                for group, aspect in zip(plan.groups, interval.shows, strict=True)
            },
        }
        if interval.name:
            value["name"] = interval.name
        if interval.least_s is not None:
            value["least_s"] = interval.least_s
        if interval.most_s is not None:
            value["most_s"] = interval.most_s
        if interval.extra:
            value["extra"] = dict[str, JsonValue](interval.extra)
        intervals.append(value)
    result: dict[str, JsonValue] = {
        "junction": plan.junction,
        "name": plan.name,
        "offset_s": plan.offset_s,
        "control": plan.control,
        "groups": list[JsonValue](plan.groups),
        "intervals": intervals,
    }
    if plan.rings is not None:
        result["rings"] = rings_json(plan.rings)
    if plan.params:
        result["params"] = dict[str, JsonValue](plan.params)
    if plan.extra:
        result["extra"] = dict[str, JsonValue](plan.extra)
    return result
