"""Sending what a camera's stream shows to the lane or the bays that it looks at.

A read is sent as soon as enough frames agree on it, while the vehicle still stands there, with its
frame and corners. A line that is down costs the read: the vehicle is before the barrier now.
"""

import base64
import json
import secrets
import urllib.error
import urllib.request
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

import cv2
from pydantic import JsonValue

from city.errors import Invalid, Unavailable
from city.time import Clock, rfc3339
from lpr.rules.tracking import Visit
from lpr.vision.strips import Picture

TIMEOUT_S: Final = 3.0
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


class BayPush:
    """The way to the bays that a camera sees: its regions are named by their ids.

    Parameters
    ----------
    address : str
        `https://host/api/v1/bays`.
    token_file : Path
        Holds the credential of the camera, which is registered as a reader of the bays.
    clock : Clock
        Says when a vehicle was seen standing.

    Raises
    ------
    Invalid
        Where the address is none, or the file cannot be read.
    """

    def __init__(self, address: str, token_file: Path, clock: Clock) -> None:
        self._line = Line(address, token_file, "--bays")
        self._clock = clock
        self._life = secrets.token_hex(6)
        self.sent = 0

    def send(self, visit: Visit, picture: Picture | None) -> dict[str, JsonValue]:
        """Send the read of a vehicle that stands in a bay; give what the city made of it.

        Raises
        ------
        Unavailable
            Where it could not be sent, or was refused.
        """
        del picture
        body: dict[str, JsonValue] = {
            "event_id": f"{self._life}-{visit.number}",
            "at": rfc3339(self._clock.now()),
            "plate": visit.read.text,
            "plate_kind": visit.read.kind.value,
            "confidences": [round(each, 4) for each in visit.read.confidences],
        }
        told = self._line.post(f"{quote(visit.region or '', safe='')}/reads", body, "the city")
        self.sent += 1
        return told


class Line:
    """Where reads go, under which credential."""

    def __init__(self, address: str, token_file: Path, option: str) -> None:
        parts = urlsplit(address)
        if parts.scheme not in {"http", "https"} or not parts.netloc:
            raise Invalid("must be http:// or https://", field=option)
        try:
            self._token = token_file.read_text("ascii").strip()
        except (OSError, ValueError):
            raise Invalid("cannot be read", field="--token-file") from None
        self._address = address.rstrip("/")

    def post(self, path: str, body: JsonValue, to: str) -> dict[str, JsonValue]:
        """Send something; give the answer.

        Raises
        ------
        Unavailable
            Where it could not be sent, or was refused.
        """
        request = urllib.request.Request(  # noqa: S310 - checked above: http or https
            f"{self._address}/{path}",
            data=json.dumps(body).encode(),
            method="POST",
            headers={
                "Authorization": f"Bearer {self._token}",
                "Content-Type": "application/json",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310 - as above
                told: dict[str, JsonValue] = json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                raise Unavailable(f"{to} refused what was sent: {error.code}") from None
        except (OSError, ValueError):
            raise Unavailable(f"{to} cannot be reached") from None
        return told
