"""Virtual attendants: they walk their kerbs, take plates and take cash, through the public API."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import structlog

from city.time import parse_rfc3339
from web.demo.api_client import ApiClient, ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from uuid import UUID

    from city.vehicles import PlateNumber

log = structlog.get_logger("demo")

NOTICES_AFTER: Final = (timedelta(seconds=40), timedelta(minutes=6))
"""An attendant reaches a newly taken bay within this time."""
MISSED_SHARE: Final = 0.06
"""Cars that come and go unseen: their stays end unattributed."""
PAID_AT_ONCE_SHARE: Final = 0.7
NOTE_MINOR: Final = 1_000
"""Cash comes in ten-yuan notes."""
CONFLICT: Final = 409


def _draw(text: str) -> float:
    """Return a number in [0, 1) that belongs to a text: the same whenever it is asked."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big") / 2**48


class Attendant:
    """One attendant with a beat of kerb segments.

    Parameters
    ----------
    api
        The API, as this attendant.
    beat
        Facilities looked after, visited in turn.
    plate_in
        What an attendant sees who walks up to a bay.
    """

    def __init__(
        self,
        api: ApiClient,
        beat: Sequence[UUID],
        plate_in: Callable[[UUID], PlateNumber | None],
    ) -> None:
        self._api = api
        self._beat = list(beat)
        self._next = 0
        self._plate_in = plate_in

    def step(self, now: datetime, parse_id: Callable[[str], UUID]) -> None:
        """Visit the next segment of the beat: take plates, then cash."""
        facility = self._beat[self._next % len(self._beat)]
        self._next += 1
        try:
            for session in self._all("/api/v1/sessions", facility_id=facility, state="open"):
                if session["plate"] is None:
                    self._take_plate(session, now, parse_id(session["bay_id"]))
            for bill in self._all("/api/v1/bills", facility_id=facility, state="open"):
                if _draw(bill["id"]) < PAID_AT_ONCE_SHARE:
                    self._take_cash(bill)
        except ApiError as error:
            # The API may be starting again; the beat comes round.
            log.info("attendant waits", status=error.status)

    def _all(self, path: str, **query: object) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._api.get(path, limit=200, **query)["items"]
        return found

    def _take_plate(self, session: dict[str, Any], now: datetime, bay_id: UUID) -> None:
        opened_at = parse_rfc3339(session["opened_at"], "opened_at")
        draw = _draw(session["id"])
        first, last = NOTICES_AFTER
        plate = self._plate_in(bay_id)
        if plate is None or draw < MISSED_SHARE or now < opened_at + first + (last - first) * draw:
            return
        self._act(
            f"/api/v1/sessions/{session['id']}/vehicle",
            {"plate": plate.text, "kind": plate.kind.value},
            f"demo-plate-{session['id']}",
        )

    def _take_cash(self, bill: dict[str, Any]) -> None:
        due = bill["amount"]
        tendered = -(-due["minor"] // NOTE_MINOR) * NOTE_MINOR
        self._act(
            f"/api/v1/bills/{bill['id']}/payments",
            {"channel": "cash", "tendered": {"minor": tendered, "currency": due["currency"]}},
            f"demo-cash-{bill['id']}",
        )

    def _act(self, path: str, body: dict[str, Any], key: str) -> None:
        try:
            self._api.post(path, body, key)
        except ApiError as error:
            # Somebody else was quicker, or the stay was a flicker: as on a street.
            if error.status is None or error.status > CONFLICT:
                raise
