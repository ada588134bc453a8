"""Figures on growing histories: building their counts, keeping them up, and asking for them.

Histories of 3 000 bays in 100 facilities grow longer: 10 changes and 5 stays a bay and day. Beside
everything stands the floor: counting the rows of the same history once, in the same run. What a
question costs has to follow the facilities and hours that it asks for and not the history behind
them; what is extrapolated to 100 million changes is called so.

Example
-------
``python -m bench.figures --changes 100000 1000000``
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import time
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from city.time import FixedClock
from city.works import schema
from city.works.database import Database
from city.works.embedded.children import (
    own_folder,
    remove_socket_folder,
    server_account,
    socket_folder,
)
from city.works.embedded.postgres import start_postgres
from journeys.count_collections import count_collections
from journeys.draw_figures import draw
from parking.services import figures
from parking.services.figures import Grouping, Wanted
from parking.store.partitions import PARTITIONED, ensure_partition

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

BAYS = 3_000
BAYS_A_FACILITY = 30
A_DAY = 10
"""Changes a bay and day."""
SIZES = (100_000, 1_000_000, 10_000_000)
TARGET = 100_000_000
END = datetime(2026, 10, 31, 16, tzinfo=UTC)
"""Midnight on the street, and the end of every history."""
LAST_DAY = date(2026, 10, 31)
REPEATS = 5

PLACES = """
insert into parking.facility (id, code, district, ownership, kind, name_zh, name_en, longitude,
    latitude, timezone, operator_id, revenue_nature)
select md5('facility' || f)::uuid, 'f' || f, '0153', 'public', 'kerb', '街', 'Street', 120.1,
    30.2, 'Asia/Shanghai', md5('operator')::uuid, 'commercial'
from generate_series(0, :facilities - 1) as f;

insert into parking.bay (id, facility_id, district, label, kind, longitude, latitude)
select md5('bay' || n)::uuid, md5('facility' || n / :size)::uuid, '0153', n::text, 'standard',
    120.1 + (n % 60) * 0.0001, 30.2 + (n / 60) * 0.0001
from generate_series(0, :bays - 1) as n;

alter table parking.parking_session drop constraint parking_session_no_overlap
"""
"""The stays' exclusion constraint is dropped: what is measured here only reads them."""

# The nth change of a bay comes n steps after the beginning, moved by up to half a step; every 25th
# is a silence. A stay lies between an arrival and the change after it.
HISTORY = """
insert into parking.bay_change (bay_id, facility_id, district, changed_at, state, sure,
    observation_key, device_id, recorded_at)
select md5('bay' || b)::uuid, md5('facility' || b / :size)::uuid, '0153', at,
    case when n % 25 = 24 then 'unknown' when n % 2 = 0 then 'free' else 'occupied' end, 950,
    n::text, case when n % 25 <> 24 then md5('device' || b)::uuid end,
    at + ((b * 31 + n * 17) % 4000) * interval '1 ms'
from generate_series(0, :bays - 1) as b, generate_series(:first, :last - 1) as n,
    lateral (select :begun + (n + ((b * 7919 + n * 104729) % 1000) / 2000.0) * :step) as t (at)
"""

STAYS = """
insert into parking.parking_session (id, bay_id, bay_number, facility_id, district, opened_at,
    closed_at, state, vehicle_id, attached_at, opened_evidence, closing_reason)
select gen_random_uuid(), c.bay_id, b.number, c.facility_id, '0153', c.changed_at, c.until_at,
    case when c.until_at is null then 'open' when c.seen then 'closed' else 'unattributed' end,
    case when c.seen then md5('car' || (b.number * 13 + c.n) % 100000)::uuid end,
    case when c.seen then c.changed_at end, c.n::text,
    case when c.until_at is not null then 'departure' end
from (select bay_id, facility_id, changed_at, state, observation_key::bigint as n,
          lead(changed_at) over (partition by bay_id order by changed_at) as until_at,
          observation_key::bigint % 10 <> 3 as seen
      from parking.bay_change where changed_at >= :from_at and changed_at < :until_at) c
join parking.bay b on b.id = c.bay_id where c.state = 'occupied' and c.until_at is not null
"""


def fill(database: Database, days: int) -> int:
    """Write a history of so many days, and its stays; give the number of its changes."""
    begun = END - timedelta(days=days)
    step = timedelta(days=1) / A_DAY
    with database.unit_of_work() as uow:
        for statement in PLACES.split(";\n\n"):
            uow.connection.execute(
                text(statement),
                {
                    "facilities": BAYS // BAYS_A_FACILITY,
                    "size": BAYS_A_FACILITY,
                    "bays": BAYS,
                }
                if ":" in statement
                else {},
            )
        for n in range(days + 1):
            ensure_partition(uow.connection, PARTITIONED[1], begun + timedelta(days=n))
    for day in range(0, days, 10):
        until = min(day + 10, days)
        with database.unit_of_work() as uow:
            uow.connection.execute(
                text(HISTORY),
                {
                    "bays": BAYS,
                    "size": BAYS_A_FACILITY,
                    "first": day * A_DAY,
                    "last": until * A_DAY,
                    "begun": begun,
                    "step": step,
                },
            )
            uow.connection.execute(
                text(STAYS),
                {
                    "from_at": begun + timedelta(days=day),
                    "until_at": begun + timedelta(days=until),
                },
            )
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum analyze"))
    return days * A_DAY * BAYS


def seconds(run: Callable[[], object], repeats: int = REPEATS) -> float:
    """Give the median of how long something takes."""
    taken = []
    for _ in range(repeats):
        begun = time.perf_counter()
        run()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def measured(changes: int) -> dict[str, Any]:
    """Measure one size, on servers of its own."""
    days = max(1, changes // (BAYS * A_DAY))
    account = server_account()
    folder = socket_folder(account)
    postgres = start_postgres(
        own_folder(folder / "var", account),
        folder,
        account=account,
        log=folder / "postgres.log",
    )
    clock = FixedClock(END)
    try:
        schema.upgrade(postgres.url)
        database = Database(postgres.url, clock=clock, statement_timeout_s=None)
        try:
            rows = fill(database, days)
            return {"changes": rows, "days": days, **_measure(database, days)}
        finally:
            database.close()
    finally:
        postgres.stop()
        remove_socket_folder(folder)


def _measure(database: Database, days: int) -> dict[str, Any]:
    def scan() -> None:
        with database.read() as connection:
            connection.execute(text("set max_parallel_workers_per_gather = 0"))
            connection.execute(text("select count(state) from parking.bay_change"))

    floor_s = seconds(scan, 3)
    begun = time.perf_counter()
    counted = figures.keep_counts(database, patience_s=math.inf)
    build_s = time.perf_counter() - begun
    count_collections(database)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(
            text(
                "vacuum analyze parking.figure_hour, parking.figure_facility_day,"
                " parking.figure_day"
            )
        )
    minute_s = seconds(lambda: _mark(database, END - timedelta(minutes=1)), 3)
    late_s = seconds(lambda: _mark_one(database, END - timedelta(days=min(days, 3))), 3)

    def asked(grouping: Grouping, back: int) -> float:
        wanted = Wanted(LAST_DAY - timedelta(days=back - 1), LAST_DAY + timedelta(days=1))

        def run() -> None:
            with database.read() as connection:
                draw(connection, wanted, grouping, now=END)

        return seconds(run)

    return {
        "floor_count_s": round(floor_s, 4),
        "build_s": round(build_s, 2),
        "build_changes_per_s": round(days * A_DAY * BAYS / build_s),
        "build_over_floor": round(build_s / floor_s, 1),
        "facility_days": counted.facility_days,
        "a_minute_of_the_city_s": round(minute_s, 3),
        "a_late_frame_3_days_back_s": round(late_s, 3),
        "ask_s": {
            "day_by_hour": round(asked(Grouping.HOUR, 1), 4),
            "week_by_hour_of_day": round(asked(Grouping.HOUR_OF_DAY, 7), 4),
            "month_by_day": round(asked(Grouping.DAY, 30), 4),
            "month_by_facility": round(asked(Grouping.FACILITY, 30), 4),
            "year_by_day": round(asked(Grouping.DAY, 366), 4),
        },
        "month_by_day_over_floor": round(asked(Grouping.DAY, 30) / floor_s, 3),
        "bytes": _bytes(database),
    }


def _mark(database: Database, at: datetime) -> None:
    """Count what a minute makes: every facility changed just now."""
    with database.unit_of_work() as uow:
        uow.connection.execute(
            text(
                "insert into parking.figure_mark (facility_id, from_at)"
                " select id, :at from parking.facility"
            ),
            {"at": at},
        )
    figures.keep_counts(database, patience_s=math.inf)


def _mark_one(database: Database, at: datetime) -> None:
    """Count what one late frame makes."""
    with database.unit_of_work() as uow:
        uow.connection.execute(
            text(
                "insert into parking.figure_mark (facility_id, from_at)"
                " select id, :at from parking.facility order by id limit 1"
            ),
            {"at": at},
        )
    figures.keep_counts(database, patience_s=math.inf)


def _bytes(database: Database) -> dict[str, int]:
    with database.read() as connection:
        return {
            table: int(
                connection.execute(
                    text(
                        "select coalesce(sum(pg_total_relation_size(relid)), 0)"
                        " from pg_partition_tree(cast(:table as regclass))"
                    ),
                    {"table": f"parking.{table}"},
                ).scalar_one()
            )
            for table in ("bay_change", "figure_hour", "figure_facility_day", "figure_day")
        }


def extrapolated(results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Draw the last step's growth on to `TARGET`: a guess, and called one."""
    last = results[-1]
    found: dict[str, Any] = {"changes": TARGET, "from": last["changes"]}
    times = TARGET / last["changes"]
    found["build_s"] = round(last["build_s"] * times)
    found["floor_count_s"] = round(last["floor_count_s"] * times, 1)
    found["ask_s"] = {
        name: value
        for name, value in last["ask_s"].items()
        if last["days"] >= {"year_by_day": 366}.get(name, 30)
    }
    return found


def main() -> int:
    """Measure every size and print one object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--changes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--json", action="store_true", help="the default, and all there is")
    arguments = parser.parse_args()
    results = [measured(changes) for changes in arguments.changes]
    print(
        json.dumps(
            {
                "bays": BAYS,
                "facilities": BAYS // BAYS_A_FACILITY,
                "sizes": results,
                "extrapolated": extrapolated(results),
            }
        )
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
