"""Pictures taken with acts: sent in parts in their order, whole where the hash says so."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from city.errors import Conflict, Invalid
from city.identifiers import DistrictCode

MOST_BYTES: Final = 1_048_576
MOST_PART_BYTES: Final = 262_144
GIVEN_UP_AFTER: Final = timedelta(days=30)
"""What came of a picture is forgotten then, where the rest never comes."""
LATE_AFTER: Final = timedelta(minutes=30)
"""A picture follows its act: what is not here by then is a question for a supervisor."""
ASKED_FOR: Final = timedelta(days=90)
"""How long a supervisor is told of one that never came."""
MOST_TOLD: Final = 100
"""Of those that are awaited of a terminal, the newest."""


@dataclass(frozen=True, slots=True)
class ActPhoto:
    """A picture of an act, whole or on its way.

    Parameters
    ----------
    id : UUID
        Made on the device with the act, which names it.
    session_id : UUID or None
        The stay that the act is about; None where it was refused.
    sha256 : str
        As the act names it.
    kept_at, frame_id
        Since when it is whole, and what it is kept as.
    """

    id: UUID
    terminal_id: UUID
    act_id: UUID
    session_id: UUID | None
    district: DistrictCode
    sha256: str
    bytes: int
    began_at: datetime
    kept_at: datetime | None = None
    frame_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a picture, as it came."""

    from_byte: int
    content: bytes


def check_next(photo: ActPhoto, received: int, part: Part) -> None:
    """Refuse a part that does not follow what came.

    Raises
    ------
    Conflict
        Where another one follows: `received` says from which byte on.
    Invalid
        Where it has nothing, too much, or reaches past the end.
    """
    if not 0 < len(part.content) <= MOST_PART_BYTES:
        raise Invalid(f"must have 1 to {MOST_PART_BYTES} bytes", field="part")
    if part.from_byte != received:
        raise Conflict(
            "another part follows", field="from_byte", reason="offset", received=received
        )
    if received + len(part.content) > photo.bytes:
        raise Invalid("reaches past the end of the picture", field="part")
