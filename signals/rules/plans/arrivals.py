"""Who comes when: a demand's own arrivals at a signal, and what a programme costs them.

Formulae of mean delay take vehicles to come evenly, or at random (``delay_of_plan``). A demand that
says when each sets out need not be taken for anything: it comes in bunches, in platoons that suit a
cycle or do not, and more in one quarter of an hour than in another. So each vehicle is followed to
the stop line at its own speed, and over it (``stop_lines``). Drivers differ by a tenth in how fast
they like to drive, as SUMO's do: who comes after whom is given paces that fill that distribution
evenly, so that the same demand always costs the same.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import NormalDist
from typing import Final

from signals.rules.junctions import GroupKind
from signals.rules.model.junction import RIGHTS, Movement, SignalNetwork, Turn
from signals.rules.model.plans import Programme
from signals.rules.model.sumo_net import SumoFile
from signals.rules.plans.delay_of_plan import LaneResult, lane_results
from signals.rules.plans.drivers import BICYCLES, Drivers
from signals.rules.plans.passing import NEAR_KERB, LaneFlow, Opposing
from signals.rules.plans.road_graph import Graph
from signals.rules.plans.routes import Journey, TurningFlows, within
from signals.rules.plans.stop_lines import (
    BEHIND_STRAIGHT,
    Gap,
    Gaps,
    StopLines,
    Vehicle,
    Walkers,
    Way,
    beside_veh,
    cruising_mps,
    from_rest_s,
    gap_across,
    gap_into,
    pull_s,
)
from signals.rules.safety.case import Case

_HOUR_S: Final = 3_600.0
_LONGEST_S: Final = 8 * 3_600
_PACES: Final = NormalDist(1.0, 0.1)
_SLOWEST, _FASTEST = 0.2, 2.0
_GOLDEN: Final = (math.sqrt(5) - 1) / 2
"""Multiples of it fill the time between 0 and 1 evenly."""
_WHOLE: Final = 1e-9

Pair = tuple[str, str]
"""Road from, road to."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A vehicle that comes to a signal."""

    at_s: float
    """When it would be at the end of its road if nobody held it."""
    pair: Pair
    pace: float
    """Of what is allowed it drives so much."""
    rides: bool
    """A bicycle."""


@dataclass(frozen=True, slots=True)
class Coming:
    """Who comes to a junction, and how it may drive there."""

    hours: float
    vehicles: Sequence[Vehicle]
    gaps: Gaps


def arrivals_of(
    file: SumoFile, journeys: Sequence[Journey], flows: TurningFlows, scale: float = 1.0
) -> tuple[Arrival, ...] | None:
    """Follow journeys at free-flow speed to every pair of roads that they pass.

    Parameters
    ----------
    file : SumoFile
    journeys : Sequence of Journey
    flows : TurningFlows
        Of the same journeys: the time that counts.
    scale : float
        By which the demand is multiplied: vehicles are left out or doubled in turn.

    Returns
    -------
    tuple of Arrival or None
        In the order of their times. None where the demand lasts for longer than eight hours: it is
        no peak.

    Notes
    -----
    A flow is spread evenly over its time. Signals on the way are driven through: behind one, who
    comes how evenly is not known from this. Cost grows with vehicles times roads.
    """
    if flows.end_s - flows.begin_s > _LONGEST_S:
        return None
    graph = Graph(file)
    longest = {
        edge.name: max(edge.lanes, key=lambda lane: lane.length_m)
        for edge in file.edges.values()
        if edge.lanes
    }
    found: list[Arrival] = []
    counted = due = 0.0
    for journey in journeys:
        if journey.walks:
            continue
        roads = journey.roads if journey.whole else graph.way(journey.roads)
        vehicles = within(journey, flows.begin_s, flows.end_s) * scale
        if vehicles <= 0 or roads is None:
            continue
        due += vehicles
        number = math.floor(due - counted + _WHOLE)
        first_s = max(journey.depart_s, flows.begin_s)
        open_s = max(min(journey.until_s, flows.end_s) - first_s, 0.0)
        for place in range(number):
            counted += 1
            pace = _pace(counted)
            at_s = first_s + open_s * (place + 0.5) / number
            if journey.from_rest:
                allowed_mps = min(longest[roads[0]].speed_mps * pace, journey.drivers.top_mps)
                at_s += from_rest_s(allowed_mps, journey.drivers.acceleration_mps2)
            for start, end in pairwise(roads):
                road = longest[start]
                speed_mps = min(road.speed_mps * pace, journey.drivers.top_mps)
                at_s += road.length_m / cruising_mps(speed_mps, journey.drivers.acceleration_mps2)
                found.append(Arrival(at_s, (start, end), pace, journey.bicycle))
    return tuple(sorted(found, key=lambda each: each.at_s))


def _pace(number: float) -> float:
    return pace_of((number * _GOLDEN) % 1)


def pace_of(share: float) -> float:
    """Give the pace below which so large a share of all drivers stays."""
    return min(max(_PACES.inv_cdf(min(max(share, 1e-3), 1 - 1e-3)), _SLOWEST), _FASTEST)


def coming_to(
    case: Case, flows: TurningFlows, arrivals: Sequence[Arrival], lanes: Sequence[LaneFlow]
) -> Coming:
    """Give who comes to a junction, the lanes that each may take, and whom it gives way to.

    Parameters
    ----------
    case : Case
    flows : TurningFlows
    arrivals : Sequence of Arrival
    lanes : Sequence of LaneFlow
        ``lanes_of`` the junction: ways name them by their place.
    """
    junction, network = case.junction, case.network
    place = {lane.lane: index for index, lane in enumerate(lanes)}
    group = {each.name: index for index, each in enumerate(junction.groups)}
    driven: dict[Pair, dict[tuple[int, int], Way]] = {}
    ridden: dict[Pair, dict[tuple[int, int], Way]] = {}
    for movement in junction.movements:
        if movement.kind is GroupKind.PEDESTRIAN:
            continue
        rides = movement.kind is GroupKind.BICYCLE
        drivers = BICYCLES if rides else flows.drivers
        way = _way(movement, network, drivers, place[movement.from_lane], group[movement.group])
        pair = network.road_of[movement.from_lane].name, network.road_of[movement.to_lane].name
        (ridden if rides else driven).setdefault(pair, {}).setdefault((way.lane, way.group), way)
    vehicles = []
    for each in arrivals:
        first, second = (ridden, driven) if each.rides else (driven, ridden)
        ways = first.get(each.pair) or second.get(each.pair)
        if ways:
            vehicles.append(Vehicle(each.at_s, each.pace, tuple(ways.values())))
    gaps = _gaps(case, flows.drivers)
    return Coming((flows.end_s - flows.begin_s) / _HOUR_S, vehicles, gaps)


def _way(
    movement: Movement, network: SignalNetwork, drivers: Drivers, lane: int, group: int
) -> Way:
    allowed_mps = max(min(network.lanes[movement.from_lane].speed_mps, drivers.top_mps), 1.0)
    speed_mps = min(drivers.speed_mps(movement), allowed_mps)
    room_m = movement.pieces[0].length_m if len(movement.pieces) > 1 else 0.0
    return Way(
        lane,
        group,
        _HOUR_S / drivers.saturation_flow_vph(movement),
        pull_s(speed_mps, allowed_mps, drivers.acceleration_mps2),
        speed_mps,
        allowed_mps,
        drivers.acceleration_mps2,
        drivers.space_m,
        drivers.inside_veh(movement) or 1,
        beside_veh(room_m, drivers.space_m),
    )


def _gaps(case: Case, drivers: Drivers) -> Gaps:
    """Give what each group that gives way needs; of several movements the most."""
    junction = case.junction
    by_group: dict[str, list[Movement]] = {}
    for movement in junction.movements:
        by_group.setdefault(movement.group, []).append(movement)
    found: dict[int, dict[int, Gap]] = {}
    for pair in case.pairs:
        if not pair.yields:
            continue
        needed = [
            _gap(one, other, case.network, drivers, merging=pair.merging)
            for one in by_group.get(junction.groups[pair.one].name, ())
            for other in by_group.get(junction.groups[pair.other].name, ())
        ]
        if needed:
            found.setdefault(pair.one, {})[pair.other] = Gap(
                max(each.clear_s for each in needed), max(each.lead_s for each in needed)
            )
    return found


def _gap(
    one: Movement, other: Movement, network: SignalNetwork, drivers: Drivers, *, merging: bool
) -> Gap:
    car_m = max(drivers.space_m - 2.5, 1.0)
    lane = network.lanes.get(other.from_lane)
    speed_mps = drivers.speed_mps(other)
    allowed_mps = speed_mps if lane is None else min(lane.speed_mps, drivers.top_mps)
    if merging and one.turn in RIGHTS and other.turn is Turn.STRAIGHT:
        return BEHIND_STRAIGHT
    if merging:
        return gap_into(other.length_m, speed_mps, allowed_mps, car_m)
    rest = one.pieces[1:] or one.pieces
    rest_m = sum(each.length_m for each in rest)
    across_mps = min(speed_mps, allowed_mps)
    return gap_across(rest_m, drivers.acceleration_mps2, other.length_m, across_mps, car_m)


def results_as_they_come(
    programme: Programme, lanes: Sequence[LaneFlow], opposing: Opposing, coming: Coming
) -> tuple[LaneResult, ...]:
    """Give lanes' delay and flow when everybody comes at its time and takes the lane that suits.

    Parameters
    ----------
    programme : Programme
    lanes, opposing
        As for ``lane_results``, which gives capacities, and people on foot.
    coming : Coming

    Notes
    -----
    Cost grows with seconds times lanes: a tenth of a second for an hour at a junction.
    """
    walkers = _walkers(programme, lanes)
    groups = {way.group for vehicle in coming.vehicles for way in vehicle.ways} | set(walkers)
    lines = StopLines(programme, len(lanes), sorted(groups), _known(coming.gaps, groups), walkers)
    lines.drive(coming.vehicles)
    total_s: dict[int, float] = {}
    number: dict[tuple[int, int], int] = {}
    for lane, group, delay_s in lines.delays:
        total_s[lane] = total_s.get(lane, 0.0) + delay_s
        number[lane, group] = number.get((lane, group), 0) + 1
    taken = [
        lane if lane.walk_s > 0 else _taken(lane, place, number, coming.hours)
        for place, lane in enumerate(lanes)
    ]
    even = lane_results(programme, taken, opposing, coming.hours)
    found = []
    for place, result in enumerate(even):
        if place not in total_s:
            found.append(result)
            continue
        delay_s = total_s[place] / (result.flow_vph * coming.hours)
        # The formula's own sum of what is even and what is chance is of no use here.
        grown_s = max(delay_s - (result.delay_s - result.grown_s), 0.0)
        found.append(replace(result, delay_s=delay_s, grown_s=grown_s))
    return tuple(found)


def _known(gaps: Gaps, groups: set[int]) -> Gaps:
    """Leave out streams that nobody is in."""
    return {
        group: {other: gap for other, gap in against.items() if other in groups}
        for group, against in gaps.items()
    }


def _taken(
    lane: LaneFlow, place: int, number: Mapping[tuple[int, int], int], hours: float
) -> LaneFlow:
    """Give a lane with those who took it."""
    flows = tuple(
        (group, number.get((place, group), 0) / hours, rate) for group, _, rate in lane.flows_vph
    )
    return replace(lane, flows_vph=flows)


def _walkers(programme: Programme, lanes: Sequence[LaneFlow]) -> dict[int, Walkers]:
    """Give people on foot as those see them who turn over their crossing."""
    found = {}
    cycle_s = programme.cycle_s
    for lane in lanes:
        if lane.walk_s <= 0 or lane.flow_vph <= 0:
            continue
        every_s = _HOUR_S / lane.flow_vph
        from_one = -math.expm1(-cycle_s / every_s / 2)
        begins_s = lane.walk_s * from_one * (1 + (1 - from_one) * NEAR_KERB)
        in_way_s = lane.walk_s * (1 + NEAR_KERB) / 2
        found[lane.flows_vph[0][0]] = Walkers(every_s, in_way_s, begins_s)
    return found
