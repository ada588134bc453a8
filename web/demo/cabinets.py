"""The demo town's cabinets: one simulated GB/T 20999 controller a junction, in the demo's process.

They run by the wall's clock, whatever the town's speed: a lamp that changed ten times too fast
could be neither watched nor changed safely. A real cabinet keeps its plans without power, and so
do these, in a file.
"""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

import orjson
import structlog

from city.errors import CityError, Unavailable
from signals.adapters.cabinet_host import CabinetHost
from signals.adapters.gbt20999.row import Row
from signals.adapters.gbt20999.simulated import SimulatedGbt20999
from signals.rules.controllers.address import CabinetAddress
from signals.rules.controllers.cabinet import Cabinet
from signals.rules.controllers.layout import (
    ControllerPlan,
    Layout,
    PlanStage,
    layout_of,
    plan_of,
    refusals,
)
from signals.rules.model.documents import plans_from_json
from signals.rules.safety.profiles import GB
from signals.services import cabinets, networks
from signals.store import networks as network_store
from signals.store import running_plans
from web.demo.signal_network import CODE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from uuid import UUID

    from sqlalchemy import Connection

    from city.people.actors import Actor
    from city.time import Clock
    from city.works.database import Database, UnitOfWork
    from city.works.settings import Settings
    from signals.adapters.gbt20999.row import Memory

    Hear = Callable[[Cabinet, int], None]

FILE: Final = "demo-cabinets.json"
FOUND: Final = 1
"""Number of the plan that a cabinet came with."""
_DAY_S: Final = 86_400
_CHINA_S: Final = 8 * 3_600
"""Offsets count from midnight on the street."""

log = structlog.get_logger("demo")


class Listener(Protocol):
    """Who follows the seconds of cabinets."""

    def of(self, name: str) -> Hear | None:
        """Give what a signal's cabinet tells its seconds to, if anything."""
        ...


def bind_cabinets(uow: UnitOfWork, actor: Actor, settings: Settings) -> None:
    """Say where the town's cabinets are; their port follows that of the run."""
    home = _home(uow.connection)
    if home is None:
        return
    addresses = {
        name: CabinetAddress("127.0.0.1", settings.cabinets_port, controller=number)
        for number, name in _numbered(uow.connection, home).items()
    }
    cabinets.bind_simulated(uow, actor, home, addresses)


def open_cabinets(
    settings: Settings, database: Database, wall: Clock, listeners: Sequence[Listener] = ()
) -> Row | None:
    """Put up the town's cabinets; None where the town has no signals, or they cannot be had."""
    path = settings.var / FILE
    try:
        with database.read() as connection:
            made = _cabinets(connection, _read(path), wall, listeners)
        row = Row(made, settings.cabinets_port, lambda memory: _write(path, memory))
    except (CityError, OSError) as error:
        log.warning("the cabinets stay dark", reason=str(error))
        return None
    row.start()
    log.info("cabinets", count=len(made), port=row.port)
    return row


def _home(connection: Connection) -> UUID | None:
    found = network_store.of_origin(connection, CODE, "demo")
    return None if found is None else found.id


def _numbered(connection: Connection, home: UUID) -> dict[int, str]:
    """Give the cabinets numbers in the order of their signals' names: a name keeps its number."""
    return dict(enumerate(network_store.signal_names(connection, home), 1))


def _cabinets(
    connection: Connection,
    kept: Mapping[int, dict[str, Any]],
    wall: Clock,
    listeners: Sequence[Listener],
) -> dict[int, SimulatedGbt20999]:
    home = _home(connection)
    if home is None:
        raise Unavailable("the town has no signals")
    numbers = _numbered(connection, home)
    names = list(numbers.values())
    cases = networks.cases(connection, home, names, GB)
    parts = networks.parts(connection, home, names)
    own = running_plans.found(connection, home, names)
    clock_s = (int(wall.now().timestamp()) + _CHINA_S) % _DAY_S
    made = {}
    for number, name in numbers.items():
        found = plans_from_json({"plans": [own[name]]}, parts[name])[0]
        layout = layout_of(cases[name], [found])
        plans = {FOUND: plan_of(layout, found, FOUND)} | _kept_plans(layout, kept.get(number))
        runs = (kept.get(number) or {}).get("plan", FOUND)
        cabinet = Cabinet(layout, plans, runs if runs in plans else FOUND, clock_s=clock_s)
        heard = [hear for each in listeners if (hear := each.of(name)) is not None]
        host = CabinetHost(cabinet, told=partial(_tell, heard))
        made[number] = SimulatedGbt20999(host, controller=number)
    return made


def _tell(heard: Sequence[Hear], cabinet: Cabinet, late_s: int) -> None:
    for hear in heard:
        hear(cabinet, late_s)


def _kept_plans(layout: Layout, kept: dict[str, Any] | None) -> dict[int, ControllerPlan]:
    """Give the plans that a cabinet was sent, those that still fit."""
    found = {}
    for row in (kept or {}).get("plans", ()):
        stages = tuple(PlanStage(stage, length_s) for stage, length_s in row["stages"])
        plan = ControllerPlan(row["number"], row["cycle_s"], row["offset_s"], stages)
        if plan.number != FOUND and not refusals(layout, plan):
            found[plan.number] = plan
    return found


def _read(path: Path) -> dict[int, dict[str, Any]]:
    try:
        return {int(number): row for number, row in orjson.loads(path.read_bytes()).items()}
    except FileNotFoundError:
        return {}
    except (ValueError, AttributeError):
        log.warning("the cabinets' file cannot be read: they have their first plans")
        return {}


def _write(path: Path, memory: Memory) -> None:
    """Write what the cabinets keep, whole or not at all."""
    rows = {
        str(number): {
            "plan": runs,
            "plans": [
                {
                    "number": plan.number,
                    "cycle_s": plan.cycle_s,
                    "offset_s": plan.offset_s,
                    "stages": [[each.stage, each.length_s] for each in plan.stages],
                }
                for plan in plans.values()
            ],
        }
        for number, (runs, plans) in memory.items()
    }
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        file.write(orjson.dumps(rows))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
