"""Invoices and receipts of what was paid, for whoever holds a bill's link."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from web.api.schemas.base import Incoming, Instant, MoneyOut, Names, Outgoing

Kind = Annotated[
    Literal["vat", "fiscal"],
    Field(description="VAT e-invoice of commercial revenue, fiscal e-receipt of public revenue"),
]


class BuyerIn(Incoming):
    """To whom it is written."""

    title: Annotated[str, Field(min_length=1, max_length=100)]
    tax_no: Annotated[str, Field(max_length=20, description="a company's; empty: a person")] = ""


class InvoiceOut(Outgoing):
    """One paper."""

    id: UUID
    kind: Kind
    colour: Annotated[Literal["blue", "red"], Field(description="red takes a blue one back")]
    state: Annotated[
        Literal["asked", "issued"], Field(description="asked: its provider did not answer yet")
    ]
    amount: Annotated[MoneyOut, Field(description="with tax; above zero in both colours")]
    tax: MoneyOut
    rate_bp: Annotated[int, Field(description="of the tax, in hundredths of a percent")]
    title: str
    tax_no: str
    of: Annotated[UUID | None, Field(description="the blue one that it takes back")]
    serial: str | None
    code: Annotated[str, Field(description="by which its provider lets it be checked")]
    provider: str
    asked_at: Instant
    issued_at: Instant | None


class InvoicesOut(Outgoing):
    """A bill's papers, the oldest first, and what may still be invoiced."""

    kind: Kind
    items: list[InvoiceOut]
    left: Annotated[MoneyOut, Field(description="paid, not given back and not invoiced")]


class PaperOut(InvoiceOut):
    """One paper, with who sold what."""

    seller: Names | None
    of_serial: str | None
