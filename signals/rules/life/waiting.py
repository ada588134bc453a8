"""What offsets cost along a street: platoons through its junctions, by `waves.platoons`.

One mean flow and one saturation flow stand for the whole street: offsets are compared with each
other, and no junction's own delay is foretold here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from signals.rules.junctions import GroupKind
from signals.rules.life.bands import Direction, Stop, common_cycle_s
from signals.rules.life.outlook import Demand
from signals.rules.model.junction import SignalNetwork
from signals.rules.plans.delay_of_plan import lanes_of
from signals.rules.waves.corridor import Traffic
from signals.rules.waves.platoons import waiting_veh
from signals.rules.waves.ways import Way

TURNING: Final = 0.2
"""Share that turns off at each signal where nobody told."""
USUAL_MPS: Final = 50 / 3.6
_LEAST_GREEN: Final = 0.02


@dataclass(frozen=True, slots=True)
class Street:
    """Vehicles that wait along a street, on average, and the delay of one that goes through."""

    outbound_veh: float | None
    """None where nobody drives that way, or no band is possible."""
    inbound_veh: float | None
    outbound_delay_s: float | None
    """Of a vehicle that passes all signals."""
    inbound_delay_s: float | None


def street_waits(
    parts: Mapping[str, SignalNetwork],
    stops: Sequence[Stop],
    demand: Demand,
    speeds_mps: tuple[float, float],
) -> Street:
    """Foretell what waits along a street.

    Cost: some milliseconds a signal.
    """
    cycle_s = common_cycle_s(stops)
    if cycle_s is None:
        return Street(None, None, None, None)
    out_mps, in_mps = speeds_mps
    last_m = stops[-1].position_m
    outbound = _waits(
        parts, [(s, s.outbound, s.position_m / out_mps) for s in stops], demand, cycle_s
    )
    inbound = _waits(
        parts,
        [(s, s.inbound, (last_m - s.position_m) / in_mps) for s in reversed(stops)],
        demand,
        cycle_s,
    )
    return Street(outbound[0], inbound[0], outbound[1], inbound[1])


def speeds_of(stops: Sequence[Stop]) -> tuple[float, float]:
    """Give what the roads permit: the slowest of each direction's."""
    out, back = (
        min((way.speed_mps for way in ways if way is not None), default=USUAL_MPS)
        for ways in ([s.outbound for s in stops], [s.inbound for s in stops])
    )
    return out, back


def _waits(
    parts: Mapping[str, SignalNetwork],
    way: Sequence[tuple[Stop, Direction | None, float]],
    demand: Demand,
    cycle_s: float,
) -> tuple[float | None, float | None]:
    flows, rates, greens, begins, reach_s = [], [], [], [], []
    for stop, direction, away_s in way:
        if direction is None or not direction.greens:
            return None, None
        flow_vph, rate_vph = _through(parts[stop.signal], direction, demand)
        longest = max(direction.greens, key=lambda arc: arc[1])
        flows.append(flow_vph)
        rates.append(rate_vph)
        greens.append(min(max(longest[1] / stop.cycle_s, _LEAST_GREEN), 1.0))
        begins.append(((longest[0] + stop.offset_s) % stop.cycle_s) / stop.cycle_s)
        reach_s.append(away_s)
    flow_vph = sum(flows) / len(flows)
    if flow_vph <= 0 or min(rates) <= 0:
        return None, None
    links_s = tuple(there - here for here, there in pairwise(reach_s))
    found = waiting_veh(
        Way(
            0,
            True,  # noqa: FBT003 - outbound by its place
            1.0,
            tuple(range(len(greens))),
            tuple(greens),
            tuple((begin,) for begin in begins),
            links_s,
            links_s,
            (0.0,) * len(links_s),
        ),
        Traffic(flow_vph, sum(rates) / len(rates), TURNING),
        [np.array(begin) for begin in begins],
        links_s,
        cycle_s,
    )
    waiting = float(found)
    return waiting, waiting * 3_600 / flow_vph


def _through(part: SignalNetwork, direction: Direction, demand: Demand) -> tuple[float, float]:
    """Give the flow and the saturation flow of the lanes that a direction's group releases."""
    junction = part.junctions[0]
    place = next(n for n, group in enumerate(junction.groups) if group.name == direction.group)
    lanes = {
        movement.from_lane
        for movement in junction.movements
        if movement.group == direction.group and movement.kind is GroupKind.VEHICLE
    }
    flow_vph = rate_vph = 0.0
    for lane in lanes_of(junction, part, demand.flow_vph):
        if lane.lane not in lanes:
            continue
        mine = [(flow, rate) for group, flow, rate in lane.flows_vph if group == place]
        flow_vph += sum(flow for flow, _ in mine)
        rate_vph += min((rate for _, rate in mine), default=0.0)
    return flow_vph, rate_vph
