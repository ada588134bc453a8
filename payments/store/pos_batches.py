"""POS terminals' batches, what they upload of them, and what differs."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Date,
    Integer,
    Table,
    Text,
    Uuid,
    func,
    insert,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB

from payments.rules.differences import DifferenceKind
from payments.rules.pos.batches import BatchDifference
from payments.rules.pos.requests import Kind, Totals, Uploaded
from payments.rules.pos.terminals import Batch, BatchState, Terminal
from payments.store import tables
from payments.store.pos_terminals import TERMINAL, terminal_of

BATCH: Final = Table(
    "pos_batch",
    tables.metadata,
    Column("terminal_id", Uuid, primary_key=True),
    Column("batch_no", Integer, primary_key=True),
    Column("state", Text, nullable=False),
    Column("opened_at", tables.INSTANT, nullable=False),
    Column("settled_at", tables.INSTANT),
    Column("day", Date),
    Column("told", JSONB(none_as_null=True)),
    Column("ours", JSONB(none_as_null=True)),
    Column("ledger_net_minor", BigInteger),
    Column("differences", Integer, nullable=False, server_default="0"),
)
UPLOAD: Final = Table(
    "pos_upload",
    tables.metadata,
    Column("terminal_id", Uuid, primary_key=True),
    Column("batch_no", Integer, primary_key=True),
    Column("trace", Integer, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("amount_minor", BigInteger, nullable=False),
)
DIFFERENCE: Final = Table(
    "pos_difference",
    tables.metadata,
    Column("terminal_id", Uuid, primary_key=True),
    Column("batch_no", Integer, primary_key=True),
    Column("trace", Integer, primary_key=True),
    Column("act", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("told_minor", BigInteger),
    Column("ours_minor", BigInteger),
)


def current_batches(connection: Connection, held: Collection[Terminal]) -> dict[UUID, Batch]:
    """Give the batch that each of some terminals is in: one statement."""
    query = select(BATCH).where(
        tuple_(BATCH.c.terminal_id, BATCH.c.batch_no).in_(
            [(each.id, each.batch_no) for each in held]
        )
    )
    return {row["terminal_id"]: _batch(row) for row in connection.execute(query).mappings()}


def add_batch(connection: Connection, terminal_id: UUID, batch_no: int, at: datetime) -> None:
    """Open a batch."""
    connection.execute(
        insert(BATCH).values(
            terminal_id=terminal_id, batch_no=batch_no, state=BatchState.OPEN.value, opened_at=at
        )
    )


def find_batch(connection: Connection, terminal_id: UUID, batch_no: int) -> Batch | None:
    """Give a batch of a terminal."""
    query = select(BATCH).where(BATCH.c.terminal_id == terminal_id, BATCH.c.batch_no == batch_no)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _batch(row)


def write_batch(connection: Connection, batch: Batch) -> None:
    """Keep a batch as it stands."""
    connection.execute(
        update(BATCH)
        .where(BATCH.c.terminal_id == batch.terminal_id, BATCH.c.batch_no == batch.batch_no)
        .values(
            state=batch.state.value,
            settled_at=batch.settled_at,
            day=batch.day,
            told=None if batch.told is None else asdict(batch.told),
            ours=None if batch.ours is None else asdict(batch.ours),
            ledger_net_minor=batch.ledger_net_minor,
            differences=batch.differences,
        )
    )


def last_settled(connection: Connection, terminal_ids: Collection[UUID]) -> dict[UUID, Batch]:
    """Give the batch that each of some terminals settled last: one statement."""
    query = (
        select(BATCH)
        .where(BATCH.c.terminal_id.in_(list(terminal_ids)), BATCH.c.settled_at.is_not(None))
        .ext(postgresql.distinct_on(BATCH.c.terminal_id))
        .order_by(BATCH.c.terminal_id, BATCH.c.settled_at.desc())
    )
    return {row["terminal_id"]: _batch(row) for row in connection.execute(query).mappings()}


def add_uploads(
    connection: Connection, terminal_id: UUID, batch_no: int, rows: Sequence[Uploaded]
) -> None:
    """Keep rows that a terminal uploads; those that it sent before stay as they were."""
    connection.execute(
        postgresql.insert(UPLOAD).on_conflict_do_nothing(),
        [
            {
                "terminal_id": terminal_id,
                "batch_no": batch_no,
                "trace": each.trace,
                "kind": each.kind.value,
                "amount_minor": each.amount_minor,
            }
            for each in rows
        ],
    )


def uploads(connection: Connection, terminal_id: UUID, batch_no: int) -> list[Uploaded]:
    """Give what a terminal uploaded of a batch."""
    query = select(UPLOAD).where(UPLOAD.c.terminal_id == terminal_id, UPLOAD.c.batch_no == batch_no)
    return [
        Uploaded(row.trace, Kind(row.kind), row.amount_minor) for row in connection.execute(query)
    ]


def add_differences(
    connection: Connection, batch: Batch, day: date, found: Sequence[BatchDifference]
) -> None:
    """Keep what differs in a batch."""
    connection.execute(
        insert(DIFFERENCE),
        [
            {
                "terminal_id": batch.terminal_id,
                "batch_no": batch.batch_no,
                "trace": each.trace,
                "act": each.act.value,
                "kind": each.kind.value,
                "day": day,
                "told_minor": each.told_minor,
                "ours_minor": each.ours_minor,
            }
            for each in found
        ],
    )


def differences_of_day(
    connection: Connection, day: date
) -> list[tuple[Terminal, int, BatchDifference]]:
    """Give what differs in the batches settled on a day: terminal, batch, difference.

    Whoever asks for the same day at the same time waits: both then see all of it. Two statements.
    """
    connection.execute(
        select(func.pg_advisory_xact_lock(func.hashtextextended(f"pos {day.isoformat()}", 0)))
    )
    query = select(DIFFERENCE).where(DIFFERENCE.c.day == day)
    rows = (
        connection.execute(
            query.order_by(DIFFERENCE.c.terminal_id, DIFFERENCE.c.batch_no, DIFFERENCE.c.trace)
        )
        .mappings()
        .all()
    )
    wanted = select(TERMINAL).where(TERMINAL.c.id.in_({row["terminal_id"] for row in rows}))
    known = {row["id"]: terminal_of(row) for row in connection.execute(wanted).mappings()}
    return [(known[row["terminal_id"]], row["batch_no"], _difference(row)) for row in rows]


def differences_of(
    connection: Connection, terminal_ids: Collection[UUID], limit: int
) -> dict[UUID, list[tuple[int, BatchDifference]]]:
    """Give the latest differences of some terminals with their batches; one statement."""
    place = (
        func.row_number()
        .over(
            partition_by=DIFFERENCE.c.terminal_id,
            order_by=(DIFFERENCE.c.day.desc(), DIFFERENCE.c.batch_no.desc(), DIFFERENCE.c.trace),
        )
        .label("place")
    )
    ranked = (
        select(DIFFERENCE, place).where(DIFFERENCE.c.terminal_id.in_(list(terminal_ids))).subquery()
    )
    found: dict[UUID, list[tuple[int, BatchDifference]]] = {}
    query = select(ranked).where(ranked.c.place <= limit).order_by(ranked.c.place)
    for row in connection.execute(query).mappings():
        found.setdefault(row["terminal_id"], []).append((row["batch_no"], _difference(row)))
    return found


def _batch(row: Any) -> Batch:
    return Batch(
        row["terminal_id"],
        row["batch_no"],
        BatchState(row["state"]),
        row["opened_at"],
        row["settled_at"],
        row["day"],
        _totals(row["told"]),
        _totals(row["ours"]),
        row["ledger_net_minor"],
        row["differences"],
    )


def _totals(told: Mapping[str, int] | None) -> Totals | None:
    return None if told is None else Totals(**told)


def _difference(row: Any) -> BatchDifference:
    return BatchDifference(
        DifferenceKind(row["kind"]),
        row["trace"],
        Kind(row["act"]),
        row["told_minor"],
        row["ours_minor"],
    )
