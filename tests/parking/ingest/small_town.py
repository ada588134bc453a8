"""A small town to register: one kerb, four bays, two devices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from city.identifiers import DistrictCode, OperatorId, uuid7
from city.places import Position
from parking.services.places import Bay, Facility

if TYPE_CHECKING:
    import redis

    from parking.services.devices import NewDevice

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


def entries(store: redis.Redis, stream: str) -> list[list[Any]]:
    """Give what a stream holds, each entry as its array."""
    found: Any = store.xrange(stream)
    return [orjson.loads(fields[b"u"]) for _, fields in found]
