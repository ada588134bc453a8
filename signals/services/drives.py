"""A version driven in simulation beside what ran before, as a job: asked for, run, cancelled."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, get_args
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import Connection

from city.audit import record
from city.errors import Conflict, NotFound
from city.people.actors import Actor, system_actor
from city.works.database import Database, UnitOfWork
from signals.rules.life.parts import plan_json
from signals.rules.model.documents import plans_from_json
from signals.rules.model.plans import Programme
from signals.rules.model.sumo_export import network_file
from signals.rules.safety.case import Case
from signals.rules.safety.profiles import profile_named
from signals.rules.simulation import replay
from signals.rules.simulation.departures import (
    Turning,
    departures,
    drivable,
    routes_file,
    share_driven,
    turning_of,
)
from signals.services import networks, plan_versions
from signals.services.apart import lent
from signals.services.asked_work import AskedWork
from signals.store import drives as store
from signals.store import networks as network_store
from signals.store import plan_versions as version_store

if TYPE_CHECKING:
    from signals.services.driving import Course

TASK: Final = "signals.drive"
WORK: Final = AskedWork(store.find, store.change)
WARM_UP_S: Final = 300.0
"""The network fills; who starts before its end is not counted."""
COUNTED_S: Final = 900.0
"""Who starts in these is counted, and driven until all have arrived."""
REPLAY_S: Final = (600.0, 780.0)
"""The window that can be looked at, of the first seed."""
_DRIVER: Final = "signals.drive"
_SIDES: Final[tuple[store.Side, ...]] = get_args(store.Side)


def ask(
    uow: UnitOfWork, actor: Actor, version_id: UUID, *, revision: int, seeds: int
) -> store.Drive:
    """Ask for a version to be driven as it stands, beside what runs, or ran before it.

    Raises
    ------
    Conflict
        Where nobody told who drives there, a signal runs no plan to compare with, the version was
        edited meanwhile, or it is being driven.
    """
    version = version_store.record_of(uow.connection, version_id, lock=True)
    if version is None:
        raise NotFound("no such plan", field="id")
    if version.revision != revision:
        raise Conflict(f"was edited meanwhile: it is at {version.revision}", field="revision")
    known = networks.demand(uow.connection, version.network_id)
    if known is None:
        raise Conflict("has no demand: record one first", field="network_id")
    if store.unfinished(uow.connection, version_id):
        raise Conflict("is being driven already", field="id")
    running = networks.running(uow.connection, version.network_id)
    before = {name: plan for name, (_, plan) in running.items()}
    before |= plan_versions.before_of(uow.connection, version)
    for name in network_store.signal_names(uow.connection, version.network_id):
        if name not in before:
            raise Conflict(f"{name} runs no plan to compare with", field="signals")
    after = before | plan_versions.plans_of(uow.connection, version)
    new = store.NewDrive(
        version.network_id,
        known[0].id,
        version_id,
        revision,
        version.profile,
        range(1, seeds + 1),
        {name: plan_json(plan) for name, plan in before.items()},
        {name: plan_json(plan) for name, plan in after.items()},
    )
    made = store.add(uow.connection, new, at=uow.clock.now(), by=actor.subject)
    uow.defer(TASK, {"drive_id": str(made)})
    detail: dict[str, JsonValue] = {"number": version.number, "revision": revision, "seeds": seeds}
    record(uow, actor, "signals.drive_asked", "signal_drive", str(made), detail)
    return find(uow.connection, made)


def cancel(uow: UnitOfWork, actor: Actor, drive_id: UUID) -> store.Drive:
    """Cancel a drive at once; the run in hand, where there is one, is thrown away.

    Raises
    ------
    Conflict
        Where it has ended.
    """
    found = store.find(uow.connection, drive_id, lock=True)
    if found is None:
        raise NotFound("no such drive", field="id")
    if found.finished_at is not None:
        raise Conflict("has ended", field="id")
    # Whoever runs it looks after each run: nobody waits for one that died too often to go on.
    _finish(uow, found.id, "cancelled", cancel_asked_by=actor.subject)
    record(uow, actor, "signals.drive_cancelled", "signal_drive", str(found.id), {})
    return find(uow.connection, found.id)


def find(connection: Connection, drive_id: UUID) -> store.Drive:
    """Give a drive; NotFound where there is none."""
    found = store.find(connection, drive_id)
    if found is None:
        raise NotFound("no such drive", field="id")
    return found


def replay_of(connection: Connection, drive_id: UUID) -> bytes:
    """Give what can be looked at of a drive, gzipped JSON.

    Raises
    ------
    NotFound
        Where it has not ended well, or a later drive of the version took its place.
    """
    found = find(connection, drive_id)
    sides = store.replays(connection, drive_id)
    if found.status != "done" or len(sides) < len(_SIDES):
        raise NotFound("has no replay", field="id")
    kept = {side: replay.unpacked(content) for side, content in sides.items()}
    ends = [float(str(each["until_s"])) for each in kept.values()]
    return replay.packed(
        {
            "format": replay.FORMAT,
            "seed": found.seeds[0],
            "from_s": REPLAY_S[0],
            "until_s": min(ends),
            **replay.ground_json(networks.whole(connection, found.network_id)),
            **{side: kept[side] for side in _SIDES},
        }
    )


def run(database: Database, drive_id: UUID, *, apart: bool) -> None:
    """Run a drive that waits, or go on with one whose worker died.

    Parameters
    ----------
    database : Database
    drive_id : UUID
    apart : bool
        In a process of its own with a low priority, which SUMO's inherit.
    """
    WORK.run(database, drive_id, lambda asked: _run(database, asked, apart=apart))


@dataclass(frozen=True, slots=True)
class _Setting:
    """What all runs of a drive share."""

    network: bytes
    turning: Turning
    programmes: Mapping[store.Side, tuple[Programme, ...]]
    cases: Mapping[str, Case]
    lanes: frozenset[str]
    told: dict[str, JsonValue]


def _run(database: Database, asked: store.Drive, *, apart: bool) -> None:
    from signals.services import driving  # noqa: PLC0415 - loads SciPy

    with database.read() as connection:
        setting = _setting(connection, asked)
        done = store.runs(connection, asked.id)
    with lent(driving.drive, apart=apart) as drive:
        for seed in asked.seeds:
            for side in _SIDES:
                if (side, seed) in done:
                    continue
                figures, replayed = drive(
                    _course(setting, side, seed, replayed=seed == asked.seeds[0])
                )
                with database.unit_of_work() as uow:
                    if WORK.open(uow, asked.id) is None:
                        return
                    store.add_run(uow.connection, asked.id, (side, seed), figures, replayed)
    _keep(database, asked, setting.told)


def _setting(connection: Connection, asked: store.Drive) -> _Setting:
    row = network_store.demand_of(connection, asked.demand_id)
    version = plan_versions.find(connection, asked.version_id)
    if row is None:
        raise NotFound("the demand is gone", field="demand_id")
    demand = networks.as_demand(row)
    whole = networks.whole(connection, asked.network_id)
    turning = turning_of(drivable(whole, demand.flow_vph))
    if not turning.beginning_vph:
        raise Conflict("nobody can drive by the flows on record", field="demand_id")
    parts = networks.parts(connection, asked.network_id)
    programmes = {
        side: tuple(
            plans_from_json({"plans": [plan]}, parts[name])[0] for name, plan in plans.items()
        )
        for side, plans in store.sides(connection, asked.id).items()
    }
    profile = profile_named(asked.profile)
    return _Setting(
        network_file(whole, programmes["before"]).encode(),
        turning,
        programmes,
        networks.cases(connection, asked.network_id, list(parts), profile),
        frozenset(
            each.from_lane
            for name in version.signals
            for each in parts[name].junctions[0].movements
        ),
        {
            "demand": row.name,
            "source": row.source,
            "signals": len(parts),
            "share_driven": round(share_driven(demand.flow_vph, turning), 4),
        },
    )


def _course(setting: _Setting, side: store.Side, seed: int, *, replayed: bool) -> "Course":
    from signals.services.driving import Course  # noqa: PLC0415 - loads SciPy

    until_s = WARM_UP_S + COUNTED_S
    starting = departures(setting.turning, until_s, seed)
    return Course(
        setting.network,
        routes_file(starting, setting.turning.fed),
        setting.programmes[side],
        setting.cases,
        setting.lanes,
        seed,
        WARM_UP_S,
        until_s,
        REPLAY_S if replayed else None,
    )


def _keep(database: Database, asked: store.Drive, told: Mapping[str, JsonValue]) -> None:
    from signals.rules.simulation.comparison import comparisons  # noqa: PLC0415 - loads SciPy

    with database.unit_of_work() as uow:
        if WORK.open(uow, asked.id) is None:
            return
        done = store.runs(uow.connection, asked.id)
        before, after = ([done[side, seed] for seed in asked.seeds] for side in _SIDES)
        found = comparisons(before, after)
        result: dict[str, JsonValue] = {
            **told,
            "warm_up_s": WARM_UP_S,
            "counted_s": COUNTED_S,
            "figures": {name: each.as_json() for name, each in found.items()},
        }
        _finish(uow, asked.id, "done", result=result)
        store.forget_replays(uow.connection, asked.version_id, but=asked.id)
        shown: dict[str, JsonValue] = {name: each.shown for name, each in found.items()}
        record(
            uow,
            system_actor(_DRIVER),
            "signals.drive_done",
            "signal_drive",
            str(asked.id),
            {"version_id": str(asked.version_id), "shown": shown},
        )


def _finish(uow: UnitOfWork, drive_id: UUID, status: store.Status, **values: Any) -> None:
    store.change(uow.connection, drive_id, status=status, finished_at=uow.clock.now(), **values)
