"""A small site to call: one kerb with a tariff, another district, a person of each role."""

from __future__ import annotations

import base64
import csv
import io
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from city.identifiers import AccountId, BayId, DistrictCode, FacilityId, OperatorId, uuid7
from city.people.actors import SYSTEM
from city.people.credentials import issue_token
from city.people.roles import Role
from city.people.store import ACCOUNT
from city.places import Position
from city.time import FixedClock
from city.works.jobs import Worker
from journeys import wiring as composition
from parking.archiving import Archive
from parking.folding import Folder
from parking.recording import Recorder
from parking.rules.sensors.frames import build
from parking.services import stays
from parking.services.devices import NewDevice, record_devices
from parking.services.places import record_places
from parking.services.tariffs import publish_tariff
from parking.store.places import Bay, Facility
from parking.store.tariffs import ensure_tariff

if TYPE_CHECKING:
    from apiflask import APIFlask
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from city.works.database import Database
    from journeys.wiring import Wiring

EAST = DistrictCode("0153")
WEST = DistrictCode("0154")
NINE = datetime(2026, 3, 2, 1, tzinfo=UTC)
"""Monday, 09:00 on the street."""
BOSCH = "24e124fffe000001"
NWAVE = "24e124fffe000002"
MAGNET = "15034864:127763"
WESTERN = "24e124fffe0000aa"
UNKNOWN_ID = "0199d3f0-0000-7000-8000-000000000000"

TARIFF: dict[str, Any] = {
    "language": "greenbay-tariff/1",
    "name": {"zh": "滨江道路停车", "en": "Riverside kerb"},
    "currency": "CNY",
    "timezone": "Asia/Shanghai",
    "schedules": [
        {
            "id": "small",
            "vehicles": ["small"],
            "free": {"up_to_s": 900, "when_exceeded": "charged_from_start", "once_per": "day"},
            "bands": [
                {
                    "id": "all",
                    "name": {"zh": "全天", "en": "all day"},
                    "from": "00:00",
                    "to": "24:00",
                    "charge": {
                        "kind": "steps",
                        "rounding": "started",
                        "steps": [{"unit_s": 1800, "price_minor": 300}],
                    },
                }
            ],
            "caps": [{"per": "24h", "minor": 3000}],
        }
    ],
}


@dataclass(slots=True)
class Site:
    """The application on real servers, and those who call it."""

    app: APIFlask
    wiring: Wiring
    clock: FixedClock
    facility: Facility
    bays: list[Bay]
    west: Facility
    west_bay: Bay
    devices: dict[str, NewDevice]
    tokens: dict[str, str]
    """By role; also ``integration``, ``integration-west``, ``attendant-west``, ``attendant-2``,
    ``device``."""
    client: FlaskClient = field(init=False)
    _counter: int = 0

    def __post_init__(self) -> None:
        self.client = self.app.test_client()

    def call(
        self,
        method: str,
        path: str,
        who: str | None = None,
        *,
        key: str | None = None,
        **options: Any,
    ) -> TestResponse:
        """Send a request as somebody, or as nobody."""
        headers = dict(options.pop("headers", {}))
        if who is not None:
            headers["Authorization"] = f"Bearer {self.tokens[who]}"
        if key is not None:
            headers["Idempotency-Key"] = key
        return self.client.open(path, method=method, headers=headers, **options)

    def get(self, path: str, who: str | None = None, **options: Any) -> TestResponse:
        """Read as somebody, or as nobody."""
        return self.call("GET", path, who, **options)

    def rows(self, path: str, who: str) -> list[dict[str, str]]:
        """Read a CSV file as a spreadsheet does."""
        answer = self.get(path, who)
        assert answer.status_code == 200, answer.text
        return list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"))))

    def post(self, path: str, who: str | None = None, **options: Any) -> TestResponse:
        """Act as somebody, or as nobody."""
        return self.call("POST", path, who, **options)

    def message(
        self, key: str = BOSCH, *, occupied: bool = True, at: datetime | None = None, **uplink: Any
    ) -> dict[str, Any]:
        """Give a The Things Stack message of a Bosch device: each with the next frame counter."""
        port, frame = build("bosch-tps110", occupied=occupied, kind="status", counter=0)
        self._counter += 1
        return ttn_message(key, port, frame.hex(), self._counter, at or self.clock.now(), **uplink)

    def hear(self, *messages: dict[str, Any]) -> TestResponse:
        """Deliver messages by webhook."""
        return self.post("/api/v1/uplinks/ttn", "integration", json=list(messages))

    def consume(self) -> None:
        """Do what the worker does: fold, archive, record, and run the jobs."""
        wiring = self.wiring
        for district in (EAST, WEST):
            Folder(wiring.live, district, wiring.placements, self.clock).fold_all()
        Recorder(
            wiring.live, wiring.database, lambda: (EAST, WEST), stays.apply_bay_changes
        ).follow_all()
        Archive(wiring.live, wiring.database, lambda: (EAST, WEST)).follow_all()

    def stop_the_wall_clock(self) -> datetime:
        """Let no real time pass any more, however long what follows takes; give when that was."""
        standing = FixedClock(self.wiring.wall.now())
        self.wiring.database.wall = standing
        self.wiring = replace(self.wiring, wall=standing)
        self.app.extensions["greenbay"] = self.wiring
        return standing.now()

    def run_jobs(self) -> None:
        """Run the jobs that wait."""
        url = self.wiring.settings.addresses().database
        tasks = composition.tasks(self.wiring)
        Worker(url, tasks, database=self.wiring.database).drain()

    def stay(self, minutes: float = 61, *, plate: str | None = "京A12345") -> str:
        """Let a car come to the first bay, be noted and leave; give the stay's id."""
        self.hear(self.message(occupied=True))
        self.clock.advance(60)
        self.consume()
        (session,) = self.get("/api/v1/sessions?state=open", "attendant").get_json()["items"]
        if plate is not None:
            path = f"/api/v1/sessions/{session['id']}/vehicle"
            assert (
                self.post(path, "attendant", json={"plate": plate, "kind": "blue7"}).status_code
                == 200
            )
        self.clock.advance((minutes - 1) * 60)
        self.hear(self.message(occupied=False))
        self.clock.advance(20 * 60)
        self.consume()
        with self.wiring.database.unit_of_work() as uow:
            stays.announce_settled(uow)
        self.run_jobs()
        found: str = session["id"]
        return found


def ttn_message(
    key: str, port: int, frame_hex: str, counter: int, at: datetime, **uplink: Any
) -> dict[str, Any]:
    """Give an uplink in The Things Stack's format, with the members that it documents."""
    return {
        "end_device_ids": {
            "device_id": "bay-0001",
            "application_ids": {"application_id": "kerb"},
            "dev_eui": key.upper(),
            "join_eui": "70B3D57ED0000000",
            "dev_addr": "260B1234",
        },
        "correlation_ids": ["as:up:01GWP5S8M4XT01E30DV0JX268M"],
        "received_at": at.isoformat(),
        "uplink_message": {
            "session_key_id": "AYcojY1QHWhSvyftdWD6DQ==",
            "f_port": port,
            "f_cnt": counter,
            "frm_payload": base64.b64encode(bytes.fromhex(frame_hex)).decode(),
            "rx_metadata": [{"gateway_ids": {"gateway_id": "roof"}, "rssi": -97, "snr": 7.2}],
            "received_at": at.isoformat(),
            **uplink,
        },
    }


def facility(code: str, district: DistrictCode, tariff_id: Any) -> Facility:
    """Give a kerb."""
    east = 0 if district == EAST else 4_000
    return Facility(
        code=code,
        district=district,
        ownership="public",
        kind="kerb",
        name_zh="滨江路",
        name_en="Riverside Road",
        position=Position(120.1, 30.2).moved(east, 0),
        timezone="Asia/Shanghai",
        operator_id=OperatorId(uuid7()),
        revenue_nature="public_non_tax",
        tariff_id=tariff_id,
        id=FacilityId(uuid7()),
    )


def settle(
    database: Database,
) -> tuple[Facility, list[Bay], Facility, Bay, dict[str, NewDevice], dict[str, str]]:
    """Register the places, the devices and the people."""
    with database.unit_of_work() as uow:
        publish_tariff(uow, "riverside", TARIFF, valid_from=NINE - timedelta(days=30), by="test")
        tariff_id = ensure_tariff(uow.connection, "riverside", "", "")
        home = facility("RV-1", EAST, tariff_id)
        west = facility("WE-1", WEST, None)
        bays = [
            Bay(
                home.id, EAST, f"A{n}", "standard", home.position.moved(6 * n, 0), id=BayId(uuid7())
            )
            for n in range(4)
        ]
        west_bay = Bay(west.id, WEST, "W1", "standard", west.position, id=BayId(uuid7()))
        record_places(uow, [home, west], [*bays, west_bay])
        devices = {
            BOSCH: NewDevice(BOSCH, "bosch-tps110", EAST, bays[0].id),
            NWAVE: NewDevice(NWAVE, "nwave-nps405", EAST, bays[1].id),
            MAGNET: NewDevice(MAGNET, "wxhs-p-md", EAST, bays[2].id),
            WESTERN: NewDevice(WESTERN, "bosch-tps110", WEST, west_bay.id),
        }
        since_at = NINE - timedelta(days=1)
        record_devices(uow, SYSTEM, list(devices.values()), since_at=since_at)
        tokens = {role.value: _person(uow, role) for role in Role}
        tokens["attendant-2"] = _person(uow, Role.ATTENDANT)
        tokens["attendant-west"] = _person(uow, Role.ATTENDANT, WEST)
        tokens["operator-west"] = _person(uow, Role.OPERATOR, WEST)
        tokens["integration"] = issue_token(uow, "integration", "ttn")
        tokens["integration-west"] = issue_token(uow, "integration", "west", scope=[WEST])
        tokens["device"] = issue_token(uow, "device", BOSCH)
    return home, bays, west, west_bay, devices, tokens


def _person(uow: Any, role: Role, district: str | None = None) -> str:
    """Make an account without the cost of a password, and give a token that acts for it."""
    account_id = AccountId(uuid7())
    login = None if role is Role.DRIVER else f"{role.value}-{account_id.hex[-6:]}"
    uow.connection.execute(
        ACCOUNT.insert().values(
            id=account_id,
            kind="driver" if role is Role.DRIVER else "staff",
            login=login,
            login_key=login,
            name=role.value,
            roles=[role.value],
            districts=None if district is None else [district],
            password_hash=None if role is Role.DRIVER else "unusable",
            created_at=uow.wall.now(),
        )
    )
    return issue_token(uow, "api", str(account_id), [role])
