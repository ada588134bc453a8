"""Orders that top cards up, as those who ask for them and those who look at them need them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, func, select

from city.errors import Invalid
from city.money import Money
from payments.channel_orders import CHANNEL_ORDER, UNSETTLED, order_of
from payments.rules.cards import MovementKind
from payments.rules.channel_orders import ChannelOrder
from payments.rules.channels import Channel, Method
from payments.store.bills import LARGEST_PAGE
from payments.store.cards import MOVEMENT


def open_order(  # noqa: PLR0917 - of which card, how much, through whom, how, for whom and when
    connection: Connection,
    card_id: UUID,
    amount: Money,
    channel: Channel,
    method: Method,
    merchant: str,
    now: datetime,
) -> ChannelOrder | None:
    """Give the newest order that tops a card up by just so much and still takes money."""
    order = CHANNEL_ORDER.c
    query = (
        select(CHANNEL_ORDER)
        .where(
            order.card_id == card_id,
            order.amount_minor == amount.minor,
            order.currency == amount.currency,
            order.channel == channel.value,
            order.method == method.value,
            order.merchant == merchant,
            order.state.in_(UNSETTLED),
            order.expires_at > now,
        )
        .order_by(order.id.desc())
        .limit(1)
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else order_of(row)


def came_online(connection: Connection, card_id: UUID, since_at: datetime) -> int:
    """Add up what came onto a card online since an instant of business time, in minor units."""
    query = select(func.coalesce(func.sum(MOVEMENT.c.minor), 0)).where(
        MOVEMENT.c.card_id == card_id,
        MOVEMENT.c.at >= since_at,
        MOVEMENT.c.kind == MovementKind.TOP_UP.value,
        MOVEMENT.c.reference != "",
    )
    return int(connection.execute(query).scalar_one())


def page_of_top_ups(
    connection: Connection, card_ids: Sequence[UUID], after: UUID | None = None, limit: int = 100
) -> tuple[list[ChannelOrder], UUID | None]:
    """Give the orders that top some cards up, the newest first, and the last one's id.

    The id is None where no more follow.

    Raises
    ------
    Invalid
        Where `limit` lies outside 1 to `LARGEST_PAGE`.
    """
    if not 1 <= limit <= LARGEST_PAGE:
        raise Invalid(f"must lie between 1 and {LARGEST_PAGE}", field="limit")
    order = CHANNEL_ORDER.c
    query = (
        select(CHANNEL_ORDER)
        .where(order.card_id.in_(list(card_ids)))
        .order_by(order.id.desc())
        .limit(limit + 1)
    )
    if after is not None:
        query = query.where(order.id < after)
    found = [order_of(row) for row in connection.execute(query).mappings()]
    return found[:limit], found[limit - 1].id if len(found) > limit else None
