"""The registry as those who keep it see it: all that is registered, with bays by purpose."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, select, text

from city.identifiers import BayId, OperatorId, VehicleId
from parking.rules.places.model import Facility
from parking.store import tables
from parking.store.pages import DEFAULT_PAGE, Page, checked_limit, paged
from parking.store.places import read_facility

PURPOSES: Final = text(
    "select facility_id, count(*) filter (where purpose = 'public') as public,"
    " count(*) filter (where purpose = 'reserved') as reserved,"
    " count(*) filter (where purpose = 'permit') as permit"
    " from parking.bay where facility_id = any(:ids) and retired_at is null group by facility_id"
)

AWAY: Final = text(
    "select suspension.facility_id, count(distinct suspended_bay.bay_id) as bays"
    " from parking.suspension join parking.suspended_bay on suspension_id = suspension.id"
    " where suspension.facility_id = any(:ids) and suspension.from_at <= :at"
    " and coalesce(suspension.lifted_at, suspension.until_at) > :at"
    " group by suspension.facility_id"
)

HOLDS: Final = text(
    "select bay_hold.bay_id, bay_hold.from_at, bay_hold.until_at, bay_hold.permit_id,"
    " permit.label, bay_hold.reservation_id, reservation.vehicle_id, reservation.state"
    " from parking.bay_hold left join parking.permit on permit.id = bay_hold.permit_id"
    " left join parking.reservation on reservation.id = bay_hold.reservation_id"
    " where bay_hold.bay_id = :bay_id"
    " and bay_hold.during && tstzrange(:from_at, :until_at, '[)')"
    " order by bay_hold.from_at limit :most"
)


@dataclass(frozen=True, slots=True)
class Registered:
    """A facility, and its bays in use by purpose; never added up."""

    facility: Facility
    public: int
    reserved: int
    permit: int
    suspended: int
    """Of all of them, those that a permit takes out at the instant asked for."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A stretch of a bay's time that somebody holds, by a permit or by a reservation."""

    bay_id: BayId
    from_at: datetime
    until_at: datetime
    permit_id: UUID | None
    permit_label: str | None
    reservation_id: UUID | None
    vehicle_id: VehicleId | None
    reservation_state: str | None


def registered(
    connection: Connection,
    *,
    at: datetime,
    operator_id: OperatorId | None = None,
    districts: frozenset[str] | None = None,
    after: UUID | None = None,
    limit: int = DEFAULT_PAGE,
) -> Page[Registered]:
    """Give a page of facilities in the order of their ids, also those not live or withdrawn.

    Three statements; cost grows with the page's facilities and their bays.
    """
    columns = tables.facility.c
    query = select(tables.facility).order_by(columns.id).limit(checked_limit(limit) + 1)
    if operator_id is not None:
        query = query.where(columns.operator_id == operator_id)
    if districts is not None:
        query = query.where(columns.district.in_(sorted(districts)))
    if after is not None:
        query = query.where(columns.id > after)
    found = [read_facility(row) for row in connection.execute(query)]
    ids = [each.id for each in found]
    purposes = {row.facility_id: row for row in connection.execute(PURPOSES, {"ids": ids})}
    away = {row.facility_id: row.bays for row in connection.execute(AWAY, {"ids": ids, "at": at})}
    items = []
    for each in found:
        row = purposes.get(each.id)
        items.append(
            Registered(
                each,
                row.public if row else 0,
                row.reserved if row else 0,
                row.permit if row else 0,
                away.get(each.id, 0),
            )
        )
    return paged(items, ids, limit)


def holds_of(
    connection: Connection, bay_id: UUID, from_at: datetime, until_at: datetime, *, most: int
) -> Sequence[Hold]:
    """Give who holds a bay's time within a stretch, in order; at most `most`."""
    asked = {"bay_id": bay_id, "from_at": from_at, "until_at": until_at, "most": most}
    return [
        Hold(
            BayId(row.bay_id),
            row.from_at,
            row.until_at,
            row.permit_id,
            row.label,
            row.reservation_id,
            None if row.vehicle_id is None else VehicleId(row.vehicle_id),
            row.state,
        )
        for row in connection.execute(HOLDS, asked)
    ]
