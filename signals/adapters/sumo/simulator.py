"""Runs of SUMO from outside: files in a private folder, a process a run, clear errors."""

import json
import math
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from xml.etree import ElementTree as ET

import signals
from city.errors import Invalid, Unavailable
from signals.rules.adaptive.control import Adaptive
from signals.rules.adaptive.detectors import Detector
from signals.rules.control.peers import Peer
from signals.rules.model.aspects import CODES, FLASHING, OF_CODE, YELLOWS, Aspect
from signals.rules.model.plans import Interval, Programme
from signals.rules.model.sumo_export import additional_file
from signals.rules.model.sumo_net import read_sumo
from signals.rules.priority.running import PlanPriority
from signals.rules.simulation.outcome import Trip, person_delay_s
from signals.rules.simulation.replay import Track

Control = Peer | Adaptive | PlanPriority
"""Who switches signals in place of their plans."""
TELEPORT_S: Final = 300.0
_GIVE_UP_S: Final = 4 * 3_600.0
"""After the last departure; teleports empty any network long before."""
_RUN_LIMIT_S: Final = 1_800.0
_SETTING_OUT: Final = {"vehicle", "trip", "flow", "person", "personFlow", "container"}


@dataclass(frozen=True, slots=True)
class Run:
    """What one run gave."""

    trips: tuple[Trip, ...]
    walks_s: tuple[float, ...]
    teleports: int
    shown: dict[str, tuple[Interval, ...]]
    """By signal, all that it showed; empty where nobody watched."""
    passages: tuple[tuple[str, str, float], ...] = ()
    """Lane before a signal, lane behind it, seconds lost there; empty where nobody asked."""
    longest_wait_s: float | None = None
    """Longest that anybody stood at a stop line without green; None where nobody watched."""
    decision_ms: tuple[float, ...] = ()
    """What each second's decisions of all signals took; empty where plans ran."""
    decisions: tuple[tuple[float, str, str], ...] = ()
    """Instant, signal and reason of every change of an adaptive control."""
    priority: dict[str, Any] | None = None
    """What a control that gives priority was asked and did; None of others."""
    tracks: tuple[Track, ...] = ()
    """Where vehicles were in the window of a replay; empty where nobody asked."""
    tracked_until_s: float | None = None
    """When that window ended: before what was asked for where there were too many vehicles."""

    @property
    def delay_s(self) -> float:
        """Mean drain delay."""
        return sum(trip.delay_s for trip in self.trips) / max(len(self.trips), 1)

    @property
    def person_delay_s(self) -> float:
        """Mean drain delay of a person."""
        return person_delay_s(self.trips, self.walks_s)


class Simulator:
    """A network and a demand, ready to be driven.

    Parameters
    ----------
    network, demand : bytes
        SUMO's files.
    begin_s, end_s : float
        Who starts in between is driven, until all of them have arrived.
    scale : float
        Factor on the demand: SUMO leaves vehicles out or adds copies.
    closed_lanes : Sequence of str
        Nobody may use them.
    """

    def __init__(
        self,
        network: bytes,
        demand: bytes,
        begin_s: float,
        end_s: float,
        *,
        scale: float = 1.0,
        closed_lanes: Sequence[str] = (),
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="greenbay-simulation-")
        self._base = Path(self._folder.name)
        (self._base / "net.xml").write_bytes(network)
        (self._base / "routes.xml").write_bytes(starting_until(demand, end_s))
        self._begin_s, self._end_s = begin_s, end_s
        self._scale, self._closed = scale, tuple(closed_lanes)
        self._plans: dict[tuple[Programme, ...], Path] = {}
        self._walkers: dict[str, frozenset[int]] | None = None

    def __enter__(self) -> Self:
        """Hold the files."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the files."""
        self._folder.cleanup()

    def drive(
        self,
        programmes: Sequence[Programme] | None,
        seed: int,
        *,
        control: Control | None = None,
        watch: bool = False,
        passages: bool = False,
        counted_from_s: float | None = None,
        replay_s: tuple[float, float] | None = None,
        limit_s: float = _RUN_LIMIT_S,
    ) -> Run:
        """Drive one seed.

        Parameters
        ----------
        programmes : Sequence of Programme or None
            Each in place of the network's own; None: the network as it is.
        seed : int
        control : Peer, optional
            Who switches the signals that it knows, in place of their plans.
        watch : bool
            Keep what every signal showed.
        passages : bool
            Keep what every vehicle lost at every signal that it passed.
        counted_from_s : float, optional
            Leave out trips that wanted to start before, and signals passed before.
        replay_s : tuple of float, optional
            Keep where every vehicle is in each second from one instant to another.
        limit_s : float
            Wall time.

        Raises
        ------
        Invalid
            Where SUMO refuses the files; its own words.
        Unavailable
            Where it takes longer than the limit, or libsumo is not installed.
        """
        job = {
            "network": str(self._base / "net.xml"),
            "routes": str(self._base / "routes.xml"),
            "additional": [
                *([str(self._file_of(tuple(programmes)))] if programmes else []),
                *([str(self._file_of_loops(control))] if isinstance(control, Adaptive) else []),
            ],
            # Begun within a second, SUMO lets nobody on foot start.
            "told": _told(programmes or ()) if watch else {},
            "begin_s": float(math.floor(self._begin_s)),
            "give_up_s": self._end_s + _GIVE_UP_S,
            "seed": seed,
            "scale": self._scale,
            "teleport_s": TELEPORT_S,
            "closed_lanes": self._closed,
            "watch": watch,
            "passages": passages,
            "counted_from_s": counted_from_s,
            "replay_s": replay_s,
            "control": None if control is None else str(self._file_of_control(control)),
        }
        answer = _run(job, limit_s)
        return Run(
            tuple(Trip(*trip) for trip in answer["trips"]),
            tuple(answer["walks_s"]),
            answer["teleports"],
            {
                light: intervals_of(steps, answer["end_s"])
                for light, steps in answer["shown"].items()
            },
            tuple((start, end, lost_s) for start, end, lost_s in answer["passages"]),
            answer["longest_wait_s"],
            tuple(answer["decision_ms"]),
            tuple((at_s, light, says) for at_s, light, says in answer["decisions"]),
            answer["priority"],
            tuple(Track(from_s, tuple(places)) for from_s, places in answer["tracks"]),
            answer["tracked_until_s"],
        )

    def _file_of_control(self, control: Control) -> Path:
        path = self._base / "control.pickle"
        path.write_bytes(pickle.dumps(control))
        return path

    def _file_of_loops(self, control: Adaptive) -> Path:
        path = self._base / "loops.add.xml"
        path.write_bytes(loops_file(control.detectors))
        return path

    def _without_flashing(self, programme: Programme) -> Programme:
        """Give a programme as SUMO drives it: nobody on foot steps off in a flashing green."""
        if not any(FLASHING & set(each.shows) for each in programme.intervals):
            return programme
        if self._walkers is None:
            self._walkers = walkers_by_signal((self._base / "net.xml").read_bytes())
        walkers = self._walkers.get(programme.junction, frozenset())
        intervals = tuple(
            replace(
                each,
                shows=tuple(
                    Aspect.RED if aspect in FLASHING and place in walkers else aspect
                    for place, aspect in enumerate(each.shows)
                ),
            )
            for each in programme.intervals
        )
        return replace(programme, intervals=intervals)

    def _file_of(self, programmes: tuple[Programme, ...]) -> Path:
        if programmes not in self._plans:
            path = self._base / f"plans-{len(self._plans)}.add.xml"
            # The network may hold a programme of the same name.
            driven = [
                replace(self._without_flashing(each), name=f"driven {len(self._plans)}")
                for each in programmes
            ]
            path.write_text(additional_file(driven), encoding="utf-8")
            self._plans[programmes] = path
        return self._plans[programmes]


def walkers_by_signal(network: bytes) -> dict[str, frozenset[int]]:
    """Give the places of the lamps for people on foot: their ways begin beside the roads."""
    found: dict[str, set[int]] = {}
    for each in read_sumo(network).connections:
        if each.signal is not None and each.index is not None and each.start.startswith(":"):
            found.setdefault(each.signal, set()).add(each.index)
    return {signal: frozenset(places) for signal, places in found.items()}


def _told(programmes: Sequence[Programme]) -> dict[str, tuple[float, list[tuple[float, str]]]]:
    """Give what plans of fixed times show, where SUMO's own states would not say it."""
    return {
        each.junction: (
            each.offset_s,
            [
                (interval.duration_s, "".join(CODES[aspect] for aspect in interval.shows))
                for interval in each.intervals
            ],
        )
        for each in programmes
        if not each.actuated and any(FLASHING & set(i.shows) for i in each.intervals)
    }


def loops_file(detectors: Sequence[Detector]) -> bytes:
    """Give SUMO's additional file of point detectors, which write nothing."""
    root = ET.Element("additional")
    for each in detectors:
        ET.SubElement(
            root,
            "inductionLoop",
            id=each.name,
            lane=each.lane,
            pos=str(-max(each.from_end_m, 0.1)),
            period="1000000",
            friendlyPos="true",
            file="/dev/null",
        )
    return ET.tostring(root)


def intervals_of(steps: Sequence[tuple[float, str]], end_s: float) -> tuple[Interval, ...]:
    """Give what a signal showed as intervals: each state from its first second to the next's.

    The last state, which the end of the run cut short, is left out unless it is all there is, and
    so is a change between greens that it belonged to.
    """
    ends = [start_s for start_s, _ in steps[1:]]
    if len(steps) == 1:
        ends.append(max(end_s, steps[0][0] + 1))
    found = [
        Interval(ended_s - start_s, tuple(OF_CODE[letter] for letter in state))
        for (start_s, state), ended_s in zip(steps, ends, strict=False)
    ]
    while len(found) > 1 and (FLASHING | YELLOWS) & set(found[-1].shows):
        found.pop()
    return tuple(found)


def starting_until(demand: bytes, end_s: float) -> bytes:
    """Give a routes file without those who start after a time; flows end by then.

    The file has been read by ``read_journeys`` before, which refuses document types.
    """
    root = ET.fromstring(demand)  # noqa: S314 - see above
    late = [each for each in root if each.tag in _SETTING_OUT and _starts_s(each) > end_s]
    running = [
        each for each in root if "end" in each.attrib and _seconds(each.attrib["end"]) > end_s
    ]
    if not late and not running:
        return demand
    for each in late:
        root.remove(each)
    for each in running:
        if each in late:
            continue
        begin_s, until_s = _starts_s(each), _seconds(each.attrib["end"])
        if "number" in each.attrib:
            share = (end_s - begin_s) / (until_s - begin_s)
            each.attrib["number"] = str(round(float(each.attrib["number"]) * share))
        each.attrib["end"] = str(end_s)
    return ET.tostring(root)


def _starts_s(each: ET.Element) -> float:
    return _seconds(each.attrib.get("depart", each.attrib.get("begin", "0")))


def _seconds(text: str) -> float:
    value = 0.0
    try:
        for part in text.split(":"):
            value = value * 60 + float(part)
    except ValueError:
        return 0.0
    return value


def _run(job: dict[str, Any], limit_s: float) -> dict[str, Any]:
    root = str(Path(signals.__file__).parents[1])
    try:
        done = subprocess.run(
            [sys.executable, "-m", "signals.adapters.sumo.run"],
            input=json.dumps(job).encode(),
            capture_output=True,
            timeout=max(limit_s, 1.0),
            check=False,
            cwd=root,
            env={**os.environ, "PYTHONPATH": root},
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"the simulation took longer than {limit_s:.0f} s") from None
    if done.returncode:
        raise _refused(done.stderr.decode(errors="replace"))
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _refused(said: str) -> Invalid | Unavailable:
    if "No module named 'libsumo'" in said:
        return Unavailable("libsumo is not installed")
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line.removeprefix("Error: ") for line in lines if line.startswith("Error: ")]
    return Invalid(f"SUMO: {(errors or lines or ['ended without a word'])[0][:300]}")
