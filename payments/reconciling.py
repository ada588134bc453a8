"""Holding a day against a channel's bill, and what becomes of each difference."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from city.errors import NotFound
from city.identifiers import uuid7
from city.money import Money
from city.works.database import UnitOfWork
from payments import channel_records
from payments.rules.channel_bills.lines import CHINA, CURRENCY, Bill, totals
from payments.rules.channel_bills.reading import day_of, read_bill
from payments.rules.channel_registry import TRAITS
from payments.rules.channels import Channel
from payments.rules.differences import effect_minor, shown
from payments.rules.pos.naming import named_by_us
from payments.rules.reconciliation import reconcile
from payments.rules.reconciling import (
    CaseState,
    KeptDifference,
    Resolution,
    approved,
    proposed,
    resolved,
    sent_back,
)
from payments.rules.three_way import ThreeWayDifference
from payments.rules.three_way import shown as shown_three_way
from payments.store import ledger as ledger_store
from payments.store import reconciliations as store
from payments.store.reconciliations import Run

NO_ROWS: Final = Bill((), (), None)
MOST_TOLD: Final = 100
"""Rows that could not be read, of which a run keeps line and reason; it counts all of them."""


def run(uow: UnitOfWork, channel: Channel, content: bytes | None, day: date | None, by: str) -> Run:
    """Hold a bill against our record of its day, and keep what differs.

    No content is the bill of a day without a row; such a day is stated.

    Run again, with the same bill or a corrected one, what people said of a difference stays as
    long as it is the same; one that is not found any more is resolved by that (`held_again`).

    Raises
    ------
    Invalid
        Where it is no bill of the channel.

    Notes
    -----
    Cost grows with the rows of both sides, memory too.
    """
    bill = NO_ROWS if content is None else read_bill(channel, content, day)
    of_day = day or day_of(bill)
    start_at = datetime.combine(of_day, time(), CHINA) - timedelta(days=1)
    ours = list(
        channel_records.records(uow.connection, channel, start_at, start_at + timedelta(days=3))
    )
    if not TRAITS[channel].knows_our_numbers:
        bill = named_by_us(bill, ours)
    outcome = reconcile(ours, bill, of_day)
    now = uow.clock.now()
    counts: Counter[str] = Counter()
    found: list[tuple[str, KeptDifference]] = []
    for each in outcome.differences:
        name = f"{each.kind.value}|{each.order_no}|{each.refund_no}"
        counts[name] += 1
        case = KeptDifference(
            id=uuid7(),
            channel=channel.value,
            day=of_day,
            kind=each.kind.value,
            order_no=each.order_no,
            refund_no=each.refund_no,
            proposal=each.proposal.value,
            certain=each.certain,
            effect=Money(effect_minor(each), CURRENCY),
            detail=shown(each),
            state=CaseState.OPEN,
            found_at=now,
        )
        found.append((f"{name}|{counts[name]}", case))
    sums = totals(bill.lines)
    done = Run(
        uuid7(),
        channel.value,
        of_day,
        now,
        by,
        hashlib.sha256(content or b"").hexdigest(),
        {
            "rows": sums.rows,
            "paid_minor": sums.paid_minor,
            "refunded_minor": sums.refunded_minor,
            "complete": bill.complete,
            "quarantined": len(bill.rejected),
            "quarantined_rows": [
                {"line": each.number, "reason": each.reason} for each in bill.rejected[:MOST_TOLD]
            ],
            "matched": outcome.matched,
            "agreed": outcome.agreed,
            "differences": len(found),
            "by_class": dict(Counter(each.kind.value for each in outcome.differences)),
        },
    )
    store.add_run(uow.connection, done)
    store.keep_found(uow.connection, done, found, complete=bill.complete)
    return done


def keep_three_way(uow: UnitOfWork, run: Run, found: Sequence[ThreeWayDifference]) -> None:
    """Keep a day's stays as they were held together, and what differs; as `run` does.

    No money is where it should not be by such a difference alone: each ends by a note.
    """
    cases = [
        (
            f"{each.kind.value}|{each.stay.session_id}",
            KeptDifference(
                id=uuid7(),
                channel=run.channel,
                day=run.day,
                kind=each.kind.value,
                order_no="",
                refund_no="",
                proposal=each.proposal.value,
                certain=True,
                effect=Money(0, CURRENCY),
                detail=shown_three_way(each),
                state=CaseState.OPEN,
                found_at=run.run_at,
            ),
        )
        for each in found
    ]
    store.add_run(uow.connection, run)
    store.keep_found(uow.connection, run, cases)


def propose(
    uow: UnitOfWork, difference_id: UUID, resolution: Resolution, note: str, by: str
) -> KeptDifference:
    """Propose how a difference ends; NotFound, Conflict, Invalid as `proposed`."""
    after = proposed(_held(uow, difference_id), resolution, note, uow.clock.now(), by)
    store.write(uow.connection, after)
    return after


def decide(uow: UnitOfWork, difference_id: UUID, *, approve: bool, by: str) -> KeptDifference:
    """Approve a proposal or send it back, as a second person."""
    case = _held(uow, difference_id)
    after = approved(case, uow.clock.now(), by) if approve else sent_back(case, by)
    store.write(uow.connection, after)
    return after


def resolve(uow: UnitOfWork, difference_id: UUID, by: str) -> KeptDifference:
    """Do what was approved: post it, or note that it is done."""
    after, entry = resolved(_held(uow, difference_id), uow.clock.now(), by)
    if entry is not None:
        ledger_store.add_entry(uow.connection, entry)
    store.write(uow.connection, after)
    return after


def runs(
    connection: Connection, after: UUID | None = None, limit: int = 100
) -> tuple[list[Run], UUID | None]:
    """Give a page of runs, the newest first, and the last one's id where more follow."""
    return store.runs(connection, after, limit)


def differences(  # noqa: PLR0917 - which of them, and how many
    connection: Connection,
    state: CaseState | None = None,
    channel: str | None = None,
    day: date | None = None,
    after: UUID | None = None,
    limit: int = 100,
) -> tuple[list[KeptDifference], UUID | None]:
    """Give differences, the newest first, and the last one's id where more follow."""
    return store.page(connection, state, channel, day, after, limit)


def _held(uow: UnitOfWork, difference_id: UUID) -> KeptDifference:
    case = store.find(uow.connection, difference_id, lock=True)
    if case is None:
        raise NotFound("there is no such difference", field="difference_id")
    return case
