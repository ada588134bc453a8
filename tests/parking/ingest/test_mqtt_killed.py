"""The ingest process killed at any moment: what was acknowledged is in the stream."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from paho.mqtt.client import Client, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion

from city.people.services import issue_token
from city.works.run_record import Addresses, RunRecord, write_run_record
from tests.faults.installation import free_port
from tests.parking.ingest.small_town import BOSCH, entries

if TYPE_CHECKING:
    import redis

    from city.works.database import Database

ROOT = Path(__file__).resolve().parents[3]
STREAM = "{d:0153}:uplinks:0"
TOPIC = f"greenbay/v1/0153/{BOSCH}/up"
MESSAGES = 3_000
KILLS = 4
STARTED_WITHIN_S = 60.0
PROGRESS_WITHIN_S = 60.0


class IngestProcess:
    """`python -m parking.adapters.mqtt_ingest` on the test's servers."""

    def __init__(self, folder: Path, database_url: str, redis_url: str, port: int) -> None:
        write_run_record(
            folder,
            RunRecord(Addresses(database_url, redis_url, ""), folder, port, os.getpid(), ""),
        )
        self._environment = {
            **os.environ,
            "GREENBAY_VAR": str(folder),
            "GREENBAY_DEMO": "0",
            "GREENBAY_DISK_FREE_LIMIT_MB": "0",
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "PORT": str(port),
            "PYTHONPATH": str(ROOT),
        }
        self._environment.pop("MQTT_URL", None)
        self.process = self.start()

    def start(self) -> subprocess.Popen[bytes]:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "parking.adapters.mqtt_ingest"],
            env=self._environment,
            cwd=ROOT,
            stderr=subprocess.DEVNULL,
        )
        return self.process

    def listens(self, port: int) -> bool:
        """Say whether its broker takes connections; wait for that while the process lives."""
        deadline = time.monotonic() + STARTED_WITHIN_S
        while self.process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return True
            time.sleep(0.05)
        return False

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(30)


class Sender:
    """A device that sends numbered frames and notes which were acknowledged."""

    def __init__(self, port: int, token: str) -> None:
        self._lock = threading.Lock()
        self._counters: dict[int, int] = {}
        self._early: set[int] = set()
        self.acknowledged: set[int] = set()
        self.client = Client(
            CallbackAPIVersion.VERSION2,
            client_id="sender",
            clean_session=False,
            protocol=MQTTv311,
        )
        self.client.username_pw_set(BOSCH, token)
        self.client.max_inflight_messages_set(100)
        self.client.reconnect_delay_set(1, 1)
        self.client.on_publish = self._on_publish
        self.client.connect_async("127.0.0.1", port)
        self.client.loop_start()

    def _on_publish(self, _c: Any, _u: Any, mid: int, _r: Any, _p: Any) -> None:
        with self._lock:
            if mid in self._counters:
                self.acknowledged.add(self._counters[mid])
            else:
                self._early.add(mid)  # before `publish` has returned its number

    def send(self, counter: int) -> None:
        payload = orjson.dumps(
            {
                "end_device_ids": {"device_id": BOSCH},
                "received_at": "2026-03-02T01:00:00Z",
                "uplink_message": {"f_port": 1, "f_cnt": counter, "frm_payload": "AQ=="},
            }
        )
        mid = self.client.publish(TOPIC, payload, qos=1).mid
        with self._lock:
            self._counters[mid] = counter
            if mid in self._early:
                self._early.discard(mid)
                self.acknowledged.add(counter)

    def noted(self) -> set[int]:
        with self._lock:
            return set(self.acknowledged)


def kept(store: redis.Redis) -> set[int]:
    return {entry[7] for entry in entries(store, STREAM)}


@pytest.mark.faults
@pytest.mark.usefixtures("town")
@pytest.mark.timeout(400)
def test_a_killed_broker_loses_nothing_that_it_acknowledged(
    database: Database,
    database_url: str,
    redis_url: str,
    valkey: redis.Redis,
    tmp_path: Path,
) -> None:
    with database.unit_of_work() as uow:
        token = issue_token(uow, "device", BOSCH)
    # The broker's port is two more than the API's.
    port = free_port()
    ingest = IngestProcess(tmp_path, database_url, redis_url, port)
    assert ingest.listens(port + 2)
    sender = Sender(port + 2, token)
    try:
        for counter in range(MESSAGES):
            sender.send(counter)
        for kill in range(KILLS):
            # Somewhere within the stretch of messages that it is working on.
            goal = min(MESSAGES - 1, len(sender.noted()) + 50 + secrets.randbelow(450))
            deadline = time.monotonic() + PROGRESS_WITHIN_S
            while len(sender.noted()) < goal and time.monotonic() < deadline:
                time.sleep(0.001)
            assert len(sender.noted()) >= goal, f"no progress before kill {kill}"
            ingest.end(signal.SIGKILL)
            assert sender.noted() - kept(valkey) == set()
            ingest.start()
        deadline = time.monotonic() + 120
        while len(sender.noted()) < MESSAGES and time.monotonic() < deadline:
            time.sleep(0.05)
        assert len(sender.noted()) == MESSAGES
        assert kept(valkey) == set(range(MESSAGES))
        assert ingest.end(signal.SIGTERM) == 0
    finally:
        sender.client.loop_stop()
        ingest.process.kill()
        ingest.process.wait()
