"""The registry as its keepers see it: facilities by operator, bays as kept, held times."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from apiflask import APIBlueprint

from city.errors import Invalid
from city.identifiers import OperatorId
from city.people import Role
from parking.services import places, registry
from web import access
from web.api.cursors import after, cursor
from web.api.place_states import place_json
from web.api.plates import masked_plates
from web.api.schemas.base import PageQuery
from web.api.schemas.registry import (
    BayRecordsOut,
    HoldsOut,
    HoldsQuery,
    RegisteredPageOut,
    RegisteredQuery,
)

if TYPE_CHECKING:
    from uuid import UUID

    from parking.services.registry import Registered

blueprint = APIBlueprint("registry", __name__, url_prefix="/api/v1", tag="Registry")

READERS = (
    Role.OPERATOR,
    Role.FINANCE,
    Role.ENGINEER,
    Role.AUDITOR,
    Role.ADMINISTRATOR,
)
HOLD_READERS = (Role.ATTENDANT, Role.INSPECTOR, *READERS)
LONGEST: Final = timedelta(days=62)


def _registered(found: Registered) -> dict[str, Any]:
    home = found.facility
    return {
        "id": home.id,
        "operator_id": home.operator_id,
        "code": home.code,
        "name": {"zh": home.name_zh, "en": home.name_en},
        "district": home.district,
        "kind": home.kind,
        "ownership": home.ownership,
        "onboarding": home.onboarding,
        "title": home.title,
        "position": home.position.as_json(),
        "tariff_id": home.tariff_id,
        "bays": {"public": found.public, "reserved": found.reserved, "permit": found.permit},
        "suspended": found.suspended,
        "version": home.standing.version,
    }


@blueprint.get("/registered-facilities")
@access.allow(*READERS)
@blueprint.input(RegisteredQuery, location="query")
@blueprint.output(RegisteredPageOut)
@blueprint.doc(summary="Facilities in the caller's districts with operator, state and bays")
def registered(query_data: RegisteredQuery) -> dict[str, Any]:
    """List what is registered."""
    wiring = access.wiring()
    wanted = query_data.operator_id
    with wiring.database.read() as connection:
        page = registry.registered(
            connection,
            at=wiring.clock.now(),
            operator_id=None if wanted is None else OperatorId(wanted),
            districts=access.known_actor().districts,
            after=after(query_data.cursor),
            limit=query_data.limit,
        )
    return {"items": [_registered(each) for each in page.items], "next": cursor(page.next)}


@blueprint.get("/facilities/<uuid:facility_id>/bay-records")
@access.allow(*READERS)
@blueprint.input(PageQuery, location="query")
@blueprint.output(BayRecordsOut)
@blueprint.doc(summary="Bays of a facility with all that is kept of them; not retired ones")
def bay_records(facility_id: UUID, query_data: PageQuery) -> dict[str, Any]:
    """List bays as they are kept."""
    with access.wiring().database.read() as connection:
        home = places.facility(connection, facility_id)
        access.require_district(home.district)
        page = places.bays(
            connection,
            facility_id=home.id,
            after=after(query_data.cursor),
            limit=query_data.limit,
        )
    return {"items": [place_json(each) for each in page.items], "next": cursor(page.next)}


@blueprint.get("/bays/<uuid:bay_id>/holds")
@access.allow(*HOLD_READERS)
@blueprint.input(HoldsQuery, location="query")
@blueprint.output(HoldsOut)
@blueprint.doc(summary="Who holds a bay's time: reservations and permits' own bays")
def holds(bay_id: UUID, query_data: HoldsQuery) -> dict[str, Any]:
    """List the held times of a bay."""
    if query_data.until_at <= query_data.from_at:
        raise Invalid("must lie after the beginning", field="until_at")
    if query_data.until_at - query_data.from_at > LONGEST:
        raise Invalid(f"must lie within {LONGEST.days} days", field="until_at")
    with access.wiring().database.read() as connection:
        bay = places.bay(connection, bay_id)
        access.require_district(bay.district)
        found = registry.holds_of(
            connection, bay.id, query_data.from_at, query_data.until_at, most=registry.MOST + 1
        )
        plates = masked_plates(connection, (each.vehicle_id for each in found))
    return {
        "items": [
            {
                "kind": "reservation" if each.permit_id is None else "permit",
                "from_at": each.from_at,
                "until_at": each.until_at,
                "permit_id": each.permit_id,
                "permit_label": each.permit_label,
                "reservation_id": each.reservation_id,
                "reservation_state": each.reservation_state,
                "plate": plates.get(each.vehicle_id) if each.vehicle_id else None,
            }
            for each in found[: registry.MOST]
        ],
        "more": len(found) > registry.MOST,
    }
