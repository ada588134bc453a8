"""Listen at an external MQTT broker: a persistent session, acknowledged by hand after the append.

The broker keeps what is not acknowledged, so a killed listener loses nothing. The subscription is
shared: several listeners divide the messages. Which device may publish to which topic is the
external broker's to enforce; `docs/ingest.md` has the rules for it.
"""

import contextlib
import queue
import threading
from typing import Any, Final, NamedTuple
from urllib.parse import unquote, urlsplit

import structlog
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from city.errors import Invalid, TooMany, Unavailable
from parking.adapters.mqtt import (
    BATCH,
    RETRY_AFTER_S,
    SHARED_FILTER,
    SOURCE,
    Accept,
    parse_topic,
    uplink_of,
)

CLIENT_ID: Final = "greenbay-ingest"
KEEP_ALIVE_S: Final = 30
GATHER_S: Final = 0.5
"""Longest wait for a first message, so that a stop is seen."""
DEFAULT_PORTS: Final = {"mqtt": 1883, "tcp": 1883, "mqtts": 8883, "ssl": 8883}

log = structlog.get_logger(__name__)


class _Arrived(NamedTuple):
    epoch: int
    message: MQTTMessage


class Listener:
    """Takes messages from an external broker into the streams.

    Parameters
    ----------
    url
        `mqtt://user:password@host:port`, or `mqtts://…` with TLS by the system's certificates.
    accept
        `Ingest.accept`.
    topic_filter
        What to subscribe to; a broker without shared subscriptions needs the plain filter.
    client_id
        Names the persistent session: one for each listener that runs.
    """

    def __init__(
        self,
        url: str,
        accept: Accept,
        *,
        topic_filter: str = SHARED_FILTER,
        client_id: str = CLIENT_ID,
    ) -> None:
        address = urlsplit(url)
        if address.scheme not in DEFAULT_PORTS or not address.hostname:
            raise Invalid("must be mqtt://host or mqtts://host", field="MQTT_URL")
        self._host = address.hostname
        self._port = address.port or DEFAULT_PORTS[address.scheme]
        self._accept = accept
        self._filter = topic_filter
        self._arrived: queue.SimpleQueue[_Arrived] = queue.SimpleQueue()
        # A message's number belongs to its connection: after another CONNECT the same number may
        # mean another message, and acknowledging it would lose that one.
        self._epoch = 0
        self._epoch_lock = threading.Lock()
        self.subscribed = threading.Event()
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=False,
            protocol=MQTTv311,
            manual_ack=True,
        )
        if address.username:
            self._client.username_pw_set(
                unquote(address.username), unquote(address.password) if address.password else None
            )
        if address.scheme in {"mqtts", "ssl"}:
            self._client.tls_set()
        self._client.reconnect_delay_set(1, 30)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message

    def run(self, stop: threading.Event) -> None:
        """Take messages in until `stop` is set; the connection comes back by itself."""
        self._client.connect_async(self._host, self._port, keepalive=KEEP_ALIVE_S)
        self._client.loop_start()
        try:
            while not stop.is_set():
                batch = self._gathered()
                if batch:
                    self._take(batch, stop)
        finally:
            self._client.disconnect()
            self._client.loop_stop()

    def _gathered(self) -> list[_Arrived]:
        """Give what has arrived, waiting a moment for the first."""
        batch: list[_Arrived] = []
        with contextlib.suppress(queue.Empty):
            batch.append(self._arrived.get(timeout=GATHER_S))
            while len(batch) < BATCH:
                batch.append(self._arrived.get_nowait())
        return batch

    def _take(self, batch: list[_Arrived], stop: threading.Event) -> None:
        uplinks = []
        for arrived in batch:
            where = parse_topic(arrived.message.topic)
            if where is None:
                log.warning("a message on a topic that is not for uplinks was dropped")
                continue
            uplink = uplink_of(where, bytes(arrived.message.payload))
            if uplink is not None:
                uplinks.append(uplink)
        while not stop.is_set():
            try:
                self._accept(SOURCE, uplinks)
            except (TooMany, Unavailable) as error:
                log.warning("uplinks wait", count=len(uplinks), error=str(error))
                stop.wait(RETRY_AFTER_S)
            else:
                self._acknowledge(batch)
                return

    def _acknowledge(self, batch: list[_Arrived]) -> None:
        with self._epoch_lock:
            for arrived in batch:
                # One from an earlier connection comes again, is appended twice and told apart.
                if arrived.epoch == self._epoch and arrived.message.qos:
                    self._client.ack(arrived.message.mid, arrived.message.qos)

    def _on_connect(
        self,
        client: Client,
        _userdata: Any,
        _flags: ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            log.error("the MQTT broker refuses us", reason=str(reason))
            return
        result, _ = client.subscribe(self._filter, qos=1)
        if result != MQTTErrorCode.MQTT_ERR_SUCCESS:
            log.error("cannot subscribe", result=str(result))

    def _on_subscribe(
        self,
        _client: Client,
        _userdata: Any,
        _mid: int,
        reasons: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        if any(reason.is_failure for reason in reasons):
            log.error("the MQTT broker refuses the subscription", topic=self._filter)
            return
        self.subscribed.set()
        log.info("listening for uplinks", topic=self._filter)

    def _on_disconnect(
        self,
        _client: Client,
        _userdata: Any,
        _flags: DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        with self._epoch_lock:
            self._epoch += 1
        self.subscribed.clear()
        log.warning("the MQTT broker's connection ended", reason=str(reason))

    def _on_message(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        with self._epoch_lock:
            self._arrived.put(_Arrived(self._epoch, message))
