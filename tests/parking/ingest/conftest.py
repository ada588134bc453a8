"""A small registered town, and the ingest before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from city.people.actors import SYSTEM
from parking.ingest import Ingest
from parking.placements import Placements
from parking.services.devices import NewDevice, record_devices
from parking.services.places import record_places
from tests.parking.ingest.small_town import BOSCH, EAST, NWAVE, Town, bays_of, facility

if TYPE_CHECKING:
    import redis

    from city.time import FixedClock
    from city.works.database import Database


@pytest.fixture
def town(database: Database) -> Town:
    home = facility()
    bays = bays_of(home, 4)
    devices = {
        BOSCH: NewDevice(BOSCH, "bosch-tps110", EAST, bays[0].id),
        NWAVE: NewDevice(NWAVE, "nwave-nps405", EAST, bays[1].id),
    }
    with database.unit_of_work() as uow:
        record_places(uow, [home], bays)
        record_devices(uow, SYSTEM, list(devices.values()))
    return Town(home, bays, devices)


@pytest.fixture
def placements(database: Database, town: Town) -> Placements:
    assert town.devices
    return Placements(database, refresh_s=0.0)


@pytest.fixture
def ingest(valkey: redis.Redis, placements: Placements, clock: FixedClock) -> Ingest:
    return Ingest(valkey, placements, clock)
