"""Unpaid bills as a whole, and which steps of their policies were taken."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    SmallInteger,
    Table,
    Text,
    Uuid,
    func,
    select,
)
from sqlalchemy.dialects import postgresql

from city.errors import Invalid
from city.identifiers import BillId
from payments.rules.arrears import (
    StepKind,
)
from payments.rules.bills import Bill, BillState
from payments.store import tables
from payments.store.bills import LARGEST_PAGE, bill_of
from payments.store.tables import bill

STEP: Final = Table(
    "arrears_step",
    tables.metadata,
    Column("bill_id", Uuid, primary_key=True),
    Column("place", SmallInteger, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("taken_at", tables.INSTANT, nullable=False),
    Column("left_out", Boolean, nullable=False),
)


due_sooner: Final = Table(
    "due_sooner",
    tables.metadata,
    Column("bill_id", Uuid, primary_key=True),
    Column("due_at", tables.INSTANT, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Debts:
    """Overdue bills in one currency."""

    currency: str
    bills: int
    outstanding_minor: int
    overdue_bills: int
    overdue_minor: int


@dataclass(frozen=True, slots=True)
class TakenStep:
    """A step of a bill that was taken, or left out."""

    place: int
    kind: StepKind
    taken_at: datetime
    left_out: bool


def bills_to_look_at(connection: Connection, now: datetime, limit: int) -> list[Bill]:
    """Give open bills whose next step is due, held; those that somebody else holds are left."""
    query = (
        select(bill)
        .where(bill.c.state == BillState.OPEN.value, bill.c.next_step_at <= now)
        .order_by(bill.c.next_step_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [bill_of(row) for row in connection.execute(query).mappings()]


def steps_of(connection: Connection, bill_ids: Collection[BillId]) -> dict[BillId, list[TakenStep]]:
    """Give what was taken of some bills: one statement."""
    query = select(STEP).where(STEP.c.bill_id.in_(list(bill_ids))).order_by(STEP.c.place)
    found: dict[BillId, list[TakenStep]] = {}
    for row in connection.execute(query).mappings():
        step = TakenStep(row["place"], StepKind(row["kind"]), row["taken_at"], row["left_out"])
        found.setdefault(BillId(row["bill_id"]), []).append(step)
    return found


def note_steps(connection: Connection, rows: Sequence[tuple[BillId, TakenStep]]) -> None:
    """Note steps; one that is noted already stays as it is."""
    if rows:
        connection.execute(
            postgresql.insert(STEP).on_conflict_do_nothing(),
            [
                {
                    "bill_id": bill_id,
                    "place": step.place,
                    "kind": step.kind.value,
                    "taken_at": step.taken_at,
                    "left_out": step.left_out,
                }
                for bill_id, step in rows
            ],
        )


def note_due_sooner(connection: Connection, of: Bill) -> None:
    """Keep when a bill was to be due that is made due sooner."""
    values = {"bill_id": of.id, "due_at": of.due_at}
    connection.execute(postgresql.insert(due_sooner).values(values).on_conflict_do_nothing())


def due_before(connection: Connection, bill_id: BillId) -> datetime | None:
    """Give when a bill was to be due; None where nothing made it due sooner."""
    query = select(due_sooner.c.due_at).where(due_sooner.c.bill_id == bill_id)
    return connection.execute(query).scalar_one_or_none()


def look_again_at(connection: Connection, bill_id: BillId, at: datetime | None) -> None:
    """Say when a bill's next step is due."""
    connection.execute(bill.update().where(bill.c.id == bill_id).values(next_step_at=at))


def overdue(
    connection: Connection,
    now: datetime,
    *,
    districts: frozenset[str] | None = None,
    after: tuple[datetime, BillId] | None = None,
    limit: int = 100,
) -> list[Bill]:
    """Give bills that are open past their due date, the longest overdue first.

    `after` is the last one of the page before: its due date and id.
    """
    if not 1 <= limit <= LARGEST_PAGE + 1:
        raise Invalid(f"must lie between 1 and {LARGEST_PAGE}", field="limit")
    query = (
        select(bill)
        .where(bill.c.state == BillState.OPEN.value, bill.c.due_at < now)
        .order_by(bill.c.due_at, bill.c.id)
        .limit(limit)
    )
    if districts is not None:
        query = query.where(bill.c.district.in_(sorted(districts)))
    if after is not None:
        query = query.where(
            bill.c.due_at >= after[0],
            (bill.c.due_at > after[0]) | (bill.c.id > after[1]),
        )
    return [bill_of(row) for row in connection.execute(query).mappings()]


def debts(
    connection: Connection, now: datetime, districts: frozenset[str] | None = None
) -> list[Debts]:
    """Add up what is owed and what of it is overdue, by currency; cost grows with open bills."""
    left = bill.c.amount_minor - bill.c.lowered_minor + bill.c.penalty_minor - bill.c.paid_minor
    late = (bill.c.state == BillState.OPEN.value) & (bill.c.due_at < now)
    query = (
        select(
            bill.c.currency,
            func.count().label("bills"),
            func.sum(left).label("outstanding"),
            func.count().filter(late).label("late"),
            func.coalesce(func.sum(left).filter(late), 0).label("overdue"),
        )
        .where(bill.c.state.in_([BillState.OPEN.value, BillState.DISPUTED.value]))
        .group_by(bill.c.currency)
        .order_by(bill.c.currency)
    )
    if districts is not None:
        query = query.where(bill.c.district.in_(sorted(districts)))
    return [
        Debts(row.currency, row.bills, int(row.outstanding), row.late, int(row.overdue))
        for row in connection.execute(query)
    ]
