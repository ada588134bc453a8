"""Find what calls for somebody on the street, by bays, stays, bills and devices; end what is over.

Each run writes what stands now: it may be run again, and a run that failed is made up for by the
next one. What people do is not asked from them a second time: a plate that was taken ends its task
by itself, at the time and under the name of whoever took it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from pydantic import JsonValue

from city.audit import record
from city.errors import Forbidden, Invalid
from city.identifiers import BillId, FacilityId
from city.money import Money
from city.people.actors import Actor
from city.people.roles import Role
from city.terminals import report_store
from city.works.database import Database, UnitOfWork
from city.works.jobs import Task
from parking.rules import patrol as rules
from parking.rules.patrol import Ending, Mark, PatrolTask, TaskKind
from parking.rules.places.breaches import breach
from parking.store import patrol, patrol_finding, places
from parking.store.apart import apart
from payments.store import owed

if TYPE_CHECKING:
    from uuid import UUID

TASK: Final = "journeys.keep_patrol"
WALKERS: Final = (Role.ATTENDANT, Role.INSPECTOR, Role.OPERATOR)
KEPT_FOR: Final = timedelta(days=90)
"""How long it is kept how fast somebody came: names of people stand in it."""
MOST_MARKS: Final = 200
_AT_ONCE: Final = 500


def keep_patrol(database: Database) -> None:
    """Write what stands and end what does not: transactions of at most some hundred rows each."""
    now = database.clock.now()
    with database.unit_of_work() as uow:
        patrol_finding.find_of_places(uow.connection, now)
    _find_breaches(database, now)
    _find_reports(database, now)
    _find_escapes(database, now)
    _find_arrears(database, now)
    _end_paid(database)
    with database.unit_of_work() as uow:
        patrol_finding.end_of_places(uow.connection, now)
    _forget(database, now - KEPT_FOR)


def mark_tasks(uow: UnitOfWork, actor: Actor, marks: Sequence[Mark]) -> list[PatrolTask]:
    """Take what somebody says of tasks: seen, or looked at and done; late perhaps, as often as.

    Parameters
    ----------
    uow : UnitOfWork
    actor : Actor
        Of the tasks' districts.
    marks : Sequence of Mark
        At most `MOST_MARKS`. Of several that saw a task the first counts.

    Returns
    -------
    list of PatrolTask
        As they stand now; tasks that are not known any more are left out.

    Raises
    ------
    Forbidden
        Without the role, or in another district.
    Conflict, Invalid
        As `parking.rules.patrol.check_mark`.
    """
    actor.require(*WALKERS)
    if len(marks) > MOST_MARKS:
        raise Invalid(f"must be at most {MOST_MARKS}", field="items")
    found = patrol.by_ids(uow.connection, {each.task_id for each in marks})
    now = uow.clock.now()
    changed: dict[UUID, PatrolTask] = {}
    for mark in marks:
        task = found.get(mark.task_id)
        if task is None:
            continue
        if not actor.in_district(task.district):
            raise Forbidden("the task is in another district than yours")
        rules.check_mark(task, mark)
        after = _marked(task, mark, actor, now)
        if after != task:
            found[task.id] = changed[task.id] = after
            if after.ended_at != task.ended_at:
                _note(uow, actor, after)
    patrol.write_words(uow.connection, list(changed.values()))
    return list(found.values())


def _marked(task: PatrolTask, mark: Mark, actor: Actor, now: datetime) -> PatrolTask:
    at = rules.when(mark, task, now)
    if task.seen_at is None or at < task.seen_at:
        task = replace(task, seen_at=at, seen_by=actor.subject)
    if mark.done and task.ended_at is None:
        note = mark.note.strip()
        task = replace(task, ended_at=at, ended_by=actor.subject, ending=Ending.DONE, note=note)
    return task


def _note(uow: UnitOfWork, actor: Actor, task: PatrolTask) -> None:
    detail: dict[str, JsonValue] = {"kind": task.kind.value, "note": task.note}
    record(uow, actor, "parking.patrol_task_done", "bay", str(task.bay_id), detail)


def _find_breaches(database: Database, now: datetime) -> None:
    """Hold cars against the signs where they stand: at bays that have any, some hundred at once."""
    for facilities in _kerbs(database):
        with database.unit_of_work() as uow:
            zones = places.facilities_by_id(uow.connection, facilities)
            signs = {
                each.bay_id: each
                for home in apart(uow.connection, facilities, now=now).values()
                for each in home
                if each.rules or each.suspended
            }
            rows: list[dict[str, JsonValue]] = []
            for car in patrol.cars_in(uow.connection, list(signs)):
                sign = signs[car.bay_id]
                local_of = zones[sign.facility_id].local
                found = breach(local_of, sign.rules, sign.suspended, car.opened_at, now)
                if found is not None:
                    rows.append(
                        {
                            "kind": found.kind.value,
                            "session_id": str(car.session_id),
                            "since_at": found.since_at.isoformat(),
                            "what": found.what,
                        }
                    )
            patrol_finding.end_permitted(uow.connection, facilities, rows, now)
            for kind in (TaskKind.SIGNED, TaskKind.FORBIDDEN):
                told = [each for each in rows if each["kind"] == kind.value]
                patrol_finding.find_told(uow.connection, kind, told, now)


def _find_reports(database: Database, now: datetime) -> None:
    after: UUID | None = None
    while True:
        with database.unit_of_work() as uow:
            reports = report_store.reports_since(
                uow.connection, now - patrol_finding.LOOKED_BACK, after=after, limit=_AT_ONCE
            )
            rows = [
                {
                    "id": str(each.id),
                    "bay_id": str(each.detail["bay_id"]),
                    "at": each.at.isoformat(),
                    "what": str(each.detail.get("what") or "other"),
                }
                for each in reports
                if each.detail.get("bay_id")
            ]
            patrol_finding.find_reported(uow.connection, rows, now)
        if len(reports) < _AT_ONCE:
            return
        after = reports[-1].id


def _find_escapes(database: Database, now: datetime) -> None:
    for facilities in _kerbs(database):
        after: BillId | None = None
        while True:
            with database.unit_of_work() as uow:
                bills = owed.open_bills(
                    uow.connection,
                    facilities,
                    now - patrol_finding.LOOKED_BACK,
                    after=after,
                    limit=_AT_ONCE,
                )
                rows = [
                    {
                        "bill_id": str(each.id),
                        "session_id": str(each.session_id),
                        "issued_at": each.issued_at.isoformat(),
                        **_money(each.outstanding),
                    }
                    for each in bills
                ]
                patrol_finding.find_told(uow.connection, TaskKind.ESCAPE, rows, now)
            if len(bills) < _AT_ONCE:
                break
            after = bills[-1].id


def _find_arrears(database: Database, now: datetime) -> None:
    after: UUID | None = None
    while True:
        with database.unit_of_work() as uow:
            parked = patrol.parked_since(
                uow.connection, now - patrol_finding.LOOKED_BACK, after=after, limit=_AT_ONCE
            )
            owing = owed.overdue_of(uow.connection, {each.vehicle_id for each in parked}, now)
            rows = [
                {"session_id": str(each.session_id), **_money(owing[each.vehicle_id])}
                for each in parked
                if each.vehicle_id in owing
            ]
            patrol_finding.find_told(uow.connection, TaskKind.ARREARS, rows, now)
        if len(parked) < _AT_ONCE:
            return
        after = parked[-1].session_id


def _end_paid(database: Database) -> None:
    after: UUID | None = None
    while True:
        with database.unit_of_work() as uow:
            tasks = patrol.standing(uow.connection, TaskKind.ESCAPE, after=after, limit=_AT_ONCE)
            by_bill = {BillId(each.subject): each for each in tasks}
            settled = owed.settled(uow.connection, list(by_bill))
            rows = [
                {
                    "id": str(by_bill[each.id].id),
                    "at": (each.at or database.clock.now()).isoformat(),
                    "by": each.by,
                }
                for each in settled
            ]
            patrol_finding.end_paid(uow.connection, rows)
        if len(tasks) < _AT_ONCE:
            break
        after = tasks[-1].id
    _end_arrears(database)


def _end_arrears(database: Database) -> None:
    """End arrears that are paid: who stands there owes nothing more that is overdue."""
    after: UUID | None = None
    while True:
        with database.unit_of_work() as uow:
            now = uow.clock.now()
            tasks = patrol.standing(uow.connection, TaskKind.ARREARS, after=after, limit=_AT_ONCE)
            vehicles = patrol.vehicles_of(uow.connection, tasks)
            owing = owed.overdue_of(uow.connection, set(vehicles.values()), now)
            cleared = [
                each for each in tasks if each.id in vehicles and vehicles[each.id] not in owing
            ]
            collected = owed.collected_from(
                uow.connection, [vehicles[each.id] for each in cleared], now - timedelta(days=1)
            )
            rows = []
            for each in cleared:
                last = collected.get(vehicles[each.id])
                at = now if last is None else max(last.at or now, each.arose_at)
                by = None if last is None else last.by
                rows.append({"id": str(each.id), "at": at.isoformat(), "by": by})
            patrol_finding.end_paid(uow.connection, rows)
        if len(tasks) < _AT_ONCE:
            return
        after = tasks[-1].id


def _kerbs(database: Database) -> Iterator[list[FacilityId]]:
    """Give facilities without gates, some hundred at once: who leaves one elsewhere has paid."""
    after: UUID | None = None
    while True:
        with database.read() as connection:
            page = places.facilities(connection, after=after, limit=_AT_ONCE)
        yield [each.id for each in page.items if each.kind != "garage"]
        after = page.next
        if after is None:
            return


def _forget(database: Database, before_at: datetime) -> None:
    while True:
        with database.unit_of_work() as uow:
            if not patrol.forget(uow.connection, before_at):
                return


def _money(amount: Money) -> dict[str, JsonValue]:
    return {"amount_minor": amount.minor, "currency": amount.currency}


def task(database: Database) -> Task:
    """Give the task that keeps the patrol's list, three times a minute."""

    def handle(arguments: Mapping[str, JsonValue]) -> None:
        del arguments
        keep_patrol(database)

    return Task(TASK, handle, every="* * * * * */20")
