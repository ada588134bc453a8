"""The delay model held against SUMO, lane group by lane group.

Every vehicle is followed in SUMO from signal to signal: what it loses from its start, or from the
signal before, until it has got over this one is its delay there. From a lane group's mean is taken
what its vehicles lose where every signal is always green (slower drivers ahead, turning), so that
what is left is what the signal costs: control delay. A lane group is the lanes of an approach
between which vehicles have a choice. The model sees the network, the plan and the demand alone.

Example
-------
``GREENBAY_DATA=../shared/data python -m bench.delays --networks hangzhou1 --towns 6``
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench._towns import LOADS, ROOT, make_town, sumo_home
from city.command_line import CommandLine
from signals.adapters.sumo.simulator import Simulator
from signals.plan_making import make_plans
from signals.problem import Problem, read_problem
from signals.rules.junctions import GroupKind
from signals.rules.model.aspects import Aspect
from signals.rules.model.plans import Interval, Programme
from signals.rules.plans.arrivals import arrivals_of, coming_to, results_as_they_come
from signals.rules.plans.delay_of_plan import lane_results, lanes_of, opposing_of
from signals.rules.plans.routes import read_journeys

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from signals.rules.model.junction import SignalledJunction

SEEDS = (11, 12, 13)
FREE_SEED = 14
FREE_SCALE = 0.3
LEAST_VEHICLES = 30
"""A lane group with fewer in a run has no mean to speak of."""
WITHIN = 0.15


@dataclass(frozen=True)
class Held:
    """A lane group."""

    network: str
    plan: str
    junction: str
    lanes: tuple[str, ...]
    turns: str
    vehicles: float
    saturation: float
    model_s: float
    even_s: float
    """By the model for vehicles that come at random, which knows no departures."""
    sumo_s: float
    free_s: float
    runs_s: tuple[float, ...]
    """SUMO's by each seed."""

    @property
    def error(self) -> float:
        """By which share of SUMO's the model differs."""
        return (self.model_s - self.sumo_s) / self.sumo_s

    @property
    def chance(self) -> float:
        """By which share a run of SUMO differs from the mean of the others, by chance alone."""
        whole, count = sum(self.runs_s), len(self.runs_s)
        others = [(whole - each) / (count - 1) for each in self.runs_s]
        return statistics.fmean(
            abs(each - other) / abs(other) for each, other in zip(self.runs_s, others, strict=True)
        )


def groups_of(junction: SignalledJunction, problem: Problem) -> list[frozenset[str]]:
    """Give the lanes of each approach between which vehicles have a choice."""
    found: list[set[str]] = []
    road_of = problem.network.road_of
    by_pair: dict[tuple[str, str], set[str]] = {}
    for each in junction.movements:
        if each.kind is GroupKind.VEHICLE:
            pair = (road_of[each.from_lane].name, road_of[each.to_lane].name)
            by_pair.setdefault(pair, set()).add(each.from_lane)
    for lanes in by_pair.values():
        touching = [each for each in found if each & lanes]
        found = [each for each in found if not each & lanes]
        found.append(lanes.union(*touching))
    return [frozenset(each) for each in found]


def losses(simulator: Simulator, plans: Sequence[Programme], seed: int) -> dict[str, list[float]]:
    """Give what each vehicle loses, by its lane before the signal."""
    found: dict[str, list[float]] = {}
    for lane, _, lost_s in simulator.drive(plans, seed, passages=True).passages:
        found.setdefault(lane, []).append(lost_s)
    return found


def held(name: str, problem: Problem, *, own: bool) -> Iterator[Held]:
    """Hold the plans in force, or ours, against SUMO."""
    if own:
        plans: tuple[Programme, ...] = problem.own
    else:
        plans = make_plans(problem, coordinate=False).programmes
    flows = problem.flows
    always = [
        Programme(
            each.junction,
            "always",
            each.groups,
            (Interval(60.0, (Aspect.GREEN,) * len(each.groups)),),
        )
        for each in plans
    ]
    files = (problem.content, problem.demand, flows.begin_s, flows.end_s)
    with Simulator(*files, scale=FREE_SCALE) as simulator:
        free = losses(simulator, always, FREE_SEED)
    with Simulator(*files) as simulator:
        runs = [losses(simulator, plans, seed) for seed in SEEDS]
    coming = arrivals_of(problem.roads, read_journeys(problem.demand), flows)
    if coming is None:
        raise ValueError(f"{name}: the demand lasts too long")
    for plan in plans:
        junction = problem.network.junction_of[plan.junction]
        lanes = lanes_of(
            junction, problem.network, flows.flow_vph, flows.bicycles_vph, flows.drivers
        )
        case = problem.case_of(plan.junction)
        opposing = opposing_of(case.pairs)
        hours = (flows.end_s - flows.begin_s) / 3600
        even = {each.lane: each for each in lane_results(plan, lanes, opposing, hours)}
        arriving = coming_to(case, flows, coming, lanes)
        results = {
            each.lane: (each, even[each.lane])
            for each in results_as_they_come(plan, lanes, opposing, arriving)
        }
        for group in groups_of(junction, problem):
            mine = [results[lane] for lane in group if results[lane][0].flow_vph > 0]
            driven = [[s for lane in group for s in run.get(lane, ())] for run in runs]
            freely = [s for lane in group for s in free.get(lane, ())]
            if not mine or not freely or min(map(len, driven)) < LEAST_VEHICLES:
                continue
            total = sum(each.flow_vph for each, _ in mine)
            runs_s = tuple(statistics.fmean(run) - statistics.fmean(freely) for run in driven)
            free_s = statistics.fmean(freely)
            yield Held(
                name,
                "own" if own else "ours",
                plan.junction,
                tuple(sorted(group)),
                "/".join(
                    sorted({m.turn.value for m in junction.movements if m.from_lane in group})
                ),
                statistics.fmean(map(len, driven)),
                max(each.saturation for each, _ in mine),
                sum(each.flow_vph * each.delay_s for each, _ in mine) / total,
                sum(each.flow_vph * each.delay_s for _, each in mine)
                / sum(each.flow_vph for _, each in mine),
                statistics.fmean(runs_s),
                free_s,
                runs_s,
            )


def problems(options: argparse.Namespace, folder: Path) -> Iterator[tuple[str, Problem]]:
    """Read the networks asked for and draw the towns."""
    line = CommandLine("bench", "delays", "The model beside SUMO", "python -m bench.delays")
    begins = {"cologne1": 25_200.0, "cologne3": 25_200.0, "ingolstadt1": 57_600.0}
    for name in options.networks:
        here = options.data / name
        files = (str(here / "net.xml"), str(here / "rou.xml"))
        yield name, read_problem(line, *files, "as-is", begin_s=begins.get(name))
    towns = [("crossroads", str(seed)) for seed in range(1, options.towns + 1)]
    for kind, seed in [*towns, *(each.split(":") for each in options.drawn)]:
        name = f"{kind} {seed}"
        town = make_town(kind, int(seed), folder / name, people=False, load=LOADS[kind])
        yield name, read_problem(line, str(town.network), str(town.demand), "as-is")


def summed(found: Sequence[Held]) -> dict[str, Any]:
    """Give how many undersaturated lane groups lie within 15 %."""
    below = [each for each in found if each.saturation < 1]
    errors = sorted(abs(each.error) for each in below)
    return {
        "lane_groups": len(found),
        "undersaturated": len(below),
        "within_15_percent": round(sum(each <= WITHIN for each in errors) / len(errors), 3)
        if errors
        else None,
        "median_error": round(statistics.median(each.error for each in below), 3)
        if errors
        else None,
        "within_15_percent_by_even_arrivals": _share(
            abs(each.even_s - each.sumo_s) <= WITHIN * each.sumo_s for each in below
        ),
        "within_15_percent_of_other_seeds": _share(each.chance <= WITHIN for each in below),
        "error_of_90_percent": round(errors[int(0.9 * (len(errors) - 1))], 3) if errors else None,
    }


def _share(found: Iterable[bool]) -> float | None:
    answers = list(found)
    return round(statistics.fmean(answers), 3) if answers else None


def main() -> int:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    data = os.environ.get("GREENBAY_DATA", str(ROOT.parent / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=Path(data) / "signals")
    parser.add_argument("--networks", nargs="*", default=[])
    parser.add_argument("--towns", type=int, default=6, help="random crossroads beside them")
    parser.add_argument("--drawn", nargs="*", default=[], metavar="KIND:SEED", help="other towns")
    parser.add_argument("--groups", action="store_true", help="a line for each lane group")
    parser.add_argument("--json", action="store_true", help="always on")
    options = parser.parse_args()
    if (options.towns or options.drawn) and sumo_home() is None:
        sys.stderr.write("no .venv-peers: no random crossroads\n")
        options.towns, options.drawn = 0, []
    found: list[Held] = []
    with tempfile.TemporaryDirectory() as folder:
        for name, problem in problems(options, Path(folder)):
            for own in (True, False):
                for each in held(name, problem, own=own):
                    found.append(each)
                    if options.groups:
                        line = {**each.__dict__, "error": round(each.error, 3)}
                        print(json.dumps(line), flush=True)
    print(json.dumps(summed(found)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
