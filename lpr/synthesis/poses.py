"""How a plate stands before the camera: where its four corners come to lie in the picture."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_ASIDE_SHARE: Final = 0.5
_FARTHEST_ASIDE_DEG: Final = 65.0
_LEAST_SHAPE: Final = 0.95
"""Width over height that a plate seen from the side keeps at least."""


def corners_seen(shape: float, long_px: float, random: np.random.Generator) -> Floats:
    """Give a plate's corners about the point 0, 0.

    Half of all plates are seen nearly from the front, tilted a little in every way; half from the
    side and from above, as from a pole at the kerb, a gate beside the lane or a hand.

    Parameters
    ----------
    shape : float
        Width over height of the plate itself.
    long_px : float
        Its width, were it seen from the front.
    random : numpy.random.Generator

    Returns
    -------
    array of 4 x 2
        Upper left, upper right, lower right, lower left as the plate is read.
    """
    aside = random.random() < _ASIDE_SHARE
    quad = (_from_aside if aside else _from_the_front)(shape, long_px, random)
    quad += random.normal(0, 0.025 if not aside else 0.01, (4, 2)) * long_px / shape
    return np.asarray(quad, np.float32)


def _flat(shape: float) -> NDArray[np.float64]:
    """Give the corners of a plate of width 1."""
    half = np.array([0.5, 0.5 / shape])
    corners = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    return np.asarray(corners * half, np.float64)


def _from_the_front(
    shape: float, long_px: float, random: np.random.Generator
) -> NDArray[np.float64]:
    angle = float(np.clip(random.normal(0, 9), -35, 35)) * np.pi / 180
    shear = float(random.normal(0, 0.15))
    narrow = float(np.clip(1 - abs(random.normal(0, 0.15)), 0.6, 1))
    lean = np.array([[1, shear], [0, 1]])
    return np.asarray((_flat(shape) * (narrow, 1)) @ lean.T @ _turn(angle).T * long_px)


def _from_aside(shape: float, long_px: float, random: np.random.Generator) -> NDArray[np.float64]:
    """See a plate in space from aside and above: its level edges slant, its upright ones hardly."""
    farthest = min(
        _FARTHEST_ASIDE_DEG, float(np.degrees(np.arccos(min(1.0, _LEAST_SHAPE / shape))))
    )
    aside = float(random.uniform(-farthest, farthest)) * np.pi / 180
    above = float(random.uniform(-8, 45)) * np.pi / 180
    level = random.random() < 0.8  # noqa: PLR2004 - the rest are cameras held by hand
    roll = float(random.normal(0, 4) if level else random.uniform(-35, 35)) * np.pi / 180
    far = float(np.exp(random.uniform(np.log(3), np.log(25))))
    across, down = _flat(shape).T
    x, depth = across * np.cos(aside), -across * np.sin(aside)
    y, depth = (
        down * np.cos(above) - depth * np.sin(above),
        down * np.sin(above) + depth * np.cos(above),
    )
    seen = np.stack([x, y], axis=1) * (far / (far + depth))[:, None]
    return np.asarray(seen @ _turn(roll).T * long_px)


def _turn(angle: float) -> NDArray[np.float64]:
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[cosine, -sine], [sine, cosine]])
