"""The live store writes before it answers, however busy the disk is."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
import redis

from city.works.embedded.children import (
    own_folder,
    remove_socket_folder,
    server_account,
    socket_folder,
)
from city.works.embedded.valkey import Valkey, start_valkey
from city.works.live import live_store

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.faults

SENDERS, BATCH, KILLS = 4, 20, 3
BURNT_BYTES = 32 * 1024 * 1024


class Store:
    """A durable store that can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._account = server_account()
        self.server = self.start()

    def start(self) -> Valkey:
        var = own_folder(self._folder / "var", self._account)
        self.server = start_valkey(var, self._folder, account=self._account)
        return self.server


@pytest.fixture
def store() -> Iterator[Store]:
    folder = socket_folder(server_account())
    made = Store(folder)
    yield made
    made.server.stop()
    remove_socket_folder(folder)


@pytest.fixture
def busy_disk(tmp_path: Path) -> Iterator[None]:
    """Keep the disk at work: then an fsync takes long, and everything behind it waits."""
    stop = threading.Event()

    def burn() -> None:
        block = os.urandom(1024 * 1024)
        with (tmp_path / "burnt").open("wb", buffering=0) as file:
            while not stop.is_set():
                file.seek(0)
                for _ in range(BURNT_BYTES // len(block)):
                    file.write(block)
                os.fsync(file.fileno())

    thread = threading.Thread(target=burn)
    thread.start()
    yield
    stop.set()
    thread.join()


def test_the_store_never_keeps_back_what_it_answered(store: Store) -> None:
    live = live_store(store.server.url)
    found: Any = live.config_get("append*")
    live.connection_pool.disconnect()
    # `everysec` answers while it keeps writes back for its own fsync.
    assert (found["appendonly"], found["appendfsync"]) == ("yes", "no")


@pytest.mark.usefixtures("busy_disk")
def test_a_killed_store_holds_everything_that_it_acknowledged(store: Store) -> None:
    random = Random(20260302)  # noqa: S311 - moments, no secret
    acknowledged = [0] * SENDERS

    def send(number: int, url: str) -> None:
        live = redis.Redis.from_url(url, retry=None)
        try:
            while True:
                pipeline = live.pipeline(transaction=False)
                for _ in range(BATCH):
                    pipeline.xadd(f"uplinks:{number}", {"u": b"x" * 180})
                pipeline.execute()
                acknowledged[number] += BATCH
        except redis.RedisError:
            live.connection_pool.disconnect()

    for _ in range(KILLS):
        threads = [
            threading.Thread(target=send, args=(number, store.server.url))
            for number in range(SENDERS)
        ]
        for thread in threads:
            thread.start()
        threading.Event().wait(random.uniform(0.9, 1.6))
        store.server.process.kill()
        store.server.process.wait()
        for thread in threads:
            thread.join()
        live = live_store(store.start().url)
        kept = [int(live.xlen(f"uplinks:{number}")) for number in range(SENDERS)]
        live.connection_pool.disconnect()
        assert [n for n in range(SENDERS) if kept[n] < acknowledged[n]] == []
        acknowledged = kept


def test_a_sync_reaches_the_file_that_the_store_appends_to(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    monkeypatch.setattr(
        os, "fdatasync", lambda file: synced.append(Path(f"/proc/self/fd/{file}").readlink().name)
    )
    store.server.sync()
    assert synced == ["appendonly.aof.1.incr.aof"]
