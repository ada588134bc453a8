"""``plan``: fixed-time plans for every signal of a network from its demand."""

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from pydantic import JsonValue

from city.command_line import CommandLine
from city.errors import Invalid
from signals.commands.check import MOST_BYTES
from signals.rules.model.document_writing import document_of
from signals.rules.model.files import read_network
from signals.rules.model.junction import SignalNetwork
from signals.rules.model.plans import Programme
from signals.rules.model.sumo_export import additional_file, network_file
from signals.rules.model.sumo_net import SumoFile, read_sumo
from signals.rules.plans.delay_of_plan import lanes_of
from signals.rules.plans.planning import JunctionPlan, plan_junction
from signals.rules.plans.routes import TurningFlows, read_journeys, turning_flows
from signals.rules.safety.case import prepare
from signals.rules.safety.profiles import PROFILES, Profile, profile_named

SUMMARY: Final = "make fixed-time plans for every signal of a network from its demand"
PROGRAMME: Final = "greenbay"
_HOUR_S: Final = 3_600.0

_EXAMPLE: Final = """python -m signals plan --network net.xml --demand rou.xml --out plans.add.xml

NET: a SUMO network or Greenbay's JSON; ROUTES: SUMO trips, vehicles or flows. --out gets the SUMO
additional file, and the same name with .json Greenbay's document. Every plan has passed the safety
checker; one that is not better than the plan in force, by the delay model, leaves that in force."""


def run(arguments: Sequence[str]) -> int:
    """Write the plans and print what they do; return 1 where a junction has no safe plan."""
    line = CommandLine("signals", "plan", SUMMARY, _EXAMPLE)
    line.add_argument("--network", metavar="NET", required=True, help="the junctions")
    line.add_argument("--demand", metavar="ROUTES", required=True, help="who drives where")
    line.add_argument("--begin", type=float, metavar="S", help="count who starts from then on")
    line.add_argument("--end", type=float, metavar="S", help="count who starts up to then")
    line.add_argument(
        "--profile", metavar="NAME", default="gb", help=f"one of {', '.join(PROFILES)} (gb)"
    )
    line.add_argument("--out", metavar="FILE", required=True, help="where the plans go")
    given = line.parse_args(arguments)
    try:
        profile = profile_named(given.profile)
    except Invalid as error:
        line.error(str(error))
    begun_s = time.perf_counter()
    try:
        content = line.read_bytes(given.network, MOST_BYTES)
        network, own = read_network(content)
        roads = read_sumo(content) if content.lstrip()[:1] == b"<" else _as_sumo(network)
    except Invalid as error:
        line.error(f"{given.network}: {error}")
    try:
        journeys = read_journeys(line.read_bytes(given.demand, MOST_BYTES))
        flows = turning_flows(roads, journeys, given.begin, given.end)
    except Invalid as error:
        line.error(f"{given.demand}: {error}")
    if flows.lost:
        sys.stderr.write(f"{line.prog}: {flows.lost} journeys have no way and are left out\n")
    made = {
        junction.name: plan_of(network, junction.name, profile, own, flows)
        for junction in network.junctions
    }
    plans = [plan.programme for plan in made.values() if plan is not None]
    if plans:
        _write(line, Path(given.out), plans)
    without = [name for name, plan in made.items() if plan is None]
    line.answer(
        {
            "network": given.network,
            "profile": profile.name,
            "begin_s": flows.begin_s,
            "end_s": flows.end_s,
            "vehicles": flows.vehicles,
            "out": given.out if plans else None,
            "junctions": [_answer(name, plan) for name, plan in made.items()],
            "without_plan": without,
            "solve_s": round(time.perf_counter() - begun_s, 2),
        }
    )
    for name in without:
        sys.stderr.write(f"{line.prog}: {name}: no plan passes profile {profile.name}\n")
    return 1 if without else 0


def plan_of(
    network: SignalNetwork,
    name: str,
    profile: Profile,
    own: Sequence[Programme],
    flows: TurningFlows,
) -> JunctionPlan | None:
    """Make one junction's plan; None where nothing safe is found."""
    junction = network.junction_of[name]
    own_here = [each for each in own if each.junction == name]
    case = prepare(junction, network, profile, own_here)
    lanes = lanes_of(junction, network, flows.flow_vph)
    hours = (flows.end_s - flows.begin_s) / _HOUR_S
    found = plan_junction(case, lanes, own_here, hours)
    if found is None:
        return None
    # SUMO takes a programme beside the network's own by its name.
    return replace(found, programme=replace(found.programme, name=PROGRAMME))


def _as_sumo(network: SignalNetwork) -> SumoFile:
    return read_sumo(network_file(network).encode())


def _write(line: CommandLine, out: Path, plans: Sequence[Programme]) -> None:
    document = out.with_suffix(".json") if out.suffix != ".json" else out
    sumo = out if out.suffix != ".json" else out.with_suffix(".add.xml")
    try:
        sumo.write_text(additional_file(plans), encoding="utf-8")
        document.write_bytes(_json(document_of(None, plans)))
    except OSError as error:
        line.error(f"{out}: {error.strerror or error}")


def _answer(name: str, plan: JunctionPlan | None) -> dict[str, JsonValue]:
    if plan is None:
        return {"junction": name, "plan": None}
    worst = max((lane.saturation for lane in plan.lanes), default=0.0)
    return {
        "junction": name,
        "plan": PROGRAMME,
        "cycle_s": plan.programme.cycle_s,
        "delay_s": round(plan.delay_s, 2),
        "delay_in_force_s": None if plan.before_s is None else round(plan.before_s, 2),
        "kept": plan.kept,
        "saturation": round(worst, 3),
        "oversaturated": worst > 1,
        "lanes": [
            {
                "lane": lane.lane,
                "flow_vph": round(lane.flow_vph, 1),
                "capacity_vph": round(lane.capacity_vph, 1),
                "saturation": round(lane.saturation, 3),
                "delay_s": round(lane.delay_s, 2),
            }
            for lane in plan.lanes
            if lane.flow_vph > 0
        ],
    }


def _json(value: dict[str, JsonValue]) -> bytes:
    return (json.dumps(value, ensure_ascii=False) + "\n").encode()
