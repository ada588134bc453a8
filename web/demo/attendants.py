"""Virtual attendants: they walk their beats, take plates and cash on terminals of their own."""

from __future__ import annotations

import hashlib
import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import structlog

from city.errors import Unavailable
from city.identifiers import BayId, uuid7
from city.time import parse_rfc3339
from parking.rules.patrol import LOOKED_AT
from web.demo.api_client import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from city.time import Clock
    from city.vehicles import PlateNumber
    from web.demo.api_client import ApiClient
    from web.demo.bays import DemoFacility
    from web.demo.duty import Duty
    from web.demo.handhelds import Handheld

REQUESTS_PER_S: Final = 8.0
"""Of all attendants together, in wall time: however fast the town runs, the API is not hammered.
At high speeds they just miss more cars."""
NOTICES_AFTER: Final = (timedelta(seconds=40), timedelta(minutes=6))
"""An attendant reaches a newly taken bay within this time."""
MISSED_SHARE: Final = 0.06
"""Cars that come and go unseen: their stays end unattributed."""
PAID_AT_ONCE_SHARE: Final = 0.7
NOTE_MINOR: Final = 1_000
"""Cash comes in ten-yuan notes."""
OPEN_STAYS: Final = 100
OPEN_BILLS: Final = 50
"""The newest of a facility: older ones were left unpaid and are not an attendant's any more."""
LOOKS_ROUND_M: Final = 300
LOOKED_AT_SHARE: Final = 0.6
"""Of the sensors, cars of days and blocked bays where an attendant stands."""
PAUSE_S: Final = 3.0
"""After a refusal or without an answer."""

log = structlog.get_logger("demo")


def draw(text: str) -> float:
    """Return a number in [0, 1) that belongs to a text: the same whenever it is asked."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big") / 2**48


class Pace:
    """Spaces requests evenly: never more than so many a second of wall time.

    Parameters
    ----------
    per_s
        Requests a second.
    stopped
        Ends a wait early.
    """

    def __init__(self, per_s: float, stopped: threading.Event) -> None:
        self._gap_s = 1 / per_s
        self._stopped = stopped
        self._next_s = 0.0

    def wait(self) -> None:
        """Return when the next request may go; for one thread."""
        now_s = time.monotonic()
        if now_s < self._next_s:
            self._stopped.wait(self._next_s - now_s)
        self._next_s = max(now_s, self._next_s) + self._gap_s


class Attendant:
    """One attendant with a beat of facilities.

    Parameters
    ----------
    api
        The API, as this attendant.
    beat
        Facilities looked after, visited in turn.
    handheld
        What their acts are done on.
    plate_in
        What an attendant sees who walks up to a bay.
    duty
        Their shifts; None: they keep none.
    """

    def __init__(
        self,
        api: ApiClient,
        beat: Sequence[DemoFacility],
        handheld: Handheld,
        plate_in: Callable[[BayId], PlateNumber | None],
        duty: Duty | None = None,
    ) -> None:
        self._api = api
        self._duty = duty
        self._beat = list(beat)
        self._next = 0
        self._handheld = handheld
        self._plate_in = plate_in
        self.plates_taken = 0
        self.bills_paid = 0

    def step(self, now: datetime) -> None:
        """Visit the next facility of the beat: take plates, then cash.

        Raises
        ------
        ApiError
            Where the API could not be reached, or would not have this attendant.
        """
        self._handheld.ready()
        # What was done before and has no answer yet goes first.
        self._send(now)
        if self._duty is not None:
            self._duty.keep(now)
        facility = self._beat[self._next % len(self._beat)]
        self._next += 1
        of_it = {"facility_id": facility.facility_id, "state": "open"}
        for session in self._all("/api/v1/sessions", **of_it, limit=OPEN_STAYS):
            needs_plate = session["plate"] is None and session["set_aside"] is None
            if needs_plate and session["bay_id"] and session["part_of"] is None:
                self._take_plate(session, now)
        for bill in self._all("/api/v1/bills", **of_it, limit=OPEN_BILLS):
            if draw(bill["id"]) < PAID_AT_ONCE_SHARE:
                self._take_cash(bill, now)
        self._send(now)
        if self._handheld.tell(facility.position, now):
            self._look_round(facility, now)

    def _all(self, path: str, **query: object) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._api.get(path, **query)["items"]
        return found

    def _take_plate(self, session: dict[str, Any], now: datetime) -> None:
        opened_at = parse_rfc3339(session["opened_at"], "opened_at")
        chance = draw(session["id"])
        first, last = NOTICES_AFTER
        plate = self._plate_in(BayId(UUID(session["bay_id"])))
        if (
            plate is None
            or chance < MISSED_SHARE
            or now < opened_at + first + (last - first) * chance
        ):
            return
        self._handheld.note(
            "plate",
            now,
            bay_id=session["bay_id"],
            plate=plate.text,
            plate_kind=plate.kind.value,
        )

    def _take_cash(self, bill: dict[str, Any], now: datetime) -> None:
        due = bill["amount"]
        tendered = -(-due["minor"] // NOTE_MINOR) * NOTE_MINOR
        self._handheld.note(
            "cash", now, bill_id=bill["id"], tendered_minor=tendered, currency=due["currency"]
        )

    def _send(self, now: datetime) -> None:
        # What is refused is on record: somebody else was quicker, or the stay was a flicker.
        done = [each.kind for each in self._handheld.send(now) if each.created]
        self.plates_taken += done.count("plate")
        self.bills_paid += done.count("cash")

    def _look_round(self, facility: DemoFacility, now: datetime) -> None:
        """Read what calls for somebody around, and say what was seen of it and looked at."""
        here = facility.position
        found = self._api.get(
            "/api/v1/patrol",
            longitude=here.longitude,
            latitude=here.latitude,
            radius_m=LOOKS_ROUND_M,
        )
        marks = [
            {"task_id": task["id"], "at": now.isoformat(), "done": done}
            for task in found["items"]
            for done in [self._looked_at(task, facility)]
            if done or task["seen_at"] is None
        ]
        if marks:
            self._api.post("/api/v1/patrol/marks", {"items": marks}, f"demo-marks-{uuid7()}")

    @staticmethod
    def _looked_at(task: dict[str, Any], facility: DemoFacility) -> bool:
        here = task["facility_id"] == str(facility.facility_id)
        return here and task["kind"] in LOOKED_AT and draw(task["id"]) < LOOKED_AT_SHARE


class Patrol(threading.Thread):
    """All attendants, each taking a step in turn, in a thread of their own.

    Parameters
    ----------
    attendants
        Who walk.
    clock
        Business clock.
    stopped
        Ends it after the request in hand.
    """

    def __init__(
        self, attendants: Sequence[Attendant], clock: Clock, stopped: threading.Event
    ) -> None:
        super().__init__(name="attendants", daemon=True)
        self._attendants = attendants
        self._clock = clock
        self._stopped = stopped

    def run(self) -> None:
        """Walk until told to stop."""
        while True:
            for attendant in self._attendants:
                if self._stopped.is_set():
                    return
                try:
                    attendant.step(self._clock.now())
                except (ApiError, Unavailable) as error:
                    # The API may be starting again; the beat comes round.
                    log.info("an attendant waits", reason=str(error))
                    self._stopped.wait(PAUSE_S)
