"""What a programme costs its traffic: delay of every lane from what its signals really show.

A lane's movements share it, so that its vehicles pass only where each movement with traffic is
green; a permissive movement gets the gaps that the streams with right of way leave. With the flow q
and capacity c of a lane (veh/h), the green share u, the cycle C, x = q / c and the time T (h):

(1)  d1 = C (1 - u)^2 / (2 (1 - min(1, x) u))
(2)  d2 = 900 T ((x - 1) + sqrt((x - 1)^2 + 4 x / (c T)))
(3)  s_p = v e^(-v t_c / 3600) / (1 - e^(-v t_f / 3600))     permissive, against v veh/h

(2) grows with the time for which demand exceeds capacity, and has no pole at x = 1.

Source: Highway Capacity Manual 2010, equations 18-20 and 18-45 (k = 0.5, I = 1) and 31-100 (from
memory; the text was not at hand).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from signals.rules.junctions import GroupKind
from signals.rules.model.aspects import GREENS, PROTECTED, YELLOWS, Aspect
from signals.rules.model.junction import Movement, SignalledJunction, SignalNetwork
from signals.rules.model.plans import Interval, Programme, shown_only
from signals.rules.safety.clearing import Pair

REACTION_S: Final = 1.0
"""Krauss drivers' headway beyond the time to drive their own length, SUMO's default."""
CAR_M: Final = 7.5
"""A car and the gap before it at rest."""
MOST_SATURATION_VPH: Final = 1_950.0
CRITICAL_GAP_S: Final = 4.5
FOLLOW_UP_S: Final = 2.5
SNEAKERS: Final = 1.5
"""Permissive vehicles of a lane that wait inside the junction and leave as the green ends."""
START_LOSS_S: Final = 2.0
YELLOW_USED_S: Final = 2.0
_HOUR_S: Final = 3_600.0
_PARTS: Final = 40
"""Parts in which a flow is shared among lanes."""
_LEAST_CAPACITY_VPH: Final = 1.0


@dataclass(frozen=True, slots=True)
class LaneFlow:
    """A lane before the stop line, its movements and their traffic."""

    lane: str
    flows_vph: tuple[tuple[int, float, float], ...]
    """Place of the signal group, vehicles per hour, saturation flow of each movement."""

    @property
    def flow_vph(self) -> float:
        """Everybody in the lane."""
        return sum(flow for _, flow, _ in self.flows_vph)


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


def saturation_flow_vph(movement: Movement) -> float:
    """Give a lane's saturation flow by the speed at which its way is driven.

    3600 / (reaction + car / speed), with a fifth on the way for pulling away; at most 1950.
    """
    speeds = [piece.speed_mps for piece in movement.pieces]
    speed_mps = min(speeds, default=13.9)
    headway_s = REACTION_S + 1.2 * CAR_M / max(speed_mps, 1.0)
    return min(_HOUR_S / headway_s, MOST_SATURATION_VPH)


def lanes_of(
    junction: SignalledJunction,
    network: SignalNetwork,
    flow_vph: Mapping[tuple[str, str], float],
    bicycles_vph: Mapping[tuple[str, str], float] | None = None,
) -> tuple[LaneFlow, ...]:
    """Share the flows of road pairs among the lanes that serve them.

    `bicycles_vph` is of those who ride; where they have no way of their own they are among the
    others.

    Every pair's traffic is shared so that its lanes are as even as they can be: in small parts,
    each to the lane with the least flow ratio so far.
    """
    place = {group.name: index for index, group in enumerate(junction.groups)}
    shared = movement_flows_vph(junction, network, flow_vph, bicycles_vph)
    found: dict[str, dict[int, list[float]]] = {}
    for movement in junction.movements:
        if movement.kind is GroupKind.PEDESTRIAN:
            continue
        group = found.setdefault(movement.from_lane, {}).setdefault(
            place[movement.group], [0.0, math.inf]
        )
        group[0] += shared[movement.name]
        group[1] = min(group[1], saturation_flow_vph(movement))
    return tuple(
        LaneFlow(lane, tuple((group, flow, rate) for group, (flow, rate) in groups.items()))
        for lane, groups in found.items()
    )


def movement_flows_vph(
    junction: SignalledJunction,
    network: SignalNetwork,
    flow_vph: Mapping[tuple[str, str], float],
    bicycles_vph: Mapping[tuple[str, str], float] | None = None,
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
            load[lane] = load.get(lane, 0.0) + flow / _PARTS / saturation_flow_vph(movement)
    return shared


def opposing_of(pairs: Sequence[Pair]) -> dict[int, tuple[int, ...]]:
    """Give the groups to which each group gives way."""
    found: dict[int, list[int]] = {}
    for pair in pairs:
        if pair.yields:
            found.setdefault(pair.one, []).append(pair.other)
    return {one: tuple(others) for one, others in found.items()}


def lane_results(
    programme: Programme,
    lanes: Sequence[LaneFlow],
    opposing: Mapping[int, Sequence[int]],
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
    seen = _seen(intervals, lanes, opposing)
    return tuple(_result(lane, seen, intervals, hours) for lane in lanes)


def passing_shares(
    programme: Programme,
    lane: LaneFlow,
    lanes: Sequence[LaneFlow],
    opposing: Mapping[int, Sequence[int]],
) -> list[float]:
    """Give the share of its saturation flow that a lane passes in each interval that is shown.

    All of a junction's lanes are needed for those to which it gives way.
    """
    seen = _seen(shown_only(programme).intervals, lanes, opposing)
    used = [group for group, flow, _ in lane.flows_vph if flow > 0]
    return [min((each[group] for group in used), default=0.0) for each in seen]


def yellow_follows(intervals: Sequence[Interval], place: int, lane: LaneFlow) -> bool:
    """Whether some of a lane's traffic gets yellow after an interval."""
    following = intervals[(place + 1) % len(intervals)]
    return any(following.shows[group] in YELLOWS for group, flow, _ in lane.flows_vph if flow > 0)


def _seen(
    intervals: Sequence[Interval],
    lanes: Sequence[LaneFlow],
    opposing: Mapping[int, Sequence[int]],
) -> list[list[float]]:
    group_vph: dict[int, float] = {}
    for lane in lanes:
        for group, flow, _ in lane.flows_vph:
            group_vph[group] = group_vph.get(group, 0.0) + flow
    return [
        [
            _rate(interval, group, group_vph, opposing) if group in group_vph else 0.0
            for group in range(len(interval.shows))
        ]
        for interval in intervals
    ]


def total_delay_s(results: Sequence[LaneResult]) -> float:
    """Give vehicle-seconds of delay per hour of demand."""
    return sum(each.flow_vph * each.delay_s for each in results)


def _result(
    lane: LaneFlow, seen: Sequence[Sequence[float]], intervals: Sequence[Interval], hours: float
) -> LaneResult:
    """Give a lane's result; ``seen`` holds the share that each group passes in each interval."""
    flow_vph = lane.flow_vph
    used = [each for each in lane.flows_vph if each[1] > 0]
    if not used:
        return LaneResult(lane.lane, 0.0, 0.0, 0.0, 0.0)
    # Mixed traffic: the headways add up.
    served_vph = flow_vph / sum(flow / rate for _, flow, rate in used)
    cycle_s = sum(each.duration_s for each in intervals)
    count = len(intervals)
    shares = [min(seen[place][group] for group, _, _ in used) for place in range(count)]
    passed_s = 0.0
    for place, interval in enumerate(intervals):
        if shares[place] <= 0:
            continue
        lasts_s = interval.duration_s
        if shares[place - 1] <= 0:
            lasts_s = max(lasts_s - START_LOSS_S, 0.0)
        following = intervals[(place + 1) % count]
        if any(following.shows[group] in YELLOWS for group, _, _ in used):
            lasts_s += min(YELLOW_USED_S, following.duration_s)
        passed_s += shares[place] * lasts_s
    capacity_vph = served_vph * passed_s / cycle_s
    if any(0 < share < 1 for share in shares):
        capacity_vph = max(capacity_vph, SNEAKERS * _HOUR_S / cycle_s)
    capacity_vph = max(capacity_vph, _LEAST_CAPACITY_VPH)
    x = flow_vph / capacity_vph
    u = min(max(passed_s / cycle_s, 0.01), 1.0)
    uniform_s = cycle_s * (1 - u) ** 2 / (2 * (1 - min(1.0, x) * u)) if u < 1 else 0.0
    grown_s = grown_delay_s(x, capacity_vph, hours)
    return LaneResult(lane.lane, flow_vph, capacity_vph, x, uniform_s + grown_s, grown_s)


def grown_delay_s(x: float, capacity_vph: float, hours: float) -> float:
    """Give (2): what chance and excess demand add to the uniform delay."""
    excess = x - 1
    return 900 * hours * (excess + math.sqrt(excess**2 + 4 * x / (capacity_vph * hours)))


def _rate(
    interval: Interval,
    group: int,
    group_vph: Mapping[int, float],
    opposing: Mapping[int, Sequence[int]],
) -> float:
    """Give the share of its saturation flow that a group passes in an interval."""
    aspect = interval.shows[group]
    if aspect in PROTECTED:
        return 1.0
    if aspect not in GREENS and aspect not in {
        Aspect.TURN_ON_RED,
        Aspect.FLASHING_YELLOW,
        Aspect.DARK,
    }:
        return 0.0
    against_vph = sum(
        group_vph.get(other, 0.0)
        for other in opposing.get(group, ())
        if interval.shows[other] in GREENS
    )
    if aspect is Aspect.TURN_ON_RED:
        return 0.4 * math.exp(-against_vph / 800)
    if against_vph <= 0:
        return 1.0
    # Their queue goes first: while green they pass at more than their mean flow.
    against_vph = min(against_vph * 1.6, 1_800.0)
    gaps = against_vph * math.exp(-against_vph * CRITICAL_GAP_S / _HOUR_S)
    gaps /= 1 - math.exp(-against_vph * FOLLOW_UP_S / _HOUR_S)
    return min(gaps / MOST_SATURATION_VPH, 1.0)
