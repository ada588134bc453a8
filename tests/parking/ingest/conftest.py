"""A small registered town, and the ingest before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from city.identifiers import DistrictCode, OperatorId, uuid7
from city.people.actors import SYSTEM
from city.places import Position
from parking.ingest import Ingest
from parking.placements import Placements
from parking.services.devices import NewDevice, record_devices
from parking.services.places import Bay, Facility, record_places

if TYPE_CHECKING:
    import redis

    from city.time import FixedClock
    from city.works.database import Database

EAST = DistrictCode("0153")
WEST = DistrictCode("0154")
BOSCH = "24e124fffe000001"
NWAVE = "24e124fffe000002"


@dataclass(frozen=True)
class Town:
    facility: Facility
    bays: list[Bay]
    devices: dict[str, NewDevice]


def facility(code: str = "riverside", district: DistrictCode = EAST) -> Facility:
    return Facility(
        code=code,
        district=district,
        ownership="public",
        kind="kerb",
        name_zh="滨河路",
        name_en="Riverside Road",
        position=Position(121.47, 31.23),
        timezone="Asia/Shanghai",
        operator_id=OperatorId(uuid7()),
        revenue_nature="public_non_tax",
    )


def bays_of(home: Facility, count: int) -> list[Bay]:
    return [
        Bay(home.id, home.district, f"A{n:03}", "standard", home.position.moved(6 * n, 0), 90.0)
        for n in range(count)
    ]


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
