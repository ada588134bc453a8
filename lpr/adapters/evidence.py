"""Pictures that show why a vehicle was taken for the one it was.

A picture shows one vehicle's plate; every other plate that is found in it is made unreadable, as it
belongs to somebody who has no part in the visit.
"""

import hashlib
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from pydantic import JsonValue

from city.errors import Invalid
from lpr.rules.tracking import Visit
from lpr.vision.models import Detector
from lpr.vision.strips import Picture

_QUALITY: Final = 88
_LOOSE_SCORE: Final = 0.1
"""Finds as weak as this are hidden too: a badge without need rather than a plate not."""
_GROWN: Final = 1.3
_BLOCKS: Final = 4
_SAME_PLATE: Final = 0.7
"""Finds nearer to the plate than this share of its width are the plate itself."""


def keep_evidence(
    folder: Path, visit: Visit, picture: Picture, detector: Detector
) -> dict[str, JsonValue]:
    """Write the frame of a visit's best read, other plates in it hidden, and the plate cut out.

    Returns
    -------
    dict
        File names in the folder and their SHA-256.

    Raises
    ------
    Invalid
        Where the folder cannot be written.
    """
    corners = np.array(visit.best.corners, np.float32)
    hidden = hide_others(picture, corners, detector)
    low = np.maximum(np.floor(corners.min(axis=0)).astype(int) - 4, 0)
    high = np.ceil(corners.max(axis=0)).astype(int) + 5
    crop = picture[low[1] : high[1], low[0] : high[0]]
    kept: dict[str, JsonValue] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for part, shown in (("frame", hidden), ("crop", crop)):
            _, coded = cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
            content = coded.tobytes()
            digest = hashlib.sha256(content).hexdigest()
            name = f"visit-{visit.number:06d}-{part}-{digest[:12]}.jpg"
            (folder / name).write_bytes(content)
            kept[part] = name
            kept[f"{part}_sha256"] = digest
    except OSError as error:
        raise Invalid(f"cannot be written: {error.strerror}", field="--evidence") from None
    return kept


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
        coarse = cv2.resize(part, (_BLOCKS, 2), interpolation=cv2.INTER_AREA)
        part[:] = cv2.resize(
            coarse, (part.shape[1], part.shape[0]), interpolation=cv2.INTER_NEAREST
        )
    return hidden
