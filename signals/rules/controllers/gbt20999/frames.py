"""Frames of GB/T 20999-2017: bytes to values and back, without any input or output.

    7E  length(2)  version(2)  upper(1)  controller(4)  junction(1)  sequence(1)  type(1)
    [count(1)  values…]  CRC(2)  7D

Length counts from the version to the CRC, unescaped. The CRC (x16 + x12 + x2 + 1, from zero, not
reflected) covers the length to the last value. On byte streams 7E, 7D and 5C in between are
preceded by 5C; in datagrams nothing is. Heartbeats have no count.

Sources: public implementations, which agree on this unless ``Dialect`` says otherwise; the
standard's own text was not at hand.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Final

from city.errors import Invalid

START: Final = 0x7E
END: Final = 0x7D
ESCAPE: Final = 0x5C
HEAD_BYTES: Final = 12
"""Length field to type."""
MOST_BYTES: Final = 65_539
MOST_VALUE_BYTES: Final = 251
MOST_VALUES: Final = 255
_POLYNOMIAL: Final = 0x1005
_LENGTH_BYTES: Final = 2
_ITEM_HEAD: Final = 4
"""Class, object, attribute and element, which an item's length counts."""
_SHORTEST: Final = 1 + HEAD_BYTES + 2 + 1


class FrameKind(IntEnum):
    """What a frame is for."""

    QUERY = 0x10
    QUERY_REPLY = 0x20
    QUERY_ERROR = 0x21
    SET = 0x30
    SET_REPLY = 0x40
    SET_ERROR = 0x41
    BROADCAST = 0x50
    TRAP = 0x60
    HEARTBEAT = 0x70
    HEARTBEAT_REPLY = 0x80


class ErrorCode(IntEnum):
    """Why a controller refused an item."""

    BAD_VALUE = 0x10
    WRONG_LENGTH = 0x11
    OUT_OF_RANGE = 0x12
    READ_ONLY = 0x20
    NO_SUCH_VALUE = 0x30
    GENERAL = 0x40
    CONTROL_FAILED = 0x50


_BARE: Final = frozenset({FrameKind.HEARTBEAT, FrameKind.HEARTBEAT_REPLY})


@dataclass(frozen=True, slots=True)
class Item:
    """One data value: which, and its bytes (none in a query)."""

    index: int
    """From 1, in the order of the frame."""
    class_id: int
    object_id: int
    attribute: int
    """0 in a query: all."""
    element: int
    """Row; 0 in a query: all."""
    value: bytes = b""

    @property
    def address(self) -> tuple[int, int, int, int]:
        """Class, object, attribute, element."""
        return self.class_id, self.object_id, self.attribute, self.element


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame."""

    kind: FrameKind
    sequence: int
    items: tuple[Item, ...] = ()
    version: int = 0x0102
    upper: int = 1
    controller: int = 1
    junction: int = 1


def crc(content: bytes) -> int:
    """Give the checksum; that of ``123456789`` is 5BB8."""
    table = _table()
    value = 0
    for byte in content:
        value = ((value << 8) & 0xFFFF) ^ table[(value >> 8) ^ byte]
    return value


def encode(frame: Frame, *, escaped: bool) -> bytes:
    """Write a frame; `escaped` for byte streams, not for datagrams.

    Raises
    ------
    Invalid
        On a number that its bytes do not hold.
    """
    try:
        head = (
            frame.version.to_bytes(2, "big")
            + frame.upper.to_bytes(1, "big")
            + frame.controller.to_bytes(4, "big")
            + frame.junction.to_bytes(1, "big")
            + frame.sequence.to_bytes(1, "big")
            + frame.kind.to_bytes(1, "big")
        )
        body = b"" if frame.kind in _BARE else len(frame.items).to_bytes(1, "big")
        body += b"".join(
            bytes((item.index, _ITEM_HEAD + len(item.value), *item.address)) + item.value
            for item in frame.items
        )
        counted = len(head) + len(body) + 2
        covered = counted.to_bytes(_LENGTH_BYTES, "big") + head + body
    except (OverflowError, ValueError):
        raise Invalid("has a number that its bytes do not hold", field="frame") from None
    inner = covered + crc(covered).to_bytes(2, "big")
    if escaped:
        inner = b"".join(
            bytes((ESCAPE, byte)) if byte in {START, END, ESCAPE} else bytes((byte,))
            for byte in inner
        )
    return bytes((START,)) + inner + bytes((END,))


def decode(raw: bytes, *, escaped: bool, lenient: bool = False) -> Frame:
    """Read a whole frame.

    Parameters
    ----------
    raw : bytes
        From 7E to 7D.
    escaped : bool
        It came over a byte stream.
    lenient : bool
        Take a length that is 2 too large with a checksum over length bytes of zero too, as one
        controller firmware sends (unverified beyond that one source).

    Raises
    ------
    Invalid
        Saying what is broken; never anything else, whatever the bytes.
    """
    if len(raw) < _SHORTEST or raw[0] != START or raw[-1] != END:
        raise Invalid("is no frame from 7E to 7D", field="frame")
    inner = _unescaped(raw[1:-1]) if escaped else raw[1:-1]
    if len(inner) < HEAD_BYTES + 2:
        raise Invalid("is too short", field="frame")
    told, counted = int.from_bytes(inner[:2], "big"), len(inner) - _LENGTH_BYTES
    covered, told_crc = inner[:-2], int.from_bytes(inner[-2:], "big")
    odd = lenient and told == counted + 2 and crc(b"\0\0" + covered[2:]) == told_crc
    if told != counted and not odd:
        raise Invalid(f"says {told} bytes and has {counted}", field="frame.length")
    if crc(covered) != told_crc and not odd:
        raise Invalid("has a wrong checksum", field="frame.crc")
    try:
        kind = FrameKind(inner[11])
    except ValueError:
        raise Invalid(f"is of unknown type {inner[11]:02X}", field="frame.type") from None
    rest = covered[HEAD_BYTES:]
    return Frame(
        kind,
        inner[10],
        tuple(_items(rest, bare=kind in _BARE)),
        int.from_bytes(inner[2:4], "big"),
        inner[4],
        int.from_bytes(inner[5:9], "big"),
        inner[9],
    )


class Splitter:
    """Frames out of a byte stream as its pieces come; what is no frame is counted and dropped."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._escaping = False
        self.dropped_bytes = 0

    def feed(self, piece: bytes) -> list[bytes]:
        """Take a piece; give the whole frames, still escaped, from 7E to 7D.

        A start inside a frame begins another: the first was cut off. Memory is bounded by the
        longest frame. Cost grows with the bytes.
        """
        found = []
        for byte in piece:
            if not self._held:
                if byte == START:
                    self._held.append(byte)
                else:
                    self.dropped_bytes += 1
                continue
            if self._escaping:
                self._escaping = False
                self._held.append(byte)
            elif byte == START:
                self._drop()
                self._held.append(byte)
            elif byte == END:
                self._held.append(byte)
                found.append(bytes(self._held))
                self._held.clear()
            else:
                self._escaping = byte == ESCAPE
                self._held.append(byte)
            if len(self._held) > 2 * MOST_BYTES:
                self._drop()
        return found

    def _drop(self) -> None:
        self.dropped_bytes += len(self._held)
        self._held.clear()
        self._escaping = False


def _unescaped(inner: bytes) -> bytes:
    found = bytearray()
    waiting = False
    for byte in inner:
        if not waiting and byte == ESCAPE:
            waiting = True
            continue
        if not waiting and byte in {START, END}:
            raise Invalid("has a start or an end inside", field="frame")
        found.append(byte)
        waiting = False
    if waiting:
        raise Invalid("ends in an escape", field="frame")
    return bytes(found)


def _items(rest: bytes, *, bare: bool) -> Iterator[Item]:
    if bare:
        if rest:
            raise Invalid("is a heartbeat with data", field="frame.count")
        return
    if not rest:
        raise Invalid("has no count of values", field="frame.count")
    at = 1
    for number in range(rest[0]):
        if at + 2 > len(rest):
            raise Invalid("ends too soon", field=f"frame.items.{number}")
        length = rest[at + 1]
        end = at + 2 + length
        if length < _ITEM_HEAD or end > len(rest):
            raise Invalid(f"has the impossible length {length}", field=f"frame.items.{number}")
        class_id, object_id, attribute, element = rest[at + 2 : at + 2 + _ITEM_HEAD]
        value = rest[at + 2 + _ITEM_HEAD : end]
        yield Item(rest[at], class_id, object_id, attribute, element, value)
        at = end
    if at != len(rest):
        raise Invalid(f"has {len(rest) - at} bytes after its values", field="frame.items")


@lru_cache(maxsize=1)
def _table() -> tuple[int, ...]:
    found = []
    for byte in range(256):
        value = byte << 8
        for _ in range(8):
            value = ((value << 1) ^ _POLYNOMIAL if value & 0x8000 else value << 1) & 0xFFFF
        found.append(value)
    return tuple(found)
