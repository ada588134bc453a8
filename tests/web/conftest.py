"""The application on real embedded servers, with a small site registered."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING, ClassVar

import psycopg
import pytest
from psycopg import sql
from werkzeug.routing import Rule

from city.time import FixedClock, WallClock
from city.vault import key_source
from city.works.back_pressure import DiskGate, StreamGate
from city.works.database import Database
from city.works.live import live_store
from city.works.settings import Settings, settings
from journeys.wiring import EVENT_HANDLERS, Wiring
from parking.adapters.live_store import LiveStore
from parking.ingest import Ingest
from parking.known_places import KnownPlaces
from parking.placements import Placements
from signals.detection_door import DetectionDoor
from tests.conftest import with_database
from tests.web.small_site import NINE, Site, settle
from web.app import ApiApp, create_app
from web.fresh import Answers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import redis

_names = count(1)


class KnownRule(Rule):
    """A route whose addresses are written by functions that are compiled once a process.

    Each application compiles two for each of some hundred routes, which takes most of the time
    that it takes to make one; and each test here makes one.
    """

    _writers: ClassVar[dict[tuple[object, ...], Callable[..., tuple[str, str]]]] = {}

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        key = (self.rule, tuple(self._trace), repr(self.defaults), append_unknown)
        if key not in self._writers:
            self._writers[key] = super()._compile_builder(append_unknown)
        return self._writers[key]


ApiApp.url_rule_class = KnownRule


@contextmanager
def process(database_url: str, redis_url: str, var: Path) -> Iterator[Settings]:
    """Make the test's process one of the demo's, on the test's servers."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "MQTT_URL": "mqtt://127.0.0.1:1",
            "GREENBAY_DEMO": "1",
            "GREENBAY_VAR": str(var),
        }.items():
            patch.setenv(name, value)
        for kept in (settings, key_source):
            kept.cache_clear()
        yield settings()
    for kept in (settings, key_source):
        kept.cache_clear()


@contextmanager
def wired(known: Settings, store: redis.Redis, clock: FixedClock) -> Iterator[Wiring]:
    """Give what the application is built from, with copies that are never stale."""
    wall = WallClock()
    database = Database(
        known.database_address(), clock=clock, wall=wall, handlers=EVENT_HANDLERS, pool_size=8
    )
    placements = Placements(database, refresh_s=0.0)
    yield Wiring(
        settings=known,
        database=database,
        live=store,
        live_store=LiveStore(store, clock),
        clock=clock,
        wall=wall,
        placements=placements,
        places=KnownPlaces(database, refresh_s=0.0),
        ingest=Ingest(store, placements, clock, gate=StreamGate(store, 10_000)),
        detections=DetectionDoor(
            store, database, wall, gate=StreamGate(store, 1_000), room=DiskGate(known.var, 0)
        ),
    )
    database.close()


def site_of(wiring: Wiring, clock: FixedClock) -> Site:
    """Register the small site and give the application before it."""
    home, bays, west, west_bay, devices, tokens = settle(wiring.database)
    app = create_app(wiring)
    # What a test has just brought about shows at once.
    app.extensions["answers"] = Answers(wiring.live_store, wiring.places, sure_s=0)
    return Site(app, wiring, clock, home, bays, west, west_bay, devices, tokens)


@pytest.fixture
def wiring(
    database_url: str, redis_url: str, valkey: redis.Redis, clock: FixedClock, tmp_path: Path
) -> Iterator[Wiring]:
    """Give what the application is built from, of the test's own."""
    with (
        process(database_url, redis_url, tmp_path / "var") as known,
        wired(known, valkey, clock) as built,
    ):
        yield built


@pytest.fixture
def site(wiring: Wiring, clock: FixedClock) -> Site:
    """Give a small site of the test's own."""
    return site_of(wiring, clock)


@pytest.fixture(scope="module")
def shared_site(
    postgres_url: str,
    template_database: str,
    redis_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    """Give a small site that a module's tests share: for what does not depend on the others."""
    name = f"web_{next(_names)}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("create database {} template {} strategy file_copy").format(
                sql.Identifier(name), sql.Identifier(template_database)
            )
        )
        store = live_store(redis_url)
        store.flushall()
        clock = FixedClock(NINE)
        var = tmp_path_factory.mktemp("web") / "var"
        with (
            process(with_database(postgres_url, name), redis_url, var) as known,
            wired(known, store, clock) as built,
        ):
            yield site_of(built, clock)
        store.connection_pool.disconnect()
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
