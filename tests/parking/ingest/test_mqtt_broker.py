"""The embedded broker with its desk: real sockets, real credentials, a real live store."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from contextlib import contextmanager
from itertools import cycle
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from paho.mqtt.client import Client, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion

from city.errors import TooMany, Unavailable
from city.people.services import issue_token, revoke_subject
from city.works.embedded.broker import LONGEST_PACKET_BYTES
from parking.adapters import mqtt_desk
from parking.adapters.mqtt import Appender
from parking.adapters.mqtt_desk import UplinkDesk
from parking.adapters.mqtt_ingest import serve
from tests.parking.ingest.small_town import BOSCH, NWAVE, Town, entries

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import redis

    from city.works.database import Database
    from parking.ingest import Ingest
    from parking.placements import Placements
    from parking.uplinks import IngestAnswer, Uplink

STREAM = "{d:0153}:uplinks:0"
PATIENCE_S = 60.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def message(key: str = BOSCH, counter: int = 1, frame: str = "AQ==") -> bytes:
    return orjson.dumps(
        {
            "end_device_ids": {"device_id": key, "dev_eui": key.upper()},
            "received_at": "2026-03-02T01:00:00Z",
            "uplink_message": {
                "session_key_id": "s",
                "f_port": 1,
                "f_cnt": counter,
                "frm_payload": frame,
                "received_at": "2026-03-02T01:00:00Z",
            },
        }
    )


class Device:
    """A device's MQTT client, waiting for what the broker says."""

    def __init__(self, port: int, username: str, password: str, **options: Any) -> None:
        self.connected: int | None = None
        self.acknowledged: set[int] = set()
        self.granted: list[int] = []
        self.disconnected = threading.Event()
        self.changed = threading.Condition()
        self.client = Client(
            CallbackAPIVersion.VERSION2, protocol=MQTTv311, reconnect_on_failure=False, **options
        )
        self.client.max_inflight_messages_set(200)
        if username:
            self.client.username_pw_set(username, password)
        self.client.on_connect = self._on_connect
        self.client.on_publish = self._on_publish
        self.client.on_subscribe = self._on_subscribe
        self.client.on_disconnect = lambda *_: self.disconnected.set()
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self.wait(lambda: self.connected is not None)

    def _on_connect(self, _c: Any, _u: Any, _f: Any, reason: Any, _p: Any) -> None:
        with self.changed:
            self.connected = reason.value
            self.changed.notify_all()

    def _on_publish(self, _c: Any, _u: Any, mid: int, _r: Any, _p: Any) -> None:
        with self.changed:
            self.acknowledged.add(mid)
            self.changed.notify_all()

    def _on_subscribe(self, _c: Any, _u: Any, _mid: int, reasons: Any, _p: Any) -> None:
        with self.changed:
            self.granted = [reason.value for reason in reasons]
            self.changed.notify_all()

    def wait(self, condition: Any, patience_s: float = PATIENCE_S) -> bool:
        with self.changed:
            return bool(self.changed.wait_for(condition, patience_s))

    def publish(self, topic: str, payload: bytes, qos: int = 1) -> int:
        return int(self.client.publish(topic, payload, qos=qos).mid)

    def is_acknowledged(self, mid: int, patience_s: float = PATIENCE_S) -> bool:
        return self.wait(lambda: mid in self.acknowledged, patience_s)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


class Running:
    """The broker in a thread of its own."""

    def __init__(self, database: Database, placements: Placements, accept: Any) -> None:
        self.port = free_port()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        ready = threading.Event()

        async def run() -> None:
            appender = Appender(accept)
            desk = UplinkDesk(database, placements, appender)
            try:
                await serve("127.0.0.1", self.port, desk, appender, self._stop, ready=ready.set)
            finally:
                desk.close()

        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(run()))
        self._thread.start()
        assert ready.wait(PATIENCE_S)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()
        self._loop.close()


@contextmanager
def running(database: Database, placements: Placements, accept: Any) -> Iterator[Running]:
    broker = Running(database, placements, accept)
    try:
        yield broker
    finally:
        broker.close()


@pytest.fixture
def tokens(database: Database, town: Town) -> dict[str, str]:
    assert town.devices
    with database.unit_of_work() as uow:
        return {key: issue_token(uow, "device", key) for key in (BOSCH, NWAVE)}


@pytest.fixture
def broker(database: Database, placements: Placements, ingest: Ingest) -> Iterator[Running]:
    with running(database, placements, ingest.accept) as broker:
        yield broker


@pytest.fixture
def device(broker: Running, tokens: dict[str, str]) -> Iterator[Device]:
    connected = Device(broker.port, BOSCH, tokens[BOSCH])
    yield connected
    connected.close()


TOPIC = f"greenbay/v1/0153/{BOSCH}/up"


@pytest.mark.parametrize("qos", [1, 2])
def test_an_acknowledged_message_is_in_the_stream(
    device: Device, valkey: redis.Redis, qos: int
) -> None:
    mid = device.publish(TOPIC, message(counter=41), qos=qos)
    assert device.is_acknowledged(mid)
    assert [entry[7] for entry in entries(valkey, STREAM)] == [41]


def test_a_message_without_acknowledgement_comes_too(device: Device, valkey: redis.Redis) -> None:
    device.publish(TOPIC, message(counter=42), qos=0)
    device.is_acknowledged(device.publish(TOPIC, message(counter=43)))
    assert [entry[7] for entry in entries(valkey, STREAM)] == [42, 43]


def test_many_messages_come_in_their_order(device: Device, valkey: redis.Redis) -> None:
    mids = [device.publish(TOPIC, message(counter=n)) for n in range(300)]
    assert all(device.is_acknowledged(mid) for mid in mids)
    assert [entry[7] for entry in entries(valkey, STREAM)] == list(range(300))


@pytest.mark.parametrize(
    ("username", "password"), [("", ""), (BOSCH, "wrong"), (BOSCH, ""), ("nobody", "wrong")]
)
def test_nobody_connects_without_a_good_credential(
    broker: Running, tokens: dict[str, str], username: str, password: str
) -> None:
    assert tokens
    stranger = Device(broker.port, username, password)
    assert stranger.connected is not None
    assert stranger.connected != 0
    stranger.close()


def test_a_credential_is_good_for_its_own_device_alone(
    broker: Running, tokens: dict[str, str]
) -> None:
    stranger = Device(broker.port, NWAVE, tokens[BOSCH])
    assert stranger.connected != 0
    stranger.close()


@pytest.mark.parametrize(
    "topic",
    [
        f"greenbay/v1/0153/{NWAVE}/up",
        f"greenbay/v1/0154/{BOSCH}/up",
        f"greenbay/v1/0153/{BOSCH}/down",
        "greenbay/v1/0153/up",
        "$SYS/broker",
    ],
)
def test_a_device_publishes_to_its_own_topic_alone(
    device: Device, valkey: redis.Redis, topic: str
) -> None:
    mid = device.publish(topic, message())
    assert device.disconnected.wait(PATIENCE_S)
    assert mid not in device.acknowledged
    assert valkey.keys("*") == []


def test_nobody_subscribes(device: Device) -> None:
    device.client.subscribe([("greenbay/v1/+/+/up", 1), ("#", 0)])
    assert device.wait(lambda: device.granted)
    assert device.granted == [0x80, 0x80]


@pytest.mark.parametrize(
    "payload",
    [b"", b"{", b"[]", b"\xff" * 100, message(NWAVE), message(frame="%"), b" " * 70_000],
)
def test_a_message_of_no_use_is_acknowledged_and_dropped(
    device: Device, valkey: redis.Redis, payload: bytes
) -> None:
    # MQTT 3.1.1 cannot say no: unacknowledged it would come again for ever.
    assert device.is_acknowledged(device.publish(TOPIC, payload))
    assert valkey.keys("*") == []


def test_a_packet_beyond_the_limit_ends_the_connection(device: Device) -> None:
    device.publish(TOPIC, b"x" * (LONGEST_PACKET_BYTES + 1))
    assert device.disconnected.wait(PATIENCE_S)


def test_a_connection_that_says_nothing_or_nonsense_does_not_stop_others(
    broker: Running, tokens: dict[str, str], valkey: redis.Redis
) -> None:
    with (
        socket.create_connection(("127.0.0.1", broker.port)),
        socket.create_connection(("127.0.0.1", broker.port)) as other,
    ):
        other.sendall(b"GET / HTTP/1.1\r\n\r\n")
        device = Device(broker.port, BOSCH, tokens[BOSCH])
        assert device.is_acknowledged(device.publish(TOPIC, message()))
        device.close()
    assert valkey.xlen(STREAM) == 1


def test_another_s_client_id_does_not_end_its_connection(
    broker: Running, tokens: dict[str, str], valkey: redis.Redis
) -> None:
    first = Device(broker.port, BOSCH, tokens[BOSCH], client_id="same")
    second = Device(broker.port, NWAVE, tokens[NWAVE], client_id="same")
    stranger = Device(broker.port, BOSCH, "wrong", client_id="same")
    assert first.is_acknowledged(first.publish(TOPIC, message()))
    assert valkey.xlen(STREAM) == 1
    for each in (first, second, stranger):
        each.close()


def test_an_unregistered_device_with_a_credential_is_parked(
    broker: Running, database: Database, valkey: redis.Redis
) -> None:
    with database.unit_of_work() as uow:
        token = issue_token(uow, "device", "ffffffffffffffff")
    device = Device(broker.port, "ffffffffffffffff", token)
    topic = "greenbay/v1/0153/ffffffffffffffff/up"
    assert device.is_acknowledged(device.publish(topic, message("ffffffffffffffff")))
    device.close()
    (entry,) = entries(valkey, "{d:parked}:uplinks:0")
    assert entry[11:] == ["ffffffffffffffff", "mqtt", "0153"]


def test_an_integration_publishes_for_the_devices_of_its_districts(
    broker: Running, database: Database, town: Town, valkey: redis.Redis
) -> None:
    assert town.devices
    with database.unit_of_work() as uow:
        token = issue_token(uow, "integration", "bridge", scope=["0153"])
    bridge = Device(broker.port, "bridge", token)
    assert bridge.is_acknowledged(bridge.publish(TOPIC, message()))
    bridge.publish("greenbay/v1/0154/ffffffffffffffff/up", message("ffffffffffffffff"))
    assert bridge.disconnected.wait(PATIENCE_S)
    bridge.close()
    assert valkey.xlen(STREAM) == 1


def test_a_revoked_credential_stops_working_in_a_connection_that_stands(
    broker: Running,
    tokens: dict[str, str],
    database: Database,
    valkey: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mqtt_desk, "GOOD_FOR_S", 0.0)
    device = Device(broker.port, BOSCH, tokens[BOSCH])
    assert device.is_acknowledged(device.publish(TOPIC, message()))
    with database.unit_of_work() as uow:
        revoke_subject(uow, "device", BOSCH)
    device.publish(TOPIC, message(counter=2))
    assert device.disconnected.wait(PATIENCE_S)
    device.close()
    assert valkey.xlen(STREAM) == 1


def test_what_finds_no_room_is_acknowledged_when_it_does(
    database: Database,
    placements: Placements,
    ingest: Ingest,
    tokens: dict[str, str],
    valkey: redis.Redis,
) -> None:
    room = threading.Event()
    refusals = cycle([TooMany("full"), Unavailable("gone")])

    def accept(source: str, uplinks: Sequence[Uplink]) -> IngestAnswer:
        if not room.is_set():
            raise next(refusals)
        return ingest.accept(source, uplinks)

    with running(database, placements, accept) as broker:
        device = Device(broker.port, BOSCH, tokens[BOSCH])
        # More than the broker lets wait of one connection: the rest stays with the device.
        mids = [device.publish(TOPIC, message(counter=n)) for n in range(150)]
        time.sleep(0.3)
        assert device.acknowledged == set()
        room.set()
        assert all(device.is_acknowledged(mid) for mid in mids)
        device.close()
    assert [entry[7] for entry in entries(valkey, STREAM)] == list(range(150))


def test_a_fault_of_ours_ends_the_connection_unacknowledged(
    database: Database, placements: Placements, tokens: dict[str, str]
) -> None:
    def accept(source: str, uplinks: Sequence[Uplink]) -> IngestAnswer:
        raise RuntimeError(f"{source}: {len(uplinks)}")

    with running(database, placements, accept) as broker:
        device = Device(broker.port, BOSCH, tokens[BOSCH])
        mid = device.publish(TOPIC, message())
        assert device.disconnected.wait(PATIENCE_S)
        assert mid not in device.acknowledged
        device.close()
