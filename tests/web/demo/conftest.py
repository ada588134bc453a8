"""A demo city prepared once, and a copy of it for each test."""

from __future__ import annotations

import shutil
from itertools import count
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql

from city.time import FixedClock
from city.vault import key_source
from city.works.database import Database
from city.works.settings import settings
from journeys import wiring as composition
from tests.web.conftest import process
from tests.web.demo.prepared_city import WALL_AT, Prepared, demo_settings, with_database
from tests.web.demo.street import WALKER, Street, served
from web.demo.prepare import prepare
from web.demo.secrets_file import read_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PREPARED = "greenbay_demo_template"
_names = count(1)


@pytest.fixture
def wall() -> FixedClock:
    """Give the machine's clock, standing."""
    return FixedClock(WALL_AT)


@pytest.fixture(scope="session")
def prepared_once(
    postgres_url: str, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str]:
    """Prepare one city for the session; give its folder and what was shown."""
    var = tmp_path_factory.mktemp("demo") / "var"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("create database {} template {}").format(
                sql.Identifier(PREPARED), sql.Identifier(template_database)
            )
        )
    url = with_database(postgres_url, PREPARED)
    # The vault's keys come from the process's own settings.
    with process(url, "redis://127.0.0.1:1", var):
        said = prepare(demo_settings(url, var), FixedClock(WALL_AT))
    return var, said


@pytest.fixture
def city(
    postgres_url: str, prepared_once: tuple[Path, str], tmp_path: Path, wall: FixedClock
) -> Iterator[Prepared]:
    """Give a prepared city of the test's own."""
    var, said = prepared_once
    name = f"demo_{next(_names)}"
    shutil.copytree(var, tmp_path / "var")
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("create database {} template {}").format(
                sql.Identifier(name), sql.Identifier(PREPARED)
            )
        )
        url = with_database(postgres_url, name)
        database = Database(url, clock=wall, wall=wall, pool_size=2)
        yield Prepared(demo_settings(url, tmp_path / "var"), database, wall, said)
        database.close()
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def street(city: Prepared, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Street]:
    monkeypatch.setenv("DATABASE_URL", city.settings.database_address())
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("MQTT_URL", "mqtt://127.0.0.1:1")
    monkeypatch.setenv("GREENBAY_VAR", str(city.settings.var))
    monkeypatch.setenv("GREENBAY_DEMO", "1")
    for kept in (settings, key_source):
        kept.cache_clear()
    wiring = composition.build("test")
    token = read_secrets(city.settings.var).attendant_tokens[WALKER.login]
    with served(wiring) as origin:
        yield Street(wiring, origin, token, [])
    wiring.database.close()
    clock: Any = wiring.clock
    clock._setting._database.close()
    wiring.live.close()
    wiring.live.connection_pool.disconnect()
    for kept in (settings, key_source):
        kept.cache_clear()
