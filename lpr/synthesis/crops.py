"""Plates as cameras cut them out: at a slant, small, dirty, dark, blurred, compressed.

Three habits of cutting are mimicked: the upright box round a slanted plate, squeezed to 94x24
pixels (as CCPD's crops are); a plate straightened by its corners at its own size (as EasyPR's
are, and as our own detector's); and loose boxes. Everything that costs is done at the small size,
about 0.6 ms a crop.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from city.plate_rules import PlateKind
from lpr.synthesis.faces import NO_MIDDLES, PlateFace, draw_face

Picture = NDArray[np.uint8]
Floats = NDArray[np.float32]

SMALL_PX: Final = (94, 24)
"""Width and height of CCPD's crops."""


@dataclass(frozen=True, slots=True)
class PlateCrop:
    """A plate cut out of a picture, and what it says."""

    picture: Picture
    text: str
    """Empty where it is none."""
    kind: PlateKind
    rows: int
    middles: Floats
    """Characters x 2 pixels: the middle of each."""


def draw_crop(
    kind: PlateKind, random: np.random.Generator, written_share: float = 0.0
) -> PlateCrop:
    """Draw a crop of a kind.

    Parameters
    ----------
    kind : PlateKind
        ``unknown`` gives something that is no plate: a badge, a sticker, bare bodywork.
    random : numpy.random.Generator
        Its state decides everything.
    written_share : float
        As ``draw_face`` takes it.
    """
    if kind is PlateKind.UNKNOWN:
        rows = 1 if random.random() < 0.7 else 2  # noqa: PLR2004 - as candidates come
        return PlateCrop(worn(draw_clutter(rows, random), random), "", kind, rows, NO_MIDDLES)
    face = draw_face(kind, random, written_share)
    picture, matrix = _cut(face, random)
    middles = np.asarray(cv2.perspectiveTransform(face.middles[None], matrix)[0], np.float32)
    return PlateCrop(worn(picture, random), face.text, kind, face.rows, middles)


def _cut(face: PlateFace, random: np.random.Generator) -> tuple[Picture, NDArray[np.float64]]:
    """Cut a face as cameras do; give also what brings its pixels into the crop's."""
    height, width = face.picture.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    boxed = face.rows == 1 and random.random() < 0.5  # noqa: PLR2004 - both habits as often
    # The rows of a plate that is not straightened cannot be told apart by their height.
    slant = 1.0 if boxed else 0.5
    quad = _slanted(corners, slant, random)
    low, high = quad.min(axis=0), quad.max(axis=0)
    size = high - low
    # Cut too closely or with much round it, and upwards more so: boxes are off by pixels.
    loosest = 0.055 if boxed or random.random() < 0.7 else 0.14  # noqa: PLR2004 - the rest with much round them
    pad = random.uniform((-0.02, -0.06), (loosest, max(loosest, 0.11)), (2, 2)).astype(np.float32)
    low, high = low - pad[0] * size, high + pad[1] * size
    size = high - low
    if boxed:
        out_width, out_height = SMALL_PX
    else:
        out_width = round(float(np.exp(random.uniform(np.log(64), np.log(150)))))
        stretch = float(random.uniform(0.85, 1.15))
        out_height = max(18, round(out_width * float(size[1] / size[0]) * stretch))
    target = (quad - low) / size * np.array([out_width, out_height], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, target.astype(np.float32))
    shrink = width / out_width
    picture = face.picture
    if shrink > 1.2:  # noqa: PLR2004 - where sampling would skip pixels
        picture = cv2.GaussianBlur(picture, (0, 0), 0.35 * shrink).astype(np.uint8)
    canvas = _ground(out_height, out_width, random)
    cut = cv2.warpPerspective(
        picture,
        matrix,
        (out_width, out_height),
        dst=canvas,
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_TRANSPARENT,
    )
    return np.asarray(cut, np.uint8), np.asarray(matrix, np.float64)


def _slanted(corners: Floats, slant: float, random: np.random.Generator) -> Floats:
    """Turn, shear and tilt a plate about its middle."""
    middle = corners.mean(axis=0)
    size = corners[2] - corners[0]
    angle = float(np.clip(random.normal(0, 6 * slant), -18, 18)) * np.pi / 180
    shear = float(random.normal(0, 0.14 * slant))
    cosine, sine = np.cos(angle), np.sin(angle)
    turn = np.array([[cosine, -sine], [sine, cosine]]) @ np.array([[1, shear], [0, 1]])
    quad = (corners - middle) @ turn.T
    quad += random.normal(0, 0.03 * slant, (4, 2)) * np.array([size[1], size[1]])
    lift = float(random.normal(0, 0.10 * slant))
    quad[1:3, 1] *= 1 + lift
    quad[0, 1] *= 1 - lift
    quad[3, 1] *= 1 - lift
    return np.asarray(quad + middle, np.float32)


def _ground(height: int, width: int, random: np.random.Generator) -> Picture:
    """Bodywork round a plate: a shade with slow changes and sometimes an edge."""
    shade = random.uniform(5, 235) + random.normal(0, 12, 3)
    coarse = random.normal(0, 18, (3, 6, 1)) + shade
    ground = cv2.resize(coarse.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    if random.random() < 0.4:  # noqa: PLR2004 - a bumper's edge
        at = int(random.integers(0, height))
        ground[at:] = ground[at:] + random.normal(0, 50)
    return np.asarray(np.clip(ground, 0, 255), np.uint8)


def draw_clutter(rows: int, random: np.random.Generator) -> Picture:
    """Something of a plate's shape that is none: bodywork, grilles, badges, notices."""
    height, width = (int(random.integers(20, 50)), int(random.integers(70, 180)))
    if rows == 2:  # noqa: PLR2004 - two rows are higher
        height = round(width * float(random.uniform(0.45, 0.7)))
    picture = _ground(height, width, random)
    what = int(random.integers(5))
    colour = tuple(int(part) for part in random.integers(0, 255, 3))
    if what == 0:
        step = int(random.integers(3, 12))
        for at in range(0, max(height, width), step):
            if random.random() < 0.9:  # noqa: PLR2004 - grilles have gaps
                cv2.line(picture, (0, at), (width, at), colour, 1)
    elif what == 1:
        step = int(random.integers(4, 14))
        for at in range(0, width, step):
            cv2.line(picture, (at, 0), (at + int(random.integers(-3, 4)), height), colour, 2)
    elif what == 2:  # noqa: PLR2004 - the third of five
        picture[:] = np.asarray(colour, np.uint8)
        words = "".join(
            "ABCDEFGHIJKLMNOPRSTUVW出租车公安学校停车场电话0123456789"[int(at)]
            for at in random.integers(0, 43, int(random.integers(2, 14)))
        )
        other = tuple(int(part) for part in random.integers(0, 255, 3))
        size = int(random.integers(8, max(9, height)))
        origin = (int(random.integers(0, width // 3)), int(height * random.uniform(0.5, 0.95)))
        cv2.putText(picture, words, origin, other, cv2.FontFace("uni"), size)
    elif what == 3:  # noqa: PLR2004 - the fourth
        for _ in range(int(random.integers(2, 9))):
            centre = (int(random.integers(0, width)), int(random.integers(0, height)))
            shade = tuple(int(part) for part in random.integers(0, 255, 3))
            axes = (int(random.integers(2, width // 2)), int(random.integers(2, height)))
            cv2.ellipse(picture, centre, axes, float(random.uniform(0, 180)), 0, 360, shade, -1)
    return picture


def worn(
    picture: Picture, random: np.random.Generator, plate_width_px: float | None = None
) -> Picture:
    """Lay light, weather, lens, sensor and compression over a picture.

    Parameters
    ----------
    picture : array of height x width x 3
        Not changed.
    random : numpy.random.Generator
        Draws which of them and how much; a seventh of all pictures stay nearly clean.
    plate_width_px : float, optional
        Width of the narrowest plate in it, which must stay readable; the picture's own if left
        out.
    """
    plate_width = float(picture.shape[1]) if plate_width_px is None else plate_width_px
    image = picture.astype(np.float32)
    if random.random() < 0.85:  # noqa: PLR2004 - see above
        # Most cameras that are there to read plates do well; all trouble at once is rare.
        trouble = float(random.random() ** 1.5)
        _light(image, random)
        image = _blurred(image, random, plate_width / SMALL_PX[0], trouble)
        _exposed(image, random, trouble)
        grain = float(abs(random.normal(0, 0.004 + 0.045 * trouble)))
        grain *= float(image.mean() + 20)
        image += _noise(image.shape[0], image.shape[1], random) * grain
    made = np.asarray(np.clip(image, 0, 255), np.uint8)
    if random.random() < 0.6:  # noqa: PLR2004 - most cameras compress
        quality = int(random.integers(20, 96))
        _, coded = cv2.imencode(".jpg", made, [cv2.IMWRITE_JPEG_QUALITY, quality])
        decoded = cv2.imdecode(coded, cv2.IMREAD_COLOR)
        made = made if decoded is None else np.asarray(decoded, np.uint8)
    return made


def _noise(height: int, width: int, random: np.random.Generator) -> Floats:
    """Give noise of deviation 1; over large pictures a patch of it is repeated."""
    patch = random.standard_normal((min(height, 96), min(width, 128), 3), np.float32)
    if patch.shape[:2] == (height, width):
        return patch
    times = (-(-height // patch.shape[0]), -(-width // patch.shape[1]), 1)
    return np.asarray(np.tile(patch, times)[:height, :width], np.float32)


def _light(image: Floats, random: np.random.Generator) -> None:
    """Dirt, shadow, glare and rain, in place."""
    height, width = image.shape[:2]
    if random.random() < 0.3:  # noqa: PLR2004 - dirt
        coarse = random.uniform(0, 1, (int(random.integers(3, 8)), int(random.integers(5, 20))))
        spots = cv2.resize(coarse.astype(np.float32), (width, height))
        share = np.clip((spots - 0.45) * 2, 0, 1)[..., None] * float(random.uniform(0.1, 0.7))
        mud = np.array([70, 85, 95], np.float32) * float(random.uniform(0.5, 1.8))
        image += (mud - image) * share
    if random.random() < 0.3:  # noqa: PLR2004 - a shadow with an edge, hard or soft
        x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
        y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
        angle = float(random.uniform(0, 2 * np.pi))
        distance = x * float(np.cos(angle)) + y * float(np.sin(angle))
        distance += float(random.uniform(-0.8, 0.8))
        soft = float(np.exp(random.uniform(np.log(1), np.log(40))))
        share = 1 / (1 + np.exp(-np.clip(distance * soft, -30, 30)))
        image *= (1 - share * float(random.uniform(0.2, 0.65)))[..., None].astype(np.float32)
    if random.random() < 0.1:  # noqa: PLR2004 - glare
        x = np.arange(width, dtype=np.float32)[None, :]
        y = np.arange(height, dtype=np.float32)[:, None]
        at = (random.uniform(0, width), random.uniform(0, height))
        spread = random.uniform(0.15, 0.8) * height
        blob = np.exp(-((x - at[0]) ** 2) / (4 * spread**2))
        blob = blob * np.exp(-((y - at[1]) ** 2) / (2 * spread**2))
        image += (blob * random.uniform(60, 255))[..., None].astype(np.float32)
    if random.random() < 0.05:  # noqa: PLR2004 - rain
        for _ in range(int(random.integers(3, 15))):
            start = (int(random.integers(0, width)), int(random.integers(0, height)))
            end = (start[0] + int(random.integers(-3, 4)), start[1] + int(random.integers(3, 15)))
            cv2.line(image, start, end, (float(random.uniform(120, 230)),) * 3, 1)


def _blurred(image: Floats, random: np.random.Generator, scale: float, trouble: float) -> Floats:
    """Lens and motion; a lower resolution than it seems. Scale: the plate's width over 94."""
    height, width = image.shape[:2]
    if random.random() < 0.3:  # noqa: PLR2004 - photographed small, then enlarged
        factor = max(
            float(random.uniform(0.9 - 0.45 * trouble, 0.95)) / max(1.0, scale * 0.8), 0.47 / scale
        )
        factor = min(1.0, factor)
        small = (round(width * factor), round(height * factor))
        image = cv2.resize(image, small, interpolation=cv2.INTER_AREA).astype(np.float32)
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR).astype(
            np.float32
        )
    if random.random() < 0.5:  # noqa: PLR2004 - out of focus
        sigma = max(0.3, float(random.uniform(0.2, 0.4 + 0.8 * trouble)) * scale)
        image = cv2.GaussianBlur(image, (0, 0), sigma).astype(np.float32)
    if random.random() < 0.2:  # noqa: PLR2004 - motion
        length = max(2, round(float(random.uniform(2, 2.5 + 4 * trouble)) * scale))
        kernel = np.zeros((length, length), np.float32)
        angle = float(random.normal(0, 0.5)) if random.random() < 0.7 else 1.57  # noqa: PLR2004 - mostly along the road
        middle = (length - 1) / 2
        reach = np.array([np.cos(angle), np.sin(angle)]) * middle
        start, end = np.rint(middle - reach).astype(int), np.rint(middle + reach).astype(int)
        cv2.line(kernel, start.tolist(), end.tolist(), (1.0,), 1)
        image = cv2.filter2D(image, -1, kernel / max(1.0, float(kernel.sum()))).astype(np.float32)
    return image


def _exposed(image: Floats, random: np.random.Generator, trouble: float) -> None:
    """Exposure, haze, gamma and colour cast, in place."""
    image *= random.normal(1, 0.13, 3).astype(np.float32)
    if random.random() < 0.15:  # noqa: PLR2004 - black and white, or nearly
        grey = image.mean(axis=2, keepdims=True)
        image += (grey - image) * float(random.uniform(0.3, 1.0))
    contrast = float(random.uniform(0.85 - 0.55 * trouble, 1.2))
    image *= contrast
    image += np.float32(random.uniform(0, max(1.0, 255 * (1 - contrast))) * 0.8)
    if random.random() < 0.25:  # noqa: PLR2004 - night
        image *= float(random.uniform(0.6 - 0.4 * trouble, 0.7))
    elif random.random() < 0.2:  # noqa: PLR2004 - overexposed
        image *= float(random.uniform(1.2, 1.9))
    np.clip(image, 0, 255, out=image)
    power = float(np.exp(random.normal(0, 0.3)))
    image[:] = 255 * (image / 255) ** power
