"""Videos of a lane: cars come near, stand, drive off; every plate's text is known.

The backdrop stands still, as a fixed camera's does; cars and their plates move. At 960x540 pixels a
frame with one car takes some 10 ms.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lpr.synthesis.faces import PlateFace
from lpr.synthesis.scenes import draw_car, draw_scene, paste

Picture = NDArray[np.uint8]
Floats = NDArray[np.float32]

_NOISE_LEVELS: Final = 2.5


@dataclass(frozen=True, slots=True)
class Place:
    """Where a plate is in the picture."""

    x: float
    """Of its middle, as a share of the picture's width."""
    y: float
    """As a share of the height."""
    width: float
    """As a share of the picture's width."""


@dataclass(frozen=True, slots=True)
class Passing:
    """A car that comes, stands and goes."""

    face: PlateFace
    enters_s: float
    comes_from: Place
    stands_at: Place
    goes_to: Place
    travel_s: float = 2.0
    """In, and again out."""
    stands_s: float = 0.0

    @property
    def leaves_s(self) -> float:
        """Give when it is gone."""
        return self.enters_s + 2 * self.travel_s + self.stands_s

    def place(self, at_s: float) -> Place | None:
        """Give where its plate is; None before it came and after it went."""
        since_s = at_s - self.enters_s
        if not 0 <= since_s < 2 * self.travel_s + self.stands_s:
            return None
        if since_s < self.travel_s:
            return between(self.comes_from, self.stands_at, since_s / self.travel_s)
        gone_s = since_s - self.travel_s - self.stands_s
        return between(self.stands_at, self.goes_to, max(0.0, gone_s) / self.travel_s)


@dataclass(frozen=True, slots=True)
class ShownCar:
    """A car as it is in one frame."""

    face: PlateFace
    place: Place
    look: int
    """Decides how the car looks: the same in each frame."""


def draw_moment(backdrop: Picture, cars: Iterable[ShownCar]) -> Picture:
    """Draw cars before a backdrop, which stays as it is; the later hides the earlier."""
    frame = backdrop.copy()
    size_px = (backdrop.shape[1], backdrop.shape[0])
    for car in cars:
        quad = _quad(car.face, car.place, size_px)
        draw_car(frame, quad, [], np.random.default_rng(car.look))
        paste(frame, car.face.picture, quad, np.random.default_rng(car.look))
    return frame


def draw_video(
    passings: Sequence[Passing],
    size_px: tuple[int, int],
    *,
    seconds: float,
    fps: float,
    random: np.random.Generator,
) -> Iterator[Picture]:
    """Draw the frames of a video one after another.

    Parameters
    ----------
    passings : sequence of Passing
        The later hides the earlier where they meet.
    size_px : tuple of int
        Width and height.
    seconds, fps : float
    random : numpy.random.Generator
        Its state decides everything.
    """
    backdrop = draw_scene(random, size_px, kinds=()).picture
    looks = random.integers(0, 2**31, len(passings)).tolist()
    grain = random.normal(0, _NOISE_LEVELS, (2 * size_px[1], 2 * size_px[0], 1))
    grain = grain.astype(np.float32)
    for number in range(round(seconds * fps)):
        frame = draw_moment(
            backdrop,
            [
                ShownCar(passing.face, place, look)
                for passing, look in zip(passings, looks, strict=True)
                if (place := passing.place(number / fps)) is not None
            ],
        )
        # One sheet of noise, laid elsewhere each time: as good, and far quicker than a new one.
        y, x = (int(random.integers(0, side)) for side in frame.shape[:2])
        noisy = frame + grain[y : y + frame.shape[0], x : x + frame.shape[1]]
        yield np.asarray(np.clip(noisy, 0, 255), np.uint8)


def between(one: Place, other: Place, share: float) -> Place:
    """Give the place at a share of the way from one to another."""
    return Place(
        one.x + (other.x - one.x) * share,
        one.y + (other.y - one.y) * share,
        one.width + (other.width - one.width) * share,
    )


def _quad(face: PlateFace, place: Place, size_px: tuple[int, int]) -> Floats:
    height, width = face.picture.shape[:2]
    wide = place.width * size_px[0]
    half = np.array([wide, wide * height / width]) / 2
    middle = np.array([place.x * size_px[0], place.y * size_px[1]])
    signs = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    # Within the picture: `paste` lays nothing over its edge.
    quad = np.clip(middle + signs * half, 2, np.array(size_px) - 3)
    return np.asarray(quad, np.float32)
