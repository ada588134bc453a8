"""``read``: the plates in pictures."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
from pydantic import JsonValue

from city.command_line import CommandLine
from city.errors import Invalid
from lpr.vision.manifests import FORMS
from lpr.vision.models import detector, recogniser
from lpr.vision.pictures import open_picture
from lpr.vision.reading import ReadPlate, read_crop, read_scene

SUMMARY: Final = "read the plates in pictures"

_EXAMPLE: Final = "python -m lpr read --form scene gate.jpg street.png"


def run(arguments: Sequence[str]) -> int:
    """Print a line a picture; return 0, or 1 where a picture could not be read."""
    line = CommandLine("lpr", "read", SUMMARY, _EXAMPLE)
    line.add_argument("paths", metavar="PATH", nargs="+", help="pictures")
    line.add_argument("--form", choices=FORMS, default="scene", help="crop: a plate cut out")
    line.add_argument("--threads", type=int, default=1, help="of OpenCV (default 1)")
    given = line.parse_args(arguments)
    if given.threads < 1:
        raise Invalid("must be at least 1", field="--threads")
    cv2.setNumThreads(given.threads)
    reader = recogniser()
    if given.form == "scene":
        detector()
    failed = False
    for name in given.paths:
        try:
            picture = open_picture(Path(name))
        except Invalid as error:
            failed = True
            line.answer({"path": name, "error": str(error)})
            continue
        began_s = time.perf_counter()
        if given.form == "crop":
            plates = read_crop(picture, reader)
        else:
            plates = read_scene(picture, detector(), reader)
        took_ms = round((time.perf_counter() - began_s) * 1000, 2)
        rows = [_plate(plate) for plate in plates]
        line.answer({"path": name, "plates": rows, "ms": took_ms})
    return 1 if failed else 0


def _plate(plate: ReadPlate) -> dict[str, JsonValue]:
    corners: list[JsonValue] = [
        [round(float(x), 1), round(float(y), 1)] for x, y in plate.corners.tolist()
    ]
    return {
        "text": plate.read.text,
        "kind": plate.read.kind.value,
        "confidence": round(plate.read.confidence, 4),
        "band": plate.band(recogniser().card.bands).value,
        "confidences": [round(value, 4) for value in plate.read.confidences],
        "corners": corners,
    }
