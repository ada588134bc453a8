"""What the recogniser learns from: drawn crops, and the photographs of the dev set.

Drawn crops stay in a pool and are seen a few times each before new ones take their place, since
drawing costs as much as learning. Photographs are slanted, shaded and blurred anew every time.
"""

import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from city.errors import Invalid
from city.plate_rules import PlateKind
from lpr.rules.alphabet import KIND_CLASS_OF, SEATS, classes_of
from lpr.rules.decoding import kinds_with
from lpr.rules.folds import fold_of
from lpr.rules.serials import DRAWN_KINDS
from lpr.synthesis.crops import draw_crop, worn
from lpr.vision.strips import STRIP_HEIGHT_PX, STRIP_WIDTH_PX, batch_of, columns_of, strip_of

Picture = NDArray[np.uint8]
Floats = NDArray[np.float32]
Classes = NDArray[np.int64]

CAPPED_PROVINCE: Final = "皖"
CAPPED_SHARE: Final = 0.35
"""Largest share of the photographs in a batch that may be of the capped province."""

WRITTEN_SHARE: Final = 0.15
"""Share of drawn plates in a font's characters, as fixtures without the real face have them."""

_SHARES: Final = {
    PlateKind.BLUE7: 8.0,
    PlateKind.YELLOW7: 2.0,
    PlateKind.NEV_GREEN8: 2.0,
    PlateKind.YELLOW2: 1.5,
    # Those that are learnt last.
    PlateKind.POLICE_WHITE: 1.5,
    PlateKind.WJ_WHITE: 2.0,
    PlateKind.MOTORCYCLE: 1.5,
    PlateKind.TEMPORARY: 2.0,
}
_TWO_ROW_BELOW: Final = 1.9
"""Width over height under which a crop is taken for a two-row plate."""


@dataclass(frozen=True, slots=True)
class Photograph:
    """A labelled crop of the dev set."""

    path: str
    picture: Picture
    text: str
    kind: PlateKind
    rows: int
    fold: int


def read_photographs(manifest: Path) -> list[Photograph]:
    """Read the crops of a manifest.

    Raises
    ------
    Invalid
        Where a crop named by the manifest cannot be read.
    """
    found = []
    with manifest.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["form"] != "crop" or "|" in row["label"]:
                continue
            path = manifest.parent / row["path"]
            picture = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
            if picture is None:
                raise Invalid("is no picture", field=row["path"])
            kind, rows = PlateKind(row["kind"]), 1
            if row.get("rows"):
                # Of a labelled set: its crops are straightened, so that their shape says nothing.
                rows = int(row["rows"])
            elif picture.shape[1] < _TWO_ROW_BELOW * picture.shape[0]:
                kind = PlateKind.YELLOW2 if kind is PlateKind.YELLOW7 else kind
                # A blue plate that is as high was only cut out at a steep slant.
                rows = 2 if kind in kinds_with(2) else 1
            found.append(
                Photograph(
                    row["path"],
                    np.asarray(picture, np.uint8),
                    row["label"],
                    kind,
                    rows,
                    fold_of(row["label"]),
                )
            )
    return found


@dataclass(frozen=True, slots=True)
class Samples:
    """A batch of strips and what is wanted of them."""

    strips: Floats
    seats: Classes
    """N x seats."""
    kinds: Classes
    columns: Floats
    """N x seats: the pixel column of each character; not a number where there is none or it is
    not known, as in photographs."""


class SamplePool:
    """Batches of strips with the classes of their seats and kinds.

    Parameters
    ----------
    seed : int
        Decides every batch.
    photographs : list of Photograph
        Mixed in where there are any; the capped province's share is limited.
    photograph_share : float
        Share of a batch that photographs take.
    size : int
        Drawn crops kept (12 kB each).
    drawn_anew : float
        Share of a batch's drawn crops that are drawn anew and replace kept ones.
    """

    def __init__(
        self,
        seed: int,
        photographs: list[Photograph],
        *,
        photograph_share: float = 0.4,
        size: int = 30_000,
        drawn_anew: float = 0.25,
    ) -> None:
        self._random = np.random.default_rng(seed)
        self._photographs = photographs
        self._photograph_share = photograph_share if photographs else 0.0
        self._drawn_anew = drawn_anew
        self._strips = np.empty((size, STRIP_HEIGHT_PX, STRIP_WIDTH_PX, 3), np.uint8)
        self._seats = np.empty((size, SEATS), np.int64)
        self._kinds = np.empty(size, np.int64)
        self._columns = np.empty((size, SEATS), np.float32)
        self._filled, self._next = 0, 0
        kinds = (*DRAWN_KINDS, PlateKind.UNKNOWN)
        shares = np.array([_SHARES.get(kind, 1.0) for kind in kinds])
        self._drawn_kinds, self._drawn_shares = kinds, shares / shares.sum()
        self._weights = _capped_weights(photographs)

    def batch(self, count: int) -> Samples:
        """Give the next batch."""
        from_photographs = round(count * self._photograph_share)
        drawn = count - from_photographs
        for _ in range(drawn if self._filled < drawn else max(1, round(drawn * self._drawn_anew))):
            self._draw()
        at = self._random.integers(0, self._filled, drawn)
        strips = list(self._strips[at])
        seats, kinds = list(self._seats[at]), list(self._kinds[at])
        columns = np.full((count, SEATS), np.nan, np.float32)
        columns[:drawn] = self._columns[at]
        if from_photographs:
            picked = self._random.choice(len(self._photographs), from_photographs, p=self._weights)
            for photograph in (self._photographs[int(n)] for n in picked):
                strips.append(strip_of(_again(photograph, self._random), photograph.rows))
                seats.append(classes_of(photograph.text))
                kinds.append(np.int64(KIND_CLASS_OF[photograph.kind]))
        return Samples(batch_of(strips), np.stack(seats), np.array(kinds, np.int64), columns)

    def _draw(self) -> None:
        kind = self._drawn_kinds[
            int(self._random.choice(len(self._drawn_kinds), p=self._drawn_shares))
        ]
        crop = draw_crop(kind, self._random, WRITTEN_SHARE)
        self._strips[self._next] = strip_of(crop.picture, crop.rows)
        self._seats[self._next] = classes_of(crop.text)
        self._kinds[self._next] = KIND_CLASS_OF[kind]
        size = (crop.picture.shape[1], crop.picture.shape[0])
        self._columns[self._next] = np.nan
        self._columns[self._next, : len(crop.text)] = columns_of(crop.middles, size, crop.rows)
        self._next = (self._next + 1) % len(self._kinds)
        self._filled = max(self._filled, self._next or len(self._kinds))


def _capped_weights(photographs: list[Photograph]) -> NDArray[np.float64] | None:
    """Weigh photographs so that provinces seen seldom count for more, and one not for most."""
    if not photographs:
        return None
    provinces = [photograph.text[0] for photograph in photographs]
    seen = Counter(provinces)
    weights = np.array([seen[province] ** -0.5 for province in provinces])
    capped = np.array([province == CAPPED_PROVINCE for province in provinces])
    if 0 < capped.sum() < len(photographs):
        free = float(weights[~capped].sum())
        most = free * CAPPED_SHARE / (1 - CAPPED_SHARE)
        weights[capped] *= min(1.0, most / float(weights[capped].sum()))
    return np.asarray(weights / weights.sum(), np.float64)


def _again(photograph: Photograph, random: np.random.Generator) -> Picture:
    """Move, slant and wear a photograph a little; a fifth stay as they are."""
    picture = photograph.picture
    if random.random() < 0.2:  # noqa: PLR2004 - see above
        return picture
    height, width = picture.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    jitter = random.normal(0, 1, (4, 2)) * np.array([0.012 * width, 0.05 * height])
    scale = 1 + random.normal(0, 0.03, 2)
    moved = (corners - corners[2] / 2) * scale + corners[2] / 2 + jitter
    matrix = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    slanted = cv2.warpPerspective(
        picture, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    made = np.asarray(slanted, np.uint8)
    return worn(made, random) if random.random() < 0.35 else made  # noqa: PLR2004 - a third anew
