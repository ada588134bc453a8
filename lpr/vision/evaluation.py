"""Running the reader over a labelled set and judging every plate."""

import time
from dataclasses import dataclass
from typing import Final

from city.errors import Invalid
from lpr.rules.accuracy import Judged
from lpr.rules.corners import box_overlap
from lpr.rules.reads import Band, BandLimits
from lpr.vision.manifests import NO_PLATE, LabelledPicture, LabelledPlate
from lpr.vision.models import Detector, Recogniser
from lpr.vision.pictures import open_picture
from lpr.vision.reading import ReadPlate, read_crop, read_scene

_LEAST_OVERLAP: Final = 0.3


@dataclass(frozen=True, slots=True)
class PictureResult:
    """A picture's plates, judged."""

    judged: tuple[Judged, ...]
    took_ms: float
    error: str | None = None


def judge_picture(
    labelled: LabelledPicture, recogniser: Recogniser, detector: Detector | None
) -> PictureResult:
    """Read a picture and judge what was read.

    A picture that cannot be opened counts with all its plates unread. Where a plate has a box,
    the read whose corners lie on it is its read; where it has none, the one of the same text.
    """
    try:
        picture = open_picture(labelled.path)
    except Invalid as error:
        return PictureResult(tuple(_unread(plate) for plate in labelled.plates), 0.0, str(error))
    began_s = time.perf_counter()
    if labelled.form == "crop" or detector is None:
        reads = read_crop(picture, recogniser)
    else:
        reads = read_scene(picture, detector, recogniser)
    took_ms = (time.perf_counter() - began_s) * 1000
    left, judged = list(reads), []
    bands = recogniser.card.bands
    for plate in labelled.plates:
        read = _read_of(plate, left, crop=labelled.form == "crop")
        if read is None:
            judged.append(_unread(plate))
        else:
            left.remove(read)
            judged.append(_judged(plate.label, plate.kind, read, bands))
    judged += [_judged("", NO_PLATE, read, bands) for read in left]
    return PictureResult(tuple(judged), took_ms)


def _read_of(plate: LabelledPlate, reads: list[ReadPlate], *, crop: bool) -> ReadPlate | None:
    if crop:
        return reads[0] if reads else None
    if plate.corners is None:
        return next((each for each in reads if each.read.text == plate.label), None)
    corners = plate.corners
    on_it = [each for each in reads if box_overlap(each.corners, corners) >= _LEAST_OVERLAP]
    return max(on_it, key=lambda each: box_overlap(each.corners, corners), default=None)


def _judged(label: str, kind: str, plate: ReadPlate, bands: BandLimits) -> Judged:
    return Judged(
        label,
        kind,
        plate.read.text,
        plate.read.kind.value,
        plate.read.confidence,
        plate.band(bands) is Band.ACCEPT,
        found=True,
    )


def _unread(plate: LabelledPlate) -> Judged:
    return Judged(plate.label, plate.kind, "", "", 0.0, accepted=False, found=False)
