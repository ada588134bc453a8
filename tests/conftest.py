"""Real servers for every test: an embedded PostgreSQL and Valkey a session, fresh data a test."""

import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import hypothesis
import psycopg
import pytest
import redis
from psycopg import sql
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from city.time import FixedClock
from city.works import schema
from city.works.database import Database
from city.works.embedded.children import (
    PRIVATE_PREFIX,
    own_folder,
    remove_socket_folder,
    server_account,
)
from city.works.embedded.postgres import start_postgres
from city.works.embedded.valkey import start_valkey
from city.works.live import live_store
from tests.quick_files import quick_folder

TEMPLATE = "greenbay_template"


# Laws are tried on the same examples each time, so that what passed here passes there; new ones
# are searched for with HYPOTHESIS_PROFILE=search. How long one takes says nothing about a law.
hypothesis.settings.register_profile("same", deadline=None, derandomize=True)
hypothesis.settings.register_profile("search", deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


TOGETHER = ("browser", "faults", "demo")
"""Folders whose tests share one running system or one town: one process runs each."""
LONGEST_FILE = "test_openapi_fuzz.py"


class FolderScheduling(LoadScopeScheduling):
    """Give one process the tests of a file, or of a folder that shares a system.

    `--dist=loadgroup` would do, but its groups are lost with pytest 9.2's ids of tests.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return next((part for part in TOGETHER if part in file.split("/")), file)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the folders that share a system, and the longest file: they take longest."""
    order = {part: at for at, part in enumerate((*TOGETHER, LONGEST_FILE))}
    items.sort(key=lambda item: min((order.get(part, 99) for part in item.path.parts), default=99))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> FolderScheduling:
    """Say which tests one process runs."""
    return FolderScheduling(config, log)


@pytest.fixture(scope="session")
def server_folder() -> Iterator[Path]:
    """Give a short private folder that the servers' account can reach (also as root)."""
    made = tempfile.mkdtemp(prefix=PRIVATE_PREFIX, dir=quick_folder())
    folder = own_folder(Path(made), server_account())
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
            sql.SQL("create database {} template {} strategy file_copy").format(
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
