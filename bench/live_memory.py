"""A million bays in the live store: bytes a bay, and how long rebuilding takes.

Real servers: an embedded Valkey with its append-only file and an embedded PostgreSQL. Each bay
spoke twice, the last time within the look-back. Three times are taken: filling the store through
folding's guarded write; deriving counts, free set and due instants from the entries again; and
making everything from PostgreSQL after the store was lost whole, beside reading the same rows.

Example
-------
``python -m bench.live_memory --bays 100000``
"""

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import redis
from sqlalchemy import text

from bench.fold import durable_store
from city.identifiers import DistrictCode
from city.time import Clock, FixedClock, from_ms
from city.works import schema
from city.works.collector import steady_collector
from city.works.database import Database
from city.works.embedded.children import (
    own_folder,
    remove_socket_folder,
    server_account,
    socket_folder,
)
from city.works.embedded.postgres import start_postgres
from city.works.logs import configure_logs
from parking.adapters.fold_link import FoldLink, LiveWrite
from parking.adapters.live_keys import district_keys
from parking.placements import Placements
from parking.publishing import KnownBay, publish
from parking.rebuilding import Rebuilder
from parking.rules.occupancy.memory import EMPTY, fold
from parking.rules.occupancy.observations import Observation
from parking.rules.occupancy.policy import DEFAULT_POLICY
from parking.rules.occupancy.stored import Place
from parking.services.stays import apply_bay_changes
from parking.uplinks import uplink_stream

DISTRICT = DistrictCode("0153")
START_MS = 1_772_413_200_000
EARLIER_MS = START_MS - 4 * 3_600_000
"""When each bay became free; it was taken in the 20 minutes before `START_MS`."""
BAYS_A_FACILITY = 200
CHUNK = 1_000
SPREAD_MS = 1_200_000

FILL = """
insert into parking.facility (id, code, district, ownership, kind, name_zh, name_en, longitude,
    latitude, timezone, operator_id, revenue_nature)
select md5('facility' || f)::uuid, 'f' || f, :district, 'public', 'kerb', '街', 'Street', 120.1,
    30.2, 'Asia/Shanghai', md5('operator')::uuid, 'commercial'
from generate_series(0, :facilities) as f;

insert into parking.bay (id, facility_id, district, label, kind, longitude, latitude)
select md5('bay' || n)::uuid, md5('facility' || n / :size)::uuid, :district, n::text, 'standard',
    120.1 + (n % 1000) * 0.0001, 30.2 + (n / 1000) * 0.0001
from generate_series(0, :last) as n;

insert into parking.device (id, network_key, model, district, registered_at, revision)
select md5('device' || n)::uuid, 'd' || n, 'bosch-tps110', :district, :placed, 2
from generate_series(0, :last) as n;

alter table parking.placement drop constraint placement_one_bay_per_device;

alter table parking.placement drop constraint placement_one_primary_per_bay;

insert into parking.placement (id, device_id, device_number, bay_id, bay_number, role, since_at,
    placed_by)
select md5('placement' || n)::uuid, device.id, device.number, bay.id, bay.number, 'primary',
    :placed, 'bench'
from generate_series(0, :last) as n
join parking.device on device.id = md5('device' || n)::uuid
join parking.bay on bay.id = md5('bay' || n)::uuid;

update parking.registry_version set version = 2;

insert into parking.bay_change (bay_id, facility_id, district, changed_at, state, sure,
    observation_key, device_id, recorded_at)
select md5('bay' || n)::uuid, md5('facility' || n / :size)::uuid, :district, :earlier, 'free', 950,
    's1/1', md5('device' || n)::uuid, :earlier
from generate_series(0, :last) as n;

insert into parking.bay_change (bay_id, facility_id, district, changed_at, state, sure,
    observation_key, device_id, recorded_at)
select md5('bay' || n)::uuid, md5('facility' || n / :size)::uuid, :district,
    :now - (n * 7919::bigint % :spread) * interval '1 ms', 'occupied', 950, 's1/2',
    md5('device' || n)::uuid, :now
from generate_series(0, :last) as n;

insert into parking.uplink (received_at, stream, entry_id, district, device_id, model, port, frame,
    device_at, session, counter, verdict)
select :now - (n * 7919::bigint % :spread) * interval '1 ms', :stream, '1-' || n, :district,
    md5('device' || n)::uuid, 'bosch-tps110', 1, '\\x01',
    :now - (n * 7919::bigint % :spread) * interval '1 ms', 's1', 2, 'ok'
from generate_series(0, :last) as n;

analyze parking.bay_change, parking.uplink, parking.placement, parking.device, parking.bay
"""
"""The placements' exclusion constraints are dropped: what is measured here only reads them."""


def hexed(name: str) -> str:
    """Give the identifier that PostgreSQL's md5 makes of the same name."""
    return hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()


@contextmanager
def filled_database(bays: int, clock: Clock) -> Iterator[tuple[Database, float]]:
    """Run PostgreSQL with so many bays, their devices, changes and last frames in it."""
    account = server_account()
    folder = socket_folder(account)
    server = start_postgres(
        own_folder(folder / "var", account), folder, account=account, durable=False
    )
    try:
        schema.upgrade(server.url)
        database = Database(server.url, clock=clock, statement_timeout_s=None)
        begun_s = time.perf_counter()
        values = {
            "district": DISTRICT,
            "facilities": bays // BAYS_A_FACILITY,
            "size": BAYS_A_FACILITY,
            "last": bays - 1,
            "placed": from_ms(EARLIER_MS - 1),
            "earlier": from_ms(EARLIER_MS),
            "now": from_ms(START_MS),
            "spread": SPREAD_MS,
            "stream": uplink_stream(DISTRICT, 0),
        }
        with database.unit_of_work() as uow:
            for statement in FILL.split(";"):
                query = text(statement)
                wanted = {name: values[name] for name in query.compile().params}
                uow.connection.execute(query, wanted)
                done = " ".join(statement.split()[:4])
                note(f"{time.perf_counter() - begun_s:.0f} s: {done}")
        yield database, time.perf_counter() - begun_s
        database.close()
    finally:
        server.stop()
        remove_socket_folder(folder)


def note(message: str) -> None:
    """Tell how far it is."""
    print(message, file=sys.stderr, flush=True)


def seen(number: int, at_ms: int, counter: int) -> Observation:
    """Make a bay's word: free with the first frame, occupied with the second."""
    stale_ms = DEFAULT_POLICY.stale_after_ms
    device = hexed(f"device{number}")
    return Observation(at_ms, "s1", counter, "", device, 0, counter - 1, 950, 0, 0, 0, stale_ms)


def fill_live(live: redis.Redis, bays: int) -> float:
    """Write all bays as folding does; give the seconds."""
    link = FoldLink(live, DISTRICT, [uplink_stream(DISTRICT, 0)])
    link.open()
    begun_s = time.perf_counter()
    for first in range(0, bays, CHUNK):
        write = LiveWrite()
        for number in range(first, min(first + CHUNK, bays)):
            taken_ms = START_MS - number * 7919 % SPREAD_MS
            observations = [seen(number, EARLIER_MS, 1), seen(number, taken_ms, 2)]
            folded = fold(EMPTY, observations, DEFAULT_POLICY, START_MS)
            place = Place(
                hexed(f"facility{number // BAYS_A_FACILITY}"),
                120.1 + number % 1000 * 0.0001,
                30.2 + number // 1000 * 0.0001,
            )
            bay = hexed(f"bay{number}")
            known = KnownBay(EMPTY, None, None)
            publish(bay, known, place, folded, now_ms=START_MS, write=write)
        write.changes.clear()  # they leave the stream within minutes
        link.write(write, {})
        link.written()
    link.finish_rebuilding()
    link.release()
    return time.perf_counter() - begun_s


def measure(bays: int) -> dict[str, object]:
    """Fill, weigh, lose and rebuild."""
    clock = FixedClock(from_ms(START_MS) + timedelta(minutes=1))
    keys = district_keys(DISTRICT)
    with filled_database(bays, clock) as (database, filled_s), durable_store() as any_live:
        live: Any = any_live
        note("filling the live store")
        empty = int(live.info("memory")["used_memory"])
        fill_s = fill_live(live, bays)
        used = int(live.info("memory")["used_memory"]) - empty
        rebuilder = Rebuilder(
            live, database, DISTRICT, Placements(database), clock, apply=apply_bay_changes
        )
        note("deriving")
        live.delete(keys.counts, keys.free, keys.due)
        derived = rebuilder.rebuild()
        states = live.hgetall(keys.counts)
        note("rebuilding from PostgreSQL")
        live.flushall()
        made = rebuilder.rebuild()
        same = live.hgetall(keys.counts) == states
        floor_s = read_floor_s(database)
    return {
        "bays": bays,
        "bytes_per_bay": round(used / bays),
        "fill_s": round(fill_s, 1),
        "derive_s": derived.seconds,
        "rebuild_s": made.seconds,
        "floor_s": round(floor_s, 1),
        "rebuild_bays_per_s": round(bays / made.seconds),
        "made": made.made,
        "unknown": made.unknown,
        "corrected": made.corrected,
        "same_counts": same,
        "database_fill_s": round(filled_s),
        "note": "floor = reading the same changes and frames out of PostgreSQL, not folded",
    }


def read_floor_s(database: Database) -> float:
    """Give the seconds that it takes to read what a rebuilding reads, whole and unsorted."""
    begun_s = time.perf_counter()
    with database.read() as connection:
        rows = 0
        for table in ("bay_change", "uplink"):
            rows += len(connection.execute(text(f"select * from parking.{table}")).all())  # noqa: S608 - our own names
    note(f"{rows} rows read")
    return time.perf_counter() - begun_s


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bays", type=int, default=1_000_000)
    parser.add_argument("--json", action="store_true", help="always on")
    options = parser.parse_args()
    configure_logs("WARNING", process="bench")
    steady_collector()
    result = measure(options.bays)
    print(json.dumps(result))
    return 0 if result["same_counts"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
