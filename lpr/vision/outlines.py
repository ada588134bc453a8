"""Lines of a bay or lane drawn into a picture, so that who looks at it sees where they run."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lpr.rules.sightings import Region
from lpr.vision.strips import Picture

_DARK: Final = (40, 40, 40)
_LIGHT: Final = (0, 230, 255)


def outline_of(region: Region, picture: Picture) -> NDArray[np.float64]:
    """Give the corners of a region in a picture's pixels."""
    height, width = picture.shape[:2]
    return np.asarray(np.array(region.corners) * (width - 1, height - 1), np.float64)


def with_outline(picture: Picture, corners: NDArray[np.float64]) -> Picture:
    """Draw a polygon's lines, light on dark, so that they show on any ground.

    Parameters
    ----------
    picture : array of height x width x 3
    corners : array of points x 2
        In pixels; what lies outside the picture is not seen.
    """
    height, width = picture.shape[:2]
    # Far outside is as good as just outside, and drawing is done in whole numbers of few bits.
    within = np.clip(corners, (-width, -height), (2 * width, 2 * height))
    points = np.round(within).astype(np.int32)
    lined = picture.copy()
    for colour, thick in ((_DARK, 4), (_LIGHT, 2)):
        cv2.polylines(lined, [points], isClosed=True, color=colour, thickness=thick)
    return np.asarray(lined, np.uint8)
