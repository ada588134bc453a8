"""What network servers hand over, in one form: uplinks, refusals, and the stream entry they become.

The adapters read the network servers' own formats into these; ingest appends them; folding and
the archive read the entries. See `docs/ingest.md`.
"""

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal
from uuid import UUID

import orjson

from city.identifiers import DeviceId, DistrictCode
from parking.rules.sensors.model import RejectReason

LONGEST_FRAME_BYTES: Final = 4_096
"""LoRaWAN carries at most 242; the longest is an NB-IoT payload in JSON."""
LARGEST_BATCH: Final = 1_000
"""Messages in one request. A network server sends one; a bridge that catches up sends many."""
LONGEST_BODY_BYTES: Final = 1_048_576
LONGEST_MESSAGE_BYTES: Final = 65_536
"""Of one MQTT message: a TTN v3 uplink heard by 40 gateways has about 20 kB."""
LONGEST_KEY: Final = 64
NETWORK_KEY: Final = re.compile(r"[0-9a-z][0-9a-z._:-]{0,63}")
"""What a network may call a device, in lower case: safe in a topic and in a key."""
LONGEST_NAME: Final = 128
"""Characters of a session's or a message's identifier."""

FUTURE_TOLERANCE_MS: Final = 120_000
"""A time further ahead of its receipt comes from a wrong clock; the same as folding's."""
LATE_AFTER_MS: Final = 1_800_000
"""Older than this at receipt an uplink is archived and marked late; folding decides by its own
window whether it still changes a bay's history."""

UPLINK_FIELD: Final = b"u"
PARKED_DISTRICT: Final = "parked"
PARKED_STREAM: Final = "{d:parked}:uplinks:0"


class Refusal(StrEnum):
    """Why a message cannot be read, beside the codecs' own reasons (`RejectReason`)."""

    MALFORMED = "malformed"
    MISSING_FIELD = "missing_field"
    BAD_VALUE = "bad_value"
    OVERSIZED = "oversized"
    UNSUPPORTED_MESSAGE = "unsupported_message"
    WRONG_DEVICE = "wrong_device"
    PARKING_FULL = "parking_full"


@dataclass(frozen=True, slots=True)
class Uplink:
    """One frame of one device, as its network server handed it over."""

    index: int
    """Place in the request."""
    network_key: str
    """What the network calls the device; lower case."""
    port: int
    """LoRaWAN FPort; 0 for NB-IoT."""
    frame: bytes
    at_ms: int | None
    """When it was sent, by the best clock in the message; None where it names no time."""
    session: str | None
    """Join session; with the counter it tells duplicates."""
    counter: int | None
    message_id: str | None
    """The platform's own name of the message; tells duplicates where there is no counter."""
    rssi: float | None
    """dBm, of the gateway that heard it best."""
    snr: float | None
    """dB, of the same gateway."""
    district: str | None = None
    """What the sender says; a hint for parking an unknown device."""


@dataclass(frozen=True, slots=True)
class RejectedUplink:
    """A message that is not used, and why."""

    index: int
    reason: Refusal | RejectReason
    detail: str


@dataclass(frozen=True, slots=True)
class IgnoredUplink:
    """A message that carries no frame: a join, a downlink's fate."""

    index: int
    kind: str


@dataclass(frozen=True, slots=True)
class AcceptedUplink:
    """An uplink that is in a stream."""

    index: int
    device: str
    """The network's key."""
    device_id: DeviceId | None
    state: Literal["appended", "parked"]
    """Parked: the device is not registered; an operator can adopt it and the frame is replayed."""
    clamped: bool = False
    """Its time lay in the future and was replaced by its receipt's."""
    late: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """What a request's body holds."""

    uplinks: tuple[Uplink, ...]
    rejected: tuple[RejectedUplink, ...] = ()
    ignored: tuple[IgnoredUplink, ...] = ()


@dataclass(frozen=True, slots=True)
class IngestAnswer:
    """What became of each message of a request; each part in the request's order."""

    accepted: tuple[AcceptedUplink, ...]
    rejected: tuple[RejectedUplink, ...]
    ignored: tuple[IgnoredUplink, ...] = ()

    def with_reading(self, reading: Reading) -> "IngestAnswer":
        """Give the answer together with what could not be read or carried no frame."""
        return IngestAnswer(
            self.accepted,
            tuple(sorted((*self.rejected, *reading.rejected), key=lambda each: each.index)),
            (*self.ignored, *reading.ignored),
        )


def partition_of(device_id: UUID, partitions: int) -> int:
    """Give the partition of a device's stream: always the same one for the same device."""
    return zlib.crc32(device_id.bytes) % partitions


def uplink_stream(district: DistrictCode | str, partition: int) -> str:
    """Give the key of a stream; all keys of a district share its hash tag, hence its node."""
    return f"{{d:{district}}}:uplinks:{partition}"


def known_entry(
    uplink: Uplink, device_id: UUID, model: str, at_ms: int, received_ms: int
) -> Mapping[bytes, bytes]:
    """Write the stream entry of a known device's frame.

    The frame stays raw: the reader decodes it again, so that a codec's fix can be replayed.
    """
    return {
        UPLINK_FIELD: orjson.dumps(
            [
                device_id.hex,
                model,
                uplink.port,
                uplink.frame.hex(),
                at_ms,
                received_ms,
                uplink.session,
                uplink.counter,
                uplink.message_id,
                uplink.rssi,
                uplink.snr,
            ]
        )
    }


def parked_entry(
    uplink: Uplink, source: str, at_ms: int, received_ms: int
) -> Mapping[bytes, bytes]:
    """Write the stream entry of an unregistered device's frame."""
    return {
        UPLINK_FIELD: orjson.dumps(
            [
                None,
                None,
                uplink.port,
                uplink.frame.hex(),
                at_ms,
                received_ms,
                uplink.session,
                uplink.counter,
                uplink.message_id,
                uplink.rssi,
                uplink.snr,
                uplink.network_key,
                source,
                uplink.district,
            ]
        )
    }
