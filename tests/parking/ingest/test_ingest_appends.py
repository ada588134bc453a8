"""Ingest before a real live store and a real registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import redis

from city.errors import Invalid, TooMany, Unavailable
from city.people.actors import SYSTEM
from city.time import to_ms
from city.works.back_pressure import StreamGate
from parking.ingest import Ingest
from parking.rules.sensors.model import RejectReason
from parking.services.devices import register_device, retire_device
from parking.uplinks import Refusal, Uplink, partition_of, uplink_stream
from tests.parking.ingest.small_town import BOSCH, Town, entries

if TYPE_CHECKING:
    from city.time import FixedClock
    from city.works.database import Database
    from parking.placements import Placements

STREAM = "{d:0153}:uplinks:0"
PARKED = "{d:parked}:uplinks:0"
NOW_MS = 1_772_413_200_000


def uplink(key: str = BOSCH, **members: Any) -> Uplink:
    filled: dict[str, Any] = {
        "index": 0,
        "network_key": key,
        "port": 1,
        "frame": b"\x01",
        "at_ms": NOW_MS - 1_000,
        "session": "s1",
        "counter": 7,
        "message_id": None,
        "rssi": -97.0,
        "snr": 7.5,
    }
    return Uplink(**{**filled, **members})


def test_a_known_device_s_frame_goes_raw_into_its_district_s_stream(
    ingest: Ingest, valkey: redis.Redis, town: Town
) -> None:
    device = town.devices[BOSCH].id
    answer = ingest.accept("ttn", [uplink()])
    assert [(each.index, each.state, each.device_id) for each in answer.accepted] == [
        (0, "appended", device)
    ]
    assert entries(valkey, STREAM) == [
        [device.hex, "bosch-tps110", 1, "01", NOW_MS - 1_000, NOW_MS, "s1", 7, None, -97.0, 7.5]
    ]


def test_an_unregistered_device_s_frame_is_parked(ingest: Ingest, valkey: redis.Redis) -> None:
    answer = ingest.accept("ttn", [uplink("ffffffffffffffff", district="0153")])
    assert [(each.state, each.device_id) for each in answer.accepted] == [("parked", None)]
    (entry,) = entries(valkey, PARKED)
    assert entry[:11] == [None, None, 1, "01", NOW_MS - 1_000, NOW_MS, "s1", 7, None, -97.0, 7.5]
    assert entry[11:] == ["ffffffffffffffff", "ttn", "0153"]


def test_a_frame_that_its_codec_rejects_is_rejected_and_kept(
    ingest: Ingest, valkey: redis.Redis
) -> None:
    answer = ingest.accept("ttn", [uplink(frame=b"\x01\x02\x03"), uplink(index=1)])
    assert [(each.index, each.reason) for each in answer.rejected] == [(0, RejectReason.OVERSIZED)]
    assert [each.index for each in answer.accepted] == [1]
    assert [entry[3] for entry in entries(valkey, STREAM)] == ["010203", "01"]


def test_a_time_far_in_the_future_is_replaced_by_the_receipt_s(
    ingest: Ingest, valkey: redis.Redis
) -> None:
    answer = ingest.accept(
        "ttn", [uplink(at_ms=NOW_MS + 120_000), uplink(index=1, at_ms=NOW_MS + 120_001)]
    )
    assert [each.clamped for each in answer.accepted] == [False, True]
    assert [entry[4] for entry in entries(valkey, STREAM)] == [NOW_MS + 120_000, NOW_MS]


def test_an_old_frame_is_accepted_and_marked_late(ingest: Ingest, valkey: redis.Redis) -> None:
    answer = ingest.accept("ttn", [uplink(at_ms=0), uplink(index=1, at_ms=None)])
    assert [each.late for each in answer.accepted] == [True, False]
    assert [entry[4] for entry in entries(valkey, STREAM)] == [0, NOW_MS]


def test_a_device_stays_in_one_partition(
    valkey: redis.Redis, placements: Placements, clock: FixedClock, town: Town
) -> None:
    ingest = Ingest(valkey, placements, clock, partitions=8)
    ingest.accept("ttn", [uplink(counter=n) for n in range(5)])
    stream = uplink_stream("0153", partition_of(town.devices[BOSCH].id, 8))
    assert [entry[7] for entry in entries(valkey, stream)] == [0, 1, 2, 3, 4]


def test_a_device_registered_a_moment_ago_is_known(
    ingest: Ingest, database: Database, valkey: redis.Redis
) -> None:
    ingest.accept("ttn", [uplink()])
    with database.unit_of_work() as uow:
        register_device(uow, SYSTEM, key="AABBCCDDEEFF0011", model="dingtek-do200", district="0154")
    ingest.accept("ttn", [uplink("aabbccddeeff0011")])
    assert len(entries(valkey, "{d:0154}:uplinks:0")) == 1


def test_a_retired_device_s_frames_are_parked(
    ingest: Ingest, database: Database, town: Town
) -> None:
    ingest.accept("ttn", [uplink()])
    with database.unit_of_work() as uow:
        retire_device(uow, SYSTEM, town.devices[BOSCH].id)
    assert [each.state for each in ingest.accept("ttn", [uplink()]).accepted] == ["parked"]


def test_a_full_stream_refuses_and_appends_nothing(
    valkey: redis.Redis, placements: Placements, clock: FixedClock
) -> None:
    ingest = Ingest(valkey, placements, clock, gate=StreamGate(valkey, 3, refresh_s=0.0))
    ingest.accept("ttn", [uplink(counter=1), uplink(counter=2)])
    with pytest.raises(TooMany) as caught:
        ingest.accept("ttn", [uplink(counter=3), uplink(counter=4)])
    assert caught.value.retry_after_s == 5
    assert valkey.xlen(STREAM) == 2


def test_a_full_parked_stream_does_not_stop_known_devices(
    valkey: redis.Redis, placements: Placements, clock: FixedClock
) -> None:
    ingest = Ingest(valkey, placements, clock, gate=StreamGate(valkey, 1, refresh_s=0.0))
    ingest.accept("ttn", [uplink("ffffffffffffffff")])
    answer = ingest.accept("ttn", [uplink("ffffffffffffffff"), uplink(index=1)])
    assert [(each.index, each.reason) for each in answer.rejected] == [(0, Refusal.PARKING_FULL)]
    assert [(each.index, each.state) for each in answer.accepted] == [(1, "appended")]


def test_a_full_disk_refuses(
    valkey: redis.Redis, placements: Placements, clock: FixedClock
) -> None:
    class Full:
        def admit(self) -> None:
            raise Unavailable("the disk is full", retry_after_s=60)

    ingest = Ingest(valkey, placements, clock, room=Full())
    with pytest.raises(Unavailable):
        ingest.accept("ttn", [uplink()])
    assert valkey.xlen(STREAM) == 0


def test_a_live_store_without_memory_refuses(ingest: Ingest, valkey: redis.Redis) -> None:
    valkey.config_set("maxmemory", "1")
    try:
        with pytest.raises(Unavailable):
            ingest.accept("ttn", [uplink()])
    finally:
        valkey.config_set("maxmemory", "0")


def test_a_live_store_that_is_gone_refuses(placements: Placements, clock: FixedClock) -> None:
    gone = redis.Redis(unix_socket_path="/nowhere/valkey.sock")
    with pytest.raises(Unavailable):
        Ingest(gone, placements, clock).accept("ttn", [uplink()])


def test_more_than_a_batch_is_refused(ingest: Ingest) -> None:
    with pytest.raises(Invalid):
        ingest.accept("ttn", [uplink()] * 1_001)


def test_nothing_is_nothing(ingest: Ingest) -> None:
    assert ingest.accept("ttn", []).accepted == ()


def test_time_of_receipt_is_the_business_clock_s(
    ingest: Ingest, valkey: redis.Redis, clock: FixedClock
) -> None:
    clock.advance(90)
    ingest.accept("ttn", [uplink()])
    assert entries(valkey, STREAM)[0][5] == to_ms(clock.now())
