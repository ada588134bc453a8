"""Buses and a fire engine of the demo town: they drive lines, ask at signals, wait for real lamps.

What they see is what the town's cabinets show; what they tell goes over the API with a credential
of the fleet's own, as a control centre of buses would tell it. By the wall's clock.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import structlog

from city.errors import CityError
from city.people import services as people
from city.people.actors import system_actor
from signals.rules.junctions import GroupKind
from signals.rules.model.aspects import GREENS
from signals.rules.model.junction import Turn
from signals.rules.priority.requests import VehicleClass
from signals.services import networks
from signals.services import priority as service
from signals.store import networks as network_store
from signals.store import priority as store
from web.demo.api_client import ApiClient, ApiError
from web.demo.signal_network import CODE
from web.demo.town import SEED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from city.time import Clock
    from city.works.database import Database, UnitOfWork
    from city.works.settings import Settings
    from signals.rules.controllers.cabinet import Cabinet
    from signals.rules.model.junction import Movement, SignalNetwork

BUILDER: Final = system_actor("demo")
BUSES: Final = f"{CODE}-buses"
ENGINES: Final = f"{CODE}-fire-engines"
LINES: Final = 4
ON_A_LINE: Final = 2
LONGEST_LINE: Final = 6
"""Signals."""
TICK_S: Final = 1.0
AGAIN_S: Final = 5.0
BUS_FROM_M, ENGINE_FROM_M = 250.0, 500.0
"""Before the stop line it checks in."""
BUS_SHARE: Final = 0.8
"""Of the speed limit."""
STOP_S: Final = 18
PULLS_AWAY_S: Final = 2
PLANNED_WAIT_S: Final = 25
"""The timetable allows so long at each signal."""
MOST_LATE_S: Final = 420.0
REST_S: Final = (40, 120)
ENGINE_REST_S: Final = (300, 600)

log = structlog.get_logger("demo")


@dataclass(frozen=True, slots=True)
class Leg:
    """A way to a stop line."""

    signal: str
    group: str
    phase: int
    lane: str
    length_m: float
    speed_mps: float


class Lamps:
    """Since when the town's cabinets have shown each phase green."""

    def __init__(self, wall: Clock) -> None:
        self._wall = wall
        self._green: dict[str, dict[int, datetime]] = {}

    def of(self, name: str) -> Callable[[Cabinet, int], None]:
        """Give what a signal's cabinet tells its seconds to."""

        def hear(cabinet: Cabinet, late_s: int) -> None:
            at = self._wall.now() - timedelta(seconds=late_s)
            before = self._green.get(name, {})
            shown = cabinet.lamps.items()
            self._green[name] = {
                phase: before.get(phase, at) for phase, lamp in shown if lamp in GREENS
            }

        return hear

    def goes(self, leg: Leg, now: datetime) -> bool:
        """Whether a vehicle at a stop line has had the time to pull away on green."""
        since = self._green.get(leg.signal, {}).get(leg.phase)
        return since is not None and now - since >= timedelta(seconds=PULLS_AWAY_S)


@dataclass
class Driven:
    """A vehicle on its line, from one stop line to the next."""

    name: str
    kind: VehicleClass
    line: Sequence[Leg]
    random: Random
    lateness_s: float = 0.0
    aboard: int = 0
    place: int = -1
    arrives_at: datetime | None = None
    told_at: datetime | None = None
    begins_at: datetime | None = None
    rows: list[dict[str, Any]] = field(default_factory=list)
    """That wait to be told."""

    @property
    def _bus(self) -> bool:
        return self.kind is VehicleClass.BUS

    def tick(self, now: datetime, lamps: Lamps) -> None:
        """Let it drive until now."""
        if self.place < 0:
            if self.begins_at is None:
                self.begins_at = now + timedelta(seconds=self.random.randint(*self._rest()))
            if now >= self.begins_at:
                self._start(now)
            return
        leg = self.line[self.place]
        if self.arrives_at is None:
            raise ValueError("a vehicle on its line arrives somewhere")
        from_m = BUS_FROM_M if self._bus else ENGINE_FROM_M
        lead = timedelta(seconds=min(from_m, leg.length_m) / self._speed(leg))
        if now < self.arrives_at - lead:
            return
        if now >= self.arrives_at and lamps.goes(leg, now):
            self.rows.append(self._row("check_out", leg, now))
            self._go_on(now)
        elif self.told_at is None or now - self.told_at >= timedelta(seconds=AGAIN_S):
            self.told_at = now
            self.rows.append(self._row("check_in", leg, now))

    def _rest(self) -> tuple[int, int]:
        return REST_S if self._bus else ENGINE_REST_S

    def _speed(self, leg: Leg) -> float:
        return leg.speed_mps * (BUS_SHARE if self._bus else 1.0)

    def _start(self, now: datetime) -> None:
        self.lateness_s = self.random.uniform(-60, 300)
        self.aboard = self.random.randint(6, 60)
        self.place, self.begins_at = 0, None
        self._drive(now, stops=False)

    def _drive(self, now: datetime, *, stops: bool) -> None:
        leg = self.line[self.place]
        drives_s = leg.length_m / self._speed(leg) + (STOP_S if stops else 0)
        self.arrives_at, self.told_at = now + timedelta(seconds=drives_s), None

    def _go_on(self, now: datetime) -> None:
        if self.arrives_at is None:
            raise ValueError("a vehicle on its line arrives somewhere")
        waited_s = (now - self.arrives_at).total_seconds()
        self.lateness_s = min(self.lateness_s + waited_s - PLANNED_WAIT_S, MOST_LATE_S)
        self.place += 1
        if self.place == len(self.line):
            self.place, self.arrives_at = -1, None
            return
        if self._bus:
            self.aboard = max(self.aboard + self.random.randint(-8, 8), 0)
        self._drive(now, stops=self._bus)

    def _row(self, told: str, leg: Leg, now: datetime) -> dict[str, Any]:
        row: dict[str, Any] = {
            "told": told,
            "signal": leg.signal,
            "vehicle": self.name,
            "at": now.isoformat(timespec="milliseconds"),
        }
        if told == "check_out" or self.arrives_at is None:
            return row
        row |= {
            "kind": self.kind.value,
            "group": leg.group,
            "lane": leg.lane,
            "arrives_at": max(self.arrives_at, now).isoformat(timespec="milliseconds"),
            "spread_s": 2.0,
        }
        if self._bus:
            row |= {"lateness_s": round(self.lateness_s), "passengers": self.aboard}
        return row


class Fleet(threading.Thread):
    """Everything that drives lines, in a thread of its own.

    Parameters
    ----------
    vehicles : sequence of Driven
    lamps : Lamps
    lines : Mapping
        Of a class of vehicle to the client that has its credential.
    wall : Clock
    stopped : Event
    """

    def __init__(
        self,
        vehicles: Sequence[Driven],
        lamps: Lamps,
        lines: Mapping[VehicleClass, ApiClient],
        wall: Clock,
        stopped: threading.Event,
    ) -> None:
        super().__init__(name="fleet", daemon=True)
        self._vehicles = vehicles
        self.lamps = lamps
        self._lines = lines
        self._wall = wall
        self._stopped = stopped

    def run(self) -> None:
        """Drive until told to stop."""
        while not self._stopped.wait(TICK_S):
            now = self._wall.now()
            for each in self._vehicles:
                each.tick(now, self.lamps)
            for kind, api in self._lines.items():
                self._tell(api, [each for each in self._vehicles if each.kind is kind])

    def _tell(self, api: ApiClient, vehicles: Sequence[Driven]) -> None:
        rows = [row for each in vehicles for row in each.rows]
        if not rows:
            return
        try:
            api.post("/api/v1/signal-requests", {"requests": rows}, uuid4().hex)
        except ApiError as error:
            # What was true a second ago is told anew in five; who has passed lapses.
            log.info("a vehicle is not heard", reason=str(error)[:200])
        for each in vehicles:
            each.rows.clear()


def open_fleet(
    settings: Settings, database: Database, wall: Clock, stopped: threading.Event
) -> Fleet | None:
    """Let the town's buses and its fire engine drive; None where it has no signals."""
    try:
        with database.unit_of_work() as uow:
            home = network_store.of_origin(uow.connection, CODE, "demo")
            if home is None:
                return None
            parts = networks.parts(uow.connection, home.id)
            tokens = {
                kind: _registered(uow, home, subject, kind)
                for kind, subject in (
                    (VehicleClass.BUS, BUSES),
                    (VehicleClass.EMERGENCY, ENGINES),
                )
            }
    except CityError as error:
        log.warning("the buses do not drive", reason=str(error))
        return None
    origin = f"http://{settings.own_host}:{settings.port}"
    lines = {kind: ApiClient(origin, token, lambda: None) for kind, token in tokens.items()}
    fleet = Fleet(fleet_of(parts), Lamps(wall), lines, wall, stopped)
    fleet.start()
    return fleet


def _registered(
    uow: UnitOfWork, home: network_store.NetworkRecord, subject: str, kind: VehicleClass
) -> str:
    """Make sure that a fleet may ask; give its token, issued anew."""
    if store.asker_of(uow.connection, subject) is None:
        service.register(uow, BUILDER, home.id, subject, [kind], simulated=True)
    people.revoke_subject(uow, "device", subject, by=BUILDER)
    return people.issue_tokens(uow, "device", [subject], by=BUILDER)[subject]


def fleet_of(parts: Mapping[str, SignalNetwork]) -> list[Driven]:
    """Give the vehicles of the town; the same town has the same."""
    lines = lines_of(parts)
    found = [
        Driven(f"{number}-{one}", VehicleClass.BUS, line, Random(SEED + 10 * number + one))  # noqa: S311 - a town
        for number, line in enumerate(lines, 1)
        for one in range(1, ON_A_LINE + 1)
    ]
    if lines:
        found.append(Driven("engine-1", VehicleClass.EMERGENCY, lines[0], Random(SEED)))  # noqa: S311 - a town
    return found


def lines_of(parts: Mapping[str, SignalNetwork]) -> list[list[Leg]]:
    """Lay lines from signal to signal, straight on where that is possible, the longest first."""
    after = {
        movement_road(part, each, end=False): name
        for name, part in parts.items()
        for each in part.junctions[0].movements
        if each.kind is GroupKind.VEHICLE
    }
    found = []
    for road in sorted(after):
        line: list[Leg] = []
        seen: set[str] = set()
        at: str | None = road
        while at in after and after[at] not in seen and len(line) < LONGEST_LINE:
            signal = after[at]
            seen.add(signal)
            way = _straightest(parts[signal], at)
            line.append(_leg(parts[signal], signal, way))
            at = movement_road(parts[signal], way, end=True)
        found.append(line)
    found.sort(key=lambda line: (-len(line), line[0].lane))
    chosen: list[list[Leg]] = []
    used: set[str] = set()
    for line in found:
        if len(chosen) < LINES and line[0].signal not in used:
            chosen.append(line)
            used |= {leg.signal for leg in line[:2]}
    return chosen


def movement_road(part: SignalNetwork, way: Movement, *, end: bool) -> str:
    """Give the road that a movement leads to, or comes from."""
    return part.road_of[way.to_lane if end else way.from_lane].name


def _straightest(part: SignalNetwork, road: str) -> Movement:
    ways = [
        each
        for each in part.junctions[0].movements
        if each.kind is GroupKind.VEHICLE and movement_road(part, each, end=False) == road
    ]
    return min(ways, key=lambda each: (each.turn is not Turn.STRAIGHT, each.name))


def _leg(part: SignalNetwork, signal: str, way: Movement) -> Leg:
    road = part.road_of[way.from_lane]
    lane = next(each for each in road.lanes if each.name == way.from_lane)
    names = [group.name for group in part.junctions[0].groups]
    return Leg(
        signal, way.group, names.index(way.group) + 1, lane.name, lane.length_m, lane.speed_mps
    )
