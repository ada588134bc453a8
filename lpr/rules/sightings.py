"""Plates as frames of a video show them, and what makes several sightings one visit."""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from city.errors import Invalid
from lpr.rules.reads import PlateRead

Point = tuple[float, float]

_LEAST_PX: Final = 1.0


class Direction(StrEnum):
    """How a vehicle passed the camera."""

    APPROACHING = "approaching"
    LEAVING = "leaving"
    LEFT = "left"
    RIGHT = "right"
    STANDING = "standing"
    """It neither came nearer nor went aside."""


@dataclass(frozen=True, slots=True)
class TrackRules:
    """What makes sightings one visit; lengths are in widths of the plate, near or far."""

    agreeing_reads: int = 2
    """Frames that must read the same text before it is accepted."""
    reach: float = 1.5
    """How far a plate may be from where it is expected."""
    reach_per_s: float = 4.0
    """How much farther for each second since it was seen."""
    same_text_reach: float = 4.0
    """How many times farther where it reads the same."""
    lost_after_s: float = 1.5
    """Without being seen, a vehicle that moved is gone."""
    parked_lost_after_s: float = 60.0
    """One that stood is waited for: somebody walks past it."""
    still_within: float = 0.3
    """What moves less stands,"""
    still_growth: float = 0.2
    """and grows or shrinks less (as a natural logarithm)."""
    parked_after_s: float = 5.0
    near_growth: float = 0.15
    """Change of the plate's width (as a natural logarithm) that is an approach or a leaving."""
    aside: float = 1.0
    """Distance sideways that is a passing."""
    same_text_cost: int = 75
    """Reads that `lpr.rules.matching` takes for each other at this cost may be of one plate."""
    other_text_cost: int = 200
    """Accepted reads that cost more are of two vehicles, wherever they are."""

    def __post_init__(self) -> None:
        if self.agreeing_reads < 2:  # noqa: PLR2004 - one read agrees with nobody
            raise Invalid("must be at least 2", field="agreeing_reads")
        if not 0 < self.lost_after_s <= self.parked_lost_after_s:
            raise Invalid("must keep 0 < lost_after_s <= parked_lost_after_s", field="lost_after_s")


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the picture that is a lane or a bay; what is seen elsewhere is left out."""

    name: str
    corners: tuple[Point, ...]
    """Of a polygon, as shares of the picture's width and height, in order round it."""

    def __post_init__(self) -> None:
        if len(self.corners) < 3:  # noqa: PLR2004 - a polygon has no fewer
            raise Invalid("must have at least three corners", field=self.name)
        if not all(0 <= share <= 1 for corner in self.corners for share in corner):
            raise Invalid("must have corners of shares from 0 to 1", field=self.name)

    def holds(self, point: Point) -> bool:
        """Say whether a point (shares of the picture) lies in it; even-odd rule."""
        x, y = point
        inside = False
        for (x0, y0), (x1, y1) in zip(
            self.corners, (*self.corners[1:], self.corners[0]), strict=True
        ):
            if (y0 > y) != (y1 > y) and x < (x1 - x0) * (y - y0) / (y1 - y0) + x0:
                inside = not inside
        return inside


@dataclass(frozen=True, slots=True)
class Sighting:
    """A plate in one frame."""

    at_s: float
    """Since the source began."""
    corners: tuple[Point, Point, Point, Point]
    """Pixels, from the upper left as the plate is read."""
    read: PlateRead | None
    """None where it was seen and not read again, as in a frame in which nothing moved."""
    frame: int = 0
    region: str | None = None

    @property
    def centre(self) -> Point:
        """Give the middle of the plate, in pixels."""
        return (
            sum(corner[0] for corner in self.corners) / 4,
            sum(corner[1] for corner in self.corners) / 4,
        )

    @property
    def width_px(self) -> float:
        """Give the mean length of the upper and the lower edge."""
        upper = math.dist(self.corners[0], self.corners[1])
        lower = math.dist(self.corners[3], self.corners[2])
        return max(_LEAST_PX, (upper + lower) / 2)


@dataclass(frozen=True, slots=True)
class Trend:
    """A straight line through values over time, kept as sums: its cost does not grow."""

    count: int = 0
    time: float = 0.0
    value: float = 0.0
    time_time: float = 0.0
    time_value: float = 0.0

    def taken(self, at_s: float, value: float) -> "Trend":
        """Add a value."""
        return Trend(
            self.count + 1,
            self.time + at_s,
            self.value + value,
            self.time_time + at_s * at_s,
            self.time_value + at_s * value,
        )

    def change(self, over_s: float) -> float:
        """Give the change of the line in some seconds; least squares, 0 for one instant."""
        spread = self.count * self.time_time - self.time**2
        if spread <= 1e-9:  # noqa: PLR2004 - all at one instant
            return 0.0
        return (self.count * self.time_value - self.time * self.value) / spread * over_s


FLAT: Final = Trend()
