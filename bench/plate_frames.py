"""Processor time of a frame of 1280x720 on one thread, beside a floor taken in the same minute.

The floor is the nets alone: the detector's two looks, a look of the refiner and one of the
recogniser, as a frame with one plate needs at least. Time is the thread's own, each frame's best of
some, so that what else the machine does is mostly left out; what is left of it, the floor shows.
Frames are drawn; with ``GREENBAY_DATA`` the photographed scenes of that shape are measured, too.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from lpr.synthesis.scenes import draw_scene
from lpr.vision.manifests import read_manifest
from lpr.vision.models import MODELS, Detector, Recogniser, read_card
from lpr.vision.pictures import open_picture
from lpr.vision.reading import Floats, read_scene
from lpr.vision.strips import STRIP_HEIGHT_PX, STRIP_WIDTH_PX, Picture
from lpr.vision.views import VIEW_HEIGHT_PX, VIEW_WIDTH_PX

SIZE_PX: Final = (1280, 720)
INPUTS: Final = (
    ("detector", (320, 576)),
    ("detector", (160, 288)),
    ("refiner", (VIEW_HEIGHT_PX, VIEW_WIDTH_PX)),
    ("recogniser", (STRIP_HEIGHT_PX, STRIP_WIDTH_PX)),
)
SEED: Final = 2_026
_ALIKE: Final = 0.02
"""How far a photograph's shape may be from the frame's."""


def best_ms(of: Callable[[], object], times: int) -> float:
    """Give the least processor time of some calls."""
    took = []
    for _ in range(times):
        began_s = time.thread_time()
        of()
        took.append((time.thread_time() - began_s) * 1000)
    return min(took)


def floor_ms(times: int) -> float:
    """Give what the nets alone take for a frame with one plate."""
    card = read_card()
    files = {"detector": card.detector, "refiner": card.refiner, "recogniser": card.recogniser}
    total = 0.0
    for name, size in INPUTS:
        net = cv2.dnn.readNetFromONNX((MODELS / files[name]).as_posix())
        seen = np.random.default_rng(1).standard_normal((1, 3, *size)).astype(np.float32)
        _look(net, seen)
        total += best_ms(partial(_look, net, seen), times)
    return total


def _look(net: cv2.dnn.Net, seen: Floats) -> None:
    net.setInput(seen)
    net.forward()


def told(pictures: Sequence[Picture], times: int) -> dict[str, float]:
    """Say what reading some frames takes, and the floor before and after."""
    detector, recogniser = Detector(), Recogniser()
    read_scene(pictures[0], detector, recogniser)
    floors = [floor_ms(times * 5)]
    each = [
        best_ms(partial(read_scene, picture, detector, recogniser), times) for picture in pictures
    ]
    floors.append(floor_ms(times * 5))
    return {
        "frames": len(each),
        "mean_ms": round(statistics.fmean(each), 1),
        "median_ms": round(statistics.median(each), 1),
        "most_ms": round(max(each), 1),
        "floor_ms": round(statistics.fmean(floors), 1),
    }


def photographs() -> list[Picture]:
    """Give the photographed scenes that have the frame's shape, brought to its size."""
    data = os.environ.get("GREENBAY_DATA")
    if not data:
        return []
    wide, high = SIZE_PX
    found = []
    for labelled in read_manifest(Path(data) / "lpr" / "manifest.csv"):
        if labelled.form != "scene":
            continue
        picture = open_picture(labelled.path)
        shape = picture.shape[1] / picture.shape[0]
        if abs(shape * high / wide - 1) <= _ALIKE:
            size = cv2.resize(picture, SIZE_PX, interpolation=cv2.INTER_AREA)
            found.append(np.asarray(size, np.uint8))
    return found


def main() -> None:
    """Print the milliseconds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--frames", type=int, default=40, help="drawn ones (40)")
    parser.add_argument("--times", type=int, default=4, help="of which the best counts (4)")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    drawn = [
        draw_scene(np.random.default_rng([SEED, number]), SIZE_PX).picture
        for number in range(given.frames)
    ]
    photographed = photographs()
    answer: dict[str, object] = {
        "unit": "milliseconds of processor time a frame of 1280x720, one thread",
        "drawn": told(drawn, given.times),
    }
    if photographed:
        answer["photographed"] = told(photographed, given.times)
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
