"""Green waves with their proof: our search beside the published programmes in HiGHS.

One band through the street beside MAXBAND, or with ``--bands links`` bands by link beside AM-Band.
Streets are drawn at random; the peer is stopped after a time, and its gap is shown, as is ours.

Example
-------
``python -m bench.corridor --signals 10 30 100 --streets 5``
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time

from bench._maxband import widest
from bench._multiband import widest_links
from signals.rules.waves.bandwidth import coordinate
from signals.rules.waves.corridor import Corridor, CorridorSignal, Pair
from signals.rules.waves.link_bands import coordinate_links

SEED = 20260302
PEER_LIMIT_S = 10.0
LINKS_LIMIT_S = 10.0
LIMITS_S = {10: 0.3, 100: 2.0}
"""Longest times that the project asks for, by signals."""


def street(count: int, draw: random.Random) -> Corridor:
    """Draw a street with speeds and a cycle to choose."""
    signals, position_m = [], 0.0
    for number in range(count):
        red = Pair(draw.uniform(0.35, 0.6), draw.uniform(0.35, 0.6))
        signals.append(CorridorSignal(str(number), position_m, red, draw.uniform(-0.1, 0.1)))
        position_m += draw.uniform(150, 700)
    slow = draw.uniform(30, 45)
    speeds = (slow, slow * draw.uniform(1, 1.4))
    return Corridor(tuple(signals), (60.0, 120.0), Pair(1, 1), speeds, speeds)


def run(count: int, streets: int, *, links: bool) -> dict[str, object]:
    """Measure streets of so many signals."""
    draw = random.Random(f"{SEED}/{count}")  # noqa: S311 - streets, no secret
    drawn = [street(count, draw) for _ in range(streets)]
    ours, peers, gaps, left, worse = [], [], [], [], 0.0
    for each in drawn:
        begun_s = time.perf_counter()
        found = coordinate_links(each, time_limit_s=LINKS_LIMIT_S) if links else coordinate(each)
        ours.append(time.perf_counter() - begun_s)
        left.append(found.gap)
        begun_s = time.perf_counter()
        best, bound = (widest_links if links else widest)(each, PEER_LIMIT_S)
        peers.append(time.perf_counter() - begun_s)
        gaps.append(max(0.0, (bound - max(best, 0.0)) / bound) if bound > 0 else 0.0)
        worse = max(worse, best - found.objective)
    return {
        "signals": count,
        "streets": streets,
        "median_s": round(statistics.median(ours), 4),
        "most_s": round(max(ours), 4),
        "gap_left": round(max(left), 5),
        "peer_median_s": round(statistics.median(peers), 4),
        "peer_gap_left": round(max(gaps), 4),
        "peer_wider_by": round(max(0.0, worse), 9),
        "ratio": round(statistics.median(ours) / statistics.median(peers), 5),
    }


def main() -> int:
    """Print the figures; fail where the peer is wider or a limit is not kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--signals", type=int, nargs="+", default=[10, 30, 100])
    parser.add_argument("--streets", type=int, default=5)
    parser.add_argument("--bands", choices=("street", "links"), default="street")
    parser.add_argument("--json", action="store_true", help="always on")
    options = parser.parse_args()
    links = options.bands == "links"
    sizes = [run(count, options.streets, links=links) for count in options.signals]
    print(json.dumps({"unit": "seconds to a proven optimum", "sizes": sizes}))
    late = not links and any(
        float(str(each["most_s"])) > LIMITS_S.get(int(str(each["signals"])), float("inf"))
        for each in sizes
    )
    return 1 if late or any(float(str(each["peer_wider_by"])) > 1e-6 for each in sizes) else 0


if __name__ == "__main__":
    raise SystemExit(main())
