"""Facilities and bays as this process knows them: pages ask for the same ones again and again.

Places change when somebody registers one, bays' states with every car; so places are kept in
memory and only states are asked for. One primary-key read a second tells whether anything
changed (`parking.registry_version`, which every registration and every publication of a tariff
raises); then all of it is forgotten. The longest age is for what was changed by hand.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Final, TypeVar, cast
from uuid import UUID

from sqlalchemy import Connection

from city.errors import NotFound
from city.identifiers import BayId, DistrictCode, FacilityId, TariffId
from city.places import BoundingBox
from city.works.database import Database
from parking.placements import VERSION
from parking.store import apart, place_names, places, tariffs
from parking.store.apart import BayApart
from parking.store.maps import bays_in_box
from parking.store.pages import DEFAULT_PAGE, Page
from parking.store.places import Bay, Facility

REFRESH_S: Final = 1.0
"""Age at which the copy is compared with the registry again."""
LONGEST_AGE_S: Final = 30.0
MOST_PAGES: Final = 512
"""Lists that are kept; one of 500 bays takes about 300 kB."""
MOST_BAYS: Final = 50_000
"""Bays kept one by one, about 600 bytes each."""
MOST_HOMES: Final = 10_000
"""Facilities kept one by one, about 2 kB each."""

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")


class KnownPlaces:
    """A process's copy of the places that it was asked for. Threads share one.

    Parameters
    ----------
    database
        Where the registry is.
    refresh_s
        Age in seconds at which the copy is compared with it.
    """

    def __init__(self, database: Database, *, refresh_s: float = REFRESH_S) -> None:
        self._database = database
        self._refresh_s = refresh_s
        self._lock = threading.Lock()
        self._checked_at = float("-inf")
        self._emptied_at = float("-inf")
        self._version = -1
        self._lists: OrderedDict[tuple[Any, ...], Any] = OrderedDict()
        self._bays: dict[BayId, Bay] = {}
        self._homes: dict[FacilityId, Facility] = {}
        self._apart: dict[FacilityId, tuple[BayApart, ...]] = {}

    @property
    def version(self) -> int:
        """The registry's version, as it was a moment ago."""
        self._refresh()
        return self._version

    def facility(self, facility_id: UUID) -> Facility:
        """Give a facility; NotFound where there is none."""
        found = self.homes([FacilityId(facility_id)])
        if not found:
            raise NotFound("there is no such facility", field="facility_id")
        return found[FacilityId(facility_id)]

    def homes(self, facility_ids: Collection[FacilityId]) -> dict[FacilityId, Facility]:
        """Give facilities by their ids, in one statement; those that do not exist are left out."""
        self._refresh()
        return self._each(self._homes, facility_ids, places.facilities_by_id, MOST_HOMES)

    def facilities(
        self,
        *,
        district: str | None = None,
        after: UUID | None = None,
        limit: int = DEFAULT_PAGE,
    ) -> Page[Facility]:
        """Give a page of facilities in the order of their ids."""
        return self._kept(
            ("facilities", district, after, limit),
            lambda connection: places.facilities(
                connection, district=district, after=after, limit=limit
            ),
        )

    def facilities_named(self, wanted: str, *, limit: int) -> tuple[Facility, ...]:
        """Give the facilities whose name holds folded words, the best match first."""
        return self._kept(
            ("named", wanted, limit),
            lambda connection: place_names.facilities_named(connection, wanted, limit=limit),
        )

    def bays_of(
        self, facility_id: UUID, *, after: UUID | None = None, limit: int = DEFAULT_PAGE
    ) -> Page[Bay]:
        """Give a page of a facility's bays in the order of their ids."""
        return self._kept(
            ("bays", facility_id, after, limit),
            lambda connection: places.bays(
                connection, facility_id=facility_id, after=after, limit=limit
            ),
        )

    def bays(self, bay_ids: Sequence[BayId]) -> dict[BayId, Bay]:
        """Give bays by their ids; those that do not exist are left out."""
        self._refresh()
        return self._each(self._bays, bay_ids, places.bays_by_id, MOST_BAYS)

    def bays_in(self, box: BoundingBox, *, limit: int) -> tuple[Bay, ...]:
        """Give the bays in a box, in the order of their ids, at most `limit`."""
        return self._kept(
            ("box", box, limit), lambda connection: bays_in_box(connection, box, limit=limit)
        )

    def bay_counts(self, facility_ids: Iterable[FacilityId]) -> dict[FacilityId, int]:
        """Give how many bays facilities have."""
        wanted = tuple(facility_ids)
        counts = self._kept(
            ("counts", wanted), lambda connection: places.count_bays(connection, wanted)
        )
        return {each: counts.get(each, 0) for each in wanted}

    def apart(self, facility_ids: Collection[FacilityId]) -> dict[FacilityId, tuple[BayApart, ...]]:
        """Give the bays of facilities that may not count as public ones; most have none."""

        def read(
            connection: Connection, missing: Collection[FacilityId]
        ) -> dict[FacilityId, tuple[BayApart, ...]]:
            found = apart.apart(connection, missing, now=self._database.clock.now())
            return {each: found.get(each, ()) for each in missing}

        self._refresh()
        return self._each(self._apart, facility_ids, read, MOST_HOMES)

    def tariff_codes(self, tariff_ids: Iterable[TariffId | None]) -> dict[TariffId, str]:
        """Give the codes of tariffs."""
        wanted = frozenset(each for each in tariff_ids if each is not None)
        if not wanted:
            return {}
        return self._kept(("tariffs", wanted), lambda connection: tariffs.codes(connection, wanted))

    def districts(self) -> tuple[DistrictCode, ...]:
        """Give every district that has a facility."""
        return self._kept(("districts",), places.districts)

    def _each(
        self,
        kept: dict[K, V],
        wanted: Collection[K],
        read: Callable[[Connection, Collection[K]], dict[K, V]],
        most: int,
    ) -> dict[K, V]:
        """Give what is kept one by one; what is missing is read in one statement."""
        found = {key: value for key in wanted if (value := kept.get(key)) is not None}
        if len(found) == len(wanted):
            return found
        missing = {key for key in wanted if key not in found}
        if not missing:
            return found
        version = self._version
        with self._database.read() as connection:
            new = read(connection, missing)
        with self._lock:
            # After a change of the registry these are forgotten, and `kept` with them.
            if version == self._version:
                if len(kept) + len(new) > most:
                    kept.clear()
                kept.update(new)
        return found | new

    def _kept(self, key: tuple[Any, ...], read: Callable[[Connection], T]) -> T:
        self._refresh()
        with self._lock:
            if key in self._lists:
                self._lists.move_to_end(key)
                return cast("T", self._lists[key])
            version = self._version
        with self._database.read() as connection:
            found = read(connection)
        with self._lock:
            if version == self._version:
                self._lists[key] = found
                if len(self._lists) > MOST_PAGES:
                    self._lists.popitem(last=False)
        return found

    def _refresh(self) -> None:
        """Forget everything where the registry has changed; one thread looks, others go on."""
        now = time.monotonic()
        if now - self._checked_at < self._refresh_s:
            return
        first = self._version < 0
        with self._lock:
            if not first and now - self._checked_at < self._refresh_s:
                return
            before, self._checked_at = self._checked_at, now
        try:
            with self._database.read() as connection:
                version = int(connection.execute(VERSION).scalar_one())
        except BaseException:
            self._checked_at = before
            raise
        with self._lock:
            if version != self._version:
                self._bays, self._homes, self._apart = {}, {}, {}
            if version != self._version or now - self._emptied_at >= LONGEST_AGE_S:
                self._lists.clear()
                self._version = version
                self._emptied_at = now
