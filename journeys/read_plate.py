"""Read a plate from a picture that an attendant took: candidates, which a person confirms.

The port that the attendant's page asks: whatever fills it, nobody is named by it alone.
"""

from dataclasses import dataclass
from typing import Final

from city.errors import Invalid
from city.vehicles import PlateKind, parse_plate
from lpr.rules.reads import Band

MOST_CANDIDATES: Final = 5


@dataclass(frozen=True, slots=True, repr=False)
class Candidate:
    """A plate as it was read."""

    text: str
    kind: PlateKind
    confidence: float
    band: Band


def read_plates(content: bytes, most_bytes: int) -> list[Candidate]:
    """Read the plates in a picture, the surest first; those that can be none are left out.

    Raises
    ------
    Invalid
        Where it is too large, or cannot be opened.
    Unavailable
        Where others are being read.
    """
    if len(content) > most_bytes:
        raise Invalid(f"must have at most {most_bytes} bytes", field="photo")
    # OpenCV and the nets are loaded by the first picture, not by every process's start.
    from lpr.vision.models import recogniser  # noqa: PLC0415 - slow to load
    from lpr.vision.photos import read_photo  # noqa: PLC0415 - slow to load

    limits = recogniser().card.bands
    found: dict[str, Candidate] = {}
    for read in read_photo(content, MOST_CANDIDATES):
        try:
            plate = parse_plate(read.text, read.kind)
        except Invalid:
            continue
        band = read.band(limits)
        if band is not Band.REJECT:
            found.setdefault(plate.text, Candidate(plate.text, plate.kind, read.confidence, band))
    return list(found.values())
