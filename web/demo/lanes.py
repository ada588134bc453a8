"""A garage's gates in the demo city: a controller in each lane, and the cars that drive through.

The controllers speak the API that a maker's would, under credentials of their own; nothing else of
the platform lets a car in or out. They live in the demo's process, in one thread: a word is sent
when something happened, a heartbeat where nothing did.
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Final
from uuid import UUID

import orjson
import structlog

from city.errors import CityError
from city.identifiers import BayId
from city.people import services as people
from city.people.actors import system_actor
from city.places import distance_m
from city.vehicles import PlateKind, parse_plate
from journeys.place_lanes import place_lanes
from parking.rules.lanes.model import Way
from parking.services import lanes, readers
from parking.store import lanes as lane_store
from parking.store import readers as reader_store
from signals.store import networks as network_store
from signals.store import passes as pass_store
from web.demo import pos
from web.demo.api_client import ApiClient, ApiError
from web.demo.attendants import PAUSE_S
from web.demo.lane_controller import Camera, Controller
from web.demo.signal_network import CODE
from web.demo.town import SEED, build_town

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from city.people.actors import Actor
    from city.time import Clock
    from city.vehicles import PlateNumber
    from city.works.database import UnitOfWork
    from journeys.wiring import Wiring
    from web.demo.bays import DemoFacility

BUILDER: Final = system_actor("demo")
STEP_S: Final = 0.5
"""Wall time between two looks at the lanes: cars drive in the street's own time."""
HEARTBEAT_S: Final = 5.0
ASKS_EVERY_S: Final = 1.0
DRIVES_S: Final = 1.5
"""From one loop to the next."""
HELPED_AFTER_S: Final = 60.0
"""A car that is not let through waits so long for the desk; then an attendant walks up to it."""
BACKS_SHARE: Final = 0.01
FIRST_GATE_LANE: Final = 90
"""Of a garage among its signal's lanes: far from those of the street."""

log = structlog.get_logger("demo")


def gated(facilities: Sequence[DemoFacility]) -> DemoFacility:
    """Choose the garage whose gates are ours: one where no terminal sells."""
    taken = {each.facility_id for each in pos.homes(facilities)}
    own = (each for each in facilities if each.kind == "garage")
    return next(each for each in own if each.facility_id not in taken)


def gate_of(way: Way) -> str:
    """Give the name of a lane."""
    return f"{way.value}-1"


def register_lanes(uow: UnitOfWork, actor: Actor, home: DemoFacility) -> dict[Way, UUID]:
    """Register the garage's lanes and their readers; those that are there stay as they are."""
    known = lane_store.page(uow.connection, facility_id=home.facility_id)
    found = {each.way: each.id for each in known.items}
    for way in Way:
        if way not in found:
            made = lanes.register(uow, actor, home.facility_id, gate_of(way), way)
            found[way] = made.id
        subject = subject_of(home, way)
        if reader_store.by_subject(uow.connection, subject) is None:
            readers.register(uow, actor, subject, home.facility_id, gate=gate_of(way))
    return found


def _tell_a_signal(uow: UnitOfWork, home: DemoFacility, placed: Mapping[Way, UUID]) -> None:
    """Let the lanes' cameras tell the nearest signal who passes."""
    network = network_store.of_origin(uow.connection, CODE, "demo")
    if network is None or pass_store.lanes_of_network(uow.connection, network.id):
        return
    town = build_town(SEED)
    nodes = town.network.nodes
    nearest = min(
        town.junctions, key=lambda each: distance_m(nodes[each.node].position, home.position)
    )
    given = [(lane_id, FIRST_GATE_LANE + n) for n, lane_id in enumerate(placed.values())]
    place_lanes(uow, BUILDER, network.id, nearest.code, given)


def subject_of(home: DemoFacility, way: Way) -> str:
    """Give the name of a controller's credential."""
    return f"lane.{home.code}.{gate_of(way)}"


@dataclass(slots=True)
class Car:
    """A car on its way through a lane."""

    plate: PlateNumber
    then: Callable[[datetime], None]
    """Called when it is through."""
    since_s: float = 0.0
    beneath_s: float | None = None
    backs: bool = False
    helped: bool = False


@dataclass(slots=True)
class Lane:
    """A lane with its cars, one behind the other."""

    controller: Controller
    help: Callable[[UUID], None]
    """Lets an attendant lift the barrier for who stands there."""
    waiting: deque[Car] = field(default_factory=deque)
    car: Car | None = None
    passed: int = 0

    def start(self) -> None:
        """Say where everything is."""
        self.controller.note("barrier", barrier="down")
        for loop in ("approach", "barrier"):
            self.controller.note("loop", loop=loop, on=False)

    def tell_past(self, cars: Iterable[PlateNumber], at: datetime) -> None:
        """Tell of cars that came in while nobody listened, by the controller's own hand."""
        for plate in cars:
            note = self.controller.note
            sure = [0.99] * len(plate.text)
            note("loop", at, loop="approach", on=True)
            note("plate", at, plate=plate.text, plate_kind=plate.kind.value, confidences=sure)
            note("barrier", at, barrier="up")
            note("loop", at, loop="barrier", on=True)
            note("loop", at, loop="approach", on=False)
            at += timedelta(seconds=4)
            note("loop", at, loop="barrier", on=False)
            note("barrier", at, barrier="down")
            at += timedelta(seconds=30)

    def step(self, now_s: float, now_at: datetime) -> None:
        """Let half a second pass.

        Raises
        ------
        ApiError
            Where the line is down.
        """
        controller, car = self.controller, self.car
        if car is None:
            if self.waiting:
                self._arrives(self.waiting.popleft(), now_s)
            elif now_s - controller.told_s >= HEARTBEAT_S:
                controller.tell()
        elif car.beneath_s is not None:
            if now_s - car.beneath_s >= DRIVES_S:
                controller.note("loop", loop="barrier", on=False)
                self.car = None
                self.passed += 1
                car.then(now_at)
                controller.tell()
        elif controller.up and now_s - car.since_s >= DRIVES_S:
            self._drives(car, now_s)
            controller.tell()
        elif now_s - controller.told_s >= ASKS_EVERY_S:
            if now_s - car.since_s >= HELPED_AFTER_S and not car.helped:
                car.helped = True
                self.help(controller.lane_id)
            controller.tell()
            if controller.missed:
                controller.see(car.plate)

    def _arrives(self, car: Car, now_s: float) -> None:
        self.car = car
        car.since_s, car.beneath_s = now_s, None
        self.controller.note("loop", loop="approach", on=True)
        self.controller.missed = True
        self.controller.tell()
        self.controller.see(car.plate)

    def _drives(self, car: Car, now_s: float) -> None:
        if car.backs:
            # Its driver has forgotten something: it rolls back, and comes again.
            car.backs = False
            self.controller.note("loop", loop="approach", on=False)
            self.car = None
            self.waiting.append(car)
            return
        car.beneath_s = now_s
        self.controller.note("loop", loop="barrier", on=True)
        self.controller.note("loop", loop="approach", on=False)


class Inside:
    """Who is in the bays: kept in a private file, so that the same cars leave after a new start.

    Parameters
    ----------
    path
        The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.plates: dict[BayId, PlateNumber] = {}
        try:
            kept = orjson.loads(path.read_bytes())
            for bay, (text, kind) in kept.items():
                self.plates[BayId(UUID(bay))] = parse_plate(text, PlateKind(kind))
        except (FileNotFoundError, orjson.JSONDecodeError, ValueError, CityError, AttributeError):
            self.plates = {}

    def keep(self) -> None:
        """Write the file whole or not at all, readable by its owner alone."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        written = {str(bay): [each.text, each.kind.value] for bay, each in self.plates.items()}
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(orjson.dumps(written))
        fresh.replace(self._path)


class Gates(threading.Thread):
    """The garage's lanes, in a thread of their own.

    Parameters
    ----------
    home
        The garage.
    lanes
        By the way that cars drive through them.
    inside
        Who is in it.
    clock
        The city's.
    stopped
        Ends it after the step in hand.
    """

    def __init__(
        self,
        home: DemoFacility,
        lanes: Mapping[Way, Lane],
        inside: Inside,
        clock: Clock,
        stopped: threading.Event,
    ) -> None:
        super().__init__(name="gates", daemon=True)
        self.home = home
        self._lanes = lanes
        self._inside = inside
        self._clock = clock
        self._stopped = stopped
        self._lock = threading.Lock()
        self._reached: list[tuple[BayId, datetime]] = []
        self._random = Random(secrets.randbits(32))  # noqa: S311 - a town, not a secret

    @property
    def passed(self) -> int:
        """Give how many cars drove through."""
        return sum(each.passed for each in self._lanes.values())

    def begin(self, cars: Mapping[BayId, PlateNumber]) -> None:
        """Say where everything is, and tell of the cars of which nobody was ever told."""
        for lane in self._lanes.values():
            lane.start()
        new = {bay: plate for bay, plate in cars.items() if bay not in self._inside.plates}
        # The calm before the town's first morning: none of them waited for another.
        since_at = self._clock.now() - timedelta(minutes=len(new) + 30)
        self._lanes[Way.ENTRY].tell_past(new.values(), since_at)
        self._inside.plates = dict(cars)
        self._inside.keep()

    def arrive(self, plate: PlateNumber, bay_id: BayId) -> None:
        """Let a car come, and reach its bay once it is through."""
        self._send(Way.ENTRY, plate, partial(self._through, bay_id, plate))

    def leave(self, plate: PlateNumber, bay_id: BayId) -> None:
        """Let a car that has left its bay drive out."""
        with self._lock:
            self._inside.plates.pop(bay_id, None)
        self._send(Way.EXIT, plate, lambda _: self._inside.keep())

    def reached(self) -> list[tuple[BayId, datetime]]:
        """Give the bays that cars have reached since the last look."""
        with self._lock:
            found, self._reached = self._reached, []
        return found

    def run(self) -> None:
        """Drive until told to stop."""
        while not self._stopped.wait(STEP_S):
            for lane in self._lanes.values():
                try:
                    lane.step(time.monotonic(), self._clock.now())
                except (ApiError, CityError) as error:
                    # What happened is kept, and told when the line is back.
                    log.info("a lane's line is down", reason=str(error))
                    self._stopped.wait(PAUSE_S)

    def stop(self, patience_s: float) -> None:
        """End the thread."""
        if self.is_alive():
            self.join(patience_s)

    def _send(self, way: Way, plate: PlateNumber, then: Callable[[datetime], None]) -> None:
        backs = self._random.random() < BACKS_SHARE
        self._lanes[way].waiting.append(Car(plate, then, backs=backs))

    def _through(self, bay_id: BayId, plate: PlateNumber, at: datetime) -> None:
        with self._lock:
            self._inside.plates[bay_id] = plate
            self._reached.append((bay_id, at))
        self._inside.keep()


def open_gates(
    wiring: Wiring,
    home: DemoFacility,
    inside: Inside,
    *,
    attendant: ApiClient,
    stopped: threading.Event,
) -> Gates | None:
    """Put the lanes of a garage up; None where they cannot be had: the city lives without.

    Parameters
    ----------
    wiring
        Database, clocks and settings.
    home
        The garage.
    inside
        Who is in it already.
    attendant
        The API, as an attendant of the district.
    stopped
        Ends the lanes.
    """
    tokens: dict[Way, str] = {}
    try:
        with wiring.database.unit_of_work() as uow:
            known = register_lanes(uow, BUILDER, home)
            _tell_a_signal(uow, home, known)
            for way in Way:
                subject = subject_of(home, way)
                # Another one with each start: the last process's is nobody's any more.
                people.revoke_subject(uow, "device", subject, by=BUILDER)
                tokens[way] = people.issue_token(
                    uow, "device", subject, (), [home.district], by=BUILDER
                )
    except CityError as error:
        log.warning("the garage has no lanes", reason=str(error))
        return None
    driven = {}
    for way, lane_id in known.items():
        origin = f"http://{wiring.settings.own_host}:{wiring.settings.port}"
        api = ApiClient(origin, tokens[way], lambda: None)
        chance = Random(secrets.randbits(32))  # noqa: S311 - a town, not a secret
        cabinet = Controller(api, lane_id, wiring.clock, Camera(chance))
        driven[way] = Lane(cabinet, partial(_lift, attendant))
    return Gates(home, driven, inside, wiring.clock, stopped)


def _lift(attendant: ApiClient, lane_id: UUID) -> None:
    """Let an attendant lift the barrier for a car that nobody let through, with a reason."""
    wish = {"kind": "lift", "reason": "no-plate", "note": "模拟：现场核对放行"}
    attendant.post(f"/api/v1/lanes/{lane_id}/acts", wish, secrets.token_hex(8))
