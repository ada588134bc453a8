"""Point detectors: where they lie, what they say each second, and whether to believe them.

A detector at the stop line tells who leaves and whether somebody stands there; one upstream of it
tells who will come. At most one of each a lane.
"""

from dataclasses import dataclass
from typing import Final

STUCK_GREEN_S: Final = 30.0
"""Seconds of green in which a stop-line detector stays occupied and nobody leaves: it is stuck. A
queue behind a full road looks the same for shorter."""
STUCK_S: Final = 180.0
"""An upstream detector that never falls for so long, while the lane's others pass, is stuck."""
UNSEEN: Final = 15.0
"""Vehicles that one detector of a lane saw and the other did not, before the other counts as
silent. With a third of them changing lanes in between a false alarm has odds of 1e-7."""


@dataclass(frozen=True, slots=True)
class Detector:
    """Where a detector lies."""

    name: str
    lane: str
    before_stop_m: float
    """Way from it to the stop line that it serves."""
    from_end_m: float
    """From it to the end of its own lane."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a detector says about a second."""

    entered: int = 0
    left: int = 0
    occupied: bool = False
    """Whether somebody is on it as the second ends."""


NOTHING: Final = Reading()


@dataclass(frozen=True, slots=True)
class Health:
    """What speaks against a detector."""

    stuck_s: float = 0.0
    """Occupied for so long when it should have fallen."""
    unseen: float = 0.0
    """Vehicles that it should have seen since it last saw one."""
    failed: bool = False


SOUND: Final = Health()


def judged(
    health: Health, reading: Reading, *, should_fall: bool, passed: float, most_s: float
) -> Health:
    """Take a second in.

    Parameters
    ----------
    health : Health
    reading : Reading
    should_fall : bool
        Whether somebody standing on it could have driven on.
    passed : float
        Vehicles that the lane's other detector saw.
    most_s : float
        How long it may stay occupied meanwhile.
    """
    if health is SOUND and not reading.occupied and not passed:
        return health  # as nearly always
    stuck_s = health.stuck_s
    if not reading.occupied or reading.left:
        stuck_s = 0.0
    elif should_fall:
        stuck_s += 1.0
    unseen = 0.0 if reading.entered or reading.left else health.unseen + passed
    if reading.occupied and not should_fall:
        unseen = health.unseen
    failed = stuck_s >= most_s or unseen >= UNSEEN
    return Health(stuck_s, unseen, failed) if stuck_s or unseen else SOUND
