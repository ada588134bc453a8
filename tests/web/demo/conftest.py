"""A demo city prepared once, and a copy of it for each test."""

from __future__ import annotations

import shutil
from itertools import count
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from city.time import FixedClock
from city.works.database import Database
from tests.web.conftest import process
from tests.web.demo.prepared_city import WALL_AT, Prepared, demo_settings, with_database
from web.demo.prepare import prepare

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
