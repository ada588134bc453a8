"""Priority for buses and emergency vehicles in SUMO, on and off: same demand, same seeds.

Four bus lines on the most used ways from different roads, a bus each every five minutes, some late
and some not, with 10 to 60 aboard, or an emergency vehicle every four minutes on a way drawn at
random, are added to a network's own demand; all are drawn from the network's name and the seed.
Emergency vehicles wait at red like everybody else: what counts is whether they find green. Delay is
the drain delay; differences are of pairs (on less off, seed by seed) with Student's 95 % interval.
The networks are not the project's: ``GREENBAY_DATA`` says where they lie.

Example
-------
``GREENBAY_DATA=../shared/data python -m bench.priority --networks cologne1 --seeds 1,2,3``
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

from bench._towns import ROOT
from bench.signals import BEGINS_S
from signals.rules.simulation.outcome import half_width

LINES: Final = 4
HEADWAY_S: Final = 300
EMERGENCY_EVERY_S: Final = 240
POLICIES: Final = ("late", "all")
FIGURES: Final = ("public_delay_s", "emergency_delay_s", "others_person_delay_s", "person_delay_s")


def with_priority_vehicles(
    demand: Path,
    begin_s: float,
    end_s: float,
    name: str,
    whom: tuple[str, ...] = ("buses", "engines"),
) -> bytes:
    """Give a network's demand with buses and emergency vehicles, or some of them."""
    root = ET.parse(demand).getroot()  # noqa: S314 - our own files
    draw = random.Random(name)  # noqa: S311 - a drawn bus hides nothing
    ways = _ways(root)
    lines: list[tuple[str, ...]] = []
    for way, _ in ways.most_common():
        if way[0] not in {line[0] for line in lines} and len(lines) < LINES:
            lines.append(way)
    found: list[tuple[float, ET.Element]] = []
    for number, way in enumerate(lines if "buses" in whom else ()):
        at_s = begin_s + draw.uniform(0, HEADWAY_S)
        while at_s < end_s:
            bus = _vehicle(f"line-{number}-{at_s:.0f}", "line-bus", at_s, way)
            late_s = draw.choice((-30, 0, 30, 90, 150, 240, 400))
            ET.SubElement(bus, "param", key="lateness_s", value=str(late_s))
            ET.SubElement(bus, "param", key="passengers", value=str(draw.randint(10, 60)))
            found.append((at_s, bus))
            at_s += HEADWAY_S
    at_s, every = begin_s + draw.uniform(0, EMERGENCY_EVERY_S), sorted(ways)
    while "engines" in whom and at_s < end_s:
        engine = _vehicle(f"engine-{at_s:.0f}", "engine", at_s, draw.choice(every))
        found.append((at_s, engine))
        at_s += EMERGENCY_EVERY_S
    starting = [each for each in root if "depart" in each.attrib]
    for each in starting:
        root.remove(each)
    ET.SubElement(root, "vType", id="line-bus", vClass="bus", length="12")
    ET.SubElement(root, "vType", id="engine", vClass="emergency", length="7")
    found += [(float(each.attrib["depart"]), each) for each in starting]
    root.extend(each for _, each in sorted(found, key=lambda pair: pair[0]))
    return ET.tostring(root)


def _ways(root: ET.Element) -> Counter[tuple[str, ...]]:
    """Give the ways that people take: all roads where they are named, else the ends."""
    found: Counter[tuple[str, ...]] = Counter()
    for each in root:
        if each.tag == "trip":
            found[each.attrib["from"], each.attrib["to"]] += 1
        elif each.tag == "vehicle" and (route := each.find("route")) is not None:
            found[tuple(route.attrib["edges"].split())] += 1
    return found


def _vehicle(name: str, kind: str, at_s: float, way: tuple[str, ...]) -> ET.Element:
    depart = {"id": name, "type": kind, "depart": f"{at_s:.1f}"}
    if len(way) == 2:
        return ET.Element("trip", {**depart, "from": way[0], "to": way[1]})
    found = ET.Element("vehicle", depart)
    ET.SubElement(found, "route", edges=" ".join(way))
    return found


def evaluated(network: Path, demand: Path, hour: list[str], *more: str) -> dict[str, Any]:
    """Drive all seeds once."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "signals", "evaluate", "--profile", "as-is"),
            *("--network", str(network), "--demand", str(demand), *hour, *more),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    if done.returncode:
        raise SystemExit(done.stderr.strip()[-600:])
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def row(folder: Path, whom: str, options: argparse.Namespace) -> dict[str, Any]:
    """Give a network's line of the table: with buses or with emergency vehicles."""
    begin_s = float(BEGINS_S.get(folder.name, 0))
    end_s = begin_s + options.seconds
    hour = ["--begin", str(begin_s), "--end", str(end_s)]
    hour += ["--controller", options.controller, "--simulate", "0"]
    policies = POLICIES if whom == "buses" else POLICIES[:1]
    off: list[dict[str, Any]] = []
    ons: dict[str, list[dict[str, Any]]] = {policy: [] for policy in policies}
    for seed in options.seeds.split(","):
        with tempfile.TemporaryDirectory() as place:
            demand, network = Path(place) / "rou.xml", folder / "net.xml"
            drawn = f"{folder.name} {seed}"
            demand.write_bytes(
                with_priority_vehicles(folder / "rou.xml", begin_s, end_s, drawn, (whom,))
            )
            off += evaluated(network, demand, hour, "--seeds", seed)["seeds"]
            for policy in policies:
                more = ["--seeds", seed, "--priority", policy]
                ons[policy] += evaluated(network, demand, hour, *more)["seeds"]
    found: dict[str, Any] = {"network": folder.name, "with": whom, "off": _means(off)}
    return found | {policy: _against(on, off) for policy, on in ons.items()}


def _against(on: list[dict[str, Any]], off: list[dict[str, Any]]) -> dict[str, Any]:
    """Give what priority did, and by how much it differs from none."""
    told = [each["priority"] for each in on if "priority" in each]
    acts: Counter[str] = Counter()
    for each in told:
        acts.update(each["acts"])
    return {
        **_means(on),
        "difference": {name: _pairs(name, on, off) for name in FIGURES if off[0][name] is not None},
        "acts": dict(acts),
        "repaid_s": sum(each["repaid_s"] for each in told),
        "longest_wait_s": max(each["longest_wait_s"] for each in on),
        "safety_violations": sum(each["safety_violations"] for each in on),
        "teleports": sum(each["teleports"] for each in on),
    }


def _means(seeds: list[dict[str, Any]]) -> dict[str, float]:
    return {
        name: round(statistics.fmean(each[name] for each in seeds), 2)
        for name in FIGURES
        if seeds[0][name] is not None
    }


def _pairs(name: str, on: list[dict[str, Any]], off: list[dict[str, Any]]) -> dict[str, Any]:
    """Give the mean difference of pairs, with its interval where there is more than one."""
    found = [one[name] - other[name] for one, other in zip(on, off, strict=True)]
    mean = statistics.fmean(found)
    half = half_width(found) if len(found) > 1 else None
    interval = None if half is None else [round(mean - half, 2), round(mean + half, 2)]
    return {"mean": round(mean, 2), "interval95": interval}


def main() -> int:
    """Print the table; fail where something unsafe was shown."""
    parser = argparse.ArgumentParser(description=__doc__)
    data = os.environ.get("GREENBAY_DATA", str(ROOT.parent / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=Path(data) / "signals")
    parser.add_argument("--networks", nargs="+")
    parser.add_argument("--seeds", default="1,2,3,4,5")
    parser.add_argument("--seconds", type=float, default=900.0, help="of demand")
    parser.add_argument("--controller", default="current", help="current, plan or coordinated")
    parser.add_argument("--json", action="store_true", help="always on")
    options = parser.parse_args()
    folders = sorted(each.parent for each in options.data.glob("*/net.xml"))
    if options.networks:
        folders = [each for each in folders if each.name in options.networks]
    rows = [row(each, whom, options) for each in folders for whom in ("buses", "engines")]
    print(json.dumps({"unit": "s a trip or person", "seeds": options.seeds, "rows": rows}))
    unsafe = any(
        each[policy]["safety_violations"] for each in rows for policy in POLICIES if policy in each
    )
    return 1 if not rows or unsafe else 0


if __name__ == "__main__":
    raise SystemExit(main())
