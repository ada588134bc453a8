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
from lpr.rules.sightings import Region
from lpr.rules.tracking import Visit
from lpr.vision.hiding import cut, shown
from lpr.vision.models import Detector
from lpr.vision.moments import Moment, Moments
from lpr.vision.outlines import outline_of, with_outline
from lpr.vision.strips import Picture

_QUALITY: Final = 88


def keep_evidence(
    folder: Path, visit: Visit, moments: Moments, detector: Detector, bay: Region | None = None
) -> dict[str, JsonValue]:
    """Write the frame of a visit's best read, others in it hidden, and the plate cut out.

    Of a bay also the frames in which the vehicle entered, stood and left, as far as these were
    seen, with the bay's lines.

    Returns
    -------
    dict
        File names in the folder and their SHA-256; the instants of a bay's frames.

    Raises
    ------
    Invalid
        Where the folder cannot be written.
    """
    drawn: dict[str, Picture] = {}
    kept: dict[str, JsonValue] = {}
    if moments.best is not None:
        drawn["frame"] = _hidden(moments.best, detector)
        drawn["crop"] = cut(moments.best.picture, np.array(moments.best.corners, np.float32))
    if bay is not None:
        for part in ("entering", "parked", "leaving"):
            moment: Moment | None = getattr(moments, part)
            if moment is not None:
                drawn[part] = _lined(_hidden(moment, detector), bay)
                kept[f"{part}_s"] = round(moment.at_s, 3)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for part, picture in drawn.items():
            _, coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
            content = coded.tobytes()
            digest = hashlib.sha256(content).hexdigest()
            name = f"visit-{visit.number:06d}-{part}-{digest[:12]}.jpg"
            (folder / name).write_bytes(content)
            kept[part] = name
            kept[f"{part}_sha256"] = digest
    except OSError as error:
        raise Invalid(f"cannot be written: {error.strerror}", field="--evidence") from None
    return kept


def _lined(picture: Picture, bay: Region) -> Picture:
    return with_outline(picture, outline_of(bay, picture))


def _hidden(moment: Moment, detector: Detector) -> Picture:
    return shown(moment.picture, np.array(moment.corners, np.float32), detector).frame
