"""Two signals close to each other with more traffic than they pass: queues held, in SUMO.

Crossroads of our own 250 m apart for half an hour of demand over their capacity, driven until all
have arrived. Beside each other: the plan in force (two even stages), each signal's best plan by
itself, and the one with queues held that drives best under a seed of the search's own
(``signals/queue_making.py``). Delay is that of a trip, its wait for a place to start included.

Example
-------
``python -m bench.queues --seeds 1,2,3``
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from dataclasses import replace
from typing import Any, Final

from signals.adapters.sumo.simulator import Simulator
from signals.queue_making import queue_plans, queues_between
from signals.rules.plans.refinement import SEEDS
from signals.rules.safety.checker import check_programme
from tests.signals.oversaturated import problem, sites_of

LOADS: Final = ((900, 600, 900), (1200, 450, 800), (1400, 500, 600))
"""From west to east through both; across the first, each way; across the second."""


def row(load: tuple[int, int, int], seeds: list[int]) -> dict[str, Any]:
    """Give a load's line of the table."""
    asked = problem(*load)
    sites = sites_of(asked)
    standing = queues_between(asked, sites)
    alone = tuple(site.plan.programme for site in sites.values())
    held = queue_plans(asked, sites, standing)
    unsafe = sum(
        bool(check_programme(sites[each.junction].case, each).violations)
        for plans in held
        for each in plans
    )
    in_force = tuple(replace(each, name=alone[0].name) for each in asked.own)
    flows = asked.flows
    with Simulator(asked.content, asked.demand, flows.begin_s, flows.end_s) as simulator:
        best = min([alone, *held], key=lambda plans: simulator.drive(plans, SEEDS[0]).delay_s)
        delay_s = {
            name: round(statistics.fmean(simulator.drive(plans, s).delay_s for s in seeds), 1)
            for name, plans in (("in_force", in_force), ("alone", alone), ("ours", best))
        }
    return {
        "load_vph": load,
        "spilling": [each.lane for each in standing if each.spills],
        "held": best is not alone,
        "unsafe": unsafe,
        "delay_s": delay_s,
        "of_in_force": round(delay_s["ours"] / delay_s["in_force"], 3),
        "of_alone": round(delay_s["ours"] / delay_s["alone"], 3),
    }


def main() -> int:
    """Print a line a load; fail where ours is not below the plan in force, or above alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--json", action="store_true", help="always on")
    options = parser.parse_args()
    seeds = [int(each) for each in options.seeds.split(",")]
    rows = []
    for load in LOADS:
        rows.append(row(load, seeds))
        sys.stderr.write(json.dumps(rows[-1]) + "\n")
    print(json.dumps({"unit": "s a trip", "seeds": seeds, "rows": rows}))
    failed = any(
        each["of_in_force"] >= 1 or each["of_alone"] > 1.01 or each["unsafe"] for each in rows
    )
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
