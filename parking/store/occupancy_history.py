"""How facilities' bays changed, counted by quarter hours; and samples of their counts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text

from city.identifiers import BayId, DistrictCode, FacilityId

SLOT_S: Final = 900


class SlotDelta(NamedTuple):
    """What changed in a facility in a quarter hour; `slot` is seconds since 1970 / 900.

    `free` and `occupied` are net differences of the counts, `taken` and `freed` the changes
    between the two.
    """

    slot: int
    free: int
    occupied: int
    taken: int
    freed: int


class Change(NamedTuple):
    """A bay's state from an instant (seconds since 1970) on."""

    facility_id: FacilityId
    bay_id: BayId
    at_s: float
    state: str


@dataclass(frozen=True, slots=True)
class Place:
    """A facility with how many bays it has and its time zone."""

    facility_id: FacilityId
    timezone: str
    bays: int


PLACES: Final = text(
    "select f.id, f.timezone, count(b.id) as bays from parking.facility f"
    " join parking.bay b on b.facility_id = f.id where f.district = :district"
    " group by f.id, f.timezone order by f.id"
)

# A bay counts from its first change in the window on: what it was before is not looked up, so that
# a window costs what happened in it.
DELTAS: Final = text(
    "select facility_id, floor(extract(epoch from changed_at) / 900)::bigint as slot,"
    " sum((state = 'free')::int - coalesce((prior = 'free')::int, 0)) as free,"
    " sum((state = 'occupied')::int - coalesce((prior = 'occupied')::int, 0)) as occupied,"
    " count(*) filter (where prior = 'free' and state = 'occupied') as taken,"
    " count(*) filter (where prior = 'occupied' and state = 'free') as freed"
    " from (select facility_id, changed_at, state, lag(state) over"
    "  (partition by bay_id order by changed_at, observation_key) as prior"
    "  from parking.bay_change where facility_id = any(:facilities)"
    "  and changed_at >= :from_at and changed_at < :until_at) as change"
    " group by facility_id, slot order by facility_id, slot"
)

CHANGES: Final = text(
    "select facility_id, bay_id, extract(epoch from changed_at)::float8 as at_s, state"
    " from parking.bay_change where bay_id = any(:bays)"
    " and changed_at >= :from_at and changed_at < :until_at"
    " order by bay_id, changed_at, observation_key"
)

SOME_BAYS: Final = text(
    "select id from parking.bay where district = :district order by md5(id::text) limit :most"
)

KEEP_SAMPLES: Final = text(
    "insert into parking.occupancy_sample (facility_id, at, free, occupied)"
    " select * from unnest(cast(:facility_id as uuid[]), cast(:at as timestamptz[]),"
    " cast(:free as int[]), cast(:occupied as int[]))"
    " on conflict (facility_id, at) do update set free = excluded.free,"
    " occupied = excluded.occupied"
)

ADD_SAMPLES: Final = text(
    "insert into parking.occupancy_sample (facility_id, at, free, occupied)"
    " select * from unnest(cast(:facility_id as uuid[]), cast(:at as timestamptz[]),"
    " cast(:free as int[]), cast(:occupied as int[])) on conflict do nothing"
)

SAMPLES: Final = text(
    "select facility_id, extract(epoch from at)::float8 as at_s, free, occupied"
    " from parking.occupancy_sample where facility_id = any(:facilities) and at >= :from_at"
    " and at <= :until_at order by facility_id, at"
)

FORGET_SAMPLES: Final = text("delete from parking.occupancy_sample where at < :before")


def places(connection: Connection, district: DistrictCode) -> list[Place]:
    """Give the facilities of a district that have bays."""
    rows = connection.execute(PLACES, {"district": district})
    return [Place(FacilityId(row.id), row.timezone, row.bays) for row in rows]


def deltas(
    connection: Connection,
    facility_ids: Iterable[FacilityId],
    from_at: datetime,
    until_at: datetime,
) -> dict[FacilityId, list[SlotDelta]]:
    """Count facilities' changes by quarter hour; one statement, cost as the window's changes."""
    rows = connection.execute(
        DELTAS, {"facilities": list(facility_ids), "from_at": from_at, "until_at": until_at}
    )
    found: dict[FacilityId, list[SlotDelta]] = {}
    for row in rows:
        found.setdefault(FacilityId(row.facility_id), []).append(
            SlotDelta(row.slot, row.free, row.occupied, row.taken, row.freed)
        )
    return found


def some_bays(connection: Connection, district: DistrictCode, most: int) -> list[BayId]:
    """Give some bays of a district, always the same ones, without regard to where they lie."""
    found = connection.execute(SOME_BAYS, {"district": district, "most": most})
    return [BayId(each) for each in found.scalars()]


def changes(
    connection: Connection, bay_ids: Iterable[UUID], from_at: datetime, until_at: datetime
) -> list[Change]:
    """Give bays' changes, bay by bay in the order of time."""
    rows = connection.execute(
        CHANGES, {"bays": list(bay_ids), "from_at": from_at, "until_at": until_at}
    )
    return [
        Change(FacilityId(row.facility_id), BayId(row.bay_id), row.at_s, row.state) for row in rows
    ]


class Sample(NamedTuple):
    """A facility's counts at an instant."""

    facility_id: FacilityId
    at: datetime
    free: int
    occupied: int


def keep_samples(
    connection: Connection, samples: Sequence[Sample], *, replace: bool = True
) -> None:
    """Keep samples in one statement; one of the same instant is replaced, or else stays."""
    if samples:
        connection.execute(
            KEEP_SAMPLES if replace else ADD_SAMPLES,
            {
                "facility_id": [each.facility_id for each in samples],
                "at": [each.at for each in samples],
                "free": [each.free for each in samples],
                "occupied": [each.occupied for each in samples],
            },
        )


def samples(
    connection: Connection,
    facility_ids: Iterable[FacilityId],
    from_at: datetime,
    until_at: datetime,
) -> dict[FacilityId, list[tuple[float, int, int]]]:
    """Give facilities' samples as (seconds since 1970, free, occupied) in the order of time."""
    rows = connection.execute(
        SAMPLES, {"facilities": list(facility_ids), "from_at": from_at, "until_at": until_at}
    )
    found: dict[FacilityId, list[tuple[float, int, int]]] = {}
    for row in rows:
        found.setdefault(FacilityId(row.facility_id), []).append((row.at_s, row.free, row.occupied))
    return found


def forget_samples(connection: Connection, before: datetime) -> int:
    """Delete samples older than an instant; give how many."""
    return int(connection.execute(FORGET_SAMPLES, {"before": before}).rowcount)
