"""Turning flows at signals out of a SUMO routes file.

Trips, vehicles with routes, and flows are followed over the network; a trip that names only its
ends takes the way of least free-flow time. What each passes counts at every signalled movement, by
the road it comes from and the road it goes to.

Source: SUMO, "Definition of Vehicles, Vehicle Types, and Routes".
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Final, NoReturn
from xml.parsers import expat

from city.errors import Invalid
from signals.rules.model.sumo_net import SumoFile
from signals.rules.plans.drivers import BICYCLES, CARS, Drivers, mean_of
from signals.rules.plans.people import People, walkers_at_crossings
from signals.rules.plans.road_graph import Graph
from signals.rules.simulation.persons import OTHERWISE, PERSONS

_HOUR_S: Final = 3600.0
_PEOPLE: Final = {"person", "personFlow"}
_CAR_M: Final = 5.0
_GAP_M: Final = 2.5
_BICYCLES_GAP_M: Final = 0.5
_LENGTHS_M: Final = {
    "bus": 12.0,
    "coach": 14.0,
    "truck": 7.1,
    "trailer": 16.5,
    "delivery": 6.5,
    "motorcycle": 2.2,
    "moped": 2.1,
    "bicycle": 1.6,
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
    walks: bool = False
    persons: float = OTHERWISE
    """In a vehicle of it."""
    from_rest: bool = False
    """Sets out standing; where a demand says nothing, SUMO's set out as fast as they may."""


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
    people: People = field(default_factory=People)


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
    persons: dict[str, float] = field(default_factory=dict)
    """In a vehicle of each type."""
    person: dict[str, str] | None = None
    """Whose ways are being read."""
    reached: str | None = None
    """Where that person has come to."""


def read_journeys(content: bytes) -> tuple[Journey, ...]:
    """Read a routes file.

    Raises
    ------
    Invalid
        Where it is no such file, or a journey has an absurd time or names no road; the message
        names the element and the line. Of people their walks between named roads are journeys,
        their rides and stops are passed over.
    """
    now = _Reading()
    roots: list[str] = []
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse

    def in_line(tag: str, read: Callable[[], None]) -> None:
        try:
            read()
        except (KeyError, ValueError) as error:
            why = f"lacks {error}" if isinstance(error, KeyError) else str(error)
            raise Invalid(f"<{tag}> in line {parser.CurrentLineNumber}: {why}") from None

    def started(tag: str, attributes: dict[str, str]) -> None:
        if not roots:
            roots.append(tag)
            if tag not in {"routes", "additional"}:
                raise Invalid(f"is no SUMO routes file: its root is <{tag[:40]}>")
        in_line(tag, lambda: _started(now, tag, attributes))

    parser.StartElementHandler = started
    parser.EndElementHandler = lambda tag: in_line(tag, lambda: _ended(now, tag))
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
    if tag in _PEOPLE:
        now.person, now.reached = attributes, None
    elif now.person is not None:
        _went(now, tag, attributes)
    elif tag in {"vehicle", "trip", "flow"}:
        now.open, now.tag, now.edges = attributes, tag, ()
    elif tag == "vType":
        kind = attributes.get("vClass", "passenger")
        if kind == "bicycle":
            now.bicycles.add(attributes["id"])
        now.drivers[attributes["id"]] = _drivers(attributes, kind)
        now.persons[attributes["id"]] = PERSONS.get(kind, OTHERWISE)
    elif tag == "route":
        edges = tuple(attributes.get("edges", "").split())
        if now.open is not None:
            # Of alternatives the last counts, as in a file of a single route.
            now.edges = edges or now.routes.get(attributes.get("refId", ""), ())
        elif "id" in attributes:
            now.routes[attributes["id"]] = edges


def _ended(now: _Reading, tag: str) -> None:
    if tag in _PEOPLE:
        now.person = now.reached = None
    elif tag == now.tag and now.open is not None:
        _finish(now)


def _went(now: _Reading, tag: str, attributes: Mapping[str, str]) -> None:
    """Read a part of a person's way."""
    given = now.person or {}
    edges = tuple(attributes.get("edges", "").split())
    whole = bool(edges)
    if not edges:
        ends = (attributes.get("from", now.reached), attributes.get("to"))
        edges = tuple(each for each in ends if each)
    now.reached = edges[-1] if edges else None
    foot = tag == "walk" or (tag == "personTrip" and not attributes.get("modes"))
    if not foot or (len(edges) < 2 and not whole):  # noqa: PLR2004 - from where and to where
        return
    if "depart" in given:
        depart_s = until_s = _time(given["depart"])
        number = 1.0
    else:
        depart_s, until_s = _time(given.get("begin", "0")), _time(given.get("end", "3600"))
        number = _number(given, depart_s, until_s)
    now.journeys.append(Journey(depart_s, number, edges, whole, until_s, walks=True, persons=1.0))


def _drivers(attributes: Mapping[str, str], kind: str) -> Drivers:
    """Read what of a type matters at a stop line; the rest is as SUMO's cars have it."""
    usual = BICYCLES if kind == "bicycle" else CARS
    length_m = float(attributes.get("length", _LENGTHS_M.get(kind, _CAR_M)))
    found = Drivers(
        length_m
        + float(attributes.get("minGap", _BICYCLES_GAP_M if usual is BICYCLES else _GAP_M)),
        float(attributes.get("tau", usual.headway_s)),
        float(attributes.get("accel", usual.acceleration_mps2)),
        float(attributes.get("maxSpeed", usual.top_mps)),
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
    usual = BICYCLES if rides else CARS
    drivers = now.drivers.get(given.get("type", "DEFAULT_VEHTYPE"), usual)
    persons = now.persons.get(given.get("type", ""), PERSONS["bicycle"] if rides else OTHERWISE)
    journey = Journey(
        *(0.0, 1.0, edges, whole, 0.0, rides, drivers),
        persons=persons,
        from_rest=_from_rest(given.get("departSpeed", "max")),
    )
    if now.tag == "flow":
        begin_s, end_s = _time(given.get("begin", "0")), _time(given.get("end", "3600"))
        number = _number(given, begin_s, end_s)
        now.journeys.append(replace(journey, depart_s=begin_s, vehicles=number, until_s=end_s))
        return
    depart_s = _time(given["depart"])
    now.journeys.append(replace(journey, depart_s=depart_s, until_s=depart_s))


def _from_rest(speed: str) -> bool:
    """Whether a vehicle sets out standing; what is no number (``max`` and the like) does not."""
    try:
        return float(speed) < 1
    except ValueError:
        return False


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
    elif "vehsPerHour" in given or "perHour" in given:
        hourly = given.get("vehsPerHour", given.get("perHour", ""))
        vehicles = float(hourly) * lasts_s / _HOUR_S
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
    carried: dict[tuple[str, ...], float] = {}
    driving: dict[Drivers, float] = {}
    riding: dict[Drivers, float] = {}
    total, lost = 0.0, 0
    for journey in journeys:
        vehicles = within(journey, first_s, last_s)
        if vehicles <= 0 or journey.walks:
            continue
        roads = journey.roads if journey.whole else graph.way(journey.roads)
        if roads is None:
            lost += 1
            continue
        total += vehicles
        of = riding if journey.bicycle else driving
        of[journey.drivers] = of.get(journey.drivers, 0.0) + vehicles
        if not journey.bicycle:
            carried[roads] = carried.get(roads, 0.0) + vehicles * journey.persons
        counted = ridden if journey.bicycle else ways
        counted[roads] = counted.get(roads, 0.0) + vehicles
    if total <= 0:
        raise Invalid("nobody starts in the time asked for", field="begin")
    hours = (last_s - first_s) / _HOUR_S
    hourly = {roads: vehicles / hours for roads, vehicles in ways.items()}
    riders = {roads: vehicles / hours for roads, vehicles in ridden.items()}
    people = {roads: persons / hours for roads, persons in carried.items()}
    return TurningFlows(
        first_s,
        last_s,
        _by_pair(hourly),
        round(total),
        lost,
        hourly,
        _by_pair(riders),
        mean_of(driving.items()),
        People(
            _by_pair(people),
            walkers_at_crossings(
                file,
                (
                    (journey.roads, within(journey, first_s, last_s) / hours)
                    for journey in journeys
                    if journey.walks
                ),
            ),
            mean_of(riding.items()) if riding else BICYCLES,
        ),
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
        people=flows.people.scaled(factor),
    )


def within(journey: Journey, begin_s: float, end_s: float) -> float:
    """Give how many of a journey's vehicles start in a time."""
    if journey.until_s <= journey.depart_s:
        return journey.vehicles if begin_s <= journey.depart_s <= end_s else 0.0
    shared_s = min(end_s, journey.until_s) - max(begin_s, journey.depart_s)
    return journey.vehicles * max(shared_s, 0.0) / (journey.until_s - journey.depart_s)
