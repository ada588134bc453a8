"""Sending what a camera at the kerb sees to the bays that its regions are named by.

A read goes as soon as the vehicle stands and enough frames agree; the frames in which it entered,
stood and left go when its visit is over. What cannot be sent waits, in order, in memory alone.
"""

import base64
import secrets
from collections import deque
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import cv2
import numpy as np

from city.errors import Unavailable
from city.time import Clock, rfc3339
from lpr.adapters.line import Line, Refused
from lpr.rules.bay_states import BayChange
from lpr.rules.sightings import Region
from lpr.rules.tracking import Visit
from lpr.vision.moments import Moment, Moments
from lpr.vision.outlines import outline_of
from lpr.vision.strips import Picture

if TYPE_CHECKING:
    from pydantic import JsonValue

AGAIN_S: Final = 10.0
"""After what could not be sent."""
MOST_WAITING: Final = 60
"""Reads and frames, of a quarter of a megabyte each; of more the oldest are lost."""
MOST_SIDE_PX: Final = 1_600
"""Frames are shrunk to this: larger ones are more than the city takes."""
_QUALITY: Final = 85


class BayPush:
    """The way to the bays that a camera sees: its regions are named by their ids.

    Parameters
    ----------
    address : str
        `https://host/api/v1/bays`.
    token_file : Path
        Holds the credential of the camera, which is registered as a reader of the bays.
    regions : sequence of Region
        The bays.
    clock : Clock
        Says when a frame was looked at.
    failed : callable
        Told what could not be sent, and what was refused.

    Raises
    ------
    Invalid
        Where the address is none, or the file cannot be read.
    """

    def __init__(
        self,
        address: str,
        token_file: Path,
        regions: Sequence[Region],
        clock: Clock,
        failed: Callable[[str], None],
    ) -> None:
        self._line = Line(address, token_file, "--bays")
        self._regions = {each.name: each for each in regions}
        self._clock = clock
        self._failed = failed
        self._life = secrets.token_hex(6)
        self._told: set[int] = set()
        self._waiting: deque[tuple[str, JsonValue]] = deque()
        self._at_s = 0.0
        self._send_at_s = 0.0

    def send(self, visit: Visit, picture: Picture | None) -> None:
        """Take the read of a vehicle that stands in a bay, and send it."""
        del picture
        self._told.add(visit.number)
        self._waits(
            visit,
            "reads",
            {
                "event_id": self._event(visit),
                "at": rfc3339(self._clock.now()),
                "plate": visit.read.text,
                "plate_kind": visit.read.kind.value,
                "confidences": [round(each, 4) for each in visit.read.confidences],
            },
        )
        self._send_when_due()

    def hear(self, at_s: float, changes: Sequence[BayChange] = ()) -> None:
        """Take a frame's time since the source began; send what waits."""
        del changes
        self._at_s = at_s
        self._send_when_due()

    def over(self, visit: Visit, moments: Moments) -> None:
        """Take the frames of a visit that is over, where its read was told; send them."""
        if visit.number not in self._told:
            return
        self._told.remove(visit.number)
        bay = self._regions.get(visit.region or "")
        for name in ("entering", "parked", "leaving"):
            moment: Moment | None = getattr(moments, name)
            if moment is not None and bay is not None:
                self._waits(visit, "frames", self._frame(visit, name, moment, bay))
        self._send_when_due()

    def close(self) -> None:
        """Send what waits, once: the source is over."""
        self._send()

    def _event(self, visit: Visit) -> str:
        return f"{self._life}-{visit.number}"

    def _frame(
        self, visit: Visit, name: str, moment: Moment, bay: Region
    ) -> "dict[str, JsonValue]":
        picture = moment.picture
        shrink = min(1.0, MOST_SIDE_PX / max(picture.shape[:2]))
        if shrink < 1:
            small = (round(picture.shape[1] * shrink), round(picture.shape[0] * shrink))
            picture = np.asarray(cv2.resize(picture, small, interpolation=cv2.INTER_AREA), np.uint8)
        _, coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        ago = timedelta(seconds=max(0.0, self._at_s - moment.at_s))
        outline = outline_of(bay, picture).tolist()
        return {
            "event_id": self._event(visit),
            "moment": name,
            "at": rfc3339(self._clock.now() - ago),
            "frame": base64.b64encode(coded.tobytes()).decode("ascii"),
            "corners": [[round(x * shrink, 1), round(y * shrink, 1)] for x, y in moment.corners],
            "outline": [[round(x, 1), round(y, 1)] for x, y in outline],
        }

    def _waits(self, visit: Visit, what: str, body: "JsonValue") -> None:
        if len(self._waiting) == MOST_WAITING:
            self._waiting.popleft()
            self._failed("more waits for the city than is kept: the oldest is lost")
        self._waiting.append((f"{quote(visit.region or '', safe='')}/{what}", body))

    def _send_when_due(self) -> None:
        if self._at_s >= self._send_at_s:
            self._send()

    def _send(self) -> None:
        while self._waiting:
            path, body = self._waiting[0]
            try:
                self._line.post(path, body, "the city")
            except Refused as error:
                self._failed(str(error))
            except Unavailable as error:
                self._send_at_s = self._at_s + AGAIN_S
                self._failed(str(error))
                return
            self._waiting.popleft()
