"""Refunds at online channels: the table and every query on it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

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
    update,
)

from city.money import Money
from payments.channel_orders import CHANNEL_ORDER
from payments.rules.channel_orders import ChannelOrder, ChannelRefund, RefundState
from payments.rules.channels import Channel
from payments.store import tables

CHANNEL_REFUND: Final = Table(
    "channel_refund",
    tables.metadata,
    Column("id", Uuid, primary_key=True),
    Column("order_id", Uuid, nullable=False),
    Column("refund_no", Text, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("fee_minor", BigInteger, nullable=False),
    Column("void", Boolean, nullable=False),
    Column("state", Text, nullable=False),
    Column("asked_at", tables.INSTANT, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("done_at", tables.INSTANT),
    Column("heard_at", tables.INSTANT),
    Column("share_id", Uuid),
)


_OF_ORDER: Final = (
    CHANNEL_ORDER.c.order_no,
    CHANNEL_ORDER.c.currency,
    CHANNEL_ORDER.c.channel,
)


@dataclass(frozen=True, slots=True)
class HeldRefund:
    """A refund with our number of its order, and through whom it was paid."""

    refund: ChannelRefund
    order_no: str
    channel: Channel


def add(connection: Connection, refund: ChannelRefund) -> None:
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
            share_id=refund.share_id,
        )
    )


def find(connection: Connection, refund_no: str) -> HeldRefund | None:
    """Give a refund by our number, with its order's."""
    if not refund_no.isalnum():
        return None
    row = (
        connection.execute(
            select(CHANNEL_REFUND, *_OF_ORDER)
            .join(CHANNEL_ORDER, CHANNEL_REFUND.c.order_id == CHANNEL_ORDER.c.id)
            .where(CHANNEL_REFUND.c.refund_no == refund_no)
        )
        .mappings()
        .one_or_none()
    )
    return None if row is None else _held(row)


def of_orders(
    connection: Connection, orders: Collection[ChannelOrder]
) -> dict[UUID, list[ChannelRefund]]:
    """Give the refunds of some orders by the order's id, the oldest first: one statement."""
    refund = CHANNEL_REFUND.c
    currencies = {order.id: order.amount.currency for order in orders}
    found: dict[UUID, list[ChannelRefund]] = {order.id: [] for order in orders}
    query = (
        select(CHANNEL_REFUND)
        .where(refund.order_id.in_(list(currencies)))
        .order_by(refund.asked_at, refund.id)
    )
    for row in connection.execute(query).mappings():
        found[row["order_id"]].append(refund_of(row, currencies[row["order_id"]]))
    return found


def given_back_by(connection: Connection, by: str, since_at: datetime) -> int:
    """Add up what somebody gave back since an instant, without what failed, in minor units.

    Others who add up for the same person wait for this transaction: two requests at once do not
    both find room under one limit.
    """
    refund = CHANNEL_REFUND.c
    connection.execute(
        select(func.pg_advisory_xact_lock(func.hashtextextended(f"refunds by {by}", 0)))
    )
    query = select(func.coalesce(func.sum(refund.amount_minor), 0)).where(
        refund.asked_by == by,
        refund.asked_at >= since_at,
        refund.state != RefundState.FAILED.value,
    )
    return int(connection.execute(query).scalar_one())


def take_turn(connection: Connection, refund_id: UUID, at: datetime, apart: timedelta) -> bool:
    """Tell whether the channel may be asked after a refund now; as `channel_orders.take_turn`."""
    refund = CHANNEL_REFUND.c
    taken = connection.execute(
        update(CHANNEL_REFUND)
        .where(
            refund.id == refund_id,
            func.coalesce(refund.heard_at, refund.asked_at) <= at - apart,
        )
        .values(heard_at=at)
    )
    return taken.rowcount == 1


def count(connection: Connection, order_id: UUID) -> int:
    """Tell how many refunds of an order were asked for."""
    query = select(func.count()).where(CHANNEL_REFUND.c.order_id == order_id)
    return int(connection.execute(query).scalar_one())


def write(connection: Connection, refund: ChannelRefund) -> None:
    """Keep a refund as it stands."""
    connection.execute(
        update(CHANNEL_REFUND)
        .where(CHANNEL_REFUND.c.id == refund.id)
        .values(state=refund.state.value, done_at=refund.done_at)
    )


def heard_of(connection: Connection, refund_id: UUID, at: datetime) -> None:
    """Note when a channel last spoke of a refund."""
    connection.execute(
        update(CHANNEL_REFUND).where(CHANNEL_REFUND.c.id == refund_id).values(heard_at=at)
    )


def unsettled(
    connection: Connection, channels: Collection[Channel], *, before_at: datetime, limit: int
) -> list[HeldRefund]:
    """Give refunds that have not ended and were not heard of since, the longest first."""
    refund = CHANNEL_REFUND.c
    heard_at = func.coalesce(refund.heard_at, refund.asked_at)
    query = (
        select(CHANNEL_REFUND, *_OF_ORDER)
        .join(CHANNEL_ORDER, refund.order_id == CHANNEL_ORDER.c.id)
        .where(
            refund.state == RefundState.ASKED.value,
            CHANNEL_ORDER.c.channel.in_([each.value for each in channels]),
            heard_at <= before_at,
        )
        .order_by(heard_at)
        .limit(limit)
    )
    return [_held(row) for row in connection.execute(query).mappings()]


def channel_of(connection: Connection, refund_no: str) -> Channel | None:
    """Give the channel of a refund by our number; None where there is no such refund."""
    found = connection.execute(
        select(CHANNEL_ORDER.c.channel)
        .join(CHANNEL_REFUND, CHANNEL_REFUND.c.order_id == CHANNEL_ORDER.c.id)
        .where(CHANNEL_REFUND.c.refund_no == refund_no)
    ).scalar_one_or_none()
    return None if found is None else Channel(found)


def _held(row: Any) -> HeldRefund:
    return HeldRefund(refund_of(row, row["currency"]), row["order_no"], Channel(row["channel"]))


def refund_of(row: Any, currency: str) -> ChannelRefund:
    """Read a refund of an order in a currency."""
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
        share_id=row["share_id"],
    )
