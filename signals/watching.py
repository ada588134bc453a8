"""Controllers asked each second what they show, while somebody looks: a part of the worker.

Nobody is asked whose junction nobody has open: hundreds of cabinets on slow lines cost nothing
then. What was seen stays in the live store for seconds. Two workers may ask the same one; what
both write is true.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import redis
import structlog

from city.errors import CityError, NotFound, Unavailable
from city.time import Clock
from city.works.database import Database
from signals.adapters.gbt20999.link import Patience
from signals.adapters.lights import Key, Lights
from signals.adapters.lines import dial
from signals.rules.controllers.address import CabinetAddress
from signals.rules.controllers.layout import ControllerPlan, Layout
from signals.rules.controllers.line import ControllerLine
from signals.rules.live.lights import Seen, with_names
from signals.services import networks
from signals.store import cabinets as store

AT_ONCE: Final = 16
LOOK_S: Final = 1.0
ANEW_S: Final = 60.0
"""After so long a line is opened anew: the cabinet may stand elsewhere, or keep another plan."""
_PATIENCE: Final = Patience(timeout_s=0.7, tries=2)

Dial = Callable[[CabinetAddress], ControllerLine]

log = structlog.get_logger("lights")


@dataclass
class _Open:
    """A line that is being asked."""

    line: ControllerLine
    layout: Layout
    opened_s: float
    plan: ControllerPlan | None = None


class Watcher:
    """Asks controllers that somebody wants to see.

    Parameters
    ----------
    live : redis.Redis
    database : Database
    wall : Clock
        The street lives by it.
    dial : callable
        Opens a line.
    """

    def __init__(
        self,
        live: redis.Redis,
        database: Database,
        wall: Clock,
        *,
        dial: Dial = lambda address: dial(address, _PATIENCE),
    ) -> None:
        self._lights = Lights(live)
        self._database = database
        self._wall = wall
        self._dial = dial
        self._open: dict[Key, _Open] = {}
        self._asked: set[Key] = set()
        self._lock = threading.Lock()

    def run(self, stop: threading.Event) -> None:
        """Ask until told to stop, whatever fails meanwhile."""
        with ThreadPoolExecutor(AT_ONCE, "lights") as pool:
            while not stop.is_set():
                try:
                    self.look(pool)
                except (redis.RedisError, Unavailable) as error:
                    log.warning("lights are not seen", reason=str(error))
                stop.wait(LOOK_S)
        for each in self._open.values():
            each.line.close()

    def look(self, pool: ThreadPoolExecutor) -> None:
        """Ask every controller that is wanted and not still being asked."""
        wanted = self._lights.wanted(self._wall.now())
        with self._lock:
            gone = [key for key in self._open if key not in wanted and key not in self._asked]
            closed = [self._open.pop(key) for key in gone]
            fresh = [key for key in wanted if key not in self._asked]
            self._asked.update(fresh)
        for each in closed:
            each.line.close()
        for key in fresh:
            pool.submit(self._guarded, key)

    def _guarded(self, key: Key) -> None:
        try:
            self._lights.put(key, self._seen(key))
        except (redis.RedisError, Unavailable) as error:
            log.warning("lights are not seen", signal=key[1], reason=str(error))
        except Exception:
            log.exception("asking a controller failed", signal=key[1])
        finally:
            with self._lock:
                self._asked.discard(key)

    def _seen(self, key: Key) -> Seen:
        try:
            found = self._line(key)
            state = found.line.read_state()
            if state.plan and (found.plan is None or found.plan.number != state.plan):
                found.plan = found.line.read_plan(state.plan)
        except CityError as error:
            with self._lock:
                lost = self._open.pop(key, None)
            if lost is not None:
                lost.line.close()
            return Seen(self._wall.now(), None, problem=str(error))
        plan = found.plan if found.plan is None or found.plan.number == state.plan else None
        return Seen(self._wall.now(), state, found.layout, plan)

    def _line(self, key: Key) -> _Open:
        now_s = self._wall.now().timestamp()
        known = self._open.get(key)
        if known is not None and now_s - known.opened_s < ANEW_S:
            return known
        if known is not None:
            with self._lock:
                del self._open[key]
            known.line.close()
        with self._database.read() as connection:
            bound = store.bindings(connection, key[0], [key[1]])
            part = networks.parts(connection, key[0], [key[1]])[key[1]]
        if not bound:
            raise NotFound("no cabinet is bound to this signal", field="name")
        line = self._dial(bound[0].address)
        names = [group.name for group in part.junctions[0].groups]
        try:
            layout = with_names(line.read_layout(), names)
        except CityError:
            line.close()
            raise
        made = _Open(line, layout, now_s)
        with self._lock:
            self._open[key] = made
        return made
