"""The listener at an external broker; a stock amqtt stands for it."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig, ListenerConfig, ListenerType

from city.errors import Invalid, Unavailable
from parking.adapters.mqtt import FILTER, SHARED_FILTER
from parking.adapters.mqtt_listener import Listener
from tests.parking.ingest.small_town import BOSCH, entries
from tests.parking.ingest.test_mqtt_broker import (
    PATIENCE_S,
    STREAM,
    TOPIC,
    Device,
    free_port,
    message,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import redis

    from parking.ingest import Ingest
    from parking.uplinks import IngestAnswer, Uplink


@pytest.fixture
def external() -> Iterator[int]:
    """Run a broker of somebody else's, which lets anybody in; give its port."""
    port, loop, stop, ready = (
        free_port(),
        asyncio.new_event_loop(),
        asyncio.Event(),
        threading.Event(),
    )

    async def run() -> None:
        broker = Broker(
            BrokerConfig(
                listeners={
                    "default": ListenerConfig(type=ListenerType.TCP, bind=f"127.0.0.1:{port}")
                },
                plugins={
                    "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}
                },
            )
        )
        await broker.start()
        ready.set()
        await stop.wait()
        await broker.shutdown()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    assert ready.wait(PATIENCE_S)
    yield port
    loop.call_soon_threadsafe(stop.set)
    thread.join(PATIENCE_S)
    loop.close()


class Listening:
    """A listener in a thread of its own; amqtt has no shared subscriptions, hence the plain one."""

    def __init__(self, port: int, accept: Any) -> None:
        self.listener = Listener(
            f"mqtt://anna:secret@127.0.0.1:{port}", accept, topic_filter=FILTER
        )
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self.listener.run, args=(self._stop,))
        self._thread.start()
        assert self.listener.subscribed.wait(PATIENCE_S)

    def close(self) -> None:
        self._stop.set()
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()


def settled(store: redis.Redis, count: int) -> list[int]:
    deadline = time.monotonic() + PATIENCE_S
    while store.xlen(STREAM) < count and time.monotonic() < deadline:
        time.sleep(0.02)
    return [entry[7] for entry in entries(store, STREAM)]


def test_what_devices_publish_at_an_external_broker_is_appended(
    external: int, ingest: Ingest, valkey: redis.Redis
) -> None:
    listening = Listening(external, ingest.accept)
    device = Device(external, BOSCH, "")
    for counter in range(20):
        device.publish(TOPIC, message(counter=counter))
    device.publish(TOPIC, b"of no use")
    assert settled(valkey, 20) == list(range(20))
    device.close()
    listening.close()


def test_a_message_is_acknowledged_only_after_the_append(
    external: int, ingest: Ingest, valkey: redis.Redis
) -> None:
    acknowledged: list[int] = []
    tries = iter(range(3))

    def accept(source: str, uplinks: Sequence[Uplink]) -> IngestAnswer:
        if uplinks and next(tries, None) is not None:
            raise Unavailable("no room yet")
        answer = ingest.accept(source, uplinks)
        assert acknowledged == []
        return answer

    listening = Listening(external, accept)
    client: Any = listening.listener._client
    acknowledge = client.ack

    def noted(mid: int, qos: int) -> Any:
        acknowledged.append(mid)
        return acknowledge(mid, qos)

    client.ack = noted
    device = Device(external, BOSCH, "")
    device.publish(TOPIC, message(counter=5))
    assert settled(valkey, 1) == [5]
    deadline = time.monotonic() + PATIENCE_S
    while not acknowledged and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(acknowledged) == 1
    device.close()
    listening.close()


@pytest.mark.parametrize("url", ["http://host", "mqtt://", "host:1883"])
def test_an_address_that_is_no_broker_s_is_invalid(url: str) -> None:
    with pytest.raises(Invalid) as caught:
        Listener(url, lambda *_: pytest.fail("never"))
    assert caught.value.field == "MQTT_URL"


def test_at_a_broker_that_has_them_the_subscription_is_shared() -> None:
    assert SHARED_FILTER == "$share/greenbay/greenbay/v1/+/+/up"
