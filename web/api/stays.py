"""Parking sessions, bills and cash."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint

from city.errors import NotFound
from city.identifiers import BayId, BillId, FacilityId, ParkingSessionId
from city.money import Money
from city.people import Role
from city.vehicles import parse_plate
from journeys.attach_vehicle import attach_vehicle
from journeys.dispute_bill import own_bill, pay_back_cancelled
from journeys.keep_arrears import take_part
from journeys.refund_cash import refund_cash
from journeys.take_payment import take_payment
from parking.rules.stays import StayState
from parking.services import places
from parking.services import stays as stay_service
from payments import cancelling, disputes, giving_back
from payments import services as payments
from payments.rules.bills import BillState
from web import access
from web.acts import act, act_on_plate, look
from web.api.cursors import after, cursor
from web.api.plates import masked_plates, one_plate
from web.api.roles import BACK_OFFICE
from web.api.schemas.stays import (
    AttachedOut,
    AttachIn,
    BillOut,
    BillsOut,
    BillsQuery,
    CashRefundIn,
    PaymentIn,
    PaymentOut,
    RefundIn,
    RefundOut,
    SessionOut,
    SessionsOut,
    SessionsQuery,
)
from web.api.shown import (
    shown_bill,
    shown_bills,
    shown_of,
    shown_payment,
    shown_refund,
    shown_session,
)

if TYPE_CHECKING:
    from uuid import UUID

    from city.works.database import UnitOfWork
    from parking.rules.stays import ParkingSession

blueprint = APIBlueprint("stays", __name__, url_prefix="/api/v1", tag="Stays")


@blueprint.get("/sessions")
@access.allow(*BACK_OFFICE)
@blueprint.input(SessionsQuery, location="query")
@blueprint.output(SessionsOut)
@blueprint.doc(summary="Stays, the latest first; plates are masked")
def sessions(query_data: SessionsQuery) -> dict[str, Any]:
    """List stays."""
    caller = access.known_actor()
    with access.wiring().database.read() as connection:
        page = stay_service.page(
            connection,
            bay_id=BayId(query_data.bay_id) if query_data.bay_id else None,
            facility_id=FacilityId(query_data.facility_id) if query_data.facility_id else None,
            state=StayState(query_data.state) if query_data.state else None,
            held=query_data.held,
            districts=caller.districts,
            after=after(query_data.cursor),
            limit=query_data.limit,
        )
        plates = masked_plates(connection, (each.stay.vehicle_id for each in page.items))
    return {
        "items": [shown_of(each, plates) for each in page.items],
        "next": cursor(page.next),
    }


@blueprint.get("/sessions/<uuid:session_id>")
@access.allow(*BACK_OFFICE)
@look
@blueprint.output(SessionOut)
@blueprint.doc(summary="One stay; the plate is whole for roles that need it, on record")
def session(uow: UnitOfWork, session_id: UUID) -> dict[str, Any]:
    """Show one stay."""
    found = _find(uow, ParkingSessionId(session_id))
    plate = one_plate(uow, access.known_actor(), found.stay.vehicle_id, "stay shown")
    return shown_session(found, plate)


def _find(uow: UnitOfWork, session_id: ParkingSessionId) -> ParkingSession:
    found = stay_service.find(uow.connection, session_id)
    if found is None:
        raise NotFound("There is no such stay; a passing flicker may have been withdrawn.")
    access.require_district(found.district)
    return found


@blueprint.post("/sessions/<uuid:session_id>/vehicle")
@access.allow(Role.ATTENDANT, Role.OPERATOR)
@act_on_plate
@blueprint.input(AttachIn)
@blueprint.output(AttachedOut)
@blueprint.doc(summary="Say which vehicle a stay belongs to; the plate comes back masked")
def attach(uow: UnitOfWork, session_id: UUID, json_data: AttachIn) -> dict[str, Any]:
    """Attach the plate that was seen in the bay."""
    plate = parse_plate(json_data.plate, json_data.kind)
    attached = attach_vehicle(uow, access.known_actor(), ParkingSessionId(session_id), plate)
    session = attached.session
    # Whoever attached it has just read it; the answer is kept for repetitions, in the clear.
    masked = {"text": plate.masked(), "kind": plate.kind.value, "masked": True}
    return {
        **shown_session(session, masked),
        "warnings": [each.value for each in attached.warnings],
    }


@blueprint.get("/bills")
@access.allow(*BACK_OFFICE)
@blueprint.input(BillsQuery, location="query")
@blueprint.output(BillsOut)
@blueprint.doc(summary="Bills, the latest first; plates are masked")
def bills(query_data: BillsQuery) -> dict[str, Any]:
    """List bills."""
    caller = access.known_actor()
    with access.wiring().database.read() as connection:
        following = after(query_data.cursor)
        page = payments.bills(
            connection,
            state=BillState(query_data.state) if query_data.state else None,
            facility_id=FacilityId(query_data.facility_id) if query_data.facility_id else None,
            districts=caller.districts,
            after=BillId(following) if following else None,
            limit=query_data.limit,
        )
        return {"items": shown_bills(connection, page.items), "next": cursor(page.next)}


@blueprint.get("/bills/<uuid:bill_id>")
@access.allow(*BACK_OFFICE, Role.DRIVER)
@look
@blueprint.output(BillOut)
@blueprint.doc(summary="One bill, explained line by line; a driver's own")
def bill(uow: UnitOfWork, bill_id: UUID) -> dict[str, Any]:
    """Show one bill."""
    caller = access.known_actor()
    found = payments.find_bill(uow.connection, BillId(bill_id))
    staff = caller.has_any(*BACK_OFFICE)
    if found is None or not (staff or own_bill(uow, caller, found)):
        raise NotFound("There is no such bill.")
    if staff:
        access.require_district(found.charge.district)
    facilities = places.facilities_by_id(uow.connection, [found.charge.facility_id])
    plate = one_plate(uow, caller, found.charge.vehicle_id, "bill shown")
    dispute = disputes.of_bills(uow.connection, [found.id]).get(found.id)
    payment = payments.payment_of_bill(uow.connection, found.id)
    shown = shown_bill(found, facilities.get(found.charge.facility_id), plate, dispute, payment)
    return {
        **shown,
        "cash_owed_back": cancelling.cash_owed_back(uow.connection, found).as_json(),
        "cash_refundable": giving_back.refundable(uow.connection, found).as_json(),
    }


@blueprint.post("/bills/<uuid:bill_id>/refunds")
@access.allow(Role.ATTENDANT, Role.FINANCE)
@act
@blueprint.input(RefundIn)
@blueprint.output(RefundOut, status_code=201)
@blueprint.doc(
    summary="Give back in cash what was paid in cash of a bill that was cancelled",
    description="What was paid of it online goes back by itself.",
)
def pay_back(uow: UnitOfWork, bill_id: UUID, json_data: RefundIn) -> dict[str, Any]:
    """Give cash back."""
    del json_data
    return shown_refund(pay_back_cancelled(uow, access.known_actor(), BillId(bill_id)))


@blueprint.post("/bills/<uuid:bill_id>/cash-refunds")
@access.allow(Role.FINANCE, Role.ADMINISTRATOR)
@act
@blueprint.input(CashRefundIn)
@blueprint.output(RefundOut, status_code=201)
@blueprint.doc(
    summary="Give a part or all of what was paid in cash of a bill back, out of one's own cash",
    description=(
        "The bill stays paid. Idempotent by `id`. How much goes back at once, and in a day by any "
        "way, follows from the caller's role."
    ),
)
def refund_in_cash(uow: UnitOfWork, bill_id: UUID, json_data: CashRefundIn) -> dict[str, Any]:
    """Give cash back."""
    amount = Money(json_data.amount.minor, json_data.amount.currency)
    caller = access.known_actor()
    done = refund_cash(uow, caller, BillId(bill_id), amount, json_data.reason, json_data.id)
    return shown_refund(done)


@blueprint.post("/bills/<uuid:bill_id>/payments")
@access.allow(Role.ATTENDANT, Role.FINANCE)
@act
@blueprint.input(PaymentIn)
@blueprint.output(PaymentOut, status_code=201)
@blueprint.doc(summary="Take cash for a bill; the change to hand back comes with the answer")
def pay(uow: UnitOfWork, bill_id: UUID, json_data: PaymentIn) -> dict[str, Any]:
    """Take cash."""
    tendered = Money(json_data.tendered.minor, json_data.tendered.currency)
    caller = access.known_actor()
    if json_data.part is not None:
        part = Money(json_data.part.minor, json_data.part.currency)
        return shown_payment(take_part(uow, caller, BillId(bill_id), part, tendered))
    return shown_payment(take_payment(uow, caller, BillId(bill_id), tendered))
