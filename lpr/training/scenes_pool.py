"""What the detector learns from: windows of drawn scenes."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lpr.synthesis.scenes import Scene, draw_scene
from lpr.vision.models import STRIDE_PX, levelled

Floats = NDArray[np.float32]
Picture = NDArray[np.uint8]

WINDOW_PX: Final = 256
_SCENE_PX: Final = 352
_SMALLEST_SCALE: Final = 0.6
_LARGEST_SCALE: Final = 1.35
_TWO_ROWS: Final = 2
_LEAST_KEPT: Final = 0.75
"""Share of a plate's box inside the window under which it is neither wanted nor unwanted."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the maps should say of a window."""

    score: Floats
    """height x width, 1 in a plate's middle falling to 0 at its edge; -1 where it is no matter."""
    corners: Floats
    """8 x height x width, in strides."""
    rows: Floats
    weight: Floats
    """height x width: where corners and rows count."""


class ScenePool:
    """Batches of windows with what is wanted of them.

    Parameters
    ----------
    seed : int
        Decides every batch.
    size : int
        Scenes kept (370 kB each).
    drawn_anew : float
        Scenes drawn anew a batch, as a share of the batch.
    """

    def __init__(self, seed: int, *, size: int = 1500, drawn_anew: float = 0.15) -> None:
        self._random = np.random.default_rng(seed)
        self._scenes: list[Scene] = []
        self._size, self._drawn_anew, self._next = size, drawn_anew, 0

    def batch(self, count: int) -> tuple[Floats, list[Wanted]]:
        """Give the next batch."""
        anew = 2 * count if not self._scenes else max(1, round(count * self._drawn_anew))
        for _ in range(anew):
            scene = draw_scene(self._random, (_SCENE_PX, _SCENE_PX))
            if len(self._scenes) < self._size:
                self._scenes.append(scene)
            else:
                self._scenes[self._next] = scene
                self._next = (self._next + 1) % self._size
        picked = self._random.integers(0, len(self._scenes), count)
        windows = [self._window(self._scenes[int(at)]) for at in picked]
        return levelled(np.stack([each for each, _ in windows])), [want for _, want in windows]

    def _window(self, scene: Scene) -> tuple[Picture, Wanted]:
        """Cut a window, turned, larger or smaller, and coloured a little."""
        random = self._random
        scale = float(np.exp(random.uniform(np.log(_SMALLEST_SCALE), np.log(_LARGEST_SCALE))))
        angle = float(random.normal(0, 4)) * np.pi / 180
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * scale
        # What the window's middle shows: as much as fits stays inside the scene.
        free = max(0.0, _SCENE_PX - WINDOW_PX / scale) / 2
        seen = _SCENE_PX / 2 + random.uniform(-free, free, 2)
        moved = WINDOW_PX / 2 - turn @ seen
        way = np.column_stack([turn, moved])
        cut = cv2.warpAffine(
            scene.picture, way, (WINDOW_PX, WINDOW_PX), borderMode=cv2.BORDER_REPLICATE
        )
        gain = random.uniform(0.7, 1.3) * random.normal(1, 0.06, (1, 3))
        shades = np.clip(np.arange(256)[:, None] * gain + random.normal(0, 8), 0, 255)
        tinted = np.asarray(cv2.LUT(cut, shades.astype(np.uint8)[None]), np.uint8)
        quads = [np.asarray(plate.corners @ turn.T + moved, np.float32) for plate in scene.plates]
        return tinted, wanted_of(quads, [plate.rows for plate in scene.plates])


def wanted_of(quads: list[Floats], rows: list[int], side_px: int = WINDOW_PX) -> Wanted:
    """Draw what the maps of a square window should say.

    Parameters
    ----------
    quads : list of array of 4 x 2
        Corners in the window's pixels; those mostly outside are not wanted.
    rows : list of int
    side_px : int
    """
    cells = side_px // STRIDE_PX
    score = np.zeros((cells, cells), np.float32)
    corners = np.zeros((8, cells, cells), np.float32)
    row_map, weight = np.zeros_like(score), np.zeros_like(score)
    middles = np.arange(cells, dtype=np.float32) + 0.5
    grid = np.stack(np.meshgrid(middles, middles), axis=-1)
    for quad, count in zip(quads, rows, strict=True):
        low, high = quad.min(axis=0), quad.max(axis=0)
        inside = np.minimum(high, side_px) - np.maximum(low, 0)
        if (inside <= 0).any():
            continue
        strides = quad / STRIDE_PX
        long = (strides[1] - strides[0] + strides[2] - strides[3]) / 4
        tall = (strides[3] - strides[0] + strides[2] - strides[1]) / 4
        away = grid - strides.mean(axis=0)
        basis = np.linalg.inv(np.stack([long, tall], axis=1).astype(np.float64))
        along = (away @ basis.T).astype(np.float32)
        # Never narrower than a cell: a small plate's middle falls between cells.
        spread = np.maximum(0.35, 0.6 / np.array([np.linalg.norm(long), np.linalg.norm(tall)]))
        near = np.exp(-0.5 * ((along / spread) ** 2).sum(axis=-1)).astype(np.float32)
        if float(np.prod(inside)) < _LEAST_KEPT * float(np.prod(high - low)):
            score[near > 0.1] = -1  # noqa: PLR2004 - about where it is
            continue
        near[np.unravel_index(near.argmax(), near.shape)] = 1
        mine = (near > np.maximum(score, 0)) & (score >= 0)
        score[mine] = near[mine]
        close = mine & (near > 0.4)  # noqa: PLR2004 - the middle third
        offsets = strides[None, None] - grid[:, :, None, :]
        corners[:, close] = offsets.reshape(cells, cells, 8)[close].T
        row_map[close] = float(count == _TWO_ROWS)
        weight[close] = 1 / max(1, int(close.sum()))
    return Wanted(score, corners, row_map, weight)
