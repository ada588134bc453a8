"""What was done about unpaid bills: steps, notices, penalties, adjustments, write-offs."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    RowMapping,
    SmallInteger,
    Table,
    Text,
    Uuid,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from city.errors import Invalid
from city.identifiers import BillId, VehicleId
from city.money import Money
from payments.rules.arrears import (
    Adjustment,
    Medium,
    Penalty,
    StepKind,
    WriteOff,
    WriteOffState,
)
from payments.rules.bills import Bill, BillState
from payments.rules.notices import Notice, NoticeState, Receipt
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
NOTICE: Final = Table(
    "arrears_notice",
    tables.metadata,
    Column("id", Uuid, primary_key=True),
    Column("bill_id", Uuid, nullable=False),
    Column("vehicle_id", Uuid, nullable=False),
    Column("place", SmallInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("medium", Text, nullable=False),
    Column("accounts", ARRAY(Text), nullable=False),
    Column("text", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("made_at", tables.INSTANT, nullable=False),
    Column("sent_at", tables.INSTANT),
    Column("delivered_at", tables.INSTANT),
    Column("provider", Text, nullable=False, server_default=""),
    Column("provider_no", Text, nullable=False, server_default=""),
    Column("proof", JSONB),
)
PENALTY: Final = Table(
    "penalty",
    tables.metadata,
    Column("id", Uuid, primary_key=True),
    Column("bill_id", Uuid, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("at", tables.INSTANT, nullable=False),
    Column("reason", Text, nullable=False),
)
ADJUSTMENT: Final = Table(
    "adjustment",
    tables.metadata,
    Column("id", Uuid, primary_key=True),
    Column("bill_id", Uuid, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("made_at", tables.INSTANT, nullable=False),
    Column("made_by", Text, nullable=False),
)
WRITE_OFF: Final = Table(
    "write_off",
    tables.metadata,
    Column("id", Uuid, primary_key=True),
    Column("bill_id", Uuid, nullable=False),
    Column("state", Text, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("asked_at", tables.INSTANT, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("decided_at", tables.INSTANT),
    Column("decided_by", Text),
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


# --- steps ---------------------------------------------------------------------------------------


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


def look_again_at(connection: Connection, bill_id: BillId, at: datetime | None) -> None:
    """Say when a bill's next step is due."""
    connection.execute(bill.update().where(bill.c.id == bill_id).values(next_step_at=at))


# --- notices -------------------------------------------------------------------------------------


def add_notices(connection: Connection, notices: Sequence[Notice]) -> None:
    """Keep notices that are to go out; one of a bill, step and medium that is kept stays."""
    if notices:
        connection.execute(
            postgresql.insert(NOTICE).on_conflict_do_nothing(
                index_elements=[NOTICE.c.bill_id, NOTICE.c.place, NOTICE.c.medium]
            ),
            [
                {
                    "id": each.id,
                    "bill_id": each.bill_id,
                    "vehicle_id": each.vehicle_id,
                    "place": each.place,
                    "kind": each.kind.value,
                    "medium": each.medium.value,
                    "accounts": list(each.accounts),
                    "text": each.text,
                    "state": each.state.value,
                    "made_at": each.made_at,
                }
                for each in notices
            ],
        )


def notices_to_send(connection: Connection, limit: int) -> list[Notice]:
    """Give messages and letters that wait for a sender, the oldest first."""
    query = (
        select(NOTICE)
        .where(NOTICE.c.state == NoticeState.WAITING.value, NOTICE.c.medium != Medium.SLIP.value)
        .order_by(NOTICE.c.made_at)
        .limit(limit)
    )
    return [_notice(row) for row in connection.execute(query).mappings()]


def slips_of(connection: Connection, vehicle_id: VehicleId) -> list[Notice]:
    """Give slips that wait for an attendant to meet a vehicle."""
    query = (
        select(NOTICE)
        .where(
            NOTICE.c.vehicle_id == vehicle_id,
            NOTICE.c.state == NoticeState.WAITING.value,
            NOTICE.c.medium == Medium.SLIP.value,
        )
        .order_by(NOTICE.c.made_at)
        .limit(LARGEST_PAGE)
    )
    return [_notice(row) for row in connection.execute(query).mappings()]


def find_notice(connection: Connection, notice_id: UUID, *, lock: bool = False) -> Notice | None:
    """Give a notice."""
    query = select(NOTICE).where(NOTICE.c.id == notice_id)
    row = connection.execute(query.with_for_update() if lock else query).mappings().one_or_none()
    return None if row is None else _notice(row)


def notices_of(connection: Connection, bill_id: BillId) -> list[Notice]:
    """Give all that was told about a bill, the first one first."""
    query = select(NOTICE).where(NOTICE.c.bill_id == bill_id)
    query = query.order_by(NOTICE.c.made_at, NOTICE.c.place, NOTICE.c.medium)
    return [_notice(row) for row in connection.execute(query).mappings()]


def keep_receipt(connection: Connection, notice_id: UUID, receipt: Receipt, provider: str) -> bool:
    """Keep what a sender said of a notice; False where it was kept before."""
    done = connection.execute(
        update(NOTICE)
        .where(NOTICE.c.id == notice_id, NOTICE.c.state == NoticeState.WAITING.value)
        .values(
            state=receipt.state.value,
            sent_at=receipt.at,
            delivered_at=receipt.at if receipt.state is NoticeState.DELIVERED else None,
            provider=provider,
            provider_no=receipt.number,
            proof=dict(receipt.proof),
        )
        .returning(NOTICE.c.id)
    )
    return done.one_or_none() is not None


# --- penalties and adjustments -------------------------------------------------------------------


def add_penalty(connection: Connection, penalty: Penalty) -> None:
    """Keep a penalty."""
    connection.execute(
        insert(PENALTY).values(
            id=penalty.id,
            bill_id=penalty.bill_id,
            amount_minor=penalty.amount.minor,
            currency=penalty.amount.currency,
            at=penalty.at,
            reason=penalty.reason,
        )
    )


def penalties_of(connection: Connection, bill_id: BillId) -> list[Penalty]:
    """Give a bill's penalties, the first one first."""
    query = select(PENALTY).where(PENALTY.c.bill_id == bill_id).order_by(PENALTY.c.id)
    return [
        Penalty(row["id"], bill_id, _money(row), row["at"], row["reason"])
        for row in connection.execute(query).mappings()
    ]


def add_adjustment(connection: Connection, adjustment: Adjustment) -> None:
    """Keep an adjustment."""
    connection.execute(
        insert(ADJUSTMENT).values(
            id=adjustment.id,
            bill_id=adjustment.bill_id,
            amount_minor=adjustment.amount.minor,
            currency=adjustment.amount.currency,
            reason=adjustment.reason,
            role=adjustment.role,
            made_at=adjustment.made_at,
            made_by=adjustment.made_by,
        )
    )


def adjustments_of(connection: Connection, bill_id: BillId) -> list[Adjustment]:
    """Give a bill's adjustments, the first one first."""
    query = select(ADJUSTMENT).where(ADJUSTMENT.c.bill_id == bill_id).order_by(ADJUSTMENT.c.id)
    return [
        Adjustment(
            row["id"],
            bill_id,
            _money(row),
            row["reason"],
            row["role"],
            row["made_at"],
            row["made_by"],
        )
        for row in connection.execute(query).mappings()
    ]


# --- write-offs ----------------------------------------------------------------------------------


def add_write_off(connection: Connection, asked: WriteOff) -> None:
    """Keep a wish to give a bill up; a second open one of it breaks a constraint."""
    connection.execute(
        insert(WRITE_OFF).values(
            id=asked.id,
            bill_id=asked.bill_id,
            state=asked.state.value,
            amount_minor=asked.amount.minor,
            currency=asked.amount.currency,
            reason=asked.reason,
            asked_at=asked.asked_at,
            asked_by=asked.asked_by,
        )
    )


def find_write_off(connection: Connection, write_off_id: UUID) -> WriteOff | None:
    """Give a wish to give a bill up."""
    query = select(WRITE_OFF).where(WRITE_OFF.c.id == write_off_id)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _write_off(row)


def open_write_off(connection: Connection, bill_id: BillId) -> WriteOff | None:
    """Give the wish about a bill that is not decided."""
    query = select(WRITE_OFF).where(
        WRITE_OFF.c.bill_id == bill_id, WRITE_OFF.c.state == WriteOffState.ASKED.value
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _write_off(row)


def decide_write_off(connection: Connection, decided: WriteOff) -> None:
    """Write what was decided."""
    connection.execute(
        update(WRITE_OFF)
        .where(WRITE_OFF.c.id == decided.id)
        .values(
            state=decided.state.value,
            decided_at=decided.decided_at,
            decided_by=decided.decided_by,
        )
    )


def page_of_write_offs(
    connection: Connection,
    *,
    state: WriteOffState | None,
    districts: frozenset[str] | None,
    after: UUID | None,
    limit: int,
) -> tuple[list[WriteOff], UUID | None]:
    """Give wishes to give bills up, the newest first, and the last one's id where more follow."""
    if not 1 <= limit <= LARGEST_PAGE:
        raise Invalid(f"must lie between 1 and {LARGEST_PAGE}", field="limit")
    query = select(WRITE_OFF).order_by(WRITE_OFF.c.id.desc()).limit(limit + 1)
    if state is not None:
        query = query.where(WRITE_OFF.c.state == state.value)
    if districts is not None:
        query = query.join(bill, bill.c.id == WRITE_OFF.c.bill_id).where(
            bill.c.district.in_(sorted(districts))
        )
    if after is not None:
        query = query.where(WRITE_OFF.c.id < after)
    found = [_write_off(row) for row in connection.execute(query).mappings()]
    return found[:limit], found[limit - 1].id if len(found) > limit else None


# --- arrears as a whole --------------------------------------------------------------------------


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


def _money(row: RowMapping) -> Money:
    return Money(row["amount_minor"], row["currency"])


def _notice(row: RowMapping) -> Notice:
    return Notice(
        id=row["id"],
        bill_id=BillId(row["bill_id"]),
        vehicle_id=VehicleId(row["vehicle_id"]),
        place=row["place"],
        kind=StepKind(row["kind"]),
        medium=Medium(row["medium"]),
        accounts=tuple(row["accounts"]),
        text=row["text"],
        state=NoticeState(row["state"]),
        made_at=row["made_at"],
        sent_at=row["sent_at"],
        delivered_at=row["delivered_at"],
        provider=row["provider"],
        provider_no=row["provider_no"],
        proof=row["proof"],
    )


def _write_off(row: RowMapping) -> WriteOff:
    return WriteOff(
        id=row["id"],
        bill_id=BillId(row["bill_id"]),
        state=WriteOffState(row["state"]),
        amount=_money(row),
        reason=row["reason"],
        asked_at=row["asked_at"],
        asked_by=row["asked_by"],
        decided_at=row["decided_at"],
        decided_by=row["decided_by"],
    )
