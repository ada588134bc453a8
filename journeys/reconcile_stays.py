"""A day held three ways: stays and their sensors, their bills, and what channels say was paid.

Kept and ended at the desk as differences from channels' bills are: proposed, approved by another,
resolved by a note. What is to be done about one is done where it belongs: the stay is corrected,
the bill written anew, the payment found; held together again it is not found any more.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from pydantic import JsonValue
from sqlalchemy import Connection

from city.audit import record
from city.errors import Invalid
from city.identifiers import FacilityId, uuid7
from city.people.actors import Actor, system_actor
from city.people.roles import Role
from city.works.database import Database, UnitOfWork
from city.works.jobs import Task
from parking.services import seen_stays
from parking.store import places
from payments.reconciling import keep_three_way
from payments.rules.channel_bills.lines import CHINA
from payments.rules.three_way import StayTold, ThreeWayDifference, hold_together, shown
from payments.store import reconciliations as store
from payments.store import three_way
from payments.store.reconciliations import Run

if TYPE_CHECKING:
    from uuid import UUID

TASK: Final = "payments.reconcile_stays"
ACTOR: Final = system_actor("payments.reconciliation")
_PAGE: Final = 500


def reconcile_stays(uow: UnitOfWork, actor: Actor, day: date) -> Run:
    """Hold the stays that ended on a day against their bills and payments; on record.

    Raises
    ------
    Forbidden
        Without the role of finance.
    Invalid
        Where the day is not over.
    """
    actor.require(Role.FINANCE)
    return _hold(uow, actor, day)


def reconcile_yesterday(database: Database) -> Run | None:
    """Hold yesterday's stays together, once by itself; None where that was done."""
    with database.unit_of_work() as uow:
        day = uow.clock.now().astimezone(CHINA).date() - timedelta(days=1)
        if store.days_run_by(uow.connection, ACTOR.subject, store.STAYS, [day]):
            return None
        return _hold(uow, ACTOR, day)


def task(database: Database) -> Task:
    """Give the task that holds yesterday's stays together: hourly, once a day it does."""

    def handle(arguments: Mapping[str, JsonValue]) -> None:
        del arguments
        reconcile_yesterday(database)

    return Task(TASK, handle, every="17 * * * *")


def _hold(uow: UnitOfWork, actor: Actor, day: date) -> Run:
    from_at = datetime.combine(day, time(), CHINA).astimezone(UTC)
    before_at = from_at + timedelta(days=1)
    now = uow.clock.now()
    if now < before_at:
        raise Invalid("is not over yet", field="day")
    counts: Counter[str] = Counter()
    found: list[ThreeWayDifference] = []
    for facility_id in _facilities(uow.connection):
        for page in seen_stays.ended(uow.connection, facility_id, from_at, before_at):
            told = [_told(each) for each in page]
            bills = three_way.charged(uow.connection, [each.session.id for each in page])
            held = hold_together(told, bills, now)
            counts.update(stays=held.stays, billed=held.billed, agreed=held.agreed)
            found += held.differences
    by_kind = Counter(each.kind.value for each in found)
    report: dict[str, JsonValue] = {
        "rows": counts["stays"],
        "billed": counts["billed"],
        "agreed": counts["agreed"],
        "differences": len(found),
        "by_class": dict(by_kind),
    }
    written = json.dumps([shown(each) for each in found], sort_keys=True).encode()
    done = Run(
        uuid7(), store.STAYS, day, now, actor.subject, hashlib.sha256(written).hexdigest(), report
    )
    keep_three_way(uow, done, found)
    record(
        uow,
        actor,
        "payments.stays_reconciled",
        "reconciliation",
        str(done.id),
        {"day": day.isoformat(), **report},
    )
    return done


def _told(seen: seen_stays.SeenStay) -> StayTold:
    stay = seen.session.stay
    closed_at = stay.closed_at or stay.opened_at
    return StayTold(
        seen.session.id,
        stay.opened_at,
        closed_at,
        stay.final and stay.billable,
        seen.free,
    )


def _facilities(connection: Connection) -> Iterator[FacilityId]:
    after: UUID | None = None
    while True:
        page = places.facilities(connection, after=after, limit=_PAGE)
        yield from (each.id for each in page.items)
        after = page.next
        if after is None:
            return
