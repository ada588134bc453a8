"""The committed models: opened once a process, and only where their hashes are the card's."""

import hashlib
import json
import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from city.errors import Invalid
from lpr.rules.corners import Found, best_of_each, moved_share, sensible
from lpr.rules.decoding import Temperatures, averaged, decode
from lpr.rules.reads import BandLimits, PlateRead
from lpr.vision.strips import Picture, batch_of, strip_of
from lpr.vision.views import ROUGH, view_of

Floats = NDArray[np.float32]

Look = tuple[Floats, Floats]
"""What one cut of a plate shows: logits of seats x classes, and of kinds."""

MODELS: Final = Path(__file__).parents[1] / "models"
CARD: Final = "card.json"
PARTS: Final = ("recogniser", "detector", "refiner")
"""The nets, as the card calls them."""
STRIDE_PX: Final = 8
MOVE_PX: Final = 8.0
"""Pixels of a view that the refiner's moves are told in."""
_GRAIN_PX: Final = 32
"""The detector's input is a multiple of this, so that its coarse level fits its fine one."""
_MOST_LEFT_OUT: Final = 0.02
"""Of a side: at its end a plate's middle cannot be seen."""
_MOST_ENLARGED: Final = 2
_HOPELESS: Final = 0.5
"""What the refiner says of a plate below which a find is not looked at again: of drawn plates that
are found roughly, one in a hundred is told less than 0.78 by the first look."""
_MEAN, _DEVIATION = 114.0, 58.0


@dataclass(frozen=True, slots=True)
class DetectorSettings:
    """How the detector is used."""

    long_sides_px: tuple[int, ...]
    """Pictures are shrunk to each of these: plates near by are found in the smaller; small pictures
    are enlarged at most twice."""
    least_score: float
    """Of a find, to be looked at again."""
    refined_times: int
    """How often its corners are moved at most."""
    settled: float
    """Share of a plate's height under which its corners are not moved again."""
    least_plate: float
    """What the refiner must say at least of a plate."""


@dataclass(frozen=True, slots=True)
class Card:
    """What the platform needs of the model card."""

    version: str
    recogniser: str
    detector: str
    refiner: str
    sha256: dict[str, str]
    temperatures: Temperatures
    bands: BandLimits
    settings: DetectorSettings


def read_card(folder: Path = MODELS) -> Card:
    """Read a model card.

    Raises
    ------
    Invalid
        Where it is missing or not one.
    """
    try:
        told = json.loads((folder / CARD).read_text(encoding="utf-8"))
        return Card(
            told["version"],
            told["recogniser"]["file"],
            told["detector"]["file"],
            told["refiner"]["file"],
            {told[part]["file"]: told[part]["sha256"] for part in PARTS},
            Temperatures(**told["recogniser"]["temperatures"]),
            BandLimits(**told["bands"]),
            _settings(told["detector"]["settings"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Invalid(f"is no model card ({error})", field=CARD) from None


def _settings(told: dict[str, Any]) -> DetectorSettings:
    return DetectorSettings(**told | {"long_sides_px": tuple(told["long_sides_px"])})


def _open(folder: Path, name: str, sha256: str) -> cv2.dnn.Net:
    try:
        content = (folder / name).read_bytes()
    except OSError:
        raise Invalid("is missing", field=name) from None
    if hashlib.sha256(content).hexdigest() != sha256:
        raise Invalid("is not the model of its card: the hash differs", field=name)
    return cv2.dnn.readNetFromONNX(np.frombuffer(content, np.uint8))


class Recogniser:
    """Reads strips.

    Not safe for several threads at once: a net keeps its last result.
    """

    def __init__(self, folder: Path = MODELS) -> None:
        self.card = read_card(folder)
        name = self.card.recogniser
        self._net = _open(folder, name, self.card.sha256[name])
        self.refiner = Refiner(folder)
        """Straightens what was read with doubt, to be read again."""

    def logits(self, strips: list[Picture]) -> tuple[Floats, Floats]:
        """Give the logits of seats (N x seats x classes) and kinds (N x kinds)."""
        self._net.setInput(batch_of(strips))
        seats, kinds = self._net.forward(["seats", "kinds"])
        return np.asarray(seats, np.float32), np.asarray(kinds, np.float32)

    def look(self, pictures: list[Picture], rows: int) -> list[Look]:
        """Say what each of several cuts of one plate shows."""
        seats, kinds = self.logits([strip_of(picture, rows) for picture in pictures])
        return list(zip(seats, kinds, strict=True))

    def read(self, looks: list[Look], rows: int) -> PlateRead | None:
        """Read a plate from one look or the mean of several; None where it is none."""
        told = self.card.temperatures
        seats = averaged([seats / np.float32(told.seats) for seats, _ in looks])
        kinds = averaged([kinds / np.float32(told.kinds) for _, kinds in looks])
        return decode(seats, kinds, rows)


class Refiner:
    """Looks at rough finds at the picture's full size and says where their corners are.

    Not safe for several threads at once: a net keeps its last result.
    """

    def __init__(self, folder: Path = MODELS) -> None:
        self.card = read_card(folder)
        name = self.card.refiner
        self._net = _open(folder, name, self.card.sha256[name])

    def refined(self, picture: Picture, found: list[Found]) -> list[Found]:
        """Move the corners of finds, and leave out what is no plate or another's plate again.

        Parameters
        ----------
        picture : array of height x width x 3
        found : list of Found
            Rough finds; their corners may be off by nearly half of a plate's height.

        Returns
        -------
        list of Found
            Best first. The scores are the refiner's.
        """
        settings, done, left = self.card.settings, list[Found](), found
        for times in range(settings.refined_times):
            before, left = left, []
            for old, new in zip(before, self._once(picture, before), strict=True):
                if new.score < _HOPELESS or not sensible(new.corners):
                    continue
                # The first look comes from too far to tell that the corners stay.
                stays = times > 0 and moved_share(old.corners, new.corners) < settings.settled
                (done if stays else left).append(new)
        return best_of_each([each for each in done + left if each.score >= settings.least_plate])

    def followed(self, picture: Picture, found: Found) -> Found | None:
        """Move the corners of a find that is taken for a plate once more; its rows stay.

        None where the corners are no plate's any more.
        """
        (moved,) = self._once(picture, [found])
        if not sensible(moved.corners):
            return None
        return Found(moved.corners, found.rows, moved.score)

    def _once(self, picture: Picture, found: list[Found]) -> list[Found]:
        if not found:
            return []
        seen = [view_of(picture, each.corners) for each in found]
        self._net.setInput(levelled(np.stack([view for view, _ in seen])))
        told = np.asarray(self._net.forward(), np.float32)
        return [refined_of(row, back) for row, (_, back) in zip(told, seen, strict=True)]


class Detector:
    """Finds plates in pictures: roughly in the shrunk picture, then exactly at its full size.

    Not safe for several threads at once: a net keeps its last result.
    """

    def __init__(self, folder: Path = MODELS) -> None:
        self.card = read_card(folder)
        name = self.card.detector
        # A net each size: one that is given another size than last time lays itself out anew.
        self._nets = [
            _open(folder, name, self.card.sha256[name]) for _ in self.card.settings.long_sides_px
        ]
        self._refiner = Refiner(folder)

    def find(self, picture: Picture) -> list[Found]:
        """Find plates, best first; scores are the refiner's."""
        return self._refiner.refined(picture, self.rough(picture))

    def rough(self, picture: Picture, least_score: float | None = None) -> list[Found]:
        """Find what may be plates, best first; corners are off by a sixth of a plate's height.

        Parameters
        ----------
        picture : array of height x width x 3
        least_score : float, optional
            The card's where left out.
        """
        settings = self.card.settings
        threshold = settings.least_score if least_score is None else least_score
        # None is brought to more than twice its size.
        most = _MOST_ENLARGED * max(picture.shape[:2])
        seen, back, found = picture, np.ones(2, np.float32), list[Found]()
        sides = sorted({min(side, most) for side in settings.long_sides_px}, reverse=True)
        for net, side in zip(self._nets, sides, strict=False):
            seen, shrunk = _brought_to(seen, side)
            back = back * shrunk
            found += [
                Found(each.corners * back, each.rows, each.score)
                for each in _seen_by(net, seen, threshold)
            ]
        return best_of_each(found)


def _seen_by(net: cv2.dnn.Net, picture: Picture, least_score: float) -> list[Found]:
    """Say what the detector's net finds in a picture just as large as it is."""
    net.setInput(detector_input(picture))
    return finds_of(np.asarray(net.forward(), np.float32)[0], least_score)


def _brought_to(picture: Picture, side_px: int) -> tuple[Picture, Floats]:
    """Shrink or enlarge a picture so that its longer side is this.

    What is shrunk is shrunk by whole numbers first: averaging over areas that share pixels takes
    8 ms of a frame of 1280x720, half as long as the net.

    Returns
    -------
    array of height x width x 3
    array of 2
        Pixels of the picture a pixel of it, across and down.
    """
    height, width = picture.shape[:2]
    scale = side_px / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    whole = max(1, int(1 / scale))
    wide, high = max(1, width // whole), max(1, height // whole)
    if whole > 1:
        part = picture[: high * whole, : wide * whole]
        picture = np.asarray(cv2.resize(part, (wide, high), interpolation=cv2.INTER_AREA), np.uint8)
    seen = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR), np.uint8)
    return seen, np.array([wide * whole / size[0], high * whole / size[1]], np.float32)


def detector_input(picture: Picture) -> Floats:
    """Pad to a multiple of 32 pixels with grey and bring to about mean 0 and deviation 1.

    What little a side has beyond a multiple is left out: a frame of 16 to 9 is seen with 320 of its
    324 lines, not with 352.
    """
    below, beside = (_missing(side) for side in picture.shape[:2])
    picture = picture[: picture.shape[0] + below, : picture.shape[1] + beside]
    if below > 0 or beside > 0:
        rim = (0, max(0, below), 0, max(0, beside))
        padded = cv2.copyMakeBorder(picture, *rim, cv2.BORDER_CONSTANT, value=(_MEAN,) * 3)
        picture = np.asarray(padded, np.uint8)
    blob = cv2.dnn.blobFromImage(picture, 1 / _DEVIATION, mean=(_MEAN,) * 3)
    return np.asarray(blob, np.float32)


def _missing(side_px: int) -> int:
    """Give how many pixels a side lacks to a multiple of the grain; below 0: has too many."""
    rest = side_px % _GRAIN_PX
    return -rest if rest <= _MOST_LEFT_OUT * side_px else _GRAIN_PX - rest


def refined_of(told: Floats, back: NDArray[np.float64]) -> Found:
    """Read what the refiner says of one view.

    Parameters
    ----------
    told : array of 10
        Eight moves of the corners in ``MOVE_PX``, logits of a plate and of two rows.
    back : array of 3 x 3
        Brings the view's pixels into the picture.
    """
    corners = ROUGH + told[:8].reshape(4, 2) * np.float32(MOVE_PX)
    placed = np.asarray(cv2.perspectiveTransform(corners[None], back)[0], np.float32)
    score = float(1 / (1 + np.exp(-told[8])))
    return Found(placed, 2 if told[9] > 0 else 1, score)


def levelled(pictures: NDArray[np.uint8] | Floats) -> Floats:
    """Bring pictures (N x height x width x 3) to about mean 0 and deviation 1, colours first."""
    level = np.multiply(pictures.transpose(0, 3, 1, 2), np.float32(1 / _DEVIATION), order="C")
    level -= np.float32(_MEAN / _DEVIATION)
    return np.asarray(level, np.float32)


def finds_of(told: Floats, least_score: float) -> list[Found]:
    """Read the detector's maps.

    Parameters
    ----------
    told : array of 10 x height x width
        Logits of a plate's middle, eight distances of its corners from the cell's middle in
        strides of 8 pixels, logits of two rows.
    least_score : float
    """
    logits = told[0]
    least = math.log(least_score / (1 - least_score))
    peak = cv2.dilate(logits, np.ones((3, 3), np.uint8))
    rows, columns = np.nonzero((logits >= least) & (logits >= peak))
    found = []
    for y, x in zip(rows.tolist(), columns.tolist(), strict=True):
        middle = np.array([x + 0.5, y + 0.5], np.float32)
        corners = (told[1:9, y, x].reshape(4, 2) + middle) * STRIDE_PX
        if sensible(corners):
            score = 1 / (1 + math.exp(-float(logits[y, x])))
            found.append(Found(corners, 2 if told[9, y, x] > 0 else 1, score))
    return best_of_each(found)


@lru_cache(maxsize=1)
def recogniser() -> Recogniser:
    """Open the committed recogniser, once a process."""
    return Recogniser()


@lru_cache(maxsize=1)
def detector() -> Detector:
    """Open the committed detector, once a process."""
    return Detector()
