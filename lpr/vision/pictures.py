"""Opening pictures from anybody: bounded, and with a reason where it cannot be done."""

import struct
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from city.errors import Invalid

Picture = NDArray[np.uint8]

MOST_BYTES: Final = 64 * 1024 * 1024
MOST_PIXELS: Final = 60_000_000
LEAST_SIDE_PX: Final = 8
_DEEP: Final = 65_535.0 / 255.0


def open_picture(path: Path) -> Picture:
    """Read a picture file as blue, green, red of eight bits.

    The content decides, never the name. Grey is widened, 16 bits are brought to eight, four
    inks and transparency to three colours; of an animation the first picture counts.

    Raises
    ------
    Invalid
        Where it is no file, empty, too large (64 MiB, 60 million pixels; told from its head,
        before it is unpacked), too small (8 pixels) or damaged.
    """
    try:
        if not path.is_file():
            raise Invalid("is no file", field="picture")
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise Invalid(f"is larger than {MOST_BYTES // 2**20} MiB", field="picture")
        content = path.read_bytes()
    except OSError as error:
        reason = error.strerror or "cannot be read"
        raise Invalid(f"cannot be read: {reason}", field="picture") from None
    except ValueError:
        raise Invalid("is no file", field="picture") from None
    return picture_of(content)


def picture_of(content: bytes) -> Picture:
    """Unpack the bytes of a picture; see ``open_picture``."""
    if not content:
        raise Invalid("is empty", field="picture")
    size = _size_by_head(content)
    if size is not None and size[0] * size[1] > MOST_PIXELS:
        raise Invalid(f"has more than {MOST_PIXELS // 1_000_000} million pixels", field="picture")
    try:
        unpacked = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        unpacked = None
    if unpacked is None:
        raise Invalid("is no picture, or a damaged one", field="picture")
    deep = unpacked.dtype == np.uint16
    picture = unpacked / _DEEP if deep else unpacked
    if min(picture.shape[:2]) < LEAST_SIDE_PX:
        raise Invalid(f"is under {LEAST_SIDE_PX} pixels wide or high", field="picture")
    return np.ascontiguousarray(picture, np.uint8)


def _size_by_head(content: bytes) -> tuple[int, int] | None:
    """Give width and height by the head of the usual formats; None where it does not say."""
    if content[:8] == b"\x89PNG\r\n\x1a\n" and len(content) >= 24:  # noqa: PLR2004 - PNG's first chunk
        width, height = struct.unpack(">II", content[16:24])
        return int(width), int(height)
    if content[:6] in {b"GIF87a", b"GIF89a"} and len(content) >= 10:  # noqa: PLR2004 - GIF's screen
        width, height = struct.unpack("<HH", content[6:10])
        return int(width), int(height)
    if content[:2] == b"BM" and len(content) >= 26:  # noqa: PLR2004 - BMP's head
        width, height = struct.unpack("<ii", content[18:26])
        return abs(int(width)), abs(int(height))
    if content[:2] == b"\xff\xd8":
        return _jpeg_size(content)
    return None


def _jpeg_size(content: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 < len(content) and content[at] == 0xFF:  # noqa: PLR2004 - a marker
        marker = content[at + 1]
        length = int.from_bytes(content[at + 2 : at + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:  # noqa: PLR2004 - a frame's head
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return int(width), int(height)
        at += 2 + length
    return None
