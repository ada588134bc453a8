"""Saying no in time."""

from pathlib import Path

import pytest
import redis

from city.errors import TooMany, Unavailable
from city.works.back_pressure import DiskGate, StreamGate, free_bytes
from city.works.live import live_store

STREAM = "{d:0153}:uplinks:0"


def test_a_stream_takes_entries_up_to_its_limit_and_not_one_more(valkey: redis.Redis) -> None:
    gate = StreamGate(valkey, 10)
    valkey.xadd(STREAM, {"u": b"1"})
    gate.admit(STREAM, 9)
    with pytest.raises(TooMany) as caught:
        gate.admit(STREAM)
    assert caught.value.retry_after_s == 5


def test_a_batch_past_the_limit_is_refused_whole(valkey: redis.Redis) -> None:
    gate = StreamGate(valkey, 10)
    with pytest.raises(TooMany):
        gate.admit(STREAM, 11)
    gate.admit(STREAM, 10)


def test_a_drained_stream_takes_entries_again(valkey: redis.Redis) -> None:
    gate = StreamGate(valkey, 1, refresh_s=0)
    entry = valkey.xadd(STREAM, {"u": b"1"})
    with pytest.raises(TooMany):
        gate.admit(STREAM)
    valkey.xdel(STREAM, entry)
    gate.admit(STREAM)


def test_each_stream_has_its_own_room(valkey: redis.Redis) -> None:
    gate = StreamGate(valkey, 1)
    gate.admit(STREAM)
    gate.admit("{d:0154}:uplinks:0")


def test_a_store_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        StreamGate(live_store("redis://127.0.0.1:1"), 10).admit(STREAM)


def test_a_disk_with_room_takes_writes_and_a_full_one_does_not(tmp_path: Path) -> None:
    DiskGate(tmp_path, 1).admit()
    with pytest.raises(Unavailable, match="disk is full") as caught:
        DiskGate(tmp_path, free_bytes(tmp_path) * 2).admit()
    assert caught.value.retry_after_s == 60


def test_the_room_of_a_folder_that_is_not_there_yet_is_its_parents(tmp_path: Path) -> None:
    assert free_bytes(tmp_path / "a" / "b") > 0
