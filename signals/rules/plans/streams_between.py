"""Who drives from which lane of one signal to which lane of the next, and how long that takes.

Taken from the demand's whole ways, so that who turns in is told apart from who came straight on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from signals.rules.junctions import GroupKind
from signals.rules.model.junction import SignalNetwork
from signals.rules.model.sumo_net import SumoFile
from signals.rules.plans.delay_of_plan import movement_flows_vph
from signals.rules.plans.routes import TurningFlows

PULLING_AWAY_S: Final = 2.0
"""What pulling away from the stop line adds to the time at the speed limit."""
_INNER: Final = {"internal", "crossing", "walkingarea"}

Place = tuple[str, str]
"""A junction and one of its lanes."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Vehicles from a lane of one signal to a lane of the next."""

    start: Place
    end: Place
    flow_vph: float
    travel_s: float


def streams_between(
    network: SignalNetwork, roads: SumoFile, flows: TurningFlows
) -> tuple[Stream, ...]:
    """Give the streams between neighbouring signals.

    Parameters
    ----------
    network : SignalNetwork
    roads : SumoFile
        Lengths and speeds of all roads, those without a signal too.
    flows : TurningFlows
        Bicycles arrive evenly: they spread out too far.

    Notes
    -----
    A pair of roads shares its traffic among lanes as ``lanes_of`` does; lanes are taken to be
    chosen without regard to where the vehicles come from. Cost grows with the ways' length.
    """
    shares = _lane_shares(network, flows)
    time_s = {
        edge.name: max(lane.length_m / max(lane.speed_mps, 0.1) for lane in edge.lanes)
        for edge in roads.edges.values()
        if edge.lanes and edge.function not in _INNER
    }
    found: dict[tuple[Place, Place, float], float] = {}
    for way, flow_vph in flows.ways_vph.items():
        before: tuple[str, Mapping[str, float]] | None = None
        driven_s = 0.0
        for pair in pairwise(way):
            driven_s += time_s.get(pair[0], 0.0)
            here = shares.get(pair)
            if here is None:
                continue
            if before is not None:
                for start, part in before[1].items():
                    for end, other in here[1].items():
                        key = ((before[0], start), (here[0], end), round(driven_s, 1))
                        found[key] = found.get(key, 0.0) + flow_vph * part * other
            before, driven_s = here, 0.0
    return tuple(
        Stream(start, end, flow, travel_s + PULLING_AWAY_S)
        for (start, end, travel_s), flow in found.items()
        if flow > 0
    )


def _lane_shares(
    network: SignalNetwork, flows: TurningFlows
) -> dict[tuple[str, str], tuple[str, Mapping[str, float]]]:
    """Give the junction of every signalled pair of roads and the lanes' shares of its traffic."""
    found: dict[tuple[str, str], tuple[str, Mapping[str, float]]] = {}
    for junction in network.junctions:
        shared = movement_flows_vph(junction, network, flows.flow_vph, flows.bicycles_vph)
        lanes: dict[tuple[str, str], dict[str, float]] = {}
        for movement in junction.movements:
            if movement.kind is not GroupKind.VEHICLE or shared[movement.name] <= 0:
                continue
            start, end = network.road_of[movement.from_lane], network.road_of[movement.to_lane]
            here = lanes.setdefault((start.name, end.name), {})
            here[movement.from_lane] = here.get(movement.from_lane, 0.0) + shared[movement.name]
        for pair, by_lane in lanes.items():
            total = sum(by_lane.values())
            found[pair] = (junction.name, {lane: each / total for lane, each in by_lane.items()})
    return found


def coupling_of(streams: Sequence[Stream]) -> dict[tuple[str, str], float]:
    """Give how strongly neighbours hang together: vehicles an hour, both ways, over travel time.

    The longer the way, the less is left of a platoon.
    """
    found: dict[tuple[str, str], float] = {}
    for each in streams:
        if each.start[0] == each.end[0]:
            continue
        pair = (min(each.start[0], each.end[0]), max(each.start[0], each.end[0]))
        found[pair] = found.get(pair, 0.0) + each.flow_vph / each.travel_s
    return found
