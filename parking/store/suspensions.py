"""Suspensions of bays by permits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Row, func, insert, select, text, update

from city.errors import NotFound
from city.identifiers import BayId, DistrictCode, FacilityId, SuspensionId
from city.time import Interval
from parking.store import tables
from parking.store.pages import DEFAULT_PAGE, Page, checked_limit, paged


@dataclass(frozen=True, slots=True)
class Suspension:
    """Bays of a facility that a permit takes out for a time."""

    id: SuspensionId
    facility_id: FacilityId
    district: DistrictCode
    permit_no: str
    reason: str
    from_at: datetime
    until_at: datetime
    recorded_at: datetime
    recorded_by: str
    bays: tuple[BayId, ...]
    lifted_at: datetime | None = None
    lifted_by: str | None = None

    @property
    def during(self) -> Interval:
        """When the bays are away: until it was lifted, if it was."""
        return Interval(self.from_at, self.until_at if self.lifted_at is None else self.lifted_at)


_BAYS: Final = (
    select(func.array_agg(tables.suspended_bay.c.bay_id))
    .where(tables.suspended_bay.c.suspension_id == tables.suspension.c.id)
    .scalar_subquery()
    .label("bays")
)

SUSPENDED: Final = text(
    "select suspended_bay.bay_id, suspension.from_at,"
    " coalesce(suspension.lifted_at, suspension.until_at) as until_at"
    " from parking.suspended_bay join parking.suspension on suspension.id = suspension_id"
    " where suspended_bay.bay_id = any(:ids)"
    " and coalesce(suspension.lifted_at, suspension.until_at) > :from_at"
    " and suspension.from_at < :until_at"
    " and coalesce(suspension.lifted_at, suspension.until_at) > suspension.from_at"
    " order by suspension.from_at"
)


def _suspension(row: Row[Any]) -> Suspension:
    return Suspension(
        id=SuspensionId(row.id),
        facility_id=FacilityId(row.facility_id),
        district=DistrictCode(row.district),
        permit_no=row.permit_no,
        reason=row.reason,
        from_at=row.from_at,
        until_at=row.until_at,
        recorded_at=row.recorded_at,
        recorded_by=row.recorded_by,
        bays=tuple(BayId(each) for each in row.bays or ()),
        lifted_at=row.lifted_at,
        lifted_by=row.lifted_by,
    )


def add_suspension(connection: Connection, new: Suspension) -> None:
    """Insert a suspension with its bays, in two statements."""
    connection.execute(
        insert(tables.suspension).values(
            id=new.id,
            facility_id=new.facility_id,
            district=new.district,
            permit_no=new.permit_no,
            reason=new.reason,
            from_at=new.from_at,
            until_at=new.until_at,
            recorded_at=new.recorded_at,
            recorded_by=new.recorded_by,
        )
    )
    connection.execute(
        insert(tables.suspended_bay),
        [{"suspension_id": new.id, "bay_id": bay_id} for bay_id in new.bays],
    )


def suspension(connection: Connection, suspension_id: UUID, *, lock: bool = False) -> Suspension:
    """Give a suspension; NotFound where there is none."""
    query = select(tables.suspension, _BAYS).where(tables.suspension.c.id == suspension_id)
    if lock:
        query = query.with_for_update(of=tables.suspension)
    found = connection.execute(query).one_or_none()
    if found is None:
        raise NotFound("there is no such suspension", field="suspension_id")
    return _suspension(found)


def lift(connection: Connection, suspension_id: UUID, *, at: datetime, by: str) -> None:
    """End a suspension before its time."""
    connection.execute(
        update(tables.suspension)
        .where(tables.suspension.c.id == suspension_id)
        .values(lifted_at=at, lifted_by=by)
    )


def suspensions(
    connection: Connection,
    *,
    facility_id: UUID,
    after: UUID | None = None,
    limit: int = DEFAULT_PAGE,
) -> Page[Suspension]:
    """Give a page of a facility's suspensions, in the order of their recording."""
    query = (
        select(tables.suspension, _BAYS)
        .where(tables.suspension.c.facility_id == facility_id)
        .order_by(tables.suspension.c.id)
        .limit(checked_limit(limit) + 1)
    )
    if after is not None:
        query = query.where(tables.suspension.c.id > after)
    found = [_suspension(row) for row in connection.execute(query)]
    return paged(found, [each.id for each in found], limit)


def suspended(
    connection: Connection, bay_ids: Iterable[UUID], during: Interval
) -> dict[BayId, Sequence[Interval]]:
    """Give when bays were, or will be, suspended within an interval that has an end."""
    found: dict[BayId, list[Interval]] = {}
    values = {"ids": list(bay_ids), "from_at": during.start_at, "until_at": during.end_at}
    for row in connection.execute(SUSPENDED, values):
        found.setdefault(BayId(row.bay_id), []).append(Interval(row.from_at, row.until_at))
    return dict(found)
