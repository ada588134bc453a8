"""Schedules once they are made: checked, approved by somebody else, followed by signals.

A schedule's plans are plan versions: they are checked and approved with it, by the same rules, and
a controller gets none that the checker or an approval lacks. While it is in force a job gives each
signal the plan of the hour, by a safe change.
"""

from collections.abc import Mapping
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from pydantic import JsonValue
from sqlalchemy import Connection

from city.audit import record
from city.errors import CityError, Conflict, Forbidden, NotFound
from city.people.actors import Actor, system_actor
from city.works.database import Database, UnitOfWork
from signals.rules.counts.tables import QUARTER_MIN
from signals.rules.safety.profiles import profile_named
from signals.rules.schedules.documents import KeptSchedule, schedule_from_json
from signals.services import networks, plan_versions
from signals.store import running_plans
from signals.store import schedules as store

FOLLOW: Final = "signals.follow_schedules"
FOLLOWER: Final = "signals.schedule"
_REASON: Final = 200

log = structlog.get_logger(__name__)


def check(uow: UnitOfWork, actor: Actor, schedule_id: UUID) -> store.ScheduleRecord:
    """Let the checker judge every plan, and every change from one to another that may follow it.

    Where one is unsafe the schedule stays a draft, with its problem.
    """
    found = _of_status(uow, schedule_id, "draft", "checked")
    versions = store.plans_of(uow.connection, found.id)
    problem = None
    for name, version_id in versions.items():
        version = plan_versions.find(uow.connection, version_id)
        judged = plan_versions.check(uow, actor, version_id, revision=version.revision)
        if not judged.safe:
            problem = f"{name} is unsafe"
    if problem is None:
        problem = _unsafe_change(uow.connection, found, versions)
    store.change(
        uow.connection,
        found.id,
        status="checked" if problem is None else "draft",
        problem=problem,
        checked_at=uow.clock.now(),
        checked_by=actor.subject,
    )
    record_act(uow, actor, "signals.schedule_checked", found, {"safe": problem is None})
    return find(uow.connection, found.id)


def _unsafe_change(
    connection: Connection, found: store.ScheduleRecord, versions: Mapping[str, UUID]
) -> str | None:
    cases = networks.cases(
        connection, found.network_id, found.signals, profile_named(found.profile)
    )
    plans = {
        name: plan_versions.plans_of(connection, plan_versions.find(connection, version_id))
        for name, version_id in versions.items()
    }
    for one, other in _kept(connection, found.id).changes():
        for signal in found.signals:
            try:
                plan_versions.change_of(cases[signal], plans[one][signal], plans[other][signal])
            except Conflict as error:
                return f"{one} to {other}: {error}"
    return None


def approve(uow: UnitOfWork, actor: Actor, schedule_id: UUID) -> store.ScheduleRecord:
    """Approve a checked schedule and its plans.

    Raises
    ------
    Forbidden
        Where the approver asked for it: four eyes.
    Conflict
        Where it is not checked, or one of its plans was edited since.
    """
    found = _of_status(uow, schedule_id, "checked")
    if actor.subject == found.asked_by:
        raise Forbidden("Somebody else must approve what you have drawn.", reason="four-eyes")
    for version_id in store.plans_of(uow.connection, found.id).values():
        version = plan_versions.find(uow.connection, version_id)
        plan_versions.approve(uow, actor, version_id, revision=version.revision)
    store.change(
        uow.connection,
        found.id,
        status="approved",
        approved_at=uow.clock.now(),
        approved_by=actor.subject,
    )
    record_act(uow, actor, "signals.schedule_approved", found, {})
    return find(uow.connection, found.id)


def put_in_force(uow: UnitOfWork, actor: Actor, schedule_id: UUID) -> store.ScheduleRecord:
    """Let the signals of an approved schedule follow it from now on; one before it ends.

    Raises
    ------
    Conflict
        Where it is not approved, a schedule in force there has signals that this one lacks, or no
        safe change leads to the plan of the hour.
    """
    found = _of_status(uow, schedule_id, "approved")
    networks.running(uow.connection, found.network_id, found.signals, lock=True)
    for other_id in store.in_force(uow.connection, found.network_id, found.signals):
        other = _of_status(uow, other_id, "in_force")
        if set(other.signals) - set(found.signals):
            raise Conflict(
                f"schedule {other.number} is in force at more signals: end it first",
                field="signals",
            )
        _end(uow, actor, other, f"followed by schedule {found.number}")
    store.change(
        uow.connection,
        found.id,
        status="in_force",
        from_at=uow.clock.now(),
        set_by=actor.subject,
        problem=None,
    )
    store.follow(uow.connection, found.id, found.network_id, found.signals)
    record_act(uow, actor, "signals.schedule_in_force", found, {"signals": len(found.signals)})
    step(uow, found.id)
    return find(uow.connection, found.id)


def end(uow: UnitOfWork, actor: Actor, schedule_id: UUID, reason: str) -> store.ScheduleRecord:
    """End a schedule in force: its signals keep the plan that they run."""
    _end(uow, actor, _of_status(uow, schedule_id, "in_force"), reason)
    return find(uow.connection, schedule_id)


def withdraw(uow: UnitOfWork, actor: Actor, schedule_id: UUID, reason: str) -> store.ScheduleRecord:
    """Take back a schedule that was never in force, also while it is made; its plans as well."""
    found = _of_status(uow, schedule_id, "waiting", "making", "draft", "checked", "approved")
    for version_id in store.plans_of(uow.connection, found.id).values():
        version = plan_versions.find(uow.connection, version_id)
        if version.status in {"draft", "checked", "approved"}:
            plan_versions.withdraw(uow, actor, version_id, reason=reason)
    store.change(
        uow.connection,
        found.id,
        status="withdrawn",
        until_at=uow.clock.now(),
        ended_by=actor.subject,
        ended_reason=reason,
    )
    record_act(uow, actor, "signals.schedule_withdrawn", found, {"reason": reason})
    return find(uow.connection, found.id)


def follow(database: Database) -> None:
    """Give every signal that follows a schedule the plan of the hour."""
    with database.read() as connection:
        wanted = store.all_in_force(connection)
    for schedule_id in wanted:
        try:
            with database.unit_of_work() as uow:
                step(uow, schedule_id)
        except CityError as error:
            log.warning("a schedule cannot be followed", schedule=str(schedule_id))
            with database.unit_of_work() as uow:
                store.change(uow.connection, schedule_id, problem=str(error))


def step(uow: UnitOfWork, schedule_id: UUID) -> None:
    """Give the signals of a schedule the plan of the hour, where they run another.

    Raises
    ------
    Conflict
        Where no safe change leads there; what runs goes on.
    """
    found = store.record_of(uow.connection, schedule_id, lock=True)
    if found is None or found.status != "in_force":
        return
    now = uow.clock.now().astimezone(ZoneInfo(found.timezone))
    quarter = (now.hour * 60 + now.minute) // QUARTER_MIN
    name = _kept(uow.connection, found.id).plan_at(now.date(), quarter)
    if name is not None:
        version_id = store.plans_of(uow.connection, found.id)[name]
        runs = running_plans.in_force(uow.connection, found.network_id, found.signals)
        if any(
            signal not in runs or runs[signal].version_id != version_id for signal in found.signals
        ):
            plan_versions.run_by_schedule(uow, system_actor(FOLLOWER), version_id)
    if found.problem is not None:
        store.change(uow.connection, found.id, problem=None)


def find(connection: Connection, schedule_id: UUID) -> store.ScheduleRecord:
    """Give a schedule; NotFound where there is none."""
    found = store.record_of(connection, schedule_id)
    if found is None:
        raise NotFound("no such schedule", field="id")
    return found


def _kept(connection: Connection, schedule_id: UUID) -> KeptSchedule:
    document = store.document_of(connection, schedule_id)
    if document is None:
        raise Conflict("the schedule is not made yet", field="id")
    return schedule_from_json(document)


def _end(uow: UnitOfWork, actor: Actor, found: store.ScheduleRecord, reason: str) -> None:
    store.leave(uow.connection, found.id)
    store.change(
        uow.connection,
        found.id,
        status="ended",
        until_at=uow.clock.now(),
        ended_by=actor.subject,
        ended_reason=reason[:_REASON],
    )
    record_act(uow, actor, "signals.schedule_ended", found, {"reason": reason})


def _of_status(uow: UnitOfWork, schedule_id: UUID, *wanted: store.Status) -> store.ScheduleRecord:
    found = store.record_of(uow.connection, schedule_id, lock=True)
    if found is None:
        raise NotFound("no such schedule", field="id")
    if found.status not in wanted:
        raise Conflict(f"is {found.status}, not {' or '.join(wanted)}", field="id")
    return found


def record_act(
    uow: UnitOfWork,
    actor: Actor,
    action: str,
    found: store.ScheduleRecord,
    detail: Mapping[str, JsonValue],
) -> None:
    """Put an act on a schedule on the audit record."""
    what: dict[str, JsonValue] = {"number": found.number, **detail}
    record(uow, actor, action, "signal_schedule", str(found.id), what)
