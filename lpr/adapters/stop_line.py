"""Passes of a stop line, told to the signals: when a vehicle drove off, its lane and its plate.

The door makes a mark of the day of each plate and keeps no plate. What could not be sent waits,
in order, in memory alone.
"""

from collections import deque
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from city.errors import Invalid, Unavailable
from city.time import Clock, rfc3339
from lpr.adapters.line import Line
from lpr.rules.bay_states import BayChange
from lpr.rules.reads import Band
from lpr.rules.sightings import Direction, Region
from lpr.rules.tracking import Visit

if TYPE_CHECKING:
    from pydantic import JsonValue

EVERY_S: Final = 2.0
"""Cars leave a line one every two seconds: a few are sent together."""
AGAIN_S: Final = 10.0
"""After what could not be sent."""
MOST_WAITING: Final = 5_000
"""A lane's traffic of some hours; of more the oldest are lost."""
_DOOR: Final = "signal-passes"
_MOST_LANE: Final = 99


class StopLine:
    """The way to the passes of a signal.

    Parameters
    ----------
    address : str
        `https://host/api/v1/signal-passes`.
    token_file : Path
        Holds the credential of a device that is registered as the signal's reporter.
    lanes : sequence of Region
        Each named by its lane's number at the signal; it ends at the stop line.
    clock : Clock
        Says when a frame was looked at.
    failed : callable
        Told what could not be sent, and what was refused.

    Raises
    ------
    Invalid
        Where the address is none, the file cannot be read, or a region is named by no lane.
    """

    def __init__(
        self,
        address: str,
        token_file: Path,
        lanes: Sequence[Region],
        clock: Clock,
        failed: Callable[[str], None],
    ) -> None:
        base = address.rstrip("/")
        if not base.endswith(f"/{_DOOR}"):
            raise Invalid(f"must end in /api/v1/{_DOOR}", field="--stop-line")
        for each in lanes:
            if not (each.name.isascii() and each.name.isdigit() and int(each.name) <= _MOST_LANE):
                raise Invalid(f"must be named by lanes, 0 to {_MOST_LANE}", field="--regions")
        self._line = Line(base.removesuffix(f"/{_DOOR}"), token_file, "--stop-line")
        self._clock = clock
        self._failed = failed
        self._waiting: deque[JsonValue] = deque(maxlen=MOST_WAITING)
        self._at_s = 0.0
        self._send_at_s = 0.0

    def hear(self, at_s: float, changes: Sequence[BayChange] = ()) -> None:
        """Take a frame's time since the source began; send what waits."""
        del changes
        self._at_s = at_s
        if self._waiting and at_s >= self._send_at_s:
            self._send()

    def passed(self, visit: Visit) -> None:
        """Take a visit that is over: a pass where its vehicle drove on and its plate is sure.

        It passed when it was seen last before the line, whether it had waited there or not.
        """
        drove = visit.left or (visit.left is None and visit.direction is not Direction.STANDING)
        if not drove or visit.region is None or visit.band is not Band.ACCEPT:
            return
        at = self._clock.now() - timedelta(seconds=max(0.0, self._at_s - visit.last_s))
        self._waiting.append([rfc3339(at), int(visit.region), visit.read.text])

    def close(self) -> None:
        """Send what waits, once: the source is over."""
        if self._waiting:
            self._send()

    def _send(self) -> None:
        rows = list(self._waiting)
        try:
            told = self._line.post(_DOOR, {"rows": rows}, "the signals' door")
        except Unavailable as error:
            self._send_at_s = self._at_s + AGAIN_S
            self._failed(str(error))
            return
        self._send_at_s = self._at_s + EVERY_S
        self._waiting.clear()
        refused = told.get("rejected")
        for each in refused if isinstance(refused, list) else []:
            if isinstance(each, dict):
                self._failed(f"a pass was refused: {each.get('detail')}")
