"""Plans under profile ``gb`` where people walk and ride: ours beside Webster's of 1958, in SUMO.

Random towns of our own (``bench/_towns.py``: crossroads, T junctions, staggered ones, arterials)
with pavements, crossings, bicycle lanes, e-bikes and people on foot. Webster's plan keeps the
stages in force (``bench/_webster.py``); ours is what ``plan`` makes. Both pass the same profile,
and every state that they show is judged again. The figure is the mean delay of a person: time lost
and the wait for a place to start, times who is in a vehicle.

Example
-------
``python -m bench.people --towns 2 --seeds 1,2,3``
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bench._towns import LOADS, make_town, sumo_home
from bench._webster import webster
from city.command_line import CommandLine
from signals.adapters.sumo.simulator import Simulator
from signals.commands.evaluate import drive
from signals.plan_making import make_plans
from signals.problem import Problem, read_problem
from signals.rules.simulation.outcome import Outcome, half_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from signals.rules.model.plans import Programme

KINDS: Final = ("crossroads", "tee", "staggered", "arterial")
FIRST_SEED: Final = 501
"""Of the towns; other benches draw lower ones."""
MOST_RATIO: Final = 0.85
LESS: Final = (1.0, 0.6, 0.36)
"""Of the load: so many vehicles, bicycles and people may stand in each other's way inside a
junction that none of its plans drives in SUMO, the network's own neither."""


def websters(problem: Problem) -> tuple[Programme, ...] | None:
    """Give Webster's plans of a network; None where some junction has none that passes."""
    found = []
    for junction in problem.network.junctions:
        own = [each for each in problem.own if each.junction == junction.name]
        made = webster(problem.case_of(junction.name), problem.lanes_of(junction), own)
        if made is None:
            return None
        found.append(made)
    return tuple(found)


def figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Sum seeds up."""
    persons = [each.person_delay_s for each in outcomes]

    def mean(name: str) -> float | None:
        values = [getattr(each, name) for each in outcomes]
        return None if None in values else round(statistics.fmean(values), 2)

    return {
        "person_delay_s": mean("person_delay_s"),
        "interval95_s": round(half_width(persons), 2) if len(persons) > 1 else None,
        "vehicle_and_bicycle_delay_s": mean("drain_delay_s"),
        "bicycle_delay_s": mean("bicycle_delay_s"),
        "pedestrian_delay_s": mean("pedestrian_delay_s"),
        "safety_violations": sum(each.safety_violations for each in outcomes),
        "teleports": sum(each.teleports for each in outcomes),
    }


def row(
    kind: str, seed: int, folder: Path, *, load: float, seeds: Sequence[int], simulate_s: float
) -> dict[str, Any]:
    """Give a town's line of the table, at the first load at which Webster's plan does not lock."""
    found: dict[str, Any] = {}
    for less in LESS:
        at = folder / str(less)
        found = _row_at(kind, seed, at, load=load * less, seeds=seeds, simulate_s=simulate_s)
        if not found.get("locked"):
            break
    return found


def _row_at(
    kind: str, seed: int, folder: Path, *, load: float, seeds: Sequence[int], simulate_s: float
) -> dict[str, Any]:
    town = make_town(kind, seed, folder, people=True, load=load * LOADS[kind])
    line = CommandLine("bench", "people", "Plans where people walk", "python -m bench.people")
    problem = read_problem(line, str(town.network), str(town.demand), "gb")
    found: dict[str, Any] = {"town": f"{kind} {seed}", "load": load, "signals": town.signals}
    theirs = websters(problem)
    if theirs is None:
        return {**found, "failed": "Webster's plan passes at no cycle"}
    flows = problem.flows
    with Simulator(problem.content, problem.demand, flows.begin_s, flows.end_s) as simulator:
        if drive(problem, simulator, theirs, seeds[0]).outcome.teleports > 0:
            return {**found, "locked": True, "failed": "Webster's plan locks the town up"}
        made = make_plans(problem, coordinate=False, simulate_s=simulate_s)
        if made.without:
            return {**found, "failed": f"no plan for {', '.join(made.without)}"}
        plans = {"webster": theirs, "ours": made.programmes}
        for name, programmes in plans.items():
            runs = [drive(problem, simulator, programmes, each).outcome for each in seeds]
            found[name] = {"cycles_s": [each.cycle_s for each in programmes], **figures(runs)}
    ratio = found["ours"]["person_delay_s"] / found["webster"]["person_delay_s"]
    return {**found, "ratio": round(ratio, 3)}


def main() -> int:
    """Print a line a town and the mean of their ratios; fail above 0.85, worse or unsafe."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--towns", type=int, default=2, help="of each kind")
    parser.add_argument("--first", type=int, default=FIRST_SEED, help="seed of the first town")
    parser.add_argument("--load", type=float, default=0.7, help="factor on the towns' demand")
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--simulate", type=float, default=60.0)
    parser.add_argument("--json", action="store_true", help="always on")
    options = parser.parse_args()
    if sumo_home() is None:
        sys.stderr.write("no .venv-peers: no netconvert to build the towns\n")
        return 2
    seeds = [int(each) for each in options.seeds.split(",")]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for kind in options.kinds:
            for seed in range(options.first, options.first + options.towns):
                here = Path(folder) / f"{kind}-{seed}"
                found = row(
                    kind, seed, here, load=options.load, seeds=seeds, simulate_s=options.simulate
                )
                rows.append(found)
                sys.stderr.write(json.dumps(rows[-1]) + "\n")
    ratios = [each["ratio"] for each in rows if "ratio" in each]
    mean = round(statistics.fmean(ratios), 3) if ratios else None
    print(json.dumps({"unit": "s a person", "seeds": seeds, "mean_ratio": mean, "rows": rows}))
    unsafe = any(each["ours"]["safety_violations"] for each in rows if "ours" in each)
    failed = mean is None or mean > MOST_RATIO or max(ratios) > 1 or len(ratios) < len(rows)
    return 1 if failed or unsafe else 0


if __name__ == "__main__":
    raise SystemExit(main())
