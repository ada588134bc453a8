"""What has to come out: every frame folded once, sorted, with nothing but the pure rules.

No batches, no window, no memory, no live store: the observations of a bay in the order of (event
time, session, counter or message id), stepped through from nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from parking.rules.occupancy.history import STALE_KEY, UNKNOWN, Change
from parking.rules.occupancy.machine import BLANK, Core, step
from parking.rules.occupancy.observations import NO_COUNTER, Observation, identity, words
from parking.rules.occupancy.policy import DEFAULT_POLICY
from parking.rules.occupancy.stored import STATE_NAMES
from parking.rules.sensors.codecs import decode
from parking.rules.sensors.model import Decoded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from city.identifiers import BayId
    from tests.faults.traffic import Frame

POLICY: Final = DEFAULT_POLICY


@dataclass(frozen=True, slots=True)
class BayTruth:
    """A bay after all frames."""

    history: tuple[Change, ...]
    state: str
    since_ms: int
    sure: int
    heard_ms: int
    provisional: bool


def observations(frame: Frame) -> list[Observation]:
    """Give what a frame says about its bay."""
    sensor = frame.sensor
    if sensor.device is None:
        return []
    decoded = decode(sensor.model, frame.port, frame.payload)
    if not isinstance(decoded, Decoded):
        return []
    return [
        Observation(
            at_ms=frame.at_ms - word.age_ms,
            session=frame.session or "",
            counter=NO_COUNTER if frame.counter is None else frame.counter,
            message=(frame.message_id or "") if frame.counter is None else "",
            device=sensor.device.id.hex,
            part=word.part,
            said=word.said,
            strength=word.strength,
            claim=word.claim,
            claim_ms=frame.at_ms - word.claim_age_ms if word.claim else 0,
            claim_strength=word.claim_strength,
            stale_after_ms=POLICY.stale_after(sensor.model),
        )
        for word in words(decoded.observations, POLICY)
    ]


def folded(frames: Iterable[Frame], now_ms: int) -> dict[BayId, BayTruth]:
    """Fold all frames, each once, as one sorted run for each bay.

    Parameters
    ----------
    frames
        In any order.
    now_ms
        Instant up to which silence counts.
    """
    heard: dict[BayId, list[Observation]] = {}
    for frame in frames:
        bay = frame.sensor.bay_at(frame.at_ms)
        if bay is not None:
            said = observations(frame)
            if said:
                heard.setdefault(bay.id, []).extend(said)
    return {bay_id: _run(said, now_ms) for bay_id, said in heard.items()}


def _run(said: list[Observation], now_ms: int) -> BayTruth:
    core: Core = BLANK
    history: list[Change] = []
    known = set()
    for seen in sorted(said):
        if identity(seen) in known:
            continue
        known.add(identity(seen))
        core = step(core, seen, POLICY, history)
    state, since_ms, sure = core.change.state, core.change.at_ms, core.sure
    provisional = False
    if state != UNKNOWN and now_ms >= core.fresh_until_ms:
        history.append(Change(UNKNOWN, core.fresh_until_ms, 0, STALE_KEY, ""))
        state, since_ms, sure = UNKNOWN, core.fresh_until_ms, 0
    elif state != UNKNOWN and core.former is not None:
        provisional = now_ms < core.settle_ms
    return BayTruth(tuple(history), STATE_NAMES[state], since_ms, sure, core.heard_ms, provisional)
