"""The recogniser's input: a plate as one strip, two rows laid side by side."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Columns = NDArray[np.float32]

STRIP_HEIGHT_PX: Final = 32
STRIP_WIDTH_PX: Final = 128
_TOP_WIDTH_PX: Final = 48
_TOP_FROM: Final = 0.08
"""What is left out at both ends of the upper row: its two or three characters stand in the middle
and would otherwise be half as wide as those below."""
_TOP_SHARE: Final = 0.43
_BOTTOM_FROM: Final = 0.37
"""Rows part at about 40 % of the height; both halves keep a margin round it."""
_FAINT: Final = 8.0


def strip_of(picture: Picture, rows: int = 1) -> Picture:
    """Lay a plate out as one strip.

    Parameters
    ----------
    picture : array of height x width x 3
        A plate cut out, more or less upright.
    rows : int
        1 or 2; of two rows the upper is laid left of the lower.

    Returns
    -------
    array of 32 x 128 x 3
    """
    if rows == 1:
        return _scaled(picture, STRIP_WIDTH_PX)
    height, width = picture.shape[:2]
    aside = round(width * _TOP_FROM)
    top = picture[: max(1, round(height * _TOP_SHARE)), aside : width - aside]
    bottom = picture[min(height - 1, round(height * _BOTTOM_FROM)) :]
    parts = (_scaled(top, _TOP_WIDTH_PX), _scaled(bottom, STRIP_WIDTH_PX - _TOP_WIDTH_PX))
    return np.concatenate(parts, axis=1)


def columns_of(points: NDArray[np.float32], size_px: tuple[int, int], rows: int) -> Columns:
    """Say in which column of its strip each point of a picture comes to lie.

    Parameters
    ----------
    points : array of points x 2
        In the picture's pixels.
    size_px : tuple of int
        Width and height of the picture.
    rows : int
    """
    width, height = size_px
    if rows == 1:
        return np.asarray(points[:, 0] * (STRIP_WIDTH_PX / width), np.float32)
    aside = round(width * _TOP_FROM)
    above = points[:, 1] < height * (_TOP_SHARE + _BOTTOM_FROM) / 2
    top = (points[:, 0] - aside) * (_TOP_WIDTH_PX / (width - 2 * aside))
    bottom = _TOP_WIDTH_PX + points[:, 0] * ((STRIP_WIDTH_PX - _TOP_WIDTH_PX) / width)
    return np.asarray(np.where(above, top, bottom), np.float32)


def batch_of(strips: list[Picture]) -> NDArray[np.float32]:
    """Make the recogniser's input of strips: each brought to mean 0 and deviation 1.

    One mean and one deviation a strip, not one a channel: colour tells the kind.
    """
    batch = np.stack(strips).astype(np.float32)
    mean = batch.mean(axis=(1, 2, 3), keepdims=True)
    deviation = np.maximum(batch.std(axis=(1, 2, 3), keepdims=True), _FAINT)
    return np.ascontiguousarray(((batch - mean) / deviation).transpose(0, 3, 1, 2))


def _scaled(picture: Picture, width_px: int) -> Picture:
    shrinks = picture.shape[1] > width_px
    way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (width_px, STRIP_HEIGHT_PX), interpolation=way), np.uint8)
