"""Characters as they stand on plates, as masks of ink.

The best come from ``lpr/glyphs`` in the folder that ``GREENBAY_DATA`` names: drawings of the
real plate face. What is missing there, or everything where the folder is absent, is drawn with
Debian's CJK font, or with the font that OpenCV carries where there is none: other shapes than the
real ones, and therefore worse to learn from, but enough for tests and demonstrations.
"""

import os
from functools import lru_cache
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lpr.rules.layouts import Face

Mask = NDArray[np.uint8]
"""Height x width, 0 ground to 255 ink."""

_FONTS: Final = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
)
_FALLBACK_FACES: Final = {
    Face.ONE_ROW: ("140",),
    Face.REAR_TOP: ("220_up", "220", "140"),
    Face.REAR_BOTTOM: ("220_down", "220", "140"),
    Face.NEW_ENERGY: ("green", "140"),
}
_NARROW: Final = frozenset("1I")


def glyph_folder() -> Path | None:
    """Give the folder of plate-shaped characters, or None where there is none."""
    data = os.environ.get("GREENBAY_DATA")
    return _folder_in(data) if data else None


@lru_cache(maxsize=4)
def _folder_in(data: str) -> Path | None:
    folder = Path(data) / "lpr" / "glyphs"
    return folder if folder.is_dir() else None


def glyph(
    character: str, face: Face, width_px: int, height_px: int, *, written: bool = False
) -> Mask:
    """Draw one character to fill a cell.

    Parameters
    ----------
    character : str
    face : Face
        Which drawing, where there are several.
    width_px, height_px : int
        The cell.
    written : bool
        With a font, even where there is the real face.
    """
    folder = None if written else glyph_folder()
    return _fitted(folder, character, face, width_px=width_px, height_px=height_px)


@lru_cache(maxsize=8192)
def _fitted(
    folder: Path | None, character: str, face: Face, *, width_px: int, height_px: int
) -> Mask:
    source = None if folder is None else _drawn(folder, character, face)
    if source is None:
        source = _written(character)
    shrunk = cv2.resize(source, (width_px, height_px), interpolation=cv2.INTER_AREA)
    mask = np.asarray(shrunk, dtype=np.uint8)
    mask.setflags(write=False)
    return mask


def _drawn(folder: Path, character: str, face: Face) -> Mask | None:
    for prefix in _FALLBACK_FACES[face]:
        path = folder / f"{prefix}_{character}.jpg"
        if path.is_file():
            picture = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_GRAYSCALE)
            if picture is not None:
                return np.subtract(255, picture, dtype=np.uint8)
    return None


@lru_cache(maxsize=512)
def _written(character: str) -> Mask:
    """Draw with a font, cut to its ink; a 1 keeps its narrow shape in the middle of its cell."""
    canvas = np.zeros((260, 260), np.uint8)
    cv2.putText(canvas, character, (30, 200), (255,), _font(), 180, 800)
    rows, columns = np.flatnonzero(canvas.any(axis=1)), np.flatnonzero(canvas.any(axis=0))
    ink = canvas[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    if character in _NARROW:
        side = max(0, (ink.shape[0] // 2 - ink.shape[1]) // 2)
        ink = np.pad(ink, ((0, 0), (side, side)))
    return ink


@lru_cache(maxsize=1)
def _font() -> cv2.FontFace:
    for path in _FONTS:
        if Path(path).is_file():
            return cv2.FontFace(path)
    return cv2.FontFace("uni")
