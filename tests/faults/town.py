"""A town to send from: two districts, thousands of bays, devices of every model that can be built.

Some bays have two devices, some devices were moved, some fall silent, some never speak, and a few
are not registered at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal

from city.identifiers import DistrictCode, OperatorId, uuid7
from city.people.actors import SYSTEM
from city.people.services import issue_token
from city.places import Position
from parking.rules.sensors.frames import BUILDERS
from parking.rules.sensors.wxhs import P_MD
from parking.services.devices import NewDevice, place_device, record_devices
from parking.services.places import Bay, Facility, record_places

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from city.works.database import Database

Way = Literal["ttn", "chirpstack", "ctwing", "mqtt"]

DISTRICTS: Final = (DistrictCode("0153"), DistrictCode("0154"))
BRIDGE: Final = "network-bridge"
BAYS_A_FACILITY: Final = 125
SECOND_EVERY, MOVED_EVERY, SILENT_EVERY, DUMB_EVERY = 20, 97, 31, 211
STRANGERS: Final = 3
LORAWAN: Final = tuple(model for model in BUILDERS if model != P_MD.model)
LORAWAN_WAYS: Final[tuple[Way, ...]] = ("ttn", "chirpstack", "mqtt")


@dataclass(frozen=True, slots=True)
class Sensor:
    """A device, its way to us, and the bays that it has lain in."""

    network_key: str
    model: str
    way: Way
    district: DistrictCode
    device: NewDevice | None
    """None where nobody registered it."""
    lain: tuple[tuple[int, Bay], ...]
    """Event time in ms from which on it lay in a bay, the latest first."""

    def bay_at(self, at_ms: int) -> Bay | None:
        """Give the bay that it lay in."""
        return next((bay for since_ms, bay in self.lain if since_ms <= at_ms), None)


@dataclass(frozen=True, slots=True)
class Spot:
    """A bay with what senses it, as traffic is planned for it."""

    number: int
    sensors: tuple[Sensor, ...]
    silent: bool
    """Speaks at the beginning only."""


@dataclass(frozen=True, slots=True)
class Town:
    """What was registered."""

    facilities: tuple[Facility, ...]
    bays: tuple[Bay, ...]
    spots: tuple[Spot, ...]
    strangers: tuple[Sensor, ...]
    moved_ms: int
    token: str

    def sensors(self) -> list[Sensor]:
        """Give all registered sensors."""
        return [sensor for spot in self.spots for sensor in spot.sensors]


def _facilities(count: int) -> list[Facility]:
    middle = Position(121.47, 31.23)
    return [
        Facility(
            code=f"F-{number:03}",
            district=DISTRICTS[number % len(DISTRICTS)],
            ownership="public",
            kind="kerb",
            name_zh=f"滨河路{number}段",
            name_en=f"Riverside Road {number}",
            position=middle.moved(0, 120 * number),
            timezone="Asia/Shanghai",
            operator_id=OperatorId(uuid7()),
            revenue_nature="public_non_tax",
        )
        for number in range(count)
    ]


def found_town(database: Database, bays: int, *, since_at: datetime, moved_at: datetime) -> Town:
    """Register a town through the services, and issue its network bridge a token.

    Parameters
    ----------
    database
        Of the running system.
    bays
        How many, spares for moved devices not counted.
    since_at
        From when on devices lie in their bays.
    moved_at
        When those that were moved were moved.
    """
    facilities = _facilities(-(-bays // BAYS_A_FACILITY))
    since_ms, moved_ms = (round(at.timestamp() * 1000) for at in (since_at, moved_at))
    all_bays: list[Bay] = []
    spots: list[Spot] = []
    placed: list[NewDevice] = []
    moves: list[tuple[UUID, Bay]] = []

    def bay_of(home: Facility, label: str) -> Bay:
        place = home.position.moved(6.0 * (len(all_bays) % BAYS_A_FACILITY), 0)
        all_bays.append(Bay(home.id, home.district, label, "standard", place, 90.0))
        return all_bays[-1]

    def sensor_of(bay: Bay, number: int, role: Literal["primary", "secondary"]) -> Sensor:
        model = tuple(BUILDERS)[number % len(BUILDERS)]
        way: Way = "ctwing" if model == P_MD.model else LORAWAN_WAYS[number % 3]
        key = f"{8612345 * 10**8 + len(placed)}" if way == "ctwing" else f"{len(placed):016x}"
        device = NewDevice(key, model, bay.district, bay.id, role)
        placed.append(device)
        return Sensor(key, model, way, bay.district, device, ((since_ms, bay),))

    for number in range(bays):
        home = facilities[number // BAYS_A_FACILITY]
        bay = bay_of(home, f"A{number:05}")
        sensors = [sensor_of(bay, number, "primary")]
        if number % SECOND_EVERY == 1:
            sensors.append(sensor_of(bay, number + 3, "secondary"))
        if number % MOVED_EVERY == 7 and len(sensors) == 1:
            only, spare = sensors[0], bay_of(home, f"S{number:05}")
            assert only.device is not None
            moves.append((only.device.id, spare))
            sensors = [
                Sensor(
                    only.network_key,
                    only.model,
                    only.way,
                    only.district,
                    only.device,
                    ((moved_ms, spare), *only.lain),
                )
            ]
        if number % DUMB_EVERY != 5:
            spots.append(Spot(number, tuple(sensors), silent=number % SILENT_EVERY == 2))
    with database.unit_of_work() as uow:
        record_places(uow, facilities, all_bays)
        record_devices(uow, SYSTEM, placed, since_at=since_at)
        for device_id, spare in moves:
            place_device(uow, SYSTEM, device_id, bay_id=spare.id, since_at=moved_at)
        token = issue_token(uow, "integration", BRIDGE)
    strangers = tuple(
        Sensor(f"ffff{number:012x}", LORAWAN[0], way, DISTRICTS[0], None, ())
        for number, way in zip(range(STRANGERS), LORAWAN_WAYS, strict=True)
    )
    return Town(tuple(facilities), tuple(all_bays), tuple(spots), strangers, moved_ms, token)


SPAN: Final = timedelta(hours=30)
"""Event time that the traffic covers: longer than any bay may be silent."""
