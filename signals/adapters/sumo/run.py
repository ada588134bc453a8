"""One simulated run, in a process of its own: a job as JSON on stdin, its trips on stdout.

Started by ``simulator``; the only module that imports libsumo. What SUMO prints goes to stderr.
"""

import gc
import json
import math
import os
import pickle
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

from signals.adapters.sumo.control import (
    AdaptiveController,
    Controller,
    Halting,
    PeerController,
    Waits,
    walkers_of,
)
from signals.adapters.sumo.priority import PriorityController
from signals.rules.adaptive.control import Adaptive
from signals.rules.control.peers import Peer
from signals.rules.model.aspects import driven
from signals.rules.priority.running import PlanPriority

_CHECK_EVERY_STEPS: Final = 200
_BEYOND_M: Final = 80.0
"""Beyond the junction speed is reached again: 14 m/s after 38 m at 2.6 m/s2."""
_MOST_POSITIONS: Final = 400_000
"""Of a replay: 2 200 vehicles for three minutes."""
_NOWHERE_M: Final = 1e8
"""SUMO's coordinates of a vehicle that is on no road are beyond."""


def main() -> int:
    """Read the job, drive it, write the answer."""
    answer = os.dup(1)
    os.dup2(2, 1)
    job = json.loads(sys.stdin.buffer.read())
    with tempfile.TemporaryDirectory(prefix="greenbay-run-") as folder:
        result = drive(job, Path(folder))
    with os.fdopen(answer, "wb") as out:
        out.write(json.dumps(result).encode())
    return 0


def drive(job: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Drive until everybody has arrived, or the job's last second."""
    # Here, so that nobody else ever has it in their process.
    import libsumo  # type: ignore[import-untyped] # noqa: PLC0415 - no types; see above

    trips, statistic = folder / "trips.xml", folder / "statistic.xml"
    libsumo.start([*arguments(job), "--tripinfo-output", str(trips),
                   "--statistic-output", str(statistic)])  # fmt: skip
    _close(libsumo, job["closed_lanes"])
    watched = Watched(libsumo, job)
    passages = Passages(libsumo) if job["passages"] else None
    positions = Positions(libsumo, *job["replay_s"]) if job["replay_s"] else None
    counted_from_s = -math.inf if job["counted_from_s"] is None else job["counted_from_s"]
    parent, steps, early = os.getppid(), 0, 0
    gc.freeze()  # what stands now lasts: no decision is to wait while it is looked through
    while libsumo.simulation.getMinExpectedNumber() > 0:
        libsumo.simulationStep()
        now_s = libsumo.simulation.getTime()
        watched.step(now_s)
        if passages is not None:
            passages.step()
            early = len(passages.found) if now_s < counted_from_s else early
        if positions is not None:
            positions.step(now_s)
        if now_s >= job["give_up_s"]:
            break
        steps += 1
        if steps % _CHECK_EVERY_STEPS == 0 and os.getppid() != parent:
            sys.exit(4)
    end_s = libsumo.simulation.getTime()
    classes = {
        kind: libsumo.vehicletype.getVehicleClass(kind) for kind in libsumo.vehicletype.getIDList()
    }
    libsumo.close()
    return {**travelled(trips, classes, counted_from_s, end_s),
            "teleports": teleports(statistic), "end_s": end_s, **watched.found(),
            "passages": [] if passages is None else passages.found[early:],
            "tracks": [] if positions is None else positions.tracks(),
            "tracked_until_s": None if positions is None else positions.until_s}  # fmt: skip


def _close(sumo: Any, lanes: list[str]) -> None:
    known = set(sumo.lane.getIDList()) if lanes else set()
    for lane in lanes:
        if lane not in known:
            sys.stderr.write(f"Error: the network has no lane {lane}\n")
            sys.exit(3)
        sumo.lane.setDisallowed(lane, ["all"])


class Watched:
    """What signals show second by second, who waits for it, and who switches them."""

    def __init__(self, sumo: Any, job: dict[str, Any]) -> None:
        self._sumo = sumo
        self._lights = sumo.trafficlight.getIDList() if job["watch"] else ()
        self._shown: dict[str, list[tuple[float, str]]] = {light: [] for light in self._lights}
        self._walkers = {light: walkers_of(sumo, light) for light in self._lights}
        self._plans = {light: Told(*plan) for light, plan in job["told"].items()}
        control = _control(job["control"])
        self._waits = Waits(sumo) if job["watch"] else None
        looked_at = self._waits.lanes if self._waits is not None else set()
        looked_at |= PeerController.lanes(control) if isinstance(control, Peer) else set()
        self._halting = Halting(sumo, looked_at) if looked_at else None
        self._controller: Controller | None = None
        if isinstance(control, Adaptive):
            self._controller = AdaptiveController(sumo, control, job["begin_s"])
        elif isinstance(control, PlanPriority):
            self._controller = PriorityController(sumo, control, job["begin_s"])
        elif control is not None and self._halting is not None:
            self._controller = PeerController(sumo, control, self._halting, job["begin_s"])

    def step(self, now_s: float) -> None:
        """Take in what was shown in the last second, and switch for the next."""
        states = {
            light: self._sumo.trafficlight.getRedYellowGreenState(light) for light in self._lights
        }
        for light, seen in states.items():
            state = self._told(light, seen, now_s)
            if not self._shown[light] or self._shown[light][-1][1] != state:
                self._shown[light].append((now_s, state))
        if self._halting is not None:
            self._halting.step()
        if self._waits is not None and self._halting is not None:
            self._waits.step(now_s, states, self._halting.now)
        if self._controller is not None:
            self._controller.step(now_s)

    def _told(self, light: str, seen: str, now_s: float) -> str:
        """Give what was told, if that is what SUMO shows: it knows no flashing green."""
        if self._controller is not None and light in self._controller.shown:
            told = self._controller.shown[light]
        else:
            told = self._plans[light].at(now_s - 1) if light in self._plans else ""
        return told if told and driven(told, self._walkers[light]) == seen else seen

    def found(self) -> dict[str, Any]:
        """Give all of it."""
        return {
            "shown": self._shown,
            "longest_wait_s": None if self._waits is None else self._waits.longest_s,
            "decisions": [] if self._controller is None else self._controller.decisions,
            "priority": getattr(self._controller, "report", None),
            "decision_ms": [] if self._controller is None else self._controller.decision_ms,
        }


class Told:
    """What a plan of fixed times shows when, a letter of ``CODES`` for each lamp.

    Parameters
    ----------
    offset_s : float
    steps : Sequence
        Seconds and lamps.
    """

    def __init__(self, offset_s: float, steps: Sequence[tuple[float, str]]) -> None:
        self._offset_s, self._steps = offset_s, steps
        self._cycle_s = sum(lasts_s for lasts_s, _ in steps)

    def at(self, now_s: float) -> str:
        """Give the lamps of an instant."""
        left_s = (now_s - self._offset_s) % self._cycle_s
        for lasts_s, lamps in self._steps:
            if left_s < lasts_s:
                return lamps
            left_s -= lasts_s
        return self._steps[-1][1]


def _control(path: str | None) -> Peer | Adaptive | PlanPriority | None:
    """Read what our parent wrote for us: who switches; None: the plans."""
    if path is None:
        return None
    found = pickle.loads(Path(path).read_bytes())  # noqa: S301 - our parent's, in its own folder
    if not isinstance(found, Peer | Adaptive | PlanPriority):
        raise TypeError(type(found).__name__)
    return found


class Passages:
    """What vehicles lose at each signal that they pass.

    A vehicle's loss counts from where it had got over the signal before, or from its start with its
    wait for a place to start, until it is some way beyond the junction or reaches the next road:
    braking, standing and pulling away are all in it.
    """

    def __init__(self, sumo: Any) -> None:
        self._sumo = sumo
        lights = sumo.trafficlight.getIDList()
        self._signalled = {
            link[0]: light
            for light in lights
            for links in sumo.trafficlight.getControlledLinks(light)
            for link in links
        }
        constants = sumo.constants
        self._wanted = [
            constants.VAR_LANE_ID, constants.VAR_LANEPOSITION, constants.VAR_TIMELOSS
        ]  # fmt: skip
        self._lane: dict[str, str] = {}
        self._passed: dict[str, str] = {}
        self._lost_s: dict[str, float] = {}
        self._seen_s: dict[str, float] = {}
        self.found: list[tuple[str, str, float]] = []
        """Lane before the stop line, lane behind the junction, seconds."""

    def step(self) -> None:
        """Take a step of the simulation in."""
        vehicles = self._sumo.vehicle
        for name in self._sumo.simulation.getDepartedIDList():
            vehicles.subscribe(name, self._wanted)
            # What was lost before the start counts at the first signal.
            self._lost_s[name] = -vehicles.getDepartDelay(name)
        for name, now in vehicles.getAllSubscriptionResults().items():
            lane, at_m, lost_s = (now[each] for each in self._wanted)
            before = self._lane.get(name)
            self._lane[name] = lane
            if not lane:
                continue
            passed = self._passed.get(name)
            if passed is not None and lane[0] != ":":
                over = at_m >= _BEYOND_M or lane in self._signalled
                further = before is not None and before[:1] != ":" and _road(before) != _road(lane)
                if over or further:
                    self.found.append((passed, lane, lost_s - self._lost_s[name]))
                    self._lost_s[name] = lost_s
                    del self._passed[name]
            # Who drives fast may be over a small junction within one step, on none of its lanes.
            if before and before in self._signalled and _road(lane) != _road(before):
                self._passed[name] = before
            self._seen_s[name] = lost_s
        for name in self._sumo.simulation.getArrivedIDList():
            # Many drive out of a small network before they are a long way beyond its last signal.
            passed, lane = self._passed.pop(name, None), self._lane.pop(name, "")
            begun_s, lost_s = self._lost_s.pop(name, 0.0), self._seen_s.pop(name, 0.0)
            if passed is not None:
                self.found.append((passed, lane, lost_s - begun_s))


class Positions:
    """Where every vehicle is in each second of a window, in decimetres.

    Bounded: where there are too many, the window ends early.
    """

    def __init__(self, sumo: Any, from_s: float, until_s: float) -> None:
        self._sumo = sumo
        self._from_s = from_s
        self.until_s = until_s
        self._kept = 0
        self._found: list[tuple[float, list[int]]] = []
        self._open: dict[str, list[int]] = {}

    def step(self, now_s: float) -> None:
        """Take a second in."""
        if not self._from_s <= now_s < self.until_s:
            return
        vehicles = self._sumo.vehicle
        names = vehicles.getIDList()
        self._kept += len(names)
        if self._kept > _MOST_POSITIONS:
            self.until_s = now_s
            return
        # Who is taken out of a jam is nowhere for a while, and begins anew where it is put down.
        still: dict[str, list[int]] = {}
        for name in names:
            x_m, y_m = vehicles.getPosition(name)
            if abs(x_m) > _NOWHERE_M:
                continue
            places = self._open.get(name)
            if places is None:
                places = []
                self._found.append((now_s, places))
            places += (round(x_m * 10), round(y_m * 10))
            still[name] = places
        self._open = still

    def tracks(self) -> list[tuple[float, list[int]]]:
        """Give each vehicle's first second and its places, x and y in turn."""
        return self._found


def _road(lane: str) -> str:
    return lane.rpartition("_")[0]


def arguments(job: dict[str, Any]) -> list[str]:
    """Give SUMO's command line."""
    given = ["sumo", "--net-file", job["network"], "--route-files", job["routes"]]
    given += ["--begin", str(job["begin_s"]), "--seed", str(job["seed"])]
    given += ["--scale", str(job["scale"]), "--time-to-teleport", str(job["teleport_s"])]
    if job["additional"]:
        given += ["--additional-files", ",".join(job["additional"])]
    return [
        *given,
        *("--no-step-log", "true", "--no-warnings", "true", "--verbose", "false"),
        *("--tripinfo-output.write-unfinished", "true"),
        *("--tripinfo-output.write-undeparted", "true"),
        # A lane that is closed leaves some without a way; they still count, until they teleport.
        *(("--ignore-route-errors", "true") if job["closed_lanes"] else ()),
    ]


def travelled(file: Path, classes: dict[str, str], from_s: float, end_s: float) -> dict[str, Any]:
    """Give what SUMO wrote of every trip, and the time that each person on foot lost.

    Vehicles that wanted to start before an instant are left out; those that never could have
    waited until the end.
    """
    trips, walks = [], []
    for _, each in ET.iterparse(file):  # noqa: S314 - SUMO's own output in our own folder
        if each.tag == "tripinfo":
            waited_s = max(float(each.get("departDelay", 0)), 0.0)
            depart_s = float(each.get("depart", -1))
            if (end_s if depart_s < 0 else depart_s) - waited_s < from_s:
                each.clear()
                continue
            trips.append(
                (
                    classes.get(each.get("vType", ""), "passenger"),
                    float(each.get("timeLoss", 0)),
                    waited_s,
                    float(each.get("waitingTime", 0)),
                    int(each.get("waitingCount", 0)),
                    float(each.get("arrival", -1)) >= 0,
                )
            )
            each.clear()
        elif each.tag == "personinfo":
            lost = [max(float(walk.get("timeLoss", 0)), 0.0) for walk in each.iter("walk")]
            if lost:
                walks.append(sum(lost))
            each.clear()
    return {"trips": trips, "walks_s": walks}


def teleports(file: Path) -> int:
    """Give how many vehicles SUMO took out of a jam and put down further on."""
    found = ET.parse(file).getroot().find("teleports")  # noqa: S314 - as above
    return 0 if found is None else int(found.get("total", 0))


if __name__ == "__main__":
    sys.exit(main())
