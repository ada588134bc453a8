"""The labelled set: which reviewed reads belong to it, and what stands on their pictures."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from city.identifiers import VehicleId
from city.plate_rules import PlateKind
from city.vehicles import PlateNumber
from lpr.rules.decoding import kinds_with
from lpr.rules.frames import Corners, Frame
from lpr.rules.kept_reads import KeptRead
from lpr.rules.reviews import ReviewAnswer

LABELLED: Final = (ReviewAnswer.RIGHT, ReviewAnswer.WRONG, ReviewAnswer.NO_PLATE)
"""Answers that say what stands on the picture; of an unreadable plate nobody knows."""
_TWO_ROWS_BELOW: Final = 2.4
"""Width over height of a plate that may have either, as in crops."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A picture and what a person saw on it."""

    read: KeptRead
    frame: Frame
    plate: PlateNumber | None
    """None where they saw none."""
    picture: bytes
    """A JPEG in which everybody else is hidden."""


def plate_on(read: KeptRead) -> VehicleId | None:
    """Give whose plate a person saw on a read's picture; None where there is none."""
    if read.answer is ReviewAnswer.WRONG:
        return read.stated_as
    return read.vehicle_id if read.answer is ReviewAnswer.RIGHT else None


def rows_of(kind: PlateKind, corners: Corners) -> int:
    """Say in how many rows a plate is written: by its kind, else by its shape."""
    may = [rows for rows in (1, 2) if drawn_kind(kind, rows) in kinds_with(rows)]
    if len(may) == 1:
        return may[0]
    wide = _mean_length(corners, ((0, 1), (3, 2)))
    high = _mean_length(corners, ((0, 3), (1, 2)))
    return 2 if wide < _TWO_ROWS_BELOW * high else 1


def drawn_kind(kind: PlateKind, rows: int) -> PlateKind:
    """Give the kind as pictures tell it: yellow plates with two rows are a kind of their own."""
    if kind in {PlateKind.YELLOW7, PlateKind.YELLOW2}:
        return PlateKind.YELLOW2 if rows == 2 else PlateKind.YELLOW7  # noqa: PLR2004 - both rows
    return kind


def _mean_length(corners: Corners, sides: Sequence[tuple[int, int]]) -> float:
    return sum(math.dist(corners[one], corners[other]) for one, other in sides) / len(sides)
