"""The bays of a box as they are now, kept for a moment: many pages look at the same place."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import orjson

from city.time import to_ms
from parking.services.live_places import bays_in_box

if TYPE_CHECKING:
    from city.places import BoundingBox
    from city.works.database import Database
    from parking.adapters.live_store import LiveStore
    from parking.store.places import Bay

KEPT_S = 1.0
BAYS_PER_EVENT = 2_000
MAX_BAYS = 20_000
"""Most bays in one snapshot; a wider box gets the first ones and should zoom in."""


class Snapshots:
    """Makes and briefly keeps the snapshot of a box.

    Cost of a fresh one: one indexed query and one HMGET a district, both in the bays of the box.
    """

    def __init__(self, database: Database, live_store: LiveStore) -> None:
        self._database = database
        self._live_store = live_store
        self._lock = threading.Lock()
        self._kept: dict[BoundingBox, tuple[float, list[list[bytes]]]] = {}

    def of(self, box: BoundingBox) -> list[list[bytes]]:
        """Return the rows of the bays in a box, in parts that each fit one event."""
        now = time.monotonic()
        with self._lock:
            self._kept = {key: kept for key, kept in self._kept.items() if now - kept[0] < KEPT_S}
            kept = self._kept.get(box)
        if kept is not None:
            return kept[1]
        parts = self._make(box)
        with self._lock:
            self._kept[box] = (time.monotonic(), parts)
        return parts

    def _make(self, box: BoundingBox) -> list[list[bytes]]:
        with self._database.read() as connection:
            bays = bays_in_box(connection, box, limit=MAX_BAYS)
        by_district: dict[str, list[Bay]] = {}
        for bay in bays:
            by_district.setdefault(str(bay.district), []).append(bay)
        rows: list[bytes] = []
        for district, there in by_district.items():
            states = self._live_store.bay_states(district, [bay.id for bay in there])
            for bay in there:
                state = states[bay.id]
                rows.append(
                    orjson.dumps(
                        [
                            bay.id.hex,
                            bay.facility_id.hex,
                            bay.position.longitude,
                            bay.position.latitude,
                            state.state,
                            to_ms(state.since_at) if state.since_at else None,
                            state.sure,
                            to_ms(state.heard_at) if state.heard_at else None,
                            state.provisional,
                        ]
                    )
                )
        return [rows[i : i + BAYS_PER_EVENT] for i in range(0, len(rows), BAYS_PER_EVENT)] or [[]]
