"""From a decoded frame to observations that sort in the order in which they are folded."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from parking.rules.occupancy.history import FREE, OCCUPIED, UNKNOWN, maker
from parking.rules.occupancy.policy import FoldingPolicy
from parking.rules.sensors.model import BayObservation
from parking.rules.sensors.model import Observation as Statement

CANNOT_TELL: Final = -1
NO_COUNTER: Final = -1


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


make_observation = maker(Observation)


def words(statements: Sequence[Statement], policy: FoldingPolicy) -> tuple[Word, ...]:
    """Join each inferred beginning to the measured word of its frame that it explains.

    A device that adds 'the state before began 74 min ago' did not observe that instant for us.
    The claim therefore travels with the word that was measured, and is judged where that word is
    folded; so it needs no place of its own in the order, however old it is. A frame that infers
    without measuring says nothing.

    Parameters
    ----------
    statements
        Of one frame. Counts of passages say nothing about a bay and are left out.
    policy
        Caps each strength.
    """
    if len(statements) == 1:  # nearly every frame
        only = statements[0]
        if isinstance(only, BayObservation) and not only.inferred:
            return (_word(0, only, policy),)
        return ()
    seen = [s for s in statements if isinstance(s, BayObservation)]
    measured = [s for s in seen if not s.inferred]
    if not measured:
        return ()
    newest = min(range(len(measured)), key=lambda index: measured[index].age_s)
    claims = [s for s in seen if s.inferred and s.occupied is not None and s.age_s > 0]
    claimed = max(claims, key=lambda s: s.strength) if claims else None
    found = []
    for part, sighting in enumerate(measured):
        word = _word(part, sighting, policy)
        if part == newest and claimed is not None and sighting.occupied is not None:
            word = word._replace(
                claim=OCCUPIED if claimed.occupied else FREE,
                claim_age_ms=claimed.age_s * 1000,
                claim_strength=min(claimed.strength, policy.strength_max),
            )
        found.append(word)
    return tuple(found)


def _word(part: int, measured: BayObservation, policy: FoldingPolicy) -> Word:
    said = CANNOT_TELL if measured.occupied is None else int(measured.occupied)
    strength = max(0, min(measured.strength, policy.strength_max))
    return Word(part, said, strength, max(0, measured.age_s) * 1000, UNKNOWN, 0, 0)


def event_ms(device_ms: int | None, received_ms: int, policy: FoldingPolicy) -> int:
    """Give a frame's event time: its own, unless that lies well after its receipt."""
    if device_ms is None or device_ms > received_ms + policy.ahead_ms:
        return received_ms
    return device_ms


def identity(observation: Observation) -> tuple[str | int, ...]:
    """Give what makes two observations one, however often and at whatever time it arrived.

    It is (device, session, counter), else (device, message id), else (device, event time), each
    with the part of the frame. A counter goes before a message id, so that sameness is transitive
    and which twin arrived first does not matter.
    """
    at_ms, session, counter, message, device, part = observation[:6]
    if counter != NO_COUNTER:
        return device, part, session, counter
    if message:
        return device, part, message
    return device, part, at_ms


def observation_key(observation: Observation) -> str:
    """Name an observation, uniquely for its device, in a form that people can look up."""
    if observation.counter != NO_COUNTER:
        name = f"{observation.session}/{observation.counter}"
    else:
        name = observation.message or f"@{observation.at_ms}"
    return f"{name}#{observation.part}" if observation.part else name
