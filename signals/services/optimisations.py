"""Plans made for a demand as a job: asked for, run junction by junction, seen, cancelled."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import Connection

from city.audit import record
from city.errors import Conflict, Invalid, NotFound
from city.people.actors import Actor, system_actor
from city.works.database import Database, UnitOfWork
from signals.rules.life.outlook import Demand
from signals.rules.life.parts import plan_json
from signals.rules.model.plans import Programme
from signals.rules.model.schemas import FORMAT
from signals.rules.safety.case import Case
from signals.rules.safety.profiles import profile_named
from signals.services import networks, plan_versions
from signals.services.apart import lent
from signals.services.asked_work import AskedWork
from signals.store import networks as network_store
from signals.store import optimisations as store

TASK: Final = "signals.optimise"
WORK: Final = AskedWork(store.find, store.change)
_MAKER: Final = "signals.optimise"

Made = tuple[JsonValue, bool]
"""A plan's document, and whether it is the plan in force."""


def ask(
    uow: UnitOfWork, actor: Actor, network_id: UUID, signals: list[str] | None, profile: str
) -> store.Optimisation:
    """Ask for plans of some signals, all where none is named, for the demand recorded last.

    Raises
    ------
    Conflict
        Where nobody told who drives there.
    """
    home = networks.network(uow.connection, network_id)
    profile_named(profile)
    known = networks.demand(uow.connection, home.id)
    if known is None:
        raise Conflict("has no demand: record one first", field="network_id")
    wanted = list(
        networks.parts(uow.connection, home.id, None if signals is None else sorted(set(signals)))
    )
    if not wanted:
        raise Invalid("must name a signal at least", field="signals")
    made = store.add(
        uow.connection,
        home.id,
        known[0].id,
        profile=profile,
        signals=wanted,
        at=uow.clock.now(),
        by=actor.subject,
    )
    uow.defer(TASK, {"optimisation_id": str(made)})
    detail: dict[str, JsonValue] = {"signals": len(wanted), "profile": profile}
    record(uow, actor, "signals.optimisation_asked", "signal_optimisation", str(made), detail)
    return find(uow.connection, made)


def cancel(uow: UnitOfWork, actor: Actor, optimisation_id: UUID) -> store.Optimisation:
    """Cancel an optimisation: at once where it waits, after the junction in hand where it runs.

    Raises
    ------
    Conflict
        Where it has ended.
    """
    found = store.find(uow.connection, optimisation_id, lock=True)
    if found is None:
        raise NotFound("no such optimisation", field="id")
    if found.finished_at is not None:
        raise Conflict("has ended", field="id")
    store.change(uow.connection, found.id, cancel_asked_by=actor.subject)
    if found.status == "waiting":
        store.finish(uow.connection, found.id, "cancelled", uow.clock.now())
    record(uow, actor, "signals.optimisation_cancelled", "signal_optimisation", str(found.id), {})
    return find(uow.connection, found.id)


def find(connection: Connection, optimisation_id: UUID) -> store.Optimisation:
    """Give an optimisation; NotFound where there is none."""
    found = store.find(connection, optimisation_id)
    if found is None:
        raise NotFound("no such optimisation", field="id")
    return found


def run(database: Database, optimisation_id: UUID, *, apart: bool) -> None:
    """Run an optimisation that waits, or go on with one whose worker died.

    Parameters
    ----------
    database : Database
    optimisation_id : UUID
    apart : bool
        In a process of its own with a low priority: making plans holds the interpreter.
    """
    WORK.run(database, optimisation_id, lambda asked: _run(database, asked, apart=apart), done=0)


def _run(database: Database, asked: store.Optimisation, *, apart: bool) -> None:
    with database.read() as connection:
        row = network_store.demand_of(connection, asked.demand_id)
        if row is None:
            raise NotFound("the demand is gone", field="demand_id")
        demand = networks.as_demand(row)
        cases = networks.cases(
            connection, asked.network_id, asked.signals, profile_named(asked.profile)
        )
        running = networks.running(connection, asked.network_id, asked.signals)
    own = {name: plan for name, (_, plan) in running.items()}
    made: dict[str, Made] = {}
    without: list[str] = []
    with lent(_make, apart=apart) as make:
        for number, name in enumerate(asked.signals, 1):
            plan = make(cases[name], own.get(name), demand)
            if plan is None:
                without.append(name)
            else:
                made[name] = plan
            with database.unit_of_work() as uow:
                now = WORK.open(uow, asked.id)
                if now is None:
                    return
                store.change(uow.connection, asked.id, done=number)
                if now.cancel_asked_by is not None:
                    store.finish(uow.connection, asked.id, "cancelled", uow.clock.now())
                    return
    _finish(database, asked, row.name, made, without)


def _finish(
    database: Database,
    asked: store.Optimisation,
    demand_name: str,
    made: Mapping[str, Made],
    without: list[str],
) -> None:
    fresh = {name: plan for name, (plan, kept) in made.items() if not kept}
    result: dict[str, JsonValue] = {
        "kept": list[JsonValue](sorted(set(made) - set(fresh))),
        "without_plan": list[JsonValue](without),
    }
    with database.unit_of_work() as uow:
        if WORK.open(uow, asked.id) is None:
            return
        version_id = None
        if fresh:
            # Whoever asked for it is its author: somebody else approves it.
            author = Actor("person", asked.requested_by, None, frozenset(), "")
            document: dict[str, JsonValue] = {
                "format": FORMAT,
                "plans": [fresh[name] for name in sorted(fresh)],
            }
            version_id = plan_versions.draft(
                uow,
                author,
                asked.network_id,
                title=demand_name,
                document=document,
                profile=asked.profile,
                origin="optimisation",
            ).id
        store.finish(
            uow.connection,
            asked.id,
            "done",
            uow.clock.now(),
            version_id=version_id,
            result=result,
        )
        record(
            uow,
            system_actor(_MAKER),
            "signals.optimisation_done",
            "signal_optimisation",
            str(asked.id),
            {"plans": len(fresh), "kept": len(made) - len(fresh), "without": len(without)},
        )


def _make(case: Case, own: Programme | None, demand: Demand) -> Made | None:
    """Make one junction's plan; None where none passes the checker."""
    from signals.rules.plans.delay_of_plan import lanes_of  # noqa: PLC0415 - as below
    from signals.rules.plans.planning import plan_junction  # noqa: PLC0415 - loads SciPy

    lanes = lanes_of(case.junction, case.network, demand.flow_vph)
    found = plan_junction(case, lanes, () if own is None else (own,), demand.hours)
    if found is None:
        return None
    programme = found.programme
    if own is not None and not found.kept:
        # Where the green wave has it; offsets are chosen on the street's own diagram.
        programme = replace(programme, offset_s=float(round(own.offset_s) % programme.cycle_s))
    return plan_json(programme), found.kept
