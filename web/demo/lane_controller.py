"""What stands in a lane of the demo's garage: a controller, and a camera before the barrier."""

from __future__ import annotations

import base64
import secrets
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from city.time import rfc3339

if TYPE_CHECKING:
    from datetime import datetime
    from random import Random
    from uuid import UUID

    from city.time import Clock
    from city.vehicles import PlateNumber
    from web.demo.api_client import ApiClient

MOST_KEPT: Final = 2_000
"""Words that a controller keeps while the line is down."""
UNREAD_SHARE: Final = 0.012
"""Cars whose plate is covered, or missing."""
MISREAD_SHARE: Final = 0.03
AT_ONCE: Final = 100
"""Words in one report."""
ALIKE: Final = {"0": "D", "D": "0", "8": "B", "B": "8", "2": "Z", "5": "S", "S": "5"}


class Controller:
    """What stands in a lane's cabinet: it keeps what happened until the platform has it.

    Parameters
    ----------
    api
        As the lane's controller and camera.
    lane_id
        Its lane.
    clock
        The city's.
    camera
        Looks at who stands before the barrier.
    """

    def __init__(self, api: ApiClient, lane_id: UUID, clock: Clock, camera: Camera) -> None:
        self.lane_id = lane_id
        self.up = False
        self.told_s = 0.0
        self.missed = False
        """Whether a read has yet to be sent, for the line was down."""
        self._api = api
        self._path = f"/api/v1/lanes/{lane_id}"
        self._clock = clock
        self._camera = camera
        self._life = secrets.token_hex(6)
        self._number = 0
        self._kept: deque[dict[str, Any]] = deque(maxlen=MOST_KEPT)
        self._before: PlateNumber | None = None

    def note(self, kind: str, at: datetime | None = None, **members: Any) -> None:
        """Keep a word to be told."""
        self._number += 1
        when = rfc3339(at or self._clock.now())
        self._kept.append({"number": self._number, "at": when, "kind": kind, **members})

    def see(self, plate: PlateNumber) -> None:
        """Send what the camera makes of who stands before the barrier, with its frame.

        Raises
        ------
        ApiError
            Where the line is down.
        """
        self._before = plate
        answer = self._api.post(
            f"{self._path}/reads",
            {**self._sent(), **self._camera.look(plate), "model": "linjiang-sim"},
            secrets.token_hex(8),
        )
        self.missed = False
        if self._obey(answer):
            self.tell()

    def tell(self) -> None:
        """Tell what is kept, and carry out what comes back.

        Raises
        ------
        ApiError
            Where the line is down; what was to be told is told later.
        """
        while True:
            words = list(self._kept)[:AT_ONCE]
            body = {"life": self._life, "sent_at": rfc3339(self._clock.now()), "words": words}
            # Numbered words are taken once, so the key need not be kept for repetitions.
            answer = self._api.post(f"{self._path}/reports", body, secrets.token_hex(8))
            self.told_s = time.monotonic()
            for _ in words:
                self._kept.popleft()
            if not self._obey(answer) and not self._kept:
                return

    def _sent(self) -> dict[str, Any]:
        now = rfc3339(self._clock.now())
        return {"event_id": secrets.token_hex(8), "at": now, "sent_at": now}

    def _obey(self, answer: dict[str, Any]) -> bool:
        for order in answer["orders"]:
            kind = order["kind"]
            if kind == "photo":
                self._photo(order["id"])
            self.note("done", order_id=order["id"])
            if kind in {"lift", "lower"} and self.up is not (kind == "lift"):
                self.up = kind == "lift"
                self.note("barrier", barrier="up" if self.up else "down")
        return bool(answer["orders"])

    def _photo(self, order_id: str) -> None:
        frame = self._camera.frame(self._before)[0]
        if frame is not None:
            body = {**self._sent(), "order_id": order_id, "frame": frame}
            self._api.post(f"{self._path}/photos", body, secrets.token_hex(8))


class Camera:
    """Looks at who stands before a barrier: draws the frame, and reads it nearly always rightly.

    Parameters
    ----------
    random
        Decides what it sees.
    """

    def __init__(self, random: Random) -> None:
        self._random = random

    def look(self, plate: PlateNumber) -> dict[str, Any]:
        """Give what it makes of a plate, with the frame."""
        drawn = self._random.random()
        if drawn < UNREAD_SHARE:
            frame, _ = self.frame(None)
            return {} if frame is None else {"frame": frame}
        text = plate.text
        sure = [round(self._random.uniform(0.965, 0.999), 3) for _ in text]
        if drawn < UNREAD_SHARE + MISREAD_SHARE:
            alike = [place for place, letter in enumerate(text) if letter in ALIKE and place > 1]
            if alike:
                place = self._random.choice(alike)
                text = text[:place] + ALIKE[text[place]] + text[place + 1 :]
                sure[place] = round(self._random.uniform(0.62, 0.98), 3)
        read = {"plate": text, "plate_kind": plate.kind.value, "confidences": sure}
        frame, corners = self.frame(plate)
        return read if frame is None else {**read, "frame": frame, "corners": corners}

    def frame(self, plate: PlateNumber | None) -> tuple[str | None, list[list[float]]]:
        """Draw what is before it, as base64, and where the plate is."""
        # Drawing loads OpenCV: not before the first car comes.
        from web.demo.lane_frames import drawn  # noqa: PLC0415 - OpenCV is slow to load

        content, corners = drawn(plate, self._random.randrange(2**31))
        return base64.b64encode(content).decode("ascii"), corners
