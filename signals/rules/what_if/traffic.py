"""A junction's traffic as the warrant sees it: its approaches, their lanes, who turns where."""

from collections.abc import Mapping

from signals.rules.model.junction import (
    SignalledJunction,
    SignalNetwork,
    Turn,
    approach_bearing_deg,
)
from signals.rules.plans.delay_of_plan import movement_flows_vph
from signals.rules.what_if.lane_functions import car_lanes
from signals.rules.what_if.warrant import Approach, Warrant, warrant


def warrant_of(
    network: SignalNetwork,
    junction: SignalledJunction,
    flow_vph: Mapping[tuple[str, str], float],
    hours: float,
) -> Warrant | None:
    """Judge whether a junction's traffic asks for a signal; None where no two roads meet there."""
    flows = movement_flows_vph(junction, network, flow_vph)
    approaches = []
    for road in network.approaches(junction):
        lanes = car_lanes(junction, road)
        if not lanes:
            continue
        mine = {lane.name for lane in lanes}
        by_turn: dict[Turn, float] = {}
        for movement in junction.movements:
            if movement.from_lane in mine:
                by_turn[movement.turn] = by_turn.get(movement.turn, 0.0) + flows[movement.name]
        bearing = approach_bearing_deg(road)
        approaches.append(Approach(road.name, bearing, len(lanes), by_turn))
    return warrant(approaches, hours)
