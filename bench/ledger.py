"""An account's balance in a ledger of millions of postings, by the statements that give it.

A balance is the sums of an account's days, and the postings of the part of a day that an instant
cuts off. So neither the years before should cost, nor the open period, but the number of days and
one day: the ledger is built over three years with more and more postings, and with a last day as
large as twice the mean of 50 million in three years, and what a minute's commits tell is not folded
yet. Nothing is closed first, then all but the last month. The rows are made by PostgreSQL itself,
set-wise, in the real tables with the real indexes; triggers rest meanwhile, and the sums are made
by our own code. Then tables are vacuumed, as its own vacuum does by and by.

The busiest account has three in ten of all postings: the channel that six in ten pay through.

Example
-------
``python -m bench.ledger --postings 1000000 2000000 4000000``
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import psycopg
from sqlalchemy import event

from bench._site import bench_site
from city.people.actors import system_actor
from payments import balances
from payments.rules.ledger import Account, AccountKind
from payments.store import day_sums, ledger, periods
from payments.store.periods import Period

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from city.works.database import Database, UnitOfWork

TARGET_MS: Final = 50.0
LAST_DAY: Final = 91_000
"""Postings of a day, twice as many as the mean of 50 million in three years."""
TOLD: Final = 10_000
"""Rows that were told and not folded yet: of a minute with a hundred commits and more a second."""
HOLDERS: Final = 400
BEGUN_AT: Final = datetime(2023, 1, 1, tzinfo=UTC)
CLOSED_AT: Final = datetime(2025, 12, 1, tzinfo=UTC)
DAY_AT: Final = datetime(2025, 12, 31, 16, tzinfo=UTC)
"""Where the last day begins in China."""
DAY: Final = timedelta(days=1)
ASKED: Final = 20

_TABLES: Final = ("account", "entry", "posting", "period", "period_balance")
_TELL: Final = """
insert into payments.day_delta (account, currency, day, minor)
select account, currency, payments.day_of(at), minor from payments.posting
where at >= %(from_at)s order by at desc limit %(told)s
"""
_ACCOUNTS: Final = """
insert into payments.account (code, kind, holder, opened_at)
select 'receivable:' || n, 'receivable', n::text, %(at)s from generate_series(0, %(holders)s - 1) n
union all select 'clearing:' || c, 'clearing', c, %(at)s
from unnest(array['wechat', 'alipay', 'unionpay']) c
"""
_ENTRIES: Final = """
insert into payments.entry (id, at, kind, subject, reason, written_by)
select lpad(to_hex(n), 32, '0')::uuid,
    %(from_at)s + (n - %(first)s) * (%(until_at)s::timestamptz - %(from_at)s) / %(count)s,
    'payment', md5(n::text)::uuid, 'paid online', 'bench'
from generate_series(%(first)s::bigint, %(first)s + %(count)s - 1) n
"""
_POSTINGS: Final = """
insert into payments.posting (entry_id, place, account, minor, currency, at)
select e.id, p.place,
    case when p.place = 1 then 'receivable:' || (n %% %(holders)s)
        when n %% 10 < 6 then 'clearing:wechat' when n %% 10 < 9 then 'clearing:alipay'
        else 'clearing:unionpay' end,
    case p.place when 0 then 1 else -1 end * (100 + n %% 5000), 'CNY', e.at
from generate_series(%(first)s::bigint, %(first)s + %(count)s - 1) n
join payments.entry e on e.id = lpad(to_hex(n), 32, '0')::uuid
cross join (values (0), (1)) p (place)
"""


def build(
    connection: psycopg.Connection, first: int, count: int, from_at: datetime, until_at: datetime
) -> None:
    """Write so many entries of two postings, spread evenly over some time."""
    given = {
        "first": first,
        "count": count,
        "from_at": from_at,
        "until_at": until_at,
        "holders": HOLDERS,
    }
    connection.execute(_ENTRIES, given)
    connection.execute(_POSTINGS, given)


def close_books(database: Database) -> float:
    """Close all before the open month, as the finance desk does; give how long it took."""
    begun = time.perf_counter()
    with database.unit_of_work() as uow:
        periods.hold_ledger(uow.connection)
        periods.close(uow.connection, Period(CLOSED_AT, uow.wall.now(), "bench"), None)
    return time.perf_counter() - begun


def ask(database: Database, account: Account, before_at: datetime | None = None) -> float:
    """Ask for a balance; give how long the answer took, in milliseconds."""
    with database.read() as connection:
        begun = time.perf_counter()
        held = ledger.balance(connection, account, before_at)
        took_ms = (time.perf_counter() - begun) * 1e3
    assert held["CNY"].minor
    return took_ms


def plan(database: Database, account: Account, before_at: datetime | None) -> list[dict[str, Any]]:
    """Give how PostgreSQL finds what a balance is made of: of the very statement."""
    said: list[tuple[str, Any]] = []

    def note(*call: Any) -> None:
        said.append((call[2], call[3]))

    with database.read() as connection:
        event.listen(connection, "before_cursor_execute", note)
        ledger.balance(connection, account, before_at)
        event.remove(connection, "before_cursor_execute", note)
        (summed,) = [each for each in said if "day_sum" in each[0]]
        found = connection.exec_driver_sql(
            "explain (analyze, format json) " + summed[0], summed[1]
        ).scalar_one()
    return list(_scans(found[0]["Plan"]))


def _scans(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for each in node.get("Plans", ()):
        yield from _scans(each)
    if "Relation Name" in node:
        yield {
            "node": node["Node Type"],
            "of": node["Relation Name"],
            "index": node.get("Index Name"),
            "rows": round(node["Actual Rows"] * node["Actual Loops"]),
            "heap_fetches": node.get("Heap Fetches"),
        }


def measure(database: Database) -> dict[str, Any]:
    """Ask for the busiest account, and for others, now and as of nearly the last day's end."""
    busiest = Account(AccountKind.CLEARING, "wechat")
    late = DAY_AT + DAY * 0.98
    ask(database, busiest)
    taken = [ask(database, busiest) for _ in range(ASKED)]
    as_of = [ask(database, busiest, late) for _ in range(ASKED)]
    others = [
        ask(database, Account(AccountKind.RECEIVABLE, str(number * 7)), late)
        for number in range(ASKED)
    ]
    return {
        "busiest_ms": round(statistics.median(taken), 1),
        "busiest_longest_ms": round(max(taken), 1),
        "busiest_as_of_a_day_s_end_ms": round(statistics.median(as_of), 1),
        "one_of_400_as_of_ms": round(statistics.median(others), 1),
        "plan": plan(database, busiest, None),
        "plan_as_of": plan(database, busiest, late),
    }


def timed(database: Database, act: Callable[[UnitOfWork], Any]) -> tuple[Any, float]:
    """Do something in a transaction without a limit of time; give how many seconds it took."""
    begun = time.perf_counter()
    with database.unit_of_work() as uow:
        uow.connection.exec_driver_sql("set local statement_timeout = 0")
        done = act(uow)
    return done, round(time.perf_counter() - begun, 1)


def run(sizes: Sequence[int]) -> dict[str, Any]:
    """Measure with more and more postings before the same last day."""
    figures: list[dict[str, Any]] = []
    actor = system_actor("bench")
    with bench_site(0) as site, psycopg.connect(site.database_url, autocommit=True) as connection:
        for table in _TABLES:
            connection.execute(f"alter table payments.{table} disable trigger all")
        connection.execute(_ACCOUNTS, {"at": BEGUN_AT, "holders": HOLDERS})
        build(connection, 1, LAST_DAY // 2, DAY_AT, DAY_AT + DAY)
        first, built = 1 + LAST_DAY // 2, 0
        for size in sizes:
            build(connection, first, (size - built) // 2, BEGUN_AT, DAY_AT)
            first, built = first + (size - built) // 2, size
            connection.execute("truncate payments.period_balance, payments.period")
            _, summing_s = timed(site.database, lambda uow: day_sums.rebuild(uow.connection))
            # What they tell is in the sums already: it makes a balance wrong, and as slow.
            checked, checking_s = timed(
                site.database, lambda uow: balances.check(uow, actor, whole=True).summary
            )
            connection.execute(_TELL, {"from_at": DAY_AT, "told": TOLD})
            for table in ("posting", "day_sum", "day_delta"):
                connection.execute(f"vacuum (analyze) payments.{table}")
            unclosed = measure(site.database)
            closing_s = close_books(site.database)
            connection.execute("vacuum (analyze) payments.period_balance")
            closed = measure(site.database)
            begun = time.perf_counter()
            folded = balances.fold(site.database)
            folding_s = time.perf_counter() - begun
            figures.append(
                {
                    "postings": size + LAST_DAY,
                    "nothing_closed": unclosed,
                    "closed_but_a_month": closed,
                    "summing_all_s": summing_s,
                    "checking_all_s": checking_s,
                    "differences": checked["differences"],
                    "closing_s": round(closing_s, 1),
                    "folding": {"rows": folded, "s": round(folding_s, 2)},
                }
            )
    return {
        "sizes": figures,
        "last_day_postings": LAST_DAY,
        "longest_median_ms": max(
            each[state][asked]
            for each in figures
            for state in ("nothing_closed", "closed_but_a_month")
            for asked in ("busiest_ms", "busiest_as_of_a_day_s_end_ms")
        ),
        "target_ms": TARGET_MS,
    }


def main(arguments: Sequence[str]) -> int:
    """Print one JSON object; fail where a balance takes longer than it may, or reads a table."""
    line = argparse.ArgumentParser(description=__doc__)
    line.add_argument("--postings", type=int, nargs="+", default=[1_000_000, 2_000_000, 4_000_000])
    line.add_argument("--json", action="store_true", help="always on")
    result = run(sorted(line.parse_args(arguments).postings))
    print(json.dumps(result))
    scans = [
        scan
        for each in result["sizes"]
        for state in ("nothing_closed", "closed_but_a_month")
        for of in ("plan", "plan_as_of")
        for scan in each[state][of]
    ]
    # What a minute told is a few pages: of these PostgreSQL may as well read all.
    only = all(scan["node"] == "Index Only Scan" for scan in scans if scan["of"] != "day_delta")
    return 0 if only and result["longest_median_ms"] <= TARGET_MS else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
