"""Frames into PostgreSQL, changes into history and stays: each once, streams trimmed behind."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import text

from city.time import to_ms
from parking.adapters.streams import changes_stream
from parking.archiving import Archive
from parking.folding import Folder
from parking.recording import Recorder
from parking.services.stays import apply_bay_changes
from parking.uplinks import PARKED_STREAM, Uplink, uplink_stream
from tests.parking.ingest.small_town import BOSCH, EAST, NWAVE

if TYPE_CHECKING:
    import redis
    from sqlalchemy import Connection

    from city.identifiers import DistrictCode
    from city.time import FixedClock
    from city.works.database import Database
    from parking.ingest import Ingest
    from parking.placements import Placements
    from tests.parking.ingest.small_town import Town

STREAM = uplink_stream(EAST, 0)


def districts() -> tuple[DistrictCode, ...]:
    return (EAST,)


def uplink(key: str, frame: bytes, counter: int, clock: FixedClock, port: int = 1) -> Uplink:
    at_ms = to_ms(clock.now())
    return Uplink(0, key, port, frame, at_ms, "s1", counter, None, -92.0, 8.5)


def rows(connection: Connection, statement: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in connection.execute(text(statement))]


def test_a_frame_is_archived_once_however_often_the_archive_reads_it(
    ingest: Ingest, valkey: redis.Redis, database: Database, clock: FixedClock
) -> None:
    ingest.accept("ttn", [uplink(BOSCH, b"\x01", 7, clock)])
    archive = Archive(valkey, database, districts)
    assert archive.follow_all() == 1
    assert archive.follow_all() == 0
    with database.read() as connection:
        kept = rows(connection, "select model, port, frame, counter, verdict from parking.uplink")
        assert kept == [("bosch-tps110", 1, b"\x01", 7, "ok")]
        seen = rows(connection, "select rssi, counter from parking.device where rssi is not null")
        assert seen == [(-92.0, 7)]


def test_two_archives_that_read_the_same_entries_keep_them_once(
    ingest: Ingest, valkey: redis.Redis, database: Database, clock: FixedClock
) -> None:
    ingest.accept("ttn", [uplink(BOSCH, b"\x01", 1, clock)])
    first = Archive(valkey, database, districts)
    assert first.step(block_ms=None) == 1
    # A second one that read before the first was done finds its position moved.
    with database.unit_of_work() as uow:
        uow.connection.execute(text("delete from parking.stream_position"))
    second = Archive(valkey, database, districts)
    second.step(block_ms=None)
    with database.read() as connection:
        assert rows(connection, "select count(*) from parking.uplink") == [(1,)]


def test_a_frame_that_the_codec_rejects_is_kept_with_its_verdict(
    ingest: Ingest, valkey: redis.Redis, database: Database, clock: FixedClock
) -> None:
    answer = ingest.accept("ttn", [uplink(BOSCH, b"\x01\x02\x03", 1, clock)])
    assert len(answer.rejected) == 1
    Archive(valkey, database, districts).follow_all()
    with database.read() as connection:
        assert rows(connection, "select frame, verdict <> 'ok' from parking.uplink") == [
            (b"\x01\x02\x03", True)
        ]


def test_an_unregistered_device_is_listed_with_its_last_frame(
    ingest: Ingest, valkey: redis.Redis, database: Database, clock: FixedClock
) -> None:
    ingest.accept("ttn", [uplink("24e124fffe0000ff", b"\x01", n, clock) for n in (1, 2)])
    archive = Archive(valkey, database, districts)
    archive.follow_all()
    archive.follow_all()
    with database.read() as connection:
        found = rows(
            connection, "select network_key, frames, last_frame from parking.unknown_device"
        )
        assert found == [("24e124fffe0000ff", 2, b"\x01")]
    assert valkey.xlen(PARKED_STREAM) == 0


def test_a_stream_is_trimmed_only_below_what_folding_and_archive_both_hold(
    ingest: Ingest,
    valkey: redis.Redis,
    database: Database,
    placements: Placements,
    clock: FixedClock,
) -> None:
    ingest.accept("ttn", [uplink(BOSCH, b"\x01", n, clock) for n in range(3)])
    archive = Archive(valkey, database, districts)
    archive.follow_all()
    assert valkey.xlen(STREAM) == 3
    Folder(valkey, EAST, placements, clock).fold_all()
    ingest.accept("ttn", [uplink(BOSCH, b"\x00", 3, clock)])
    archive.follow_all()
    assert valkey.xlen(STREAM) == 1


def test_an_arrival_and_a_departure_become_a_history_and_one_stay(
    ingest: Ingest,
    valkey: redis.Redis,
    database: Database,
    placements: Placements,
    town: Town,
    clock: FixedClock,
) -> None:
    recorder = Recorder(valkey, database, districts, apply_bay_changes)
    folder = Folder(valkey, EAST, placements, clock)
    clock.advance(60)
    ingest.accept("ttn", [uplink(BOSCH, b"\x01", 1, clock)])
    folder.fold_all()
    assert recorder.follow_all() > 0
    arrived_at = clock.now()
    clock.advance(3600)
    ingest.accept("ttn", [uplink(BOSCH, b"\x00", 2, clock)])
    folder.fold_all()
    recorder.follow_all()
    left_at = clock.now()
    with database.read() as connection:
        history = rows(
            connection, "select state, changed_at from parking.bay_change order by changed_at"
        )
        stays = rows(
            connection, "select bay_id, opened_at, closed_at, state from parking.parking_session"
        )
    assert history == [("occupied", arrived_at), ("free", left_at)]
    bay = town.devices[BOSCH].bay_id
    assert stays == [(bay, arrived_at, left_at, "unattributed")]


def test_changes_recorded_twice_leave_the_same_history_and_stays(
    ingest: Ingest,
    valkey: redis.Redis,
    database: Database,
    placements: Placements,
    clock: FixedClock,
) -> None:
    recorder = Recorder(valkey, database, districts, apply_bay_changes)
    folder = Folder(valkey, EAST, placements, clock)
    for counter, frame in enumerate((b"\x01", b"\x00", b"\x01")):
        clock.advance(1800)
        ingest.accept("ttn", [uplink(BOSCH, frame, counter, clock)])
        folder.fold_all()
    recorder.follow_all()
    statement = "select bay_id, opened_at, closed_at, state from parking.parking_session order by 2"
    with database.unit_of_work() as uow:
        once = rows(uow.connection, statement)
        # A killed recorder whose position was lost begins the stream again.
        uow.connection.execute(text("delete from parking.stream_position"))
    assert recorder.follow_all() > 0
    with database.read() as connection:
        assert rows(connection, statement) == once
    assert len(once) == 2


def test_an_entry_that_is_no_change_is_passed_over(
    valkey: redis.Redis, database: Database, town: Town
) -> None:
    assert town.devices
    valkey.xadd(changes_stream(EAST), {"c": b"not json"})
    recorder = Recorder(valkey, database, districts, apply_bay_changes)
    assert recorder.follow_all() == 1
    assert recorder.follow_all() == 0


def test_recorded_changes_stay_ten_minutes_for_the_live_pages(
    ingest: Ingest,
    valkey: redis.Redis,
    database: Database,
    placements: Placements,
    clock: FixedClock,
) -> None:
    ingest.accept("ttn", [uplink(NWAVE, b"\x95", 1, clock)])
    Folder(valkey, EAST, placements, clock).fold_all()
    Recorder(valkey, database, districts, apply_bay_changes).follow_all()
    assert valkey.xlen(changes_stream(EAST)) > 0
    old = database.wall.now() + timedelta(minutes=11)
    database.wall = type(clock)(old)
    ingest.accept("ttn", [uplink(NWAVE, b"\x94", 2, clock)])
    Folder(valkey, EAST, placements, clock).fold_all()
    Recorder(valkey, database, districts, apply_bay_changes).follow_all()
    assert valkey.xlen(changes_stream(EAST)) == 0
