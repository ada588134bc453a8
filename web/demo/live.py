"""The demo city's life: one loop that moves cars, sends frames over MQTT and walks attendants."""

from __future__ import annotations

import signal
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from paho.mqtt import publish
from paho.mqtt.client import MQTTv311

from journeys import wiring as composition
from web.demo.api_client import ApiClient
from web.demo.attendants import Attendant
from web.demo.bays import lay_bays
from web.demo.secrets_file import read_secrets
from web.demo.sensors import SensorField, plan_sensors
from web.demo.town import CENTRE, SEED, build_town
from web.demo.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeys.wiring import Wiring
    from parking.adapters.live_store import LiveStore
    from web.demo.bays import DemoFacility
    from web.demo.secrets_file import DemoSecrets
    from web.demo.sensors import Message

TICK_S: Final = 0.25
ATTENDANT_TICK_S: Final = 0.8
SENDERS: Final = 6
RETRY_S: Final = 1.0
MOST_WAITING: Final = 20_000
"""Frames kept while the broker is away; a real device keeps fewer."""

log = structlog.get_logger("demo")


class Senders:
    """Sends each message as its device would: connect, publish, wait for the answer, sleep.

    A message that is not acknowledged is sent again, in its turn.
    """

    def __init__(self, mqtt_url: str, tokens: dict[str, str]) -> None:
        parts = urlsplit(mqtt_url)
        self._host = parts.hostname or "127.0.0.1"
        self._port = parts.port or 1883
        self._tokens = tokens
        self._waiting: deque[Message] = deque(maxlen=MOST_WAITING)
        self._stopped = threading.Event()
        self._pool = ThreadPoolExecutor(SENDERS, "sensor")
        for _ in range(SENDERS):
            self._pool.submit(self._run)

    def send(self, messages: Sequence[Message]) -> None:
        """Queue messages; returns at once."""
        self._waiting.extend(messages)

    def stop(self) -> None:
        """Stop after the message in hand."""
        self._stopped.set()
        self._pool.shutdown(wait=True)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                message = self._waiting.popleft()
            except IndexError:
                self._stopped.wait(0.05)
                continue
            try:
                self._publish(message)
            except (OSError, ValueError, RuntimeError) as error:
                self._waiting.appendleft(message)
                log.info("broker away", error=str(error), waiting=len(self._waiting))
                self._stopped.wait(RETRY_S)

    def _publish(self, message: Message) -> None:
        publish.single(
            message.topic,
            message.payload,
            qos=1,
            hostname=self._host,
            port=self._port,
            client_id=message.network_key,
            keepalive=15,
            auth={
                "username": message.network_key,
                "password": self._tokens[message.network_key],
            },
            protocol=MQTTv311,
        )


def live() -> int:
    """Run the city until told to stop."""
    wiring = composition.build(application="greenbay-demo")
    secrets = read_secrets(wiring.settings.var)
    town = build_town(SEED)
    facilities = lay_bays(town, CENTRE)
    now = wiring.clock.now()
    taken = _taken(wiring.live_store, facilities)
    traffic = Traffic(facilities, round(now.timestamp()), now, taken)
    field = SensorField(plan_sensors(facilities, SEED), round(now.timestamp()), now)
    inside = {
        bay.bay_id: now for facility in facilities for bay in facility.bays
        if traffic.plate_in(bay.bay_id) is not None
    }  # fmt: skip
    field.switch_on(now, inside)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stopped.set())
    senders = Senders(wiring.settings.addresses().mqtt, secrets.device_tokens)
    walkers = threading.Thread(
        target=_walk, args=(wiring, secrets, facilities, traffic, stopped), daemon=True
    )
    walkers.start()
    log.info("the demo city lives", bays=sum(len(each.bays) for each in facilities))
    while not stopped.wait(TICK_S):
        now = wiring.clock.now()
        for move in traffic.until(now):
            field.sense(move.bay.bay_id, move.at, occupied=move.arrives)
        senders.send(field.until(now))
    senders.stop()
    walkers.join(timeout=5)
    return 0


def _taken(live_store: LiveStore, facilities: Sequence[DemoFacility]) -> frozenset[UUID] | None:
    """Return the bays that the platform believes taken; None for a city that never lived."""
    taken: set[UUID] = set()
    known = 0
    for facility in facilities:
        bay_ids = [bay.bay_id for bay in facility.bays]
        for bay_id, state in live_store.bay_states(facility.district, bay_ids).items():
            known += state.state != "unknown"
            if state.state == "occupied":
                taken.add(bay_id)
    return frozenset(taken) if known else None


def _walk(
    wiring: Wiring,
    secrets: DemoSecrets,
    facilities: Sequence[DemoFacility],
    traffic: Traffic,
    stopped: threading.Event,
) -> None:
    kerbs = [each.facility_id for each in facilities if each.kind == "kerb_segment"]
    tokens = list(secrets.attendant_tokens)
    attendants = [
        Attendant(
            ApiClient(wiring.settings.page_origin, token),
            kerbs[index :: len(tokens)],
            traffic.plate_in,
        )
        for index, token in enumerate(tokens)
    ]
    turn = 0
    while not stopped.is_set():
        started = time.monotonic()
        attendants[turn % len(attendants)].step(wiring.clock.now(), UUID)
        turn += 1
        stopped.wait(max(0.05, ATTENDANT_TICK_S - (time.monotonic() - started)))
