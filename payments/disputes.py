"""Opening and resolving disputes of bills, and every query on `payments.dispute`."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import (
    Column,
    Connection,
    RowMapping,
    Table,
    Text,
    Uuid,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import distinct_on

from city.errors import Invalid, NotFound
from city.identifiers import BillId, DistrictCode
from city.works.database import UnitOfWork
from payments import cancelling, debts
from payments.rules.bills import Bill
from payments.rules.disputes import Dispute, DisputeState, Ground, opened, resolved
from payments.store import bills as bill_store
from payments.store import tables

DISPUTE: Final = Table(
    "dispute",
    tables.metadata,
    Column("id", Uuid, primary_key=True),
    Column("bill_id", Uuid, nullable=False),
    Column("district", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("ground", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("opened_at", tables.INSTANT, nullable=False),
    Column("opened_by", Text, nullable=False),
    Column("resolved_at", tables.INSTANT),
    Column("resolved_by", Text),
    Column("answer", Text),
)


@dataclass(frozen=True, slots=True)
class Disputed:
    """A dispute with its bill."""

    dispute: Dispute
    bill: Bill


def dispute_bill(uow: UnitOfWork, bill_id: BillId, ground: Ground, words: str, by: str) -> Disputed:
    """Open a dispute of a bill, which freezes it: nobody pays it, and its clock stands still.

    Raises
    ------
    NotFound
        Where there is no such bill.
    Conflict
        Where it is not open.
    """
    bill = _bill(uow, bill_id)
    dispute, frozen = opened(bill, ground, words, uow.clock.now(), by)
    bill_store.write_state(uow.connection, frozen)
    frozen = debts.stand_right(uow, frozen)
    uow.connection.execute(
        insert(DISPUTE).values(
            id=dispute.id,
            bill_id=dispute.bill_id,
            district=dispute.district,
            state=dispute.state.value,
            ground=dispute.ground.value,
            words=dispute.words,
            opened_at=dispute.opened_at,
            opened_by=dispute.opened_by,
        )
    )
    return Disputed(dispute, frozen)


def resolve(
    uow: UnitOfWork, dispute_id: UUID, state: DisputeState, answer: str, by: str
) -> Disputed:
    """Resolve a dispute: the bill stands and is due later, or is cancelled and reversed.

    Raises
    ------
    NotFound
        Where there is no such dispute.
    Conflict
        Where it is resolved already.
    Invalid
        Without an answer.
    """
    present = find(uow.connection, dispute_id)
    if present is None:
        raise NotFound("there is no such dispute", field="dispute_id")
    bill = _bill(uow, present.bill_id)
    # Read again behind the bill's lock: two who resolve at once, one comes first.
    present = find(uow.connection, dispute_id) or present
    dispute, after = resolved(present, bill, state, answer, at=uow.clock.now(), by=by)
    uow.connection.execute(
        update(DISPUTE)
        .where(DISPUTE.c.id == dispute_id)
        .values(
            state=dispute.state.value,
            resolved_at=dispute.resolved_at,
            resolved_by=dispute.resolved_by,
            answer=dispute.answer,
        )
    )
    if state is DisputeState.UPHELD:
        after = cancelling.cancel_bill(uow, bill, f"dispute upheld: {dispute_id}", by)
    else:
        bill_store.write_state(uow.connection, after)
        after = debts.stand_right(uow, after)
    return Disputed(dispute, after)


def find(connection: Connection, dispute_id: UUID) -> Dispute | None:
    """Give a dispute."""
    row = connection.execute(select(DISPUTE).where(DISPUTE.c.id == dispute_id)).mappings().first()
    return None if row is None else _dispute(row)


def of_bills(connection: Connection, bill_ids: Collection[BillId]) -> dict[BillId, Dispute]:
    """Give each bill's latest dispute: one statement."""
    query = (
        select(DISPUTE)
        .ext(distinct_on(DISPUTE.c.bill_id))
        .where(DISPUTE.c.bill_id.in_(list(bill_ids)))
        .order_by(DISPUTE.c.bill_id, DISPUTE.c.id.desc())
    )
    return {BillId(row["bill_id"]): _dispute(row) for row in connection.execute(query).mappings()}


def page(
    connection: Connection,
    *,
    state: DisputeState | None = None,
    districts: frozenset[str] | None = None,
    after: UUID | None = None,
    limit: int = 100,
) -> tuple[list[Dispute], UUID | None]:
    """Give disputes, the newest first, and the last one's id where more follow."""
    if not 1 <= limit <= bill_store.LARGEST_PAGE:
        raise Invalid(f"must lie between 1 and {bill_store.LARGEST_PAGE}", field="limit")
    query = select(DISPUTE).order_by(DISPUTE.c.id.desc()).limit(limit + 1)
    if state is not None:
        query = query.where(DISPUTE.c.state == state.value)
    if districts is not None:
        query = query.where(DISPUTE.c.district.in_(sorted(districts)))
    if after is not None:
        query = query.where(DISPUTE.c.id < after)
    found = [_dispute(row) for row in connection.execute(query).mappings()]
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def _bill(uow: UnitOfWork, bill_id: BillId) -> Bill:
    bill = bill_store.find_bill(uow.connection, bill_id, lock=True)
    if bill is None:
        raise NotFound("no such bill", field="bill_id")
    return bill


def _dispute(row: RowMapping) -> Dispute:
    return Dispute(
        id=row["id"],
        bill_id=BillId(row["bill_id"]),
        district=DistrictCode(row["district"]),
        state=DisputeState(row["state"]),
        ground=Ground(row["ground"]),
        words=row["words"],
        opened_at=row["opened_at"],
        opened_by=row["opened_by"],
        resolved_at=row["resolved_at"],
        resolved_by=row["resolved_by"],
        answer=row["answer"],
    )
