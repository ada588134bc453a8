"""A terminal's batch closed: its totals against ours and the ledger's, and what differs kept.

Three sides: what the terminal says, the acts that we did, and what the ledger posted for them.
Where they agree the batch is over. Where they do not, the terminal sends all that it holds, and
each act in which it differs is a difference of the finance desk's, source `pos-batches`. It ends by
a note: what the acquirer holds its bill says, and one of the two alone may be posted.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Final

from pydantic import JsonValue

from city.audit import record
from city.identifiers import uuid7
from city.money import Money
from city.works.database import UnitOfWork
from payments.pos_terminals import actor_of
from payments.rules.channel_bills.lines import CHINA, CURRENCY
from payments.rules.differences import DifferenceKind
from payments.rules.pos.batches import BatchDifference, compare, totals_of
from payments.rules.pos.requests import Kind, Totals
from payments.rules.pos.terminals import Batch, BatchState, Terminal
from payments.rules.reconciling import CaseState, KeptDifference
from payments.store import pos_acts as act_store
from payments.store import pos_batches as batch_store
from payments.store import reconciliations
from payments.store.reconciliations import Run

SOURCE: Final = "pos-batches"


def settle(uow: UnitOfWork, terminal: Terminal, batch: Batch, told: Totals) -> Batch:
    """Hold a terminal's totals against ours; the batch is over where they agree.

    Parameters
    ----------
    uow : UnitOfWork
    terminal : Terminal
        Held.
    batch : Batch
        Its open one.
    told : Totals
        What it says.

    Notes
    -----
    Cost grows with the acts of the batch.
    """
    ours = totals_of(act_store.acts_done(uow.connection, terminal.id, batch.batch_no))
    net_minor = act_store.ledger_net_minor(uow.connection, terminal.id, batch.batch_no)
    said = replace(batch, told=told, ours=ours, ledger_net_minor=net_minor)
    if told == ours and ours.net_minor == net_minor:
        return _over(uow, terminal, said, ())
    after = replace(said, state=BatchState.UPLOADING)
    batch_store.write_batch(uow.connection, after)
    return after


def end_upload(uow: UnitOfWork, terminal: Terminal, batch: Batch) -> Batch:
    """Hold what a terminal uploaded against our acts; keep what differs, and end the batch."""
    held = act_store.acts_done(uow.connection, terminal.id, batch.batch_no)
    uploaded = batch_store.uploads(uow.connection, terminal.id, batch.batch_no)
    found = compare(uploaded, held)
    ours = totals_of(held)
    net_minor = act_store.ledger_net_minor(uow.connection, terminal.id, batch.batch_no)
    said = replace(batch, ours=ours, ledger_net_minor=net_minor)
    if ours.net_minor != net_minor:
        sums: tuple[int, int] | None = (ours.net_minor, net_minor)
    elif not found and batch.told is not None and batch.told != ours:
        sums = (batch.told.net_minor, ours.net_minor)
    else:
        sums = None
    if sums is not None:
        found.append(BatchDifference(DifferenceKind.TOTALS, 0, Kind.SALE, *sums))
    return _over(uow, terminal, said, found)


def _over(
    uow: UnitOfWork, terminal: Terminal, batch: Batch, found: Sequence[BatchDifference]
) -> Batch:
    now = uow.clock.now()
    day = now.astimezone(CHINA).date()
    after = replace(
        batch,
        state=BatchState.DIFFERS if found else BatchState.BALANCED,
        settled_at=now,
        day=day,
        differences=len(found),
    )
    batch_store.write_batch(uow.connection, after)
    if found:
        batch_store.add_differences(uow.connection, after, day, found)
        _keep_for_desk(uow, terminal, day)
    detail: dict[str, JsonValue] = {
        "batch_no": after.batch_no,
        "differences": len(found),
        "net_minor": 0 if after.ours is None else after.ours.net_minor,
    }
    actor = actor_of(terminal)
    record(uow, actor, "payments.pos_settled", "pos_terminal", str(terminal.id), detail)
    return after


def _keep_for_desk(uow: UnitOfWork, by: Terminal, day: date) -> None:
    """Keep all that differs on a day: a run says all of its day, or the rest counts as resolved."""
    now = uow.clock.now()
    found = batch_store.differences_of_day(uow.connection, day)
    told = [_shown(terminal, batch_no, each, now) for terminal, batch_no, each in found]
    run = Run(
        uuid7(),
        SOURCE,
        day,
        now,
        by.subject,
        hashlib.sha256(json.dumps(told).encode()).hexdigest(),
        {"rows": len(found), "agreed": 0, "differences": len(found)},
    )
    reconciliations.add_run(uow.connection, run)
    kept = [
        (
            f"{terminal.terminal_no}|{batch_no}|{each.trace}|{each.act.value}",
            KeptDifference(
                id=uuid7(),
                channel=SOURCE,
                day=day,
                kind=each.kind.value,
                order_no=f"{terminal.terminal_no}-{batch_no:06d}-{each.trace:06d}",
                refund_no="",
                proposal=each.proposal.value,
                certain=True,
                effect=Money(0, CURRENCY),
                detail=shown,
                state=CaseState.OPEN,
                found_at=now,
            ),
        )
        for (terminal, batch_no, each), shown in zip(found, told, strict=True)
    ]
    reconciliations.keep_found(uow.connection, run, kept)


def _shown(
    terminal: Terminal, batch_no: int, found: BatchDifference, at: datetime
) -> dict[str, JsonValue]:
    def side(minor: int | None) -> JsonValue:
        if minor is None:
            return None
        return {
            "kind": "payment" if found.act is Kind.SALE else "refund",
            "amount": Money(minor, CURRENCY).as_json(),
            "fee": None,
            "at": at.astimezone(CHINA).isoformat(),
            "status": "done",
            "merchant": terminal.merchant_no,
            "channel_no": "",
        }

    return {
        "class": found.kind.value,
        "terminal": terminal.terminal_no,
        "batch": batch_no,
        "trace": found.trace,
        "act": found.act.value,
        "effect_minor": found.effect_minor,
        "ours": side(found.ours_minor),
        "theirs": side(found.told_minor),
        "proposal": found.proposal.value,
        "certain": True,
    }
