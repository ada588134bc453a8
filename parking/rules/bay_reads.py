"""What a camera's read of a bay does to the stay there.

A read is a second witness beside the sensor: it may say whose a stay is, or speak against who was
noted. It never opens a stay, so that it charges nobody by itself, and where it speaks against a
person's word a person decides.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from city.identifiers import VehicleId
from parking.rules.evidence import Evidence, EvidenceKind
from parking.rules.stays import ATTACH_GRACE, BayStay


class Agreement(StrEnum):
    """How a read compares with the vehicle that is noted."""

    SAME = "same"
    """Its plate, or one that a reader takes for it."""
    UNCLEAR = "unclear"
    """It may mean it, or another."""
    OTHER = "other"


class ReadOutcome(StrEnum):
    """What a read did."""

    ATTACHED = "attached"
    """It said whose the stay is."""
    CONFIRMED = "confirmed"
    HELD = "held"
    """It names another vehicle than was noted: nobody is billed before somebody has looked."""
    NOTED = "noted"
    """Kept, and nothing follows: too unsure, too late to say whose it is, or decided already."""
    NO_STAY = "no-stay"
    """Nothing stood there by what is known: it waits for the sensor's word, and charges nobody."""
    BILLED = "billed"
    """The stay is billed: nothing changes it but a dispute."""


class BayMoment(StrEnum):
    """What a frame of a camera at the kerb shows."""

    ENTERING = "entering"
    """Where the vehicle was seen first in its bay."""
    PARKED = "parked"
    """As soon as it was known to stand."""
    LEAVING = "leaving"
    """The last in which it was seen driving off."""


@dataclass(frozen=True, slots=True)
class BayFrame:
    """A frame that belongs to a read, and with it to the stay of which the read speaks."""

    evidence_id: UUID
    moment: BayMoment
    frame_id: UUID


def judge(
    stay: BayStay | None,
    *,
    accepted: bool,
    agreement: Agreement | None,
    settled: bool,
    now: datetime,
) -> ReadOutcome:
    """Say what a read does.

    Parameters
    ----------
    stay : BayStay or None
        The stay in the bay at the instant of the read.
    accepted : bool
        Whether the read is sure enough to act on: a plate of its kind, every character certain.
    agreement : Agreement or None
        How it compares with the vehicle that is noted; None where none is.
    settled : bool
        Whether a person has said since a read of the same plate who stands there.
    now : datetime
        Business time.
    """
    if stay is None:
        return ReadOutcome.NO_STAY
    if stay.final:
        return ReadOutcome.BILLED
    uncounted = stay.set_aside is not None or stay.part_of is not None
    if agreement is Agreement.SAME and not uncounted:
        return ReadOutcome.CONFIRMED
    late = stay.closed_at is not None and now - stay.closed_at > ATTACH_GRACE
    if uncounted or not accepted or settled or (agreement is None and late):
        return ReadOutcome.NOTED
    return ReadOutcome.ATTACHED if agreement is None else ReadOutcome.HELD


def settled_by_person(said: Iterable[Evidence], read_as: VehicleId) -> bool:
    """Say whether a person spoke of a stay after a camera had read this plate there."""
    known = tuple(said)
    words = [each.recorded_at for each in known if each.kind is EvidenceKind.IDENTIFIED]
    reads = [
        each.recorded_at
        for each in known
        if each.kind is EvidenceKind.CAMERA_READ and each.names == read_as
    ]
    return bool(words) and bool(reads) and min(reads) <= max(words)
