"""Width and height of a picture file by its head, before anything is unpacked.

A few kilobytes can unpack to gigabytes. What a head does not tell is not opened, so only formats
that are known here are: JPEG, PNG, GIF, BMP, WebP and TIFF.
"""

import struct
from collections.abc import Callable
from typing import Final

_START_OF_FRAME: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_MARKER: Final = 0xFF
_TIFF_WIDTH, _TIFF_HEIGHT = 256, 257
_TIFF_SHORT: Final = 3
_MOST_TAGS: Final = 500

Reader = Callable[[bytes], tuple[int, int] | None]


def size_of(content: bytes) -> tuple[int, int] | None:
    """Give width and height in pixels; None where the head is of no known format or cut short.

    Parameters
    ----------
    content : bytes
        The file. Of it only the head is read; of a JPEG the segments before its first frame.
    """
    read = next((read for starts, read in _READERS if content.startswith(starts)), None)
    try:
        return None if read is None else read(content)
    except (struct.error, IndexError):
        return None


def _packed(form: str, at: int) -> Reader:
    """Read two numbers at a place; a bitmap's height is negative where it runs downwards."""

    def read(content: bytes) -> tuple[int, int]:
        wide, high = struct.unpack_from(form, content, at)
        return abs(wide), abs(high)

    return read


def _jpeg(content: bytes) -> tuple[int, int] | None:
    at = 2
    while content[at] == _MARKER:
        while content[at + 1] == _MARKER:
            at += 1
        if content[at + 1] in _START_OF_FRAME:
            height, width = struct.unpack_from(">HH", content, at + 5)
            return int(width), int(height)
        at += 2 + max(2, struct.unpack_from(">H", content, at + 2)[0])
    return None


def _webp(content: bytes) -> tuple[int, int] | None:
    if content[8:12] != b"WEBP":
        return None
    kind = content[12:16]
    if kind == b"VP8X":
        wide, high = (int.from_bytes(content[at : at + 3], "little") for at in (24, 27))
        return wide + 1, high + 1
    if kind == b"VP8L":
        (packed,) = struct.unpack_from("<I", content, 21)
        return (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        wide, high = struct.unpack_from("<HH", content, 26)
        return wide & 0x3FFF, high & 0x3FFF
    return None


def _tiff(content: bytes) -> tuple[int, int] | None:
    order = "<" if content[:2] == b"II" else ">"
    (at,) = struct.unpack_from(f"{order}I", content, 4)
    (count,) = struct.unpack_from(f"{order}H", content, at)
    told: dict[int, int] = {}
    for entry in range(min(count, _MOST_TAGS)):
        place = at + 2 + 12 * entry
        tag, form = struct.unpack_from(f"{order}HH", content, place)
        value = struct.unpack_from(
            f"{order}{'H' if form == _TIFF_SHORT else 'I'}", content, place + 8
        )
        told[tag] = value[0]
    if _TIFF_WIDTH in told and _TIFF_HEIGHT in told:
        return told[_TIFF_WIDTH], told[_TIFF_HEIGHT]
    return None


_READERS: Final[tuple[tuple[bytes | tuple[bytes, ...], Reader], ...]] = (
    (b"\x89PNG\r\n\x1a\n", _packed(">II", 16)),
    ((b"GIF87a", b"GIF89a"), _packed("<HH", 6)),
    (b"BM", _packed("<ii", 18)),
    (b"\xff\xd8", _jpeg),
    (b"RIFF", _webp),
    ((b"II*\0", b"MM\0*"), _tiff),
)
