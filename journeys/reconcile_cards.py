"""Each night, what parking cards hold against the ledger's liabilities and against their orders.

What differs is kept beside channels' differences, under the name `cards`, and ended by two people.
"""

from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from city.identifiers import uuid7
from city.money import Money
from city.people.actors import Actor, system_actor
from city.people.roles import Role
from city.works.database import Database, UnitOfWork
from city.works.jobs import Task
from journeys.finished_days import hold_yesterday, hourly, note, run_of, span_of
from payments.rules.card_sums import SOURCE, CardDifference, hold_cards, shown
from payments.rules.cards import CURRENCY
from payments.rules.reconciling import CaseState, KeptDifference
from payments.store import card_sums
from payments.store import reconciliations as store
from payments.store.reconciliations import Run

if TYPE_CHECKING:
    from pydantic import JsonValue

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
    return hold_yesterday(database, ACTOR.subject, SOURCE, lambda uow, day: _hold(uow, ACTOR, day))


def task(database: Database) -> Task:
    """Give the task that holds the cards together: hourly, once a day it does."""
    return hourly(TASK, "27 * * * *", lambda: reconcile_yesterday(database))


def _hold(uow: UnitOfWork, actor: Actor, day: date) -> Run:
    from_at, before_at = span_of(day, uow.clock.now())
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
    done = run_of(uow, actor, SOURCE, day, [shown(each) for each in found], report)
    store.add_run(uow.connection, done)
    store.keep_found(uow.connection, done, [(each.key, _kept(each, done)) for each in found])
    note(uow, actor, "payments.cards_reconciled", done)
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
