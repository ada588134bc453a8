"""Our own cameras' word of a bay: `python -m lpr watch --votes`, a device a bay that a camera sees.

Port 1 tells what it saw happen, port 2 what still holds. One byte: 0 free, 1 occupied, 2 the camera
cannot tell.
"""

from typing import TYPE_CHECKING, Final

from parking.rules.sensors import strengths
from parking.rules.sensors.device import Codec, Uplink
from parking.rules.sensors.model import BayObservation, Decoded, Rejected, RejectReason

if TYPE_CHECKING:
    from pydantic import JsonValue

_STATES: Final[dict[int, bool | None]] = {0: False, 1: True, 2: None}
_NAMES: Final = {0: "free", 1: "occupied", 2: "cannot-tell"}


def _seen(frame: bytes) -> Decoded | Rejected:
    return _word("seen", frame, strengths.CAMERA_SEEN)


def _holds(frame: bytes) -> Decoded | Rejected:
    # A car whose plate it does not see may have come since.
    free = frame[0] == 0
    return _word("holds", frame, strengths.WEAK if free else strengths.CAMERA_SEEN)


def _word(kind: str, frame: bytes, strength: int) -> Decoded | Rejected:
    if frame[0] not in _STATES:
        return Rejected(RejectReason.BAD_VALUE, f"there is no state {frame[0]}")
    fields: dict[str, JsonValue] = {"type": kind, "state": _NAMES[frame[0]]}
    return Decoded(fields, (BayObservation(_STATES[frame[0]], strength),))


BAY_CAMERA: Final = Codec(
    model="greenbay-bay-camera",
    uplinks={1: Uplink(1, 1, _seen), 2: Uplink(1, 1, _holds)},
    source="Greenbay: lpr/adapters/bay_votes.py",
)
