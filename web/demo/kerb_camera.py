"""A camera at a kerb of the demo city: our own software watches drawn frames of three bays.

It reads plates, votes beside the magnets and sends the frames in which cars came, stood and left,
all over the API, as `lpr watch --bays --votes` at a real camera would. Frames are drawn as cars
move, so that a still street costs next to nothing.
"""

from __future__ import annotations

import threading
import time
from queue import Empty, Queue
from typing import TYPE_CHECKING, Final

import structlog

from city.errors import CityError
from city.people import services as people
from city.people.actors import system_actor
from parking.services.devices import NewDevice, record_devices
from parking.store import devices as registry
from web.demo.secrets_file import write_private

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from city.identifiers import BayId
    from city.time import Clock
    from city.vehicles import PlateNumber
    from city.works.database import UnitOfWork
    from journeys.wiring import Wiring
    from web.demo.bays import DemoBay, DemoFacility
    from web.demo.kerb_film import KerbFilm, Shot
    from web.demo.traffic import Move

BUILDER: Final = system_actor("demo")
NAME: Final = "kerb-cam-1"
"""Of its credential; its devices are called so, with their bays."""
MODEL: Final = "greenbay-bay-camera"
BAYS: Final = 3
IDLE_S: Final = 10.0
"""Wall time between two frames of a street on which nothing moves."""
LOOK_S: Final = 0.2
MOST_WAITING: Final = 200

log = structlog.get_logger("demo")


def watched(facilities: Sequence[DemoFacility]) -> tuple[DemoFacility, tuple[DemoBay, ...]]:
    """Choose the most wanted kerb that has three public bays in a row, and these bays."""
    for home in sorted(facilities, key=lambda each: -each.attraction):
        for first in range(len(home.bays) - BAYS + 1):
            bays = home.bays[first : first + BAYS]
            if home.kind == "kerb" and all(each.purpose == "public" for each in bays):
                return home, bays
    raise ValueError("no kerb has three public bays in a row")


def key_of(bay_id: BayId) -> str:
    """Give the key of the device that is the camera's word of a bay."""
    return f"{NAME}:{bay_id}"


def register_camera(uow: UnitOfWork, home: DemoFacility, bays: Sequence[DemoBay]) -> str:
    """Register a device a bay, once, and give the camera's credential, issued anew."""
    fresh = [
        NewDevice(key_of(each.bay_id), MODEL, home.district, each.bay_id, "secondary")
        for each in bays
        if registry.device_by_key(uow.connection, key_of(each.bay_id)) is None
    ]
    record_devices(uow, BUILDER, fresh)
    people.revoke_subject(uow, "integration", NAME, by=BUILDER)
    return people.issue_token(uow, "integration", NAME, (), [home.district], by=BUILDER)


class KerbCamera(threading.Thread):
    """The camera, in a thread of its own.

    Parameters
    ----------
    bays : sequence of BayId
        From left to right.
    parked : mapping of BayId to PlateNumber
        Who stands there already.
    clock : Clock
        The city's.
    address : str
        Of the API's bays.
    token_file : Path
        Holds its credential.
    stopped : threading.Event
        Ends it after the frame in hand.
    """

    def __init__(  # noqa: PLR0917 - one call, what a camera is put up with
        self,
        bays: Sequence[BayId],
        parked: Mapping[BayId, PlateNumber],
        clock: Clock,
        address: str,
        token_file: Path,
        stopped: threading.Event,
    ) -> None:
        super().__init__(name="kerb camera", daemon=True)
        self._bays = tuple(bays)
        self._parked = {bay: plate for bay, plate in parked.items() if bay in self._bays}
        self._clock = clock
        self._address = address
        self._token_file = token_file
        self._stopped = stopped
        self._moves: Queue[Move] = Queue(MOST_WAITING)

    def sees(self, move: Move) -> None:
        """Let a car come to one of the bays, or leave it; others are out of sight."""
        if move.bay.bay_id in self._bays and not self._moves.full():
            self._moves.put_nowait(move)

    def run(self) -> None:
        """Watch until told to stop."""
        # OpenCV and the nets are loaded here, not by the city's start.
        from web.demo.kerb_film import KerbFilm, watch_kerb  # noqa: PLC0415 - slow to load

        film = KerbFilm(self._bays, self._clock.now(), self._parked)
        watch_kerb(film, self._pictures(film), self._address, self._token_file, NAME, _failed)

    def stop(self, patience_s: float) -> None:
        """End the thread."""
        if self.is_alive():
            self.join(patience_s)

    def _pictures(self, film: KerbFilm) -> Iterator[Shot]:
        """Give frames as they come: many where cars move, else one now and then."""
        yield film.still(self._clock.now())
        while not self._stopped.is_set():
            for shot in self._next(film):
                if not self._reached(film):
                    return
                yield shot

    def _next(self, film: KerbFilm) -> Iterator[Shot]:
        due_s = time.monotonic() + IDLE_S
        while not self._stopped.is_set():
            try:
                move = self._moves.get(timeout=LOOK_S)
            except Empty:
                if time.monotonic() >= due_s:
                    return iter((film.still(self._clock.now()),))
                continue
            if move.arrives:
                return film.arrives(move.bay.bay_id, move.plate, move.at)
            return film.leaves(move.bay.bay_id, move.at)
        return iter(())

    def _reached(self, film: KerbFilm) -> bool:
        """Wait until the city's time is that of the frame; False where the city ends before."""
        while self._clock.now() < film.now():
            if self._stopped.wait(LOOK_S):
                return False
        return not self._stopped.is_set()


def _failed(why: str) -> None:
    log.info("the kerb camera's line", reason=why)


def open_kerb_camera(
    wiring: Wiring,
    facilities: Sequence[DemoFacility],
    parked: Callable[[BayId], PlateNumber | None],
    stopped: threading.Event,
) -> KerbCamera | None:
    """Put the camera up; None where it cannot be had: the city lives without.

    Parameters
    ----------
    wiring
        Database, clocks and settings.
    facilities
        Where cars park.
    parked
        Gives who stands in a bay.
    stopped
        Ends it.
    """
    home, bays = watched(facilities)
    try:
        with wiring.database.unit_of_work() as uow:
            token = register_camera(uow, home, bays)
    except CityError as error:
        log.warning("the kerb has no camera", reason=str(error))
        return None
    token_file = wiring.settings.var / f"{NAME}.token"
    write_private(token_file, token.encode("ascii"))
    there = {each.bay_id: parked(each.bay_id) for each in bays}
    return KerbCamera(
        tuple(there),
        {bay_id: plate for bay_id, plate in there.items() if plate is not None},
        wiring.clock,
        f"http://{wiring.settings.own_host}:{wiring.settings.port}/api/v1/bays",
        token_file,
        stopped,
    )
