"""A camera's word of its bays, sent as the uplinks of a device a bay: a witness beside the magnet.

Each bay that a camera sees is a device of the model `greenbay-bay-camera` with the key `NAME:BAY`,
registered and placed in its bay as secondary. What could not be sent waits, in order; what is
refused is told of and given up: the next beat says what holds then.
"""

import base64
import secrets
from collections import deque
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from city.errors import Invalid, Unavailable
from city.time import Clock, rfc3339
from lpr.adapters.line import Line, Refused
from lpr.rules.bay_states import BayChange, BayState

if TYPE_CHECKING:
    from pydantic import JsonValue

BEAT_S: Final = 900.0
"""How often it says what still holds: seldomer than the ten minutes within which a second word
confirms a first, so that a camera never confirms itself."""
AGAIN_S: Final = 10.0
"""After what could not be sent."""
MOST_WAITING: Final = 1_000
_SEEN, _HOLDS = 1, 2
_OCTET: Final = {BayState.FREE: 0, BayState.OCCUPIED: 1, BayState.CANNOT_TELL: 2}
_BAYS: Final = "/bays"


class BayVotes:
    """The way to the city's occupancy.

    Parameters
    ----------
    address : str
        `https://host/api/v1/bays`.
    token_file : Path
        Holds an integration's credential.
    camera : str
        What the camera's devices are called.
    clock : Clock
        Says when a frame was looked at.
    failed : callable
        Told what could not be sent, and which bays are no registered devices.

    Raises
    ------
    Invalid
        Where the address is none, or the file cannot be read.
    """

    def __init__(
        self,
        address: str,
        token_file: Path,
        camera: str,
        clock: Clock,
        failed: Callable[[str], None],
    ) -> None:
        base = address.rstrip("/")
        if not base.endswith(_BAYS):
            raise Invalid("must end in /api/v1/bays", field="--bays")
        self._line = Line(base.removesuffix(_BAYS), token_file, "--bays")
        self._camera = camera
        self._clock = clock
        self._failed = failed
        self._life = secrets.token_hex(8)
        self._known: dict[str, BayState] = {}
        self._counters: dict[str, int] = {}
        self._waiting: deque[JsonValue] = deque(maxlen=MOST_WAITING)
        self._beat_at_s = BEAT_S
        self._send_at_s = 0.0

    def hear(self, at_s: float, changes: Sequence[BayChange]) -> None:
        """Take what a frame showed; send what waits, and now and then what still holds.

        Parameters
        ----------
        at_s : float
            The frame's time since the source began.
        changes : Sequence of BayChange
        """
        for change in changes:
            self._known[change.bay] = change.state
            self._waits(change.bay, change.state, _SEEN, at_s - change.at_s)
        if at_s >= self._beat_at_s:
            self._beat_at_s = at_s + BEAT_S
            for bay, state in self._known.items():
                self._waits(bay, state, _HOLDS, 0.0)
        if self._waiting and at_s >= self._send_at_s:
            self._send(at_s)

    def _waits(self, bay: str, state: BayState, port: int, ago_s: float) -> None:
        counter = self._counters.get(bay, 0) + 1
        self._counters[bay] = counter
        at = rfc3339(self._clock.now() - timedelta(seconds=ago_s))
        self._waiting.append(
            {
                "end_device_ids": {
                    "device_id": bay,
                    "application_ids": {"application_id": self._camera},
                },
                "received_at": at,
                "uplink_message": {
                    "session_key_id": self._life,
                    "f_port": port,
                    "f_cnt": counter,
                    "frm_payload": base64.b64encode(bytes([_OCTET[state]])).decode("ascii"),
                    "received_at": at,
                },
            }
        )

    def _send(self, at_s: float) -> None:
        try:
            told = self._line.post("uplinks/ttn", list(self._waiting), "the city")
        except Refused as error:
            self._waiting.clear()
            self._failed(str(error))
            return
        except Unavailable as error:
            self._send_at_s = at_s + AGAIN_S
            self._failed(str(error))
            return
        self._waiting.clear()
        accepted = told.get("accepted")
        for each in accepted if isinstance(accepted, list) else []:
            if isinstance(each, dict) and each.get("state") == "parked":
                self._failed(f"{each.get('device')} is no registered device")
