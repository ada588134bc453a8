"""Shares of orders over several bills: the table and every query on it."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, Column, Connection, Table, Uuid, insert, select, text

from city.identifiers import BillId, PaymentId
from city.money import Money
from city.works.rows import as_rows
from payments.channel_orders import CHANNEL_ORDER, UNSETTLED, order_of
from payments.rules.channel_orders import ChannelOrder
from payments.rules.channels import Channel, Method
from payments.rules.order_shares import Share
from payments.store import tables

ORDER_SHARE: Final = Table(
    "order_share",
    tables.metadata,
    Column("id", Uuid, primary_key=True),
    Column("order_id", Uuid, nullable=False),
    Column("bill_id", Uuid, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("refunded_minor", BigInteger, nullable=False, server_default="0"),
    Column("payment_id", Uuid),
)
_WITH_CURRENCY: Final = select(ORDER_SHARE, CHANNEL_ORDER.c.currency).join(
    CHANNEL_ORDER, CHANNEL_ORDER.c.id == ORDER_SHARE.c.order_id
)
_WRITE: Final = text(
    "update payments.order_share s set refunded_minor = r.refunded_minor,"
    " payment_id = r.payment_id from jsonb_to_recordset(cast(:rows as jsonb))"
    " as r(id uuid, refunded_minor bigint, payment_id uuid) where s.id = r.id"
)
_MOST_OF_BILL: Final = 200


def add(connection: Connection, shares: Collection[Share]) -> None:
    """Keep the shares of a new order, in its transaction: they add up to it as it commits."""
    connection.execute(
        insert(ORDER_SHARE),
        [
            {
                "id": each.id,
                "order_id": each.order_id,
                "bill_id": each.bill_id,
                "amount_minor": each.amount.minor,
                "refunded_minor": each.refunded_minor,
                "payment_id": each.payment_id,
            }
            for each in shares
        ],
    )


def of_orders(connection: Connection, order_ids: Collection[UUID]) -> dict[UUID, list[Share]]:
    """Give the shares of some orders by the order's id, in the order of their bills."""
    found: dict[UUID, list[Share]] = {each: [] for each in order_ids}
    if not found:
        return found
    query = _WITH_CURRENCY.where(ORDER_SHARE.c.order_id.in_(list(found))).order_by(
        ORDER_SHARE.c.bill_id
    )
    for row in connection.execute(query).mappings():
        found[row["order_id"]].append(_share(row))
    return found


def find(connection: Connection, share_id: UUID) -> Share | None:
    """Give a share by its id."""
    row = connection.execute(_WITH_CURRENCY.where(ORDER_SHARE.c.id == share_id)).mappings()
    found = row.one_or_none()
    return None if found is None else _share(found)


def share_of(connection: Connection, order_id: UUID, bill_id: BillId) -> Share | None:
    """Give what of an order is for a bill; None where nothing is."""
    query = _WITH_CURRENCY.where(
        ORDER_SHARE.c.order_id == order_id, ORDER_SHARE.c.bill_id == bill_id
    )
    found = connection.execute(query).mappings().one_or_none()
    return None if found is None else _share(found)


def write(connection: Connection, shares: Collection[Share]) -> None:
    """Keep shares as they stand: one statement. Their orders are held."""
    rows = [
        {
            "id": each.id,
            "refunded_minor": each.refunded_minor,
            "payment_id": each.payment_id,
        }
        for each in shares
    ]
    if rows:
        connection.execute(_WRITE, {"rows": as_rows(rows)})


def open_order(  # noqa: PLR0917 - over which bills, through whom, how, for whom and when
    connection: Connection,
    amounts: Mapping[BillId, Money],
    channel: Channel,
    method: Method,
    merchant: str,
    now: datetime,
) -> ChannelOrder | None:
    """Give the order over just these bills and amounts that still takes money; two statements."""
    order = CHANNEL_ORDER.c
    query = (
        select(CHANNEL_ORDER)
        .where(
            order.id.in_(
                select(ORDER_SHARE.c.order_id).where(ORDER_SHARE.c.bill_id == next(iter(amounts)))
            ),
            order.channel == channel.value,
            order.method == method.value,
            order.merchant == merchant,
            order.state.in_(UNSETTLED),
            order.expires_at > now,
        )
        .order_by(order.opened_at.desc(), order.id.desc())
        .limit(_MOST_OF_BILL)
    )
    orders = [order_of(row) for row in connection.execute(query).mappings()]
    shares = of_orders(connection, [each.id for each in orders])
    for each in orders:
        if {share.bill_id: share.amount for share in shares[each.id]} == dict(amounts):
            return each
    return None


def of_bills(
    connection: Connection, bill_ids: Collection[BillId]
) -> list[tuple[ChannelOrder, Share]]:
    """Give the orders that some bills share in with others, each with the bill's share.

    The oldest first; the newest `_MOST_OF_BILL` a call. One statement.
    """
    if not bill_ids:
        return []
    columns = [each.label(f"held_{each.name}") for each in CHANNEL_ORDER.c]
    query = (
        select(ORDER_SHARE, CHANNEL_ORDER.c.currency, *columns)
        .join(CHANNEL_ORDER, CHANNEL_ORDER.c.id == ORDER_SHARE.c.order_id)
        .where(ORDER_SHARE.c.bill_id.in_(list(bill_ids)))
        .order_by(CHANNEL_ORDER.c.opened_at.desc(), CHANNEL_ORDER.c.id.desc())
        .limit(_MOST_OF_BILL)
    )
    found = [
        (order_of({each.name: row[f"held_{each.name}"] for each in CHANNEL_ORDER.c}), _share(row))
        for row in connection.execute(query).mappings()
    ]
    return found[::-1]


def _share(row: Any) -> Share:
    return Share(
        id=row["id"],
        order_id=row["order_id"],
        bill_id=BillId(row["bill_id"]),
        amount=Money(row["amount_minor"], row["currency"]),
        refunded_minor=row["refunded_minor"],
        payment_id=None if row["payment_id"] is None else PaymentId(row["payment_id"]),
    )
