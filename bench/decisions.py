"""How long adaptive control thinks each second, for 200 and 1 000 signals on one core.

Crossroads of our own, drawn detectors: each reading is random and so is who waits, which makes
more choices due than a street does. Beside it in the same run: guarded max-pressure at the same
signals, told who stands where; and the floor, looking every detector's reading up. Processor time
of the deciding thread.

Example
-------
``python -m bench.decisions --signals 200 --seconds 300``
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from city.command_line import CommandLine
from signals.adaptive_making import make_adaptive
from signals.control_making import make_peer
from signals.problem import read_problem
from signals.rules.adaptive import control as adaptive
from signals.rules.adaptive.detectors import NOTHING, Reading
from signals.rules.control import peers
from tests.signals import drivable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SEED = 20261122
AT_ONCE = 20
"""Crossroads worked out; more signals are the same ones again, each with a state of its own."""
MOST_P99_MS = {200: 100.0, 1_000: 500.0}
"""What the project asks for."""


def timed(act: Callable[[], object]) -> float:
    """Give the processor time of an act in milliseconds."""
    begun_s = time.thread_time()
    act()
    return (time.thread_time() - begun_s) * 1e3


def drawn(random_: random.Random, names: list[str]) -> dict[str, Reading]:
    """Draw a second of readings."""
    return {
        name: Reading(int(random_.random() < 0.15), int(random_.random() < 0.15), occupied=True)
        for name in names
        if random_.random() < 0.4
    }


def looked_up(control: adaptive.Adaptive, readings: Mapping[str, Reading]) -> None:
    """Look what every lane's detectors say up, and do nothing with it."""
    for site in control.signals:
        for lane in site.lanes:
            readings.get(lane.stop, NOTHING)
            readings.get(lane.advance or "", NOTHING)


def row(
    control: adaptive.Adaptive, peer: peers.Peer, seconds: int
) -> dict[str, float | int | bool | None]:
    """Drive all signals for a while."""
    random_ = random.Random(SEED)  # noqa: S311 - readings, no secret
    names = [each.name for each in control.detectors]
    lanes = [each.lane for each in control.detectors]
    states = [adaptive.begin(site, 0.0) for site in control.signals]
    theirs = [peers.begin(signal, peer.every_s, 0.0) for signal in peer.signals]
    ours_ms: list[float] = []
    peer_ms: list[float] = []
    floor_ms: list[float] = []
    gc.freeze()  # as the simulation does
    for second in range(1, seconds + 1):
        now_s, readings = float(second), drawn(random_, names)
        halting = {lane: random_.randrange(9) for lane in lanes if random_.random() < 0.4}

        def decide() -> None:
            nonlocal states
            states = adaptive.step(control, states, readings, now_s)  # noqa: B023 - called at once

        def decide_as_peer() -> None:
            nonlocal theirs
            theirs = [
                peers.step(peer, signal, state, now_s, halting)  # noqa: B023 - called at once
                for signal, state in zip(peer.signals, theirs, strict=True)
            ]

        floor_ms.append(timed(lambda: looked_up(control, readings)))  # noqa: B023 - called at once
        peer_ms.append(timed(decide_as_peer))
        ours_ms.append(timed(decide))
    most_ms = MOST_P99_MS.get(len(control.signals))
    p99_ms = statistics.quantiles(ours_ms, n=100)[98]
    return {
        "signals": len(control.signals),
        "mean_ms": round(statistics.fmean(ours_ms), 2),
        "p99_ms": round(p99_ms, 2),
        "max_pressure_p99_ms": round(statistics.quantiles(peer_ms, n=100)[98], 2),
        "floor_p99_ms": round(statistics.quantiles(floor_ms, n=100)[98], 2),
        "asked_p99_ms": most_ms,
        "holds": most_ms is None or p99_ms <= most_ms,
    }


def main() -> int:
    """Print the figures; fail where a decision takes longer than what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--signals", type=int, nargs="+", default=[200, 1_000])
    parser.add_argument("--seconds", type=int, default=300)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        network, demand = drivable.files(AT_ONCE)
        (folder / "net.xml").write_bytes(network)
        (folder / "rou.xml").write_bytes(demand)
        line = CommandLine("bench", "decisions", "", "")
        files = str(folder / "net.xml"), str(folder / "rou.xml")
        problem = read_problem(line, *files, "as-is")
    control, peer = make_adaptive(problem), make_peer(problem, "max-pressure", 5.0)
    rows = []
    for count in options.signals:
        many = -(-count // len(control.signals))
        rows.append(
            row(
                adaptive.Adaptive((control.signals * many)[:count]),
                peers.Peer(peer.rule, peer.every_s, (peer.signals * many)[:count]),
                options.seconds,
            )
        )
    print(json.dumps({"unit": "ms of processor time a second", "seed": SEED, "rows": rows}))
    return 0 if all(each["holds"] for each in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
