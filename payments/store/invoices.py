"""Invoices and receipts: kept when they are asked for, completed when they are issued."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    Table,
    Text,
    Uuid,
    insert,
    select,
    text,
    update,
)

from city.errors import Invalid
from city.identifiers import BillId, OperatorId
from city.money import Money
from payments.rules.invoices import Buyer, Colour, Invoice, InvoiceKind, InvoiceState, Issued
from payments.store import tables
from payments.store.bills import LARGEST_PAGE
from payments.store.spans import ALWAYS, Span

INVOICE: Final = Table(
    "invoice",
    tables.metadata,
    Column("id", Uuid, primary_key=True),
    Column("bill_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("colour", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("tax_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("rate_bp", Integer, nullable=False),
    Column("buyer_title", Text, nullable=False),
    Column("buyer_tax_no", Text, nullable=False),
    Column("seller_id", Uuid, nullable=False),
    Column("of_id", Uuid),
    Column("asked_at", tables.INSTANT, nullable=False),
    Column("serial", Text),
    Column("code", Text, nullable=False, server_default=""),
    Column("provider", Text, nullable=False, server_default=""),
    Column("issued_at", tables.INSTANT),
)
# By the partial index of bills of which something went back, and by what was taken back whole.
_OVER: Final = text(
    "select b.id from payments.bill b join (select id from payments.bill where refunded_minor > 0"
    "  union select bill_id from payments.payment_undone) less on less.id = b.id"
    " where b.paid_minor - b.refunded_minor - (select coalesce(sum(p.rounded_minor), 0)"
    "  from payments.payment p where p.bill_id = b.id) < (select"
    "  coalesce(sum(case i.colour when 'blue' then i.amount_minor else -i.amount_minor end), 0)"
    "  from payments.invoice i where i.bill_id = b.id)"
    " order by b.id limit :most"
)


def add(connection: Connection, asked: Invoice) -> None:
    """Keep a paper that is asked for; the bill's row must be locked."""
    connection.execute(
        insert(INVOICE).values(
            id=asked.id,
            bill_id=asked.bill_id,
            kind=asked.kind.value,
            colour=asked.colour.value,
            state=asked.state.value,
            amount_minor=asked.amount.minor,
            tax_minor=asked.tax.minor,
            currency=asked.amount.currency,
            rate_bp=asked.rate_bp,
            buyer_title=asked.buyer.title,
            buyer_tax_no=asked.buyer.tax_no,
            seller_id=asked.seller_id,
            of_id=asked.of,
            asked_at=asked.asked_at,
        )
    )


def complete(connection: Connection, invoice_id: UUID, issued: Issued, provider: str) -> bool:
    """Keep what the provider said; False where it was kept before."""
    done = connection.execute(
        update(INVOICE)
        .where(INVOICE.c.id == invoice_id, INVOICE.c.state == InvoiceState.ASKED.value)
        .values(
            state=InvoiceState.ISSUED.value,
            serial=issued.serial,
            code=issued.code,
            provider=provider,
            issued_at=issued.issued_at,
        )
    )
    return done.rowcount == 1


def of_bill(connection: Connection, bill_id: BillId) -> list[Invoice]:
    """Give a bill's papers, the oldest first."""
    query = select(INVOICE).where(INVOICE.c.bill_id == bill_id).order_by(INVOICE.c.id)
    return [_invoice(row) for row in connection.execute(query).mappings()]


def asked(connection: Connection, most: int) -> list[Invoice]:
    """Give papers that wait for their provider, the oldest first: by an index of these alone."""
    query = (
        select(INVOICE)
        .where(INVOICE.c.state == InvoiceState.ASKED.value)
        .order_by(INVOICE.c.id)
        .limit(most)
    )
    return [_invoice(row) for row in connection.execute(query).mappings()]


@dataclass(frozen=True, slots=True)
class Which:
    """Which papers: each None, or empty, narrows nothing.

    Parameters
    ----------
    state, colour
    number : str
        Its serial number, whole.
    span : Span
        In which it was asked for.
    """

    state: InvoiceState | None = None
    colour: Colour | None = None
    number: str = ""
    span: Span = ALWAYS


def page(
    connection: Connection,
    which: Which,
    districts: frozenset[str] | None,
    after: UUID | None,
    limit: int,
) -> tuple[list[Invoice], UUID | None]:
    """Give papers, the newest first, and the last one's id where more follow.

    Raises
    ------
    Invalid
        Where `limit` lies outside 1 to `LARGEST_PAGE`.
    """
    if not 1 <= limit <= LARGEST_PAGE:
        raise Invalid(f"must lie between 1 and {LARGEST_PAGE}", field="limit")
    query = which.span.of(select(INVOICE), INVOICE.c.asked_at).order_by(INVOICE.c.id.desc())
    if which.state is not None:
        query = query.where(INVOICE.c.state == which.state.value)
    if which.colour is not None:
        query = query.where(INVOICE.c.colour == which.colour.value)
    if which.number:
        query = query.where(INVOICE.c.serial == which.number)
    if districts is not None:
        query = query.join(tables.bill, tables.bill.c.id == INVOICE.c.bill_id).where(
            tables.bill.c.district.in_(sorted(districts))
        )
    if after is not None:
        query = query.where(INVOICE.c.id < after)
    found = [_invoice(row) for row in connection.execute(query.limit(limit + 1)).mappings()]
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def serials_of(connection: Connection, invoice_ids: Collection[UUID]) -> dict[UUID, str]:
    """Give the serial numbers of papers that were issued: one statement."""
    query = select(INVOICE.c.id, INVOICE.c.serial).where(
        INVOICE.c.id.in_(list(invoice_ids)), INVOICE.c.serial.is_not(None)
    )
    return {row.id: row.serial for row in connection.execute(query)}


def bills_over(connection: Connection, most: int) -> Collection[BillId]:
    """Give bills invoiced above what was kept; cost grows with those that were refunded."""
    return [BillId(each) for each in connection.execute(_OVER, {"most": most}).scalars()]


def _invoice(row: Any) -> Invoice:
    return Invoice(
        row["id"],
        BillId(row["bill_id"]),
        InvoiceKind(row["kind"]),
        Colour(row["colour"]),
        InvoiceState(row["state"]),
        Money(row["amount_minor"], row["currency"]),
        Money(row["tax_minor"], row["currency"]),
        row["rate_bp"],
        Buyer(row["buyer_title"], row["buyer_tax_no"]),
        OperatorId(row["seller_id"]),
        row["asked_at"],
        row["of_id"],
        row["serial"] or "",
        row["code"],
        row["provider"],
        row["issued_at"],
    )
