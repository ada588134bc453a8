"""Blacklists, and what regions make of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint

from city.identifiers import ListingId, parse_district_code
from city.people import Role
from city.vehicles import parse_plate
from journeys.blacklist_vehicle import blacklist_vehicle
from parking.rules.rights.standing import Effect, ListingReason, RegionPolicy
from parking.services import blacklists
from web import access
from web.acts import act, act_on_plate
from web.api.cursors import after, cursor
from web.api.plates import masked_plates
from web.api.schemas.rights import (
    LiftingIn,
    ListingIn,
    ListingOut,
    ListingsOut,
    ListingsQuery,
    PolicyIn,
    PolicyOut,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from sqlalchemy import Connection

    from city.works.database import UnitOfWork
    from parking.store.standing import KeptListing

blueprint = APIBlueprint("blacklists", __name__, url_prefix="/api/v1/blacklist", tag="Rights")

READERS = (Role.ATTENDANT, Role.INSPECTOR, Role.OPERATOR, Role.AUDITOR, Role.ADMINISTRATOR)


def _shown(connection: Connection, found: Sequence[KeptListing]) -> list[dict[str, Any]]:
    plates = masked_plates(connection, (each.listing.vehicle_id for each in found))
    return [
        {
            "id": each.listing.id,
            "vehicle_id": each.listing.vehicle_id,
            "plate": plates.get(each.listing.vehicle_id),
            "district": each.listing.district,
            "reason": each.listing.reason.value,
            "note": each.note,
            "from_at": each.listing.from_at,
            "until_at": each.listing.until_at,
            "lifted_at": each.listing.lifted_at,
            "lifted_reason": each.lifted_reason,
        }
        for each in found
    ]


@blueprint.get("")
@access.allow(*READERS)
@blueprint.input(ListingsQuery, location="query")
@blueprint.output(ListingsOut)
@blueprint.doc(summary="Vehicles on blacklists, the latest first; plates are masked")
def listings(query_data: ListingsQuery) -> dict[str, Any]:
    """List listings."""
    wiring = access.wiring()
    with wiring.database.read() as connection:
        page = blacklists.page(
            connection,
            at=wiring.clock.now(),
            in_force=query_data.in_force,
            districts=access.known_actor().districts,
            after=after(query_data.cursor),
            limit=query_data.limit,
        )
        return {"items": _shown(connection, page.items), "next": cursor(page.next)}


@blueprint.post("")
@access.allow(Role.OPERATOR)
@act_on_plate
@blueprint.input(ListingIn)
@blueprint.output(ListingOut, status_code=201)
@blueprint.doc(summary="Put a vehicle on a district's blacklist")
def add(uow: UnitOfWork, json_data: ListingIn) -> dict[str, Any]:
    """List a vehicle."""
    made = blacklist_vehicle(
        uow,
        access.known_actor(),
        parse_plate(json_data.plate, json_data.kind),
        parse_district_code(json_data.district),
        ListingReason(json_data.reason),
        note=json_data.note,
        until_at=json_data.until_at,
    )
    return _shown(uow.connection, [blacklists.find(uow.connection, made.id)])[0]


@blueprint.post("/<uuid:listing_id>/lifting")
@access.allow(Role.OPERATOR)
@act
@blueprint.input(LiftingIn)
@blueprint.output(ListingOut)
@blueprint.doc(summary="Take a vehicle off a blacklist")
def lift(uow: UnitOfWork, listing_id: UUID, json_data: LiftingIn) -> dict[str, Any]:
    """Lift a listing."""
    lifted = blacklists.lift(uow, access.known_actor(), ListingId(listing_id), json_data.reason)
    return _shown(uow.connection, [lifted])[0]


def _policy(policy: RegionPolicy) -> dict[str, Any]:
    return {
        "district": policy.district,
        "effects": {reason.value: sorted(each) for reason, each in sorted(policy.effects.items())},
        "honours": sorted(policy.honours),
    }


@blueprint.get("/policies/<string:district>")
@access.allow(*READERS)
@blueprint.output(PolicyOut)
@blueprint.doc(summary="What a district makes of listings")
def policy(district: str) -> dict[str, Any]:
    """Show a region's policy."""
    code = parse_district_code(district)
    access.require_district(code)
    with access.wiring().database.read() as connection:
        return _policy(blacklists.policy(connection, code))


@blueprint.put("/policies/<string:district>")
@access.allow(Role.OPERATOR, Role.ADMINISTRATOR)
@act
@blueprint.input(PolicyIn)
@blueprint.output(PolicyOut)
@blueprint.doc(summary="State what a district makes of listings from now on")
def set_policy(uow: UnitOfWork, district: str, json_data: PolicyIn) -> dict[str, Any]:
    """State a region's policy."""
    effects = {
        ListingReason(reason): frozenset(Effect(each) for each in wanted)
        for reason, wanted in json_data.effects.items()
    }
    new = RegionPolicy(
        parse_district_code(district),
        effects,
        frozenset(
            parse_district_code(each, f"honours[{place}]")
            for place, each in enumerate(json_data.honours)
        ),
    )
    return _policy(blacklists.set_policy(uow, access.known_actor(), new))
