"""The demo's sensors at a real broker: the embedded one, with a desk that writes down."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from city.errors import Invalid
from city.works.embedded.broker import DeskBroker
from tests.waiting import eventually
from web.demo.mqtt_device import BrokerAddress, Unanswered, publish
from web.demo.senders import Senders
from web.demo.sensors import Message

if TYPE_CHECKING:
    from collections.abc import Iterator


class Desk:
    """Admits who knows the word, and writes down what is left."""

    def __init__(self) -> None:
        self.taken: list[tuple[object, str, bytes]] = []

    async def admit(self, username: str, password: str) -> object | None:
        return username if password == f"token of {username}" else None

    def may_publish(self, peer: object, topic: str) -> bool:
        return topic == f"of/{peer}"

    async def take(self, peer: object, topic: str, payload: bytes) -> None:
        self.taken.append((peer, topic, payload))


class RunningBroker:
    """The embedded broker on a thread of its own."""

    def __init__(self, port: int) -> None:
        self.desk = Desk()
        self.address = BrokerAddress("127.0.0.1", port)
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run(port)))
        self._thread.start()
        assert self._ready.wait(60)

    async def _run(self, port: int) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        broker = DeskBroker("127.0.0.1", port, self.desk)
        await broker.start()
        self._ready.set()
        await self._stop.wait()
        await broker.shutdown()

    def end(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(60)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def broker() -> Iterator[RunningBroker]:
    running = RunningBroker(free_port())
    yield running
    running.end()


def message(device: str, payload: bytes = b"{}") -> Message:
    return Message(device, f"of/{device}", payload)


@pytest.mark.parametrize("length", [0, 1, 90, 127, 128, 600, 20_000])
def test_a_message_of_any_length_arrives_whole(broker: RunningBroker, length: int) -> None:
    payload = bytes(number % 251 for number in range(length))
    publish(broker.address, message("a1", payload), "token of a1")
    assert broker.desk.taken == [("a1", "of/a1", payload)]


def test_a_device_with_anothers_token_is_not_admitted(broker: RunningBroker) -> None:
    with pytest.raises(Unanswered, match="not admitted"):
        publish(broker.address, message("a1"), "token of a2")
    assert broker.desk.taken == []


def test_a_device_cannot_speak_for_another(broker: RunningBroker) -> None:
    with pytest.raises(OSError, match=r"not taken|reset"):
        publish(broker.address, Message("a1", "of/a2", b"{}"), "token of a1")
    assert broker.desk.taken == []


def test_an_external_brokers_own_login_is_used_where_its_address_has_one(
    broker: RunningBroker,
) -> None:
    url = f"mqtt://bridge:token%20of%20bridge@127.0.0.1:{broker.address.port}"
    publish(BrokerAddress.parse(url), Message("a1", "of/bridge", b"{}"), "unused")
    assert broker.desk.taken == [("bridge", "of/bridge", b"{}")]


def test_addresses_are_read_or_refused() -> None:
    assert BrokerAddress.parse("mqtt://town") == BrokerAddress("town", 1883)
    assert BrokerAddress.parse("mqtts://town") == BrokerAddress("town", 8883, encrypted=True)
    with pytest.raises(Invalid, match="mqtt://"):
        BrokerAddress.parse("http://town")


def test_each_devices_messages_arrive_once_and_in_their_order(broker: RunningBroker) -> None:
    devices = [f"d{number}" for number in range(20)]
    sender = Senders(broker.address, {each: f"token of {each}" for each in devices})
    sender.send(message(device, str(number).encode()) for number in range(10) for device in devices)
    assert eventually(lambda: sender.sent == 200)
    sender.stop(4)
    assert sender.waiting == 0
    for device in devices:
        came = [int(payload) for peer, _, payload in broker.desk.taken if peer == device]
        assert came == list(range(10))


def test_what_is_not_acknowledged_is_sent_when_the_broker_is_back() -> None:
    port = free_port()
    sender = Senders(BrokerAddress("127.0.0.1", port), {"d1": "token of d1"})
    sender.send([message("d1", b"1"), message("d1", b"2")])
    time.sleep(0.3)
    assert sender.sent == 0
    broker = RunningBroker(port)
    assert eventually(lambda: sender.sent == 2)
    sender.stop(4)
    broker.end()
    assert [payload for _, _, payload in broker.desk.taken] == [b"1", b"2"]
    assert sender.lost == 0
