"""Sending what a camera's stream shows to the lane that it looks at.

A read is sent as soon as enough frames agree on it, while the vehicle still stands there, with its
frame and corners. A line that is down costs the read: the vehicle is before the barrier now.
"""

import base64
import secrets
from datetime import datetime
from pathlib import Path
from typing import Final

import cv2
from pydantic import JsonValue

from city.time import Clock, rfc3339
from lpr.adapters.line import Line
from lpr.rules.tracking import Visit
from lpr.vision.strips import Picture

_QUALITY: Final = 85


class LanePush:
    """The way to a lane.

    Parameters
    ----------
    address : str
        `https://host/api/v1/lanes/ID`, as the lane was registered.
    token_file : Path
        Holds the camera's credential.
    model : str
        Version of the reader.
    clock : Clock
        Says when a frame was looked at.

    Raises
    ------
    Invalid
        Where the address is none, or the file cannot be read.
    """

    def __init__(self, address: str, token_file: Path, model: str, clock: Clock) -> None:
        self._line = Line(address, token_file, "--lane")
        self._model = model
        self._clock = clock
        self._life = secrets.token_hex(6)
        self.sent = 0

    def send(self, visit: Visit, picture: Picture | None) -> dict[str, JsonValue]:
        """Send a read; give what the lane is told.

        Raises
        ------
        Unavailable
            Where it could not be sent, or was refused.
        """
        now = self._clock.now()
        told = self._line.post("reads", self._body(visit, picture, now), "the lane")
        self.sent += 1
        return told

    def _body(self, visit: Visit, picture: Picture | None, now: datetime) -> dict[str, JsonValue]:
        body: dict[str, JsonValue] = {
            "event_id": f"{self._life}-{visit.number}",
            "at": rfc3339(now),
            "sent_at": rfc3339(now),
            "plate": visit.read.text,
            "plate_kind": visit.read.kind.value,
            "confidences": [round(each, 4) for each in visit.read.confidences],
            "model": self._model,
        }
        if picture is not None:
            _, coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
            body["frame"] = base64.b64encode(coded.tobytes()).decode("ascii")
            body["corners"] = [[round(x, 1), round(y, 1)] for x, y in visit.best.corners]
        return body
