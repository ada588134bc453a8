"""The archive, the partitions, the replay of parked frames; and the tables as Core sees them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import redis
from sqlalchemy import inspect, text

from city.errors import Unavailable
from city.people.actors import SYSTEM
from parking.services.devices import adopt_device, unknown_devices
from parking.store import tables, telemetry
from parking.store.partitions import drop_partitions, make_partitions
from parking.store.sightings import UnknownSighting, record_unknown
from parking.store.telemetry import BayChange, KeptUplink, RewrittenHistory
from parking.telemetry_jobs import keep_partitions, replay_parked
from parking.uplinks import PARKED_STREAM
from tests.parking.ingest.small_town import EAST, Town, entries
from tests.waiting import eventually

if TYPE_CHECKING:
    from city.time import FixedClock
    from city.works.database import Database


def kept(at: datetime, entry_id: str = "1-0", key: str = "feed", counter: int = 1) -> KeptUplink:
    return KeptUplink(
        stream=PARKED_STREAM,
        entry_id=entry_id,
        district="parked",
        device_id=None,
        network_key=key,
        source="ttn",
        model=None,
        port=1,
        frame=b"\x95",
        device_at=at,
        received_at=at,
        session="s",
        counter=counter,
        message_id=None,
        rssi=-90.0,
        snr=None,
        verdict="unknown_device",
    )


def test_the_migration_and_the_tables_agree(database: Database) -> None:
    with database.read() as connection:
        inspector = inspect(connection)
        for table in tables.metadata.sorted_tables:
            found = {
                column["name"]: column["nullable"]
                for column in inspector.get_columns(table.name, schema="parking")
            }
            stated = {c.name: bool(c.nullable) for c in table.columns if c.computed is None}
            assert {name: found[name] for name in stated} == stated
            assert set(found) == {c.name for c in table.columns}


def test_an_entry_is_archived_once(database: Database, clock: FixedClock) -> None:
    frames = [kept(clock.now()), kept(clock.now(), "2-0")]
    with database.unit_of_work() as uow:
        assert len(telemetry.keep_uplinks(uow.connection, frames[:1])) == 1
        assert telemetry.keep_uplinks(uow.connection, frames) == {(PARKED_STREAM, "2-0")}


def test_partitions_are_made_ahead_and_dropped_after_retention(
    database: Database, clock: FixedClock
) -> None:
    with database.unit_of_work() as uow:
        telemetry.keep_uplinks(uow.connection, [kept(clock.now())])  # into the default partition
    made, dropped = keep_partitions(database)
    assert made == (
        "uplink_20260302",
        "uplink_20260303",
        "uplink_20260304",
        "uplink_20260305",
        "bay_change_202603",
    )
    assert dropped == ()
    assert keep_partitions(database) == ((), ())
    with database.unit_of_work() as uow:
        moved = uow.connection.execute(text("select count(*) from parking.uplink_20260302"))
        assert moved.scalar_one() == 1
        gone = drop_partitions(uow.connection, now=clock.now() + timedelta(days=91))
        assert gone == ("uplink_20260302",)
        left = uow.connection.execute(text("select count(*) from parking.uplink")).scalar_one()
        assert left == 0


def test_a_frame_that_comes_while_its_partition_is_made_is_kept_in_it(
    database: Database, clock: FixedClock
) -> None:
    with database.unit_of_work() as uow:
        telemetry.keep_uplinks(uow.connection, [kept(clock.now())])
    with ThreadPoolExecutor(1) as other:
        with database.unit_of_work() as uow:
            make_partitions(uow.connection, now=clock.now())
            coming = other.submit(keep_again, database, clock)
            assert eventually(lambda: someone_waits_for_a_lock(database))
        coming.result(timeout=60)
    with database.read() as connection:
        found = connection.execute(text("select count(*) from parking.uplink_20260302"))
        assert found.scalar_one() == 2


def keep_again(database: Database, clock: FixedClock) -> None:
    """Keep another frame of the same moment."""
    with database.unit_of_work() as uow:
        telemetry.keep_uplinks(uow.connection, [kept(clock.now(), "2-0", counter=2)])


def someone_waits_for_a_lock(database: Database) -> bool:
    """Say whether a session waits for another one's lock."""
    with database.read() as connection:
        found = connection.execute(
            text(
                "select count(*) from pg_stat_activity"
                " where datname = current_database() and wait_event_type = 'Lock'"
            )
        )
        return bool(found.scalar_one())


def test_a_month_s_partition_ends_with_the_month(database: Database) -> None:
    with database.unit_of_work() as uow:
        made = make_partitions(uow.connection, now=datetime(2026, 12, 30, tzinfo=UTC))
    assert [name for name in made if "change" in name] == ["bay_change_202612", "bay_change_202701"]


def test_a_rewritten_history_replaces_its_tail_alone(
    database: Database, town: Town, clock: FixedClock
) -> None:
    bay, start = town.bays[0], clock.now()

    def change(after_s: int, state: str) -> BayChange:
        at = start + timedelta(seconds=after_s)
        return BayChange(bay.id, bay.facility_id, EAST, at, state, 900, f"{after_s}", None)  # type: ignore[arg-type] # states as text

    def after(seconds: int, *changes: BayChange) -> RewrittenHistory:
        return RewrittenHistory(bay.id, start + timedelta(seconds=seconds), changes)

    with database.unit_of_work() as uow:
        telemetry.rewrite_histories(
            uow.connection,
            [
                after(0, change(0, "free"), change(10, "occupied"), change(20, "free")),
                after(15, change(18, "unknown"), change(30, "free")),
            ],
            recorded_at=start,
        )
        telemetry.rewrite_histories(
            uow.connection, [after(30, change(40, "occupied"))], recorded_at=start
        )
        rows = uow.connection.execute(
            text("select observation_key, state from parking.bay_change order by changed_at")
        )
        assert [tuple(row) for row in rows] == [
            ("0", "free"),
            ("10", "occupied"),
            ("18", "unknown"),
            ("40", "occupied"),
        ]


def test_a_stream_s_position_moves(database: Database, clock: FixedClock) -> None:
    with database.unit_of_work() as uow:
        assert telemetry.position(uow.connection, "s", "archive") is None
        for entry_id in ("5-0", "9-1"):
            telemetry.move_position(uow.connection, "s", "archive", entry_id, at=clock.now())
        assert telemetry.position(uow.connection, "s", "archive") == "9-1"


def adopt_feed(database: Database, clock: FixedClock, frames: int) -> None:
    """Park frames as the archive does, and adopt their device."""
    now = clock.now()
    with database.unit_of_work() as uow:
        telemetry.keep_uplinks(
            uow.connection,
            [
                kept(now + timedelta(seconds=n), f"{n + 1}-0", counter=n)
                for n in reversed(range(frames))
            ],
        )
        record_unknown(
            uow.connection, [UnknownSighting("feed", "ttn", None, now, 1, b"\x95", None, None)]
        )
    with database.unit_of_work() as uow:
        (unknown,) = unknown_devices(uow.connection).items
        adopt_device(uow, SYSTEM, unknown.id, model="nwave-nps405", district="0153")


def job_arguments(database: Database) -> list[dict[str, str]]:
    with database.read() as connection:
        return list(connection.execute(text("select args from procrastinate_jobs")).scalars())


def test_parked_frames_of_an_adopted_device_are_replayed_once_in_order(
    database: Database, clock: FixedClock, valkey: redis.Redis
) -> None:
    adopt_feed(database, clock, 3)
    (arguments,) = job_arguments(database)
    assert replay_parked(database, valkey, arguments) == 3
    assert replay_parked(database, valkey, arguments) == 0
    replayed = entries(valkey, "{d:0153}:uplinks:0")
    assert [(entry[1], entry[3], entry[7]) for entry in replayed] == [
        ("nwave-nps405", "95", 0),
        ("nwave-nps405", "95", 1),
        ("nwave-nps405", "95", 2),
    ]


def test_a_replay_waits_for_the_archive_of_what_was_parked(
    database: Database, clock: FixedClock, valkey: redis.Redis
) -> None:
    last = valkey.xadd(PARKED_STREAM, {"u": "[]"})
    assert isinstance(last, bytes)
    adopt_feed(database, clock, 1)
    (arguments,) = job_arguments(database)
    assert replay_parked(database, valkey, arguments) == 1
    assert [each.get("upto") for each in job_arguments(database)] == [None, last.decode()]
    with database.unit_of_work() as uow:
        telemetry.move_position(
            uow.connection, PARKED_STREAM, "archive", last.decode(), at=clock.now()
        )
    assert replay_parked(database, valkey, job_arguments(database)[1]) == 0
    assert len(job_arguments(database)) == 2


def test_a_replay_without_a_live_store_is_tried_again(
    database: Database, clock: FixedClock
) -> None:
    adopt_feed(database, clock, 1)
    (arguments,) = job_arguments(database)
    with pytest.raises(Unavailable):
        replay_parked(database, redis.Redis(unix_socket_path="/nowhere/valkey.sock"), arguments)
