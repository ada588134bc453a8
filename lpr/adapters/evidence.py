"""Pictures that show why a vehicle was taken for the one it was.

A picture shows one vehicle's plate; whatever else could name somebody is made unrecognisable
(`lpr.vision.hiding`), as it belongs to people who have no part in the visit.
"""

import hashlib
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from pydantic import JsonValue

from city.errors import Invalid
from lpr.rules.tracking import Visit
from lpr.vision.hiding import cut, shown
from lpr.vision.models import Detector
from lpr.vision.strips import Picture

_QUALITY: Final = 88


def keep_evidence(
    folder: Path, visit: Visit, picture: Picture, detector: Detector
) -> dict[str, JsonValue]:
    """Write the frame of a visit's best read, others in it hidden, and the plate cut out.

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
    hidden = shown(picture, corners, detector).frame
    crop = cut(picture, corners)
    kept: dict[str, JsonValue] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for part, drawn in (("frame", hidden), ("crop", crop)):
            _, coded = cv2.imencode(".jpg", drawn, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
            content = coded.tobytes()
            digest = hashlib.sha256(content).hexdigest()
            name = f"visit-{visit.number:06d}-{part}-{digest[:12]}.jpg"
            (folder / name).write_bytes(content)
            kept[part] = name
            kept[f"{part}_sha256"] = digest
    except OSError as error:
        raise Invalid(f"cannot be written: {error.strerror}", field="--evidence") from None
    return kept
