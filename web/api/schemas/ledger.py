"""The ledger: balances, postings, entries, periods, contracts."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BeforeValidator, Field

from web.api.schemas.base import (
    DEFAULT_PAGE,
    MAX_PAGE,
    Incoming,
    Instant,
    InstantIn,
    MoneyOut,
    Names,
    Outgoing,
    PageQuery,
)

AccountKind = Literal[
    "cash",
    "receivable",
    "arrears",
    "advance",
    "revenue",
    "treasury",
    "clearing",
    "surplus",
    "platform",
    "land_owner",
    "written_off",
    "suspense",
    "fees",
    "bank",
    "stored_value",
    "rounding",
    "till",
    "over_short",
]
WRITTEN = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ].+")


def _written_out(at: object) -> object:
    """Refuse what pydantic would take for an instant as well: numbers of seconds."""
    if isinstance(at, str) and not WRITTEN.fullmatch(at):
        raise ValueError("must be an instant, RFC 3339 with offset")
    return at


WrittenAt = Annotated[InstantIn, BeforeValidator(_written_out)]
AccountName = Annotated[
    str, Field(pattern=r"^[a-z_]+:[A-Za-z0-9._@:-]{1,120}$", description="its kind and whose it is")
]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$")]


class AccountsFileQuery(Incoming):
    """Which accounts, all of them, and as of when."""

    kind: AccountKind | None = None
    before_at: Annotated[WrittenAt | None, Field(description="null: now")] = None


class AccountsQuery(PageQuery):
    """Which accounts, and as of when."""

    kind: AccountKind | None = None
    before_at: Annotated[WrittenAt | None, Field(description="null: now")] = None


class AccountOut(Outgoing):
    """What an account holds: debits above zero, credits below."""

    account: str
    kind: str
    holder: str
    balances: list[MoneyOut]


class AccountsOut(Outgoing):
    """A page of accounts with their balances; those of all of them add up to nothing."""

    items: list[AccountOut]
    next: str | None
    names: Annotated[
        dict[str, Names], Field(description="of staff and operators that hold them, by holder")
    ]


class PostingsQuery(PageQuery):
    """The postings of which account, and between which dates."""

    account: AccountName
    currency: Currency = "CNY"
    from_at: WrittenAt | None = None
    before_at: WrittenAt | None = None


class PostingOut(Outgoing):
    """A posting on an account, with what its entry says."""

    entry_id: UUID
    at: Instant
    happened_at: Annotated[
        Instant | None, Field(description="when it happened, where that period was closed by then")
    ]
    kind: str
    subject: UUID
    amount: MoneyOut
    reason: str
    by: str


class PostingsOut(Outgoing):
    """A page of postings, the latest first."""

    items: list[PostingOut]
    next: str | None
    names: Annotated[dict[str, str], Field(description="of staff, by subject")]


class PostingsFileQuery(Incoming):
    """The postings of which account as a file, and between which dates."""

    account: AccountName
    currency: Currency = "CNY"
    from_at: WrittenAt | None = None
    before_at: WrittenAt | None = None


class EntryPostingOut(Outgoing):
    """One side of an entry."""

    account: str
    amount: MoneyOut


class EntryOut(Outgoing):
    """An entry: its postings add up to nothing."""

    id: UUID
    at: Instant
    happened_at: Instant | None
    kind: str
    subject: UUID
    reason: str
    by: str
    reverses: UUID | None
    bill_id: Annotated[UUID | None, Field(description="the bill that it is about")]
    postings: list[EntryPostingOut]
    names: Annotated[dict[str, str], Field(description="of staff, by subject")]
    holders: Annotated[
        dict[str, Names],
        Field(description="of staff and operators that hold the accounts, by holder"),
    ]


class PeriodIn(Incoming):
    """Up to when the ledger is closed."""

    until_at: InstantIn


class PeriodsQuery(Incoming):
    """How many closings, and from where."""

    cursor: InstantIn | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = DEFAULT_PAGE


class PeriodOut(Outgoing):
    """All before an instant is closed."""

    until_at: Instant
    closed_at: Instant
    closed_by: str


class PeriodsOut(Outgoing):
    """What was closed, the latest first."""

    items: list[PeriodOut]
    next: str | None
    names: Annotated[dict[str, str], Field(description="of staff, by subject")]
