"""Making a picture show one vehicle's plate and nobody else.

What is not the front round the plate is laid in coarse cells whose size follows the plate's: about
seven centimetres on the vehicle, so that a face at its distance is two cells by three, and another
plate six by two. Nothing has to be recognised for that, so no face is missed; what a windscreen
shows lies above the part that stays. Other plates within that part are found by the detector.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from lpr.vision.models import Detector
from lpr.vision.strips import Picture

CELLS_A_PLATE: Final = 6.0
"""Cells as wide as a plate: 440 mm over six are 73 mm."""
LEAST_CELL_PX: Final = 6.0
UNKNOWN_CELLS: Final = 40.0
"""Cells across a picture in which no plate is known."""
SIDE: Final = 2.4
ABOVE: Final = 0.9
BELOW: Final = 0.8
"""Of the plate's width, from its middle: the vehicle's front or rear below its windows."""
_LOOSE_SCORE: Final = 0.1
"""Finds as weak as this are hidden too: a badge without need rather than a plate not."""
_GROWN: Final = 1.3
_BLOCKS: Final = 4
_SAME_PLATE: Final = 0.7
"""Finds nearer to the plate than this share of its width are the plate itself."""
_CROP_ROUND_PX: Final = 4


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture that may be shown, and the plate cut out of it."""

    frame: Picture
    crop: Picture | None
    """None where no plate is known."""
    corners: np.ndarray | None


def shown(picture: Picture, corners: np.ndarray | None, detector: Detector) -> Shown:
    """Make a frame that shows one plate alone.

    Parameters
    ----------
    picture : Picture
    corners : ndarray or None
        4 x 2 pixels of the plate that was read; None: the best find, or nothing, is it.
    detector : Detector
    """
    if corners is None:
        found = detector.find(picture)
        corners = found[0].corners if found else None
    if corners is None:
        return Shown(_coarse(picture, picture.shape[1] / UNKNOWN_CELLS), None, None)
    corners = np.asarray(corners, np.float32)
    wide = max(1.0, float(np.linalg.norm(corners[1] - corners[0])))
    frame = _coarse(picture, max(LEAST_CELL_PX, wide / CELLS_A_PLATE))
    x, y = corners.mean(axis=0).tolist()
    height, width = picture.shape[:2]
    left, right = max(0, round(x - SIDE * wide)), min(width, round(x + SIDE * wide))
    top, bottom = max(0, round(y - ABOVE * wide)), min(height, round(y + BELOW * wide))
    plain = hide_others(picture, corners, detector)
    frame[top:bottom, left:right] = plain[top:bottom, left:right]
    return Shown(frame, cut(picture, corners), corners)


def cut(picture: Picture, corners: np.ndarray) -> Picture:
    """Cut a plate out, upright as it stands in the picture."""
    low = np.maximum(np.floor(corners.min(axis=0)).astype(int) - _CROP_ROUND_PX, 0)
    high = np.ceil(corners.max(axis=0)).astype(int) + _CROP_ROUND_PX + 1
    return picture[low[1] : high[1], low[0] : high[0]]


def hide_others(picture: Picture, plate: np.ndarray, detector: Detector) -> Picture:
    """Make every plate but one unreadable: coarse blocks, fewer than a character has strokes."""
    hidden = picture.copy()
    height, width = picture.shape[:2]
    middle = plate.mean(axis=0)
    wide = float(np.linalg.norm(plate[1] - plate[0]))
    for found in detector.rough(picture, _LOOSE_SCORE):
        other = found.corners.mean(axis=0)
        if float(np.linalg.norm(other - middle)) < _SAME_PLATE * wide:
            continue
        grown = (found.corners - other) * _GROWN + other
        low = np.clip(np.floor(grown.min(axis=0)).astype(int), 0, (width - 1, height - 1))
        high = np.clip(np.ceil(grown.max(axis=0)).astype(int), low + 1, (width, height))
        part = hidden[low[1] : high[1], low[0] : high[0]]
        blocks = cv2.resize(part, (_BLOCKS, 2), interpolation=cv2.INTER_AREA)
        part[:] = cv2.resize(
            blocks, (part.shape[1], part.shape[0]), interpolation=cv2.INTER_NEAREST
        )
    return hidden


def _coarse(picture: Picture, cell_px: float) -> Picture:
    """Lay a picture in cells of one colour each: that of all of it that lies in them."""
    height, width = picture.shape[:2]
    cells = max(1, round(width / cell_px)), max(1, round(height / cell_px))
    small = cv2.resize(picture, cells, interpolation=cv2.INTER_AREA)
    laid = cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST)
    return np.asarray(laid, np.uint8)
