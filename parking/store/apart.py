"""Bays that a plain count would count wrongly: not public, retired, under rules, or suspended."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, text

from city.identifiers import BayId, FacilityId
from city.time import Interval
from parking.rules.places.counting import Pool, pool_of
from parking.rules.places.model import Purpose
from parking.rules.places.usage import UseRule, read_rules, usage

APART: Final = text(
    "with off as ("
    " select suspended_bay.bay_id, suspension.from_at,"
    " coalesce(suspension.lifted_at, suspension.until_at) as until_at"
    " from parking.suspension join parking.suspended_bay on suspension.id = suspension_id"
    " where suspension.facility_id = any(:ids)"
    " and coalesce(suspension.lifted_at, suspension.until_at) > :now"
    "), bay_off as ("
    " select bay_id, array_agg(from_at order by from_at) as begun,"
    " array_agg(until_at order by from_at) as ended from off where until_at > from_at"
    " group by bay_id"
    ")"
    " select bay.id, bay.facility_id, bay.purpose, bay.kind, bay.retired_at, bay.rules,"
    " coalesce(zone.rules, '[]') as zone_rules, facility.rules as facility_rules,"
    " bay_off.begun, bay_off.ended"
    " from parking.bay join parking.facility on facility.id = bay.facility_id"
    " left join parking.zone on zone.id = bay.zone_id left join bay_off on bay_off.bay_id = bay.id"
    " where bay.facility_id = any(:ids) and (bay.purpose <> 'public' or bay.retired_at is not null"
    " or bay.rules <> '[]' or zone.rules <> '[]' or facility.rules <> '[]'"
    " or bay_off.bay_id is not null)"
)


@dataclass(frozen=True, slots=True)
class BayApart:
    """What decides where such a bay counts at an instant."""

    bay_id: BayId
    facility_id: FacilityId
    purpose: Purpose
    kind: str
    retired_at: datetime | None
    rules: tuple[UseRule, ...]
    """The bay's, its zone's and its facility's."""
    suspended: tuple[Interval, ...]

    def pool(self, at: datetime, local: datetime) -> Pool:
        """Say where it counts at an instant, given in UTC and in the facility's time."""
        return pool_of(
            self.purpose,
            gone=self.retired_at is not None and self.retired_at <= at,
            suspended=any(each.contains(at) for each in self.suspended),
            allowed=usage(self.rules, local).allowed,
        )


def apart(
    connection: Connection, facility_ids: Iterable[UUID], *, now: datetime
) -> dict[FacilityId, tuple[BayApart, ...]]:
    """Give, for each facility, the bays that may count apart from now on.

    Facilities that have none are left out. Cost grows with those bays and, for facilities whose
    zones have rules, with their bays.
    """
    found: dict[FacilityId, list[BayApart]] = {}
    read: dict[str, tuple[UseRule, ...]] = {}
    for row in connection.execute(APART, {"ids": list(facility_ids), "now": now}):
        home = FacilityId(row.facility_id)
        stated = (row.rules, row.zone_rules, row.facility_rules)
        key = str(stated)
        if key not in read:
            read[key] = tuple(rule for rules in stated for rule in read_rules(rules))
        found.setdefault(home, []).append(
            BayApart(
                BayId(row.id),
                home,
                row.purpose,
                row.kind,
                row.retired_at,
                read[key],
                _intervals(row.begun, row.ended),
            )
        )
    return {home: tuple(bays) for home, bays in found.items()}


def _intervals(
    begun: Sequence[datetime] | None, ended: Sequence[datetime] | None
) -> tuple[Interval, ...]:
    if begun is None or ended is None:
        return ()
    return tuple(Interval(start, end) for start, end in zip(begun, ended, strict=True))
