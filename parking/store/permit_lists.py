"""Permits' lists of vehicles: who was on which list from when until when."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, func, select, text, update

from city.identifiers import PermitId, VehicleId, uuid7
from parking.rules.rights.permits import Membership
from parking.store.pages import DEFAULT_PAGE, Page, checked_limit, paged
from parking.store.rights_tables import permit, permit_vehicle


@dataclass(frozen=True, slots=True)
class ListedVehicle:
    """A vehicle on a permit's list."""

    id: UUID
    member: Membership
    added_by: str
    removed_by: str | None


ADD_VEHICLES = text(
    "insert into parking.permit_vehicle (id, permit_id, vehicle_id, from_at, added_by)"
    " select n.id, :permit, n.vehicle, :at, :by"
    " from unnest(cast(:ids as uuid[]), cast(:vehicles as uuid[])) as n (id, vehicle)"
    " on conflict (permit_id, vehicle_id) where until_at is null do nothing"
    " returning vehicle_id"
)


def count_vehicles(connection: Connection, permit_ids: Iterable[PermitId]) -> dict[PermitId, int]:
    """Count the vehicles now on the lists of permits; one without any is left out."""
    wanted = list(permit_ids)
    if not wanted:
        return {}
    rows = connection.execute(
        select(permit_vehicle.c.permit_id, func.count())
        .where(permit_vehicle.c.permit_id.in_(wanted), permit_vehicle.c.until_at.is_(None))
        .group_by(permit_vehicle.c.permit_id)
    )
    return {PermitId(permit_id): count for permit_id, count in rows}


def add_vehicles(
    connection: Connection,
    permit_id: PermitId,
    vehicle_ids: Sequence[VehicleId],
    *,
    at: datetime,
    by: str,
) -> frozenset[VehicleId]:
    """Put vehicles on a permit's list; give those that were not on it."""
    found = connection.scalars(
        ADD_VEHICLES,
        {
            "permit": permit_id,
            "at": at,
            "by": by,
            "ids": [uuid7() for _ in vehicle_ids],
            "vehicles": list(vehicle_ids),
        },
    )
    return frozenset(VehicleId(each) for each in found)


def remove_vehicle(
    connection: Connection, permit_id: PermitId, vehicle_id: VehicleId, *, at: datetime, by: str
) -> bool:
    """Take a vehicle off a permit's list from an instant on; False where it is not on it."""
    done = connection.execute(
        update(permit_vehicle)
        .where(
            permit_vehicle.c.permit_id == permit_id,
            permit_vehicle.c.vehicle_id == vehicle_id,
            permit_vehicle.c.until_at.is_(None),
        )
        .values(until_at=func.greatest(permit_vehicle.c.from_at, at), removed_by=by)
    )
    return done.rowcount > 0


def vehicles(
    connection: Connection,
    permit_id: PermitId,
    *,
    after: UUID | None = None,
    limit: int = DEFAULT_PAGE,
) -> Page[ListedVehicle]:
    """Give the vehicles now on a permit's list, in the order in which they were put there."""
    query = (
        select(permit_vehicle)
        .where(permit_vehicle.c.permit_id == permit_id, permit_vehicle.c.until_at.is_(None))
        .order_by(permit_vehicle.c.id)
        .limit(checked_limit(limit) + 1)
    )
    if after is not None:
        query = query.where(permit_vehicle.c.id > after)
    found = [
        ListedVehicle(row.id, _member(row), row.added_by, row.removed_by)
        for row in connection.execute(query)
    ]
    return paged(found, [each.id for each in found], limit)


def members(
    connection: Connection, permit_ids: Collection[PermitId], vehicle_ids: Collection[VehicleId]
) -> dict[PermitId, list[Membership]]:
    """Give the times of some vehicles on some permits' lists, past ones included."""
    rows = connection.execute(
        select(permit_vehicle).where(
            permit_vehicle.c.permit_id.in_(list(permit_ids)),
            permit_vehicle.c.vehicle_id.in_(list(vehicle_ids)),
        )
    )
    found: dict[PermitId, list[Membership]] = {}
    for row in rows:
        found.setdefault(PermitId(row.permit_id), []).append(_member(row))
    return found


def listed(
    connection: Connection, vehicle_ids: Collection[VehicleId], at: datetime
) -> frozenset[VehicleId]:
    """Give those of some vehicles that are on the list of a permit which has not ended."""
    found = connection.scalars(
        select(permit_vehicle.c.vehicle_id)
        .join(permit, permit.c.id == permit_vehicle.c.permit_id)
        .where(
            permit_vehicle.c.vehicle_id.in_(list(vehicle_ids)),
            permit_vehicle.c.until_at.is_(None),
            permit.c.valid_until > at,
            permit.c.revoked_at.is_(None),
        )
        .distinct()
    )
    return frozenset(VehicleId(each) for each in found)


def _member(row: Row[Any]) -> Membership:
    """Read a vehicle's time on a list from a row of its table."""
    return Membership(VehicleId(row.vehicle_id), row.from_at, row.until_at)
