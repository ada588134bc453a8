"""Which reads a person looks at, and what they make of them."""

from enum import StrEnum
from typing import Final
from uuid import UUID

from lpr.rules.reads import Band

SAMPLED_OF: Final = 50
"""One of so many accepted reads is looked at, too: else nobody would know how many are wrong."""


class Review(StrEnum):
    """Whether a person looks at a read."""

    NONE = "none"
    DUE = "due"
    """Something hangs on it, or it is not sure enough."""
    SAMPLED = "sampled"
    """Drawn by lot among the accepted."""
    DONE = "done"


class ReviewAnswer(StrEnum):
    """What a person sees on the picture."""

    RIGHT = "right"
    WRONG = "wrong"
    """Another plate than was read, or a plate where none was read."""
    NO_PLATE = "no-plate"
    UNREADABLE = "unreadable"
    """Neither can a person read it."""


def first_review(read_id: UUID, band: Band) -> Review:
    """Say whether a read is looked at, by itself.

    The lot is drawn by the read's id, whose last bits are random.
    """
    if band is Band.REVIEW:
        return Review.DUE
    if band is Band.ACCEPT and read_id.int % SAMPLED_OF == 0:
        return Review.SAMPLED
    return Review.NONE
