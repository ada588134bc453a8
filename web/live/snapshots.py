"""The bays of a box as they are now, kept for a moment: many pages look at the same place."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final, NamedTuple

import orjson

from city.time import to_ms
from parking.store.maps import bays_in_box

if TYPE_CHECKING:
    from collections.abc import Callable

    from city.places import BoundingBox
    from city.works.database import Database
    from parking.adapters.live_store import LiveStore
    from parking.store.places import Bay

KEPT_S: Final = 1.0
BAYS_PER_EVENT: Final = 2_000
MAX_BAYS: Final = 20_000
"""Most bays in one snapshot; a wider box gets the first ones and should zoom in."""


class Snapshot(NamedTuple):
    """The rows of a box's bays, in parts that each fit one event, none older than a position."""

    position: str
    parts: list[list[bytes]]


class Snapshots:
    """Makes and briefly keeps the snapshot of a box; pages that ask at once share one.

    Cost of a fresh one: one indexed query and one HMGET a district, both in the bays of the box.

    Parameters
    ----------
    database
        Where the bays are.
    live_store
        Their states.
    position
        Tells which change is the latest, before the states are read.
    """

    def __init__(
        self, database: Database, live_store: LiveStore, position: Callable[[], str]
    ) -> None:
        self._database = database
        self._live_store = live_store
        self._position = position
        self._lock = threading.Lock()
        self._kept: dict[BoundingBox, tuple[float, Snapshot]] = {}
        self._making: dict[BoundingBox, threading.Lock] = {}

    def of(self, box: BoundingBox, *, anew: bool = False) -> Snapshot:
        """Return the bays in a box, as of now or of a moment ago.

        Parameters
        ----------
        box
            Where.
        anew
            As of now; those who ask meanwhile share it.

        Raises
        ------
        Unavailable
            Where the bays or their states cannot be read.
        """
        not_before = time.monotonic() - (0.0 if anew else KEPT_S)
        with self._lock:
            making = self._making.setdefault(box, threading.Lock())
        try:
            with making:
                kept = self._kept_since(box, not_before)
                return self._make(box) if kept is None else kept
        finally:
            with self._lock:
                if not making.locked():
                    self._making.pop(box, None)

    def _kept_since(self, box: BoundingBox, not_before: float) -> Snapshot | None:
        oldest = time.monotonic() - KEPT_S
        with self._lock:
            self._kept = {key: kept for key, kept in self._kept.items() if kept[0] >= oldest}
            kept = self._kept.get(box)
        return None if kept is None or kept[0] < not_before else kept[1]

    def _make(self, box: BoundingBox) -> Snapshot:
        begun_at = time.monotonic()
        position = self._position()
        with self._database.read() as connection:
            bays = bays_in_box(connection, box, limit=MAX_BAYS)
        by_district: dict[str, list[Bay]] = {}
        for bay in bays:
            by_district.setdefault(str(bay.district), []).append(bay)
        rows: list[bytes] = []
        for district, there in by_district.items():
            states = self._live_store.bay_states(district, [bay.id for bay in there])
            for bay in there:
                now = states[bay.id]
                rows.append(
                    orjson.dumps(
                        [
                            bay.id.hex,
                            bay.facility_id.hex,
                            bay.position.longitude,
                            bay.position.latitude,
                            now.state,
                            to_ms(now.since_at) if now.since_at else None,
                            now.sure,
                            to_ms(now.heard_at) if now.heard_at else None,
                            now.provisional,
                        ]
                    )
                )
        parts = [rows[i : i + BAYS_PER_EVENT] for i in range(0, len(rows), BAYS_PER_EVENT)]
        snapshot = Snapshot(position, parts or [[]])
        with self._lock:
            self._kept[box] = (begun_at, snapshot)
        return snapshot
