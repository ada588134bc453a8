"""Two crossroads close to each other with more traffic than they pass."""

from __future__ import annotations

from dataclasses import replace

from signals.problem import Problem
from signals.rules.model.files import read_network
from signals.rules.model.sumo_export import network_file
from signals.rules.model.sumo_net import read_sumo
from signals.rules.plans.coordination import Site
from signals.rules.plans.planning import plan_junction
from signals.rules.plans.routes import read_journeys, turning_flows
from signals.rules.safety.profiles import AS_IS
from tests.signals import drivable

TOWN = drivable.network(2)
HOURS = 0.5


def problem(through: float, first: float, second: float) -> Problem:
    """Give two crossroads whose demand of half an hour is more than they pass."""
    content = network_file(TOWN, drivable.in_force(TOWN)).encode()
    flows = [("0-west-in", "1-east-out", through), ("1-east-in", "0-west-out", 200)]
    for number, vph in ((0, first), (1, second)):
        flows += [
            (f"{number}-south-in", f"{number}-north-out", vph),
            (f"{number}-north-in", f"{number}-south-out", vph),
        ]
    body = "".join(
        f'<flow id="{a}" begin="0" end="1800" vehsPerHour="{vph}" from="{a}" to="{b}"'
        ' departLane="best" departSpeed="max"/>'
        for a, b, vph in flows
    )
    demand = f"<routes>{body}</routes>".encode()
    network, own = read_network(content)
    roads = read_sumo(content)
    turning = turning_flows(roads, read_journeys(demand), None, None)
    return Problem(network, own, roads, turning, AS_IS, content, demand)


def sites_of(asked: Problem) -> dict[str, Site]:
    """Give the signals with the plans that each would have by itself."""
    sites = {}
    for junction in asked.network.junctions:
        case, lanes = asked.case_of(junction.name), asked.lanes_of(junction)
        own = tuple(each for each in asked.own if each.junction == junction.name)
        plan = plan_junction(case, lanes, own, HOURS)
        assert plan is not None
        named = replace(plan, programme=replace(plan.programme, name="greenbay"))
        sites[junction.name] = Site(case, lanes, own, named)
    return sites
