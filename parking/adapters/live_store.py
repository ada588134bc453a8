"""What the rest of the city reads of the live state: bays, facilities' counts, free bays near by.

A bay of which the store holds nothing is `unknown`; an unknown bay is never counted as free.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
import redis

from city.errors import Unavailable
from city.identifiers import BayId, DistrictCode, FacilityId
from city.places import Position
from city.time import Clock, from_ms, to_ms
from parking.adapters.live_keys import HEARD, district_keys
from parking.rules.occupancy.history import BayState
from parking.rules.occupancy.stored import LiveBay, read_front

OVERSAMPLED: Final = 3
"""Free bays asked for beyond those wanted: some may have fallen silent since they were swept."""


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
        self._live = live
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
        found = self._ask(
            lambda: self._live.hmget(
                district_keys(district).bays, [bay_id.hex for bay_id in bay_ids]
            )
        )
        return {
            bay_id: NEVER_HEARD if packed is None else _bay_now(packed, now_ms)
            for bay_id, packed in zip(bay_ids, found, strict=True)
        }

    def counts(
        self, facilities: Iterable[tuple[DistrictCode, FacilityId]]
    ) -> dict[FacilityId, FacilityNow]:
        """Give the counts of facilities: one pipeline, one command a district.

        Bays that never spoke are in no count: the caller knows how many bays there are.
        """
        by_district: dict[DistrictCode, list[FacilityId]] = {}
        for district, facility_id in facilities:
            by_district.setdefault(district, []).append(facility_id)
        pipeline = self._live.pipeline(transaction=False)
        for district, facility_ids in by_district.items():
            fields = [f"{each.hex}:{name}" for each in facility_ids for name in _FIELDS]
            pipeline.hmget(district_keys(district).counts, fields)
        answers = self._ask(pipeline.execute) if by_district else []
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

    def free_near(
        self,
        districts: Sequence[DistrictCode],
        at: Position,
        radius_m: float,
        limit: int,
    ) -> list[FreeBay]:
        """Give free bays around a place, the nearest first.

        One pipeline to search and one to look: a search in each district costs with the free bays
        in the radius, up to a few times `limit`.
        """
        pipeline = self._live.pipeline(transaction=False)
        for district in districts:
            pipeline.geosearch(
                district_keys(district).free,
                longitude=at.longitude,
                latitude=at.latitude,
                radius=radius_m,
                unit="m",
                sort="ASC",
                count=limit * OVERSAMPLED,
                withdist=True,
            )
        answers = self._ask(pipeline.execute) if districts else []
        near: list[FreeBay] = []
        for district, answer in zip(districts, answers, strict=True):
            away = {
                BayId(UUID(hex=member.decode())): float(distance_m) for member, distance_m in answer
            }
            states = self.bay_states(district, list(away))
            near += [
                FreeBay(bay_id, away[bay_id], now)
                for bay_id, now in states.items()
                if now.state is BayState.FREE
            ]
        near.sort(key=lambda bay: (bay.distance_m, bay.bay_id))
        return near[:limit]

    def _ask(self, command: Any) -> Any:
        try:
            return command()
        except redis.RedisError as error:
            raise Unavailable("the live state cannot be read now", retry_after_s=2) from error


_FIELDS: Final = (BayState.FREE, BayState.OCCUPIED, BayState.UNKNOWN, HEARD)


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
