"""Each night, what parking cards hold against the ledger's liabilities and against their orders.

What differs is kept beside channels' differences, under the name `cards`, and ended by two people.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from pydantic import JsonValue

from city.audit import record
from city.errors import Invalid
from city.identifiers import uuid7
from city.money import Money
from city.people.actors import Actor, system_actor
from city.people.roles import Role
from city.works.database import Database, UnitOfWork
from city.works.jobs import Task
from payments.rules.card_sums import SOURCE, CardDifference, hold_cards, shown
from payments.rules.cards import CURRENCY
from payments.rules.channel_bills.lines import CHINA
from payments.rules.reconciling import CaseState, KeptDifference
from payments.store import card_sums
from payments.store import reconciliations as store
from payments.store.reconciliations import Run

TASK: Final = "payments.reconcile_cards"
ACTOR: Final = system_actor("payments.reconciliation")
_ORDERS_OF: Final = timedelta(days=2)


def reconcile_cards(uow: UnitOfWork, actor: Actor, day: date) -> Run:
    """Hold all cards, and a day's debits, against the ledger and the orders; on record.

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
    """Hold the cards together for yesterday, once by itself; None where that was done."""
    with database.unit_of_work() as uow:
        day = uow.clock.now().astimezone(CHINA).date() - timedelta(days=1)
        if store.days_run_by(uow.connection, ACTOR.subject, SOURCE, [day]):
            return None
        return _hold(uow, ACTOR, day)


def task(database: Database) -> Task:
    """Give the task that holds the cards together: hourly, once a day it does."""

    def handle(arguments: Mapping[str, JsonValue]) -> None:
        del arguments
        reconcile_yesterday(database)

    return Task(TASK, handle, every="27 * * * *")


def _hold(uow: UnitOfWork, actor: Actor, day: date) -> Run:
    from_at = datetime.combine(day, time(), CHINA).astimezone(UTC)
    before_at = from_at + timedelta(days=1)
    now = uow.clock.now()
    if now < before_at:
        raise Invalid("is not over yet", field="day")
    counted = agreed = held_minor = 0
    found: list[CardDifference] = []
    for page in card_sums.told(uow.connection):
        differing = hold_cards(page)
        counted += len(page)
        agreed += len(page) - len(differing)
        held_minor += sum(each.held.minor for each in page)
        found += differing
    found += card_sums.debits_without_order(uow.connection, from_at, before_at)
    since_at = uow.wall.now() - _ORDERS_OF
    found += card_sums.orders_without_debit(uow.connection, since_at)
    found += card_sums.top_ups_without_order(uow.connection, from_at, before_at)
    found += card_sums.orders_without_top_up(uow.connection, since_at)
    report: dict[str, JsonValue] = {
        "rows": counted,
        "agreed": agreed,
        "held_minor": held_minor,
        "differences": len(found),
        "by_class": dict(Counter(each.kind.value for each in found)),
    }
    written = json.dumps([shown(each) for each in found], sort_keys=True).encode()
    done = Run(
        uuid7(), SOURCE, day, now, actor.subject, hashlib.sha256(written).hexdigest(), report
    )
    store.add_run(uow.connection, done)
    store.keep_found(uow.connection, done, [(each.key, _kept(each, done)) for each in found])
    record(
        uow,
        actor,
        "payments.cards_reconciled",
        "reconciliation",
        str(done.id),
        {"day": day.isoformat(), **report},
    )
    return done


def _kept(found: CardDifference, run: Run) -> KeptDifference:
    return KeptDifference(
        id=uuid7(),
        channel=SOURCE,
        day=run.day,
        kind=found.kind.value,
        order_no=found.order_no,
        refund_no="",
        proposal=found.proposal.value,
        certain=True,
        # Nothing is posted by such a difference alone: what changed is found and done by its owner.
        effect=Money(0, CURRENCY),
        detail=shown(found),
        state=CaseState.OPEN,
        found_at=run.run_at,
    )
