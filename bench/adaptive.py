"""Adaptive control beside what it has to beat, in SUMO: every controller in one run, same seeds.

Drain delay under profile ``as-is`` of our own plan, SUMO's actuated control, the guarded
max-pressure and longest queue (at 5 and 10 s, the better counting) and ``adaptive``; the ratio is
adaptive over the best of them. The peers see every vehicle, ours its point detectors alone. With
``--closing`` also with the busiest lane shut that others can stand in for, which nobody is told:
beside the plan in force under the same closure. The networks are not the project's:
``GREENBAY_DATA`` says where they lie. With ``--people`` instead towns of our own with crossings and
e-bikes, under profile ``gb``: a person's mean delay beside that of our own ``coordinated``.

Example
-------
``GREENBAY_DATA=../shared/data python -m bench.adaptive --networks cologne1 --seeds 1,2,3``
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from bench._towns import LOADS, ROOT, make_town
from bench.signals import BEGINS_S
from city.command_line import CommandLine
from signals.problem import read_problem

PEERS: Final = ("plan", "sumo-actuated", "max-pressure", "longest-queue")
HOUR_S: Final = 3_600
FIRST_SEED: Final = 601
"""Of the towns; other benches draw lower ones."""


def hour_of(network: Path) -> tuple[float | None, float | None]:
    """Give from when to when who starts counts; nothing: everybody."""
    begin_s = BEGINS_S.get(network.name)
    return (None, None) if begin_s is None else (begin_s, begin_s + HOUR_S)


def busiest_spare_lane(network: Path) -> str | None:
    """Give the lane with most traffic whose every way on can be had from a lane beside it."""
    begin_s, end_s = hour_of(network)
    files = str(network / "net.xml"), str(network / "rou.xml")
    line = CommandLine("bench", "adaptive", "", "")
    problem = read_problem(line, *files, "as-is", begin_s=begin_s, end_s=end_s)
    spare: dict[str, float] = {}
    for junction in problem.network.junctions:
        ways: dict[str, set[str]] = {}
        for each in junction.movements:
            ways.setdefault(each.from_lane, set()).add(_road(each.to_lane))
        for lane in problem.lanes_of(junction):
            beside = [
                to
                for other, to in ways.items()
                if other != lane.lane and _road(other) == _road(lane.lane)
            ]
            if ways.get(lane.lane, set()) <= set().union(*beside):
                spare[lane.lane] = lane.flow_vph
    return max(spare, key=lambda name: spare[name], default=None)


def _road(lane: str) -> str:
    """Give the edge of one of SUMO's lanes."""
    return lane.rpartition("_")[0]


def evaluated(
    network: Path, controller: str, seeds: str, more: list[str], profile: str = "as-is"
) -> dict[str, Any]:
    """Drive a controller."""
    begin_s, end_s = hour_of(network)
    hour = [] if begin_s is None else ["--begin", str(begin_s), "--end", str(end_s)]
    done = subprocess.run(
        [
            *(sys.executable, "-m", "signals", "evaluate", "--profile", profile),
            *("--network", str(network / "net.xml"), "--demand", str(network / "rou.xml")),
            *("--controller", controller, "--seeds", seeds, *hour, *more),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    if done.returncode:
        return {"failed": done.stderr.strip()[-300:]}
    found = json.loads(done.stdout)
    delays = [each["drain_delay_s"] for each in found["seeds"]]
    return {
        "drain_delay_s": found["mean"]["drain_delay_s"],
        "person_delay_s": found["mean"]["person_delay_s"],
        "interval95": found["interval95"]["drain_delay_s"],
        "worst_over_mean": round(max(delays) / max(found["mean"]["drain_delay_s"], 1e-9), 3),
        "longest_wait_s": max(each["longest_wait_s"] for each in found["seeds"]),
        "teleports": sum(each["teleports"] for each in found["seeds"]),
        "safety_violations": sum(each["safety_violations"] for each in found["seeds"]),
        "decision_ms_p99": found["decision_ms_p99"],
        "variants": found.get("variants"),
    }


def row(
    network: Path, seeds: str, simulate_s: float, scale: float, failing: float, *, closing: bool
) -> dict[str, Any]:
    """Give a network's line of the table."""
    scaled = ["--scale", str(scale)]
    found = {
        name: evaluated(network, name, seeds, [*scaled, "--simulate", str(simulate_s)])
        for name in (*PEERS, "adaptive")
    }
    if failing > 0:
        lost = [*scaled, "--detector-failure", str(failing)]
        found["adaptive_failing"] = evaluated(network, "adaptive", seeds, lost)
    if closing and (lane := busiest_spare_lane(network)) is not None:
        shut = [*scaled, "--close", lane]
        found["closed_lane"] = {"lane": lane}
        for name in ("current", "adaptive"):
            found[f"{name}_with_it_closed"] = evaluated(network, name, seeds, shut)
    ours = found["adaptive"].get("drain_delay_s")
    theirs = [each for name in PEERS if (each := found[name].get("drain_delay_s")) is not None]
    return {
        "network": network.name,
        "scale": scale,
        "ratio": round(ours / min(theirs), 3) if ours is not None and theirs else None,
        **found,
    }


def people_row(kind: str, seed: int, seeds: str, simulate_s: float, load: float) -> dict[str, Any]:
    """Give the line of a town of our own where people walk and ride."""
    with tempfile.TemporaryDirectory() as folder:
        town = make_town(kind, seed, Path(folder), people=True, load=load * LOADS[kind])
        home = town.network.parent
        simulated = ["--simulate", str(simulate_s)]
        found = {
            name: evaluated(home, name, seeds, more, profile="gb")
            for name, more in (("coordinated", simulated), ("adaptive", []))
        }
    ours, theirs = (found[name].get("person_delay_s") for name in ("adaptive", "coordinated"))
    ratio = round(ours / theirs, 3) if ours is not None and theirs else None
    return {"network": f"{kind} {seed}", "load": load, "ratio": ratio, **found}


def main() -> int:
    """Print the table; fail where ours is worse than the best, unsafe or takes somebody away."""
    parser = argparse.ArgumentParser(description=__doc__)
    data = os.environ.get("GREENBAY_DATA", str(ROOT.parent / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=Path(data) / "signals")
    parser.add_argument("--networks", nargs="+")
    parser.add_argument("--seeds", default="1,2,3,4,5,6,7,8,9,10")
    parser.add_argument("--simulate", type=float, default=60.0, help="for our own plan")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--failing", type=float, default=0.0, help="also with detectors lost")
    parser.add_argument("--closing", action="store_true", help="also with a lane shut")
    parser.add_argument("--people", type=int, default=0, help="towns of each kind, under gb")
    parser.add_argument("--load", type=float, default=0.6, help="of these towns' (0.6)")
    parser.add_argument("--json", action="store_true", help="always on")
    options = parser.parse_args()
    if options.people:
        rows = [
            people_row(kind, FIRST_SEED + number, options.seeds, options.simulate, options.load)
            for number in range(options.people)
            for kind in LOADS
        ]
        print(json.dumps({"unit": "s a person", "seeds": options.seeds, "rows": rows}))
        return 1 if any(map(fails, rows)) else 0
    folders = sorted(each.parent for each in options.data.glob("*/net.xml"))
    if options.networks:
        folders = [each for each in folders if each.name in options.networks]
    rows = [
        row(
            each,
            options.seeds,
            options.simulate,
            options.scale,
            options.failing,
            closing=options.closing,
        )
        for each in folders
    ]
    print(json.dumps({"unit": "s a trip", "seeds": options.seeds, "rows": rows}))
    return 1 if not rows or any(map(fails, rows)) else 0


def fails(found: dict[str, Any]) -> bool:
    """Whether ours misses what it has to hold on a network."""
    ours = found["adaptive"]
    return (
        found["ratio"] is None
        or found["ratio"] > 1
        or ours["teleports"] > 0
        or ours["safety_violations"] > 0
    )


if __name__ == "__main__":
    raise SystemExit(main())
