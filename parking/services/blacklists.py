"""Blacklists and what regions make of them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from city.audit import record
from city.errors import Conflict, Invalid, NotFound
from city.identifiers import DistrictCode, ListingId, VehicleId, uuid7
from city.people.actors import Actor
from city.works.database import UnitOfWork
from parking.rules.rights.abuse import Sighting
from parking.rules.rights.spans import Span
from parking.rules.rights.standing import (
    Listing,
    ListingReason,
    RegionPolicy,
    Standing,
    standing,
)
from parking.services.permits import checked_reason
from parking.store import standing as store
from parking.store.pages import DEFAULT_PAGE, Page

MOST_HONOURED: Final = 200


@dataclass(frozen=True, slots=True)
class ListingWish:
    """Which vehicle is to be listed where, why, and for how long."""

    vehicle_id: VehicleId
    district: DistrictCode
    reason: ListingReason
    note: str
    until_at: datetime | None = None


def add(uow: UnitOfWork, actor: Actor, wish: ListingWish) -> Listing:
    """Put a vehicle on a district's blacklist from now on.

    Raises
    ------
    NotFound
        Where the district is not the actor's.
    Conflict
        Where it is listed there for that reason already.
    Invalid
        Without a note, or with an end that is past.
    """
    if not actor.in_district(wish.district):
        raise NotFound("there is no such district in yours", field="district")
    note = checked_reason(wish.note, "note")
    now = uow.clock.now()
    if wish.until_at is not None and wish.until_at <= now:
        raise Invalid("lies in the past", field="until_at")
    store.lift_ended(uow.connection, now)
    new = Listing(
        ListingId(uuid7()), wish.vehicle_id, wish.district, wish.reason, now, wish.until_at
    )
    if not store.add(uow.connection, new, note=note, by=actor.subject):
        raise Conflict("the vehicle is listed there for that reason already", field="plate")
    record(
        uow,
        actor,
        "parking.vehicle_listed",
        "vehicle",
        str(wish.vehicle_id),
        {
            "listing_id": str(new.id),
            "district": wish.district,
            "reason": wish.reason.value,
            "note": note,
        },
    )
    return new


def lift(uow: UnitOfWork, actor: Actor, listing_id: ListingId, reason: str) -> store.KeptListing:
    """Take a vehicle off a blacklist.

    Raises
    ------
    NotFound
        Where there is no such listing.
    Conflict
        Where it was lifted already.
    Invalid
        Without a reason.
    """
    why = checked_reason(reason)
    found = store.find(uow.connection, listing_id, lock=True)
    if found is None or not actor.in_district(found.listing.district):
        raise NotFound("there is no such listing", field="listing_id")
    if found.listing.lifted_at is not None:
        raise Conflict("the listing was lifted already", field="listing_id")
    store.lift(uow.connection, listing_id, at=uow.clock.now(), by=actor.subject, reason=why)
    record(
        uow,
        actor,
        "parking.listing_lifted",
        "vehicle",
        str(found.listing.vehicle_id),
        {"listing_id": str(listing_id), "reason": why},
    )
    return find(uow.connection, listing_id)


def find(connection: Connection, listing_id: ListingId) -> store.KeptListing:
    """Give a listing; NotFound where there is none."""
    found = store.find(connection, listing_id)
    if found is None:
        raise NotFound("there is no such listing", field="listing_id")
    return found


def page(
    connection: Connection,
    *,
    at: datetime,
    in_force: bool = False,
    districts: frozenset[str] | None = None,
    after: UUID | None = None,
    limit: int = DEFAULT_PAGE,
) -> Page[store.KeptListing]:
    """Give listings, the newest first."""
    return store.page(
        connection, at=at, in_force=in_force, districts=districts, after=after, limit=limit
    )


def standing_of(
    connection: Connection, vehicle_id: VehicleId, district: DistrictCode, at: datetime
) -> Standing:
    """Give what is held against a vehicle in a district: one query where nothing is."""
    listings = store.of_vehicle(connection, vehicle_id)
    if not listings:
        return Standing()
    return standing(listings, store.policy(connection, district), at)


def policy(connection: Connection, district: DistrictCode) -> RegionPolicy:
    """Give what a district makes of listings."""
    return store.policy(connection, district)


def set_policy(uow: UnitOfWork, actor: Actor, new: RegionPolicy) -> RegionPolicy:
    """State what a district makes of listings from now on.

    Raises
    ------
    NotFound
        Where the district is not the actor's.
    Invalid
        Where it names itself among those that it honours, or too many.
    """
    if not actor.in_district(new.district):
        raise NotFound("there is no such district in yours", field="district")
    if new.district in new.honours:
        raise Invalid("its own listings always count", field="honours")
    if len(new.honours) > MOST_HONOURED:
        raise Invalid(f"must be at most {MOST_HONOURED}", field="honours")
    store.keep_policy(uow.connection, new, at=uow.clock.now(), by=actor.subject)
    record(
        uow,
        actor,
        "parking.region_policy_set",
        "district",
        new.district,
        {
            "effects": {
                reason.value: [effect.value for effect in sorted(each)]
                for reason, each in sorted(new.effects.items())
            },
            "honours": [*sorted(new.honours)],
        },
    )
    return new


def sightings(
    connection: Connection,
    vehicle_ids: Collection[VehicleId],
    span: Span,
    districts: frozenset[str] | None,
) -> dict[VehicleId, list[Sighting]]:
    """Give the stays of vehicles in a span of time, cut to it, with their places."""
    return store.sightings(connection, vehicle_ids, span, districts)
