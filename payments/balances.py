"""The sums that balances are made of: folded each minute, held against the postings each night."""

import hashlib
import json
from collections.abc import Mapping
from typing import Final

import structlog
from pydantic import JsonValue
from sqlalchemy import text

from city.audit import record
from city.identifiers import uuid7
from city.money import Money
from city.people.actors import Actor, system_actor
from city.works import metrics
from city.works.database import Database, UnitOfWork
from city.works.jobs import Task
from payments.rules.day_sums import KIND, PROPOSAL, SOURCE, SumDifference
from payments.rules.days import day_of
from payments.rules.reconciling import CaseState, KeptDifference
from payments.store import day_sums, periods, reconciliations
from payments.store.reconciliations import Run

FOLD: Final = "payments.fold_day_sums"
CHECK: Final = "payments.check_day_sums"
ACTOR: Final = system_actor("payments.day_sums")
BATCH: Final = 20_000
"""Rows folded in one transaction."""
ACCOUNTS: Final = 50
"""Held together in one statement."""
MOST_KEPT: Final = 500
"""Differences of one check that the desk is shown; the report counts all."""

log = structlog.get_logger("payments")

# Plain sums of years of postings take longer than a page may.
_LIMIT: Final = text("select set_config('statement_timeout', '1800000', true)")


def fold(database: Database) -> int:
    """Move what was told of accounts' days into their sums, until little is left; give how many.

    Each batch is a transaction of its own and may be done by several at once, or be killed.
    """
    folded = 0
    while True:
        with database.unit_of_work() as uow:
            moved = day_sums.fold(uow.connection, BATCH)
        folded += moved
        if moved < BATCH:
            return folded


def check(uow: UnitOfWork, actor: Actor, *, whole: bool = False) -> Run:
    """Hold every account's sums against its postings; keep what differs at the desk, on record.

    Parameters
    ----------
    uow : UnitOfWork
    actor : Actor
    whole : bool
        Add up every posting there is. Otherwise those since the last closing, by day, and what
        was kept at that closing for all before it.

    Notes
    -----
    An index-only scan of the postings that are added up, fifty accounts a statement, each of which
    sees postings and sums in one snapshot: who posts meanwhile makes no difference.
    """
    return _check(uow, actor, whole=whole)[0]


def _check(uow: UnitOfWork, actor: Actor, *, whole: bool) -> tuple[Run, int]:
    connection = uow.connection
    connection.execute(_LIMIT)
    closed_at = None if whole else periods.last_closed_at(connection)
    found: list[SumDifference] = []
    accounts, after = 0, ""
    while codes := day_sums.accounts_after(connection, after, ACCOUNTS):
        found += day_sums.differing(connection, codes, closed_at)
        accounts += len(codes)
        after = codes[-1]
    now = uow.clock.now()
    report: dict[str, JsonValue] = {
        "rows": accounts,
        "agreed": accounts - len({each.account for each in found}),
        "differences": len(found),
        "by_class": {KIND: len(found)} if found else {},
        "closed_until": None if closed_at is None else closed_at.isoformat(),
    }
    written = json.dumps([each.shown() for each in found], sort_keys=True).encode()
    done = Run(
        uuid7(),
        SOURCE,
        day_of(now),
        now,
        actor.subject,
        hashlib.sha256(written).hexdigest(),
        report,
    )
    reconciliations.add_run(connection, done)
    kept = [(each.key, _kept(each, done)) for each in found[:MOST_KEPT]]
    reconciliations.keep_found(connection, done, kept, complete=len(found) <= MOST_KEPT)
    record(uow, actor, "payments.day_sums_checked", "reconciliation", str(done.id), report)
    return done, len(found)


def rebuild(uow: UnitOfWork, actor: Actor) -> None:
    """Make all sums anew from the postings, while nobody posts; on record."""
    uow.connection.execute(_LIMIT)
    day_sums.rebuild(uow.connection)
    record(uow, actor, "payments.day_sums_rebuilt", "ledger", "ledger", {})


def check_daily(database: Database) -> Run | None:
    """Check once in one of China's days; None where that was done.

    What differs is an alarm: a metric above zero, an error in the log, differences at the desk.
    """
    with database.unit_of_work() as uow:
        day = day_of(uow.clock.now())
        if reconciliations.days_run_by(uow.connection, ACTOR.subject, SOURCE, [day]):
            return None
        done, differences = _check(uow, ACTOR, whole=False)
    metrics.LEDGER_DIFFERENCES.set(differences)
    if differences:
        log.error("ledger_differs", differences=differences)
    return done


def tasks(database: Database) -> list[Task]:
    """Give the tasks that fold and check."""

    def fold_now(arguments: Mapping[str, JsonValue]) -> None:
        del arguments
        fold(database)

    def check_now(arguments: Mapping[str, JsonValue]) -> None:
        del arguments
        check_daily(database)

    return [
        Task(FOLD, fold_now, every="* * * * *"),
        Task(CHECK, check_now, every="37 * * * *"),
    ]


def _kept(found: SumDifference, run: Run) -> KeptDifference:
    return KeptDifference(
        id=uuid7(),
        channel=SOURCE,
        day=run.day,
        kind=KIND,
        order_no="",
        refund_no="",
        proposal=PROPOSAL,
        certain=True,
        # Nothing is to be posted: postings are the truth, and the sums are made anew from them.
        effect=Money(0, found.posted.currency),
        detail=found.shown(),
        state=CaseState.OPEN,
        found_at=run.run_at,
    )
