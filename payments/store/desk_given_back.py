"""What went back to payers between two instants: through channels and in cash, by the ledger."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import CompoundSelect, Connection, exists, func, select, tuple_, union_all

from city.identifiers import BillId, OperatorId
from city.money import Money
from payments.channel_orders import CHANNEL_ORDER
from payments.channel_refunds import CHANNEL_REFUND
from payments.rules.ledger import EntryKind
from payments.store.order_shares import ORDER_SHARE
from payments.store.tables import bill, entry, refund


@dataclass(frozen=True, slots=True)
class GivenBack:
    """What arrived back at payers by one channel."""

    channel: str
    refunds: int
    amount: Money


@dataclass(frozen=True, slots=True)
class WentBack:
    """One sum that arrived back, with the entry that records it.

    `bill_id` is None of what was paid ahead in cash: it was owed for a stay, and no bill needed it.
    """

    id: UUID
    channel: str
    operator_id: OperatorId
    bill_id: BillId | None
    amount: Money
    at: datetime
    by: str
    entry_id: UUID


def given_back(
    connection: Connection,
    from_at: datetime,
    before_at: datetime,
    districts: Collection[str] | None = None,
) -> list[GivenBack]:
    """Add up what arrived back between two instants by channel: one statement.

    By the ledger's dates, as the takings: a channel's own clock is another one in the demo.
    Surplus that went back was never among the takings and is left out.
    """
    both = _all(from_at, before_at, districts).subquery()
    query = (
        select(
            both.c.channel,
            both.c.currency,
            func.count().label("refunds"),
            func.sum(both.c.amount_minor).label("minor"),
        )
        .group_by(both.c.channel, both.c.currency)
        .order_by(both.c.channel, both.c.currency)
    )
    return [
        GivenBack(row.channel, row.refunds, Money(int(row.minor), row.currency))
        for row in connection.execute(query)
    ]


def went_back(  # noqa: PLR0917 - of which figure and reader, and how many
    connection: Connection,
    from_at: datetime,
    before_at: datetime,
    channel: str | None,
    districts: Collection[str] | None,
    after: UUID | None,
    limit: int,
) -> tuple[list[WentBack], UUID | None]:
    """Give what `given_back` adds up, the latest first, and the last id where more follow."""
    both = _all(from_at, before_at, districts).subquery()
    query = select(both).order_by(both.c.at.desc(), both.c.id.desc()).limit(limit + 1)
    if channel is not None:
        query = query.where(both.c.channel == channel)
    if after is not None:
        last = both.alias("last")
        # Without such a refund the comparison is unknown and the page empty.
        query = query.where(
            tuple_(both.c.at, both.c.id)
            < select(last.c.at, last.c.id).where(last.c.id == after).scalar_subquery()
        )
    found = [
        WentBack(
            row["id"],
            row["channel"],
            OperatorId(row["operator_id"]),
            None if row["bill_id"] is None else BillId(row["bill_id"]),
            Money(row["amount_minor"], row["currency"]),
            row["at"],
            row["by"],
            row["entry_id"],
        )
        for row in connection.execute(query).mappings()
    ]
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def _all(
    from_at: datetime, before_at: datetime, districts: Collection[str] | None
) -> CompoundSelect[tuple[object, ...]]:
    by_channel = (
        select(
            CHANNEL_REFUND.c.id,
            CHANNEL_ORDER.c.channel,
            bill.c.operator_id,
            bill.c.id.label("bill_id"),
            CHANNEL_ORDER.c.currency,
            CHANNEL_REFUND.c.amount_minor,
            entry.c.at,
            CHANNEL_REFUND.c.asked_by.label("by"),
            entry.c.id.label("entry_id"),
        )
        .select_from(entry)
        .join(CHANNEL_REFUND, CHANNEL_REFUND.c.id == entry.c.subject)
        .join(CHANNEL_ORDER, CHANNEL_ORDER.c.id == CHANNEL_REFUND.c.order_id)
        .outerjoin(ORDER_SHARE, ORDER_SHARE.c.id == CHANNEL_REFUND.c.share_id)
        .join(bill, bill.c.id == func.coalesce(CHANNEL_ORDER.c.bill_id, ORDER_SHARE.c.bill_id))
        .where(
            entry.c.kind == EntryKind.REFUND.value,
            func.coalesce(CHANNEL_ORDER.c.payment_id, ORDER_SHARE.c.payment_id).is_not(None),
            entry.c.at >= from_at,
            entry.c.at < before_at,
        )
    )
    in_cash = (
        select(
            refund.c.id,
            refund.c.channel,
            refund.c.operator_id,
            refund.c.bill_id,
            refund.c.currency,
            refund.c.amount_minor,
            refund.c.refunded_at.label("at"),
            refund.c.refunded_by.label("by"),
            entry.c.id.label("entry_id"),
        )
        .join(entry, (entry.c.kind == EntryKind.REFUND.value) & (entry.c.subject == refund.c.id))
        .where(refund.c.refunded_at >= from_at, refund.c.refunded_at < before_at)
    )
    if districts is not None:
        allowed = bill.c.district.in_(sorted(districts))
        by_channel = by_channel.where(allowed)
        # What was paid ahead was paid by bills of its stay.
        in_cash = in_cash.where(
            exists().where(bill.c.session_id == refund.c.session_id).where(allowed)
        )
    return union_all(by_channel, in_cash)
