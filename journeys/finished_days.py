"""What holding a finished day together has in common, whatever is held against what.

A day is China's. It is held once by itself, after it is over, and whenever the desk wants; the run
names what it found by a digest, and is on record.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta

from pydantic import JsonValue

from city.audit import record
from city.errors import Invalid
from city.identifiers import uuid7
from city.people.actors import Actor
from city.works.database import Database, UnitOfWork
from city.works.jobs import Task
from payments.rules.channel_bills.lines import CHINA
from payments.store import reconciliations as store
from payments.store.reconciliations import Run

Hold = Callable[[UnitOfWork, date], Run]


def span_of(day: date, now: datetime) -> tuple[datetime, datetime]:
    """Give the instants that a day lies between; Invalid where it is not over."""
    from_at = datetime.combine(day, time(), CHINA).astimezone(UTC)
    before_at = from_at + timedelta(days=1)
    if now < before_at:
        raise Invalid("is not over yet", field="day")
    return from_at, before_at


def run_of(  # noqa: PLR0917 - who held what of which day, and what came of it
    uow: UnitOfWork,
    actor: Actor,
    source: str,
    day: date,
    found: Sequence[Mapping[str, JsonValue]],
    report: Mapping[str, JsonValue],
) -> Run:
    """Give the run of a day that was held just now; what differs is kept by the caller."""
    written = json.dumps(list(found), sort_keys=True).encode()
    digest = hashlib.sha256(written).hexdigest()
    return Run(uuid7(), source, day, uow.clock.now(), actor.subject, digest, report)


def note(uow: UnitOfWork, actor: Actor, act: str, run: Run) -> None:
    """Put a run on record with its report."""
    detail: dict[str, JsonValue] = {"day": run.day.isoformat(), **run.summary}
    record(uow, actor, act, "reconciliation", str(run.id), detail)


def hold_yesterday(database: Database, by: str, source: str, hold: Hold) -> Run | None:
    """Hold yesterday together, once by itself; None where that was done."""
    with database.unit_of_work() as uow:
        day = uow.clock.now().astimezone(CHINA).date() - timedelta(days=1)
        if store.days_run_by(uow.connection, by, source, [day]):
            return None
        return hold(uow, day)


def hourly(name: str, every: str, run: Callable[[], Run | None]) -> Task:
    """Give a task that is asked each hour and does its day once."""

    def handle(arguments: Mapping[str, JsonValue]) -> None:
        del arguments
        run()

    return Task(name, handle, every=every)
