"""Green waves of networks: our search beside MAXBAND as one programme in HiGHS, in the same time.

Grids are drawn at random: greens of the crossing streets that exclude each other, lengths, queues
and centres of red of their own, a cycle and speeds to choose. Every plan is checked by driving it.

Example
-------
``python -m bench.network_waves --grids 4x4:60 5x5:60 10x10:120 32x32:300 --draws 2``
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time

from bench._bands import faults
from bench._network_maxband import widest
from signals.rules.waves.corridor import Corridor, CorridorSignal, Pair
from signals.rules.waves.network import Network
from signals.rules.waves.network_search import coordinate_network

SEED = 20260302
MOST_GAP = {"4x4": 0.10, "5x5": 0.30}
"""Gaps that the project asks for."""
PEER_UP_TO = 200
"""Signals up to which the peer is run: beyond it finds nothing."""


def grid(rows: int, columns: int, seed: int, *, narrow: bool = False) -> Network:
    """Draw a grid of streets; `narrow`: little room in speed, so that loops bind."""
    draw = random.Random(f"{SEED}/{rows}/{columns}/{seed}/{narrow}")  # noqa: S311 - no secret
    along = {
        (row, column): draw.uniform(0.4, 0.6) for row in range(rows) for column in range(columns)
    }
    base = draw.uniform(35, 45)
    speeds = (base, base * (1.08 if narrow else 1.3))

    def street(crossings: list[tuple[int, int]], *, across: bool) -> Corridor:
        signals, position_m = [], 0.0
        for row, column in crossings:
            red = along[row, column] if across else 1 - along[row, column]
            signals.append(
                CorridorSignal(
                    f"{row}/{column}",
                    position_m,
                    Pair(min(0.9, red + draw.uniform(0, 0.08)), min(0.9, red + 0.04)),
                    draw.uniform(-0.08, 0.08),
                    Pair(draw.uniform(0, 0.05), draw.uniform(0, 0.05)),
                    0.5 if across else 0.0,
                )
            )
            position_m += draw.uniform(150, 600)
        weight = Pair(draw.choice((1.0, 2.0)), draw.choice((1.0, 2.0)))
        return Corridor(tuple(signals), (60.0, 120.0), weight, speeds, speeds)

    corridors = [
        street([(row, column) for column in range(columns)], across=False) for row in range(rows)
    ] + [street([(row, column) for row in range(rows)], across=True) for column in range(columns)]
    names = tuple(f"row {row}" for row in range(rows)) + tuple(
        f"column {column}" for column in range(columns)
    )
    return Network(tuple(corridors), names)


def run(size: str, limit_s: float, draws: int, *, narrow: bool, peer: bool) -> dict[str, object]:
    """Measure grids of a size."""
    rows, columns = map(int, size.split("x"))
    gaps, spent, peers, wrong, beaten = [], [], [], 0, 0.0
    for seed in range(draws):
        network = grid(rows, columns, seed, narrow=narrow)
        begun_s = time.perf_counter()
        found = coordinate_network(network, time_limit_s=limit_s)
        spent.append(time.perf_counter() - begun_s)
        gaps.append(found.gap)
        wrong += len(faults(network, found))
        if peer and rows * columns <= PEER_UP_TO:
            best, bound = widest(network, limit_s)
            peers.append(max(0.0, (bound - max(best, 0.0)) / bound) if bound > 0 else 0.0)
            # A peer above our bound would be a wrong proof.
            beaten = max(beaten, best - found.bound)
    return {
        "grid": size,
        "speeds": "narrow" if narrow else "wide",
        "draws": draws,
        "limit_s": limit_s,
        "gap_median": round(statistics.median(gaps), 5),
        "gap_most": round(max(gaps), 5),
        "median_s": round(statistics.median(spent), 1),
        "most_s": round(max(spent), 1),
        "peer_gap_median": round(statistics.median(peers), 5) if peers else None,
        "faults": wrong,
        "peer_above_bound": round(max(0.0, beaten), 9),
    }


def main() -> int:
    """Print the figures; fail on a wrong plan, a wrong bound, or a gap wider than asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--grids", nargs="+", default=["4x4:60", "5x5:60", "10x10:120"], metavar="ROWSxCOLUMNS:S"
    )
    parser.add_argument("--draws", type=int, default=2)
    parser.add_argument("--no-peer", action="store_true", help="leave HiGHS out")
    parser.add_argument("--narrow", action="store_true", help="little room in speed")
    parser.add_argument("--json", action="store_true", help="always on")
    options = parser.parse_args()
    sizes = []
    for each in options.grids:
        size, _, limit_s = each.partition(":")
        sizes.append(
            run(
                size,
                float(limit_s or 60),
                options.draws,
                narrow=options.narrow,
                peer=not options.no_peer,
            )
        )
    print(json.dumps({"unit": "share of the bound that is not proven", "sizes": sizes}))
    bad = any(
        each["faults"]
        or float(str(each["peer_above_bound"])) > 1e-5
        or float(str(each["gap_most"])) > MOST_GAP.get(str(each["grid"]), 1.0)
        for each in sizes
    )
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
