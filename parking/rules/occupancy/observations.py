"""From a decoded frame to observations that sort in the order in which they are folded."""

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

from parking.rules.occupancy.history import FREE, OCCUPIED, UNKNOWN
from parking.rules.occupancy.policy import FoldingPolicy

CANNOT_TELL: Final = -1
NO_COUNTER: Final = -1


class Sighting(Protocol):
    """What a codec says of a bay; `parking.rules.sensors` has the dataclass."""

    @property
    def occupied(self) -> bool | None:
        """None: the device cannot tell."""

    @property
    def strength(self) -> int:
        """Per mille."""

    @property
    def age_s(self) -> int:
        """Seconds before the frame that it speaks of."""

    @property
    def inferred(self) -> bool:
        """Whether it tells when a state began rather than what was measured."""


class Word(NamedTuple):
    """What one frame says, before it is known who said it and when. Ages count from the frame."""

    part: int
    said: int
    """1 occupied, 0 free, -1 cannot tell."""
    strength: int
    age_ms: int
    claim: int
    """The state (`FREE`, `OCCUPIED`) whose beginning the device infers; `UNKNOWN` for none."""
    claim_age_ms: int
    claim_strength: int


class Observation(NamedTuple):
    """One word of one device about its bay.

    Observations are folded in the order of these fields: event time, join session, counter or
    message id, and then, so that the order is total, device and part. All are integers and text,
    so that any two compare.
    """

    at_ms: int
    session: str
    counter: int
    """Frame counter, -1 for none."""
    message: str
    """The platform's message id, empty where there is a counter."""
    device: str
    """Identifier in hexadecimal."""
    part: int
    """Place within the frame, for the few frames that carry several words."""
    said: int
    strength: int
    claim: int
    claim_ms: int
    claim_strength: int
    stale_after_ms: int


def words(sightings: Sequence[Sighting], policy: FoldingPolicy) -> tuple[Word, ...]:
    """Join each inferred beginning to the measured word of its frame that it explains.

    A device that adds 'the state before began 74 min ago' does not observe that instant. The
    claim therefore travels with the word that was measured, and is judged where that word is
    folded. A frame that infers without measuring says nothing.
    """
    measured = [s for s in sightings if not s.inferred]
    if not measured:
        return ()
    newest = min(range(len(measured)), key=lambda index: measured[index].age_s)
    claims = [s for s in sightings if s.inferred and s.occupied is not None]
    claimed = max(claims, key=lambda s: s.strength) if claims else None
    found = []
    for part, sighting in enumerate(measured):
        claim = claim_age_ms = claim_strength = 0
        if part == newest and claimed is not None and sighting.occupied is not None:
            claim = OCCUPIED if claimed.occupied else FREE
            claim_age_ms = claimed.age_s * 1000
            claim_strength = min(claimed.strength, policy.strength_max)
        found.append(
            Word(
                part,
                CANNOT_TELL if sighting.occupied is None else int(sighting.occupied),
                max(0, min(sighting.strength, policy.strength_max)),
                max(0, sighting.age_s) * 1000,
                claim if claim_age_ms > 0 else UNKNOWN,
                claim_age_ms,
                claim_strength,
            )
        )
    return tuple(found)


def event_ms(device_ms: int | None, received_ms: int, policy: FoldingPolicy) -> int:
    """Give a frame's event time: its own, unless that lies after its receipt."""
    if device_ms is None or device_ms > received_ms + policy.ahead_ms:
        return received_ms
    return device_ms


def identity(observation: Observation) -> tuple[str, int, str | int, str]:
    """Give what makes two observations the same one, however often and whenever they arrive.

    It is (device, session, counter), else (device, message id), else (device, event time); each
    with the part of the frame.
    """
    at_ms, session, counter, message, device, part = observation[:6]
    if counter >= 0:
        return device, part, counter, session
    if message:
        return device, part, message, ""
    return device, part, at_ms, "at"


def observation_key(observation: Observation) -> str:
    """Name an observation, uniquely within its bay, in a form that people can look up."""
    at_ms, session, counter, message, _device, part = observation[:6]
    if counter >= 0:
        name = f"{session}/{counter}"
    else:
        name = message or f"@{at_ms}"
    return f"{name}#{part}" if part else name
