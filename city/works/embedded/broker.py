"""An embedded MQTT broker that acknowledges a message only once somebody has taken it.

amqtt acknowledges a QoS 1 message when it has queued it for delivery, so that a killed broker
loses what it acknowledged. Here the message goes to a `Desk` in the same process, and the
acknowledgement (PUBACK; PUBREC for QoS 2) is written when the desk says that it holds it. Nothing
is delivered to anybody: it is a way in, without subscriptions, retained messages or wills.
`docs/decisions/0004-mqtt-acknowledgement.md` has the reasons.
"""

import asyncio
import logging
import math
import ssl
from typing import Any, Final, Protocol

from amqtt.adapters import (
    ReaderAdapter,
    StreamReaderAdapter,
    StreamWriterAdapter,
    WriterAdapter,
)
from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig, ListenerConfig, ListenerType
from amqtt.errors import AMQTTError, MQTTError, NoDataError
from amqtt.mqtt.connack import NOT_AUTHORIZED, ConnackPacket
from amqtt.mqtt.constants import QOS_0, QOS_1, QOS_2
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.mqtt.puback import PubackPacket
from amqtt.mqtt.pubcomp import PubcompPacket
from amqtt.mqtt.publish import PublishPacket
from amqtt.mqtt.pubrec import PubrecPacket
from amqtt.mqtt.pubrel import PubrelPacket
from amqtt.plugins.manager import PluginManager
from amqtt.session import Session
from amqtt.utils import gen_client_id

LONGEST_PACKET_BYTES: Final = 128 * 1024
"""A client that announces more is cut off; the protocol would allow 256 MB."""
CONNECT_PATIENCE_S: Final = 10.0
"""For a CONNECT to come after the connection: what says nothing does not keep a place."""
IN_FLIGHT: Final = 64
"""Messages of one connection that wait for the desk; then it is not read until some are taken."""
CONNECTIONS: Final = 8_192
SUBSCRIPTION_REFUSED: Final = 0x80
KEEP_ALIVE_SHARE: Final = 1.5
"""A client not heard for this many of its own keep-alive times is gone. Source: MQTT 3.1.1,
section 3.1.2.10."""

log = logging.getLogger(__name__)


class Desk(Protocol):
    """Who takes messages in: says who may come, and what may be left where."""

    async def admit(self, username: str, password: str) -> object | None:
        """Give who that is; None where the credential is not (or no longer) good."""
        ...

    def may_publish(self, peer: object, topic: str) -> bool:
        """Say whether a peer that was admitted may publish to a topic."""
        ...

    async def take(self, peer: object, topic: str, payload: bytes) -> None:
        """Return when the message is held safely, or was looked at and refused for good.

        Waits for as long as it cannot be held. An exception cuts the connection, unacknowledged.
        """
        ...


class _CutOff(ConnectionError):
    """The client did what ends its connection."""


class _Window:
    """How many messages of a connection wait; while it is full the connection is not read."""

    __slots__ = ("_open", "_waiting")

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()
        self._waiting = 0

    @property
    def full(self) -> bool:
        return not self._open.is_set()

    def enter(self) -> None:
        self._waiting += 1
        if self._waiting >= IN_FLIGHT:
            self._open.clear()

    def leave(self) -> None:
        self._waiting -= 1
        if self._waiting < IN_FLIGHT:
            self._open.set()

    async def opened(self) -> None:
        if not self._open.is_set():
            await self._open.wait()


class _BoundedReader(StreamReaderAdapter):
    """Reads no more than a packet may have, and nothing while the connection's window is full."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        super().__init__(reader)
        self.window = _Window()

    async def read(self, n: int = -1) -> bytes:
        if n > LONGEST_PACKET_BYTES:
            raise _CutOff(f"a packet of {n} bytes")
        await self.window.opened()
        return await super().read(n)


class DeskHandler(BrokerProtocolHandler):
    """One connection: messages go to the desk, then their acknowledgement to the client."""

    def __init__(
        self,
        plugins_manager: PluginManager[Any],
        desk: Desk,
        peer: object,
        window: _Window,
        *,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(plugins_manager, loop=loop)
        self._desk = desk
        self._peer = peer
        self._window = window
        self._closing: asyncio.Task[None] | None = None

    async def handle_publish(self, publish_packet: PublishPacket) -> None:
        """Hand a message to the desk; acknowledge it when the desk has it."""
        header = publish_packet.variable_header
        topic, payload, qos = publish_packet.topic_name, publish_packet.data, publish_packet.qos
        packet_id = None if header is None else header.packet_id
        if not topic or payload is None or qos not in {QOS_0, QOS_1, QOS_2}:
            await self._cut_off("not a message")
            return
        if qos != QOS_0 and not packet_id:
            await self._cut_off("a message to acknowledge without a number")
            return
        if not self._desk.may_publish(self._peer, topic):
            await self._cut_off("not its topic")
            return
        self._window.enter()
        try:
            await self._desk.take(self._peer, topic, bytes(payload))
        except asyncio.CancelledError:
            raise  # the connection has gone: the client sends it again
        except Exception:
            log.exception("a message could not be taken")
            await self._cut_off("a message could not be taken")
            return
        finally:
            self._window.leave()
        if packet_id and qos == QOS_1:
            await self._send_packet(PubackPacket.build(packet_id))
        elif packet_id and qos == QOS_2:
            # It is held: PUBREC. A client that repeats it before PUBREL is taken again, as for
            # QoS 1; the readers tell duplicates.
            await self._send_packet(PubrecPacket.build(packet_id))

    async def handle_pubrel(self, pubrel: PubrelPacket) -> None:
        """End a QoS 2 exchange; the message was held before PUBREC."""
        await self._send_packet(PubcompPacket.build(pubrel.packet_id))

    def handle_read_timeout(self) -> None:
        """End a connection whose client has gone silent; not one that waits for us."""
        if not self._window.full and self._closing is None:
            self._closing = self._loop.create_task(self.handle_connection_closed())

    async def _cut_off(self, reason: str) -> None:
        who = self.session.client_id if self.session else None
        log.warning("connection of %r ended: %s", who, reason)
        await self.handle_connection_closed()


class DeskBroker(Broker):
    """The broker: amqtt's listeners and sessions, our admission, our handler.

    Parameters
    ----------
    host, port
        Where it listens.
    desk
        Who takes the messages.
    connections
        At most.
    """

    def __init__(self, host: str, port: int, desk: Desk, *, connections: int = CONNECTIONS) -> None:
        super().__init__(
            BrokerConfig(
                listeners={
                    "default": ListenerConfig(
                        type=ListenerType.TCP, bind=f"{host}:{port}", max_connections=connections
                    )
                },
                plugins={},  # none: amqtt's defaults let anybody in
            )
        )
        self._desk = desk

    async def stream_connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, listener_name: str
    ) -> None:
        """Take a new connection."""
        await self._client_connected(
            listener_name, _BoundedReader(reader), StreamWriterAdapter(writer)
        )

    async def _initialize_client_session(
        self,
        reader: ReaderAdapter,
        writer: WriterAdapter,
        remote_address: str,
        remote_port: int,
    ) -> tuple[BrokerProtocolHandler, Session]:
        """Read the CONNECT and admit, or answer and end.

        Replaces amqtt's, which deletes and takes over sessions by client id before it has asked
        who is there, and would keep sessions that nobody needs.
        """
        del remote_address, remote_port
        try:
            _, session = await asyncio.wait_for(
                BrokerProtocolHandler.init_from_connect(reader, writer, self.plugins_manager),
                CONNECT_PATIENCE_S,
            )
        except Exception as error:
            # Whatever a stranger sends first: end it; amqtt takes this one kind of error.
            await _closed(writer)
            raise MQTTError(f"no CONNECT: {error!r}") from error
        peer = await self._peer(session)
        if peer is None or not isinstance(reader, _BoundedReader):
            try:
                await ConnackPacket.build(0, NOT_AUTHORIZED).to_stream(writer)
            finally:
                await _closed(writer)
            raise MQTTError("not admitted")
        # Within a credential's own names, so that nobody ends another's connection by its name.
        session.client_id = f"{session.username}/{session.client_id or gen_client_id()}"
        session.parent = 0
        session.clean_session = True  # nothing is kept: there are no subscriptions
        session.will_flag = False
        session.will_retain = False
        session.keep_alive = math.ceil(session.keep_alive * KEEP_ALIVE_SHARE)
        handler = DeskHandler(
            self.plugins_manager, self._desk, peer, reader.window, loop=self._loop
        )
        return handler, session

    async def _peer(self, session: Session) -> object | None:
        if not session.username or not session.password:
            return None
        try:
            return await self._desk.admit(session.username, session.password)
        except Exception:
            log.exception("nobody can be admitted now")
            return None

    async def _authenticate(self, session: Session, _: ListenerConfig) -> bool:
        """Say again, with the desk's memory, that the session is admitted."""
        return await self._peer(session) is not None

    async def add_subscription(self, subscription: tuple[str, int], session: Session) -> int:
        """Refuse: nobody reads here."""
        del subscription, session
        return SUBSCRIPTION_REFUSED

    @staticmethod
    def _create_ssl_context(listener: ListenerConfig) -> ssl.SSLContext:
        raise MQTTError(f"the embedded broker listens on loopback, without TLS: {listener.bind}")


async def _closed(writer: WriterAdapter) -> None:
    try:
        await writer.close()
    except (OSError, AMQTTError, NoDataError):
        log.debug("the connection had gone")
