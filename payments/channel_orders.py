"""Orders at online channels and their refunds: the tables and every query on them."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Table,
    Text,
    Uuid,
    func,
    insert,
    select,
)

from city.identifiers import BillId
from city.money import Money
from payments import store
from payments.rules.channel_orders import (
    ChannelOrder,
    ChannelRefund,
    OrderState,
    RefundState,
    record_of_order,
    record_of_refund,
)
from payments.rules.channels import Channel
from payments.rules.reconciliation import Record

CHANNEL_ORDER: Final = Table(
    "channel_order",
    store.metadata,
    Column("id", Uuid, primary_key=True),
    Column("bill_id", Uuid, nullable=False),
    Column("channel", Text, nullable=False),
    Column("order_no", Text, nullable=False),
    Column("merchant", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("opened_at", store.INSTANT, nullable=False),
    Column("opened_by", Text, nullable=False),
    Column("expires_at", store.INSTANT, nullable=False),
    Column("channel_no", Text, nullable=False, server_default=""),
    Column("done_at", store.INSTANT),
    Column("refunded_minor", BigInteger, nullable=False, server_default="0"),
)
CHANNEL_REFUND: Final = Table(
    "channel_refund",
    store.metadata,
    Column("id", Uuid, primary_key=True),
    Column("order_id", Uuid, nullable=False),
    Column("refund_no", Text, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("fee_minor", BigInteger, nullable=False),
    Column("void", Boolean, nullable=False),
    Column("state", Text, nullable=False),
    Column("asked_at", store.INSTANT, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("done_at", store.INSTANT),
)
_ROWS_AT_ONCE: Final = 10_000


def add_order(connection: Connection, order: ChannelOrder) -> None:
    """Keep a new order."""
    connection.execute(
        insert(CHANNEL_ORDER).values(
            id=order.id,
            bill_id=order.bill_id,
            channel=order.channel.value,
            order_no=order.order_no,
            merchant=order.merchant,
            method=order.method,
            amount_minor=order.amount.minor,
            currency=order.amount.currency,
            state=order.state.value,
            opened_at=order.opened_at,
            opened_by=order.opened_by,
            expires_at=order.expires_at,
            channel_no=order.channel_no,
            done_at=order.done_at,
            refunded_minor=order.refunded_minor,
        )
    )


def add_refund(connection: Connection, refund: ChannelRefund) -> None:
    """Keep a new refund; its amount must be counted in the order's `refunded_minor` as well."""
    connection.execute(
        insert(CHANNEL_REFUND).values(
            id=refund.id,
            order_id=refund.order_id,
            refund_no=refund.refund_no,
            amount_minor=refund.amount.minor,
            fee_minor=refund.fee.minor,
            void=refund.void,
            state=refund.state.value,
            asked_at=refund.asked_at,
            asked_by=refund.asked_by,
            reason=refund.reason,
            done_at=refund.done_at,
        )
    )


def records(
    connection: Connection, channel: Channel, start_at: datetime, end_at: datetime
) -> Iterator[Record]:
    """Give what we hold of a channel from an instant up to another, as reconciliation reads it.

    Payments count to when they were paid, unpaid orders to when they were opened, refunds to when
    they were asked for. Rows come ten thousand at a time; cost grows with their number alone.
    """
    order, refund = CHANNEL_ORDER.c, CHANNEL_REFUND.c
    counted_at = func.coalesce(order.done_at, order.opened_at)
    streaming = connection.execution_options(yield_per=_ROWS_AT_ONCE)
    for row in streaming.execute(
        select(CHANNEL_ORDER).where(
            order.channel == channel.value, counted_at >= start_at, counted_at < end_at
        )
    ).mappings():
        yield record_of_order(_order(row))
    joined = CHANNEL_REFUND.join(CHANNEL_ORDER, refund.order_id == order.id)
    columns = [each.label(f"held_{each.name}") for each in CHANNEL_ORDER.c]
    for row in streaming.execute(
        select(CHANNEL_REFUND, *columns)
        .select_from(joined)
        .where(
            order.channel == channel.value, refund.asked_at >= start_at, refund.asked_at < end_at
        )
    ).mappings():
        held = _order({each.name: row[f"held_{each.name}"] for each in CHANNEL_ORDER.c})
        yield record_of_refund(_refund(row, held.amount.currency), held)


def _order(row: Any) -> ChannelOrder:
    return ChannelOrder(
        id=row["id"],
        bill_id=BillId(row["bill_id"]),
        channel=Channel(row["channel"]),
        order_no=row["order_no"],
        merchant=row["merchant"],
        method=row["method"],
        amount=Money(row["amount_minor"], row["currency"]),
        state=OrderState(row["state"]),
        opened_at=row["opened_at"],
        opened_by=row["opened_by"],
        expires_at=row["expires_at"],
        channel_no=row["channel_no"],
        done_at=row["done_at"],
        refunded_minor=row["refunded_minor"],
    )


def _refund(row: Any, currency: str) -> ChannelRefund:
    return ChannelRefund(
        id=row["id"],
        order_id=row["order_id"],
        refund_no=row["refund_no"],
        amount=Money(row["amount_minor"], currency),
        fee=Money(row["fee_minor"], currency),
        void=row["void"],
        state=RefundState(row["state"]),
        asked_at=row["asked_at"],
        asked_by=row["asked_by"],
        reason=row["reason"],
        done_at=row["done_at"],
    )
