"""Refunds through online channels as the finance desk lists them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, func, select

from city.errors import Invalid
from city.identifiers import BillId
from city.money import Money
from payments.channel_orders import CHANNEL_ORDER
from payments.channel_refunds import CHANNEL_REFUND
from payments.rules.channel_orders import RefundState
from payments.rules.ledger import EntryKind
from payments.store.bills import LARGEST_PAGE
from payments.store.order_shares import ORDER_SHARE
from payments.store.tables import bill, entry


@dataclass(frozen=True, slots=True)
class ListedRefund:
    """A refund with the order and the bill, or the card, that it goes back of.

    Parameters
    ----------
    bill_id, card_id
        What the order was for: one of the two.
    surplus : bool
        It gives back what was paid though nothing was owed any more.
    entry_id : UUID or None
        Of the ledger, once it arrived.
    """

    id: UUID
    refund_no: str
    order_no: str
    bill_id: BillId | None
    card_id: UUID | None
    channel: str
    state: RefundState
    amount: Money
    reason: str
    surplus: bool
    asked_at: datetime
    asked_by: str
    done_at: datetime | None
    entry_id: UUID | None


def refunds(
    connection: Connection,
    state: RefundState | None = None,
    districts: frozenset[str] | None = None,
    after: UUID | None = None,
    limit: int = 100,
) -> tuple[list[ListedRefund], UUID | None]:
    """Give refunds, the newest first, and the last one's id where more follow.

    Raises
    ------
    Invalid
        Where `limit` lies outside 1 to `LARGEST_PAGE`.
    """
    if not 1 <= limit <= LARGEST_PAGE:
        raise Invalid(f"must lie between 1 and {LARGEST_PAGE}", field="limit")
    refund, order = CHANNEL_REFUND.c, CHANNEL_ORDER.c
    query = (
        select(
            CHANNEL_REFUND,
            order.order_no,
            func.coalesce(order.bill_id, ORDER_SHARE.c.bill_id).label("bill_id"),
            order.channel,
            order.currency,
            order.card_id,
            func.coalesce(order.payment_id, ORDER_SHARE.c.payment_id, order.movement_id).label(
                "used_by"
            ),
            entry.c.id.label("entry_id"),
        )
        .join(CHANNEL_ORDER, order.id == refund.order_id)
        .outerjoin(ORDER_SHARE, ORDER_SHARE.c.id == refund.share_id)
        .outerjoin(bill, bill.c.id == func.coalesce(order.bill_id, ORDER_SHARE.c.bill_id))
        .outerjoin(entry, (entry.c.kind == EntryKind.REFUND.value) & (entry.c.subject == refund.id))
        .order_by(refund.id.desc())
        .limit(limit + 1)
    )
    if state is not None:
        query = query.where(refund.state == state.value)
    if districts is not None:
        query = query.where(bill.c.district.in_(sorted(districts)))
    if after is not None:
        query = query.where(refund.id < after)
    found = [
        ListedRefund(
            id=row["id"],
            refund_no=row["refund_no"],
            order_no=row["order_no"],
            bill_id=None if row["bill_id"] is None else BillId(row["bill_id"]),
            card_id=row["card_id"],
            channel=row["channel"],
            state=RefundState(row["state"]),
            amount=Money(row["amount_minor"], row["currency"]),
            reason=row["reason"],
            surplus=row["used_by"] is None,
            asked_at=row["asked_at"],
            asked_by=row["asked_by"],
            done_at=row["done_at"],
            entry_id=row["entry_id"],
        )
        for row in connection.execute(query).mappings()
    ]
    return found[:limit], found[limit - 1].id if len(found) > limit else None
