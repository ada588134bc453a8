"""Online payments found by a number that a payer reads off a receipt or a channel's app."""

from dataclasses import dataclass

from sqlalchemy import Connection, and_, func, or_, select, tuple_

from city.identifiers import BillId
from city.money import Money
from payments.channel_orders import CHANNEL_ORDER
from payments.rules.channel_orders import OrderState
from payments.rules.channels import Channel
from payments.rules.order_shares import MOST_MERGED
from payments.store.order_shares import ORDER_SHARE
from payments.store.tables import bill


@dataclass(frozen=True, slots=True)
class NumberedOrder:
    """An order and one of the bills that it pays."""

    order_no: str
    channel_no: str
    channel: Channel
    state: OrderState
    amount: Money
    bill_id: BillId


def orders_under(
    connection: Connection, number: str, districts: frozenset[str] | None = None
) -> list[NumberedOrder]:
    """Give the orders whose number, or the channel's number, is this one, a bill each.

    Both are looked up by their unique indexes. A number is one channel's alone, so that there is
    one order for each channel at most, and the bills of one order are few.

    Parameters
    ----------
    connection : Connection
    number : str
    districts : frozenset of str or None
        Those whose bills are shown; None: all.
    """
    order = CHANNEL_ORDER.c
    numbered = tuple_(order.channel, order.channel_no).in_([(one.value, number) for one in Channel])
    query = (
        select(
            order.order_no,
            order.channel_no,
            order.channel,
            order.state,
            order.amount_minor,
            order.currency,
            bill.c.id.label("bill_id"),
        )
        .outerjoin(ORDER_SHARE, ORDER_SHARE.c.order_id == order.id)
        .join(bill, bill.c.id == func.coalesce(order.bill_id, ORDER_SHARE.c.bill_id))
        # The index of the channels' numbers has those alone that are known.
        .where(or_(order.order_no == number, and_(order.channel_no != "", numbered)))
        .order_by(order.id, bill.c.id)
        .limit(MOST_MERGED * len(Channel))
    )
    if districts is not None:
        query = query.where(bill.c.district.in_(sorted(districts)))
    return [
        NumberedOrder(
            order_no=row["order_no"],
            channel_no=row["channel_no"],
            channel=Channel(row["channel"]),
            state=OrderState(row["state"]),
            amount=Money(row["amount_minor"], row["currency"]),
            bill_id=BillId(row["bill_id"]),
        )
        for row in connection.execute(query).mappings()
    ]
