"""Acts of POS terminals: each once, with the answer that it had."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
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
from sqlalchemy.dialects.postgresql import JSONB

from payments.channel_orders import CHANNEL_ORDER
from payments.rules.channels import Channel
from payments.rules.pos.requests import Kind, Totals, Uploaded
from payments.rules.pos.terminals import Act, ActState, Terminal
from payments.store import tables

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


def standing_order_no(connection: Connection, sale: Act) -> str | None:
    """Give the order that a sale stands by: its own, or of a void that was reversed the last."""
    query = (
        select(ACT.c.order_no)
        .where(
            ACT.c.original_id == sale.id,
            ACT.c.kind == Kind.VOID.value,
            ACT.c.state == ActState.REVERSED.value,
        )
        .order_by(ACT.c.id.desc())
        .limit(1)
    )
    return connection.execute(query).scalar_one_or_none() or sale.order_no


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


def totals_of_batches(connection: Connection, held: Collection[Terminal]) -> dict[UUID, Totals]:
    """Add up what stands in the batch that each of some terminals is in: one statement."""
    minor, count = ACT.c.amount_minor, func.count()
    sale = ACT.c.kind == Kind.SALE.value
    query = (
        select(
            ACT.c.terminal_id,
            count.filter(sale),
            func.coalesce(func.sum(minor).filter(sale), 0),
            count.filter(~sale),
            func.coalesce(func.sum(minor).filter(~sale), 0),
        )
        .where(
            tuple_(ACT.c.terminal_id, ACT.c.batch_no).in_(
                [(each.id, each.batch_no) for each in held]
            ),
            ACT.c.state == ActState.DONE.value,
        )
        .group_by(ACT.c.terminal_id)
    )
    return {
        row[0]: Totals(row[1], int(row[2]), row[3], int(row[4]))
        for row in connection.execute(query)
    }


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
