"""The face of a plate as it leaves the press, and after some years on a car.

A face is drawn flat at half a pixel a millimetre from cached characters; what a camera and the
weather make of it is the business of ``lpr.synthesis.crops`` and ``lpr.synthesis.scenes``. Some
0.2 ms each.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from city.plate_rules import RULES, PlateKind
from lpr.rules.layouts import Layout, layouts_of
from lpr.rules.serials import draw_text
from lpr.synthesis.glyphs import glyph

Picture = NDArray[np.uint8]
"""Height x width x 3, blue, green, red."""

Colour = NDArray[np.float32]
"""Blue, green, red, 0 to 255."""

PX_PER_MM: Final = 0.5
NO_MIDDLES: Final = np.zeros((0, 2), np.float32)
_BRIGHTEST_GROUND: Final = 1.75
"""Retroreflecting grounds look brighter on a camera than the printed colour."""
_SECOND_LAYOUT_SHARE: Final = 0.4
_BLUE_MOTORCYCLE_SHARE: Final = 0.4
_RED_MARK_SHARE: Final = 0.5
_RED: Final = (38.0, 30.0, 185.0)
_DARK_BLUE: Final = (145.0, 61.0, 10.0)


@dataclass(frozen=True, slots=True)
class PlateFace:
    """A flat plate."""

    picture: Picture
    text: str
    kind: PlateKind
    rows: int
    middles: NDArray[np.float32]
    """Characters x 2: the middle of each in the picture's pixels, in reading order."""


def draw_face(
    kind: PlateKind, random: np.random.Generator, written_share: float = 0.0
) -> PlateFace:
    """Draw a plate of a kind with a plausible text, in one of its layouts.

    Parameters
    ----------
    kind : PlateKind
        Any but ``unknown``.
    random : numpy.random.Generator
        Its state decides text, layout, shades, screws and frame.
    written_share : float
        Share of faces in a font's characters although the real face is at hand: a model that is
        to read fixtures drawn without it must have seen some.
    """
    text = draw_text(kind, random)
    layouts = layouts_of(kind, text)
    second = len(layouts) > 1 and random.random() < _SECOND_LAYOUT_SHARE
    written = written_share > 0 and random.random() < written_share
    return face_of(text, kind, layouts[1 if second else 0], random, written=written)


def face_of(
    text: str,
    kind: PlateKind,
    layout: Layout,
    random: np.random.Generator,
    *,
    written: bool = False,
) -> PlateFace:
    """Draw a given text in a given layout; ``random`` decides shades, screws and frame."""
    height, width = round(layout.height_mm * PX_PER_MM), round(layout.width_mm * PX_PER_MM)
    ink = np.zeros((height, width), np.uint8)
    mark = np.zeros((height, width), np.uint8)
    for character, cell in zip(text, layout.cells, strict=True):
        drawn = glyph(
            character,
            cell.face,
            round(cell.width_mm * PX_PER_MM),
            round(cell.height_mm * PX_PER_MM),
            written=written,
        )
        x, y = round(cell.x_mm * PX_PER_MM), round(cell.y_mm * PX_PER_MM)
        target = mark if cell.marked else ink
        target[y : y + drawn.shape[0], x : x + drawn.shape[1]] = drawn
    for x_mm, y_mm in layout.dots:
        if random.random() < 0.9:  # noqa: PLR2004 - a tenth have lost their dot's paint
            centre = (round(x_mm * PX_PER_MM), round(y_mm * PX_PER_MM))
            cv2.circle(ink, centre, 3, (255,), cv2.FILLED, cv2.LINE_AA)
    if layout.framed and random.random() < 0.9:  # noqa: PLR2004 - or under a frame
        inset = int(random.integers(1, 4))
        corner = (width - 1 - inset, height - 1 - inset)
        cv2.rectangle(ink, (inset, inset), corner, (255,), 1, cv2.LINE_AA)
    if random.random() < 0.25:  # noqa: PLR2004 - strokes swollen by light or thinned by wear
        swell = cv2.dilate if random.random() < 0.5 else cv2.erode  # noqa: PLR2004 - as often
        ink[:] = swell(ink, np.ones((2, 2), np.uint8))
    picture = _paint(kind, ink, mark, random)
    _screws(picture, random)
    middles = [(c.x_mm + c.width_mm / 2, c.y_mm + c.height_mm / 2) for c in layout.cells]
    placed = np.array(middles, np.float32) * np.float32(PX_PER_MM)
    return PlateFace(picture, text, kind, layout.rows, placed)


def _paint(
    kind: PlateKind, ink: NDArray[np.uint8], mark: NDArray[np.uint8], random: np.random.Generator
) -> Picture:
    """Lay ink and marks over a ground in shades near the kind's."""
    colours = RULES[kind].colours
    stops = [_shade(stop, random, _BRIGHTEST_GROUND) for stop in colours.ground]
    ink_colour, mark_colour = _shade(colours.ink, random), _shade(colours.mark, random)
    if kind is PlateKind.MOTORCYCLE and random.random() < _BLUE_MOTORCYCLE_SHARE:
        stops, ink_colour = [np.array(_DARK_BLUE, np.float32)], np.full(3, 240, np.float32)
        mark_colour = ink_colour
    black = colours.ground == RULES[PlateKind.EMBASSY_BLACK].colours.ground
    if black and random.random() < _RED_MARK_SHARE:
        mark_colour = np.array(_RED, np.float32)
    if len(stops) == 1:
        painted = _ramp(stops[0], ink_colour)[ink]
    else:
        painted = _over(_two_grounds(kind, stops, ink.shape), ink, ink_colour)
    if mark.any():
        painted = _over(painted.astype(np.float32), mark, mark_colour)
    if kind is PlateKind.TEMPORARY:
        grain = random.normal(0, 6, ink.shape)[..., None]
        painted = np.asarray(np.clip(painted + grain, 0, 255), np.uint8)
    return painted


def _ramp(ground: Colour, ink: Colour) -> Picture:
    """Tabulate the colour of every depth of ink."""
    depth = np.linspace(0, 1, 256, dtype=np.float32)[:, None]
    return np.asarray(np.clip(ground + (ink - ground) * depth, 0, 255), np.uint8)


def _two_grounds(
    kind: PlateKind, stops: list[Colour], shape: tuple[int, ...]
) -> NDArray[np.float32]:
    height, width = shape
    ground = np.empty((height, width, 3), np.float32)
    if kind is PlateKind.NEV_LARGE8:
        # Yellow under the province and the letter, green under the serial.
        ground[:, : round(width * 0.27)] = stops[0]
        ground[:, round(width * 0.27) :] = stops[1]
    else:
        share = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
        ground[:] = stops[0] + (stops[1] - stops[0]) * share
    return ground


def _over(ground: NDArray[np.float32], mask: NDArray[np.uint8], colour: Colour) -> Picture:
    share = (mask.astype(np.float32) * np.float32(1 / 255))[..., None]
    return np.asarray(np.clip(ground + (colour - ground) * share, 0, 255), dtype=np.uint8)


def _shade(colour: str, random: np.random.Generator, brightest: float = 1.1) -> Colour:
    """Draw a shade near a colour: paint fades, prints and cameras differ."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    bgr = np.array([blue, green, red], np.float32)
    faded = bgr + (np.float32((red + green + blue) / 3) - bgr) * float(random.uniform(0, 0.35))
    shaded = faded * float(random.uniform(0.8, brightest)) + random.normal(0, 12, 3)
    return np.asarray(np.clip(shaded, 0, 255), dtype=np.float32)


def _screws(picture: Picture, random: np.random.Generator) -> None:
    height, width = picture.shape[:2]
    if random.random() < 0.6:  # noqa: PLR2004 - measured by eye on public pictures
        grey = int(random.integers(60, 230))
        for share in (0.25, 0.75):
            if random.random() < 0.85:  # noqa: PLR2004 - one of the two may be missing
                at = (round(width * share + random.normal(0, 3)), int(random.integers(4, 9)))
                cv2.circle(picture, at, int(random.integers(2, 5)), (grey,) * 3, cv2.FILLED)
                if random.random() < 0.5:  # noqa: PLR2004 - below as often as not
                    low = (at[0], height - at[1])
                    cv2.circle(picture, low, 3, (grey,) * 3, cv2.FILLED)
    if random.random() < 0.2:  # noqa: PLR2004 - a dealer's frame covers the edge
        thick = int(random.integers(2, 6))
        colour = (int(random.integers(0, 200)),) * 3
        cv2.rectangle(picture, (0, 0), (width - 1, height - 1), colour, thick)
