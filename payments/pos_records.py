"""What we hold of the acquirer's money at POS terminals, as its bill can show it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, func, select

from payments.channel_orders import CHANNEL_ORDER, order_of
from payments.channel_refunds import CHANNEL_REFUND, refund_of
from payments.rules.channel_orders import record_of_order, record_of_refund
from payments.rules.channels import Channel
from payments.rules.differences import Record
from payments.rules.pos.requests import Kind
from payments.rules.pos.terminals import ActState
from payments.store.pos_acts import ACT

_ROWS_AT_ONCE: Final = 10_000
_OPTIONS: Final = {"yield_per": _ROWS_AT_ONCE}


def records(connection: Connection, start_at: datetime, end_at: datetime) -> Iterator[Record]:
    """Give what we hold from an instant up to another, by the acquirer's references.

    Payments count to when they were paid, what goes back to when it went. A sale or void that was
    reversed never happened for the acquirer: neither it nor what took it back is given, and what
    goes back of a sale whose void was reversed goes back of the first order.
    Rows come ten thousand at a time; cost grows with their number alone.
    """
    order, refund = CHANNEL_ORDER.c, CHANNEL_REFUND.c
    counted_at = func.coalesce(order.done_at, order.opened_at)
    reversed_ = ACT.c.state == ActState.REVERSED.value
    gone = select(ACT.c.id).where(reversed_)
    for row in connection.execute(
        select(CHANNEL_ORDER).where(
            order.channel == Channel.POS.value,
            counted_at >= start_at,
            counted_at < end_at,
            ~gone.where(ACT.c.order_no == order.order_no).exists(),
        ),
        execution_options=_OPTIONS,
    ).mappings():
        yield record_of_order(order_of(row))
    went_at = func.coalesce(refund.done_at, refund.asked_at)
    void, sale = ACT.alias("void"), ACT.alias("sale")
    first_no = (
        select(sale.c.order_no)
        .select_from(void.join(sale, sale.c.id == void.c.original_id))
        .where(
            void.c.state == ActState.REVERSED.value,
            void.c.kind == Kind.VOID.value,
            void.c.order_no == order.order_no,
        )
        .scalar_subquery()
        .label("first_no")
    )
    columns = [each.label(f"held_{each.name}") for each in CHANNEL_ORDER.c]
    for row in connection.execute(
        select(CHANNEL_REFUND, *columns, first_no)
        .select_from(CHANNEL_REFUND.join(CHANNEL_ORDER, refund.order_id == order.id))
        .where(
            order.channel == Channel.POS.value,
            went_at >= start_at,
            went_at < end_at,
            ~gone.where(ACT.c.refund_no == refund.refund_no).exists(),
        ),
        execution_options=_OPTIONS,
    ).mappings():
        held = order_of({each.name: row[f"held_{each.name}"] for each in CHANNEL_ORDER.c})
        told = refund_of(row, held.amount.currency)
        yield replace(
            record_of_refund(told, held),
            order_no=row["first_no"] or held.order_no,
            # A retaken order has the reference with the trace of the void that was reversed.
            channel_no=held.channel_no.partition("-")[0],
            at=told.done_at or told.asked_at,
        )
