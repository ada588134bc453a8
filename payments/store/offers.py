"""Offers to pay ahead, and what was paid through them: every query on them."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, select

from city.identifiers import ParkingSessionId
from payments import channel_orders
from payments.channel_orders import CHANNEL_ORDER
from payments.rules.bills import Bill, BillPart, BillState
from payments.rules.channel_orders import ChannelOrder
from payments.store.bills import bill_of
from payments.store.tables import bill


def standing(connection: Connection, session_id: ParkingSessionId, now: datetime) -> Bill | None:
    """Give the newest offer over a stay whose time is not over."""
    query = (
        select(bill)
        .where(
            bill.c.session_id == session_id,
            bill.c.state == BillState.OFFERED.value,
            bill.c.due_at > now,
        )
        .order_by(bill.c.id.desc())
        .limit(1)
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else bill_of(row)


def hold(connection: Connection, session_ids: Collection[ParkingSessionId]) -> None:
    """Lock the orders over what is paid ahead for some stays, then its bills, by their ids.

    One statement where nothing is.
    """
    ahead = (bill.c.session_id.in_(list(session_ids)), bill.c.part == BillPart.AHEAD.value)
    bills = connection.scalars(select(bill.c.id).where(*ahead)).all()
    if not bills:
        return
    order = CHANNEL_ORDER.c
    connection.execute(
        select(order.id).where(order.bill_id.in_(bills)).order_by(order.id).with_for_update()
    )
    connection.execute(select(bill.c.id).where(*ahead).order_by(bill.c.id).with_for_update())


def withdraw(connection: Connection, session_ids: Collection[ParkingSessionId]) -> None:
    """Cancel the offers over some stays."""
    connection.execute(
        bill.update()
        .where(bill.c.session_id.in_(list(session_ids)), bill.c.state == BillState.OFFERED.value)
        .values(state=BillState.CANCELLED.value)
    )


def orders_paid_ahead(
    connection: Connection, session_ids: Collection[ParkingSessionId]
) -> list[ChannelOrder]:
    """Give the orders by which some stays were paid ahead, those paid last first."""
    query = (
        select(CHANNEL_ORDER)
        .join(bill, bill.c.id == CHANNEL_ORDER.c.bill_id)
        .where(
            bill.c.session_id.in_(list(session_ids)),
            bill.c.part == BillPart.AHEAD.value,
            CHANNEL_ORDER.c.payment_id.is_not(None),
        )
        .order_by(bill.c.covers_until_at.desc(), CHANNEL_ORDER.c.id.desc())
    )
    return [channel_orders.order_of(row) for row in connection.execute(query).mappings()]
