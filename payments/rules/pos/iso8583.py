"""ISO 8583:1987 as POS terminals in China write it: BCD numbers, a length, TPDU and header before.

Pure and strict: what is read and written again is the same bytes, and whatever else came is refused
with the field that it is in. Fields that carry a card's number, track, PIN or chip data have no
reader at all: a message with one of them is refused before anything of it is looked at.

Source: the field table of UnionPay's POS terminal specification as public code and pages restate it
(fields 3, 4, 11, 22, 25, 37, 39, 41, 42, 48, 49, 60 to 64); the standards' own texts were not at
hand.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

TPDU_BYTES: Final = 5
HEADER_BYTES: Final = 6
LENGTH_BYTES: Final = 2
MOST_BYTES: Final = 2048
"""Of a frame without its length: no message of ours comes near it."""
MAC_FIELD: Final = 64
MAC_BYTES: Final = 8
_MTI_BYTES: Final = 2
_BITMAP_BYTES: Final = 8
_FIELDS: Final = 64
_LENGTH_DIGITS: Final = 4
_LAST_DIGIT: Final = 9

CARD_DATA: Final = frozenset({2, 14, 23, 34, 35, 36, 45, 52, 53, 55})
"""Card number, expiry, sequence, tracks, PIN, chip data: never read, never kept."""


class Form(StrEnum):
    """How a field is written."""

    DIGITS = "digits"
    """BCD of a fixed number of digits; an odd number has a zero nibble at its end."""
    TEXT = "text"
    """ASCII of a fixed length."""
    BYTES = "bytes"
    """Bytes of a fixed length."""
    LONG_DIGITS = "long-digits"
    """Number of digits in four BCD digits, then BCD."""
    LONG_TEXT = "long-text"
    """Number of characters in four BCD digits, then ASCII."""
    LONG_BYTES = "long-bytes"
    """Number of bytes in four BCD digits, then bytes."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its form, and its length (of a long one the most) in digits or bytes."""

    form: Form
    length: int


FIELDS: Final[Mapping[int, Field]] = {
    3: Field(Form.DIGITS, 6),
    4: Field(Form.DIGITS, 12),
    11: Field(Form.DIGITS, 6),
    12: Field(Form.DIGITS, 6),
    13: Field(Form.DIGITS, 4),
    22: Field(Form.DIGITS, 3),
    25: Field(Form.DIGITS, 2),
    37: Field(Form.TEXT, 12),
    38: Field(Form.TEXT, 6),
    39: Field(Form.TEXT, 2),
    41: Field(Form.TEXT, 8),
    42: Field(Form.TEXT, 15),
    48: Field(Form.LONG_DIGITS, 322),
    49: Field(Form.TEXT, 3),
    60: Field(Form.LONG_DIGITS, 17),
    61: Field(Form.LONG_DIGITS, 29),
    62: Field(Form.LONG_BYTES, 512),
    63: Field(Form.LONG_TEXT, 163),
    64: Field(Form.BYTES, MAC_BYTES),
}

Value = str | bytes


class Fault(StrEnum):
    """Why bytes are no message of ours."""

    LENGTH = "length"
    """Too short, too long, or something is left over."""
    BITMAP = "bitmap"
    """Names a field that we do not know, or a second bitmap."""
    CARD_DATA = "card-data"
    """Carries what is never taken: a card's number, track, PIN or chip data."""
    DIGITS = "digits"
    """A nibble that is no digit, or a pad that is not zero."""
    TEXT = "text"
    """A character that is no printable ASCII."""


class BadMessage(Exception):
    """Bytes that are no message: which field, and why; never what stood there.

    Parameters
    ----------
    fault : Fault
        What is wrong.
    where : str
        ``frame``, ``mti``, ``bitmap`` or ``field N``.
    mti : str
        Message type where it could be read, so that the sender can be told.
    """

    def __init__(self, fault: Fault, where: str, mti: str = "") -> None:
        super().__init__(f"{where}: {fault.value}")
        self.fault = fault
        self.where = where
        self.mti = mti


@dataclass(frozen=True, slots=True)
class Message:
    """A message: its type and its fields by number; digits and texts as ``str``, else bytes."""

    mti: str
    fields: Mapping[int, Value] = field(repr=False)

    def text(self, number: int) -> str:
        """Give a field of digits or text; empty where it is missing."""
        value = self.fields.get(number, "")
        return value if isinstance(value, str) else ""

    def raw(self, number: int) -> bytes:
        """Give a field of bytes; empty where it is missing."""
        value = self.fields.get(number, b"")
        return value if isinstance(value, bytes) else b""


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands between two lengths: addresses, header, message.

    Parameters
    ----------
    tpdu : bytes
        ``60``, destination, source: a reply swaps the two.
    header : bytes
        Application class, versions, terminal's state, what it is asked to do; given back as it is.
    content : bytes
        The message's own bytes: what a MAC is over, and the MAC.
    """

    tpdu: bytes
    header: bytes
    content: bytes = field(repr=False)

    def reply(self, content: bytes) -> "Frame":
        """Give the frame that answers this one."""
        tpdu = self.tpdu[:1] + self.tpdu[3:5] + self.tpdu[1:3]
        return Frame(tpdu, self.header, content)

    def encode(self) -> bytes:
        """Write it, its length in two bytes before, high byte first."""
        body = self.tpdu + self.header + self.content
        return len(body).to_bytes(LENGTH_BYTES, "big") + body


def read_frame(body: bytes) -> Frame:
    """Part what came after a length into addresses, header and message.

    Raises
    ------
    BadMessage
        Where it is too short or too long.
    """
    before = TPDU_BYTES + HEADER_BYTES
    if not before + _MTI_BYTES + _BITMAP_BYTES <= len(body) <= MOST_BYTES:
        raise BadMessage(Fault.LENGTH, "frame")
    return Frame(body[:TPDU_BYTES], body[TPDU_BYTES:before], body[before:])


def signed_part(content: bytes) -> bytes:
    """Give what a message's MAC is over: all but the MAC, which is its last field."""
    return content[:-MAC_BYTES]


def decode(content: bytes) -> Message:
    """Read a message.

    Parameters
    ----------
    content : bytes
        From the message type on.

    Returns
    -------
    Message
        ``encode`` of it gives the same bytes. Cost grows with the number of bytes.

    Raises
    ------
    BadMessage
        With the field and what is wrong with it.
    """
    if len(content) < _MTI_BYTES + _BITMAP_BYTES:
        raise BadMessage(Fault.LENGTH, "frame")
    mti = content[:_MTI_BYTES].hex()
    if not mti.isdigit():
        raise BadMessage(Fault.DIGITS, "mti")
    bits = int.from_bytes(content[_MTI_BYTES : _MTI_BYTES + _BITMAP_BYTES], "big")
    numbers = [n for n in range(1, _FIELDS + 1) if bits >> (_FIELDS - n) & 1]
    if not CARD_DATA.isdisjoint(numbers):
        raise BadMessage(Fault.CARD_DATA, "bitmap", mti)
    if not FIELDS.keys() >= set(numbers):
        raise BadMessage(Fault.BITMAP, "bitmap", mti)
    at = _MTI_BYTES + _BITMAP_BYTES
    found: dict[int, Value] = {}
    for number in numbers:
        try:
            found[number], at = _read(content, at, FIELDS[number])
        except _Wrong as wrong:
            raise BadMessage(wrong.fault, f"field {number}", mti) from None
    if at != len(content):
        raise BadMessage(Fault.LENGTH, "frame", mti)
    return Message(mti, found)


def encode(message: Message) -> bytes:
    """Write a message.

    Raises
    ------
    ValueError
        Where a field is unknown, or its value is not of its form: a fault of ours.
    """
    bits, parts = 0, []
    for number in sorted(message.fields):
        bits |= 1 << (_FIELDS - number)
        parts.append(_written(number, message.fields[number]))
    head = bytes.fromhex(message.mti) + bits.to_bytes(_BITMAP_BYTES, "big")
    return head + b"".join(parts)


class _Wrong(Exception):
    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.value)
        self.fault = fault


def _read(content: bytes, at: int, known: Field) -> tuple[Value, int]:
    length = known.length
    if known.form in {Form.LONG_DIGITS, Form.LONG_TEXT, Form.LONG_BYTES}:
        told, at = _digits(content, at, _LENGTH_DIGITS)
        if int(told) > length:
            raise _Wrong(Fault.LENGTH)
        length = int(told)
    if known.form in {Form.DIGITS, Form.LONG_DIGITS}:
        return _digits(content, at, length)
    taken = content[at : at + length]
    if len(taken) != length:
        raise _Wrong(Fault.LENGTH)
    if known.form in {Form.BYTES, Form.LONG_BYTES}:
        return taken, at + length
    if not taken.isascii() or not taken.decode("ascii").isprintable():
        raise _Wrong(Fault.TEXT)
    return taken.decode("ascii"), at + length


def _digits(content: bytes, at: int, length: int) -> tuple[str, int]:
    size = (length + 1) // 2
    taken = content[at : at + size]
    if len(taken) != size:
        raise _Wrong(Fault.LENGTH)
    text = taken.hex()
    if any(int(each, 16) > _LAST_DIGIT for each in text) or text[length:] not in {"", "0"}:
        raise _Wrong(Fault.DIGITS)
    return text[:length], at + size


def _written(number: int, value: Value) -> bytes:
    known = FIELDS.get(number)
    if known is None:
        raise ValueError(f"field {number} is none of ours")
    long = known.form in {Form.LONG_DIGITS, Form.LONG_TEXT, Form.LONG_BYTES}
    if len(value) > known.length or (not long and len(value) != known.length):
        raise ValueError(f"field {number} is {len(value)} long")
    prefix = bytes.fromhex(f"{len(value):04d}") if long else b""
    if known.form in {Form.BYTES, Form.LONG_BYTES}:
        if not isinstance(value, bytes):
            raise ValueError(f"field {number} is of bytes")
        return prefix + value
    if not isinstance(value, str) or not value.isascii():
        raise ValueError(f"field {number} is of ASCII")
    if known.form in {Form.TEXT, Form.LONG_TEXT}:
        return prefix + value.encode("ascii")
    if value and not value.isdigit():
        raise ValueError(f"field {number} is of digits")
    return prefix + bytes.fromhex(value + "0" * (len(value) % 2))
