"""The application on real embedded servers, with a small site registered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from city.time import WallClock
from city.vault import KeyRing, key_source
from city.works.back_pressure import StreamGate
from city.works.database import Database
from city.works.settings import Settings, settings
from journeys.wiring import EVENT_HANDLERS, Wiring
from parking.adapters.live_store import LiveStore
from parking.ingest import Ingest
from parking.known_places import KnownPlaces
from parking.placements import Placements
from tests.web.site import Site, settle
from web.app import create_app

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import redis

    from city.time import FixedClock


@pytest.fixture
def web_settings(
    database_url: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    """Give the settings of a process on the test's servers, in the demo."""
    for name, value in {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "MQTT_URL": "mqtt://127.0.0.1:1",
        "GREENBAY_DEMO": "1",
        "GREENBAY_VAR": str(tmp_path / "var"),
        "VAULT_KEYS": KeyRing({}).with_fresh(1).encode(),
    }.items():
        monkeypatch.setenv(name, value)
    for kept in (settings, key_source):
        kept.cache_clear()
    yield settings()
    for kept in (settings, key_source):
        kept.cache_clear()


@pytest.fixture
def wiring(
    web_settings: Settings, database_url: str, valkey: redis.Redis, clock: FixedClock
) -> Iterator[Wiring]:
    """Give what the application is built from, with copies that are never stale."""
    wall = WallClock()
    database = Database(
        database_url, clock=clock, wall=wall, handlers=EVENT_HANDLERS, pool_size=8
    )
    placements = Placements(database, refresh_s=0.0)
    yield Wiring(
        settings=web_settings,
        database=database,
        live=valkey,
        live_store=LiveStore(valkey, clock),
        clock=clock,
        wall=wall,
        placements=placements,
        places=KnownPlaces(database, refresh_s=0.0),
        ingest=Ingest(valkey, placements, clock, gate=StreamGate(valkey, 10_000)),
    )
    database.close()


@pytest.fixture
def site(wiring: Wiring, clock: FixedClock) -> Site:
    """Give the application with a small site."""
    home, bays, west, west_bay, devices, tokens = settle(wiring.database)
    return Site(create_app(wiring), wiring, clock, home, bays, west, west_bay, devices, tokens)
