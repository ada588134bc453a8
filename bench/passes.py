"""Travel times and origin-destination shares from plate passes, beside the truth that SUMO knows.

SUMO drives a town for an hour and writes when every vehicle left every road: the truth. Cameras at
the busiest roads' ends then read a part of it: each misses some, some plates are misread, some
vehicles stop for 4 to 30 minutes somewhere on their way. What `signals.rules.passes` makes of the
reads is set beside what all vehicles did: the median's error, and how often the 95 % intervals
hold the truth. ``GREENBAY_DATA`` says where the towns lie.

Example
-------
``GREENBAY_DATA=../shared/data python -m bench.passes --seeds 1,2,3``
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

import numpy as np

from bench.signals import BEGINS_S
from signals.rules.passes import times
from signals.rules.passes.shares import ReadingRate, shares
from signals.rules.passes.times import travel_time
from signals.rules.passes.trips import drives, in_order, journeys

HOUR_S: Final = 3_600
ENDS: Final = 6
"""Cameras where vehicles enter the town, as many where they leave it, as many within."""
LEAST: Final = 20
"""Vehicles of a pair, or of an origin, whose truth is worth comparing."""
MISREAD: Final = 0.02
STOPS: Final = 0.1
COUNTED: Final = 200
"""Vehicles of the count beside each camera."""

_DRIVE: Final = (
    "import sys, libsumo; libsumo.start(['sumo', *sys.argv[2:]]);"
    "\nwhile libsumo.simulation.getTime() < float(sys.argv[1]): libsumo.simulationStep()"
    "\nlibsumo.close()"
)

Passed = dict[str, list[tuple[str, float]]]
"""Roads and when each vehicle left them."""


def driven(network: Path, seed: int) -> Passed:
    """Let SUMO drive a town for an hour."""
    begin = BEGINS_S.get(network.name, 0)
    with tempfile.TemporaryDirectory() as folder:
        said = Path(folder) / "routes.xml"
        options = [
            *("-n", str(network / "net.xml"), "-r", str(network / "rou.xml")),
            *("--begin", str(begin), "--seed", str(seed), "--no-step-log", "--no-warnings"),
            *("--vehroute-output", str(said), "--vehroute-output.exit-times"),
            "--vehroute-output.write-unfinished",
        ]
        subprocess.run([sys.executable, "-c", _DRIVE, str(begin + HOUR_S), *options], check=True)
        found: Passed = {}
        for vehicle in ET.parse(said).getroot().iter("vehicle"):  # noqa: S314 - SUMO's own
            route = list(vehicle.iter("route"))[-1]
            left = [float(each) for each in route.get("exitTimes", "").split()]
            pairs = zip(route.get("edges", "").split(), left, strict=False)
            found[str(vehicle.get("id"))] = [(road, at_s) for road, at_s in pairs if at_s >= 0]
    return found


def _columns(rows: list[tuple[int, int, float]]) -> Any:
    vehicle, place, second = np.array(rows, dtype=float).reshape(-1, 3).T
    whole = (each.astype(np.int64) for each in (vehicle, place, second * 1e6))
    return in_order(*whole)


def _read(
    truth: Passed, roads: list[str], rates: np.ndarray, random: np.random.Generator
) -> tuple[list[tuple[int, int, float]], list[tuple[int, int, float]]]:
    """Give the passes as they were without stops, and as cameras tell them."""
    place = {road: number for number, road in enumerate(roads)}
    whole, told = [], []
    for number, passed in enumerate(truth.values()):
        own = [(place[road], at_s) for road, at_s in passed if road in place]
        whole += [(number, where, at_s) for where, at_s in own]
        stops = random.random() < STOPS
        before = random.integers(1, max(len(own), 2))
        late_s = random.uniform(240, 1_800)
        for index, (where, at_s) in enumerate(own):
            if random.random() < rates[where]:
                misread = random.random() < MISREAD
                name = int(random.integers(10**9, 10**12)) if misread else number
                told.append((name, where, at_s + (late_s if stops and index >= before else 0)))
    return whole, told


def _cameras(truth: Passed) -> tuple[list[str], int]:
    """Choose the roads with cameras, those at the town's edge first; give how many those are."""
    first = Counter(each[0][0] for each in truth.values() if each)
    last = Counter(each[-1][0] for each in truth.values() if each)
    passed = Counter(road for each in truth.values() for road, _ in each)
    # Nobody comes through an end: one within the town would be taken for where a journey ended
    # whose own end was not read.
    into = [road for road, n in first.most_common() if n == passed[road]][:ENDS]
    out = [road for road, n in last.most_common() if n == passed[road] and road not in into]
    edge = [*into, *out[:ENDS]]
    within = [road for road, _ in passed.most_common() if road not in edge][:ENDS]
    return [*edge, *within], len(edge)


def compared(truth: Passed, seed: int) -> dict[str, Any]:
    """Set what the reads tell beside the truth."""
    random = np.random.default_rng(seed)
    roads, ends = _cameras(truth)
    rates = random.uniform(0.7, 0.95, len(roads))
    whole, told = _read(truth, roads, rates, random)
    true, begun_s = drives(_columns(whole)), time.perf_counter()
    seen = drives(_columns(told))
    errors, naive, held, intervals = [], [], 0, 0
    for one in range(len(roads)):
        for other in range(len(roads)):
            all_, mine = true.of(one, other), seen.of(one, other)
            if one == other or len(all_) < LEAST:
                continue
            said = travel_time(mine.took_s[~times.stopped(mine)], 0)
            if not said.quantiles:
                continue
            for quantile in said.quantiles[:2]:
                true_s = float(np.quantile(all_.took_s, quantile.share))
                if quantile.low_s is not None and quantile.high_s is not None:
                    intervals += 1
                    held += quantile.low_s <= true_s <= quantile.high_s
            middle = float(np.median(all_.took_s))
            errors.append(abs(said.quantiles[0].seconds / middle - 1))
            naive.append(abs(float(np.mean(mine.took_s)) / float(np.mean(all_.took_s)) - 1))
    worked_s = time.perf_counter() - begun_s
    counted = [ReadingRate(COUNTED, int(random.binomial(COUNTED, each))) for each in rates]
    right, bare, share_intervals = _shares(whole, told, counted[:ends], ends)
    return {
        "passes": len(told),
        "pairs": len(errors),
        "median_error_mean": round(float(np.mean(errors)), 4),
        "median_error_p95": round(float(np.quantile(errors, 0.95)), 4),
        "plain_mean_error": round(float(np.mean(naive)), 4),
        "time_intervals": intervals,
        "time_intervals_hold": round(held / intervals, 4),
        "share_intervals": share_intervals,
        "share_intervals_hold": round(right / max(share_intervals, 1), 4),
        "as_seen_hold": round(bare / max(share_intervals, 1), 4),
        "seconds": round(worked_s, 2),
    }


def _shares(
    whole: list[tuple[int, int, float]],
    told: list[tuple[int, int, float]],
    rates: list[ReadingRate],
    n: int,
) -> tuple[int, int, int]:
    """Give how many intervals of shares hold the truth, put right and as seen, and of how many."""
    ends = np.arange(n)
    true_first, true_last, _ = journeys(_columns(whole), ends)
    first, last, _ = journeys(_columns(told), ends)
    right = bare = total = 0
    for origin in range(n):
        truth = np.bincount(true_last[true_first == origin], minlength=n)
        seen = np.bincount(last[first == origin], minlength=n).tolist()
        if truth.sum() < LEAST:
            continue
        put_right, as_seen = shares(seen, rates), shares(seen, [None] * n)
        for place, (one, other) in enumerate(zip(put_right, as_seen, strict=True)):
            if one.low is None or one.high is None or other.low is None or other.high is None:
                continue
            share = truth[place] / truth.sum()
            if not share:
                continue
            total += 1
            right += one.low <= share <= one.high
            bare += other.low <= share <= other.high
    return right, bare, total


def main() -> int:
    """Run the bench."""
    line = argparse.ArgumentParser(prog="python -m bench.passes", description=__doc__)
    line.add_argument("--networks", default="cologne3,ingolstadt1,grid4x4")
    line.add_argument("--seeds", default="1,2,3")
    given = line.parse_args()
    data = Path(os.environ["GREENBAY_DATA"]) / "signals"
    for name in given.networks.split(","):
        for seed in map(int, given.seeds.split(",")):
            found = compared(driven(data / name, seed), seed)
            print(json.dumps({"network": name, "seed": seed, **found}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
