"""Escort routes that run, kept each second: a part of the worker.

It wants to see the controllers ahead, and lets each route hold what is due and give back what is
behind.
Where a route is looked at by two workers its row is locked: what one has held the other sees.
"""

import threading
from typing import TYPE_CHECKING, Final
from uuid import UUID

import redis
import structlog

from city.errors import CityError, Unavailable
from city.time import Clock
from city.works.database import Database
from signals.adapters.lights import Lights
from signals.services import escorts as service
from signals.store import escorts as store

if TYPE_CHECKING:
    from signals.rules.live.lights import Seen

LOOK_S: Final = 1.0
SEEN_AHEAD: Final = 3
"""Junctions beyond those that are due whose controllers are asked already."""

log = structlog.get_logger("escorts")


class Escorter:
    """Runs routes.

    Parameters
    ----------
    live : redis.Redis
    database : Database
    wall : Clock
    """

    def __init__(self, live: redis.Redis, database: Database, wall: Clock) -> None:
        self._lights = Lights(live)
        self._database = database
        self._wall = wall

    def run(self, stop: threading.Event) -> None:
        """Work until told to stop."""
        while not stop.is_set():
            try:
                self.look()
            except (redis.RedisError, Unavailable) as error:
                log.warning("routes have to wait", reason=str(error))
            stop.wait(LOOK_S)

    def look(self) -> None:
        """Look at every route that runs."""
        with self._database.read() as connection:
            routes = store.running(connection)
        for escort_id in routes:
            try:
                self._one(escort_id)
            except CityError as error:
                # One route's fault keeps no other waiting.
                log.warning("a route has to wait", escort=str(escort_id), reason=str(error))

    def _one(self, escort_id: UUID) -> None:
        with self._database.read() as connection:
            found = store.escort_of(connection, escort_id)
        if found is None:
            return
        now = self._wall.now()
        ahead, behind = service.wanted(found, now)
        last = max([*ahead, len(behind) - 1])
        seen: dict[str, Seen] = {}
        for stop in found.stops[len(behind) : last + 1 + SEEN_AHEAD]:
            key = found.network_id, str(stop["signal"])
            self._lights.want(key, now)
            known = self._lights.get(key)
            if known is not None:
                seen[key[1]] = known
        with self._database.unit_of_work() as uow:
            service.follow(uow, escort_id, seen)
