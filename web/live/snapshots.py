"""The bays of a box as they are now, put together from tiles that pages share for a moment.

Hundreds of pages come back at once where the live process was away, each with a map of its own:
a question to the database for each would keep all of them waiting. Their maps overlap, so places
and states are asked for by tile, each tile once a second at most.
"""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING, Final, NamedTuple

import orjson

from city.places import BoundingBox
from city.time import to_ms

if TYPE_CHECKING:
    from collections.abc import Callable

    from parking.adapters.live_store import LiveStore
    from parking.known_places import KnownPlaces
    from parking.store.places import Bay

KEPT_S: Final = 1.0
BAYS_PER_EVENT: Final = 2_000
MAX_BAYS: Final = 20_000
"""Most bays in one snapshot; a wider box gets the first ones and should zoom in."""
TILES_A_DEGREE: Final = 100
"""About a kilometre: a map that shows bays covers a few."""
MOST_TILES: Final = 64
"""A wider box, which every newcomer's map of the whole city is, is a tile of its own."""


UNKNOWN_POSITION: Final = "-"


class Snapshot(NamedTuple):
    """The rows of a box's bays, in parts that each fit one event, none older than a position."""

    position: str
    parts: list[list[bytes]]


class _Placed(NamedTuple):
    longitude: float
    latitude: float
    row: bytes


class _Tile(NamedTuple):
    begun_at: float
    position: str
    bays: dict[str, _Placed]


class Snapshots:
    """Makes and briefly keeps tiles; pages that need the same one at once share it.

    Cost of a fresh tile: its places from this process's copy of the registry, and one HMGET a
    district. Cost of a snapshot: in the bays of its tiles.

    Parameters
    ----------
    places
        Where the bays are.
    live_store
        Their states.
    position
        Tells which change is the latest, before the states are read.
    """

    def __init__(
        self, places: KnownPlaces, live_store: LiveStore, position: Callable[[], str]
    ) -> None:
        self._places = places
        self._live_store = live_store
        self._position = position
        self._lock = threading.Lock()
        self._kept: dict[BoundingBox, _Tile] = {}
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
        tiles = [self._tile(each, not_before) for each in _tiles(box)]
        # A bay on the edge of two tiles is in both.
        bays = {name: placed for tile in tiles for name, placed in tile.bays.items()}
        rows = [
            placed.row
            for placed in bays.values()
            if box.west <= placed.longitude <= box.east
            and box.south <= placed.latitude <= box.north
        ][:MAX_BAYS]
        parts = [rows[i : i + BAYS_PER_EVENT] for i in range(0, len(rows), BAYS_PER_EVENT)]
        return Snapshot(_earliest([tile.position for tile in tiles]), parts or [[]])

    def _tile(self, box: BoundingBox, not_before: float) -> _Tile:
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

    def _kept_since(self, box: BoundingBox, not_before: float) -> _Tile | None:
        oldest = time.monotonic() - KEPT_S
        with self._lock:
            kept = self._kept.get(box)
            if kept is not None and kept.begun_at >= not_before:
                return kept
            self._kept = {key: tile for key, tile in self._kept.items() if tile.begun_at >= oldest}
        return None

    def _make(self, box: BoundingBox) -> _Tile:
        begun_at = time.monotonic()
        position = self._position()
        by_district: dict[str, list[Bay]] = {}
        for bay in self._places.bays_in(box, limit=MAX_BAYS):
            by_district.setdefault(str(bay.district), []).append(bay)
        bays: dict[str, _Placed] = {}
        for district, there in by_district.items():
            states = self._live_store.bay_states(district, [bay.id for bay in there])
            for bay in there:
                now = states[bay.id]
                at = bay.position
                row = orjson.dumps(
                    [
                        bay.id.hex,
                        bay.facility_id.hex,
                        at.longitude,
                        at.latitude,
                        now.state,
                        to_ms(now.since_at) if now.since_at else None,
                        now.sure,
                        to_ms(now.heard_at) if now.heard_at else None,
                        now.provisional,
                    ]
                )
                bays[bay.id.hex] = _Placed(at.longitude, at.latitude, row)
        tile = _Tile(begun_at, position, bays)
        with self._lock:
            self._kept[box] = tile
        return tile


def _tiles(box: BoundingBox) -> list[BoundingBox]:
    west, south = _number(box.west), _number(box.south)
    east, north = _number(box.east), _number(box.north)
    if (east - west + 1) * (north - south + 1) > MOST_TILES:
        return [box]
    return [
        BoundingBox(x / TILES_A_DEGREE, y / TILES_A_DEGREE, *_corner(x + 1, y + 1))
        for x in range(west, east + 1)
        for y in range(south, north + 1)
    ]


def _number(degrees: float) -> int:
    return math.floor(degrees * TILES_A_DEGREE)


def _corner(x: int, y: int) -> tuple[float, float]:
    """Give a tile's north-east corner, on the map's edge at most."""
    return min(180.0, x / TILES_A_DEGREE), min(90.0, y / TILES_A_DEGREE)


def _earliest(positions: list[str]) -> str:
    """Give the position from which on changes are news to all tiles.

    Where the store was away between two of them none is of use, and the page begins anew.
    """
    readings = [position.partition("-") for position in positions]
    if len({epoch for epoch, _, _ in readings}) > 1:
        return UNKNOWN_POSITION
    epoch, _, number = min(readings, key=lambda reading: int(reading[2]))
    return f"{epoch}-{number}"
