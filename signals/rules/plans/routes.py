"""Turning flows at signals out of a SUMO routes file.

Trips, vehicles with routes, and flows are followed over the network; a trip that names only its
ends takes the way of least free-flow time. What each passes counts at every signalled movement, by
the road it comes from and the road it goes to.

Source: SUMO, "Definition of Vehicles, Vehicle Types, and Routes".
"""

import heapq
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count, pairwise
from typing import Final, NoReturn
from xml.parsers import expat

from city.errors import Invalid
from signals.rules.model.sumo_net import SumoFile
from signals.rules.plans.drivers import CARS, Drivers, mean_of

_HOUR_S: Final = 3600.0
_INNER: Final = {"internal", "crossing", "walkingarea"}
_CAR_M: Final = 5.0
_GAP_M: Final = 2.5
_LENGTHS_M: Final = {
    "bus": 12.0,
    "coach": 14.0,
    "truck": 7.1,
    "trailer": 16.5,
    "delivery": 6.5,
    "motorcycle": 2.2,
    "moped": 2.1,
}
"""SUMO's defaults of classes longer or shorter than a car's 5 m."""


@dataclass(frozen=True, slots=True)
class Journey:
    """Vehicles that start at a time and follow roads, or only name where they start and end."""

    depart_s: float
    vehicles: float
    """One for a vehicle; the whole number of a flow."""
    roads: tuple[str, ...]
    whole: bool
    """The roads follow each other; else only some are named."""
    until_s: float
    """End of a flow; the departure of a vehicle."""
    bicycle: bool = False
    drivers: Drivers = CARS


@dataclass(frozen=True, slots=True)
class TurningFlows:
    """Vehicles and bicycles per hour by road from and road to, over a time."""

    begin_s: float
    end_s: float
    flow_vph: Mapping[tuple[str, str], float]
    vehicles: int
    lost: int
    """Journeys that no way of the network serves."""
    ways_vph: Mapping[tuple[str, ...], float] = field(default_factory=dict)
    """Vehicles per hour by the roads of their whole way, bicycles left out."""
    bicycles_vph: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """Bicycles per hour, which are not in the flow of vehicles."""
    drivers: Drivers = CARS
    """Of vehicles, not of bicycles, in the mean."""


@dataclass(slots=True)
class _Reading:
    routes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    journeys: list[Journey] = field(default_factory=list)
    open: dict[str, str] | None = None
    tag: str = ""
    edges: tuple[str, ...] = ()
    bicycles: set[str] = field(default_factory=lambda: {"DEFAULT_BIKETYPE"})
    """Types of vehicles that are bicycles."""
    drivers: dict[str, Drivers] = field(default_factory=dict)
    """By type, where one is described."""


def read_journeys(content: bytes) -> tuple[Journey, ...]:
    """Read a routes file.

    Raises
    ------
    Invalid
        Where it is no such file, or a journey has an absurd time or names no road; the message
        names the element and the line. People on foot and stops are passed over.
    """
    now = _Reading()
    roots: list[str] = []
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse

    def started(tag: str, attributes: dict[str, str]) -> None:
        if not roots:
            roots.append(tag)
            if tag not in {"routes", "additional"}:
                raise Invalid(f"is no SUMO routes file: its root is <{tag[:40]}>")
        try:
            _started(now, tag, attributes)
        except (KeyError, ValueError) as error:
            why = f"lacks {error}" if isinstance(error, KeyError) else str(error)
            raise Invalid(f"<{tag}> in line {parser.CurrentLineNumber}: {why}") from None

    def ended(tag: str) -> None:
        if tag == now.tag and now.open is not None:
            try:
                _finish(now)
            except (KeyError, ValueError) as error:
                why = f"lacks {error}" if isinstance(error, KeyError) else str(error)
                raise Invalid(f"<{tag}> in line {parser.CurrentLineNumber}: {why}") from None

    parser.StartElementHandler = started
    parser.EndElementHandler = ended
    try:
        parser.Parse(content, True)  # noqa: FBT003 - expat's "this is all"
    except expat.ExpatError as error:
        raise Invalid(f"is no XML: {error}") from None
    except (ValueError, LookupError) as error:
        raise Invalid(f"cannot be read: {error}") from None
    return tuple(now.journeys)


def _refuse(*_: object) -> NoReturn:
    raise Invalid("has a document type, which SUMO files have not")


def _started(now: _Reading, tag: str, attributes: dict[str, str]) -> None:
    if tag in {"vehicle", "trip", "flow"}:
        now.open, now.tag, now.edges = attributes, tag, ()
    elif tag == "vType":
        kind = attributes.get("vClass", "passenger")
        if kind == "bicycle":
            now.bicycles.add(attributes["id"])
        now.drivers[attributes["id"]] = _drivers(attributes, kind)
    elif tag == "route":
        edges = tuple(attributes.get("edges", "").split())
        if now.open is not None:
            # Of alternatives the last counts, as in a file of a single route.
            now.edges = edges or now.routes.get(attributes.get("refId", ""), ())
        elif "id" in attributes:
            now.routes[attributes["id"]] = edges


def _drivers(attributes: Mapping[str, str], kind: str) -> Drivers:
    """Read what of a type matters at a stop line; the rest is as SUMO's cars have it."""
    length_m = float(attributes.get("length", _LENGTHS_M.get(kind, _CAR_M)))
    found = Drivers(
        length_m + float(attributes.get("minGap", _GAP_M)),
        float(attributes.get("tau", CARS.headway_s)),
        float(attributes.get("accel", CARS.acceleration_mps2)),
        float(attributes.get("maxSpeed", CARS.top_mps)),
    )
    if not 0 < found.space_m < math.inf:
        raise ValueError("has no length")
    if not (0 <= found.headway_s < math.inf and 0 < found.acceleration_mps2 < math.inf):
        raise ValueError("has an absurd tau or accel")
    if not found.top_mps > 0:
        raise ValueError("has no speed")
    return found


def _finish(now: _Reading) -> None:
    given, now.open = now.open or {}, None
    edges = now.edges or now.routes.get(given.get("route", ""), ())
    whole = bool(edges)
    if not edges:
        edges = (given["from"], *given.get("via", "").split(), given["to"])
    rides = given.get("type") in now.bicycles
    drivers = now.drivers.get(given.get("type", "DEFAULT_VEHTYPE"), CARS)
    if now.tag == "flow":
        begin_s, end_s = _time(given.get("begin", "0")), _time(given.get("end", "3600"))
        number = _number(given, begin_s, end_s)
        now.journeys.append(Journey(begin_s, number, edges, whole, end_s, rides, drivers))
        return
    depart_s = _time(given["depart"])
    now.journeys.append(Journey(depart_s, 1.0, edges, whole, depart_s, rides, drivers))


def _time(text: str) -> float:
    """Read seconds or ``h:m:s``; ``triggered`` and the like start with whoever brings them."""
    if text in {"triggered", "containerTriggered", "split", "now", "begin"}:
        return 0.0
    value = 0.0
    for part in text.split(":"):
        value = value * 60 + float(part)
    if not math.isfinite(value):
        raise ValueError(f"{text[:20]} is no time")
    return value


def _number(given: Mapping[str, str], begin_s: float, end_s: float) -> float:
    lasts_s = end_s - begin_s
    if lasts_s < 0:
        raise ValueError("ends before it begins")
    if "number" in given:
        vehicles = float(given["number"])
    elif "vehsPerHour" in given:
        vehicles = float(given["vehsPerHour"]) * lasts_s / _HOUR_S
    elif "probability" in given:
        vehicles = float(given["probability"]) * lasts_s
    else:
        period = given["period"]
        if period.startswith("exp("):
            vehicles = float(period[4:-1]) * lasts_s
        else:
            vehicles = lasts_s / float(period) if float(period) > 0 else math.nan
    if not 0 <= vehicles < math.inf:
        raise ValueError("has no number of vehicles")
    return vehicles


def turning_flows(
    file: SumoFile,
    journeys: tuple[Journey, ...],
    begin_s: float | None = None,
    end_s: float | None = None,
) -> TurningFlows:
    """Count journeys at every pair of roads that they pass one after the other.

    Parameters
    ----------
    file : SumoFile
        The network.
    journeys : tuple of Journey
    begin_s, end_s : float or None
        Those that start in between count; None: from the first or to the last departure.

    Raises
    ------
    Invalid
        Where nobody starts in that time, or it has no length.

    Notes
    -----
    One shortest-path search for each pair of ends, least free-flow time. A vehicle counts at every
    signal of its way, at once: ways are short beside the time counted over.
    """
    first_s = min((each.depart_s for each in journeys), default=0.0) if begin_s is None else begin_s
    last_s = max((each.until_s for each in journeys), default=0.0) if end_s is None else end_s
    if end_s is None and begin_s is None and last_s == first_s:
        last_s = first_s + _HOUR_S
    if not last_s > first_s:
        raise Invalid("must end after it begins", field="end")
    graph = Graph(file)
    ways: dict[tuple[str, ...], float] = {}
    ridden: dict[tuple[str, ...], float] = {}
    driving: dict[Drivers, float] = {}
    total, lost = 0.0, 0
    for journey in journeys:
        vehicles = within(journey, first_s, last_s)
        if vehicles <= 0:
            continue
        roads = journey.roads if journey.whole else graph.way(journey.roads)
        if roads is None:
            lost += 1
            continue
        total += vehicles
        if not journey.bicycle:
            driving[journey.drivers] = driving.get(journey.drivers, 0.0) + vehicles
        counted = ridden if journey.bicycle else ways
        counted[roads] = counted.get(roads, 0.0) + vehicles
    if total <= 0:
        raise Invalid("nobody starts in the time asked for", field="begin")
    hours = (last_s - first_s) / _HOUR_S
    hourly = {roads: vehicles / hours for roads, vehicles in ways.items()}
    riding = {roads: vehicles / hours for roads, vehicles in ridden.items()}
    return TurningFlows(
        first_s,
        last_s,
        _by_pair(hourly),
        round(total),
        lost,
        hourly,
        _by_pair(riding),
        mean_of(driving.items()),
    )


def _by_pair(ways_vph: Mapping[tuple[str, ...], float]) -> dict[tuple[str, str], float]:
    found: dict[tuple[str, str], float] = {}
    for roads, flow in ways_vph.items():
        for pair in pairwise(roads):
            found[pair] = found.get(pair, 0.0) + flow
    return found


def scaled(flows: TurningFlows, factor: float) -> TurningFlows:
    """Give the flows of a demand that is larger or smaller throughout."""
    return replace(
        flows,
        flow_vph={pair: flow * factor for pair, flow in flows.flow_vph.items()},
        ways_vph={roads: flow * factor for roads, flow in flows.ways_vph.items()},
        bicycles_vph={pair: flow * factor for pair, flow in flows.bicycles_vph.items()},
    )


def within(journey: Journey, begin_s: float, end_s: float) -> float:
    """Give how many of a journey's vehicles start in a time."""
    if journey.until_s <= journey.depart_s:
        return journey.vehicles if begin_s <= journey.depart_s <= end_s else 0.0
    shared_s = min(end_s, journey.until_s) - max(begin_s, journey.depart_s)
    return journey.vehicles * max(shared_s, 0.0) / (journey.until_s - journey.depart_s)


class Graph:
    """Roads as nodes, connections as arcs; the time to drive a road is the arc's length."""

    def __init__(self, file: SumoFile) -> None:
        self.time_s = {
            edge.name: max(lane.length_m / max(lane.speed_mps, 0.1) for lane in edge.lanes)
            for edge in file.edges.values()
            if edge.lanes and edge.function not in _INNER
        }
        self._after: dict[str, dict[str, None]] = {}
        for each in file.connections:
            if each.start in self.time_s and each.end in self.time_s:
                self._after.setdefault(each.start, {})[each.end] = None
        self._known: dict[tuple[str, ...], tuple[str, ...] | None] = {}

    def way(self, named: tuple[str, ...]) -> tuple[str, ...] | None:
        """Give the roads through the named ones; None where there is no way."""
        if named not in self._known:
            self._known[named] = self._search(named)
        return self._known[named]

    def _search(self, named: tuple[str, ...]) -> tuple[str, ...] | None:
        roads = [named[0]]
        for start, end in pairwise(named):
            part = list(self._shortest(start, end))
            if not part:
                return None
            roads += part[1:]
        return tuple(roads) if named[0] in self.time_s else None

    def _shortest(self, start: str, end: str) -> Iterator[str]:
        ticket: Callable[[], int] = count().__next__
        queue = [(0.0, ticket(), start)]
        before: dict[str, str | None] = {start: None}
        best = {start: 0.0}
        while queue:
            cost_s, _, road = heapq.heappop(queue)
            if road == end:
                way: list[str] = []
                at: str | None = road
                while at is not None:
                    way.append(at)
                    at = before[at]
                yield from reversed(way)
                return
            if cost_s > best[road]:
                continue
            for following in self._after.get(road, ()):
                further_s = cost_s + self.time_s[following]
                if further_s < best.get(following, math.inf):
                    best[following], before[following] = further_s, road
                    heapq.heappush(queue, (further_s, ticket(), following))
