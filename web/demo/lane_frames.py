"""What the demo's lane cameras see: a drawn scene with one car, and its plate as it really is."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from lpr.rules.layouts import layouts_of
from lpr.synthesis.faces import face_of
from lpr.synthesis.scenes import draw_car, draw_scene, paste

if TYPE_CHECKING:
    from city.vehicles import PlateNumber
    from lpr.synthesis.scenes import Picture

SIZE_PX: Final = (800, 450)
BACKDROPS: Final = 3
"""Drawn once a process: a lane looks alike whoever stands in it."""
QUALITY: Final = 80


def drawn(plate: PlateNumber | None, seed: int) -> tuple[bytes, list[list[float]]]:
    """Draw a frame.

    Parameters
    ----------
    plate : PlateNumber or None
        None: a car whose plate nobody can see.
    seed : int
        Decides where the car stands and how it looks.

    Returns
    -------
    tuple
        The JPEG, and the plate's corners in pixels from the upper left (none without a plate).
    """
    random = np.random.default_rng(seed)
    frame = _backdrop(seed % BACKDROPS).copy()
    wide = SIZE_PX[0] * random.uniform(0.11, 0.16)
    middle = SIZE_PX[0] * random.uniform(0.42, 0.58), SIZE_PX[1] * random.uniform(0.6, 0.76)
    face = None
    shape = 140 / 440
    if plate is not None:
        layout = layouts_of(plate.kind, plate.text)[0]
        face = face_of(plate.text, plate.kind, layout, random)
        shape = face.picture.shape[0] / face.picture.shape[1]
    half = np.array([wide, wide * shape]) / 2
    signs = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    quad = np.asarray(np.array(middle) + signs * half, np.float32)
    draw_car(frame, quad, [], random)
    if face is not None:
        paste(frame, face.picture, quad, random)
    _, coded = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    corners = [] if face is None else [[round(x, 1), round(y, 1)] for x, y in quad.tolist()]
    return bytes(coded.tobytes()), corners


@lru_cache(maxsize=BACKDROPS)
def _backdrop(number: int) -> Picture:
    return draw_scene(np.random.default_rng(number), SIZE_PX, kinds=()).picture
