"""Orders that channels speak of by the dozen: read, held and written set-wise."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ARRAY, Connection, Text, any_, bindparam, select, text, update

from city.works.rows import as_rows
from payments.channel_orders import CHANNEL_ORDER, order_of
from payments.rules.channel_orders import ChannelOrder

_STATES: Final = text(
    "update payments.channel_order o set state = r.state, channel_no = r.channel_no,"
    "  done_at = r.done_at, refunded_minor = r.refunded_minor, payment_id = r.payment_id,"
    "  movement_id = r.movement_id, heard_at = :heard_at"
    " from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, state text, channel_no text,"
    "  done_at timestamptz, refunded_minor bigint, payment_id uuid, movement_id uuid)"
    " where o.id = r.id"
)


def orders_by_number(
    connection: Connection, numbers: Iterable[str], *, lock: bool = False
) -> dict[str, ChannelOrder]:
    """Give orders by our numbers: one statement; with `lock` held until the transaction ends.

    They are held in the order of their ids, so that two who hold many do not wait for each other.
    """
    # None of ours has another character, and the database refuses a NUL.
    asked = [each for each in numbers if each.isalnum()]
    # One parameter however many they are: the statement is the same, and its plan is kept.
    given = bindparam("numbers", asked, ARRAY(Text))
    query = (
        select(CHANNEL_ORDER)
        .where(CHANNEL_ORDER.c.order_no == any_(given))
        .order_by(CHANNEL_ORDER.c.id)
    )
    if lock:
        query = query.with_for_update()
    found = [order_of(row) for row in connection.execute(query).mappings().all()]
    return {each.order_no: each for each in found}


def write_orders(
    connection: Connection, orders: Collection[ChannelOrder], heard_at: datetime
) -> None:
    """Keep orders as their channels said that they stand: one statement."""
    rows = [
        {
            "id": each.id,
            "state": each.state.value,
            "channel_no": each.channel_no,
            "done_at": each.done_at,
            "refunded_minor": each.refunded_minor,
            "payment_id": each.payment_id,
            "movement_id": each.movement_id,
        }
        for each in orders
    ]
    if rows:
        connection.execute(_STATES, {"rows": as_rows(rows), "heard_at": heard_at})


def heard_of_orders(connection: Connection, order_ids: Collection[UUID], at: datetime) -> None:
    """Note when channels last spoke of some orders: one statement."""
    if order_ids:
        connection.execute(
            update(CHANNEL_ORDER).where(CHANNEL_ORDER.c.id.in_(list(order_ids))).values(heard_at=at)
        )
