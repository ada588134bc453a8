"""Invoices and receipts as the finance desk lists them."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from web.api.schemas.base import (
    DEFAULT_PAGE,
    MAX_PAGE,
    Incoming,
    Instant,
    MoneyOut,
    Names,
    Outgoing,
)
from web.api.schemas.invoices import Kind
from web.api.schemas.ledger import WrittenAt
from web.api.schemas.stays import PlateOut


class PapersFileQuery(Incoming):
    """Which papers, all of them."""

    state: Literal["asked", "issued"] | None = None
    colour: Literal["blue", "red"] | None = None
    number: Annotated[str, Field(max_length=64, description="the serial number, whole")] = ""
    from_at: Annotated[WrittenAt | None, Field(description="asked for at or after it")] = None
    before_at: WrittenAt | None = None


class PapersQuery(PapersFileQuery):
    """Which papers, how many of them, and from where."""

    cursor: Annotated[str | None, Field(max_length=200)] = None
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = DEFAULT_PAGE


class ListedPaperOut(Outgoing):
    """One paper in a list."""

    id: UUID
    bill_id: UUID
    plate: Annotated[PlateOut | None, Field(description="masked")]
    kind: Kind
    colour: Annotated[Literal["blue", "red"], Field(description="red takes a blue one back")]
    state: Annotated[
        Literal["asked", "issued"], Field(description="asked: its provider did not answer yet")
    ]
    amount: MoneyOut
    tax: MoneyOut
    rate_bp: int
    title: Annotated[str, Field(description="masked where it is a person's")]
    tax_no: Annotated[str, Field(description="a company's")]
    seller: Names | None
    serial: str | None
    of_serial: Annotated[str | None, Field(description="of the blue one that it takes back")]
    provider: str
    asked_at: Instant
    issued_at: Instant | None


class PapersOut(Outgoing):
    """A page of papers, the newest first."""

    items: list[ListedPaperOut]
    next: str | None
