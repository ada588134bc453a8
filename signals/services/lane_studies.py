"""Studies of a junction as a job: asked for, run apart, looked at, kept as a draft or forgotten."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from sqlalchemy import Connection

from city.audit import record
from city.errors import Conflict, Invalid, NotFound
from city.people.actors import Actor
from city.works.database import Database, UnitOfWork
from signals.rules.life.outlook import Demand
from signals.rules.model.document_writing import document_of
from signals.rules.model.documents import network_from_json, plans_from_json
from signals.rules.model.junction import SignalNetwork, Turn, approach_bearing_deg
from signals.rules.model.sumo_export import network_file
from signals.rules.safety.profiles import profile_named
from signals.rules.what_if.lane_functions import (
    Functions,
    Way,
    car_lanes,
    checked_functions,
    functions_of,
    most_lanes,
    network_with,
    ways_of,
)
from signals.services import networks
from signals.services.apart import lent
from signals.services.asked_work import AskedWork
from signals.store import lane_studies as store
from signals.store import networks as network_store

if TYPE_CHECKING:
    from pydantic import JsonValue

    from signals.rules.what_if.studies import Side

TASK: Final = "signals.study_lanes"
WORK: Final = AskedWork(store.find, store.change)
FORGOTTEN_AFTER: Final = timedelta(days=7)
"""Studies that nobody kept."""


def ask(
    uow: UnitOfWork,
    actor: Actor,
    network_id: UUID,
    signal: str,
    *,
    functions: Mapping[str, Functions] | None,
    profile: str = "gb",
) -> store.LaneStudy:
    """Ask what other functions of a junction's lanes would do, or no signal where None is given.

    Raises
    ------
    Conflict
        Where nobody told who drives there.
    Invalid
        On functions that lanes cannot have, or none that changes.
    """
    home = networks.network(uow.connection, network_id)
    profile_named(profile)
    part = networks.parts(uow.connection, home.id, [signal])[signal]
    known = networks.demand(uow.connection, home.id)
    if known is None:
        raise Conflict("has no demand: record one first", field="network_id")
    changed = None if functions is None else changed_functions(part, functions)
    if functions is None:
        _meeting_roads(part, known[1])
    new = store.NewStudy(home.id, known[0].id, signal, profile, _kept(changed))
    made = store.add(uow.connection, new, at=uow.clock.now(), by=actor.subject)
    uow.defer(TASK, {"study_id": str(made)})
    detail: dict[str, JsonValue] = {"signal": signal, "removed": functions is None}
    record(uow, actor, "signals.study_asked", "signal_study", str(made), detail)
    return find(uow.connection, made)


@dataclass(frozen=True, slots=True)
class WayHere:
    """A turn out of an approach, and who takes it."""

    way: Way
    flow_vph: float | None
    """None where nobody told."""
    most_lanes: int


@dataclass(frozen=True, slots=True)
class ApproachLanes:
    """An approach whose lanes' functions can be changed."""

    road: str
    bearing_deg: float
    """Where its traffic comes from, clockwise from north."""
    lanes: tuple[str, ...]
    """From the kerb to the middle."""
    functions: Functions
    ways: tuple[WayHere, ...]
    """From right to left."""


def approaches(connection: Connection, network_id: UUID, signal: str) -> list[ApproachLanes]:
    """Give a junction's approaches with what their lanes are for."""
    part = networks.parts(connection, network_id, [signal])[signal]
    known = networks.demand(connection, network_id)
    junction = part.junctions[0]
    found = []
    for road in part.approaches(junction):
        lanes = car_lanes(junction, road)
        if not lanes:
            continue
        now = functions_of(part, junction, road)
        ways = tuple(
            WayHere(
                way,
                None if known is None else known[1].flow_vph.get((road.name, way.to_road), 0.0),
                most_lanes(part, now, way),
            )
            for way in ways_of(part, junction, road)
        )
        names = tuple(lane.name for lane in lanes)
        found.append(ApproachLanes(road.name, approach_bearing_deg(road), names, now, ways))
    return found


def changed_functions(
    part: SignalNetwork, functions: Mapping[str, Functions]
) -> dict[str, Functions]:
    """Give wanted functions by approach, those alone that change.

    Raises
    ------
    Invalid
        On a road that is no approach, functions that its lanes cannot have, or no change.
    """
    junction = part.junctions[0]
    roads = {road.name: road for road in part.approaches(junction)}
    found: dict[str, Functions] = {}
    for name, wanted in functions.items():
        if name not in roads:
            raise Invalid("is no road that leads here", field=f"functions.{name}")
        try:
            checked = checked_functions(part, junction, roads[name], wanted)
        except Invalid as error:
            raise Invalid(error.message, field=f"functions.{name}") from None
        now = functions_of(part, junction, roads[name])
        if [set(lane) for lane in checked] != [set(lane) for lane in now]:
            found[name] = checked
    if not found:
        raise Invalid("changes nothing", field="functions")
    return found


def _meeting_roads(part: SignalNetwork, demand: Demand) -> None:
    from signals.rules.what_if.traffic import warrant_of  # noqa: PLC0415 - loads NumPy

    if warrant_of(part, part.junctions[0], demand.flow_vph, demand.hours) is None:
        raise Invalid("is not where two roads meet: this is not judged", field="signal")


def cancel(uow: UnitOfWork, actor: Actor, study_id: UUID) -> store.LaneStudy:
    """Cancel a study at once; the plan in hand, where there is one, is thrown away.

    Raises
    ------
    Conflict
        Where it has ended.
    """
    found = _locked(uow, study_id)
    if found.finished_at is not None:
        raise Conflict("has ended", field="id")
    store.finish(uow.connection, found.id, "cancelled", uow.clock.now())
    record(uow, actor, "signals.study_cancelled", "signal_study", str(found.id), {})
    return find(uow.connection, found.id)


def keep(
    uow: UnitOfWork, actor: Actor, study_id: UUID, *, title: str, note: str = ""
) -> store.LaneStudy:
    """Keep a study as a draft of what could be painted; kept again it gets another title.

    Raises
    ------
    Conflict
        Where it did not end well.
    """
    found = _locked(uow, study_id)
    if found.status != "done":
        raise Conflict("is not done", field="id")
    values = {"title": title, "note": note, "kept_at": uow.clock.now(), "kept_by": actor.subject}
    store.change(uow.connection, found.id, **values)
    record(uow, actor, "signals.study_kept", "signal_study", str(found.id), {"title": title})
    return find(uow.connection, found.id)


def discard(uow: UnitOfWork, actor: Actor, study_id: UUID) -> store.LaneStudy:
    """Keep a study no longer: it goes with the others that nobody kept."""
    found = _locked(uow, study_id)
    if found.kept_at is None:
        raise Conflict("is not kept", field="id")
    store.change(uow.connection, found.id, title=None, note="", kept_at=None, kept_by=None)
    detail: dict[str, JsonValue] = {"title": found.title}
    record(uow, actor, "signals.study_discarded", "signal_study", str(found.id), detail)
    return find(uow.connection, found.id)


def find(connection: Connection, study_id: UUID) -> store.LaneStudy:
    """Give a study; NotFound where there is none."""
    found = store.find(connection, study_id)
    if found is None:
        raise NotFound("no such study", field="id")
    return found


def network_of(connection: Connection, study_id: UUID, form: str) -> bytes:
    """Give the junction with its new functions and its new plan as a file.

    Parameters
    ----------
    connection : Connection
    study_id : UUID
    form : str
        `sumo` or `json`; either can be imported as a network and driven.

    Raises
    ------
    NotFound
        Where the study has no such side: it is not done, it is of no signal, or no plan passes.
    """
    study = find(connection, study_id)
    document = store.documents(connection, study.id).get("changed")
    if document is None:
        raise NotFound("has no changed junction", field="id")
    part = network_from_json(document)
    plans = plans_from_json(document, part)
    whole = network_with(networks.whole(connection, study.network_id), part.junctions[0])
    if form == "sumo":
        return network_file(whole, plans).encode()
    import orjson  # noqa: PLC0415 - for files alone

    return orjson.dumps(document_of(whole, plans))


def run(database: Database, study_id: UUID, *, apart: bool) -> None:
    """Run a study that waits, or begin one anew whose worker died.

    Parameters
    ----------
    database : Database
    study_id : UUID
    apart : bool
        In a process of its own with a low priority: making plans holds the interpreter.
    """
    WORK.run(database, study_id, lambda asked: _run(database, asked, apart=apart), done=0)


def forget(database: Database) -> int:
    """Drop studies that nobody kept for a week; give how many."""
    with database.unit_of_work() as uow:
        return store.forget(uow.connection, uow.clock.now() - FORGOTTEN_AFTER)


def _run(database: Database, asked: store.LaneStudy, *, apart: bool) -> None:
    from signals.rules.what_if import studies  # noqa: PLC0415 - loads SciPy

    with database.read() as connection:
        row = network_store.demand_of(connection, asked.demand_id)
        if row is None:
            raise NotFound("the demand is gone", field="demand_id")
        demand = networks.as_demand(row)
        profile = profile_named(asked.profile)
        part = networks.parts(connection, asked.network_id, [asked.signal])[asked.signal]
        case = networks.cases(connection, asked.network_id, [asked.signal], profile)[asked.signal]
        running = networks.running(connection, asked.network_id, [asked.signal])
    sides: dict[store.SideName, Side | None] = {"in_force": None}
    if asked.signal in running:
        sides["in_force"] = studies.as_timed(case, running[asked.signal][1], demand)
    wanted: dict[store.SideName, dict[str, Functions]] = {"as_it_is": {}}
    if asked.functions is not None:
        wanted["changed"] = functions_from(asked.functions)
    with lent(studies.with_lanes, apart=apart) as timed:
        for number, (name, functions) in enumerate(wanted.items(), 1):
            sides[name] = timed(part, functions, profile, demand)
            with database.unit_of_work() as uow:
                if WORK.open(uow, asked.id) is None:
                    return
                store.change(uow.connection, asked.id, done=number)
    result: dict[str, JsonValue] = {
        "demand": row.name,
        "source": row.source,
        **{name: None if side is None else side.figures for name, side in sides.items()},
        "without_signal": studies.without_signal(part, demand),
    }
    with database.unit_of_work() as uow:
        if WORK.open(uow, asked.id) is None:
            return
        store.finish(
            uow.connection,
            asked.id,
            "done",
            uow.clock.now(),
            result=result,
            documents={n: side.document for n, side in sides.items() if side is not None},
        )


def _locked(uow: UnitOfWork, study_id: UUID) -> store.LaneStudy:
    found = store.find(uow.connection, study_id, lock=True)
    if found is None:
        raise NotFound("no such study", field="id")
    return found


def _kept(functions: Mapping[str, Functions] | None) -> store.Kept | None:
    if functions is None:
        return None
    return {
        road: [[{"turn": w.turn.value, "to_road": w.to_road} for w in lane] for lane in lanes]
        for road, lanes in functions.items()
    }


def functions_from(kept: Mapping[str, Any]) -> dict[str, Functions]:
    """Read functions as they are kept, by approach."""
    return {
        road: tuple(tuple(Way(Turn(w["turn"]), w["to_road"]) for w in lane) for lane in lanes)
        for road, lanes in kept.items()
    }
