"""What the rest of the city reads of the live state: bays, facilities' counts, free bays near by.

A bay of which the store holds nothing is `unknown`; an unknown bay is never counted as free.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

import orjson
import redis

from city.errors import Unavailable
from city.identifiers import BayId, DistrictCode, FacilityId
from city.places import MAPPED_LATITUDE, Position
from city.time import Clock, from_ms, to_ms
from city.works.live_lines import Command, LiveLines
from parking.adapters.live_keys import HEARD, district_keys
from parking.rules.occupancy.history import BayState
from parking.rules.occupancy.stored import LiveBay, read_front

OVERSAMPLED: Final = 3
"""Free bays asked for beyond those wanted: some may have fallen silent since they were swept."""
REMEMBERED_IDS: Final = 65_536


Found = Sequence[tuple[bytes, bytes]]
"""Bays (hexadecimal) and their distances in metres, as the live store writes them."""


@dataclass(frozen=True, slots=True)
class BayNow:
    """A bay's state at this instant."""

    state: BayState
    since_at: datetime | None
    """None while nothing was ever heard."""
    sure: int
    """Per mille."""
    heard_at: datetime | None
    provisional: bool


NEVER_HEARD: Final = BayNow(BayState.UNKNOWN, None, 0, None, provisional=False)


@dataclass(frozen=True, slots=True)
class FacilityNow:
    """A facility's bays by state, and when one of them was last heard."""

    free: int = 0
    occupied: int = 0
    unknown: int = 0
    heard_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FreeBay:
    """A free bay and how far it is, in metres as the crow flies."""

    bay_id: BayId
    distance_m: float
    now: BayNow


class LiveStore:
    """Reads the live state. Threads share one.

    Parameters
    ----------
    live
        The live store.
    clock
        Business clock: silence that nobody swept up yet already counts.
    """

    def __init__(self, live: redis.Redis, clock: Clock) -> None:
        self._lines = LiveLines(live)
        self._clock = clock

    def bay_states(
        self, district: DistrictCode | str, bay_ids: Sequence[BayId]
    ) -> dict[BayId, BayNow]:
        """Give the states of bays of one district; one round trip, cost grows with the bays.

        Raises
        ------
        Unavailable
            Where the live store cannot be reached; as every method here.
        """
        if not bay_ids:
            return {}
        now_ms = to_ms(self._clock.now())
        wanted = [bay_id.hex for bay_id in bay_ids]
        (found,) = self._ask([("HMGET", district_keys(district).bays, *wanted)])
        return {
            bay_id: NEVER_HEARD if packed is None else _bay_now(packed, now_ms)
            for bay_id, packed in zip(bay_ids, found, strict=True)
        }

    def counts(
        self, facilities: Iterable[tuple[DistrictCode, FacilityId]]
    ) -> dict[FacilityId, FacilityNow]:
        """Give the counts of facilities: one round trip, one command a district.

        Bays that never spoke are in no count: the caller knows how many bays there are.
        """
        by_district = _by_district(facilities)
        answers = self._ask(_question(by_district))
        counted: dict[FacilityId, FacilityNow] = {}
        for facility_ids, answer in zip(by_district.values(), answers, strict=True):
            for index, facility_id in enumerate(facility_ids):
                start = index * len(_FIELDS)
                free, occupied, unknown, heard_ms = answer[start : start + len(_FIELDS)]
                counted[facility_id] = FacilityNow(
                    int(free or 0),
                    int(occupied or 0),
                    int(unknown or 0),
                    from_ms(int(heard_ms)) if heard_ms else None,
                )
        return counted

    def question(
        self, facilities: Iterable[tuple[DistrictCode, FacilityId]]
    ) -> tuple[Command, ...]:
        """Prepare what `marks` asks, once for facilities that are asked for again and again."""
        return _question(_by_district(facilities))

    def marks(self, question: Sequence[Command]) -> bytes:
        """Give what differs once anything was heard in facilities, or one of their counts moved.

        Costs as `counts`, without the reading. A frame that comes late can change a bay's history
        and leave the marks as they are.
        """
        answers = self._ask(question)
        return b";".join([b",".join([field or b"" for field in answer]) for answer in answers])

    def free_near(
        self,
        districts: Sequence[DistrictCode],
        at: Position,
        radius_m: float,
        limit: int,
    ) -> list[FreeBay]:
        """Give free bays around a place, the nearest first.

        One round trip to search and one or a few a district to look: a search costs with the free
        bays in the radius, up to a few times `limit`.
        """
        return self.still_free(self.search(districts, at, radius_m, limit), limit)

    def search(
        self,
        districts: Sequence[DistrictCode],
        at: Position,
        radius_m: float,
        limit: int,
    ) -> list[tuple[DistrictCode, Found]]:
        """Give what was free around a place when it was last written; one round trip.

        Some may have fallen silent since: `still_free` looks. Near the poles there is nothing:
        the store's geographical commands refuse to look there.
        """
        if abs(at.latitude) > MAPPED_LATITUDE:
            return []
        found = self._ask(
            [
                (
                    *("GEOSEARCH", district_keys(district).free),
                    *("FROMLONLAT", at.longitude, at.latitude),
                    *("BYRADIUS", radius_m, "m", "ASC", "COUNT", limit * OVERSAMPLED),
                    "WITHDIST",
                )
                for district in districts
            ]
        )
        return list(zip(districts, found, strict=True))

    def still_free(self, found: Iterable[tuple[DistrictCode, Found]], limit: int) -> list[FreeBay]:
        """Give the nearest of what a search found that are free now, the nearest first."""
        near: list[FreeBay] = []
        for district, answer in found:
            near += self._still_free(district, answer, limit)
        near.sort(key=lambda bay: (bay.distance_m, bay.bay_id))
        return near[:limit]

    def _still_free(self, district: DistrictCode, found: Found, limit: int) -> list[FreeBay]:
        """Look at what a search found, the nearest first, until there are enough free ones."""
        free: list[FreeBay] = []
        for start in range(0, len(found), limit):
            away = {
                _bay_id(member): float(distance_m)
                for member, distance_m in found[start : start + limit]
            }
            states = self.bay_states(district, list(away))
            free += [
                FreeBay(bay_id, away[bay_id], now)
                for bay_id, now in states.items()
                if now.state is BayState.FREE
            ]
            if len(free) >= limit:
                break
        return free

    def _ask(self, commands: Sequence[Command]) -> list[Any]:
        if not commands:
            return []
        try:
            return self._lines.ask(commands)
        except redis.RedisError as error:
            raise Unavailable("the live state cannot be read now", retry_after_s=2) from error


_FIELDS: Final = (BayState.FREE, BayState.OCCUPIED, BayState.UNKNOWN, HEARD)


def _by_district(
    facilities: Iterable[tuple[DistrictCode, FacilityId]],
) -> dict[DistrictCode, list[FacilityId]]:
    by_district: dict[DistrictCode, list[FacilityId]] = {}
    for district, facility_id in facilities:
        by_district.setdefault(district, []).append(facility_id)
    return by_district


def _question(by_district: Mapping[DistrictCode, Sequence[FacilityId]]) -> tuple[Command, ...]:
    return tuple(
        (
            "HMGET",
            district_keys(district).counts,
            *[f"{each.hex}:{name}" for each in facility_ids for name in _FIELDS],
        )
        for district, facility_ids in by_district.items()
    )


@lru_cache(maxsize=REMEMBERED_IDS)
def _bay_id(member: bytes) -> BayId:
    """Read an identifier: the same ones come again and again, and reading one takes 3 us."""
    return BayId(UUID(hex=member.decode()))


def whole(now: FacilityNow, bays: int) -> FacilityNow:
    """Complete a facility's counts by the bays that never spoke: they are unknown."""
    silent = max(0, bays - now.free - now.occupied - now.unknown)
    return FacilityNow(now.free, now.occupied, now.unknown + silent, now.heard_at)


def _bay_now(packed: bytes, now_ms: int) -> BayNow:
    front: LiveBay = read_front(orjson.loads(packed), now_ms)
    return BayNow(
        front.state,
        from_ms(front.since_ms) if front.since_ms else None,
        front.sure,
        from_ms(front.heard_ms) if front.heard_ms else None,
        front.provisional,
    )
