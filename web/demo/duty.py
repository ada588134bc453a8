"""A virtual attendant's shift: begun in the morning, counted in the evening, now and then short."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from web.demo.api_client import ApiError

if TYPE_CHECKING:
    from datetime import datetime

    from web.demo.api_client import ApiClient

ZONE: Final = ZoneInfo("Asia/Shanghai")
BEGINS, ENDS = 7, 20
"""Hours of the day."""
SHORT_ONE_IN: Final = 6
"""Counts, of which one lacks a coin."""
COIN_MINOR: Final = 100
ENDED: Final = frozenset({409, 422})


class Duty:
    """When one attendant comes and goes.

    Parameters
    ----------
    api
        The API, as this attendant.
    district, place
        Of their beat.
    """

    def __init__(self, api: ApiClient, district: str, place: str) -> None:
        self._api, self._district, self._place = api, district, place
        self._done: tuple[object, bool] | None = None

    def keep(self, now: datetime) -> None:
        """Begin or end the shift where it is time to; asks the API only then.

        Raises
        ------
        ApiError
            Where the API could not be reached.
        """
        local = now.astimezone(ZONE)
        on = BEGINS <= local.hour < ENDS
        wanted = (local.date(), on)
        if wanted == self._done:
            return
        mine: dict[str, Any] = self._api.get("/api/v1/shifts/mine")
        running = mine["shift"] is not None and mine["shift"]["state"] == "open"
        try:
            if running and not on:
                self._count(mine)
            elif on and not running:
                self._api.post(
                    "/api/v1/shifts",
                    {"district": self._district, "place": self._place},
                    f"demo-shift-{local.date()}",
                )
        except ApiError as error:
            if error.status not in ENDED:
                raise
        self._done = wanted

    def _count(self, mine: dict[str, Any]) -> None:
        shift_id = mine["shift"]["id"]
        left = max(0, mine["carried"]["minor"])
        short = zlib.crc32(shift_id.encode()) % SHORT_ONE_IN == 0 and left > COIN_MINOR
        if short:
            left -= COIN_MINOR
        pieces: dict[str, int] = {}
        for face in mine["faces"]:
            number, left = divmod(left, face)
            if number:
                pieces[str(face)] = number
        note = "找零时少收一元 / one yuan short in change" if short else ""
        self._api.post(
            f"/api/v1/shifts/{shift_id}/count", {"pieces": pieces, "note": note}, f"demo-{shift_id}"
        )
