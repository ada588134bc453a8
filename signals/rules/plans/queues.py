"""Queues against the room that roads have for them, where more come than can go.

Delay alone lets a queue stand wherever that is cheapest, also on a short road whose other end is a
signal: there it stands in the junction before and holds up those who want elsewhere. With the flow
v and the capacity c of a lane (veh/h), its delay d without what grows (s), and the hours T:

(1)  Q = max(0, v - c) T + 2 v d / 3600          at the end of the demand, the back of the red's
(2)  C = 3600 k / 2 sum over lanes of max(0, Q - S)    beside the delay, of a second's vehicles
(3)  m = min(1, (min(v, c) + S / T) / v)         what may be let into a road: its share of v

(1) takes the mean queue of a cycle (Little) for half of its longest. By (2) who stands beyond the
storage S counts k others whom it blocks, half of the time. By (3) the signals before let no more
into a road than leaves it or finds room on it: their greens go to others, and the rest waits
before them, where nobody is behind.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from signals.rules.model.junction import SignalledJunction, SignalNetwork
from signals.rules.plans.delay_of_plan import LaneResult

BLOCKED: Final = 3.0
"""Whom one vehicle beyond the storage holds up: about a cycle's turn into another road."""
_HOUR_S: Final = 3_600.0
_LEAST_SHARE: Final = 0.2
"""Nobody is kept out of a road for good."""

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Queue:
    """What stands in a lane at the end of the demand."""

    junction: str
    lane: str
    queue_veh: float
    storage_veh: float

    @property
    def spills(self) -> bool:
        """Whether it reaches into the junction before."""
        return self.queue_veh > self.storage_veh


def storages_veh(
    network: SignalNetwork, junction: SignalledJunction, space_m: float
) -> dict[str, float]:
    """Give how many vehicles each lane holds whose road comes straight from another signal.

    Other lanes are left out: nobody whom signals could help is behind their queue.
    """
    fed = {
        network.road_of[each.to_lane].name
        for other in network.junctions
        if other.name != junction.name
        for each in other.movements
        if each.to_lane in network.road_of
    }
    return {
        lane.name: max(lane.length_m / space_m, 1.0)
        for road in network.approaches(junction)
        if road.name in fed
        for lane in road.lanes
    }


def queue_veh(result: LaneResult, hours: float) -> float:
    """Give (1) of a lane."""
    excess = max(0.0, result.flow_vph - result.capacity_vph) * hours
    even_s = max(result.delay_s - result.grown_s, 0.0)
    return excess + 2 * min(result.flow_vph, result.capacity_vph) * even_s / _HOUR_S


def queues(
    junction: str, results: Sequence[LaneResult], storage_veh: Mapping[str, float], hours: float
) -> tuple[Queue, ...]:
    """Give the queues of the lanes whose storage is known."""
    return tuple(
        Queue(junction, each.lane, queue_veh(each, hours), storage_veh[each.lane])
        for each in results
        if each.lane in storage_veh and not each.on_foot
    )


def spill_cost_s(
    results: Sequence[LaneResult], storage_veh: Mapping[str, float], hours: float
) -> float:
    """Give (2)."""
    beyond = sum(
        max(0.0, each.queue_veh - each.storage_veh)
        for each in queues("", results, storage_veh, hours)
    )
    return _HOUR_S * BLOCKED / 2 * beyond


def shares_let_in(
    network: SignalNetwork,
    results: Sequence[LaneResult],
    storage_veh: Mapping[str, float],
    hours: float,
) -> dict[str, float]:
    """Give (3) by road, of those alone into which less may be let than wants in."""
    asked: dict[str, list[float]] = {}
    for each in results:
        if each.lane in storage_veh and not each.on_foot:
            road = asked.setdefault(network.road_of[each.lane].name, [0.0, 0.0])
            road[0] += each.flow_vph
            most = min(each.flow_vph, each.capacity_vph) + storage_veh[each.lane] / hours
            road[1] += min(each.flow_vph, most)
    return {
        name: max(most / flow, _LEAST_SHARE)
        for name, (flow, most) in asked.items()
        if flow > 0 and most < flow
    }


def metered(flow_vph: Mapping[Pair, float], share_of: Mapping[str, float]) -> dict[Pair, float]:
    """Give the flows of which each road takes its share alone."""
    return {pair: vph * share_of.get(pair[1], 1.0) for pair, vph in flow_vph.items()}
