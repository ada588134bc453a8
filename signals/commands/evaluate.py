"""``evaluate``: drive a network's signals in SUMO, seed by seed, and say how its people fared."""

import json
import math
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from pydantic import JsonValue

from city.command_line import CommandLine
from city.errors import Invalid, Unavailable
from signals.adapters.sumo.simulator import Control, Simulator
from signals.adaptive_making import make_adaptive, with_failures
from signals.control_making import make_peer
from signals.plan_making import SIMULATE_S, make_plans
from signals.priority_making import make_priority
from signals.problem import Problem, add_arguments, read_problem
from signals.rules.adaptive.control import Adaptive
from signals.rules.control.peers import EVERY_S, Peer, Rule
from signals.rules.model.files import read_plans
from signals.rules.model.plans import Programme
from signals.rules.priority.requests import Policy
from signals.rules.priority.running import PlanPriority
from signals.rules.simulation.actuated import actuated
from signals.rules.simulation.outcome import (
    Outcome,
    Shares,
    intervals_of,
    means_of,
    outcome_of,
    shares_of,
)
from signals.rules.simulation.shown import violations_shown

SUMMARY: Final = "drive plans in a simulation and measure delay, stops and safety with intervals"
CONTROLLERS: Final = (
    "current",
    "sumo-actuated",
    "plan",
    "coordinated",
    "max-pressure",
    "longest-queue",
    "adaptive",
)
PEERS: Final[Mapping[str, Rule]] = {
    "max-pressure": "max-pressure",
    "longest-queue": "longest-queue",
}
_SEEING: Final = {"sumo-actuated", *PEERS}
"""Who looks at the simulation itself, not at detectors that could fail."""
_GIVING: Final = {"current", "plan", "coordinated", "adaptive"}
"""Who can give priority."""
_MOST_SEEDS: Final = 100

_EXAMPLE: Final = """python -m signals evaluate --network net.xml --demand rou.xml --controller plan

CONTROLLER: current (the network's own plans), sumo-actuated (their stages, extended by detectors),
plan and coordinated (made here from the demand), or plan with --plans FILE; max-pressure and
longest-queue (they see every vehicle and choose among the stages in force every 5 or 10 s, the
better counting); adaptive (from point detectors, a stage a second if need be). A run goes on until
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
        help="share of detectors that are stuck or silent; fixed plans have none",
    )
    line.add_argument(
        "--priority",
        choices=("late", "all"),
        help="buses that are late, or all, and emergency vehicles; not with peers",
    )
    line.add_argument(
        "--decisions",
        metavar="FILE",
        help="write every decision of adaptive control and priority with its reason, a JSON a line",
    )
    given = line.parse_args(arguments)
    seeds = _seeds(line, given.seeds)
    if not given.simulate >= 0:
        line.error("--simulate must not be negative")
    if not 0 <= given.detector_failure <= 1:
        line.error("--detector-failure must lie from 0 to 1")
    if given.priority and given.controller not in _GIVING:
        line.error(f"--priority goes with {', '.join(sorted(_GIVING))}")
    if given.detector_failure > 0 and given.controller in _SEEING:
        line.error(f"--detector-failure: {given.controller} cannot lose its detectors here")
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
    failing = given.detector_failure
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
            variants: list[Variant] = []
            for control in _controls(problem, given.controller, programmes, given.priority):
                runs = [
                    drive(problem, simulator, programmes, seed, control, failing=failing)
                    for seed in seeds
                ]
                variants.append(Variant(control, runs))
        if given.decisions:
            _write_decisions(Path(given.decisions), variants)
    except (Invalid, Unavailable, OSError) as error:
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
            **({"priority": given.priority} if given.priority else {}),
            **answer(variants),
        }
    )
    return 0


@dataclass(frozen=True, slots=True)
class Driven:
    """One seed's outcome, and what deciding took in each second of it."""

    outcome: Outcome
    decision_ms: tuple[float, ...]
    decisions: tuple[tuple[float, str, str], ...] = ()
    shares: Shares | None = None
    priority: dict[str, JsonValue] | None = None


@dataclass(frozen=True, slots=True)
class Variant:
    """All seeds of one controller."""

    control: Control | None
    """None: plans."""
    runs: list[Driven]

    @property
    def delay_s(self) -> float:
        """Mean drain delay of all seeds."""
        return statistics.fmean(each.outcome.drain_delay_s for each in self.runs)


def drive(
    problem: Problem,
    simulator: Simulator,
    programmes: Sequence[Programme] | None,
    seed: int,
    control: Control | None = None,
    *,
    failing: float = 0.0,
) -> Driven:
    """Drive one seed and judge all that was shown."""
    if isinstance(control, Adaptive) and failing > 0:
        control = with_failures(control, failing, seed)
    driven = simulator.drive(programmes, seed, control=control, watch=True)
    cases = {name: problem.case_of(name) for name in driven.shown if name in problem.junctions}
    violations = violations_shown(cases, driven.shown)
    outcome = outcome_of(
        seed,
        driven.trips,
        driven.walks_s,
        teleports=driven.teleports,
        safety_violations=len(violations),
        longest_wait_s=driven.longest_wait_s or 0.0,
    )
    shares = shares_of(driven.trips, driven.walks_s)
    return Driven(outcome, driven.decision_ms, driven.decisions, shares, driven.priority)


def answer(variants: Sequence[Variant]) -> dict[str, JsonValue]:
    """Give the figures of all seeds, rounded; of the variant with the least delay."""
    best = min(variants, key=lambda each: each.delay_s)
    outcomes = [each.outcome for each in best.runs]
    decisions = [ms for each in best.runs for ms in each.decision_ms]
    return {
        **_variants(best, variants),
        "seeds": [
            {
                name: _rounded(value)
                for name, value in {**asdict(each.outcome), **_shares(each)}.items()
            }
            for each in best.runs
        ],
        "mean": {name: _rounded(value) for name, value in means_of(outcomes).items()},
        "interval95": {
            name: None if pair is None else [round(pair[0], 3), round(pair[1], 3)]
            for name, pair in intervals_of(outcomes).items()
        },
        # Plans of fixed times decide nothing while they run, and SUMO does not tell its own time.
        "decision_ms_p99": round(_p99(decisions), 3) if decisions else None,
    }


def _write_decisions(path: Path, variants: Sequence[Variant]) -> None:
    """Write what was decided in every run, in order."""
    with path.open("w", encoding="utf-8") as file:
        for variant in variants:
            for run in variant.runs:
                for at_s, signal, says in run.decisions:
                    said = {"at_s": at_s, "signal": signal, "says": says}
                    file.write(json.dumps({"seed": run.outcome.seed, **said}) + "\n")


def _shares(run: Driven) -> dict[str, JsonValue]:
    """Give whose delay it was, where anybody who may have priority travelled, and what was done."""
    shares = run.shares
    if shares is None or shares.public_trips + shares.emergency_trips == 0:
        return {}
    found: dict[str, JsonValue] = asdict(shares)
    return {**found, "priority": run.priority} if run.priority is not None else found


def _variants(best: Variant, variants: Sequence[Variant]) -> dict[str, JsonValue]:
    """Give what peers were driven with, and what each of it gave."""
    if isinstance(best.control, Adaptive):
        return {
            "detectors": [
                {
                    "name": each.name,
                    "lane": each.lane,
                    "before_lane_end_m": round(each.from_end_m, 1),
                    "before_stop_line_m": round(each.before_stop_m, 1),
                }
                for each in best.control.detectors
            ]
        }
    if best.control is None or isinstance(best.control, PlanPriority):
        return {}
    return {
        "every_s": best.control.every_s,
        "variants": [
            {
                "every_s": each.control.every_s,
                "drain_delay_s": _rounded(each.delay_s),
                "teleports": sum(run.outcome.teleports for run in each.runs),
            }
            for each in variants
            if isinstance(each.control, Peer)
        ],
    }


def _p99(values: Sequence[float]) -> float:
    """Give the value that 99 % of some values do not exceed."""
    ordered = sorted(values)
    return ordered[max(math.ceil(0.99 * len(ordered)) - 1, 0)]


def _controls(
    problem: Problem,
    controller: str,
    programmes: Sequence[Programme] | None,
    priority: str | None,
) -> tuple[Control | None, ...]:
    policy = None if priority is None else Policy(whoever=priority == "all")
    if controller == "adaptive":
        return (replace(make_adaptive(problem), policy=policy, groups=_groups(problem)),)
    if policy is not None:
        return (make_priority(problem, programmes, policy),)
    if controller in PEERS:
        return tuple(make_peer(problem, PEERS[controller], every_s) for every_s in EVERY_S)
    return (None,)


def _groups(problem: Problem) -> dict[str, tuple[str, ...]]:
    return {
        junction.name: tuple(group.name for group in junction.groups)
        for junction in problem.network.junctions
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
    if controller in {"current", "adaptive", *PEERS}:
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


def _rounded(value: JsonValue) -> JsonValue:
    return round(value, 3) if isinstance(value, float) else value
