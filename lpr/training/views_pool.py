"""What the refiner learns from: rough finds in drawn scenes, and what are none."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lpr.rules.corners import box_overlap
from lpr.synthesis.scenes import Scene, draw_scene
from lpr.vision.models import MOVE_PX, levelled
from lpr.vision.views import ROUGH, VIEW_HEIGHT_PX, VIEW_WIDTH_PX, view_of

Floats = NDArray[np.float32]
Picture = NDArray[np.uint8]

_SCENE_PX: Final = 352
_PLATE_SHARE: Final = 0.65
_TWO_ROWS: Final = 2
_FARTHEST: Final = 3.0
_LEAST_ROUGH, _MOST_ROUGH = 0.02, 0.45
"""Distance of a rough corner from the true one, as shares of the plate's height."""


@dataclass(frozen=True, slots=True)
class Views:
    """A batch: inputs and what is wanted of them."""

    inputs: Floats
    moves: Floats
    """N x 8, in ``MOVE_PX``."""
    plates: Floats
    rows: Floats


class ViewPool:
    """Batches of views.

    Parameters
    ----------
    seed : int
        Decides every batch.
    size : int
        Scenes kept (370 kB each).
    drawn_anew : int
        Scenes drawn anew a batch.
    """

    def __init__(self, seed: int, *, size: int = 800, drawn_anew: int = 3) -> None:
        self._random = np.random.default_rng(seed)
        self._scenes: list[Scene] = []
        self._size, self._drawn_anew, self._next = size, drawn_anew, 0

    def batch(self, count: int) -> Views:
        """Give the next batch."""
        for _ in range(self._drawn_anew if self._scenes else count):
            scene = draw_scene(self._random, (_SCENE_PX, _SCENE_PX))
            if len(self._scenes) < self._size:
                self._scenes.append(scene)
            else:
                self._scenes[self._next] = scene
                self._next = (self._next + 1) % self._size
        views = np.empty((count, VIEW_HEIGHT_PX, VIEW_WIDTH_PX, 3), np.uint8)
        moves, plates = np.zeros((count, 8), np.float32), np.zeros(count, np.float32)
        rows = np.zeros(count, np.float32)
        for at in range(count):
            scene = self._scenes[int(self._random.integers(len(self._scenes)))]
            if scene.plates and self._random.random() < _PLATE_SHARE:
                plate = scene.plates[int(self._random.integers(len(scene.plates)))]
                view, back = view_of(scene.picture, rough_of(plate.corners, self._random))
                true = cv2.perspectiveTransform(plate.corners[None], np.linalg.inv(back))[0]
                # A view turned nearly on its edge has its corners at infinity.
                moves[at] = np.clip((true - ROUGH) / MOVE_PX, -_FARTHEST, _FARTHEST).reshape(8)
                plates[at], rows[at] = 1, float(plate.rows == _TWO_ROWS)
            else:
                view = view_of(scene.picture, _elsewhere(scene, self._random))[0]
            views[at] = self._tinted(view)
        return Views(levelled(views), moves, plates, rows)

    def _tinted(self, view: Picture) -> Picture:
        gain = self._random.uniform(0.7, 1.3) * self._random.normal(1, 0.06, (1, 3))
        shades = np.arange(256)[:, None] * gain + self._random.normal(0, 8)
        table = np.clip(shades, 0, 255).astype(np.uint8)[None]
        return np.asarray(cv2.LUT(view, table), np.uint8)


def rough_of(corners: Floats, random: np.random.Generator) -> Floats:
    """Move corners as a detector would be wrong: together, in size, in slant and each alone."""
    tall = float(np.linalg.norm(corners[3] - corners[0] + corners[2] - corners[1])) / 2
    wide = float(np.linalg.norm(corners[1] - corners[0] + corners[2] - corners[3])) / 2
    far = float(np.exp(random.uniform(np.log(_LEAST_ROUGH), np.log(_MOST_ROUGH)))) * tall
    middle = corners.mean(axis=0)
    # A long plate's ends are further off than its height would tell.
    along = (corners[1] - corners[0]) / max(1.0, wide)
    stretch = 1 + random.normal(0, 0.5, 2) * far / np.array([wide, tall])
    across = np.array([-along[1], along[0]])
    away = corners - middle
    moved = np.outer(away @ along * stretch[0], along) + np.outer(
        away @ across * stretch[1], across
    )
    angle = float(random.normal(0, 0.6)) * far / wide
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = moved @ turn.T + middle + random.normal(0, 0.6, 2) * far
    moved += random.normal(0, 0.35, (4, 2)) * far
    return np.asarray(moved, np.float32)


def _elsewhere(scene: Scene, random: np.random.Generator) -> Floats:
    """Give corners of a plate's shape where there is no plate: on clutter, or anywhere."""
    taken = [plate.corners for plate in scene.plates]
    clutter = [quad for quad in scene.clutter if not _lies_on(quad, taken)]
    if clutter and random.random() < 0.5:  # noqa: PLR2004 - as often as anywhere
        return rough_of(clutter[int(random.integers(len(clutter)))], random)
    quad = np.zeros((4, 2), np.float32)
    for _ in range(8):
        wide = float(np.exp(random.uniform(np.log(26), np.log(_SCENE_PX * 0.55))))
        tall = wide / float(random.uniform(1.6, 3.6))
        quad = np.array([[0, 0], [wide, 0], [wide, tall], [0, tall]], np.float32)
        quad += random.uniform(0, 1, 2) * (_SCENE_PX - wide, _SCENE_PX - tall)
        quad = rough_of(np.asarray(quad, np.float32), random)
        if not _lies_on(quad, taken):
            return quad
    # Crowded: above the picture is the repeated edge, which is no plate either.
    return np.asarray(quad - (0, 2 * _SCENE_PX), np.float32)


def _lies_on(quad: Floats, others: list[Floats]) -> bool:
    return any(box_overlap(quad, other) > 0.05 for other in others)  # noqa: PLR2004 - hardly touching
