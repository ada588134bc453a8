"""``plan``: fixed-time plans for every signal of a network from its demand."""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pydantic import JsonValue

from city.command_line import CommandLine
from signals.plan_making import SIMULATE_S, Made, make_plans
from signals.problem import add_arguments, read_problem
from signals.rules.model.document_writing import document_of
from signals.rules.model.plans import Programme
from signals.rules.model.sumo_export import additional_file
from signals.rules.plans.planning import JunctionPlan

_HOUR_S: Final = 3_600.0
SUMMARY: Final = "make fixed-time plans for every signal of a network from its demand"

_EXAMPLE: Final = """python -m signals plan --network net.xml --demand rou.xml --out plans.add.xml

NET: a SUMO network or Greenbay's JSON; ROUTES: SUMO trips, vehicles or flows. --out gets the SUMO
additional file, and the same name with .json Greenbay's document. Every plan has passed the safety
checker; one that is not better than the plan in force, by the delay model, leaves that in force.
With --coordinate neighbours run together where that helps. Of a SUMO network plans are then driven,
and better ones looked for, within --simulate seconds (as long again with --coordinate)."""


def run(arguments: Sequence[str]) -> int:
    """Write the plans and print what they do; return 1 where a junction has no safe plan."""
    line = CommandLine("signals", "plan", SUMMARY, _EXAMPLE)
    add_arguments(line)
    line.add_argument("--coordinate", action="store_true", help="set signals to each other")
    line.add_argument(
        "--simulate",
        type=float,
        metavar="S",
        default=SIMULATE_S,
        help=f"drive the plans and search for better ones so long ({SIMULATE_S:g}); 0: not at all",
    )
    line.add_argument("--out", metavar="FILE", required=True, help="where the plans go")
    given = line.parse_args(arguments)
    if not given.simulate >= 0:
        line.error("--simulate must not be negative")
    begun_s = time.perf_counter()
    problem = read_problem(
        line, given.network, given.demand, given.profile, begin_s=given.begin, end_s=given.end
    )
    flows = problem.flows
    if flows.lost:
        sys.stderr.write(f"{line.prog}: {flows.lost} journeys have no way and are left out\n")
    made = make_plans(problem, coordinate=given.coordinate, simulate_s=given.simulate)
    if made.why_not:
        sys.stderr.write(f"{line.prog}: not driven, as the model has it: {made.why_not}\n")
    if made.programmes:
        _write(line, Path(given.out), made.programmes)
    line.answer(
        {
            "network": given.network,
            "profile": problem.profile.name,
            "begin_s": flows.begin_s,
            "end_s": flows.end_s,
            "vehicles": flows.vehicles,
            "out": given.out if made.programmes else None,
            "junctions": [
                _answer(name, plan, made, persons=problem.profile.persons)
                for name, plan in made.plans.items()
            ],
            "without_plan": list(made.without),
            "queues": [
                {
                    "junction": each.junction,
                    "lane": each.lane,
                    "queue_veh": round(each.queue_veh, 1),
                    "storage_veh": round(each.storage_veh, 1),
                    "spills": each.spills,
                }
                for each in made.queues
                if each.queue_veh > 0
            ],
            **(_coordinated(made) if given.coordinate else {}),
            "driven": _driven(made),
            "solve_s": round(time.perf_counter() - begun_s, 2),
        }
    )
    for name in made.without:
        sys.stderr.write(f"{line.prog}: {name}: no plan passes profile {problem.profile.name}\n")
    return 1 if made.without else 0


def _write(line: CommandLine, out: Path, plans: Sequence[Programme]) -> None:
    document = out.with_suffix(".json") if out.suffix != ".json" else out
    sumo = out if out.suffix != ".json" else out.with_suffix(".add.xml")
    try:
        sumo.write_text(additional_file(plans), encoding="utf-8")
        document.write_bytes(_json(document_of(None, plans)))
    except OSError as error:
        line.error(f"{out}: {error.strerror or error}")


def _driven(made: Made) -> JsonValue:
    """Give what driving did: mean drain delay of what the search began with, and of its result."""
    found = made.driven
    if found is None or found.delay_s is None or found.begun_s is None:
        return None
    return {
        "begun_delay_s": round(found.begun_s, 2),
        "delay_s": round(found.delay_s, 2),
        "runs": found.runs,
    }


def _coordinated(made: Made) -> dict[str, JsonValue]:
    chosen = made.coordinated
    if chosen is None:
        return {"groups": [], "delay_vehicle_h": None, "delay_apart_vehicle_h": None}
    return {
        "groups": [
            {
                "junctions": list(group.names),
                "cycle_s": group.cycle_s,
                "twice_a_cycle": list(group.half),
                "delay_vehicle_h": round(group.delay_s / _HOUR_S, 3),
                "delay_apart_vehicle_h": round(group.apart_s / _HOUR_S, 3),
            }
            for group in chosen.groups
        ],
        "delay_vehicle_h": round(chosen.delay_s / _HOUR_S, 3),
        "delay_apart_vehicle_h": round(chosen.apart_s / _HOUR_S, 3),
    }


def _answer(
    name: str, plan: JunctionPlan | None, made: Made, *, persons: bool
) -> dict[str, JsonValue]:
    if plan is None:
        return {"junction": name, "plan": None}
    written = made.of(name)
    worst = max((lane.saturation for lane in plan.lanes), default=0.0)
    return {
        "junction": name,
        "plan": written.name,
        "cycle_s": written.cycle_s,
        "offset_s": written.offset_s,
        "delay_s": round(plan.delay_s, 2),
        "delay_in_force_s": None if plan.before_s is None else round(plan.before_s, 2),
        "kept": plan.kept,
        "saturation": round(worst, 3),
        "oversaturated": worst > 1,
        "counted": "persons" if persons else "vehicles",
        "lanes": [
            {
                "lane": lane.lane,
                "flow_vph": round(lane.flow_vph, 1),
                "capacity_vph": round(lane.capacity_vph, 1),
                "saturation": round(lane.saturation, 3),
                "delay_s": round(lane.delay_s, 2),
            }
            for lane in plan.lanes
            if lane.flow_vph > 0 and not lane.on_foot
        ],
        "crossings": [
            {
                "lane": each.lane,
                "walkers_ph": round(each.flow_vph, 1),
                "delay_s": round(each.delay_s, 2),
            }
            for each in plan.lanes
            if each.on_foot
        ],
    }


def _json(value: dict[str, JsonValue]) -> bytes:
    return (json.dumps(value, ensure_ascii=False) + "\n").encode()
