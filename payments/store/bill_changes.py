"""What changes an unpaid bill: penalties, adjustments, and giving it up."""

from typing import Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
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

from city.errors import Invalid
from city.identifiers import BillId
from city.money import Money
from payments.rules.arrears import (
    Adjustment,
    Penalty,
    WriteOff,
    WriteOffState,
)
from payments.store import tables
from payments.store.bills import LARGEST_PAGE
from payments.store.tables import bill

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


def _money(row: RowMapping) -> Money:
    return Money(row["amount_minor"], row["currency"])


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
