"""One device's visit to the broker: connect, publish one message, wait for the answer, go.

Virtual sensors sleep between messages, so there is a connection for each. A general client keeps
queues, timers and threads for what a visit does not need; these are the five packets of it.
Source: MQTT 3.1.1, sections 2.2.3, 3.1 to 3.4 and 3.14.
"""

from __future__ import annotations

import socket
import ssl
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from city.errors import Invalid

if TYPE_CHECKING:
    from web.demo.sensors import Message

DEFAULT_PORTS: Final = {"mqtt": 1883, "tcp": 1883, "mqtts": 8883, "ssl": 8883}
ENCRYPTED: Final = frozenset({"mqtts", "ssl"})
PATIENCE_S: Final = 20.0
"""The broker answers when the message is in its stream, which may have to wait for room."""
KEEP_ALIVE_S: Final = 60

CONNECT: Final = 0x10
CONNACK: Final = 0x20
PUBLISH_ONCE_AT_LEAST: Final = 0x32
PUBACK: Final = 0x40
DISCONNECT: Final = b"\xe0\x00"
WITH_LOGIN_AND_CLEAN: Final = 0xC2
LEVEL_3_1_1: Final = 4
PACKET_ID: Final = 1
ANSWER_BYTES: Final = 4


class Unanswered(OSError):
    """The broker refused, or did not say that it holds the message."""


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where the broker is, and whether it has log-ins of its own."""

    host: str
    port: int
    encrypted: bool = False
    login: tuple[str, str] | None = None
    """Of the address, for an external broker that knows no device of ours."""

    @classmethod
    def parse(cls, url: str) -> BrokerAddress:
        """Read `mqtt://[user:password@]host[:port]` or `mqtts://…`; Invalid on anything else."""
        parts = urlsplit(url)
        if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
            raise Invalid("must be mqtt://host or mqtts://host", field="MQTT_URL")
        login = None
        if parts.username:
            login = (unquote(parts.username), unquote(parts.password or ""))
        return cls(
            parts.hostname,
            parts.port or DEFAULT_PORTS[parts.scheme],
            parts.scheme in ENCRYPTED,
            login,
        )


def publish(broker: BrokerAddress, message: Message, token: str) -> None:
    """Publish a message as its device; return when the broker holds it.

    Raises
    ------
    OSError
        Where the broker cannot be reached, refuses, or does not answer in time: the message has
        to be sent again.
    """
    username, password = broker.login or (message.network_key, token)
    with socket.create_connection((broker.host, broker.port), timeout=PATIENCE_S) as plain:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = _encrypted(plain, broker.host) if broker.encrypted else plain
        connection.sendall(_connect(message.network_key, username, password))
        _expect(connection, CONNACK, "not admitted")
        connection.sendall(_publish(message.topic, message.payload))
        _expect(connection, PUBACK, "not taken")
        connection.sendall(DISCONNECT)


def _encrypted(plain: socket.socket, host: str) -> socket.socket:
    return ssl.create_default_context().wrap_socket(plain, server_hostname=host)


def _expect(connection: socket.socket, kind: int, otherwise: str) -> None:
    answer = b""
    while len(answer) < ANSWER_BYTES:
        part = connection.recv(ANSWER_BYTES - len(answer))
        if not part:
            raise Unanswered(f"{otherwise}: the connection ended")
        answer += part
    # CONNACK ends in its return code, PUBACK in the message's number.
    wanted = 0 if kind == CONNACK else PACKET_ID
    if answer[0] != kind or answer[3] != wanted:
        raise Unanswered(f"{otherwise}: {answer.hex()}")


def _text(value: str) -> bytes:
    encoded = value.encode()
    return struct.pack(">H", len(encoded)) + encoded


def _packet(head: int, body: bytes) -> bytes:
    length, left = bytearray(), len(body)
    while True:
        left, digit = left >> 7, left & 0x7F
        length.append(digit | (0x80 if left else 0))
        if not left:
            return bytes([head]) + bytes(length) + body


def _connect(client_id: str, username: str, password: str) -> bytes:
    variable = _text("MQTT") + struct.pack(">BBH", LEVEL_3_1_1, WITH_LOGIN_AND_CLEAN, KEEP_ALIVE_S)
    return _packet(CONNECT, variable + _text(client_id) + _text(username) + _text(password))


def _publish(topic: str, payload: bytes) -> bytes:
    return _packet(PUBLISH_ONCE_AT_LEAST, _text(topic) + struct.pack(">H", PACKET_ID) + payload)
