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
from parking.services import places, reservations
from parking.services.reservations import ReservationWish
from web import access
from web.acts import act, act_on_plate
from web.api.cursors import after, cursor
from web.api.plates import masked_plates
from web.api.schemas.rights import (
    ReservationIn,
    ReservationOut,
    ReservationsOut,
    ReservationsQuery,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from sqlalchemy import Connection

    from city.works.database import UnitOfWork
    from parking.rules.rights.reservations import Reservation

blueprint = APIBlueprint("reservations", __name__, url_prefix="/api/v1/reservations", tag="Rights")

READERS = (
    Role.ATTENDANT,
    Role.INSPECTOR,
    Role.OPERATOR,
    Role.FINANCE,
    Role.AUDITOR,
    Role.ADMINISTRATOR,
)
MAKERS = (Role.ATTENDANT, Role.OPERATOR)


def _shown(connection: Connection, found: Sequence[Reservation]) -> list[dict[str, Any]]:
    bays = places.bays_by_id(connection, {each.bay_id for each in found})
    plates = masked_plates(connection, (each.vehicle_id for each in found))
    return [
        {
            "id": each.id,
            "state": each.state.value,
            "bay_id": each.bay_id,
            "bay_label": bays[each.bay_id].label if each.bay_id in bays else "",
            "facility_id": each.facility_id,
            "plate": plates.get(each.vehicle_id),
            "from_at": each.from_at,
            "until_at": each.until_at,
            "hold_until_at": each.hold_until_at,
            "session_id": each.session_id,
            "ended_at": each.ended_at,
        }
        for each in found
    ]


@blueprint.get("")
@access.allow(*READERS)
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
        return {"items": _shown(connection, page.items), "next": cursor(page.next)}


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
    return _shown(uow.connection, [made])[0]


@blueprint.get("/<uuid:reservation_id>")
@access.allow(*READERS)
@blueprint.output(ReservationOut)
@blueprint.doc(summary="One reservation")
def reservation(reservation_id: UUID) -> dict[str, Any]:
    """Show a reservation."""
    with access.wiring().database.read() as connection:
        found = reservations.find(connection, ReservationId(reservation_id))
        access.require_district(found.district)
        return _shown(connection, [found])[0]


@blueprint.post("/<uuid:reservation_id>/return")
@access.allow(*MAKERS)
@act
@blueprint.output(ReservationOut)
@blueprint.doc(summary="Give a reservation back: cancelled before its time, released early in it")
def give_back(uow: UnitOfWork, reservation_id: UUID) -> dict[str, Any]:
    """Give a bay back."""
    over = reservations.give_back(uow, access.known_actor(), ReservationId(reservation_id))
    return _shown(uow.connection, [over])[0]
