"""The demo city's life: one loop that moves cars, sends frames over MQTT and walks attendants."""

from __future__ import annotations

import signal
import threading
import time
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

import structlog

from city.errors import Unavailable
from city.time import to_ms
from journeys import wiring as composition
from web.demo import city_clock
from web.demo.api_client import ApiClient
from web.demo.attendants import REQUESTS_PER_S, Attendant, Pace, Patrol
from web.demo.bays import lay_bays
from web.demo.buses import open_fleet
from web.demo.cabinets import open_cabinets
from web.demo.channels import open_gateway
from web.demo.duty import Duty
from web.demo.handhelds import FOLDER, Handheld, code_for, terminal_name
from web.demo.kerb_camera import open_kerb_camera
from web.demo.lanes import Inside, gated, open_gates
from web.demo.mqtt_device import BrokerAddress
from web.demo.people import WALKERS
from web.demo.pos import KEEPER, open_booths
from web.demo.regulars import Regulars, regulars
from web.demo.reporters import open_reporters
from web.demo.secrets_file import read_secrets
from web.demo.senders import Senders
from web.demo.sensors import SensorField, plan_sensors
from web.demo.town import CENTRE, SEED, build_town
from web.demo.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from city.identifiers import BayId
    from city.works.database import UnitOfWork
    from journeys.wiring import Wiring
    from parking.adapters.live_store import LiveStore
    from web.demo.bays import DemoFacility
    from web.demo.kerb_camera import KerbCamera
    from web.demo.lanes import Gates
    from web.demo.people import Walker
    from web.demo.secrets_file import DemoSecrets
    from web.demo.traffic import Move

TICK_S: Final = 0.25
WAKES_OVER_S: Final = 12.0
"""Wall time over which the sensors of a new life report, whatever the clock's speed."""
LONGEST_TICK: Final = timedelta(hours=1)
"""Business time between two ticks past which the machine was asleep: what the sensors would have
said meanwhile is nobody's any more. They report anew instead, as after a power cut."""
TELLS_EVERY_S: Final = 60.0
STOP_PATIENCE_S: Final = 4.0

log = structlog.get_logger("demo")


class Town:
    """The cars and sensors of this process's life.

    Parameters
    ----------
    wiring
        Clocks and the live state.
    senders
        The way to the broker.
    speed
        Of the clock now: says how long business time takes to wake the sensors.
    """

    def __init__(self, wiring: Wiring, senders: Senders, speed: float) -> None:
        self._wiring = wiring
        self._senders = senders
        self._facilities = lay_bays(build_town(SEED), CENTRE)
        self._sensors = plan_sensors(self._facilities, SEED)
        self._speed = speed
        self._at = wiring.clock.now()
        self._ticked_s = time.monotonic()
        taken = _taken(wiring.live_store, self._facilities)
        self.gated = gated(self._facilities)
        self.inside = Inside(wiring.settings.var / "gates" / "inside.json")
        self.gates: Gates | None = None
        self.camera: KerbCamera | None = None
        self._parked = Inside(wiring.settings.var / "parked.json")
        self.traffic = Traffic(
            self._facilities,
            round(self._at.timestamp()),
            self._at,
            taken,
            {**self._parked.plates, **self.inside.plates},
            regulars=[each.plate for each in regulars()],
        )
        self._field = self._woken(first=taken is None)

    @property
    def facilities(self) -> Sequence[DemoFacility]:
        """Where cars park."""
        return self._facilities

    def tick(self) -> None:
        """Let happen what happens up to now, and queue what the sensors say of it."""
        now, ticked_s = self._wiring.clock.now(), time.monotonic()
        gap, elapsed_s = now - self._at, ticked_s - self._ticked_s
        self._at, self._ticked_s = now, ticked_s
        moves = self.traffic.until(now)
        if self.camera is not None:
            for move in moves:
                self.camera.sees(move)
        if gap > LONGEST_TICK:
            log.info("the machine slept", business_time=str(gap))
            self._field = self._woken(first=False)
        else:
            self._speed = gap.total_seconds() / max(elapsed_s, TICK_S)
            for move in moves:
                self._happens(move)
        if self.gates is not None:
            for bay_id, at in self.gates.reached():
                self._field.sense(bay_id, at, occupied=True)
        self._senders.send(self._field.until(now))

    def remember(self) -> None:
        """Keep which car is where: the same ones leave after a new start."""
        self._parked.plates = self.traffic.plates
        self._parked.keep()

    def open_gates(self, gates: Gates | None) -> None:
        """Let the cars of the gated garage drive through its lanes from now on."""
        self.gates = gates
        if gates is not None:
            bays = [bay.bay_id for bay in self.gated.bays]
            found = {bay_id: self.traffic.plate_in(bay_id) for bay_id in bays}
            gates.begin({bay_id: plate for bay_id, plate in found.items() if plate is not None})
            gates.start()

    def open_camera(self, camera: KerbCamera | None) -> None:
        """Let the kerb's camera see who comes and goes from now on."""
        self.camera = camera
        if camera is not None:
            camera.start()

    def _happens(self, move: Move) -> None:
        """Let a car come to its bay or leave it, through the lanes where there are any."""
        bay_id = move.bay.bay_id
        if self.gates is None or move.facility.facility_id != self.gated.facility_id:
            self._field.sense(bay_id, move.at, occupied=move.arrives)
        elif move.arrives:
            self.gates.arrive(move.plate, bay_id)
        else:
            self._field.sense(bay_id, move.at, occupied=False)
            self.gates.leave(move.plate, bay_id)

    def _woken(self, *, first: bool) -> SensorField:
        """Return sensors that join the network now, in a session that no frame had before."""
        session = f"{to_ms(self._wiring.wall.now()):012x}"
        field = SensorField(self._sensors, round(self._at.timestamp()), session)
        over = timedelta(seconds=WAKES_OVER_S * max(1.0, self._speed))
        field.switch_on(self._at, self.traffic.taken, over, first=first)
        return field


def live() -> int:
    """Run the city until told to stop; then let its clock stand."""
    wiring = composition.build(application="greenbay-demo")
    secrets = read_secrets(wiring.settings.var)
    # First: who pays does not wait until the cars are on the street.
    gateway = open_gateway(wiring.settings, wiring.wall)
    stopped = threading.Event()
    reporters = open_reporters(wiring.settings, wiring.database, wiring.wall, stopped)
    fleet = open_fleet(wiring.settings, wiring.database, wiring.wall, stopped)
    listeners = [each for each in (reporters, None if fleet is None else fleet.lamps) if each]
    cabinets = open_cabinets(wiring.settings, wiring.database, wiring.wall, listeners)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stopped.set())
    broker = BrokerAddress.parse(wiring.settings.addresses().mqtt)
    senders = Senders(broker, secrets.device_tokens)
    with wiring.database.unit_of_work() as uow:
        speed = city_clock.go_on(uow).speed
    town = Town(wiring, senders, speed)
    patrol = Patrol(_attendants(wiring, secrets, town, stopped), wiring.clock, stopped)
    patrol.start()
    origin = f"http://{wiring.settings.own_host}:{wiring.settings.port}"
    token = secrets.attendant_tokens[KEEPER.login]
    booths = open_booths(
        wiring.settings,
        wiring.database,
        town.facilities,
        ApiClient(origin, token, lambda: None),
        stopped,
    )
    town.open_gates(
        open_gates(
            wiring,
            town.gated,
            town.inside,
            attendant=ApiClient(origin, secrets.attendant_tokens[walker_of(town.gated)], no_pause),
            stopped=stopped,
        )
    )
    town.open_camera(open_kerb_camera(wiring, town.facilities, town.traffic.plate_in, stopped))
    drivers = _regulars(wiring, secrets, town, stopped) if gateway is not None else None
    log.info("the demo city lives", bays=sum(len(each.bays) for each in town.facilities))
    sign_at = told_at = time.monotonic()
    while not stopped.wait(TICK_S):
        town.tick()
        now_s = time.monotonic()
        if now_s - sign_at >= city_clock.SIGN_EVERY_S:
            sign_at = now_s
            _keep(wiring, city_clock.show_life)
            town.remember()
        if now_s - told_at >= TELLS_EVERY_S:
            told_at = now_s
            log.info("frames", sent=senders.sent, waiting=senders.waiting, lost=senders.lost)
    _keep(wiring, city_clock.stop)
    town.remember()
    senders.stop(STOP_PATIENCE_S)
    patrol.join(STOP_PATIENCE_S)
    for part in (town.gates, town.camera, booths, cabinets, drivers):
        if part is not None:
            part.stop(STOP_PATIENCE_S)
    for thread in (reporters, fleet):
        if thread is not None:
            thread.join(STOP_PATIENCE_S)
    if gateway is not None:
        gateway.stop()
    return 0


def walker_of(home: DemoFacility) -> str:
    """Give the log-in of the attendant who helps at a garage's gates."""
    return next(each.login for each in WALKERS if each.district == home.district)


def no_pause() -> None:
    """Wait for nothing: an attendant at a gate comes when a car stands there."""


def _keep(wiring: Wiring, change: Callable[[UnitOfWork], object]) -> None:
    """Change the clock's settings; go on where the database is away."""
    try:
        with wiring.database.unit_of_work() as uow:
            change(uow)
    except Unavailable as error:
        log.warning("the database is away", reason=str(error))


def _taken(live_store: LiveStore, facilities: Sequence[DemoFacility]) -> frozenset[BayId] | None:
    """Return the bays that the platform believes taken; None for a city that never lived."""
    taken: set[BayId] = set()
    known = 0
    for district in {each.district for each in facilities}:
        bays = [bay.bay_id for each in facilities if each.district == district for bay in each.bays]
        for bay_id, now in live_store.bay_states(district, bays).items():
            known += now.state != "unknown"
            if now.state == "occupied":
                taken.add(bay_id)
    return frozenset(taken) if known else None


def _regulars(
    wiring: Wiring, secrets: DemoSecrets, town: Town, stopped: threading.Event
) -> Regulars:
    """Let the regulars sign; an attendant of each district shows them codes at their cars."""
    origin = f"http://{wiring.settings.own_host}:{wiring.settings.port}"
    attendants = {
        each.district: ApiClient(origin, secrets.attendant_tokens[each.login], no_pause)
        for each in WALKERS
    }
    drivers = Regulars(wiring.database, origin, town.traffic, attendants, stopped)
    drivers.start()
    return drivers


def _code(wiring: Wiring, walker: Walker) -> str:
    """Have a supervisor give a code for an attendant's terminal."""
    with wiring.database.unit_of_work() as uow:
        return code_for(uow, terminal_name(walker.login), walker.district)


def _attendants(
    wiring: Wiring, secrets: DemoSecrets, town: Town, stopped: threading.Event
) -> list[Attendant]:
    """Share the facilities of each district among the attendants who work there."""
    pace = Pace(REQUESTS_PER_S, stopped)
    origin = f"http://{wiring.settings.own_host}:{wiring.settings.port}"
    attendants = []
    for walker in WALKERS:
        colleagues = [each for each in WALKERS if each.district == walker.district]
        places = [each for each in town.facilities if each.district == walker.district]
        beat = places[colleagues.index(walker) :: len(colleagues)]
        api = ApiClient(origin, secrets.attendant_tokens[walker.login], pace.wait)
        attendants.append(
            Attendant(
                api,
                beat,
                Handheld(
                    api,
                    wiring.settings.var / FOLDER / f"{walker.login}.json",
                    partial(_code, wiring, walker),
                    wiring.wall,
                ),
                town.traffic.plate_in,
                Duty(api, walker.district, beat[0].name.zh if beat else walker.district),
            )
        )
    return attendants
