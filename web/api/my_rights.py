"""A driver's own reservations and permits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint

from city.errors import Invalid
from city.identifiers import BayId, FacilityId, ReservationId, VehicleId
from city.people import Role
from journeys.drive_stay import account_of
from journeys.reserve_bay import give_back_own, own_reservations, reserve_own
from parking.services import permits as permit_service
from parking.services import places
from parking.services.reservations import ReservationWish
from web import access
from web.acts import act
from web.api.cursors import after, cursor
from web.api.plates import masked_plates
from web.api.schemas.drivers import (
    GiveBackIn,
    MineQuery,
    MyPermitsOut,
    MyReservationIn,
    MyReservationOut,
    MyReservationsOut,
)
from web.api.shown import names_of
from web.api.shown_rights import allowance_json, shown_reservations

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from sqlalchemy import Connection

    from city.works.database import UnitOfWork
    from parking.rules.rights.reservations import Reservation

blueprint = APIBlueprint("my_rights", __name__, url_prefix="/api/v1/me", tag="Drivers")


def _shown(connection: Connection, found: Sequence[Reservation]) -> list[dict[str, Any]]:
    homes = places.facilities_by_id(connection, {each.facility_id for each in found})
    return [
        {
            **shown,
            "vehicle_id": each.vehicle_id,
            "facility": names_of(homes.get(each.facility_id)),
        }
        for each, shown in zip(found, shown_reservations(connection, found), strict=True)
    ]


@blueprint.get("/reservations")
@access.allow(Role.DRIVER)
@blueprint.input(MineQuery, location="query")
@blueprint.output(MyReservationsOut)
@blueprint.doc(summary="Bays held for the caller's vehicles, the latest first")
def reservations(query_data: MineQuery) -> dict[str, Any]:
    """List the caller's reservations."""
    with access.wiring().database.read() as connection:
        page = own_reservations(
            connection,
            access.known_actor(),
            after=after(query_data.cursor),
            limit=query_data.limit,
        )
        return {"items": _shown(connection, page.items), "next": cursor(page.next)}


@blueprint.post("/reservations")
@access.allow(Role.DRIVER)
@act
@blueprint.input(MyReservationIn)
@blueprint.output(MyReservationOut, status_code=201)
@blueprint.doc(summary="Hold a bay, or any bay of a facility, for a vehicle of one's own")
def reserve(uow: UnitOfWork, json_data: MyReservationIn) -> dict[str, Any]:
    """Hold a bay."""
    if (json_data.bay_id is None) == (json_data.facility_id is None):
        raise Invalid("give either bay_id or facility_id", field="bay_id")
    wish = ReservationWish(
        json_data.from_at,
        json_data.until_at,
        None if json_data.bay_id is None else BayId(json_data.bay_id),
        None if json_data.facility_id is None else FacilityId(json_data.facility_id),
        json_data.bay_kind,
    )
    made = reserve_own(uow, access.known_actor(), VehicleId(json_data.vehicle_id), wish)
    return _shown(uow.connection, [made])[0]


@blueprint.post("/reservations/<uuid:reservation_id>/return")
@access.allow(Role.DRIVER)
@act
@blueprint.input(GiveBackIn)
@blueprint.output(MyReservationOut)
@blueprint.doc(summary="Give a bay back: cancelled before its time, released early in it")
def give_back(uow: UnitOfWork, reservation_id: UUID, json_data: GiveBackIn) -> dict[str, Any]:
    """Give a bay back."""
    del json_data
    over = give_back_own(uow, access.known_actor(), ReservationId(reservation_id))
    return _shown(uow.connection, [over])[0]


@blueprint.get("/permits")
@access.allow(Role.DRIVER)
@blueprint.output(MyPermitsOut)
@blueprint.doc(summary="Permits on whose lists the caller's vehicles are")
def permits() -> dict[str, Any]:
    """List the caller's permits."""
    wiring = access.wiring()
    at = wiring.clock.now()
    with wiring.database.read() as connection:
        found = permit_service.of_driver(connection, account_of(access.known_actor()))
        homes = places.facilities_by_id(
            connection, {place for each, _ in found for place in each.permit.facility_ids}
        )
        plates = masked_plates(connection, (each for _, theirs in found for each in theirs))
    return {
        "items": [
            {
                "id": kept.permit.id,
                "kind": kept.permit.kind.value,
                "label": kept.permit.label,
                "state": kept.permit.state(at),
                "facilities": [
                    {"id": place, "name": names_of(homes[place])}
                    for place in sorted(kept.permit.facility_ids)
                    if place in homes
                ],
                "timezone": kept.permit.timezone,
                "valid_from": kept.permit.valid_from,
                "valid_until": kept.permit.valid_until,
                "hours": kept.permit.terms.hours.as_json(),
                "allowance": allowance_json(kept.permit.terms.allowance),
                "concurrent_limit": kept.permit.terms.concurrent_limit,
                "vehicles": [{"vehicle_id": each, "plate": plates.get(each)} for each in theirs],
            }
            for kept, theirs in found
        ]
    }
