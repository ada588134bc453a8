"""The pieces of /readyz, each broken for real."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from city.time import FixedClock
from city.works.database import Database
from city.works.embedded.children import (
    own_folder,
    remove_socket_folder,
    server_account,
    socket_folder,
)
from city.works.embedded.valkey import start_valkey
from city.works.health import (
    disk_check,
    live_store_check,
    mqtt_check,
    postgres_check,
)
from city.works.live import live_store
from city.works.settings import Settings


def test_a_migrated_database_is_ready(database_url: str, clock: FixedClock) -> None:
    database = Database(database_url, clock=clock)
    assert postgres_check(database).ok
    database.close()


def test_a_database_of_another_release_is_not(database_url: str, clock: FixedClock) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("update alembic_version set version_num = '0001_works'")
    database = Database(database_url, clock=clock)
    check = postgres_check(database)
    database.close()
    assert not check.ok
    assert check.detail.startswith("schema is at 0001_works, this release needs ")


def test_an_empty_or_absent_database_is_not(postgres_url: str, clock: FixedClock) -> None:
    for url in (postgres_url, "postgresql://x@127.0.0.1:1/x"):
        database = Database(url, clock=clock)
        assert not postgres_check(database).ok
        database.close()


def test_a_store_without_an_append_only_file_is_not_ready(valkey: redis.Redis) -> None:
    assert live_store_check(valkey).detail == "has no append-only file: set appendonly yes"
    assert not live_store_check(valkey).ok


@pytest.fixture
def durable_store() -> Iterator[redis.Redis]:
    account = server_account()
    folder = socket_folder(account)
    server = start_valkey(own_folder(folder / "var", account), folder, account=account)
    store = live_store(server.url)
    yield store
    store.close()
    store.connection_pool.disconnect()
    server.stop()
    remove_socket_folder(folder)


def test_a_store_with_one_is_ready(durable_store: redis.Redis) -> None:
    assert live_store_check(durable_store).ok


def test_a_store_that_is_not_there_is_not_ready() -> None:
    assert live_store_check(live_store("redis://127.0.0.1:1")).detail == "cannot be reached"


def answering(answer: bytes) -> tuple[str, threading.Thread]:
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with listener, listener.accept()[0] as client:
            assert client.recv(64)[:1] == b"\x10"
            client.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    return f"mqtt://127.0.0.1:{listener.getsockname()[1]}", thread


@pytest.mark.parametrize(
    ("answer", "ok"),
    [
        (bytes.fromhex("20020005"), True),
        (bytes.fromhex("20020000"), True),
        (b"HTTP/1.1 400", False),
    ],
)
def test_a_broker_lives_when_it_answers_as_one_even_with_a_refusal(answer: bytes, ok: bool) -> None:
    url, thread = answering(answer)
    assert mqtt_check(url).ok is ok
    thread.join()


def test_a_broker_that_is_not_there_is_not_ready() -> None:
    assert mqtt_check("mqtt://127.0.0.1:1").detail == "cannot be reached"
    assert mqtt_check("mqtts://127.0.0.1:1").detail == "cannot be reached"


def test_a_disk_below_the_stated_limit_is_not_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GREENBAY_VAR", str(tmp_path))
    assert disk_check(Settings()).ok
    monkeypatch.setenv("GREENBAY_DISK_FREE_LIMIT_MB", "100000000000")
    assert not disk_check(Settings()).ok
