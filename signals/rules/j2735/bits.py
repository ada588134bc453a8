"""Unaligned packed encoding (ITU-T X.691, UPER) of what SPaT and MAP need of it."""

from city.errors import Invalid

_SHORT = 128
_LONG = 16_384


class Bits:
    """Bits written one after another, the highest first."""

    def __init__(self) -> None:
        self._value = 0
        self._count = 0

    def put(self, value: int, width: int) -> None:
        """Write an unsigned number of so many bits; Invalid where it does not fit."""
        if not 0 <= value < 1 << width:
            raise Invalid(f"{value} does not fit into {width} bits", field="message")
        self._value = self._value << width | value
        self._count += width

    def number(self, value: int, low: int, high: int) -> None:
        """Write a number that lies in a range; Invalid where it does not."""
        if not low <= value <= high:
            raise Invalid(f"{value} is not {low} to {high}", field="message")
        self.put(value - low, (high - low).bit_length())

    def flags(self, width: int, *set_bits: int) -> None:
        """Write a bit string of a fixed width; bit 0 stands first."""
        self.put(sum(1 << (width - 1 - bit) for bit in set_bits), width)

    def text(self, words: str, most: int) -> None:
        """Write IA5 text of 1 to so many characters; others stand as question marks."""
        kept = words[:most].encode("ascii", "replace") or b"?"
        self.number(len(kept), 1, most)
        for each in kept:
            self.put(each, 7)

    def bytes(self) -> bytes:
        """Give whole bytes, the last one filled up with zeros."""
        spare = -self._count % 8
        return (self._value << spare).to_bytes((self._count + spare) // 8, "big")


def framed(message_id: int, value: bytes) -> bytes:
    """Give a MessageFrame around a message."""
    frame = Bits()
    frame.put(0, 1)
    frame.number(message_id, 0, 32_767)
    if len(value) < _SHORT:
        frame.put(len(value), 8)
    elif len(value) < _LONG:
        frame.put(0b10, 2)
        frame.put(len(value), 14)
    else:
        raise Invalid("the message is too long for a frame", field="message")
    return frame.bytes() + value
