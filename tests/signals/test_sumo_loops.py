"""What point detectors tell of a simulation: whoever comes also leaves."""

from __future__ import annotations

import multiprocessing
from typing import TYPE_CHECKING

from signals.adapters.sumo.control import readings_of
from signals.adapters.sumo.simulator import loops_file
from signals.rules.adaptive.layout import Layout
from signals.rules.model.sumo_net import read_sumo
from tests.signals import drivable

if TYPE_CHECKING:
    from pathlib import Path


def counted(folder: str, names: list[str]) -> dict[str, tuple[int, int, bool]]:
    """Drive ten minutes, in a process of its own; give who came, who left, and who still stands."""
    # Never in our process.
    import libsumo  # type: ignore[import-untyped]

    libsumo.start(
        [
            *("sumo", "--net-file", f"{folder}/net.xml", "--route-files", f"{folder}/rou.xml"),
            *("--additional-files", f"{folder}/loops.xml", "--no-step-log", "--no-warnings"),
        ]
    )
    came, left, stands = (
        dict.fromkeys(names, 0),
        dict.fromkeys(names, 0),
        dict.fromkeys(names, False),
    )
    for _ in range(600):
        libsumo.simulationStep()
        stands = dict.fromkeys(names, False)
        for name, each in readings_of(libsumo, names, libsumo.simulation.getTime()).items():
            came[name] += each.entered
            left[name] += each.left
            stands[name] = each.occupied
    libsumo.close()
    return {name: (came[name], left[name], stands[name]) for name in names}


def test_whoever_comes_onto_a_loop_leaves_it(tmp_path: Path) -> None:
    network, demand = drivable.files(1)
    (tmp_path / "net.xml").write_bytes(network)
    (tmp_path / "rou.xml").write_bytes(demand)
    roads = read_sumo(network)
    layout = Layout(roads)
    lanes = {
        lane.name
        for each in roads.connections
        if each.signal is not None
        for lane in roads.edges[each.start].lanes
        if lane.index == each.start_lane
    }
    loops = [layout.stop(lane) for lane in sorted(lanes)]
    (tmp_path / "loops.xml").write_bytes(loops_file(loops))
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        found = pool.apply(counted, (str(tmp_path), [each.name for each in loops]))
    assert sum(came for came, _, _ in found.values()) > 100
    assert {name: came - left for name, (came, left, _) in found.items()} == {
        name: int(stands) for name, (_, _, stands) in found.items()
    }
