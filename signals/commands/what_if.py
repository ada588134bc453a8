"""``what-if``: other functions of lanes, and no signal at all."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from pydantic import JsonValue

from city.command_line import CommandLine
from signals.lane_making import SECONDS, LaneChoice, WhatIf, what_if
from signals.plan_making import PROGRAMME
from signals.problem import Problem, add_arguments, read_problem
from signals.rules.model.junction import SignalNetwork
from signals.rules.model.sumo_export import network_file
from signals.rules.what_if.lane_functions import car_lanes, functions_of, network_with
from signals.rules.what_if.warrant import Warrant

SUMMARY: Final = "see what other functions of a junction's lanes, or no signal, would do"

_EXAMPLE: Final = """python -m signals what-if --network net.xml --demand rou.xml --junction J1

NET: a SUMO network or Greenbay's JSON; ROUTES: SUMO trips, vehicles or flows. For each approach the
other functions that its lanes can have are looked at, each under the best plan that passes the
safety checker; listed are those under which everybody loses less by the delay model than with the
functions that the lanes have. --out gets the SUMO network of that junction's signals with the best
of them and its plan. Beside it: what the junction would be without a signal (GB 14886-2016's peak
hour, and the delay of a road that gives way; people on foot and accidents are not judged)."""


def run(arguments: Sequence[str]) -> int:
    """Print what each choice does; return 1 where no plan passes as things are."""
    line = CommandLine("signals", "what-if", SUMMARY, _EXAMPLE)
    add_arguments(line)
    line.add_argument("--junction", metavar="NAME", help="which (the only one)")
    line.add_argument(
        "--seconds",
        type=float,
        metavar="S",
        default=SECONDS,
        help=f"how long choices are looked at ({SECONDS:g})",
    )
    line.add_argument("--out", metavar="FILE", help="where the network with the best of them goes")
    given = line.parse_args(arguments)
    if not given.seconds > 0:
        line.error("--seconds must be positive")
    problem = read_problem(
        line, given.network, given.demand, given.profile, begin_s=given.begin, end_s=given.end
    )
    name = given.junction
    if name is None and len(problem.junctions) == 1:
        name = problem.junctions[0]
    if name not in problem.junctions:
        told = ", ".join(problem.junctions[:20])
        line.error(f"--junction must be one of {told}")
    found = what_if(problem, name, given.seconds)
    if given.out:
        _write(line, Path(given.out), problem, found.best)
    line.answer(_answer(problem, found))
    return 0 if found.as_it_is.plan is not None else 1


def _write(line: CommandLine, out: Path, problem: Problem, best: LaneChoice) -> None:
    network = network_with(problem.network, best.junction)
    kept = [each for each in problem.own if each.junction != best.junction.name]
    made = [] if best.plan is None else [replace(best.plan.programme, name=PROGRAMME)]
    try:
        out.write_text(network_file(network, [*kept, *made]), encoding="utf-8")
    except OSError as error:
        line.error(f"{out}: {error.strerror or error}")


def _answer(problem: Problem, found: WhatIf) -> dict[str, JsonValue]:
    network = problem.network
    junction = network.junction_of[found.junction]
    now: dict[str, JsonValue] = {}
    for road in network.approaches(junction):
        if car_lanes(junction, road):
            kept = LaneChoice({road.name: functions_of(network, junction, road)}, junction, None)
            now |= _functions(network, kept)
    return {
        "junction": found.junction,
        "profile": problem.profile.name,
        "as_it_is": {"lanes": now, **_plan(found.as_it_is)},
        "choices": [{"lanes": _functions(network, each), **_plan(each)} for each in found.choices],
        "together": None
        if found.together is None
        else {"lanes": _functions(network, found.together), **_plan(found.together)},
        "looked_at": found.looked_at,
        "complete": found.complete,
        "without_a_signal": _warrant(found.warrant),
    }


def _functions(network: SignalNetwork, choice: LaneChoice) -> dict[str, JsonValue]:
    """Give the turns of each lane that changes, from the kerb to the middle."""
    told: dict[str, JsonValue] = {}
    for road in network.roads:
        ways = choice.functions.get(road.name)
        if ways is None:
            continue
        lanes = car_lanes(choice.junction, road)
        told |= {
            lane.name: [way.turn.value for way in each]
            for lane, each in zip(lanes, ways, strict=True)
        }
    return told


def _plan(choice: LaneChoice) -> dict[str, JsonValue]:
    plan = choice.plan
    if plan is None:
        return {"delay_s": None, "saturation": None, "cycle_s": None}
    return {
        "delay_s": round(plan.delay_s, 2),
        "saturation": round(max((each.saturation for each in plan.lanes), default=0.0), 3),
        "cycle_s": plan.programme.cycle_s,
    }


def _warrant(found: Warrant | None) -> dict[str, JsonValue] | None:
    if found is None:
        return None
    return {
        "roads_with_right_of_way": list(found.greater),
        "greater_road_vph": round(found.greater_vph),
        "lesser_approach_vph": round(found.lesser_vph),
        "asked_vph": None if found.asked_vph is None else list(found.asked_vph),
        "signal_asked_for": found.by_table,
        "over_capacity": found.delay_s is None,
        "delay_s": None if found.delay_s is None else round(found.delay_s, 2),
        "longest_approach_delay_s": None
        if found.longest_delay_s is None
        else round(found.longest_delay_s, 2),
    }
