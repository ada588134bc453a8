"""Signal plans side by side in SUMO: the network's own, SUMO's tools, ours alone and coordinated.

Drain delay (everybody arrives; time lost and the wait for a place to start), profile ``as-is``, the
same seeds for all. SUMO's Webster tool and coordinator come from ``.venv-peers``; without it their
columns are empty. The networks are not the project's: ``GREENBAY_DATA`` says where they lie. With
``--towns`` they are drawn instead (``bench/_towns.py``), which nobody's plans were fitted to.

Example
-------
``GREENBAY_DATA=../shared/data python -m bench.signals --networks cologne1 --seeds 1,2,3``
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from bench._towns import KINDS, LOADS, PEERS, ROOT, make_town, sumo_home

BEGINS_S = {"cologne1": 25_200, "cologne3": 25_200, "ingolstadt1": 57_600}
"""Start of the hour that the networks' authors took; others from their first departure."""
TOOL_LIMIT_S = 600


def evaluated(network: Path, seeds: str, *more: str) -> dict[str, Any]:
    """Drive a controller."""
    begin = BEGINS_S.get(network.name)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "signals", "evaluate", "--profile", "as-is"),
            *("--network", str(network / "net.xml"), "--demand", str(network / "rou.xml")),
            *("--seeds", seeds, *(("--begin", str(begin)) if begin is not None else ()), *more),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    if done.returncode:
        return {"failed": done.stderr.strip()[-300:]}
    found = json.loads(done.stdout)
    return {
        "drain_delay_s": found["mean"]["drain_delay_s"],
        "interval95": found["interval95"]["drain_delay_s"],
        "stops": found["mean"]["stops"],
        "teleports": found["mean"]["teleports"],
        "safety_violations": found["mean"]["safety_violations"],
    }


def tools_plans(network: Path, folder: Path) -> dict[str, Path | str]:
    """Let SUMO's Webster tool and its coordinator make plans; a text says why one could not."""
    home = sumo_home()
    if home is None:
        return {"webster": "no .venv-peers", "coordinator": "no .venv-peers"}
    routes = folder / "routed.rou.xml"
    begin = str(BEGINS_S.get(network.name, 0))
    steps: dict[str, tuple[Path, list[str]]] = {
        "routes": (
            routes,
            [
                str(home / "bin" / "duarouter"),
                *("-n", str(network / "net.xml"), "-r", str(network / "rou.xml")),
                *("-o", str(routes), "--ignore-errors", "--no-warnings"),
            ],
        ),
    }
    webster, joined = folder / "webster.add.xml", folder / "coordinator.add.xml"
    python = str(PEERS / "bin" / "python")
    steps["webster"] = (
        webster,
        [
            *(python, str(home / "tools" / "tlsCycleAdaptation.py"), "-b", begin),
            *("-n", str(network / "net.xml"), "-r", str(routes), "-o", str(webster)),
        ],
    )
    steps["coordinator"] = (
        joined,
        [
            *(python, str(home / "tools" / "tlsCoordinator.py"), "-a", str(webster)),
            *("-n", str(network / "net.xml"), "-r", str(routes), "-o", str(joined)),
        ],
    )
    found: dict[str, Path | str] = {}
    for name, (out, line) in steps.items():
        done = subprocess.run(
            line,
            capture_output=True,
            text=True,
            timeout=TOOL_LIMIT_S,
            check=False,
            env={**os.environ, "SUMO_HOME": str(home)},
        )
        found[name] = out if out.exists() else (done.stderr.strip() or "nothing came")[-200:]
    if webster.exists() and joined.exists():
        _with_offsets(webster, joined)
    return found


def _with_offsets(plans: Path, offsets: Path) -> None:
    """Write the coordinator's offsets, which is all that it gives, into the plans it was given."""
    tree = ET.parse(plans)  # noqa: S314 - SUMO's tools wrote both a moment ago
    written = ET.parse(offsets)  # noqa: S314 - as above
    found = {each.get("id"): each.get("offset") for each in written.iter("tlLogic")}
    for each in tree.iter("tlLogic"):
        each.set("offset", found.get(each.get("id")) or each.get("offset") or "0")
    tree.write(offsets)


def row(network: Path, seeds: str, simulate_s: float) -> dict[str, Any]:
    """Give a network's line of the table."""
    budget = ("--simulate", str(simulate_s))
    found: dict[str, Any] = {
        "own": evaluated(network, seeds, "--controller", "current"),
        "plan_by_model": evaluated(network, seeds, "--controller", "plan", "--simulate", "0"),
        "plan": evaluated(network, seeds, "--controller", "plan", *budget),
        "coordinated": evaluated(network, seeds, "--controller", "coordinated", *budget),
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, plans in tools_plans(network, Path(folder)).items():
            if name == "routes":
                continue
            if isinstance(plans, str):
                found[f"sumo_{name}"] = {"failed": plans}
            else:
                found[f"sumo_{name}"] = evaluated(
                    network, seeds, "--controller", "plan", "--plans", str(plans)
                )
    own = found["own"].get("drain_delay_s")
    ours = found["plan"].get("drain_delay_s")
    return {
        "network": network.name,
        "ratio": round(ours / own, 3) if own and ours else None,
        **found,
    }


def drawn_towns(names: list[str], folder: Path) -> list[Path]:
    """Draw towns named ``kind:seed`` or ``kind:seed:load`` and give their folders."""
    found = []
    for name in names:
        kind, seed, *load = name.split(":")
        place = folder / f"{kind}-{seed}"
        given = float(load[0]) if load else LOADS[kind]
        make_town(kind, int(seed), place, people=False, load=given)
        found.append(place)
    return found


def main() -> int:
    """Print the table; fail where a plan of ours is worse than the network's own or SUMO's."""
    parser = argparse.ArgumentParser(description=__doc__)
    data = os.environ.get("GREENBAY_DATA", str(ROOT.parent / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=Path(data) / "signals")
    parser.add_argument("--networks", nargs="+")
    kinds = ", ".join(KINDS)
    parser.add_argument(
        "--towns", nargs="+", metavar="KIND:SEED[:LOAD]", help=f"drawn ones: {kinds}"
    )
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--simulate", type=float, default=60.0)
    parser.add_argument("--json", action="store_true", help="always on")
    options = parser.parse_args()
    folders = sorted(each.parent for each in options.data.glob("*/net.xml"))
    if options.networks:
        folders = [each for each in folders if each.name in options.networks]
    with tempfile.TemporaryDirectory() as drawn:
        if options.towns:
            folders = drawn_towns(options.towns, Path(drawn))
        rows = [row(each, options.seeds, options.simulate) for each in folders]
    ratios = [each["ratio"] for each in rows if each["ratio"] is not None]
    mean = round(statistics.fmean(ratios), 3) if ratios else None
    print(
        json.dumps({"unit": "s a trip", "seeds": options.seeds, "mean_ratio": mean, "rows": rows})
    )
    return 1 if any(worse(each) for each in rows) else 0


def worse(found: dict[str, Any]) -> bool:
    """Whether a plan of ours is worse than what it has to beat."""

    def delay_s(name: str) -> float | None:
        value = found[name].get("drain_delay_s")
        return None if value is None else float(value)

    pairs = [("plan", "own"), ("plan", "sumo_webster"), ("coordinated", "sumo_coordinator")]
    for ours, theirs in pairs:
        one, other = delay_s(ours), delay_s(theirs)
        if one is None or (other is not None and one > other):
            return True
    return False


if __name__ == "__main__":
    raise SystemExit(main())
