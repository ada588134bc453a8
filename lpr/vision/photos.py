"""Reading the plates of a picture that a person took, while they wait."""

import threading
from functools import lru_cache
from typing import Final

import cv2

from city.errors import Invalid, Unavailable
from lpr.rules.reads import PlateRead
from lpr.vision.heads import size_of
from lpr.vision.models import Detector, Recogniser, detector, recogniser
from lpr.vision.pictures import picture_of
from lpr.vision.reading import read_scene

MOST_PIXELS: Final = 12_000_000
PATIENCE_S: Final = 5.0
_ONE_AT_A_TIME: Final = threading.Lock()
"""A net keeps what it computes in itself."""


@lru_cache(maxsize=1)
def _nets() -> tuple[Detector, Recogniser]:
    cv2.setNumThreads(1)
    return detector(), recogniser()


def read_photo(content: bytes, most: int) -> list[PlateRead]:
    """Read the plates in a picture, the surest first.

    Parameters
    ----------
    content : bytes
        A JPEG.
    most : int
        How many are given.

    Raises
    ------
    Invalid
        Where it cannot be opened, or has too many pixels.
    Unavailable
        Where others are being read: asked again in a moment.
    """
    size = size_of(content)
    if size is None or size[0] * size[1] > MOST_PIXELS:
        raise Invalid("is no picture that can be read", field="photo")
    picture = picture_of(content)
    if not _ONE_AT_A_TIME.acquire(timeout=PATIENCE_S):
        raise Unavailable("others' pictures are being read")
    try:
        found = read_scene(picture, *_nets())
    finally:
        _ONE_AT_A_TIME.release()
    return sorted((each.read for each in found), key=lambda read: -read.confidence)[:most]
