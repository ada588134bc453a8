"""Reservations: holding bays for vehicles, and giving them back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint

from city.errors import Invalid
from city.identifiers import BayId, FacilityId, ReservationId
from city.people import Role
from city.vehicles import parse_plate
from journeys.reserve_bay import reserve_bay
from parking.rules.rights.reservations import ReservationState
from parking.services import reservations
from parking.services.reservations import ReservationWish
from web import access
from web.acts import act, act_on_plate
from web.api.cursors import after, cursor
from web.api.roles import BACK_OFFICE
from web.api.schemas.rights import (
    ReservationIn,
    ReservationOut,
    ReservationsOut,
    ReservationsQuery,
)
from web.api.shown_rights import shown_reservations

if TYPE_CHECKING:
    from uuid import UUID

    from city.works.database import UnitOfWork

blueprint = APIBlueprint("reservations", __name__, url_prefix="/api/v1/reservations", tag="Rights")

MAKERS = (Role.ATTENDANT, Role.OPERATOR)


@blueprint.get("")
@access.allow(*BACK_OFFICE)
@blueprint.input(ReservationsQuery, location="query")
@blueprint.output(ReservationsOut)
@blueprint.doc(summary="Reservations, the latest first; plates are masked")
def reservations_page(query_data: ReservationsQuery) -> dict[str, Any]:
    """List reservations."""
    with access.wiring().database.read() as connection:
        page = reservations.page(
            connection,
            facility_id=FacilityId(query_data.facility_id) if query_data.facility_id else None,
            state=ReservationState(query_data.state) if query_data.state else None,
            districts=access.known_actor().districts,
            after=after(query_data.cursor),
            limit=query_data.limit,
        )
        return {"items": shown_reservations(connection, page.items), "next": cursor(page.next)}


@blueprint.post("")
@access.allow(*MAKERS)
@act_on_plate
@blueprint.input(ReservationIn)
@blueprint.output(ReservationOut, status_code=201)
@blueprint.doc(summary="Hold a bay for a vehicle; of two who want it one gets it")
def reserve(uow: UnitOfWork, json_data: ReservationIn) -> dict[str, Any]:
    """Hold a bay."""
    if (json_data.bay_id is None) == (json_data.facility_id is None):
        raise Invalid("give either bay_id or facility_id", field="bay_id")
    plate = parse_plate(json_data.plate, json_data.kind)
    wish = ReservationWish(
        json_data.from_at,
        json_data.until_at,
        None if json_data.bay_id is None else BayId(json_data.bay_id),
        None if json_data.facility_id is None else FacilityId(json_data.facility_id),
        json_data.bay_kind,
    )
    made = reserve_bay(uow, access.known_actor(), plate, wish)
    return shown_reservations(uow.connection, [made])[0]


@blueprint.get("/<uuid:reservation_id>")
@access.allow(*BACK_OFFICE)
@blueprint.output(ReservationOut)
@blueprint.doc(summary="One reservation")
def reservation(reservation_id: UUID) -> dict[str, Any]:
    """Show a reservation."""
    with access.wiring().database.read() as connection:
        found = reservations.find(connection, ReservationId(reservation_id))
        access.require_district(found.district)
        return shown_reservations(connection, [found])[0]


@blueprint.post("/<uuid:reservation_id>/return")
@access.allow(*MAKERS)
@act
@blueprint.output(ReservationOut)
@blueprint.doc(summary="Give a reservation back: cancelled before its time, released early in it")
def give_back(uow: UnitOfWork, reservation_id: UUID) -> dict[str, Any]:
    """Give a bay back."""
    over = reservations.give_back(uow, access.known_actor(), ReservationId(reservation_id))
    return shown_reservations(uow.connection, [over])[0]
