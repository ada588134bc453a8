"""What came in between two instants: by channel, operator and who took it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from city.identifiers import OperatorId
from city.money import Money
from payments.store.tables import bill, payment


@dataclass(frozen=True, slots=True)
class Takings:
    """What one taker took by one channel for one operator."""

    channel: str
    operator_id: OperatorId
    taken_by: str
    payments: int
    amount: Money


def takings(
    connection: Connection,
    from_at: datetime,
    before_at: datetime,
    districts: Collection[str] | None = None,
) -> list[Takings]:
    """Add up what was taken; one statement, cost grows with the payments between the instants."""
    query = (
        select(
            payment.c.channel,
            bill.c.operator_id,
            payment.c.taken_by,
            payment.c.currency,
            func.count().label("payments"),
            func.sum(payment.c.amount_minor).label("minor"),
        )
        .join(bill, bill.c.id == payment.c.bill_id)
        .where(payment.c.taken_at >= from_at, payment.c.taken_at < before_at)
        .group_by(payment.c.channel, bill.c.operator_id, payment.c.taken_by, payment.c.currency)
        .order_by(payment.c.channel, bill.c.operator_id, payment.c.taken_by)
    )
    if districts is not None:
        query = query.where(bill.c.district.in_(sorted(districts)))
    return [
        Takings(
            row.channel,
            OperatorId(row.operator_id),
            row.taken_by,
            row.payments,
            Money(int(row.minor), row.currency),
        )
        for row in connection.execute(query)
    ]
