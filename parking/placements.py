"""Which device lies in which bay, and since when: a copy of the registry in each process.

Ingest asks it for every uplink and folding for every frame, so it answers from memory. It is
brought up to date by version: one primary-key read says whether anything changed, and only what
changed is read again.
"""

import sys
import threading
import time
from collections.abc import Iterable
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text

from city.identifiers import BayId, DeviceId, DistrictCode, FacilityId
from city.time import to_ms
from city.works.database import Database

REFRESH_S: Final = 1.0
"""Age at which the copy is compared with the registry again."""


class KnownDevice(NamedTuple):
    """A registered device in service."""

    id: DeviceId
    network_key: str
    model: str
    district: DistrictCode


class Placed(NamedTuple):
    """Where a device lay from `since_ms` until `until_ms` (None: it still does)."""

    device_id: DeviceId
    bay_id: BayId
    facility_id: FacilityId
    district: DistrictCode
    longitude: float
    latitude: float
    role: str
    since_ms: int
    until_ms: int | None

    def holds(self, at_ms: int) -> bool:
        """Tell whether the device lay there at an instant."""
        return self.since_ms <= at_ms and (self.until_ms is None or at_ms < self.until_ms)


VERSION = text("select version from parking.registry_version")

CHANGED_DEVICES = text(
    "select id, network_key, model, district, retired_at from parking.device"
    " where revision > :known and revision <= :version"
)

CHANGED_PLACEMENTS = text(
    "select placement.device_id, placement.bay_id, bay.facility_id, bay.district, bay.longitude,"
    " bay.latitude, placement.role, placement.since_at, placement.until_at"
    " from parking.placement join parking.device on device.id = placement.device_id"
    " join parking.bay on bay.id = placement.bay_id"
    " where device.revision > :known and device.revision <= :version"
    " order by placement.device_id, placement.since_at desc"
)


class Placements:
    """A process's copy of the registry.

    About 800 bytes a device that lies in a bay (measured). Reading it never blocks on the
    database, unless it is older than `refresh_s`: then one caller compares versions while the
    others go on with the old copy.

    Parameters
    ----------
    database
        Where the registry is.
    refresh_s
        Age in seconds at which it is compared again.
    """

    def __init__(self, database: Database, *, refresh_s: float = REFRESH_S) -> None:
        self._database = database
        self._refresh_s = refresh_s
        self._lock = threading.Lock()
        self._checked_at = float("-inf")
        self._version = 0
        self._by_key: dict[str, KnownDevice] = {}
        self._by_id: dict[UUID, KnownDevice] = {}
        self._placed: dict[UUID, tuple[Placed, ...]] = {}

    @property
    def version(self) -> int:
        """The registry's version that the copy holds; it grows with every change."""
        return self._version

    def __len__(self) -> int:
        return len(self._by_id)

    def refresh(self, *, force: bool = False) -> bool:
        """Bring the copy up to date if it is older than `refresh_s`, or at once.

        Returns
        -------
        bool
            Whether anything changed.

        Raises
        ------
        Unavailable
            Where the database cannot be reached; the copy stays as it was.
        """
        if not force and time.monotonic() - self._checked_at < self._refresh_s:
            return False
        if not self._lock.acquire(blocking=force or self._version == 0):
            return False
        try:
            if not force and time.monotonic() - self._checked_at < self._refresh_s:
                return False
            with self._database.read() as connection:
                changed = self._load(connection)
            self._checked_at = time.monotonic()
            return changed
        finally:
            self._lock.release()

    def _load(self, connection: Connection) -> bool:
        version = int(connection.execute(VERSION).scalar_one())
        if version == self._version:
            return False
        # A version that went back is another database: begin anew.
        known = self._version if version > self._version else 0
        span = {"known": known, "version": version}
        placed: dict[UUID, list[Placed]] = {}
        for row in connection.execute(CHANGED_PLACEMENTS, span):
            placed.setdefault(row.device_id, []).append(
                Placed(
                    DeviceId(row.device_id),
                    BayId(row.bay_id),
                    FacilityId(row.facility_id),
                    DistrictCode(sys.intern(row.district)),
                    row.longitude,
                    row.latitude,
                    sys.intern(row.role),
                    to_ms(row.since_at),
                    None if row.until_at is None else to_ms(row.until_at),
                )
            )
        if known == 0:
            self._by_key, self._by_id, self._placed = {}, {}, {}
        for row in connection.execute(CHANGED_DEVICES, span):
            # A retired one's frames from before may still be on their way to the fold.
            self._placed[row.id] = tuple(placed.get(row.id, ()))
            if row.retired_at is not None:
                self._forget(row.id)
                continue
            device = KnownDevice(
                DeviceId(row.id),
                row.network_key,
                sys.intern(row.model),
                DistrictCode(sys.intern(row.district)),
            )
            self._by_id[row.id] = device
            self._by_key[row.network_key] = device
        self._version = version
        return True

    def _forget(self, device_id: UUID) -> None:
        gone = self._by_id.pop(device_id, None)
        if gone is not None:
            self._by_key.pop(gone.network_key, None)

    def by_key(self, network_key: str) -> KnownDevice | None:
        """Give the device that the network calls so; None where none is in service."""
        return self._by_key.get(network_key)

    def by_id(self, device_id: UUID) -> KnownDevice | None:
        """Give a device in service."""
        return self._by_id.get(device_id)

    def placed(self, device_id: UUID, at_ms: int) -> Placed | None:
        """Give where a device lay at an instant; None where it lay nowhere."""
        for place in self._placed.get(device_id, ()):
            if place.holds(at_ms):
                return place
        return None

    def history(self, device_id: UUID) -> tuple[Placed, ...]:
        """Give the places that a device has had, the latest first."""
        return self._placed.get(device_id, ())

    def lying(self, since_ms: int) -> Iterable[Placed]:
        """Give where every device lies, or lay until after an instant: for rebuilding.

        A bay that its device has left goes on in its last state until that falls silent.
        """
        for places in list(self._placed.values()):
            for place in places:
                if place.until_ms is None or place.until_ms > since_ms:
                    yield place
