"""What we hold of a channel's money, as reconciliation reads it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, func, select

from payments import pos_records
from payments.channel_orders import CHANNEL_ORDER, order_of
from payments.channel_refunds import CHANNEL_REFUND, refund_of
from payments.rules.channel_orders import record_of_order, record_of_refund
from payments.rules.channel_registry import TRAITS
from payments.rules.channels import Channel
from payments.rules.differences import Record

_ROWS_AT_ONCE: Final = 10_000


def records(
    connection: Connection, channel: Channel, start_at: datetime, end_at: datetime
) -> Iterator[Record]:
    """Give what we hold of a channel from an instant up to another, as reconciliation reads it.

    Payments count to when they were paid, unpaid orders to when they were opened, refunds to when
    they were asked for. Rows come ten thousand at a time; cost grows with their number alone.
    """
    if not TRAITS[channel].knows_our_numbers:
        yield from pos_records.records(connection, start_at, end_at)
        return
    order, refund = CHANNEL_ORDER.c, CHANNEL_REFUND.c
    counted_at = func.coalesce(order.done_at, order.opened_at)
    # On the statements: on the connection it would hold for all that comes after, writes too.
    options = {"yield_per": _ROWS_AT_ONCE}
    for row in connection.execute(
        select(CHANNEL_ORDER).where(
            order.channel == channel.value, counted_at >= start_at, counted_at < end_at
        ),
        execution_options=options,
    ).mappings():
        yield record_of_order(order_of(row))
    joined = CHANNEL_REFUND.join(CHANNEL_ORDER, refund.order_id == order.id)
    columns = [each.label(f"held_{each.name}") for each in CHANNEL_ORDER.c]
    for row in connection.execute(
        select(CHANNEL_REFUND, *columns)
        .select_from(joined)
        .where(
            order.channel == channel.value, refund.asked_at >= start_at, refund.asked_at < end_at
        ),
        execution_options=options,
    ).mappings():
        held = order_of({each.name: row[f"held_{each.name}"] for each in CHANNEL_ORDER.c})
        yield record_of_refund(refund_of(row, held.amount.currency), held)
