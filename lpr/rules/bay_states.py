"""What a camera can say of its bays: taken where a plate stands, free once it was seen leaving."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from lpr.rules.sightings import TrackRules
from lpr.rules.tracking import Tracks, Visit, region_of, stands


class BayState(StrEnum):
    """What a camera knows of a bay."""

    FREE = "free"
    OCCUPIED = "occupied"
    CANNOT_TELL = "cannot-tell"
    """What stood there was lost from sight: somebody stands before it, or it left unseen."""


@dataclass(frozen=True, slots=True)
class BayChange:
    """Something that a camera saw happen in a bay."""

    bay: str
    state: BayState
    at_s: float
    """When it began, since the source began."""


def bay_changes(
    known: Mapping[str, BayState], tracks: Tracks, over: Sequence[Visit], rules: TrackRules
) -> tuple[BayChange, ...]:
    """Say what changed in the bays.

    Parameters
    ----------
    known : mapping of str to BayState
        What was said last of each bay. Of a bay in which nothing was seen yet nothing is known.
    tracks : Tracks
        What is followed now.
    over : sequence of Visit
        What ended with this frame.
    rules : TrackRules
    """
    now: dict[str, BayChange] = {}
    for visit in over:
        if visit.region is not None and visit.left is not None:
            state = BayState.FREE if visit.left else BayState.CANNOT_TELL
            now[visit.region] = BayChange(visit.region, state, visit.last_s)
    for track in tracks.live:
        bay = region_of(track)
        if bay is not None and stands(track, rules):
            now[bay] = BayChange(bay, BayState.OCCUPIED, track.parked.at_s)
    return tuple(change for bay, change in now.items() if known.get(bay) is not change.state)
