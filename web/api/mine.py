"""A driver's own side: vehicles, stays, bills."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint

from city.identifiers import BayId, BillId, ParkingSessionId, VehicleId
from city.people import Role
from city.vehicles import parse_plate
from journeys.drive_stay import (
    Binding,
    bills_of_driver,
    bind_vehicle,
    end_stay,
    extend_stay,
    own_stays,
    own_vehicles,
    start_stay,
    unbind_vehicle,
)
from journeys.offer_ahead import offer_own
from journeys.pay_ahead import leaves_by
from parking.rules.stays import StayState
from parking.services import places
from web import access
from web.acts import act, act_on_plate, look
from web.api.cursors import after, cursor
from web.api.plates import masked_plates
from web.api.schemas.drivers import (
    BindIn,
    EndIn,
    ExtendIn,
    MineQuery,
    MyBillsOut,
    MyStayOut,
    MyStaysOut,
    MyStaysQuery,
    OfferIn,
    OfferOut,
    StartIn,
    UnbindIn,
    VehicleOut,
    VehiclesOut,
)
from web.api.shown import names_of, shown_bills, shown_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from sqlalchemy import Connection

    from city.works.database import UnitOfWork
    from parking.rules.stays import ParkingSession
    from parking.rules.vehicle_users import VehicleUse
    from parking.store.pages import Page
    from web.api.schemas.base import PageQuery

blueprint = APIBlueprint("mine", __name__, url_prefix="/api/v1/me", tag="Drivers")


@blueprint.get("/vehicles")
@access.allow(Role.DRIVER)
@blueprint.output(VehiclesOut)
@blueprint.doc(summary="The caller's vehicles; plates are masked")
def vehicles() -> dict[str, Any]:
    """List the caller's vehicles."""
    with access.wiring().database.read() as connection:
        found = own_vehicles(connection, access.known_actor())
        return {"items": _vehicles(connection, found)}


@blueprint.post("/vehicles")
@access.allow(Role.DRIVER)
@act_on_plate
@blueprint.input(BindIn)
@blueprint.output(VehicleOut, status_code=201)
@blueprint.doc(summary="Bind a vehicle by proof: a code shown at it, or a paid bill and its plate")
def bind(uow: UnitOfWork, json_data: BindIn) -> dict[str, Any]:
    """Bind a vehicle."""
    text = json_data.plate
    binding = Binding(
        code=json_data.code,
        bill_id=BillId(json_data.bill_id) if json_data.bill_id else None,
        plate=None if text is None else parse_plate(text, json_data.plate_kind),
        resale=json_data.resale,
    )
    use = bind_vehicle(uow, access.known_actor(), binding)
    return _vehicles(uow.connection, [use])[0]


@blueprint.post("/vehicles/<uuid:vehicle_id>/unbinding")
@access.allow(Role.DRIVER)
@act
@blueprint.input(UnbindIn)
@blueprint.output(VehicleOut)
@blueprint.doc(summary="Unbind a vehicle, as when it is sold")
def unbind(uow: UnitOfWork, vehicle_id: UUID, json_data: UnbindIn) -> dict[str, Any]:
    """Unbind a vehicle."""
    del json_data
    use = unbind_vehicle(uow, access.known_actor(), VehicleId(vehicle_id))
    return _vehicles(uow.connection, [use])[0]


@blueprint.get("/stays")
@access.allow(Role.DRIVER)
@blueprint.input(MyStaysQuery, location="query")
@blueprint.output(MyStaysOut)
@blueprint.doc(summary="The caller's stays, the latest first")
def stays(query_data: MyStaysQuery) -> dict[str, Any]:
    """List the caller's stays."""
    state = StayState(query_data.state) if query_data.state else None
    with access.wiring().database.read() as connection:
        page = _page(connection, query_data, state=state)
        return {"items": _stays(connection, page.items), "next": cursor(page.next)}


@blueprint.post("/stays")
@access.allow(Role.DRIVER)
@act
@blueprint.input(StartIn)
@blueprint.output(MyStayOut, status_code=201)
@blueprint.doc(summary="Start a stay in a bay with a vehicle of one's own")
def start(uow: UnitOfWork, json_data: StartIn) -> dict[str, Any]:
    """Start a stay."""
    session = start_stay(
        uow,
        access.known_actor(),
        BayId(json_data.bay_id),
        VehicleId(json_data.vehicle_id),
        json_data.until_at,
    )
    return _stays(uow.connection, [session])[0]


@blueprint.post("/stays/<uuid:session_id>/extension")
@access.allow(Role.DRIVER)
@act
@blueprint.input(ExtendIn)
@blueprint.output(MyStayOut)
@blueprint.doc(summary="Say until when a stay of one's own is planned now")
def extend(uow: UnitOfWork, session_id: UUID, json_data: ExtendIn) -> dict[str, Any]:
    """Extend a stay."""
    caller, wanted = access.known_actor(), ParkingSessionId(session_id)
    return _stays(uow.connection, [extend_stay(uow, caller, wanted, json_data.until_at)])[0]


@blueprint.post("/stays/<uuid:session_id>/end")
@access.allow(Role.DRIVER)
@act
@blueprint.input(EndIn)
@blueprint.output(MyStayOut)
@blueprint.doc(summary="End a stay of one's own now")
def end(uow: UnitOfWork, session_id: UUID, json_data: EndIn) -> dict[str, Any]:
    """End a stay."""
    del json_data
    session = end_stay(uow, access.known_actor(), ParkingSessionId(session_id))
    return _stays(uow.connection, [session])[0]


@blueprint.post("/stays/<uuid:session_id>/offer")
@access.allow(Role.DRIVER)
@look
@blueprint.input(OfferIn)
@blueprint.output(OfferOut)
@blueprint.doc(
    summary="What a stay of one's own costs by now, to be paid online before leaving",
    description=(
        "The link leads to the pay page. Asked again while it costs the same, it is the same "
        "offer; nothing is owed for one that is not paid."
    ),
)
def offer(uow: UnitOfWork, session_id: UUID, json_data: OfferIn) -> dict[str, Any]:
    """Offer what is due by now."""
    del json_data
    offered, link = offer_own(uow, access.known_actor(), ParkingSessionId(session_id))
    return {
        "amount": offered.amount.as_json(),
        "until_at": offered.due_at,
        "leave_by_at": leaves_by(uow.connection, offered),
        "link": f"/pay/{link}",
    }


@blueprint.get("/bills")
@access.allow(Role.DRIVER)
@blueprint.input(MineQuery, location="query")
@blueprint.output(MyBillsOut)
@blueprint.doc(summary="The bills of the caller's stays, the latest first; also cancelled ones")
def bills(query_data: MineQuery) -> dict[str, Any]:
    """List the caller's bills."""
    with access.wiring().database.read() as connection:
        page = _page(connection, query_data, billed=True)
        found = [bill for bill, _ in bills_of_driver(connection, page)]
        return {"items": shown_bills(connection, found), "next": cursor(page.next)}


def _page(connection: Connection, asked: PageQuery, **which: Any) -> Page[ParkingSession]:
    """Give a page of the caller's stays."""
    return own_stays(
        connection,
        access.known_actor(),
        after=after(asked.cursor),
        limit=asked.limit,
        **which,
    )


def _stays(connection: Connection, found: Sequence[ParkingSession]) -> list[dict[str, Any]]:
    plates = masked_plates(connection, (each.stay.vehicle_id for each in found))
    facilities = places.facilities_by_id(connection, {each.facility_id for each in found})
    return [
        {**shown_of(each, plates), "facility": names_of(facilities.get(each.facility_id))}
        for each in found
    ]


def _vehicles(connection: Connection, found: list[VehicleUse]) -> list[dict[str, Any]]:
    plates = masked_plates(connection, (each.vehicle_id for each in found))
    return [
        {
            "id": each.vehicle_id,
            "plate": plates.get(each.vehicle_id),
            "since_at": each.since_at,
            "proof": each.proof.value,
        }
        for each in found
    ]
