"""POS terminals, their batches and acts, and payments that were taken back: tables and queries."""

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
    LargeBinary,
    Table,
    Text,
    Uuid,
    func,
    insert,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB

from city.identifiers import BillId, DistrictCode, PaymentId
from payments.channel_orders import CHANNEL_ORDER
from payments.rules.channels import Channel
from payments.rules.pos.batches import BatchDifference
from payments.rules.pos.mac import Mac
from payments.rules.pos.requests import Kind, Totals, Uploaded
from payments.rules.pos.terminals import Act, ActState, Batch, BatchState, Terminal, TerminalState
from payments.rules.reconciliation import DifferenceKind
from payments.store import tables

TERMINAL: Final = Table(
    "pos_terminal",
    tables.metadata,
    Column("id", Uuid, primary_key=True),
    Column("terminal_no", Text, nullable=False),
    Column("merchant_no", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("district", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("state_reason", Text, nullable=False, server_default=""),
    Column("mac", Text, nullable=False),
    Column("registered_at", tables.INSTANT, nullable=False),
    Column("registered_by", Text, nullable=False),
    Column("key_version", Integer, nullable=False),
    Column("key_generation", Integer, nullable=False),
    Column("session", Integer, nullable=False, server_default="0"),
    Column("signed_in_at", tables.INSTANT),
    Column("batch_no", Integer, nullable=False, server_default="0"),
    Column("last_trace", Integer, nullable=False, server_default="0"),
    Column("heard_at", tables.INSTANT),
)
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
ACT: Final = Table(
    "pos_act",
    tables.metadata,
    Column("id", Uuid, primary_key=True),
    Column("terminal_id", Uuid, nullable=False),
    Column("batch_no", Integer, nullable=False),
    Column("trace", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("digest", LargeBinary),
    Column("answer", JSONB(none_as_null=True)),
    Column("at", tables.INSTANT, nullable=False),
    Column("operator", Text, nullable=False, server_default=""),
    Column("reference", Text, nullable=False, server_default=""),
    Column("masked_card", Text, nullable=False, server_default=""),
    Column("bill_id", Uuid),
    Column("order_no", Text),
    Column("refund_no", Text),
    Column("original_id", Uuid),
    Column("reversed_at", tables.INSTANT),
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
UNDONE: Final = Table(
    "payment_undone",
    tables.metadata,
    Column("payment_id", Uuid, primary_key=True),
    Column("bill_id", Uuid, nullable=False),
    Column("refund_id", Uuid, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("undone_at", tables.INSTANT, nullable=False),
    Column("undone_by", Text, nullable=False),
)


def add_terminal(connection: Connection, terminal: Terminal) -> None:
    """Keep a new terminal."""
    connection.execute(insert(TERMINAL).values(**_terminal_row(terminal)))


def write_terminal(connection: Connection, terminal: Terminal) -> None:
    """Keep a terminal as it stands."""
    connection.execute(
        update(TERMINAL).where(TERMINAL.c.id == terminal.id).values(**_terminal_row(terminal))
    )


def hold_terminal(connection: Connection, terminal_no: str) -> Terminal | None:
    """Give the terminal of a number, held: what it says is done one after the other."""
    query = select(TERMINAL).where(TERMINAL.c.terminal_no == terminal_no).with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _terminal(row)


def hold_terminal_by_id(connection: Connection, terminal_id: UUID) -> Terminal | None:
    """Give a terminal by its id, held."""
    query = select(TERMINAL).where(TERMINAL.c.id == terminal_id).with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _terminal(row)


def terminals(
    connection: Connection, districts: Collection[str] | None, after: UUID | None, limit: int
) -> tuple[list[Terminal], UUID | None]:
    """Give terminals, the newest first, and the last one's id where more follow."""
    query = select(TERMINAL).order_by(TERMINAL.c.id.desc()).limit(limit + 1)
    if districts is not None:
        query = query.where(TERMINAL.c.district.in_(sorted(districts)))
    if after is not None:
        query = query.where(TERMINAL.c.id < after)
    found = [_terminal(row) for row in connection.execute(query).mappings()]
    return found[:limit], found[limit - 1].id if len(found) > limit else None


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
        .distinct(BATCH.c.terminal_id)
        .order_by(BATCH.c.terminal_id, BATCH.c.settled_at.desc())
    )
    return {row["terminal_id"]: _batch(row) for row in connection.execute(query).mappings()}


def add_act(connection: Connection, act: Act) -> None:
    """Keep an act with the answer that it had."""
    connection.execute(
        insert(ACT).values(
            id=act.id,
            terminal_id=act.terminal_id,
            batch_no=act.batch_no,
            trace=act.trace,
            kind=act.kind.value,
            amount_minor=act.amount_minor,
            state=act.state.value,
            code=act.code,
            digest=act.digest,
            answer=None if act.answer is None else dict(act.answer),
            at=act.at,
            operator=act.operator,
            reference=act.reference,
            masked_card=act.masked_card,
            bill_id=act.bill_id,
            order_no=act.order_no,
            refund_no=act.refund_no,
            original_id=act.original_id,
        )
    )


def write_reversed(connection: Connection, act: Act, at: datetime) -> None:
    """Keep that an act was reversed, and by what."""
    connection.execute(
        update(ACT)
        .where(ACT.c.id == act.id)
        .values(
            state=ActState.REVERSED.value,
            reversed_at=at,
            order_no=act.order_no,
            refund_no=act.refund_no,
        )
    )


def find_act(connection: Connection, terminal_id: UUID, batch_no: int, trace: int) -> Act | None:
    """Give an act of a terminal by batch and trace."""
    query = select(ACT).where(
        ACT.c.terminal_id == terminal_id, ACT.c.batch_no == batch_no, ACT.c.trace == trace
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _act(row)


def act_by_id(connection: Connection, act_id: UUID | None) -> Act | None:
    """Give an act by its id."""
    row = connection.execute(select(ACT).where(ACT.c.id == act_id)).mappings().one_or_none()
    return None if row is None else _act(row)


def reference_used(connection: Connection, reference: str) -> bool:
    """Tell whether an order stands under an acquirer's reference already."""
    query = select(func.count()).where(
        CHANNEL_ORDER.c.channel == Channel.POS.value, CHANNEL_ORDER.c.channel_no == reference
    )
    return bool(connection.execute(query).scalar_one())


def sale_of_reference(connection: Connection, reference: str) -> Act | None:
    """Give the sale that stands under an acquirer's reference."""
    query = (
        select(ACT)
        .where(
            ACT.c.reference == reference,
            ACT.c.kind == Kind.SALE.value,
            ACT.c.state == ActState.DONE.value,
        )
        .order_by(ACT.c.id)
        .limit(1)
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _act(row)


def voided(connection: Connection, sale_id: UUID) -> bool:
    """Tell whether a void of a sale stands."""
    query = select(func.count()).where(
        ACT.c.original_id == sale_id,
        ACT.c.kind == Kind.VOID.value,
        ACT.c.state == ActState.DONE.value,
    )
    return bool(connection.execute(query).scalar_one())


def acts_done(connection: Connection, terminal_id: UUID, batch_no: int) -> list[Uploaded]:
    """Give what stands in a batch, by trace; cost grows with its acts."""
    query = (
        select(ACT.c.trace, ACT.c.kind, ACT.c.amount_minor)
        .where(
            ACT.c.terminal_id == terminal_id,
            ACT.c.batch_no == batch_no,
            ACT.c.state == ActState.DONE.value,
        )
        .order_by(ACT.c.trace)
    )
    return [
        Uploaded(row.trace, Kind(row.kind), row.amount_minor) for row in connection.execute(query)
    ]


_LEDGER_NET: Final = text(
    "with act as (select order_no, refund_no from payments.pos_act"
    "  where terminal_id = :terminal_id and batch_no = :batch_no),"
    " subject as ("
    "  select coalesce(o.payment_id, o.id) as id from payments.channel_order o"
    "   join act on act.order_no = o.order_no"
    "  union all select r.id from payments.channel_refund r join act on act.refund_no = r.refund_no"
    " ) select coalesce(sum(p.minor), 0) from subject"
    " join payments.entry e on e.subject = subject.id and e.kind in ('payment', 'refund')"
    " join payments.posting p on p.entry_id = e.id"
    " where p.account in ('clearing:pos', 'clearing:card')"
)


def ledger_net_minor(connection: Connection, terminal_id: UUID, batch_no: int) -> int:
    """Add up what a batch's acts moved through clearing, by the ledger alone."""
    found = connection.execute(_LEDGER_NET, {"terminal_id": terminal_id, "batch_no": batch_no})
    return int(found.scalar_one())


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
    known = {row["id"]: _terminal(row) for row in connection.execute(wanted).mappings()}
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


def add_undone(  # noqa: PLR0917 - which payment of which bill, by what, how much, when and by whom
    connection: Connection,
    payment_id: PaymentId,
    bill_id: BillId,
    refund_id: UUID,
    amount_minor: int,
    at: datetime,
    by: str,
) -> None:
    """Keep that a payment was taken back: what its bill counts as paid follows from it."""
    connection.execute(
        insert(UNDONE).values(
            payment_id=payment_id,
            bill_id=bill_id,
            refund_id=refund_id,
            amount_minor=amount_minor,
            undone_at=at,
            undone_by=by,
        )
    )


def _terminal_row(terminal: Terminal) -> dict[str, object]:
    row = {name: getattr(terminal, name) for name in TERMINAL.c.keys()}  # noqa: SIM118 - columns
    return {**row, "state": terminal.state.value, "mac": terminal.mac.value}


def _terminal(row: Any) -> Terminal:
    found = dict(row)
    return Terminal(
        **{
            **found,
            "state": TerminalState(found["state"]),
            "mac": Mac(found["mac"]),
            "district": DistrictCode(found["district"]),
        }
    )


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


def _act(row: Any) -> Act:
    answer: Mapping[str, object] | None = row["answer"]
    return Act(
        id=row["id"],
        terminal_id=row["terminal_id"],
        batch_no=row["batch_no"],
        trace=row["trace"],
        kind=Kind(row["kind"]),
        amount_minor=row["amount_minor"],
        state=ActState(row["state"]),
        code=row["code"],
        digest=row["digest"],
        answer=None if answer is None else {key: str(value) for key, value in answer.items()},
        at=row["at"],
        operator=row["operator"],
        reference=row["reference"],
        masked_card=row["masked_card"],
        bill_id=row["bill_id"],
        order_no=row["order_no"],
        refund_no=row["refund_no"],
        original_id=row["original_id"],
    )


def _difference(row: Any) -> BatchDifference:
    return BatchDifference(
        DifferenceKind(row["kind"]),
        row["trace"],
        Kind(row["act"]),
        row["told_minor"],
        row["ours_minor"],
    )
