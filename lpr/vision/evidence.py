"""Preparing a frame that was sent: opened, others hidden, packed again."""

import threading
from functools import lru_cache

import cv2
import numpy as np

from city.errors import Invalid
from lpr.rules.frames import Corners
from lpr.vision.heads import size_of
from lpr.vision.hiding import shown
from lpr.vision.models import Detector, detector
from lpr.vision.outlines import with_outline
from lpr.vision.pictures import picture_of
from lpr.vision.strips import Picture

_ONE_AT_A_TIME = threading.Lock()
"""A worker's jobs are threads, and a net keeps what it computes in itself."""


@lru_cache(maxsize=1)
def _detector() -> Detector:
    # A worker's jobs run side by side: each frame takes one thread.
    cv2.setNumThreads(1)
    return detector()


def prepared(
    content: bytes,
    corners: Corners | None,
    most_pixels: int,
    quality: int,
    outline: Corners | None = None,
) -> tuple[bytes, bytes | None, Corners | None]:
    """Give a sent frame as it may be shown, the plate cut out of it, and its corners.

    A bay's outline is drawn over what is shown.

    Raises
    ------
    Invalid
        Where it cannot be opened, or has too many pixels; told from its head, before it is
        unpacked.
    """
    size = size_of(content)
    if size is None or size[0] * size[1] > most_pixels:
        raise Invalid("is no picture that can be kept", field="frame")
    picture = picture_of(content)
    known = _within(picture, corners)
    with _ONE_AT_A_TIME:
        done = shown(picture, known, _detector())
    crop = None
    if done.crop is not None and min(done.crop.shape[:2]) > 0:
        crop = _packed(done.crop, quality)
    told = None
    if done.corners is not None:
        told = tuple((round(x, 1), round(y, 1)) for x, y in done.corners.tolist())
    frame = done.frame if outline is None else with_outline(done.frame, np.array(outline))
    return _packed(frame, quality), crop, told


def _within(picture: Picture, corners: Corners | None) -> np.ndarray | None:
    """Give corners that lie in the picture and are a plate's; None for others."""
    if corners is None or len(corners) != 4:  # noqa: PLR2004 - of a plate
        return None
    height, width = picture.shape[:2]
    found = np.array(corners, np.float32)
    if (found < 0).any() or (found > (width, height)).any():
        return None
    wide = float(np.linalg.norm(found[1] - found[0]))
    high = float(np.linalg.norm(found[3] - found[0]))
    return found if wide >= 8 and high >= 4 else None  # noqa: PLR2004 - pixels: a plate


def _packed(picture: Picture, quality: int) -> bytes:
    _, coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return bytes(coded.tobytes())
