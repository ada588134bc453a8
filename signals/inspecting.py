"""Cabinets asked every few minutes how they are: lamps, door, clock, who made them.

No database is held while a line is waited for. One that does not answer leaves what it said last,
with its time: the alarm of a silent controller is another.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import structlog

from city.errors import CityError
from city.time import Clock
from city.works.database import Database
from signals.adapters.gbt20999.line import Gbt20999Line
from signals.adapters.gbt20999.link import Patience
from signals.adapters.lines import dial
from signals.rules.controllers.address import CabinetAddress
from signals.rules.controllers.line import ControllerLine
from signals.store import cabinet_looks, cabinets
from signals.store.cabinet_looks import CabinetLook
from signals.store.cabinets import Binding

AT_ONCE: Final = 16
_PATIENCE: Final = Patience(timeout_s=0.7, tries=2)

Dial = Callable[[CabinetAddress], ControllerLine]

log = structlog.get_logger("inspecting")


def inspect_all(
    database: Database, *, dial: Dial = lambda address: dial(address, _PATIENCE)
) -> tuple[int, int]:
    """Look at every cabinet whose protocol tells how it is; give how many answered and did not."""
    with database.read() as connection:
        bound = cabinets.bindings(connection)
    asked = [each for each in bound if each.address.protocol == "gbt20999"]
    with ThreadPoolExecutor(AT_ONCE, "inspecting") as pool:
        found = list(pool.map(lambda each: _look(each, database.wall, dial), asked))
    answered = [each for each in found if each is not None]
    with database.unit_of_work() as uow:
        cabinet_looks.keep(uow.connection, answered)
    if len(answered) < len(asked):
        log.info("cabinets did not answer", answered=len(answered), asked=len(asked))
    return len(answered), len(asked) - len(answered)


def _look(bound: Binding, wall: Clock, dial: Dial) -> CabinetLook | None:
    try:
        line = dial(bound.address)
    except CityError:
        return None
    try:
        if not isinstance(line, Gbt20999Line):
            return None
        told = line.inspect(wall.now)
    except CityError:
        return None
    finally:
        line.close()
    return CabinetLook(bound.network_id, bound.signal, wall.now(), told)
