"""Four corners of a plate: order, overlap, and which of several finds are one plate."""

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


def box_overlap(one: Floats, other: Floats) -> float:
    """Give intersection over union of the upright boxes round two quadrilaterals."""
    low = np.maximum(one.min(axis=0), other.min(axis=0))
    high = np.minimum(one.max(axis=0), other.max(axis=0))
    both = float(np.prod(np.maximum(high - low, 0)))
    either = sum(float(np.prod(quad.max(axis=0) - quad.min(axis=0))) for quad in (one, other))
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
    for candidate in sorted(found, key=lambda each: -each.score)[: 4 * most]:
        if all(box_overlap(candidate.corners, other.corners) <= most_overlap for other in kept):
            kept.append(candidate)
        if len(kept) == most:
            break
    return kept


def moved_share(before: Floats, after: Floats) -> float:
    """Give how far four corners moved on average, in heights of the plate."""
    tall = float(np.linalg.norm(after[3] - after[0] + after[2] - after[1])) / 2
    return float(np.linalg.norm(after - before, axis=1).mean()) / max(tall, 1e-6)


def sensible(corners: Floats, least_px: float = 8.0) -> bool:
    """Say whether corners can be a plate's: convex, in order, neither tiny nor a sliver."""
    sides = np.roll(corners, -1, axis=0) - corners
    turns = sides[:, 0] * np.roll(sides[:, 1], -1) - sides[:, 1] * np.roll(sides[:, 0], -1)
    if not bool((turns > 0).all()):
        return False
    lengths = np.linalg.norm(sides, axis=1)
    long, tall = float(lengths[[0, 2]].mean()), float(lengths[[1, 3]].mean())
    return long >= least_px and 0.8 <= long / max(tall, 1e-6) <= 8.0  # noqa: PLR2004 - motorcycles' 1.57 to new energy's 3.43, tilted
