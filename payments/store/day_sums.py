"""What each account changed by on each day: told by who posts, folded set-wise, added up.

A balance is what was kept when the last period was closed, the sums of whole days since, what of
them is told and not folded yet, and the postings of the part of a day at either end. One statement,
so one snapshot: a row that the fold moves is seen before or after it, never twice or not at all;
and who commits late, or posts into the past, brings what it changed along with its postings.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Date,
    Identity,
    Select,
    Table,
    Text,
    func,
    select,
    text,
    union_all,
)

from city.money import Money
from payments.rules.day_sums import SumDifference
from payments.rules.days import begin_of, reach
from payments.store import tables
from payments.store.periods import period, period_balance
from payments.store.tables import account, posting

Codes = Sequence[str] | Select[tuple[str]]
"""Accounts' names, or a query that gives them."""

day_sum = Table(
    "day_sum",
    tables.metadata,
    Column("account", Text, primary_key=True),
    Column("currency", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("minor", BigInteger, nullable=False),
)
day_delta = Table(
    "day_delta",
    tables.metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("account", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("minor", BigInteger, nullable=False),
)

# Two that fold at once take different rows; in one order, so that neither waits for the other's.
_FOLD: Final = text(
    "with taken as ("
    " delete from payments.day_delta where id in ("
    "  select id from payments.day_delta order by id limit :most for update skip locked)"
    " returning account, currency, day, minor),"
    " added as ("
    " insert into payments.day_sum as kept (account, currency, day, minor)"
    " select account, currency, day, sum(minor) from taken"
    " group by account, currency, day order by account, currency, day"
    " on conflict (account, currency, day) do update set minor = kept.minor + excluded.minor)"
    " select count(*) from taken"
)
_HOLD: Final = text(
    "lock table payments.posting, payments.day_delta, payments.day_sum in share row exclusive mode"
)
_REBUILD: Final = text(
    "insert into payments.day_sum (account, currency, day, minor)"
    " select account, currency, payments.day_of(at), sum(minor) from payments.posting"
    " group by account, currency, payments.day_of(at)"
)
# Of some accounts, both tellings in one snapshot: postings added up plainly, and by the sums. What
# lies before `from_day` is one figure (day null): at the closing it was kept by an account of its
# own making.
_DIFFERING: Final = text(
    "with posted as ("
    " select account, currency, cast(null as date) as day, minor from payments.period_balance"
    "  where until_at = cast(:closed_at as timestamptz) and account = any(:codes)"
    " union all"
    " select account, currency,"
    "  case when at >= coalesce(cast(:from_at as timestamptz), '-infinity')"
    "  then payments.day_of(at) end, sum(minor) from payments.posting"
    "  where account = any(:codes)"
    "  and at >= coalesce(cast(:closed_at as timestamptz), '-infinity') group by 1, 2, 3),"
    " told as ("
    " select account, currency,"
    "  case when day >= coalesce(cast(:from_day as date), '-infinity') then day end as day, minor"
    "  from payments.day_sum where account = any(:codes)"
    " union all"
    " select account, currency,"
    "  case when day >= coalesce(cast(:from_day as date), '-infinity') then day end, minor"
    "  from payments.day_delta where account = any(:codes)),"
    " plain as (select account, currency, day, sum(minor) as minor from posted group by 1, 2, 3),"
    " kept as (select account, currency, day, sum(minor) as minor from told group by 1, 2, 3)"
    " select coalesce(p.account, k.account) as account, coalesce(p.currency, k.currency)"
    "  as currency, coalesce(p.day, k.day) as day, coalesce(p.minor, 0) as posted,"
    "  coalesce(k.minor, 0) as told"
    " from plain p full join kept k on k.account = p.account and k.currency = p.currency"
    "  and coalesce(k.day, '-infinity') = coalesce(p.day, '-infinity')"
    " where coalesce(p.minor, 0) <> coalesce(k.minor, 0) order by 1, 2, 3"
)


def held(
    connection: Connection, before_at: datetime | None, codes: Codes | None = None
) -> list[tuple[str, Money]]:
    """Give what accounts hold by currency, as of an instant: two statements.

    Notes
    -----
    Index-only scans: of an account's days since the last closing, what was told since the last
    fold (a minute), and the postings of two parts of a day at most.
    """
    closed_at = _closed_at(connection, before_at)
    return [
        (row.account, Money(int(row.minor), row.currency))
        for row in connection.execute(_held(closed_at, before_at, codes))
    ]


def held_together(connection: Connection, codes: Codes) -> list[Money]:
    """Give what accounts hold together now, by currency: added up where they lie."""
    each = _held(_closed_at(connection, None), None, codes).order_by(None).subquery()
    whole = (
        select(each.c.currency, func.sum(each.c.minor).label("minor"))
        .group_by(each.c.currency)
        .order_by(each.c.currency)
    )
    return [Money(int(row.minor), row.currency) for row in connection.execute(whole)]


def _closed_at(connection: Connection, before_at: datetime | None) -> datetime | None:
    closed = select(func.max(period.c.until_at))
    if before_at is not None:
        closed = closed.where(period.c.until_at <= before_at)
    found: datetime | None = connection.execute(closed).scalar_one()
    return found


def _held(
    closed_at: datetime | None, before_at: datetime | None, codes: Codes | None
) -> Select[Any]:
    covered = reach(closed_at, before_at)
    parts: list[Select[Any]] = []

    def add(table: Table, *conditions: Any) -> None:
        minor = func.sum(table.c.minor).label("minor")
        part = select(table.c.account, table.c.currency, minor).where(*conditions)
        if codes is not None:
            part = part.where(table.c.account.in_(codes))
        parts.append(part.group_by(table.c.account, table.c.currency))

    if closed_at is not None:
        add(period_balance, period_balance.c.until_at == closed_at)
    for days in (day_sum, day_delta):
        whole = []
        if covered.from_day is not None:
            whole.append(days.c.day >= covered.from_day)
        if covered.before_day is not None:
            whole.append(days.c.day < covered.before_day)
        add(days, *whole)
    for from_at, until_at in covered.spans:
        add(posting, posting.c.at >= from_at, posting.c.at < until_at)
    every = union_all(*parts).subquery()
    return (
        select(every.c.account, every.c.currency, func.sum(every.c.minor).label("minor"))
        .group_by(every.c.account, every.c.currency)
        .order_by(every.c.account, every.c.currency)
    )


def fold(connection: Connection, most: int) -> int:
    """Move what was told into the sums, so many rows at most; give how many. One statement."""
    found: int = connection.execute(_FOLD, {"most": most}).scalar_one()
    return found


def rebuild(connection: Connection) -> None:
    """Make the sums anew from all postings, while nobody posts: cost grows with these."""
    connection.execute(_HOLD)
    connection.execute(text("delete from payments.day_delta"))
    connection.execute(text("delete from payments.day_sum"))
    connection.execute(_REBUILD)


def accounts_after(connection: Connection, after: str, most: int) -> list[str]:
    """Give the names of accounts in order, so many at most."""
    query = select(account.c.code).where(account.c.code > after).order_by(account.c.code)
    return list(connection.execute(query.limit(most)).scalars())


def differing(
    connection: Connection, codes: Sequence[str], closed_at: datetime | None
) -> list[SumDifference]:
    """Give the days of some accounts whose sums are not what is posted: one statement.

    Parameters
    ----------
    connection : Connection
    codes : sequence of str
    closed_at : datetime or None
        What lies before this closing is held together against what was kept then. None: every
        posting is added up.

    Notes
    -----
    An index-only scan of these accounts' postings since `closed_at`.
    """
    from_day = None if closed_at is None else reach(closed_at, None).from_day
    from_at = None if from_day is None else begin_of(from_day)
    rows = connection.execute(
        _DIFFERING,
        {"codes": list(codes), "closed_at": closed_at, "from_day": from_day, "from_at": from_at},
    )
    return [
        SumDifference(
            row.account,
            row.day,
            Money(int(row.posted), row.currency),
            Money(int(row.told), row.currency),
        )
        for row in rows
    ]
