"""Reading crops and scenes: find, straighten, lay out, recognise, decode."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lpr.rules.corners import Found
from lpr.rules.reads import Band, BandLimits, PlateRead
from lpr.vision.models import Detector, Recogniser
from lpr.vision.strips import Picture

Floats = NDArray[np.float32]

_TWO_ROWS_BELOW: Final = 2.4
"""Width over height under which a crop is read as two rows too."""
_ONE_ROW_ONLY_FROM: Final = 1.4
"""Width over height under which a crop is hardly one row."""
_MARGIN: Final = 0.02
_MOST_WIDTH_PX: Final = 320
_WIDTH_TO_HEIGHT: Final = {1: 440 / 140, 2: 440 / 220}


@dataclass(frozen=True, slots=True)
class ReadPlate:
    """A plate read in a picture."""

    read: PlateRead
    corners: Floats
    """4 x 2 pixels of the picture, from the upper left as the plate is read."""
    score: float
    """The detector's; 1 for a crop."""

    def band(self, limits: BandLimits) -> Band:
        """Say what may be done with the read."""
        return self.read.band(limits)


def read_crop(picture: Picture, recogniser: Recogniser) -> list[ReadPlate]:
    """Read a picture that is a plate and little else; a high one is tried with two rows."""
    height, width = picture.shape[:2]
    shape = width / height
    tried = [1] if shape >= _TWO_ROWS_BELOW else [1, 2] if shape >= _ONE_ROW_ONLY_FROM else [2]
    reads = [read for rows in tried if (read := recogniser.read(picture, rows)) is not None]
    if not reads:
        return []
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    return [ReadPlate(max(reads, key=lambda read: read.confidence), corners, 1.0)]


def read_scene(picture: Picture, detector: Detector, recogniser: Recogniser) -> list[ReadPlate]:
    """Find and read the plates in a picture, best find first.

    What the detector found and the recogniser takes for no plate, or cannot read with the least
    confidence that is worth a review, is left out.
    """
    plates = []
    for found in detector.find(picture):
        read = recogniser.read(straightened(picture, found), found.rows)
        if read is not None and read.band(recogniser.card.bands) is not Band.REJECT:
            plates.append(ReadPlate(read, found.corners, found.score))
    return plates


def straightened(picture: Picture, found: Found) -> Picture:
    """Cut a found plate out and make it upright, with a little margin.

    Its size follows that in the picture, within what the recogniser can use.
    """
    corners = found.corners
    wide = float(
        max(np.linalg.norm(corners[1] - corners[0]), np.linalg.norm(corners[2] - corners[3]))
    )
    width = int(np.clip(round(wide), 48, _MOST_WIDTH_PX))
    height = max(12, round(width / _WIDTH_TO_HEIGHT[found.rows]))
    left, top = width * _MARGIN, height * _MARGIN * 2
    target = np.array(
        [[left, top], [width - left, top], [width - left, height - top], [left, height - top]],
        np.float32,
    )
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), target)
    cut = cv2.warpPerspective(
        picture, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(cut, np.uint8)
