"""One read of a plate by a camera, and how far it may be trusted.

A read is a claim, not a plate: its text may break every rule of its kind. Its confidence is that
of its *least* certain character: a plate with one wrong character names another vehicle, however
certain the other six are. Like a plate, a read never shows its text in ``repr``.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from city.errors import Invalid
from city.vehicles import PlateKind, PlateNumber, normalise_plate, parse_plate

_MOST_CHARACTERS: Final = 12


class Band(StrEnum):
    """What may be done with a read."""

    ACCEPT = "accept"
    """Act on it."""
    REVIEW = "review"
    """Let somebody look at the picture first."""
    REJECT = "reject"
    """Nothing was read."""


@dataclass(frozen=True, slots=True)
class BandLimits:
    """Confidences from which a read is accepted and reviewed.

    The defaults are where wrong reads among the accepted ones fell to a few per cent with the
    readers that we measured; a calibrated model brings its own.
    """

    accept: float = 0.95
    review: float = 0.60

    def __post_init__(self) -> None:
        # Written so that NaN fails too.
        if not 0 <= self.review <= self.accept <= 1:
            raise Invalid("must keep 0 <= review <= accept <= 1", field="limits")


DEFAULT_BANDS: Final = BandLimits()


@dataclass(frozen=True, slots=True, repr=False)
class PlateRead:
    """What a camera made of a plate.

    Raises
    ------
    Invalid
        On an empty or overlong text, one that is not normalised, a number of confidences that
        is not that of the characters, or a confidence outside 0 to 1.
    """

    text: str
    """Normalised: upper case, no separators."""
    kind: PlateKind
    """``unknown`` where only the characters were read."""
    confidences: tuple[float, ...]
    """Of each character, 0 to 1."""

    def __post_init__(self) -> None:
        if not 1 <= len(self.text) <= _MOST_CHARACTERS:
            raise Invalid(f"must have 1 to {_MOST_CHARACTERS} characters", field="text")
        if normalise_plate(self.text) != self.text:
            raise Invalid("must be normalised", field="text")
        if len(self.confidences) != len(self.text):
            raise Invalid("must be one a character", field="confidences")
        if not all(0 <= confidence <= 1 for confidence in self.confidences):
            raise Invalid("must lie between 0 and 1", field="confidences")

    def __repr__(self) -> str:
        return f"PlateRead({len(self.text)} characters, {self.kind.value}, {self.confidence:.3f})"

    @property
    def confidence(self) -> float:
        """Confidence of the least certain character."""
        return min(self.confidences)

    def plate(self) -> PlateNumber | None:
        """Give the plate that was read; None where the text is not one of its kind.

        A read of unknown kind is a plate only where its text allows a single kind.
        """
        kind = None if self.kind is PlateKind.UNKNOWN else self.kind
        try:
            return parse_plate(self.text, kind)
        except Invalid:
            return None

    def band(self, limits: BandLimits = DEFAULT_BANDS) -> Band:
        """Say what may be done with the read.

        A text that no plate of its kind can have is never accepted, however certain.
        """
        if self.confidence < limits.review:
            return Band.REJECT
        if self.confidence < limits.accept or self.plate() is None:
            return Band.REVIEW
        return Band.ACCEPT
