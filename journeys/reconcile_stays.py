"""A day held three ways: stays and their sensors, their bills, and what channels say was paid.

Kept and ended at the desk as differences from channels' bills are: proposed, approved by another,
resolved by a note. What is to be done about one is done where it belongs: the stay is corrected,
the bill written anew, the payment found; held together again it is not found any more.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection

from city.identifiers import FacilityId
from city.people.actors import Actor, system_actor
from city.people.roles import Role
from city.works.database import Database, UnitOfWork
from city.works.jobs import Task
from journeys.finished_days import hold_yesterday, hourly, note, run_of, span_of
from parking.services import seen_stays
from parking.store import places
from payments.reconciling import keep_three_way
from payments.rules.three_way import StayTold, ThreeWayDifference, hold_together, shown
from payments.store import reconciliations as store
from payments.store import three_way
from payments.store.reconciliations import Run

if TYPE_CHECKING:
    from uuid import UUID

    from pydantic import JsonValue

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
    return hold_yesterday(
        database, ACTOR.subject, store.STAYS, lambda uow, day: _hold(uow, ACTOR, day)
    )


def task(database: Database) -> Task:
    """Give the task that holds yesterday's stays together: hourly, once a day it does."""
    return hourly(TASK, "17 * * * *", lambda: reconcile_yesterday(database))


def _hold(uow: UnitOfWork, actor: Actor, day: date) -> Run:
    now = uow.clock.now()
    from_at, before_at = span_of(day, now)
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
    done = run_of(uow, actor, store.STAYS, day, [shown(each) for each in found], report)
    keep_three_way(uow, done, found)
    note(uow, actor, "payments.stays_reconciled", done)
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
