"""What a programme costs its traffic: delay of every lane from what its signals really show.

What a lane passes in each interval is in ``passing``. With the flow q, saturation flow s and
capacity c of a lane (veh/h), the green share u, the cycle C, x = q / c and the time T (h):

(1)  d1 = C (1 - u)^2 / (2 (1 - q / s))  for one green; else the same queue piece by piece
(2)  d2 = 900 T ((x - 1) + sqrt((x - 1)^2 + 4 x / (c T)))

(2) grows with the time for which demand exceeds capacity, and has no pole at x = 1.

Source: Highway Capacity Manual 2010, equations 18-20 and 18-45 (k = 0.5, I = 1; from memory,
the text was not at hand).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from signals.rules.junctions import GroupKind
from signals.rules.model.junction import Movement, SignalledJunction, SignalNetwork
from signals.rules.model.plans import Interval, Programme, shown_only
from signals.rules.plans.drivers import CARS, Drivers
from signals.rules.plans.passing import (
    CRITICAL_GAP_S,
    MERGING_GAP_S,
    WAIT_INSIDE,
    LaneFlow,
    Opposing,
    Passing,
    Piece,
    uniform_delay_s,
    walking_delay_s,
)
from signals.rules.plans.people import People
from signals.rules.safety.clearing import Pair
from signals.rules.simulation.persons import OTHERWISE, PERSONS

_PARTS: Final = 40
"""Parts in which a flow is shared among lanes."""
_LEAST_CAPACITY_VPH: Final = 1.0
WALKING_MPS: Final = 1.3
"""How fast people walk over a crossing, not how slowly the slowest must be able to."""


@dataclass(frozen=True, slots=True)
class LaneResult:
    """How a lane fares."""

    lane: str
    flow_vph: float
    capacity_vph: float
    saturation: float
    delay_s: float
    grown_s: float = 0.0
    """Of it what chance and excess demand add, by (2)."""
    persons: float = 1.0
    """What a vehicle's delay counts."""
    on_foot: bool = False
    """A crossing, not a lane; it has no capacity."""


def lanes_of(
    junction: SignalledJunction,
    network: SignalNetwork,
    flow_vph: Mapping[tuple[str, str], float],
    bicycles_vph: Mapping[tuple[str, str], float] | None = None,
    drivers: Drivers = CARS,
    *,
    people: People | None = None,
) -> tuple[LaneFlow, ...]:
    """Share the flows of road pairs among the lanes that serve them.

    `bicycles_vph` is of those who ride; where they have no way of their own they are among the
    others. With `people` each lane knows whom it carries, and crossings with walkers come after the
    lanes; without, vehicles are what counts.

    Every pair's traffic is shared so that its lanes are as even as they can be: in small parts,
    each to the lane with the least flow ratio so far.
    """
    place = {group.name: index for index, group in enumerate(junction.groups)}
    losses: dict[str, float] = {}
    inside: dict[str, int] = {}
    bicycles = bicycles_vph or {}
    shared = movement_flows_vph(junction, network, flow_vph, bicycles_vph, drivers)
    found: dict[str, dict[int, list[float]]] = {}
    carried: dict[str, float] = {}
    crossings: list[LaneFlow] = []
    cars = drivers
    for movement in junction.movements:
        if movement.kind is GroupKind.PEDESTRIAN:
            crossing = None if people is None else _crossing(movement, place, people)
            if crossing is not None:
                crossings.append(crossing)
            continue
        drivers = cars
        if people is not None:
            if movement.kind is GroupKind.BICYCLE:
                drivers = people.riders
            each = _persons(movement, network, flow_vph, bicycles, people)
            lane = movement.from_lane
            carried[lane] = carried.get(lane, 0.0) + shared[movement.name] * each
        group = found.setdefault(movement.from_lane, {}).setdefault(
            place[movement.group], [0.0, math.inf]
        )
        group[0] += shared[movement.name]
        group[1] = min(group[1], drivers.saturation_flow_vph(movement))
        losses[movement.from_lane] = max(
            losses.get(movement.from_lane, 0.0), drivers.start_loss_s(movement)
        )
        room = drivers.inside_veh(movement)
        if room is not None:
            inside[movement.from_lane] = max(inside.get(movement.from_lane, room), room)
    return tuple(
        LaneFlow(
            lane,
            tuple((group, flow, rate) for group, (flow, rate) in groups.items()),
            losses[lane],
            inside.get(lane, WAIT_INSIDE),
            _over(carried.get(lane), sum(flow for flow, _ in groups.values())),
        )
        for lane, groups in found.items()
    ) + tuple(crossings)


def _over(persons: float | None, vehicles: float) -> float:
    return persons / vehicles if persons is not None and vehicles > 0 else 1.0


def _persons(
    movement: Movement,
    network: SignalNetwork,
    flow_vph: Mapping[tuple[str, str], float],
    bicycles_vph: Mapping[tuple[str, str], float],
    people: People,
) -> float:
    """Give how many persons are in a vehicle or on a bicycle of a movement."""
    if movement.kind is GroupKind.BICYCLE:
        return PERSONS["bicycle"]
    pair = (network.road_of[movement.from_lane].name, network.road_of[movement.to_lane].name)
    vehicles, riders = flow_vph.get(pair, 0.0), bicycles_vph.get(pair, 0.0)
    carried = people.persons_ph.get(pair, OTHERWISE * vehicles) + PERSONS["bicycle"] * riders
    return _over(carried, vehicles + riders)


def _crossing(movement: Movement, place: Mapping[str, int], people: People) -> LaneFlow | None:
    """Give a crossing with people on it; None without."""
    lane = movement.pieces[0].name if movement.pieces else movement.name
    flow = people.walkers_ph.get(lane, 0.0)
    if flow <= 0:
        return None
    walk_s = max(movement.length_m, 1.0) / WALKING_MPS
    flows = ((place[movement.group], flow, math.inf),)
    return LaneFlow(lane, flows, 0.0, persons=PERSONS["pedestrian"], walk_s=walk_s)


def movement_flows_vph(
    junction: SignalledJunction,
    network: SignalNetwork,
    flow_vph: Mapping[tuple[str, str], float],
    bicycles_vph: Mapping[tuple[str, str], float] | None = None,
    drivers: Drivers = CARS,
) -> dict[str, float]:
    """Give every movement's share of its pair of roads, by movement."""
    bicycles = bicycles_vph or {}
    driven: dict[tuple[str, str], list[Movement]] = {}
    ridden: dict[tuple[str, str], list[Movement]] = {}
    for movement in junction.movements:
        if movement.kind is GroupKind.PEDESTRIAN:
            continue
        pair = (
            network.road_of[movement.from_lane].name,
            network.road_of[movement.to_lane].name,
        )
        by_pair = ridden if movement.kind is GroupKind.BICYCLE else driven
        by_pair.setdefault(pair, []).append(movement)
    parts: list[tuple[list[Movement], float]] = []
    for pair in driven.keys() | ridden.keys():
        vehicles, riders = flow_vph.get(pair, 0.0), bicycles.get(pair, 0.0)
        if pair not in ridden or pair not in driven:
            parts.append((driven.get(pair) or ridden[pair], vehicles + riders))
        else:
            parts += [(driven[pair], vehicles), (ridden[pair], riders)]
    load: dict[str, float] = {}
    shared: dict[str, float] = {movement.name: 0.0 for movement in junction.movements}
    # Pairs with the fewest lanes have the least choice.
    parts.sort(key=lambda each: (len({m.from_lane for m in each[0]}), each[0][0].name))
    for movements, flow in parts:
        lanes = {movement.from_lane: movement for movement in movements}
        for _ in range(_PARTS if flow > 0 else 0):
            lane = min(lanes, key=lambda name: load.get(name, 0.0))
            movement = lanes[lane]
            shared[movement.name] += flow / _PARTS
            load[lane] = load.get(lane, 0.0) + (
                flow / _PARTS / drivers.saturation_flow_vph(movement)
            )
    return shared


def opposing_of(pairs: Sequence[Pair]) -> dict[int, dict[int, float]]:
    """Give the groups to which each group gives way, and the gap that it needs in each (s)."""
    found: dict[int, dict[int, float]] = {}
    for pair in pairs:
        if pair.yields:
            gap_s = MERGING_GAP_S if pair.merging else CRITICAL_GAP_S
            found.setdefault(pair.one, {})[pair.other] = gap_s
    return found


def lane_results(
    programme: Programme,
    lanes: Sequence[LaneFlow],
    opposing: Opposing,
    hours: float = 1.0,
) -> tuple[LaneResult, ...]:
    """Give delay and saturation of every lane under a programme.

    Parameters
    ----------
    programme : Programme
    lanes : Sequence of LaneFlow
    opposing : Mapping
        ``opposing_of`` the junction's pairs.
    hours : float
        For how long the demand lasts; T of (2).

    Notes
    -----
    Cost grows with lanes times intervals.
    """
    intervals = shown_only(programme).intervals
    passing = Passing(intervals, lanes, opposing)
    return tuple(_result(lane, passing, intervals, hours) for lane in lanes)


def passing_pieces(
    programme: Programme,
    lane: LaneFlow,
    lanes: Sequence[LaneFlow],
    opposing: Opposing,
) -> list[Piece]:
    """Give the pieces that a lane's cycle falls into, from the programme's start.

    All of a junction's lanes are needed for those to which it gives way.
    """
    intervals = shown_only(programme).intervals
    found = Passing(intervals, lanes, opposing).pieces(lane, queued=False)
    return [piece for pieces in found for piece in pieces if piece[0] > 0]


def total_delay_s(results: Sequence[LaneResult]) -> float:
    """Give seconds of delay per hour of demand, of persons or vehicles as the lanes count them."""
    return sum(each.flow_vph * each.delay_s * each.persons for each in results)


def _result(
    lane: LaneFlow, passing: Passing, intervals: Sequence[Interval], hours: float
) -> LaneResult:
    """Give a lane's result."""
    flow_vph = lane.flow_vph
    if flow_vph <= 0:
        return LaneResult(lane.lane, 0.0, 0.0, 0.0, 0.0)
    if lane.walk_s > 0:
        wait_s = walking_delay_s(intervals, lane.flows_vph[0][0])
        walking = (lane.persons, True)
        return LaneResult(lane.lane, flow_vph, math.inf, 0.0, wait_s, 0.0, *walking)
    cycle_s = sum(each.duration_s for each in intervals)
    queued = [piece for pieces in passing.pieces(lane, queued=True) for piece in pieces]
    running = [piece for pieces in passing.pieces(lane, queued=False) for piece in pieces]
    passed_s = sum(lasts_s * share for lasts_s, share in queued)
    capacity_vph = max(lane.served_vph * passed_s / cycle_s, _LEAST_CAPACITY_VPH)
    x = flow_vph / capacity_vph
    uniform_s = uniform_delay_s(running, flow_vph, lane.served_vph)
    grown_s = grown_delay_s(x, capacity_vph, hours)
    delay_s = uniform_s + grown_s
    return LaneResult(lane.lane, flow_vph, capacity_vph, x, delay_s, grown_s, lane.persons)


def grown_delay_s(x: float, capacity_vph: float, hours: float) -> float:
    """Give (2): what chance and excess demand add to the uniform delay."""
    excess = x - 1
    return 900 * hours * (excess + math.sqrt(excess**2 + 4 * x / (capacity_vph * hours)))
