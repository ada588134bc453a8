"""Orders at online channels: the table and every query on it."""

from collections.abc import Collection
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
    case,
    func,
    insert,
    select,
    text,
    update,
)

from city.identifiers import BillId
from city.money import Money
from payments.rules.channel_orders import (
    ChannelOrder,
    OrderState,
)
from payments.rules.channels import Channel, Method
from payments.store import tables

CHANNEL_ORDER: Final = Table(
    "channel_order",
    tables.metadata,
    Column("id", Uuid, primary_key=True),
    Column("bill_id", Uuid),
    Column("channel", Text, nullable=False),
    Column("order_no", Text, nullable=False),
    Column("merchant", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("opened_at", tables.INSTANT, nullable=False),
    Column("opened_by", Text, nullable=False),
    Column("expires_at", tables.INSTANT, nullable=False),
    Column("channel_no", Text, nullable=False, server_default=""),
    Column("done_at", tables.INSTANT),
    Column("refunded_minor", BigInteger, nullable=False, server_default="0"),
    Column("payment_id", Uuid),
    Column("code", Text, nullable=False, server_default=""),
    Column("heard_at", tables.INSTANT),
    Column("agreement_id", Uuid),
    Column("merged", Boolean, nullable=False, server_default="false"),
    Column("card_id", Uuid),
    Column("movement_id", Uuid),
    Column("payer_hash", Text, nullable=False, server_default=""),
)
UNSETTLED: Final = (OrderState.ASKED.value, OrderState.OPEN.value, OrderState.UNKNOWN.value)
_HOLD: Final = text(
    "select id from payments.channel_order where bill_id = :bill or id in"
    " (select order_id from payments.order_share where bill_id = :bill) order by id for update"
)
_UNWANTED: Final = text(
    "select o.id from payments.channel_order o where o.id = any(cast(:orders as uuid[]))"
    " and not exists (select from payments.card c where c.id = o.card_id and c.state = 'active')"
    " and not exists (select from payments.bill b where b.id = o.bill_id"
    "  and b.state in ('open', 'offered'))"
    " and not exists (select from payments.order_share s join payments.bill b"
    "  on b.id = s.bill_id and b.state = 'open' where s.order_id = o.id)"
)


def add_order(
    connection: Connection, order: ChannelOrder, heard_at: datetime | None = None
) -> None:
    """Keep a new order; `heard_at` where its channel has spoken of it already."""
    spoken = {} if heard_at is None else {"heard_at": heard_at}
    connection.execute(
        insert(CHANNEL_ORDER).values(
            **spoken,
            id=order.id,
            bill_id=order.bill_id,
            channel=order.channel.value,
            order_no=order.order_no,
            merchant=order.merchant,
            method=order.method.value,
            amount_minor=order.amount.minor,
            currency=order.amount.currency,
            state=order.state.value,
            opened_at=order.opened_at,
            opened_by=order.opened_by,
            expires_at=order.expires_at,
            channel_no=order.channel_no,
            done_at=order.done_at,
            refunded_minor=order.refunded_minor,
            payment_id=order.payment_id,
            agreement_id=order.agreement_id,
            merged=order.merged,
            card_id=order.card_id,
            movement_id=order.movement_id,
            payer_hash=order.payer_hash,
        )
    )


def find_order(connection: Connection, order_no: str, *, lock: bool = False) -> ChannelOrder | None:
    """Give an order by our number; held until the transaction ends where `lock` says so."""
    if not order_no.isalnum():
        return None  # none of ours, and maybe a NUL, which the database refuses
    query = select(CHANNEL_ORDER).where(CHANNEL_ORDER.c.order_no == order_no)
    row = connection.execute(query.with_for_update() if lock else query).mappings().one_or_none()
    return None if row is None else order_of(row)


def open_order(  # noqa: PLR0917 - which bill, through whom, how, for whom and when
    connection: Connection,
    bill_id: BillId,
    channel: Channel,
    method: Method,
    merchant: str,
    now: datetime,
) -> ChannelOrder | None:
    """Give the order of a bill that this payer can still pay by; None where there is none."""
    order = CHANNEL_ORDER.c
    row = (
        connection.execute(
            select(CHANNEL_ORDER)
            .where(
                order.bill_id == bill_id,
                order.channel == channel.value,
                order.method == method.value,
                order.merchant == merchant,
                order.state.in_(UNSETTLED),
                order.expires_at > now,
            )
            .order_by(order.opened_at.desc(), order.id.desc())
            .limit(1)
        )
        .mappings()
        .one_or_none()
    )
    return None if row is None else order_of(row)


def orders_of_bill(connection: Connection, bill_id: BillId) -> list[ChannelOrder]:
    """Give all orders over a bill alone, the oldest first."""
    order = CHANNEL_ORDER.c
    query = (
        select(CHANNEL_ORDER).where(order.bill_id == bill_id).order_by(order.opened_at, order.id)
    )
    return [order_of(row) for row in connection.execute(query).mappings()]


def orders_of_bills(
    connection: Connection, bill_ids: Collection[BillId]
) -> dict[BillId, list[ChannelOrder]]:
    """Give all orders over each of some bills alone, the oldest first: one statement."""
    order = CHANNEL_ORDER.c
    found: dict[BillId, list[ChannelOrder]] = {each: [] for each in bill_ids}
    query = (
        select(CHANNEL_ORDER)
        .where(order.bill_id.in_(list(found)))
        .order_by(order.opened_at, order.id)
    )
    for row in connection.execute(query).mappings():
        found[BillId(row["bill_id"])].append(order_of(row))
    return found


def hold_orders_of(connection: Connection, bill_id: BillId) -> None:
    """Hold all orders of a bill, in the order of their ids: before the bill, as who hears does.

    Also those that it shares in with others.
    """
    connection.execute(_HOLD, {"bill": bill_id})


def write_order(
    connection: Connection, order: ChannelOrder, heard_at: datetime | None = None
) -> None:
    """Keep an order as it stands; the database refuses what may not change.

    Parameters
    ----------
    connection : Connection
    order : ChannelOrder
    heard_at : datetime or None
        When its channel spoke of it, where it was the channel that changed it.
    """
    spoken = {} if heard_at is None else {"heard_at": heard_at}
    connection.execute(
        update(CHANNEL_ORDER)
        .where(CHANNEL_ORDER.c.id == order.id)
        .values(
            state=order.state.value,
            channel_no=order.channel_no,
            done_at=order.done_at,
            refunded_minor=order.refunded_minor,
            payment_id=order.payment_id,
            movement_id=order.movement_id,
            **spoken,
        )
    )


def keep_code(connection: Connection, order_no: str, code: str) -> None:
    """Keep what the payer scans or follows: asked again, a channel may not give it again."""
    connection.execute(
        update(CHANNEL_ORDER).where(CHANNEL_ORDER.c.order_no == order_no).values(code=code)
    )


def heard_of(connection: Connection, order_id: UUID, at: datetime) -> None:
    """Note when a channel last spoke of an order."""
    connection.execute(
        update(CHANNEL_ORDER).where(CHANNEL_ORDER.c.id == order_id).values(heard_at=at)
    )


def take_turn(connection: Connection, order_id: UUID, at: datetime, apart: timedelta) -> bool:
    """Tell whether the channel may be asked now; of those who ask at once, one is told so.

    Parameters
    ----------
    connection : Connection
        Committed before the channel is asked.
    order_id : UUID
    at : datetime
        Wall time.
    apart : timedelta
        How long must have passed since the channel last spoke of it, or was last asked so.
    """
    order = CHANNEL_ORDER.c
    taken = connection.execute(
        update(CHANNEL_ORDER)
        .where(order.id == order_id, func.coalesce(order.heard_at, order.opened_at) <= at - apart)
        .values(heard_at=at)
    )
    return taken.rowcount == 1


def unsettled_orders(
    connection: Connection,
    channels: Collection[Channel],
    *,
    unknown_before_at: datetime,
    open_before_at: datetime,
    limit: int,
) -> list[ChannelOrder]:
    """Give orders whose channel is to be asked, those longest unheard of first.

    Parameters
    ----------
    connection : Connection
    channels : collection of Channel
        Those that are asked.
    unknown_before_at : datetime
        Those asked or unknown that were not heard of since.
    open_before_at : datetime
        Those open that were not heard of since.
    limit : int
        How many at most.
    """
    order = CHANNEL_ORDER.c
    heard_at = func.coalesce(order.heard_at, order.opened_at)
    before_at = case(
        (order.state == OrderState.OPEN.value, open_before_at), else_=unknown_before_at
    )
    query = (
        select(CHANNEL_ORDER)
        .where(
            order.state.in_(UNSETTLED),
            order.channel.in_([each.value for each in channels]),
            heard_at <= before_at,
        )
        .order_by(heard_at)
        .limit(limit)
    )
    return [order_of(row) for row in connection.execute(query).mappings()]


def unwanted_among(connection: Connection, orders: Collection[ChannelOrder]) -> frozenset[UUID]:
    """Name those of some orders whose bill, each of whose bills, or whose card takes no money now.

    One statement.
    """
    if not orders:
        return frozenset()
    found = connection.scalars(_UNWANTED, {"orders": [order.id for order in orders]})
    return frozenset(found)


def order_of(row: Any) -> ChannelOrder:
    """Read an order."""
    return ChannelOrder(
        id=row["id"],
        bill_id=None if row["bill_id"] is None else BillId(row["bill_id"]),
        channel=Channel(row["channel"]),
        order_no=row["order_no"],
        merchant=row["merchant"],
        method=Method(row["method"]),
        amount=Money(row["amount_minor"], row["currency"]),
        state=OrderState(row["state"]),
        opened_at=row["opened_at"],
        opened_by=row["opened_by"],
        expires_at=row["expires_at"],
        channel_no=row["channel_no"],
        done_at=row["done_at"],
        refunded_minor=row["refunded_minor"],
        payment_id=row["payment_id"],
        code=row["code"],
        agreement_id=row["agreement_id"],
        card_id=row["card_id"],
        movement_id=row["movement_id"],
        payer_hash=row["payer_hash"],
    )
