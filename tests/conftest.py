"""Real servers for every test: an embedded PostgreSQL and Valkey a session, fresh data a test."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import hypothesis
import psycopg
import pytest
import redis
from psycopg import sql

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
from city.works.embedded.valkey import start_valkey
from city.works.live import live_store

TEMPLATE = "greenbay_template"


# Laws are tried on the same examples each time, so that what passed here passes there; new ones
# are searched for with HYPOTHESIS_PROFILE=search. How long one takes says nothing about a law.
hypothesis.settings.register_profile("same", deadline=None, derandomize=True)
hypothesis.settings.register_profile("search", deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


TOGETHER = ("browser", "faults", "demo")
"""Folders whose tests share one running system or one town: one process runs each."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say which tests one process runs: those of a file, and of a folder that shares a system.

    First of all, so that xdist finds the marks. The folders come first: they take longest.
    """
    folders = [next((part for part in TOGETHER if part in item.path.parts), "") for item in items]
    for item, folder in zip(items, folders, strict=True):
        item.add_marker(pytest.mark.xdist_group(folder or item.nodeid.partition("::")[0]))
    items[:] = [
        item
        for _, item in sorted(
            zip(folders, items, strict=True),
            key=lambda each: TOGETHER.index(each[0]) if each[0] else len(TOGETHER),
        )
    ]


@pytest.fixture(scope="session")
def server_folder() -> Iterator[Path]:
    """Give a short private folder that the servers' account can reach (also as root)."""
    folder = socket_folder(server_account())
    yield folder
    remove_socket_folder(folder)


@pytest.fixture(scope="session")
def postgres_url(server_folder: Path) -> Iterator[str]:
    """Run one embedded PostgreSQL for the session, without its crash safety."""
    account = server_account()
    server = start_postgres(
        own_folder(server_folder / "var", account),
        server_folder,
        account=account,
        log=server_folder / "postgres.log",
        durable=False,
    )
    yield server.url
    server.stop()


@pytest.fixture(scope="session")
def redis_url(server_folder: Path) -> Iterator[str]:
    """Run one embedded Valkey for the session, in memory."""
    account = server_account()
    server = start_valkey(
        own_folder(server_folder / "var", account),
        server_folder,
        account=account,
        log=server_folder / "valkey.log",
        durable=False,
    )
    yield server.url
    server.stop()


def with_database(url: str, name: str) -> str:
    """Return `url` with another database name."""
    address, _, query = url.partition("?")
    return f"{address.rpartition('/')[0]}/{name}?{query}"


@pytest.fixture(scope="session")
def template_database(postgres_url: str) -> str:
    """Migrate one database for the session; each test gets a copy of it."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(TEMPLATE)))
    schema.upgrade(with_database(postgres_url, TEMPLATE))
    return TEMPLATE


_names = count(1)


@pytest.fixture
def database_url(postgres_url: str, template_database: str) -> Iterator[str]:
    """Give a fresh migrated database of the test's own, by its address."""
    name = f"test_{next(_names)}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("create database {} template {}").format(
                sql.Identifier(name), sql.Identifier(template_database)
            )
        )
        yield with_database(postgres_url, name)
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def empty_database_url(postgres_url: str) -> Iterator[str]:
    """Give a fresh database without a schema, by its address."""
    name = f"empty_{next(_names)}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        yield with_database(postgres_url, name)
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def clock() -> FixedClock:
    """Give a clock that stands at Monday 2 March 2026, 09:00 in Shanghai."""
    return FixedClock(datetime(2026, 3, 2, 1, tzinfo=UTC))


@pytest.fixture
def database(database_url: str, clock: FixedClock) -> Iterator[Database]:
    """Give a fresh migrated database of the test's own."""
    opened = Database(database_url, clock=clock, pool_size=2)
    yield opened
    opened.close()


@pytest.fixture
def valkey(redis_url: str) -> Iterator[redis.Redis]:
    """Give an empty live store."""
    store = live_store(redis_url)
    store.flushall()
    yield store
    store.close()
    store.connection_pool.disconnect()
