"""Pictures of a street with cars and plates, with every plate's four corners.

Backgrounds are drawn, none is a photograph: sky, road, walls with windows, foliage, writing, cars
with lamps, grilles and wheels, and things of a plate's shape that are none. At 320x320 pixels a
scene takes some 4 ms.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from city.plate_rules import PlateKind
from lpr.rules.serials import DRAWN_KINDS
from lpr.synthesis.crops import draw_clutter, worn
from lpr.synthesis.faces import NO_MIDDLES, PlateFace, draw_face
from lpr.synthesis.poses import corners_seen

Picture = NDArray[np.uint8]
Floats = NDArray[np.float32]

SMALLEST_PLATE_PX: Final = 26.0
"""Width under which a plate is not drawn: it could not be read."""
_NARROWEST_PLATE_PX: Final = 20.0
"""The same for the width that is left from the side."""
_WORDS: Final = "ABCDEFHKLMNPSTUVX出租车公安停场电话收费小心行人0123456789"
_MOST_TRIES: Final = 12
_COMMON_KINDS: Final = (PlateKind.BLUE7,) * 3 + (PlateKind.YELLOW7, PlateKind.NEV_GREEN8)


@dataclass(frozen=True, slots=True)
class ScenePlate:
    """A plate in a scene."""

    corners: Floats
    """4 x 2 pixels: upper left, upper right, lower right, lower left as the plate is read."""
    text: str
    kind: PlateKind
    rows: int


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture and the plates in it."""

    picture: Picture
    plates: tuple[ScenePlate, ...]
    clutter: tuple[Floats, ...] = ()
    """Corners of the things of a plate's shape that are none."""


def draw_scene(
    random: np.random.Generator,
    size_px: tuple[int, int] = (320, 320),
    kinds: tuple[PlateKind, ...] | None = None,
) -> Scene:
    """Draw a scene.

    Parameters
    ----------
    random : numpy.random.Generator
        Its state decides everything.
    size_px : tuple of int
        Width and height.
    kinds : tuple of PlateKind, optional
        The kinds of the plates; where left out, none to three of kinds drawn at random.
    """
    width, height = size_px
    picture = _backdrop(width, height, random)
    plates: list[ScenePlate] = []
    if kinds is not None:
        wanted = list(kinds)
    else:
        count = int(random.choice(4, p=(0.12, 0.6, 0.2, 0.08)))
        wanted = [_drawn_kind(random) for _ in range(count)]
    taken: list[tuple[float, float, float, float]] = []
    pasted = [_paste_clutter(picture, taken, random) for _ in range(int(random.integers(0, 7)))]
    for kind in wanted:
        face = draw_face(kind, random)
        quad = _free_quad(face, size_px, taken, random)
        if quad is None:
            continue
        if random.random() < 0.7:  # noqa: PLR2004 - most plates are on a car
            draw_car(picture, quad, taken[:-1], random)
        paste(picture, _aged(face.picture, random), quad, random)
        plates.append(ScenePlate(quad, face.text, kind, face.rows))
    narrowest = min(
        (float(np.linalg.norm(plate.corners[1] - plate.corners[0])) for plate in plates),
        default=60.0,
    )
    clutter = tuple(quad for quad in pasted if quad is not None)
    return Scene(worn(picture, random, narrowest), tuple(plates), clutter)


def _drawn_kind(random: np.random.Generator) -> PlateKind:
    pool = _COMMON_KINDS if random.random() < 0.5 else DRAWN_KINDS  # noqa: PLR2004 - as often
    return pool[int(random.integers(len(pool)))]


def _colour(random: np.random.Generator) -> tuple[int, int, int]:
    """Draw a colour, more often a dull one."""
    grey = float(random.uniform(10, 245))
    spread = 10 if random.random() < 0.6 else 70  # noqa: PLR2004 - see above
    blue, green, red = (int(np.clip(grey + random.normal(0, spread), 0, 255)) for _ in range(3))
    return blue, green, red


def _backdrop(width: int, height: int, random: np.random.Generator) -> Picture:
    base = np.array(_colour(random), np.float32)
    canvas = np.zeros((height, width, 3), np.float32) + base
    horizon = int(height * random.uniform(0.0, 0.6))
    canvas[horizon:] = np.array(_colour(random), np.float32)
    for cells in (4, 16, 64, 160):
        if random.random() < 0.7:  # noqa: PLR2004 - some surfaces are smooth
            coarse = random.normal(0, random.uniform(3, 28), (cells, cells, 1)).astype(np.float32)
            canvas += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)[..., None]
    picture = np.asarray(np.clip(canvas, 0, 255), np.uint8)
    for _ in range(int(random.integers(2, 22))):
        _thing(picture, random)
    return picture


def _thing(picture: Picture, random: np.random.Generator) -> None:
    """Draw one thing of the street, anywhere."""
    height, width = picture.shape[:2]
    at = (int(random.integers(0, width)), int(random.integers(0, height)))
    size = float(np.exp(random.uniform(np.log(8), np.log(width * 0.6))))
    _THINGS[int(random.integers(len(_THINGS)))](picture, at, size, random)


def _polygon(
    picture: Picture, at: tuple[int, int], size: float, random: np.random.Generator
) -> None:
    points = random.normal(0, size / 2, (int(random.integers(3, 7)), 2)) + at
    cv2.fillPoly(picture, [points.astype(np.int32)], _colour(random), cv2.LINE_AA)


def _ellipse(
    picture: Picture, at: tuple[int, int], size: float, random: np.random.Generator
) -> None:
    axes = (max(1, int(size / 2)), max(1, int(size * random.uniform(0.1, 0.6))))
    cv2.ellipse(picture, at, axes, float(random.uniform(0, 180)), 0, 360, _colour(random), -1)


def _box(picture: Picture, at: tuple[int, int], size: float, random: np.random.Generator) -> None:
    far = (at[0] + int(size), at[1] + int(size * random.uniform(0.15, 1.5)))
    thick = cv2.FILLED if random.random() < 0.5 else int(random.integers(1, 5))  # noqa: PLR2004 - filled or not
    cv2.rectangle(picture, at, far, _colour(random), thick)


def _grid(picture: Picture, at: tuple[int, int], size: float, random: np.random.Generator) -> None:
    """Draw windows, a fence or a grille."""
    (x, y), colour = at, _colour(random)
    step = max(3, int(size / random.integers(3, 12)))
    reach_x, reach_y = int(size * random.uniform(0.5, 2)), int(size * random.uniform(0.3, 1))
    for far in range(0, reach_x, step):
        cv2.line(picture, (x + far, y), (x + far, y + reach_y), colour, max(1, step // 4))
    if random.random() < 0.7:  # noqa: PLR2004 - the rest are bars alone
        for far in range(0, reach_y, step):
            cv2.line(picture, (x, y + far), (x + reach_x, y + far), colour, max(1, step // 4))


def _writing(
    picture: Picture, at: tuple[int, int], size: float, random: np.random.Generator
) -> None:
    words = "".join(
        _WORDS[int(n)] for n in random.integers(0, len(_WORDS), int(random.integers(1, 12)))
    )
    face = cv2.FontFace("uni" if random.random() < 0.5 else "sans")  # noqa: PLR2004 - two faces
    cv2.putText(picture, words, at, _colour(random), face, int(np.clip(size / 3, 7, 60)))


def _grain(picture: Picture, at: tuple[int, int], size: float, random: np.random.Generator) -> None:
    """Draw leaves, gravel or a crowd."""
    half = int(size / 2)
    low_x, low_y = max(0, at[0] - half), max(0, at[1] - half)
    patch = picture[low_y : at[1] + half, low_x : at[0] + half]
    if patch.size:
        grain = random.normal(0, random.uniform(10, 50), (*patch.shape[:2], 1))
        patch[:] = np.clip(patch + grain, 0, 255).astype(np.uint8)


def _line(picture: Picture, at: tuple[int, int], size: float, random: np.random.Generator) -> None:
    end = (at[0] + int(random.normal(0, size)), at[1] + int(random.normal(0, size)))
    cv2.line(picture, at, end, _colour(random), int(random.integers(1, 6)), cv2.LINE_AA)


_THINGS: Final = (_polygon, _ellipse, _box, _box, _grid, _writing, _grain, _line)


def draw_car(
    picture: Picture,
    quad: Floats,
    others: list[tuple[float, float, float, float]],
    random: np.random.Generator,
) -> None:
    """Draw a car's end round a plate, where it hides no other plate."""
    middle = quad.mean(axis=0)
    wide = float(np.linalg.norm(quad[1] - quad[0]))
    half = wide * float(random.uniform(1.6, 2.4))
    top, bottom = middle[1] - wide * random.uniform(1.2, 2.4), middle[1] + wide * 0.8
    box = (middle[0] - half, top, middle[0] + half, bottom)
    if any(_meet(box, other) for other in others):
        return
    colour = _colour(random)
    left, right, high, low = int(box[0]), int(box[2]), int(top), int(bottom)
    roof = int(half * random.uniform(0.2, 0.45))
    waist = int(high + (low - high) * random.uniform(0.35, 0.5))
    body = [[left, low], [left, waist], [left + roof, high]]
    body = [*body, [right - roof, high], [right, waist], [right, low]]
    cv2.fillPoly(picture, [np.array(body, np.int32)], colour, cv2.LINE_AA)
    glass = int(random.integers(10, 90))
    inner = int(roof * 1.15) + 2
    pane = [[left + inner // 2, waist], [left + inner, high + 3]]
    pane += [[right - inner, high + 3], [right - inner // 2, waist]]
    cv2.fillPoly(picture, [np.array(pane, np.int32)], (glass, glass, glass), cv2.LINE_AA)
    lamp_y = int(waist + (low - waist) * random.uniform(0.15, 0.45))
    red_lamp = (40, 40, int(random.integers(120, 255)))
    lamp = red_lamp if random.random() < 0.5 else (235, 240, 245)  # noqa: PLR2004 - tail or head
    axes = (max(2, int(half * random.uniform(0.1, 0.2))), max(2, int(wide * 0.12)))
    for x in (left + axes[0] + 2, right - axes[0] - 2):
        cv2.ellipse(picture, (x, lamp_y), axes, 0, 0, 360, lamp, -1, cv2.LINE_AA)
    if random.random() < 0.6:  # noqa: PLR2004 - a grille above the plate
        high_y, low_y = lamp_y - int(wide * 0.1), lamp_y + int(wide * 0.15)
        for at in range(high_y, low_y, max(2, int(wide * 0.05))):
            cv2.line(
                picture,
                (int(middle[0] - wide * 0.7), at),
                (int(middle[0] + wide * 0.7), at),
                (30,) * 3,
            )
    edge = tuple(int(part * 0.6) for part in colour)
    for at in (lamp_y + axes[1] * 2, low - 3):
        cv2.line(picture, (left, at), (right, at), edge, 2)
    for x in (left + int(half * 0.2), right - int(half * 0.2)):
        cv2.ellipse(picture, (x, low), (max(2, int(half * 0.16)),) * 2, 0, 0, 360, (15,) * 3, -1)


def _free_quad(
    face: PlateFace,
    size_px: tuple[int, int],
    taken: list[tuple[float, float, float, float]],
    random: np.random.Generator,
) -> Floats | None:
    """Find corners for a plate where none is yet; None after a dozen tries."""
    width, height = size_px
    face_height, face_width = face.picture.shape[:2]
    for _ in range(_MOST_TRIES):
        long = float(np.exp(random.uniform(np.log(SMALLEST_PLATE_PX), np.log(width * 0.55))))
        if face_width < 2 * face_height and face_width <= 150:  # noqa: PLR2004 - motorcycles' are half as wide
            long *= 0.7
        quad = corners_seen(face_width / face_height, long, random)
        quad += (random.uniform(0, width), random.uniform(0, height))
        low, high = quad.min(axis=0), quad.max(axis=0)
        inside = low.min() >= 1 and high[0] <= width - 2 and high[1] <= height - 2
        box = (float(low[0]) - 3, float(low[1]) - 3, float(high[0]) + 3, float(high[1]) + 3)
        readable = float(np.linalg.norm(quad[1] - quad[0])) >= _NARROWEST_PLATE_PX
        if inside and readable and not any(_meet(box, other) for other in taken):
            taken.append(box)
            return np.asarray(quad, np.float32)
    return None


def _meet(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    apart = one[2] < other[0] or other[2] < one[0] or one[3] < other[1] or other[3] < one[1]
    return not apart


def _aged(face: Picture, random: np.random.Generator) -> Picture:
    """Light and dirt of the plate's own, before the camera's."""
    dull = face.astype(np.float32) * float(random.uniform(0.55, 1.15)) + float(
        random.uniform(0, 25)
    )
    if random.random() < 0.3:  # noqa: PLR2004 - dirt
        spots = random.uniform(0, 1, (4, 10)).astype(np.float32)
        share = cv2.resize(spots, (face.shape[1], face.shape[0]))[..., None]
        dull += (np.float32(90) - dull) * share * float(random.uniform(0.1, 0.6))
    return np.asarray(np.clip(dull, 0, 255), np.uint8)


def paste(picture: Picture, face: Picture, quad: Floats, random: np.random.Generator) -> None:
    """Lay a flat picture into a quadrilateral, its edges smoothed."""
    low = np.maximum(np.floor(quad.min(axis=0)).astype(int) - 1, 0)
    high = np.ceil(quad.max(axis=0)).astype(int) + 2
    target = picture[low[1] : high[1], low[0] : high[0]]
    height, width = face.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, (quad - low).astype(np.float32))
    shrink = width / max(1.0, float(np.linalg.norm(quad[1] - quad[0])))
    if shrink > 1.2:  # noqa: PLR2004 - where sampling would skip pixels
        face = np.asarray(cv2.GaussianBlur(face, (0, 0), 0.35 * shrink), np.uint8)
    size = (target.shape[1], target.shape[0])
    laid = cv2.warpPerspective(face, matrix, size, borderMode=cv2.BORDER_REPLICATE)
    mask = cv2.warpPerspective(np.full((height, width), 255, np.uint8), matrix, size)
    if random.random() < 0.5:  # noqa: PLR2004 - a shadow or frame round it
        cv2.polylines(target, [np.rint(quad - low).astype(np.int32)], True, (25,) * 3, 2)  # noqa: FBT003 - OpenCV takes it by place
    share = (mask.astype(np.float32) / 255)[..., None]
    blended = target + (laid.astype(np.float32) - target) * share
    target[:] = np.clip(blended, 0, 255).astype(np.uint8)


def _paste_clutter(
    picture: Picture, taken: list[tuple[float, float, float, float]], random: np.random.Generator
) -> Floats | None:
    rows = 1 if random.random() < 0.7 else 2  # noqa: PLR2004 - as plates come
    thing = draw_clutter(rows, random)
    face = PlateFace(thing, "", PlateKind.UNKNOWN, rows, NO_MIDDLES)
    quad = _free_quad(face, (picture.shape[1], picture.shape[0]), [*taken], random)
    if quad is not None:
        paste(picture, thing, quad, random)
    return quad
