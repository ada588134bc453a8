"""Reading crops and scenes: find, straighten, lay out, recognise, decode."""

from dataclasses import dataclass
from statistics import fmean
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lpr.rules.corners import Found
from lpr.rules.reads import Band, BandLimits, PlateRead
from lpr.vision.models import Detector, Look, Recogniser
from lpr.vision.strips import Picture

Floats = NDArray[np.float32]

_TWO_ROWS_BELOW: Final = 2.8
"""Width over height under which a crop is read as two rows too."""
_MARGIN: Final = 0.02
_MOST_WIDTH_PX: Final = 320
_WIDTH_TO_HEIGHT: Final = {1: 440 / 140, 2: 440 / 220}
_SURE: Final = 0.98
"""Confidence from which a plate is looked at once only."""
_HOPEFUL: Final = 0.75
"""Mean confidence of the characters under which a find in a scene is no plate: of 205 drawn plates
none below it was read right by more looks, nor below 0.8."""
_LOOKS_AGAIN: Final = 2


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
    # However high: a box round a steeply slanted plate is as high as two rows.
    tried = (1,) if shape >= _TWO_ROWS_BELOW else (1, 2)
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    seen = [_read(picture, picture, Found(corners, rows, 1.0), recogniser, 0.0) for rows in tried]
    reads = [read for read in seen if read is not None]
    if not reads:
        return []
    return [ReadPlate(max(reads, key=lambda read: read.confidence), corners, 1.0)]


def read_scene(picture: Picture, detector: Detector, recogniser: Recogniser) -> list[ReadPlate]:
    """Find and read the plates in a picture, best find first.

    What the detector found and the recogniser takes for no plate, or cannot read with the least
    confidence that is worth a review, is left out.
    """
    plates = []
    for found in detector.find(picture):
        read = _read(picture, straightened(picture, found), found, recogniser, _HOPEFUL)
        if read is not None and read.band(recogniser.card.bands) is not Band.REJECT:
            plates.append(ReadPlate(read, found.corners, found.score))
    return plates


def _read(
    picture: Picture, cut: Picture, found: Found, recogniser: Recogniser, hopeful: float
) -> PlateRead | None:
    """Read a plate, and where the read is in doubt look again: straightened once more, and again.

    None where a look shows that there is none, or nothing that more looks would read.

    The looks are averaged. On drawn plates that were cut out at a slant two fifths of what one
    look reads wrong is read right so; a doubtful plate costs one more look or two.
    """
    first = recogniser.look([cut], found.rows)
    read = recogniser.read(first, found.rows)
    if read is None or read.confidence >= _SURE:
        return read
    if fmean(read.confidences) < hopeful:
        return None
    moved: Found | None = found
    more: list[Look] = []
    while moved is not None and len(more) < _LOOKS_AGAIN:
        moved = recogniser.refiner.followed(picture, moved)
        if moved is not None:
            more += recogniser.look([straightened(picture, moved)], found.rows)
            # What was cut out first counts for all others: a refiner that goes astray is outvoted.
            read = recogniser.read([*first * len(more), *more], found.rows)
            if read is not None and read.confidence >= _SURE:
                break
    return read


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
