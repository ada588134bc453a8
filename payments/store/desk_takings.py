"""What came in between two instants: by channel, operator and taker, and the payments behind."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, func, select, tuple_

from city.identifiers import BillId, OperatorId, PaymentId
from city.money import Money
from payments.rules.ledger import EntryKind
from payments.store.tables import bill, entry, payment


@dataclass(frozen=True, slots=True)
class Takings:
    """What one taker took by one channel for one operator."""

    channel: str
    operator_id: OperatorId
    taken_by: str
    payments: int
    amount: Money


@dataclass(frozen=True, slots=True)
class TakenPayment:
    """One payment behind a figure of the takings, with the entry that records it."""

    payment_id: PaymentId
    bill_id: BillId
    channel: str
    operator_id: OperatorId
    amount: Money
    taken_at: datetime
    taken_by: str
    entry_id: UUID | None


@dataclass(frozen=True, slots=True)
class Which:
    """Which payments stand behind a figure; None: whichever."""

    channel: str | None = None
    operator_id: OperatorId | None = None
    taken_by: str | None = None


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
            func.sum(payment.c.amount_minor - payment.c.rounded_minor).label("minor"),
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


def payments(  # noqa: PLR0917 - of which figure and reader, and how many
    connection: Connection,
    from_at: datetime,
    before_at: datetime,
    which: Which,
    districts: Collection[str] | None,
    after: PaymentId | None,
    limit: int,
) -> tuple[list[TakenPayment], PaymentId | None]:
    """Give the payments behind a figure, the latest first, and the last one's id where more follow.

    An index range by instant and id: a page costs what it holds where no filter leaves most out.
    """
    query = (
        select(payment, bill.c.operator_id, entry.c.id.label("entry_id"))
        .join(bill, bill.c.id == payment.c.bill_id)
        .outerjoin(
            entry,
            (entry.c.kind == EntryKind.PAYMENT.value) & (entry.c.subject == payment.c.id),
        )
        .where(payment.c.taken_at >= from_at, payment.c.taken_at < before_at)
        .order_by(payment.c.taken_at.desc(), payment.c.id.desc())
        .limit(limit + 1)
    )
    if which.channel is not None:
        query = query.where(payment.c.channel == which.channel)
    if which.operator_id is not None:
        query = query.where(bill.c.operator_id == which.operator_id)
    if which.taken_by is not None:
        query = query.where(payment.c.taken_by == which.taken_by)
    if districts is not None:
        query = query.where(bill.c.district.in_(sorted(districts)))
    if after is not None:
        last = payment.alias("last")
        # Without such a payment the comparison is unknown and the page empty.
        query = query.where(
            tuple_(payment.c.taken_at, payment.c.id)
            < select(last.c.taken_at, last.c.id).where(last.c.id == after).scalar_subquery()
        )
    found = [
        TakenPayment(
            PaymentId(row["id"]),
            BillId(row["bill_id"]),
            row["channel"],
            OperatorId(row["operator_id"]),
            Money(row["amount_minor"] - row["rounded_minor"], row["currency"]),
            row["taken_at"],
            row["taken_by"],
            row["entry_id"],
        )
        for row in connection.execute(query).mappings()
    ]
    return found[:limit], found[limit - 1].payment_id if len(found) > limit else None
