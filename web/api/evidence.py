"""What was said of stays, corrections of them, and those that never end."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint

from city.errors import NotFound
from city.identifiers import FacilityId, ParkingSessionId
from city.people import Role
from city.vehicles import parse_plate
from journeys.correct_stay import Correction, CorrectionKind, correct_stay
from journeys.drive_stay import is_own, show_code
from parking.rules.evidence import SetAside
from parking.services import stay_views
from parking.services import stays as stay_service
from web import access
from web.acts import act, act_on_plate
from web.api.cursors import after, cursor
from web.api.plates import masked_plates
from web.api.roles import BACK_OFFICE
from web.api.schemas.evidence import (
    CodeOut,
    CorrectedOut,
    CorrectionIn,
    LongStaysOut,
    LongStaysQuery,
    TimelineOut,
)
from web.api.shown import shown_evidence, shown_of

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Connection

    from city.identifiers import VehicleId
    from city.works.database import UnitOfWork
    from parking.rules.stays import ParkingSession

blueprint = APIBlueprint("evidence", __name__, url_prefix="/api/v1", tag="Stays")


@blueprint.get("/sessions/<uuid:session_id>/evidence")
@access.allow(*BACK_OFFICE, Role.DRIVER)
@blueprint.output(TimelineOut)
@blueprint.doc(summary="All that was said of a stay, for staff and for its driver alike")
def timeline(session_id: UUID) -> dict[str, Any]:
    """Show what a stay is made of."""
    caller = access.known_actor()
    staff = caller.has_any(*BACK_OFFICE)
    with access.wiring().database.read() as connection:
        found = stay_service.find(connection, ParkingSessionId(session_id))
        if found is None or not (staff or is_own(connection, caller, found)):
            raise NotFound("There is no such stay; a passing flicker may have been withdrawn.")
        if staff:
            access.require_district(found.district)
        shown = stay_views.timeline(connection, found)
        everybody: list[VehicleId | None] = [
            each.stay.vehicle_id for each in (shown.session, *shown.parts)
        ]
        for said in shown.evidence:
            everybody += [said.vehicle_id, said.read_as]
        plates = masked_plates(connection, everybody)
    return {
        "session": shown_of(shown.session, plates),
        "parts": [shown_of(each, plates) for each in shown.parts],
        "items": [shown_evidence(each, plates, names=staff) for each in shown.evidence],
    }


@blueprint.post("/sessions/<uuid:session_id>/corrections")
@access.allow(Role.ATTENDANT, Role.OPERATOR)
@act_on_plate
@blueprint.input(CorrectionIn)
@blueprint.output(CorrectedOut)
@blueprint.doc(summary="Correct a stay: end, split, join, move, set aside, identify; with a reason")
def correct(uow: UnitOfWork, session_id: UUID, json_data: CorrectionIn) -> dict[str, Any]:
    """Correct a stay."""
    plate = json_data.plate
    said = Correction(
        kind=CorrectionKind(json_data.kind),
        reason=json_data.reason,
        at=json_data.at,
        other_id=ParkingSessionId(json_data.other_id) if json_data.other_id else None,
        plate=None if plate is None else parse_plate(plate, json_data.plate_kind),
        set_aside=SetAside(json_data.set_aside) if json_data.set_aside else None,
        vehicle_left=json_data.vehicle_left,
    )
    done = correct_stay(uow, access.known_actor(), ParkingSessionId(session_id), said)
    plates = masked_plates(uow.connection, (each.stay.vehicle_id for each in done))
    return {"items": [shown_of(each, plates) for each in done]}


@blueprint.post("/sessions/<uuid:session_id>/code")
@access.allow(Role.ATTENDANT, Role.OPERATOR)
@act
@blueprint.output(CodeOut, status_code=201)
@blueprint.doc(summary="A code that proves that whoever is shown it stands at the vehicle")
def code(uow: UnitOfWork, session_id: UUID) -> dict[str, Any]:
    """Make a code to show to a driver."""
    made, expires_at = show_code(uow, access.known_actor(), ParkingSessionId(session_id))
    return {"code": made, "expires_at": expires_at}


@blueprint.get("/sessions/long")
@access.allow(Role.ATTENDANT, Role.OPERATOR, Role.AUDITOR, Role.ADMINISTRATOR)
@blueprint.input(LongStaysQuery, location="query")
@blueprint.output(LongStaysOut)
@blueprint.doc(summary="Cars that never leave: stays that are open for too long, and why")
def long_stays(query_data: LongStaysQuery) -> dict[str, Any]:
    """List stays that never end."""
    wiring, caller = access.wiring(), access.known_actor()
    with wiring.database.read() as connection:
        found, more = stay_views.long_open(
            connection,
            wiring.clock.now() - timedelta(hours=query_data.open_for_h),
            facility_id=FacilityId(query_data.facility_id) if query_data.facility_id else None,
            districts=caller.districts,
            after=_place(connection, after(query_data.cursor)),
            limit=query_data.limit,
        )
        plates = masked_plates(connection, (each.session.stay.vehicle_id for each in found))
    return {
        "items": [
            {
                "session": shown_of(each.session, plates),
                "why": each.why.value,
                "last_word_at": each.last_word_at,
            }
            for each in found
        ],
        "next": cursor(found[-1].session.id) if more else None,
    }


def _place(connection: Connection, session_id: UUID | None) -> tuple[datetime, UUID] | None:
    """Give where a page begins, in the order of beginnings."""
    found: ParkingSession | None = None
    if session_id is not None:
        found = stay_service.find(connection, ParkingSessionId(session_id))
        if found is None:
            raise NotFound("The page's first stay is gone: start again.", field="cursor")
    return None if found is None else (found.stay.opened_at, found.id)
