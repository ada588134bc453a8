"""Blacklists, regions' policies, and the sightings that the abuse report looks at."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, or_, select, text, update
from sqlalchemy.dialects import postgresql

from city.identifiers import BayId, DistrictCode, ListingId, ParkingSessionId, VehicleId
from city.places import Position
from parking.rules.rights.abuse import Sighting
from parking.rules.rights.spans import Span
from parking.rules.rights.standing import Effect, Listing, ListingReason, RegionPolicy
from parking.store.pages import DEFAULT_PAGE, Page, checked_limit, paged
from parking.store.rights_tables import listing, region_policy

# An index range of `parking_session_vehicle` for each vehicle. A car over two sensors is one
# sighting, and what was set aside is none.
SIGHTINGS = text(
    "select s.id, s.vehicle_id, s.bay_id, coalesce(b.longitude, f.longitude) as longitude,"
    " coalesce(b.latitude, f.latitude) as latitude,"
    " greatest(s.opened_at, :from_at) as from_at,"
    " least(coalesce(s.closed_at, :until_at), :until_at) as until_at"
    " from parking.parking_session s join parking.facility f on f.id = s.facility_id"
    " left join parking.bay b on b.id = s.bay_id"
    " where s.vehicle_id = any(cast(:vehicles as uuid[])) and s.opened_at < :until_at"
    " and s.part_of is null and s.set_aside is null"
    " and (s.closed_at is null or s.closed_at > :from_at)"
    " and (cast(:districts as text[]) is null or s.district = any(cast(:districts as text[])))"
)


@dataclass(frozen=True, slots=True)
class KeptListing:
    """A listing as it is kept: who listed and lifted it, and why."""

    listing: Listing
    note: str
    listed_by: str
    lifted_by: str | None = None
    lifted_reason: str | None = None


def add(connection: Connection, new: Listing, *, note: str, by: str) -> bool:
    """Write a new listing; False where the vehicle is listed there for that reason already."""
    done = connection.execute(
        postgresql.insert(listing)
        .values(
            id=new.id,
            vehicle_id=new.vehicle_id,
            district=new.district,
            reason=new.reason.value,
            note=note,
            from_at=new.from_at,
            until_at=new.until_at,
            listed_by=by,
        )
        .on_conflict_do_nothing(
            index_elements=["vehicle_id", "district", "reason"],
            index_where=listing.c.lifted_at.is_(None),
        )
        .returning(listing.c.id)
    )
    return done.one_or_none() is not None


def lift_ended(connection: Connection, at: datetime) -> int:
    """Mark listings whose time ran out as lifted, so that a vehicle can be listed anew."""
    done = connection.execute(
        update(listing)
        .where(listing.c.lifted_at.is_(None), listing.c.until_at <= at)
        .values(lifted_at=listing.c.until_at, lifted_by="system", lifted_reason="its time ran out")
    )
    return done.rowcount


def find(
    connection: Connection, listing_id: ListingId, *, lock: bool = False
) -> KeptListing | None:
    """Give a listing by its id."""
    query = select(listing).where(listing.c.id == listing_id)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else _kept(row)


def page(
    connection: Connection,
    *,
    at: datetime,
    in_force: bool = False,
    districts: frozenset[str] | None = None,
    after: UUID | None = None,
    limit: int = DEFAULT_PAGE,
) -> Page[KeptListing]:
    """Give listings, the newest first."""
    columns = listing.c
    query = select(listing).order_by(columns.id.desc()).limit(checked_limit(limit) + 1)
    if in_force:
        query = query.where(
            columns.lifted_at.is_(None),
            columns.from_at <= at,
            or_(columns.until_at.is_(None), columns.until_at > at),
        )
    if districts is not None:
        query = query.where(columns.district.in_(sorted(districts)))
    if after is not None:
        query = query.where(columns.id < after)
    found = [_kept(row) for row in connection.execute(query)]
    return paged(found, [each.listing.id for each in found], limit)


def lift(
    connection: Connection, listing_id: ListingId, *, at: datetime, by: str, reason: str
) -> None:
    """Write that a listing was lifted."""
    connection.execute(
        update(listing)
        .where(listing.c.id == listing_id)
        .values(lifted_at=at, lifted_by=by, lifted_reason=reason)
    )


def of_vehicle(connection: Connection, vehicle_id: VehicleId) -> list[Listing]:
    """Give every listing of a vehicle, in any district, past ones too: a few."""
    rows = connection.execute(
        select(listing).where(listing.c.vehicle_id == vehicle_id).order_by(listing.c.id)
    )
    return [_kept(row).listing for row in rows]


def listed(
    connection: Connection, vehicle_ids: Collection[VehicleId], at: datetime
) -> frozenset[VehicleId]:
    """Give those of some vehicles that are on a blacklist."""
    found = connection.scalars(
        select(listing.c.vehicle_id)
        .where(
            listing.c.vehicle_id.in_(list(vehicle_ids)),
            listing.c.lifted_at.is_(None),
            or_(listing.c.until_at.is_(None), listing.c.until_at > at),
        )
        .distinct()
    )
    return frozenset(VehicleId(each) for each in found)


def policy(connection: Connection, district: DistrictCode) -> RegionPolicy:
    """Give a district's policy; the default one where it stated none."""
    row = connection.execute(
        select(region_policy).where(region_policy.c.district == district)
    ).one_or_none()
    if row is None:
        return RegionPolicy(district)
    return RegionPolicy(
        district,
        {
            ListingReason(reason): frozenset(Effect(each) for each in effects)
            for reason, effects in row.effects.items()
        },
        frozenset(DistrictCode(each) for each in row.honours),
    )


def keep_policy(connection: Connection, new: RegionPolicy, *, at: datetime, by: str) -> None:
    """Write a district's policy in place of the one that stood."""
    values = {
        "effects": {reason.value: sorted(effects) for reason, effects in new.effects.items()},
        "honours": sorted(new.honours),
        "changed_at": at,
        "changed_by": by,
    }
    connection.execute(
        postgresql.insert(region_policy)
        .values(district=new.district, **values)
        .on_conflict_do_update(index_elements=["district"], set_=values)
    )


def sightings(
    connection: Connection,
    vehicle_ids: Collection[VehicleId],
    span: Span,
    districts: frozenset[str] | None,
) -> dict[VehicleId, list[Sighting]]:
    """Give the stays of vehicles in a span of time, cut to it; one still open reaches its end."""
    rows = connection.execute(
        SIGHTINGS,
        {
            "vehicles": list(vehicle_ids),
            "from_at": span[0],
            "until_at": span[1],
            "districts": None if districts is None else sorted(districts),
        },
    )
    found: dict[VehicleId, list[Sighting]] = {}
    for row in rows:
        found.setdefault(VehicleId(row.vehicle_id), []).append(
            Sighting(
                ParkingSessionId(row.id),
                None if row.bay_id is None else BayId(row.bay_id),
                Position(row.longitude, row.latitude),
                row.from_at,
                row.until_at,
            )
        )
    return found


def _kept(row: Row[Any]) -> KeptListing:
    return KeptListing(
        Listing(
            id=ListingId(row.id),
            vehicle_id=VehicleId(row.vehicle_id),
            district=DistrictCode(row.district),
            reason=ListingReason(row.reason),
            from_at=row.from_at,
            until_at=row.until_at,
            lifted_at=row.lifted_at,
        ),
        row.note,
        row.listed_by,
        row.lifted_by,
        row.lifted_reason,
    )
