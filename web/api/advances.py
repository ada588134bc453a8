"""What a stay costs by now, paying for it ahead, coupons, and giving back what was too much."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint

from city.errors import NotFound
from city.identifiers import ParkingSessionId
from city.money import Money
from city.people import Role
from journeys.drive_stay import is_own
from journeys.pay_ahead import fee_of_stay, pay_ahead, pay_back, take_coupon
from journeys.tell_fee_ahead import fee_ahead
from parking.rules.tariffs.local_time import utc_at
from parking.services import stays as stay_service
from web import access
from web.acts import act
from web.api.lines import bill_lines
from web.api.roles import BACK_OFFICE
from web.api.schemas.stays import (
    AdvanceIn,
    AdvanceOut,
    CouponIn,
    FeeCourseOut,
    FeeOut,
    FeeQuery,
    RefundIn,
    RefundOut,
)
from web.api.shown import shown_payment, shown_refund

if TYPE_CHECKING:
    from uuid import UUID

    from city.works.database import UnitOfWork
    from journeys.pay_ahead import Fee

blueprint = APIBlueprint(
    "advances", __name__, url_prefix="/api/v1/sessions/<uuid:session_id>", tag="Stays"
)


def _fee(found: Fee) -> dict[str, Any]:
    rated = found.rated
    due = rated.quote.total
    return {
        "session_id": found.session.id,
        "until_at": found.until_at,
        "fee": rated.fee.as_json(),
        "paid_ahead": (rated.fee - due + rated.unused).as_json(),
        "due": due.as_json(),
        "unused": rated.unused.as_json(),
        "lines": bill_lines(rated.quote.lines_json(), due.currency),
        "leave_by_at": found.leave_by_at,
        "coupons_left_out": list(rated.coupons_left_out),
    }


@blueprint.get("/fee")
@access.allow(*BACK_OFFICE, Role.DRIVER)
@blueprint.input(FeeQuery, location="query")
@blueprint.output(FeeOut)
@blueprint.doc(
    summary="What a stay costs by now, or by an instant ahead, explained; a driver's own",
    description="With rights, coupons and what was paid ahead. Of a stay that is over, its end.",
)
def fee(session_id: UUID, query_data: FeeQuery) -> dict[str, Any]:
    """Show what a stay costs."""
    wiring, caller = access.wiring(), access.known_actor()
    staff = caller.has_any(*BACK_OFFICE)
    with wiring.database.read() as connection:
        found = stay_service.find(connection, ParkingSessionId(session_id))
        if found is None or not (staff or is_own(connection, caller, found)):
            raise NotFound("There is no such stay; a passing flicker may have been withdrawn.")
        if staff:
            access.require_district(found.district)
        return _fee(fee_of_stay(connection, found, wiring.clock.now(), query_data.until_at))


@blueprint.get("/fee-course")
@access.allow(Role.ATTENDANT, Role.OPERATOR)
@blueprint.output(FeeCourseOut)
@blueprint.doc(
    summary="What an open stay comes to whenever it ends in the next hours, as a table",
    description=(
        "For terminals without a line: exact for what was known at `made_at`, silent beyond "
        "`until_at`. 409 with `reason` where it cannot be said ahead, as under a permit."
    ),
)
def fee_course(session_id: UUID) -> dict[str, Any]:
    """Tell a fee ahead."""
    wiring = access.wiring()
    now = wiring.clock.now()
    with wiring.database.read() as connection:
        found = stay_service.find(connection, ParkingSessionId(session_id))
        if found is None:
            raise NotFound("There is no such stay; a passing flicker may have been withdrawn.")
        access.require_district(found.district)
        told = fee_ahead(connection, found, now)
    first = told.course.from_s
    return {
        "session_id": session_id,
        "made_at": now,
        "from_at": utc_at(first),
        "until_at": utc_at(told.course.until_s),
        "currency": told.currency,
        "steps": [(at - first, minor) for at, minor in told.course.steps],
    }


@blueprint.post("/advances")
@access.allow(Role.ATTENDANT, Role.FINANCE)
@act
@blueprint.input(AdvanceIn)
@blueprint.output(AdvanceOut, status_code=201)
@blueprint.doc(
    summary="Take cash for a stay while it goes on: all that is due by now, or by an instant",
    description=(
        "Until `leave_by_at` the vehicle can leave and nothing more is due; later the difference "
        "is. What is too much in the end is given back, unless the tariff keeps it."
    ),
)
def advance(uow: UnitOfWork, session_id: UUID, json_data: AdvanceIn) -> dict[str, Any]:
    """Take cash ahead."""
    tendered = Money(json_data.tendered.minor, json_data.tendered.currency)
    caller, wanted = access.known_actor(), ParkingSessionId(session_id)
    paid = pay_ahead(uow, caller, wanted, tendered, json_data.until_at)
    return {
        "payment": shown_payment(paid.payment),
        "covers_until_at": paid.bill.charge.covers_until_at,
        "leave_by_at": paid.leave_by_at,
    }


@blueprint.post("/refunds")
@access.allow(Role.ATTENDANT, Role.FINANCE)
@act
@blueprint.input(RefundIn)
@blueprint.output(RefundOut, status_code=201)
@blueprint.doc(summary="Give back in cash what was paid ahead and the stay's bill did not need")
def refund(uow: UnitOfWork, session_id: UUID, json_data: RefundIn) -> dict[str, Any]:
    """Pay back what is left."""
    del json_data
    return shown_refund(pay_back(uow, access.known_actor(), ParkingSessionId(session_id)))


@blueprint.post("/coupons")
@access.allow(Role.ATTENDANT, Role.OPERATOR)
@act
@blueprint.input(CouponIn)
@blueprint.output(FeeOut)
@blueprint.doc(summary="Take a validation coupon for a stay; each counts once for it")
def coupon(uow: UnitOfWork, session_id: UUID, json_data: CouponIn) -> dict[str, Any]:
    """Take a coupon."""
    caller = access.known_actor()
    session = take_coupon(uow, caller, ParkingSessionId(session_id), json_data.coupon)
    return _fee(fee_of_stay(uow.connection, session, uow.clock.now()))
