"""Small networks of our own that SUMO can drive: crossroads in a row, without people on foot."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from signals.rules.model.documents import network_from_json
from signals.rules.model.sumo_export import network_file
from signals.rules.plans.delay_of_plan import lanes_of
from signals.rules.plans.junction_maker import JunctionMaker
from signals.rules.safety.case import prepare
from signals.rules.safety.profiles import AS_IS
from tests.signals import crossroads

if TYPE_CHECKING:
    from signals.rules.model.junction import SignalNetwork
    from signals.rules.model.plans import Programme

APART_M = 300.0
WAVE = frozenset(
    f"{arm}-{lane}" for arm in ("east", "west") for lane in ("through", "bikes", "left")
)
ACROSS = frozenset(
    f"{arm}-{lane}" for arm in ("south", "north") for lane in ("through", "bikes", "left")
)


def document(count: int) -> dict[str, Any]:
    """Give crossroads from west to east; names begin with their number, ``0-east-in``."""
    parts = [_numbered(number) for number in range(count)]
    roads = {road["name"]: road for part in parts for road in part["roads"]}
    for number in range(count - 1):
        for start, end in ((f"{number}-east-out", f"{number + 1}-west-in"),
                           (f"{number + 1}-west-out", f"{number}-east-in")):  # fmt: skip
            out, into = roads.pop(start), roads[end]
            into["start"] = out["start"]
            names = {}
            for one, other in zip(out["lanes"], into["lanes"], strict=True):
                other["shape"] = [one["shape"][0], other["shape"][-1]]
                names[one["name"]] = other["name"]
            for part in parts:
                for movement in part["junctions"][0]["movements"]:
                    movement["to_lane"] = names.get(movement["to_lane"], movement["to_lane"])
    return {
        "roads": list(roads.values()),
        "junctions": [part["junctions"][0] for part in parts],
    }


def _numbered(number: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(crossroads.document()))
    junction = found["junctions"][0]
    for kind in ("groups", "movements"):
        junction[kind] = [each for each in junction[kind] if each["kind"] != "pedestrian"]
    junction["name"] = f"{number}-{crossroads.NAME}"
    for movement in junction["movements"]:
        for end in ("from_lane", "to_lane"):
            movement[end] = f"{number}-{movement[end]}"
    for road in found["roads"]:
        for name in ("name", "start", "end"):
            road[name] = f"{number}-{road[name]}"
        for lane in road["lanes"]:
            lane["name"] = f"{number}-{lane['name']}"
    for drawn in (
        *(lane for road in found["roads"] for lane in road["lanes"]),
        *(piece for movement in junction["movements"] for piece in movement["path"]),
    ):
        drawn["shape"] = [[x + number * APART_M, y] for x, y in drawn["shape"]]
    return found


def network(count: int) -> SignalNetwork:
    return network_from_json(document(count))


def in_force(found: SignalNetwork, wave_s: float = 30, across_s: float = 30) -> list[Programme]:
    """Give every crossroads the same two stages, left turns permissive."""
    plans = []
    for junction in found.junctions:
        case = prepare(junction, found, AS_IS)
        maker = JunctionMaker(case, lanes_of(junction, found, {}), (), 1.0)
        plans.append(maker.programme((WAVE, ACROSS), (wave_s, across_s)))
    return plans


def files(count: int = 1, **greens: float) -> tuple[bytes, bytes]:
    """Give a network and a demand of a quarter of an hour, mostly from west to east."""
    found = network(count)
    last = count - 1
    flows = [("0-west-in", f"{last}-east-out", 400), (f"{last}-east-in", "0-west-out", 150)]
    for number in range(count):
        flows += [
            (f"{number}-south-in", f"{number}-north-out", 150),
            (f"{number}-north-in", f"{number}-south-out", 120),
        ]
    body = "".join(
        f'<flow id="{start}" begin="0" end="900" vehsPerHour="{flow}" from="{start}" to="{end}"/>'
        for start, end, flow in flows
    )
    return network_file(
        found, in_force(found, **greens)
    ).encode(), f"<routes>{body}</routes>".encode()
