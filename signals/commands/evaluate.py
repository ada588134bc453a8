"""``evaluate``: drive a network's signals in SUMO, seed by seed, and say how its people fared."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

from pydantic import JsonValue

from city.command_line import CommandLine
from city.errors import Invalid, Unavailable
from signals.adapters.sumo.simulator import Simulator
from signals.plan_making import SIMULATE_S, make_plans
from signals.problem import Problem, add_arguments, read_problem
from signals.rules.model.files import read_plans
from signals.rules.model.plans import Programme
from signals.rules.simulation.actuated import actuated
from signals.rules.simulation.outcome import Outcome, intervals_of, means_of, outcome_of
from signals.rules.simulation.shown import violations_shown

SUMMARY: Final = "drive plans in a simulation and measure delay, stops and safety with intervals"
CONTROLLERS: Final = ("current", "sumo-actuated", "plan", "coordinated")
_MOST_SEEDS: Final = 100

_EXAMPLE: Final = """python -m signals evaluate --network net.xml --demand rou.xml --controller plan

CONTROLLER: current (the network's own plans), sumo-actuated (their stages, extended by detectors),
plan and coordinated (made here from the demand), or plan with --plans FILE. A run goes on until
everybody has arrived; delay is time lost plus the wait for a place to start, a trip."""


def run(arguments: Sequence[str]) -> int:
    """Print every seed's figures, their means and intervals; return 0."""
    line = CommandLine("signals", "evaluate", SUMMARY, _EXAMPLE)
    add_arguments(line)
    line.add_argument("--controller", choices=CONTROLLERS, required=True, help="who switches")
    line.add_argument("--seeds", metavar="N,N", default="1,2,3", help="one run each (1,2,3)")
    line.add_argument("--scale", type=float, metavar="X", default=1.0, help="demand times X (1)")
    line.add_argument("--close", metavar="LANE", action="append", default=[], help="shut a lane")
    line.add_argument("--plans", metavar="FILE", help="drive these plans; with --controller plan")
    line.add_argument(
        "--simulate",
        type=float,
        metavar="S",
        default=SIMULATE_S,
        help=f"refine plan and coordinated by driving them for so long ({SIMULATE_S:g}); 0: not",
    )
    line.add_argument(
        "--detector-failure",
        type=float,
        metavar="SHARE",
        default=0.0,
        help="share of detectors that fail; fixed plans have none",
    )
    given = line.parse_args(arguments)
    seeds = _seeds(line, given.seeds)
    if not given.simulate >= 0:
        line.error("--simulate must not be negative")
    if not 0 <= given.detector_failure <= 1:
        line.error("--detector-failure must lie from 0 to 1")
    if given.detector_failure > 0 and given.controller == "sumo-actuated":
        line.error("--detector-failure: SUMO's own actuated control cannot lose its detectors")
    problem = read_problem(
        line,
        given.network,
        given.demand,
        given.profile,
        begin_s=given.begin,
        end_s=given.end,
        scale=given.scale,
        closed_lanes=given.close,
    )
    if not problem.drivable:
        line.error(f"{given.network}: only a SUMO network can be driven")
    try:
        with Simulator(
            problem.content,
            problem.demand,
            problem.flows.begin_s,
            problem.flows.end_s,
            scale=given.scale,
            closed_lanes=given.close,
        ) as simulator:
            programmes = _programmes(line, problem, given.controller, given.plans, given.simulate)
            outcomes = [drive(problem, simulator, programmes, seed) for seed in seeds]
    except (Invalid, Unavailable) as error:
        line.error(str(error))
    line.answer(
        {
            "controller": given.controller,
            "network": given.network,
            "profile": problem.profile.name,
            "begin_s": problem.flows.begin_s,
            "end_s": problem.flows.end_s,
            "scale": given.scale,
            "closed": given.close,
            **answer(outcomes),
        }
    )
    return 0


def drive(
    problem: Problem, simulator: Simulator, programmes: Sequence[Programme] | None, seed: int
) -> Outcome:
    """Drive one seed and judge all that was shown."""
    driven = simulator.drive(programmes, seed, watch=True)
    cases = {name: problem.case_of(name) for name in driven.shown if name in problem.junctions}
    violations = violations_shown(cases, driven.shown)
    return outcome_of(
        seed,
        driven.trips,
        driven.walks_s,
        teleports=driven.teleports,
        safety_violations=len(violations),
    )


def answer(outcomes: Sequence[Outcome]) -> dict[str, JsonValue]:
    """Give the figures of all seeds, rounded."""
    return {
        "seeds": [
            {name: _rounded(value) for name, value in asdict(each).items()} for each in outcomes
        ],
        "mean": {name: _rounded(value) for name, value in means_of(outcomes).items()},
        "interval95": {
            name: None if pair is None else [round(pair[0], 3), round(pair[1], 3)]
            for name, pair in intervals_of(outcomes).items()
        },
        # Plans of fixed times decide nothing while they run, and SUMO does not tell its own time.
        "decision_ms_p99": None,
    }


def _programmes(
    line: CommandLine,
    problem: Problem,
    controller: str,
    plans: str | None,
    simulate_s: float,
) -> tuple[Programme, ...] | None:
    if plans is not None and controller != "plan":
        line.error("--plans goes with --controller plan")
    if controller == "current":
        return None
    if controller == "sumo-actuated":
        return tuple(actuated(problem.case_of(each.junction), each) for each in problem.own)
    if plans is not None:
        return read_plans(line.read_bytes(plans), problem.network)
    made = make_plans(problem, coordinate=controller == "coordinated", simulate_s=simulate_s)
    for name in made.without:
        sys.stderr.write(f"{line.prog}: {name}: no plan passes; it keeps its own\n")
    return made.programmes


def _seeds(line: CommandLine, text: str) -> list[int]:
    try:
        seeds = [int(part) for part in text.split(",")]
    except ValueError:
        line.error(f"--seeds: {text!r} is no list of whole numbers")
    if not 0 < len(seeds) <= _MOST_SEEDS or min(seeds) < 0:
        line.error(f"--seeds: between 1 and {_MOST_SEEDS} numbers, none negative")
    if len(set(seeds)) < len(seeds):
        line.error("--seeds: a seed is named twice")
    return seeds


def _rounded(value: float | None) -> float | None:
    return round(value, 3) if isinstance(value, float) else value
