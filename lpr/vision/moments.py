"""Moments of a visit that are kept as pictures: the best read, entering, parked, leaving."""

from dataclasses import dataclass, replace
from typing import Final

from lpr.rules.sightings import Point, TrackRules
from lpr.rules.tracking import Track, stands
from lpr.vision.strips import Picture


@dataclass(frozen=True, slots=True)
class Moment:
    """A frame, and where the vehicle's plate was in it."""

    at_s: float
    corners: tuple[Point, Point, Point, Point]
    picture: Picture


@dataclass(frozen=True, slots=True)
class Moments:
    """What is kept of a visit."""

    best: Moment | None = None
    """Of its surest read."""
    confidence: float = -1.0
    entering: Moment | None = None
    """Where it was seen first in its bay."""
    parked: Moment | None = None
    """As soon as it was known to stand."""
    leaving: Moment | None = None
    """The last in which it was seen there, driving off; None where nobody saw it go."""


NO_MOMENTS: Final = Moments()


def noted(
    kept: Moments, track: Track, picture: Picture, rules: TrackRules, *, kerb: bool
) -> Moments:
    """Note a frame in which a vehicle was seen; all moments at a kerb, else the best alone."""
    last = track.last
    now = Moment(last.at_s, last.corners, picture)
    if last.read is not None and last.read.confidence > kept.confidence:
        kept = replace(kept, best=now, confidence=last.read.confidence)
    if not kerb:
        return kept
    standing = stands(track, rules)
    parked = kept.parked or (now if standing else None)
    return replace(
        kept,
        entering=kept.entering or now,
        parked=parked,
        # Moved a little in its bay, and standing again: it has not left.
        leaving=now if parked is not None and not standing else None,
    )
