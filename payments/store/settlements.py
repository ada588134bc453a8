"""The channels' days that were settled."""

from collections.abc import Collection
from datetime import date

from sqlalchemy import BigInteger, Column, Connection, Date, Table, Text, Uuid, select
from sqlalchemy.dialects import postgresql

from payments.rules.channels import Channel
from payments.rules.settlements import Settlement
from payments.store import tables

channel_settlement = Table(
    "channel_settlement",
    tables.metadata,
    Column("id", Uuid, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("merchant", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("paid_minor", BigInteger, nullable=False),
    Column("refunded_minor", BigInteger, nullable=False),
    Column("fee_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("settled_at", tables.INSTANT, nullable=False),
    Column("settled_by", Text, nullable=False),
)


def add(connection: Connection, settled: Settlement) -> bool:
    """Keep a settlement; False, and nothing kept, where the day was settled before."""
    values = {
        "id": settled.id,
        "channel": settled.channel.value,
        "merchant": settled.merchant,
        "day": settled.day,
        "paid_minor": settled.paid.minor,
        "refunded_minor": settled.refunded.minor,
        "fee_minor": settled.fee.minor,
        "currency": settled.paid.currency,
        "settled_at": settled.settled_at,
        "settled_by": settled.settled_by,
    }
    added = (
        postgresql.insert(channel_settlement)
        .values(values)
        .on_conflict_do_nothing(index_elements=["channel", "merchant", "day"])
        .returning(channel_settlement.c.id)
    )
    return connection.execute(added).scalar_one_or_none() is not None


def settled_merchants(connection: Connection, channel: Channel, day: date) -> frozenset[str]:
    """Give for whom a channel's day is settled."""
    table = channel_settlement.c
    query = select(table.merchant).where(table.channel == channel.value, table.day == day)
    return frozenset(connection.scalars(query))


def settled_days(
    connection: Connection, channel: Channel, merchant: str, days: Collection[date]
) -> frozenset[date]:
    """Give those of some days that are settled."""
    table = channel_settlement.c
    query = select(table.day).where(
        table.channel == channel.value, table.merchant == merchant, table.day.in_(list(days))
    )
    return frozenset(connection.scalars(query))
