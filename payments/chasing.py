"""Unpaid bills followed up: the steps that a region's policy asks for, notices and slips.

Every change of what is owed is an entry of the ledger in the same transaction.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from city.errors import Conflict, NotFound
from city.identifiers import BillId, uuid7
from city.works.database import UnitOfWork
from payments.rules.arrears import (
    Medium,
    Penalty,
    StepKind,
    next_step_at,
    penalty_of,
    steps_due,
    steps_left_out,
)
from payments.rules.bills import Bill, BillState, raised
from payments.rules.booking import book_penalty
from payments.rules.notices import Notice, NoticeState, Receipt, text_of
from payments.store import arrears as store
from payments.store import bill_changes as changes
from payments.store import bills as bill_store
from payments.store import contracts as contract_store
from payments.store import ledger as ledger_store
from payments.store import notices as notice_store
from payments.store import policies
from payments.store.arrears import TakenStep

BATCH: Final = 200
ATTENDANT_SLIPS: Final = "attendant"


@dataclass(frozen=True, slots=True)
class About:
    """What a notice needs to know from other rooms."""

    names: Mapping[str, str]
    """The facility's, by language."""
    accounts: tuple[str, ...]
    """Of the drivers who use the vehicle now."""


def take_steps(
    uow: UnitOfWork, about: Callable[[Connection, Sequence[Bill]], Mapping[BillId, About]]
) -> int:
    """Take the steps that are due of `BATCH` bills at most; give how many bills were looked at.

    Notices are kept here and sent afterwards. Two at once take different bills; done again,
    nothing is done twice.

    Parameters
    ----------
    uow : UnitOfWork
    about : callable
        Gives what notices of some bills need to know.
    """
    now = uow.clock.now()
    bills = store.bills_to_look_at(uow.connection, now, BATCH)
    if not bills:
        return 0
    known = about(uow.connection, bills)
    taken = store.steps_of(uow.connection, [bill.id for bill in bills])
    rules = policies.of_bills(uow.connection, bills)
    noted: list[tuple[BillId, TakenStep]] = []
    notices: list[Notice] = []
    for bill in bills:
        policy = rules[bill.id]
        places = {step.place for step in taken.get(bill.id, [])}
        due = steps_due(bill, policy, places, now)
        for place in due:
            step = policy.steps[place]
            noted.append((bill.id, TakenStep(place, step.kind, now, left_out=False)))
            notices += [_notice(bill, step.kind, place, m, known[bill.id], now) for m in step.media]
            if step.kind is StepKind.PENALTY:
                bill = _penalise(uow, bill, penalty_of(bill, step, now))  # noqa: PLW2901 - two penalties of one bill follow each other
        left_out = steps_left_out(due, places)
        noted += [
            (bill.id, TakenStep(place, policy.steps[place].kind, now, left_out=True))
            for place in left_out
        ]
        later_at = next_step_at(bill, policy, {*places, *due, *left_out})
        store.look_again_at(uow.connection, bill.id, later_at)
    store.note_steps(uow.connection, noted)
    notice_store.add_notices(uow.connection, notices)
    return len(bills)


def notices_to_send(connection: Connection) -> list[Notice]:
    """Give messages and letters that wait, the oldest first; `BATCH` at most."""
    return notice_store.notices_to_send(connection, BATCH)


def keep_receipt(uow: UnitOfWork, notice: Notice, receipt: Receipt, provider: str) -> bool:
    """Keep what a sender said; False where it was kept before."""
    return notice_store.keep_receipt(uow.connection, notice.id, receipt, provider)


def find_notice(connection: Connection, notice_id: UUID) -> Notice | None:
    """Give a notice."""
    return notice_store.find_notice(connection, notice_id)


def hand_over_slip(uow: UnitOfWork, notice_id: UUID, where: str, by: str) -> Notice:
    """Keep that an attendant printed a slip and left it on the vehicle: that is its proof.

    Raises
    ------
    NotFound
        Where no such slip waits.
    Conflict
        Where it was left already, or nothing is owed any more.
    """
    slip = notice_store.find_notice(uow.connection, notice_id, lock=True)
    if slip is None or slip.medium is not Medium.SLIP:
        raise NotFound("there is no such slip", field="notice_id")
    if slip.state is not NoticeState.WAITING:
        raise Conflict("was left already", field="notice_id", reason=slip.state.value)
    bill = bill_store.find_bill(uow.connection, slip.bill_id)
    if bill is None or bill.state is not BillState.OPEN:
        raise Conflict("nothing is asked for any more", field="notice_id", reason="not-open")
    receipt = Receipt(
        NoticeState.DELIVERED, uow.clock.now(), str(slip.id), {"by": by, "where": where}
    )
    notice_store.keep_receipt(uow.connection, slip.id, receipt, ATTENDANT_SLIPS)
    return replace(
        slip,
        state=receipt.state,
        sent_at=receipt.at,
        delivered_at=receipt.at,
        provider=ATTENDANT_SLIPS,
        provider_no=receipt.number,
        proof=receipt.proof,
    )


def _notice(  # noqa: PLR0917 - of which bill and step, by what, to whom and when
    bill: Bill, kind: StepKind, place: int, medium: Medium, about: About, now: datetime
) -> Notice:
    return Notice(
        id=uuid7(),
        bill_id=bill.id,
        vehicle_id=bill.charge.vehicle_id,
        place=place,
        kind=kind,
        medium=medium,
        accounts=about.accounts,
        text=text_of(bill, kind, about.names, now),
        state=NoticeState.WAITING,
        made_at=now,
    )


def _penalise(uow: UnitOfWork, bill: Bill, penalty: Penalty | None) -> Bill:
    if penalty is None:
        return bill
    after = raised(bill, penalty.amount)
    bill_store.write_state(uow.connection, after)
    changes.add_penalty(uow.connection, penalty)
    entry = book_penalty(penalty, bill, contract_store.of_bill(uow.connection, bill))
    ledger_store.add_entry(uow.connection, entry)
    return after
