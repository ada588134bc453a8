"""Random towns of SUMO's kind to time signals in, from crossroads to grids; nobody's data.

Streets have their own lanes, speeds and spacing, some ends are missing, demand is uneven in space.
``netconvert`` (``.venv-peers``) builds the network and the plans in force, so that these are what
engineers find in SUMO. With ``people``, streets have pavements, crossings, bicycle lanes, people on
foot and e-bikes.

Example
-------
``python -m bench._towns --kind grid --seed 3 --people --out town``
"""

from __future__ import annotations

import argparse
import math
import os
import random
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PEERS = ROOT / ".venv-peers"
HOUR_S = 3_600
END_M = 300.0
"""Length of a street from the edge of the town to its first signal."""
LOADS = {"crossroads": 0.6, "tee": 0.6, "staggered": 0.45, "arterial": 0.3, "grid": 0.45}
"""Factors on the demand under which the plans in force do not lock the town up."""
REACH_M = 500.0
"""How far people drive: the farther, the fewer."""
KINDS = {
    "crossroads": ((1, 1), (1, 1)),
    "tee": ((1, 1), (1, 1)),
    "staggered": ((2, 2), (1, 1)),
    "arterial": ((3, 6), (1, 1)),
    "grid": ((2, 4), (2, 4)),
}
"""How many signals lie along and across: the least and the most."""


@dataclass(frozen=True)
class Town:
    """A network and its demand as files."""

    network: Path
    demand: Path
    signals: int
    vehicles: int


def sumo_home() -> Path | None:
    """Give where SUMO's tools are installed; None where they are not."""
    return next(iter(PEERS.glob("lib/python*/site-packages/sumo")), None)


def tool(home: Path, name: str, *arguments: str) -> None:
    """Run one of SUMO's programs; its own words where it fails."""
    done = subprocess.run(
        [str(home / "bin" / name), *arguments, "--no-warnings"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "SUMO_HOME": str(home)},
    )
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr.strip()[-400:]}")


def make_town(kind: str, seed: int, folder: Path, *, people: bool, load: float) -> Town:
    """Draw a town and write ``net.xml`` and ``rou.xml``.

    Parameters
    ----------
    kind : str
        One of ``KINDS``.
    seed : int
    folder : Path
    people : bool
        With pavements, crossings, bicycle lanes and who uses them.
    load : float
        Factor on the demand.
    """
    home = sumo_home()
    if home is None:
        raise RuntimeError("no .venv-peers")
    folder.mkdir(parents=True, exist_ok=True)
    draw = random.Random(f"{kind} {seed}")  # noqa: S311 - a drawn town hides nothing
    (least_x, most_x), (least_y, most_y) = KINDS[kind]
    across, along = draw.randint(least_x, most_x), draw.randint(least_y, most_y)
    spacing_m = (70.0, 140.0) if kind == "staggered" else (150.0, 450.0)
    xs, ys = _places(draw, across, spacing_m), _places(draw, along, spacing_m)
    column_lanes = [draw.choice((1, 2, 2, 3)) for _ in xs]
    row_lanes = [draw.choice((1, 2, 2, 3)) for _ in ys]
    column_mps = [draw.choice((11.11, 13.89, 16.67)) for _ in xs]
    row_mps = [draw.choice((11.11, 13.89, 16.67)) for _ in ys]
    nodes = {f"{x}-{y}": (xs[x], ys[y]) for x in range(across) for y in range(along)}
    ends: dict[str, tuple[float, float]] = {}
    links: list[tuple[str, str, int, float]] = []
    for y in range(along):
        links += [(f"{x}-{y}", f"{x + 1}-{y}", row_lanes[y], row_mps[y]) for x in range(across - 1)]
        ends[f"w{y}"], ends[f"e{y}"] = (xs[0] - END_M, ys[y]), (xs[-1] + END_M, ys[y])
        links.append((f"w{y}", f"0-{y}", row_lanes[y], row_mps[y]))
        links.append((f"{across - 1}-{y}", f"e{y}", row_lanes[y], row_mps[y]))
    for x in range(across):
        links += [
            (f"{x}-{y}", f"{x}-{y + 1}", column_lanes[x], column_mps[x]) for y in range(along - 1)
        ]
        sides = ["s", "n"]
        if kind == "staggered":
            sides = [sides[x]]
        elif kind == "tee" or draw.random() < 0.25:
            sides.remove(draw.choice(sides))
        if "s" in sides:
            ends[f"s{x}"] = (xs[x], ys[0] - END_M)
            links.append((f"s{x}", f"{x}-0", column_lanes[x], column_mps[x]))
        if "n" in sides:
            ends[f"n{x}"] = (xs[x], ys[-1] + END_M)
            links.append((f"{x}-{along - 1}", f"n{x}", column_lanes[x], column_mps[x]))
    _build(home, folder, nodes, ends, links, people=people)
    vehicles = _demand(draw, folder, ends, links, load, people=people)
    return Town(folder / "net.xml", folder / "rou.xml", len(nodes), vehicles)


def _places(draw: random.Random, count: int, spacing_m: tuple[float, float]) -> list[float]:
    at = [0.0]
    for _ in range(count - 1):
        at.append(at[-1] + draw.uniform(*spacing_m))
    return at


def _build(
    home: Path,
    folder: Path,
    nodes: dict[str, tuple[float, float]],
    ends: dict[str, tuple[float, float]],
    links: list[tuple[str, str, int, float]],
    *,
    people: bool,
) -> None:
    lines = [
        f'<node id="{name}" x="{x:.1f}" y="{y:.1f}" type="{kind}"/>'
        for places, kind in ((nodes, "traffic_light"), (ends, "priority"))
        for name, (x, y) in places.items()
    ]
    beside = ' sidewalkWidth="2.5" bikeLaneWidth="2.5"' if people else ""
    roads = [
        f'<edge id="{one}_{other}" from="{one}" to="{other}" numLanes="{lanes}"'
        f' speed="{speed}"{beside}/>'
        for start, end, lanes, speed in links
        for one, other in ((start, end), (end, start))
    ]
    (folder / "town.nod.xml").write_text("<nodes>" + "\n".join(lines) + "</nodes>")
    (folder / "town.edg.xml").write_text("<edges>" + "\n".join(roads) + "</edges>")
    tool(
        home,
        "netconvert",
        *("-n", str(folder / "town.nod.xml"), "-e", str(folder / "town.edg.xml")),
        *("-o", str(folder / "net.xml"), "--no-turnarounds", "true"),
        *(("--crossings.guess", "true", "--walkingareas", "true") if people else ()),
    )


def _demand(
    draw: random.Random,
    folder: Path,
    ends: dict[str, tuple[float, float]],
    links: list[tuple[str, str, int, float]],
    load: float,
    *,
    people: bool,
) -> int:
    """Write who starts when: gravity between ends, uneven, at random times."""
    lanes = {}
    for start, end, count, _ in links:
        for name in (start, end):
            if name in ends:
                lanes[name] = (count, end if name == start else start)
    pull = {name: count * draw.uniform(0.4, 1.6) for name, (count, _) in lanes.items()}
    trips: list[tuple[float, str]] = []
    vehicles = 0
    for origin, (count, first) in lanes.items():
        total = load * count * draw.uniform(170, 420)
        others = {
            name: each * math.exp(-math.dist(ends[origin], ends[name]) / REACH_M)
            for name, each in pull.items()
            if name != origin
        }
        whole = sum(others.values())
        for goal, each in others.items():
            ways = f'from="{origin}_{first}" to="{lanes[goal][1]}_{goal}"'
            for kind, rate in _rates(total * each / whole, people=people):
                for at_s in _arrivals(draw, rate):
                    name = f"{kind}{len(trips)}"
                    if kind == "walker":
                        line = f'<person id="{name}" depart="{at_s:.1f}"><walk {ways}/></person>'
                    else:
                        line = (
                            f'<trip id="{name}" type="{kind}" depart="{at_s:.1f}" {ways}'
                            ' departLane="best" departSpeed="max"/>'
                        )
                        vehicles += 1
                    trips.append((at_s, line))
    trips.sort()
    kinds = '<vType id="car" vClass="passenger"/>'
    if people:
        kinds += '<vType id="ebike" vClass="bicycle" maxSpeed="6.9" length="1.8" accel="1.5"/>'
    body = "\n".join(line for _, line in trips)
    (folder / "rou.xml").write_text(f"<routes>{kinds}\n{body}</routes>")
    return vehicles


def _rates(cars_vph: float, *, people: bool) -> list[tuple[str, float]]:
    """Give who travels between two ends: as many e-bikes as half the cars, fewer on foot."""
    if not people:
        return [("car", cars_vph)]
    return [("car", cars_vph), ("ebike", 0.5 * cars_vph), ("walker", 0.3 * cars_vph)]


def _arrivals(draw: random.Random, rate_vph: float) -> list[float]:
    found, at_s = [], 0.0
    while rate_vph > 0:
        at_s += -math.log(1 - draw.random()) * HOUR_S / rate_vph
        if at_s >= HOUR_S:
            break
        found.append(at_s)
    return found


def main() -> int:
    """Write a town."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", choices=sorted(KINDS), required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--load", type=float)
    parser.add_argument("--people", action="store_true")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    load = LOADS[options.kind] if options.load is None else options.load
    town = make_town(options.kind, options.seed, options.out, people=options.people, load=load)
    print(f"{town.signals} signals, {town.vehicles} vehicles")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
