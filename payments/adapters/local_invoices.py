"""A provider of invoices that numbers them itself: where no tax platform is set up, and in tests.

Its papers have the form of the real ones and no standing with any tax office or treasury: they say
so wherever they are shown.
"""

import hashlib
from typing import Final

from sqlalchemy import BigInteger, Column, Identity, Table, Uuid, select
from sqlalchemy.dialects import postgresql

from city.works.database import Database
from payments.rules.channel_bills.lines import CHINA
from payments.rules.invoices import Invoice, InvoiceKind, Issued
from payments.store import tables

LOCAL_INVOICE: Final = Table(
    "local_invoice",
    tables.metadata,
    Column("invoice_id", Uuid, primary_key=True),
    Column("number", BigInteger, Identity(always=True), nullable=False),
    Column("issued_at", tables.INSTANT, nullable=False),
)


class LocalInvoices:
    """Numbers papers from a sequence of its own; implements `InvoiceProvider`.

    Parameters
    ----------
    database : Database
        Where it keeps what it numbered; its business clock dates them.

    Notes
    -----
    A fully digital invoice's serial has twenty digits: the year's two, the region's two (00, that
    nobody has), the seller's way of issuing (9), fifteen in sequence. A fiscal receipt's has the
    code of its kind (eight digits, here the year and zeros) and ten in sequence.
    """

    name: Final = "local"

    def __init__(self, database: Database) -> None:
        self._database = database

    def issue(self, invoice: Invoice) -> Issued:
        """Give a paper its number: the same one again under its id."""
        with self._database.unit_of_work() as uow:
            values = postgresql.insert(LOCAL_INVOICE).values(
                invoice_id=invoice.id, issued_at=uow.clock.now()
            )
            uow.connection.execute(values.on_conflict_do_nothing())
            kept = uow.connection.execute(
                select(LOCAL_INVOICE.c.number, LOCAL_INVOICE.c.issued_at).where(
                    LOCAL_INVOICE.c.invoice_id == invoice.id
                )
            ).one()
        year = kept.issued_at.astimezone(CHINA).year
        if invoice.kind is InvoiceKind.VAT:
            serial = f"{year % 100:02d}009{kept.number:015d}"
        else:
            serial = f"{year:04d}0000{kept.number:010d}"
        code = hashlib.sha256(f"{serial}|{invoice.id}|{invoice.amount.minor}".encode()).hexdigest()
        return Issued(serial, code[:20], kept.issued_at)
