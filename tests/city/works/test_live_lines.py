"""Raw commands over connections kept aside."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import redis

from city.works.live import live_store
from city.works.live_lines import LiveLines

if TYPE_CHECKING:
    from city.works.live_lines import Command


def test_answers_come_raw_and_in_order(valkey: redis.Redis) -> None:
    lines = LiveLines(valkey)
    asked: list[Command] = [("SET", "a", 1), ("GET", b"a"), ("HMGET", "h", "x", "y")]
    assert lines.ask(asked) == [b"OK", b"1", [None, None]]


def test_a_refused_command_is_raised_and_the_connection_goes_on(valkey: redis.Redis) -> None:
    lines = LiveLines(valkey)
    with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
        lines.ask([("SET", "a", "text"), ("XADD", "a", "*", "u", "1"), ("SET", "b", "2")])
    assert lines.ask([("GET", "b")]) == [b"2"]


def test_a_broken_connection_is_opened_again(valkey: redis.Redis) -> None:
    lines = LiveLines(valkey)
    assert lines.ask([("SET", "a", "1")]) == [b"OK"]
    own = lines._idle[0]
    own._sock.close()
    assert lines.ask([("GET", "a")]) == [b"1"]


def test_a_store_that_is_away_is_an_error_each_time() -> None:
    lines = LiveLines(live_store("unix:///nowhere/valkey.sock"))
    for _ in range(2):
        with pytest.raises(redis.ConnectionError):
            lines.ask([("PING",)])


def test_many_threads_share_few_connections(redis_url: str, valkey: redis.Redis) -> None:
    assert valkey.ping()
    store = live_store(redis_url)
    lines = LiveLines(store, most=3)

    def add(number: int) -> object:
        return lines.ask([("RPUSH", "list", number)])[0]

    with ThreadPoolExecutor(16) as pool:
        assert sorted(int(str(each)) for each in pool.map(add, range(200))) == list(range(1, 201))
    assert len(lines._idle) <= 3
    store.connection_pool.disconnect()
