"""The refiner's input: a rough find seen straight at the picture's full size, and round it."""

import math
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Floats = NDArray[np.float32]

VIEW_WIDTH_PX: Final = 96
VIEW_HEIGHT_PX: Final = 48
_LEFT, _TOP = 14.0, 12.0
ROUGH: Final[Floats] = np.array(
    [
        [_LEFT, _TOP],
        [VIEW_WIDTH_PX - _LEFT, _TOP],
        [VIEW_WIDTH_PX - _LEFT, VIEW_HEIGHT_PX - _TOP],
        [_LEFT, VIEW_HEIGHT_PX - _TOP],
    ],
    np.float32,
)
"""Where the corners of the rough find lie in its view; the true ones are looked for about them."""
_RIM: Final = np.array(
    [
        [0, 0, 1],
        [VIEW_WIDTH_PX, 0, 1],
        [VIEW_WIDTH_PX, VIEW_HEIGHT_PX, 1],
        [0, VIEW_HEIGHT_PX, 1],
    ],
    np.float64,
)
_SHRUNK_FROM: Final = 1.6
"""Pixels of the picture a pixel of the view from which the picture is shrunk first, since
sampling would skip some."""


def view_of(picture: Picture, corners: Floats) -> tuple[Picture, NDArray[np.float64]]:
    """Look straight at a find.

    Parameters
    ----------
    picture : array of height x width x 3
    corners : array of 4 x 2
        The rough corners in the picture's pixels, convex.

    Returns
    -------
    array of 48 x 96 x 3
        What lies outside the picture repeats its edge.
    array of 3 x 3
        Brings the view's pixels into the picture.
    """
    back = cv2.getPerspectiveTransform(ROUGH, corners.astype(np.float32))
    rim = _RIM @ back.T
    seen = rim[:, :2] / rim[:, 2:]
    height, width = picture.shape[:2]
    size = (VIEW_WIDTH_PX, VIEW_HEIGHT_PX)
    across = (corners[1] - corners[0]).tolist()
    shrink = math.hypot(*across) / (VIEW_WIDTH_PX - 2 * _LEFT)
    low = np.clip(np.floor(seen.min(axis=0)) - 2, 0, (width - 1, height - 1)).astype(int)
    high = np.clip(np.ceil(seen.max(axis=0)) + 2, low + 1, (width, height)).astype(int)
    part = picture[low[1] : high[1], low[0] : high[0]]
    scale = np.ones(2)
    if shrink > _SHRUNK_FROM:
        small = (max(1, round(part.shape[1] / shrink)), max(1, round(part.shape[0] / shrink)))
        scale = np.array([small[0] / part.shape[1], small[1] / part.shape[0]])
        part = np.asarray(cv2.resize(part, small, interpolation=cv2.INTER_AREA), np.uint8)
    into = np.diag([scale[0], scale[1], 1.0])
    into[:2, 2] = -low * scale
    view = cv2.warpPerspective(
        part,
        into @ back,
        size,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(view, np.uint8), np.asarray(back, np.float64)
