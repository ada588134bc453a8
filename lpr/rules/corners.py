"""Four corners of a plate: order, overlap, and which of several finds are one plate."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Found:
    """A plate that the detector found."""

    corners: Floats
    """4 x 2 pixels: upper left, upper right, lower right, lower left as the plate is read."""
    rows: int
    score: float
    """0 to 1."""


Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


def box_overlap(one: Floats, other: Floats) -> float:
    """Give intersection over union of the upright boxes round two quadrilaterals."""
    return _overlap(_box(one), _box(other))


def _box(corners: Floats) -> Box:
    # Numbers of Python's own: over four corners NumPy takes ten times as long.
    xs, ys = corners[:, 0].tolist(), corners[:, 1].tolist()
    return min(xs), min(ys), max(xs), max(ys)


def _overlap(one: Box, other: Box) -> float:
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    both = max(0.0, wide) * max(0.0, high)
    either = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return both / (either - both) if either > both else 0.0


def best_of_each(found: list[Found], most_overlap: float = 0.3, most: int = 50) -> list[Found]:
    """Keep the best find of each plate, best first.

    Parameters
    ----------
    found : list of Found
    most_overlap : float
        Finds whose boxes overlap by more are taken for one plate.
    most : int
        Finds beyond so many of the best are dropped, which bounds the cost: it grows with their
        square.
    """
    kept: list[Found] = []
    boxes: list[Box] = []
    for candidate in sorted(found, key=lambda each: -each.score)[: 4 * most]:
        box = _box(candidate.corners)
        if all(_overlap(box, other) <= most_overlap for other in boxes):
            kept.append(candidate)
            boxes.append(box)
        if len(kept) == most:
            break
    return kept


def moved_share(before: Floats, after: Floats) -> float:
    """Give how far four corners moved on average, in heights of the plate."""
    tall = float(np.linalg.norm(after[3] - after[0] + after[2] - after[1])) / 2
    return float(np.linalg.norm(after - before, axis=1).mean()) / max(tall, 1e-6)


def sensible(corners: Floats, least_px: float = 8.0) -> bool:
    """Say whether corners can be a plate's: convex, in order, neither tiny nor a sliver."""
    points = [(float(x), float(y)) for x, y in corners.tolist()]
    sides = [
        (b[0] - a[0], b[1] - a[1]) for a, b in zip(points, points[1:] + points[:1], strict=True)
    ]
    after = sides[1:] + sides[:1]
    if not all(
        one[0] * two[1] - one[1] * two[0] > 0 for one, two in zip(sides, after, strict=True)
    ):
        return False
    upper, right, lower, left = (math.hypot(*side) for side in sides)
    long, tall = (upper + lower) / 2, (right + left) / 2
    return long >= least_px and 0.8 <= long / max(tall, 1e-6) <= 8.0  # noqa: PLR2004 - motorcycles' 1.57 to new energy's 3.43, tilted
