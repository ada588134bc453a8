"""Payments that were taken back, so that their bills are owed again."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import BigInteger, Column, Connection, Table, Text, Uuid, insert

from city.identifiers import BillId, PaymentId
from payments.store import tables

UNDONE: Final = Table(
    "payment_undone",
    tables.metadata,
    Column("payment_id", Uuid, primary_key=True),
    Column("bill_id", Uuid, nullable=False),
    Column("refund_id", Uuid, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("undone_at", tables.INSTANT, nullable=False),
    Column("undone_by", Text, nullable=False),
)


def add_undone(  # noqa: PLR0917 - which payment of which bill, by what, how much, when and by whom
    connection: Connection,
    payment_id: PaymentId,
    bill_id: BillId,
    refund_id: UUID,
    amount_minor: int,
    at: datetime,
    by: str,
) -> None:
    """Keep that a payment was taken back: what its bill counts as paid follows from it."""
    connection.execute(
        insert(UNDONE).values(
            payment_id=payment_id,
            bill_id=bill_id,
            refund_id=refund_id,
            amount_minor=amount_minor,
            undone_at=at,
            undone_by=by,
        )
    )
