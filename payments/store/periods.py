"""Periods of the ledger that are closed, and what every account held when they were."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import BigInteger, Column, Connection, Table, Text, func, insert, select, text

from payments.store import tables

period = Table(
    "period",
    tables.metadata,
    Column("until_at", tables.INSTANT, primary_key=True),
    Column("closed_at", tables.INSTANT, nullable=False),
    Column("closed_by", Text, nullable=False),
)
period_balance = Table(
    "period_balance",
    tables.metadata,
    Column("account", Text, primary_key=True),
    Column("currency", Text, primary_key=True),
    Column("until_at", tables.INSTANT, primary_key=True),
    Column("minor", BigInteger, nullable=False),
)

# Writers hold `row exclusive` until they commit: this waits for them, and they for this.
_HOLD: Final = text("lock table payments.entry, payments.posting in share row exclusive mode")
_KEEP: Final = text(
    "insert into payments.period_balance (account, currency, until_at, minor)"
    " select account, currency, :until_at, sum(minor) from ("
    "  select account, currency, minor from payments.period_balance where until_at = :last_at"
    "  union all"
    "  select account, currency, minor from payments.posting"
    "   where at < :until_at and (cast(:last_at as timestamptz) is null or at >= :last_at)"
    ") as held group by account, currency"
)


@dataclass(frozen=True, slots=True)
class Period:
    """All up to an instant is closed: nothing is posted before it any more."""

    until_at: datetime
    closed_at: datetime
    closed_by: str


def hold_ledger(connection: Connection) -> None:
    """Let nobody post until this transaction ends; those that post now end first."""
    connection.execute(_HOLD)


def last_closed_at(connection: Connection) -> datetime | None:
    """Say up to when the ledger is closed."""
    found: datetime | None = connection.execute(select(func.max(period.c.until_at))).scalar_one()
    return found


def close(connection: Connection, closed: Period, last_at: datetime | None) -> None:
    """Close all up to an instant, and keep every account's balance: two statements.

    Cost grows with the accounts, and with the postings since the last closing.
    """
    connection.execute(
        insert(period).values(
            until_at=closed.until_at, closed_at=closed.closed_at, closed_by=closed.closed_by
        )
    )
    connection.execute(_KEEP, {"until_at": closed.until_at, "last_at": last_at})


def periods(
    connection: Connection, after: datetime | None, limit: int
) -> tuple[list[Period], datetime | None]:
    """Give what was closed, the latest first, and the last one's instant where more follow."""
    query = select(period).order_by(period.c.until_at.desc()).limit(limit + 1)
    if after is not None:
        query = query.where(period.c.until_at < after)
    found = [
        Period(row["until_at"], row["closed_at"], row["closed_by"])
        for row in connection.execute(query).mappings()
    ]
    return found[:limit], found[limit - 1].until_at if len(found) > limit else None
