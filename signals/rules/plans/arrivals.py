"""Who comes when: a demand's own arrivals at a signal, and what a programme costs them.

Formulae of mean delay take vehicles to come evenly, or at random (``delay_of_plan``). A demand that
says when each sets out need not be taken for anything: it comes in bunches, in platoons that suit a
cycle or do not, and more in one quarter of an hour than in another. So, second by second, with a(t)
who comes to a lane's stop line and s(t) what the lane passes then (``passing``):

(1)  Q(t + 1) = Q(t) + a(t) - min(Q(t) + a(t), s(t))
(2)  d = (sum of Q(t) + what comes and goes within a second, at half of it) / sum of a

Source: cumulative arrivals and departures of a deterministic queue (Newell, Applications of
Queueing Theory, 1971). What SUMO's drivers do beyond it is chance in how they drive.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from signals.rules.junctions import GroupKind
from signals.rules.model.junction import SignalledJunction, SignalNetwork
from signals.rules.model.plans import Programme
from signals.rules.model.sumo_net import SumoFile
from signals.rules.plans.delay_of_plan import LaneResult, movement_flows_vph, passing_pieces
from signals.rules.plans.passing import LaneFlow, Opposing
from signals.rules.plans.road_graph import Graph
from signals.rules.plans.routes import Journey, TurningFlows, within

_HOUR_S: Final = 3_600.0
_LONGEST_S: Final = 8 * 3_600
_TINY: Final = 1e-9

Series = NDArray[np.float64]
"""Vehicles in each second from the begin of the demand."""
Pair = tuple[str, str]


@dataclass(frozen=True)
class Arrivals:
    """Who would come to each pair of roads when, if nobody were ever held."""

    begin_s: float
    driven: Mapping[Pair, Series]
    ridden: Mapping[Pair, Series]


@dataclass(frozen=True)
class Coming:
    """Who comes to a junction's stop lines when, if nobody is held before."""

    begin_s: float
    """When the first second is, by the clock that offsets of programmes are of."""
    lanes: Mapping[str, Series]


def arrivals_of(
    file: SumoFile, journeys: Sequence[Journey], flows: TurningFlows, scale: float = 1.0
) -> Arrivals | None:
    """Follow journeys at free-flow speed to every pair of roads that they pass.

    Parameters
    ----------
    file : SumoFile
    journeys : Sequence of Journey
    flows : TurningFlows
        Of the same journeys: the time that counts, and how fast they drive at most.
    scale : float
        By which the demand is multiplied.

    Returns
    -------
    Arrivals or None
        None where the demand lasts for longer than eight hours: it is no peak.

    Notes
    -----
    A flow is spread evenly over its time. Signals on the way are driven through: behind one, who
    comes how evenly is not known from this. Cost grows with journeys times roads, and with seconds
    times pairs.
    """
    lasts_s = math.ceil(flows.end_s - flows.begin_s)
    if lasts_s > _LONGEST_S:
        return None
    graph = Graph(file)
    slowest = {
        edge.name: max(lane.length_m for lane in edge.lanes) / flows.drivers.top_mps
        for edge in file.edges.values()
        if edge.lanes
    }
    time_s = {road: max(each_s, slowest[road]) for road, each_s in graph.time_s.items()}
    driven: dict[Pair, list[tuple[float, float, float]]] = {}
    ridden: dict[Pair, list[tuple[float, float, float]]] = {}
    for journey in journeys:
        if journey.walks:
            continue
        vehicles = within(journey, flows.begin_s, flows.end_s) * scale
        roads = journey.roads if journey.whole else graph.way(journey.roads)
        if vehicles <= 0 or roads is None:
            continue
        first_s = max(journey.depart_s, flows.begin_s) - flows.begin_s
        open_s = max(min(journey.until_s, flows.end_s) - flows.begin_s - first_s, 0.0)
        counted, on_way_s = ridden if journey.bicycle else driven, 0.0
        for start, end in pairwise(roads):
            on_way_s += time_s.get(start, 0.0)
            counted.setdefault((start, end), []).append((first_s + on_way_s, open_s, vehicles))
    return Arrivals(
        flows.begin_s,
        {pair: _series(each) for pair, each in driven.items()},
        {pair: _series(each) for pair, each in ridden.items()},
    )


def _series(coming: Sequence[tuple[float, float, float]]) -> Series:
    last_s = max(first_s + open_s for first_s, open_s, _ in coming)
    found = np.zeros(int(last_s) + 1)
    for first_s, open_s, vehicles in coming:
        start, end = int(first_s), int(first_s + open_s)
        found[start : end + 1] += vehicles / (end + 1 - start)
    return found


def lane_arrivals(
    junction: SignalledJunction, network: SignalNetwork, flows: TurningFlows, arrivals: Arrivals
) -> Coming:
    """Share who comes among lanes, as ``lanes_of`` shares flows."""
    shared = movement_flows_vph(
        junction, network, flows.flow_vph, flows.bicycles_vph, flows.drivers
    )
    apart = {
        _pair(network, each.from_lane, each.to_lane)
        for each in junction.movements
        if each.kind is GroupKind.BICYCLE
    }
    found: dict[str, Series] = {}
    for movement in junction.movements:
        if movement.kind is GroupKind.PEDESTRIAN or shared[movement.name] <= 0:
            continue
        pair = _pair(network, movement.from_lane, movement.to_lane)
        vehicles, riders = flows.flow_vph.get(pair, 0.0), flows.bicycles_vph.get(pair, 0.0)
        rides = movement.kind is GroupKind.BICYCLE
        if pair not in apart or (rides and _only_ridden(junction, network, pair)):
            parts, whole = [arrivals.driven.get(pair), arrivals.ridden.get(pair)], vehicles + riders
        else:
            parts = [(arrivals.ridden if rides else arrivals.driven).get(pair)]
            whole = riders if rides else vehicles
        for part in parts:
            if part is not None and whole > 0:
                share = part * (shared[movement.name] / whole)
                found[movement.from_lane] = _added(found.get(movement.from_lane), share)
    return Coming(arrivals.begin_s, found)


def _pair(network: SignalNetwork, start: str, end: str) -> Pair:
    return network.road_of[start].name, network.road_of[end].name


def _only_ridden(junction: SignalledJunction, network: SignalNetwork, pair: Pair) -> bool:
    return all(
        each.kind is not GroupKind.VEHICLE or _pair(network, each.from_lane, each.to_lane) != pair
        for each in junction.movements
        if each.kind is not GroupKind.PEDESTRIAN
    )


def _added(one: Series | None, other: Series) -> Series:
    if one is None:
        return other
    longer, shorter = (one, other) if len(one) >= len(other) else (other, one)
    found = longer.copy()
    found[: len(shorter)] += shorter
    return found


def results_as_they_come(
    programme: Programme,
    results: Sequence[LaneResult],
    lanes: Sequence[LaneFlow],
    opposing: Opposing,
    coming: Coming,
) -> tuple[LaneResult, ...]:
    """Give lanes' delay by (1) and (2) in place of that of even or random arrivals.

    Parameters
    ----------
    programme : Programme
    results : Sequence of LaneResult
        By ``lane_results``; capacity and saturation stay.
    lanes, opposing
        As there.
    coming : Coming
        ``lane_arrivals`` of the junction.

    Notes
    -----
    Cost grows with seconds times lanes: a tenth of a second for an hour at a junction.
    """
    found = []
    for lane, result in zip(lanes, results, strict=True):
        series = coming.lanes.get(lane.lane)
        if series is None or result.flow_vph <= 0:
            found.append(result)
            continue
        pieces = passing_pieces(programme, lane, lanes, opposing)
        delay_s = _delay_s(pieces, lane.served_vph / _HOUR_S, programme, series, coming.begin_s)
        # The formula's own sum of what is even and what is chance is of no use here.
        grown_s = max(delay_s - (result.delay_s - result.grown_s), 0.0)
        found.append(replace(result, delay_s=delay_s, grown_s=grown_s))
    return tuple(found)


def _delay_s(
    pieces: Sequence[tuple[float, float]],
    served_vps: float,
    programme: Programme,
    series: Series,
    begin_s: float,
) -> float:
    """Give the mean delay of a lane's vehicles."""
    edges = np.cumsum([0.0, *(lasts_s for lasts_s, _ in pieces)])
    passed = np.cumsum([0.0, *(lasts_s * share * served_vps for lasts_s, share in pieces)])
    cycle_s, cycle_veh = float(edges[-1]), float(passed[-1])
    # Until those who are left when the last has come have gone, too.
    cycles = min(float(series.sum()) / max(cycle_veh, _TINY), _LONGEST_S / cycle_s) + 1
    came_veh = np.concatenate([series, np.zeros(math.ceil(cycles * cycle_s))])
    seconds = np.arange(len(came_veh) + 1) + begin_s - programme.offset_s
    upto = np.floor(seconds / cycle_s) * cycle_veh + np.interp(seconds % cycle_s, edges, passed)
    queue = waited_s = 0.0
    for second, (came, most) in enumerate(
        zip(came_veh.tolist(), np.diff(upto).tolist(), strict=True)
    ):
        there = queue + came
        gone = min(there, most)
        queue = there - gone
        # Who stays, stays for the second; of who goes, only who was there before has waited for it.
        waited_s += queue + max(gone - came, 0.0) / 2
        if queue < _TINY and second >= len(series):
            break
    return waited_s / max(float(series.sum()), _TINY)
