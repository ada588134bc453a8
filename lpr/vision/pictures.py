"""Opening pictures from anybody: bounded, and with a reason where it cannot be done."""

from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from city.errors import Invalid
from lpr.vision.heads import size_of

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
    size = size_of(content)
    if size is None:
        raise Invalid(
            "is no picture of a known format (JPEG, PNG, GIF, BMP, WebP, TIFF)", field="picture"
        )
    if size[0] * size[1] > MOST_PIXELS:
        raise Invalid(f"has more than {MOST_PIXELS // 1_000_000} million pixels", field="picture")
    try:
        unpacked = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        unpacked = None
    if unpacked is None:
        raise Invalid("is a damaged picture", field="picture")
    deep = unpacked.dtype == np.uint16
    picture = unpacked / _DEEP if deep else unpacked
    if min(picture.shape[:2]) < LEAST_SIDE_PX:
        raise Invalid(f"is under {LEAST_SIDE_PX} pixels wide or high", field="picture")
    return np.ascontiguousarray(picture, np.uint8)
