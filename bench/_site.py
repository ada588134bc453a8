"""A town on embedded servers and the processes before it, for benches over HTTP."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from city.identifiers import BayId, DistrictCode, FacilityId, OperatorId, uuid7
from city.people.actors import SYSTEM
from city.people.credentials import issue_token
from city.places import Position
from city.time import WallClock
from city.works import schema
from city.works.database import Database
from city.works.embedded.children import (
    own_folder,
    remove_socket_folder,
    server_account,
    socket_folder,
)
from city.works.embedded.postgres import start_postgres
from city.works.embedded.valkey import start_valkey
from city.works.live import live_store
from parking.services.devices import NewDevice, record_devices
from parking.services.places import record_places
from parking.services.tariffs import publish_tariff
from parking.store.places import Bay, Facility
from parking.store.tariffs import ensure_tariff

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import redis

DISTRICT = DistrictCode("0153")
BAYS_A_FACILITY = 32
CENTRE = Position(120.1, 30.2)
START_PATIENCE_S = 240.0
GUNICORN_API = "python:city.works.gunicorn_api"
GUNICORN_LIVE = "python:city.works.gunicorn_live"

TARIFF: dict[str, Any] = {
    "language": "greenbay-tariff/1",
    "name": {"zh": "路侧停车", "en": "Kerb"},
    "currency": "CNY",
    "timezone": "Asia/Shanghai",
    "schedules": [
        {
            "id": "small",
            "vehicles": ["small"],
            "bands": [
                {
                    "id": "all",
                    "name": {"zh": "全天", "en": "all day"},
                    "from": "00:00",
                    "to": "24:00",
                    "charge": {
                        "kind": "steps",
                        "rounding": "started",
                        "steps": [{"unit_s": 900, "price_minor": 250}],
                    },
                }
            ],
        }
    ],
}


@dataclass(frozen=True, slots=True)
class BenchSite:
    """Servers with a town in them."""

    folder: Path
    database_url: str
    redis_url: str
    database: Database
    live: redis.Redis
    facilities: list[Facility]
    bays: list[Bay]
    devices: list[NewDevice]
    token: str
    """Of an integration."""

    def environment(self, port: int) -> dict[str, str]:
        """Give the environment of a process of this installation."""
        return {
            **os.environ,
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "MQTT_URL": "mqtt://127.0.0.1:1",
            "GREENBAY_VAR": str(self.folder / "var"),
            "PROMETHEUS_MULTIPROC_DIR": str(own_folder(self.folder / "metrics", None)),
            "PORT": str(port),
        }


@dataclass(frozen=True, slots=True)
class Server:
    """A running gunicorn."""

    process: subprocess.Popen[bytes]
    port: int
    """Where it listens."""

    def cpu_s(self) -> float:
        """Give the processor time that it and its workers have used."""
        return cpu_s(self.process.pid)


def cpu_s(pid: int) -> float:
    """Give the processor time that a process and all that it started have used, in seconds."""
    ticks = 0
    waiting = [pid]
    while waiting:
        each = waiting.pop()
        try:
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            children = Path(f"/proc/{each}/task/{each}/children").read_text().split()
        except (FileNotFoundError, ProcessLookupError):  # it ended
            continue
        ticks += int(fields[11]) + int(fields[12])
        waiting += [int(child) for child in children]
    return ticks / os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """Give a port with the next one free as well."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port


@contextmanager
def bench_site(bays: int) -> Iterator[BenchSite]:
    """Start the servers, register a town of kerbs with a sensor in each bay, and clean up."""
    account = server_account()
    folder = socket_folder(account)
    var = own_folder(folder / "var", account)
    postgres = start_postgres(var, folder, account=account, log=folder / "postgres.log")
    valkey = start_valkey(var, folder, account=account, log=folder / "valkey.log")
    clock = WallClock()
    try:
        schema.upgrade(postgres.url)
        database = Database(postgres.url, clock=clock)
        live = live_store(valkey.url)
        try:
            facilities, places, devices, token = _settle(database, bays)
            yield BenchSite(
                folder,
                postgres.url,
                valkey.url,
                database,
                live,
                facilities,
                places,
                devices,
                token,
            )
        finally:
            database.close()
            live.connection_pool.disconnect()
    finally:
        valkey.stop()
        postgres.stop()
        shutil.rmtree(folder / "metrics", ignore_errors=True)
        remove_socket_folder(folder)


def _settle(
    database: Database, count: int
) -> tuple[list[Facility], list[Bay], list[NewDevice], str]:
    since_at = datetime.now(UTC) - timedelta(days=1)
    facilities: list[Facility] = []
    bays: list[Bay] = []
    with database.unit_of_work() as uow:
        publish_tariff(uow, "kerb", TARIFF, valid_from=since_at, by="bench")
        tariff_id = ensure_tariff(uow.connection, "kerb", "", "")
        operator_id = OperatorId(uuid7())
        for number in range(-(-count // BAYS_A_FACILITY)):
            at = CENTRE.moved(220 * (number % 16), 220 * (number // 16))
            home = Facility(
                code=f"K-{number:04}",
                district=DISTRICT,
                ownership="public",
                kind="kerb",
                name_zh=f"滨江路{number}段",
                name_en=f"Riverside Road {number}",
                position=at,
                timezone="Asia/Shanghai",
                operator_id=operator_id,
                revenue_nature="public_non_tax",
                tariff_id=tariff_id,
                id=FacilityId(uuid7()),
            )
            facilities.append(home)
            bays += [
                Bay(
                    home.id, DISTRICT, f"A{n:02}", "standard", at.moved(6 * n, 0), id=BayId(uuid7())
                )
                for n in range(min(BAYS_A_FACILITY, count - number * BAYS_A_FACILITY))
            ]
        record_places(uow, facilities, bays)
        devices = [
            NewDevice(f"24e124{number:010x}", "bosch-tps110", DISTRICT, bay.id)
            for number, bay in enumerate(bays)
        ]
        record_devices(uow, SYSTEM, devices, since_at=since_at)
        token = issue_token(uow, "integration", "bench")
    return facilities, bays, devices, token


@contextmanager
def served(
    site: BenchSite,
    port: int,
    config: str,
    application: str | None = None,
    *,
    path: str,
    more: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """Run gunicorn with one of our configurations until it answers, and stop it in the end.

    Parameters
    ----------
    site
        Whose servers it uses.
    port
        Setting PORT.
    config
        gunicorn's configuration.
    application
        Another application than ours, under the same configuration.
    path
        Address that answers when it is ready.
    more
        Settings beside the site's own.
    """
    log = (site.folder / f"gunicorn-{port}.log").open("wb")
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "gunicorn",
            "--config",
            config,
            *([application] if application else []),
        ],
        env={**site.environment(port), **(more or {})},
        stdout=log,
        stderr=log,
    )
    try:
        listening = port + 1 if config == GUNICORN_LIVE else port
        _wait(process, f"http://127.0.0.1:{listening}{path}", Path(log.name))
        yield Server(process, listening)
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()


def _wait(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    deadline = time.monotonic() + START_PATIENCE_S
    while True:
        try:
            with urllib.request.urlopen(address, timeout=2):  # noqa: S310 - an address of our own
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(log.read_text(errors="replace")[-2_000:]) from None
            time.sleep(0.05)
