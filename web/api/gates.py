"""Passages through gates, tickets for vehicles without a plate, and what nobody could match."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint

from city.errors import Invalid
from city.identifiers import DistrictCode, FacilityId, ParkingSessionId, VehicleId
from city.people import Role
from city.vehicles import parse_plate
from journeys.admit_vehicle import Direction, Passage, pass_gate
from journeys.agree_terms import propose_exits
from journeys.ask_exit import ask_exit
from journeys.correct_stay import match_passage
from journeys.drive_stay import account_of, take_ticket
from journeys.meet_vehicle import meet_vehicle
from parking.services import stay_views, tickets
from payments import exits
from payments.rules.exits import ExitMode
from payments.rules.versions import standings
from web import access
from web.acts import act, act_on_plate, look
from web.api.cursors import after, cursor
from web.api.names import names_of
from web.api.plates import masked_plates, one_plate, plate_read
from web.api.schemas.drivers import TicketCodeOut, TicketIn, TicketOut
from web.api.schemas.evidence import (
    ExitIn,
    ExitOut,
    ExitRuleIn,
    ExitRulesOut,
    MatchIn,
    MeetIn,
    PassageIn,
    PassedOut,
    PlateShownOut,
    UnmatchedOut,
    UnmatchedQuery,
)
from web.api.schemas.stays import SessionOut
from web.api.schemas.terms import TermDraftOut, VersionsQuery
from web.api.shown import shown_evidence, shown_session
from web.api.term_drafts import people_of, shown_draft

if TYPE_CHECKING:
    from uuid import UUID

    from city.works.database import UnitOfWork
    from lpr.rules.reads import PlateRead
    from payments.rules.exits import ExitRule

blueprint = APIBlueprint("gates", __name__, url_prefix="/api/v1", tag="Gates")


def _read(sent: PassageIn | ExitIn) -> PlateRead | None:
    if sent.plate is None:
        if sent.confidences is not None or sent.plate_kind is not None:
            raise Invalid("are of a plate, and there is none", field="confidences")
        return None
    return plate_read(sent.plate, sent.plate_kind, sent.confidences)


@blueprint.post("/gates/passages")
@access.credential("integration", "device")
@act_on_plate
@blueprint.input(PassageIn)
@blueprint.output(PassedOut)
@blueprint.doc(
    summary="A passage through a gate, as its camera or ticket reader saw it",
    description=(
        "May come in any order and more than once: `event_id` says which it is. An exit whose "
        "plate was read differently is matched with those inside where it can mean one of them; "
        "else it is `unmatched`, and a person decides. Nobody is billed on a doubtful read. A "
        "device tells of the gate for which it is registered as reader, and of no other."
    ),
)
def passage(uow: UnitOfWork, json_data: PassageIn) -> dict[str, Any]:
    """Take a passage through a gate."""
    passed = pass_gate(
        uow,
        access.known_actor(),
        Passage(
            facility_id=FacilityId(json_data.facility_id),
            gate=json_data.gate,
            direction=Direction(json_data.direction),
            event_id=json_data.event_id,
            at=json_data.at,
            read=_read(json_data),
            ticket=json_data.ticket,
        ),
    )
    session = passed.session
    hold = None if session is None else session.stay.hold
    return {
        "outcome": passed.outcome.value,
        "session_id": None if session is None else session.id,
        "hold": None if hold is None else hold.value,
        "repeated": passed.repeated,
    }


@blueprint.post("/gates/exits")
@access.credential("integration", "device")
@blueprint.input(ExitIn)
@blueprint.output(ExitOut)
@blueprint.doc(
    summary="Whether a gate opens for who stands before it, asks for money, or calls somebody",
    description=(
        "By the facility's rule, its district's or the city's. Ask before the barrier moves, and "
        "again every few seconds while the gate asks for money; once the vehicle has passed, tell "
        "its passage. Nothing is billed by asking. Only this stay's fee is asked for: arrears "
        "take leaving first away, and detain nobody."
    ),
)
def ask_to_leave(json_data: ExitIn) -> dict[str, Any]:
    """Answer a gate."""
    wiring = access.wiring()
    with wiring.database.unit_of_work() as uow:
        passage = Passage(
            facility_id=FacilityId(json_data.facility_id),
            gate=json_data.gate,
            direction=Direction.EXIT,
            event_id="",
            at=uow.clock.now(),
            read=_read(json_data),
            ticket=json_data.ticket,
        )
        answer = ask_exit(uow, access.known_actor(), passage)
    due, fee = answer.due, answer.fee
    return {
        "verdict": answer.verdict.value,
        "because": answer.because.value,
        "mode": answer.mode.value,
        "session_id": None if fee is None else fee.session.id,
        "due": None if due is None else due.as_json(),
        "link": f"{wiring.settings.page_origin}/pay/{answer.link}" if answer.link else None,
        "pay_until_at": answer.pay_until_at,
        "leave_by_at": None if fee is None else fee.leave_by_at,
    }


@blueprint.get("/gates/exit-rules")
@access.allow(Role.OPERATOR, Role.FINANCE, Role.AUDITOR, Role.ADMINISTRATOR)
@blueprint.input(VersionsQuery, location="query")
@blueprint.output(ExitRulesOut)
@blueprint.doc(summary="Where vehicles pay before they leave at an instant, the latest rule first")
def exit_rules(query_data: VersionsQuery) -> dict[str, Any]:
    """List rules about leaving."""
    wiring = access.wiring()
    at = query_data.at or wiring.clock.now()
    with wiring.database.read() as connection:
        found = exits.rules(connection)
        names = names_of(connection, people_of(found))
    stand = standings([((each.facility_id, each.district), each.from_at) for each in found], at)
    items = [
        {**_exit_rule(each), "standing": standing.value}
        for each, standing in zip(found, stand, strict=True)
    ]
    return {"at": at, "items": items, "names": names}


@blueprint.post("/gates/exit-rules")
@access.allow(Role.FINANCE)
@act
@blueprint.input(ExitRuleIn)
@blueprint.output(TermDraftOut, status_code=201)
@blueprint.doc(
    summary="Propose where vehicles leave first and where they pay first; a second person approves"
)
def rule_exit(uow: UnitOfWork, json_data: ExitRuleIn) -> dict[str, Any]:
    """Propose a rule about leaving."""
    draft = propose_exits(
        uow,
        access.known_actor(),
        FacilityId(json_data.facility_id) if json_data.facility_id else None,
        DistrictCode(json_data.district) if json_data.district else None,
        ExitMode(json_data.mode),
        json_data.from_at,
        json_data.source,
    )
    return shown_draft(draft)


@blueprint.get("/gates/unmatched")
@access.allow(Role.ATTENDANT, Role.OPERATOR, Role.AUDITOR)
@blueprint.input(UnmatchedQuery, location="query")
@blueprint.output(UnmatchedOut)
@blueprint.doc(summary="Passages that belong to no stay yet; plates are masked")
def unmatched(query_data: UnmatchedQuery) -> dict[str, Any]:
    """List passages that nobody could match."""
    caller = access.known_actor()
    with access.wiring().database.read() as connection:
        page = stay_views.unmatched(
            connection,
            facility_id=FacilityId(query_data.facility_id) if query_data.facility_id else None,
            districts=caller.districts,
            after=after(query_data.cursor),
            limit=query_data.limit,
        )
        plates = masked_plates(connection, (each.read_as for each in page.items))
    return {
        "items": [shown_evidence(each, plates, names=True) for each in page.items],
        "next": cursor(page.next),
    }


@blueprint.post("/gates/unmatched/<uuid:evidence_id>/match")
@access.allow(Role.ATTENDANT, Role.OPERATOR)
@act
@blueprint.input(MatchIn)
@blueprint.output(SessionOut)
@blueprint.doc(summary="Say whose an unclear passage was")
def match(uow: UnitOfWork, evidence_id: UUID, json_data: MatchIn) -> dict[str, Any]:
    """Match a passage with a stay."""
    caller, session_id = access.known_actor(), ParkingSessionId(json_data.session_id)
    session = match_passage(uow, caller, evidence_id, session_id, json_data.reason)
    vehicle_id = session.stay.vehicle_id
    plates = masked_plates(uow.connection, [vehicle_id])
    return shown_session(session, plates.get(vehicle_id) if vehicle_id else None)


@blueprint.get("/gates/unmatched/<uuid:evidence_id>/plate")
@access.allow(Role.ATTENDANT, Role.OPERATOR)
@look
@blueprint.output(PlateShownOut)
@blueprint.doc(summary="What was read of an unclear passage, whole; on record")
def plate(uow: UnitOfWork, evidence_id: UUID) -> dict[str, Any]:
    """Show what was read."""
    said = stay_views.passage(uow.connection, evidence_id)
    access.require_district(said.district)
    return {"plate": one_plate(uow, access.known_actor(), said.read_as, "unclear passage shown")}


@blueprint.post("/facilities/<uuid:facility_id>/sessions")
@access.allow(Role.ATTENDANT, Role.OPERATOR)
@act_on_plate
@blueprint.input(MeetIn)
@blueprint.output(SessionOut, status_code=201)
@blueprint.doc(summary="A vehicle that no sensor or gate sees: open its stay, or see it again")
def meet(uow: UnitOfWork, facility_id: UUID, json_data: MeetIn) -> dict[str, Any]:
    """Meet a vehicle."""
    seen = parse_plate(json_data.plate, json_data.plate_kind)
    caller = access.known_actor()
    session = meet_vehicle(uow, caller, FacilityId(facility_id), seen, json_data.where)
    # Whoever met it has just read it; the answer is kept for repetitions, in the clear.
    masked = {"text": seen.masked(), "kind": seen.kind.value, "masked": True}
    return shown_session(session, masked)


@blueprint.post("/facilities/<uuid:facility_id>/tickets")
@access.allow(Role.DRIVER)
@act
@blueprint.input(TicketIn)
@blueprint.output(TicketOut, status_code=201)
@blueprint.doc(summary="A ticket for the gates, for a vehicle that has no plate yet")
def ticket(uow: UnitOfWork, facility_id: UUID, json_data: TicketIn) -> dict[str, Any]:
    """Take a ticket."""
    del json_data
    # Without its code: the answer is kept for repetitions, in the clear.
    return _ticket(take_ticket(uow, access.known_actor(), FacilityId(facility_id)))


@blueprint.get("/me/tickets/<uuid:vehicle_id>")
@access.allow(Role.DRIVER)
@look
@blueprint.output(TicketCodeOut)
@blueprint.doc(summary="A ticket that the caller took, with the code that gates read")
def own_ticket(uow: UnitOfWork, vehicle_id: UUID) -> dict[str, Any]:
    """Show a ticket's code to who took it."""
    taken, code = tickets.of_account(uow, account_of(access.known_actor()), VehicleId(vehicle_id))
    return {**_ticket(taken), "code": code}


def _exit_rule(ruled: ExitRule) -> dict[str, Any]:
    return {
        "id": ruled.id,
        "facility_id": ruled.facility_id,
        "district": ruled.district,
        "mode": ruled.mode.value,
        "from_at": ruled.from_at,
        "source": ruled.source,
        "agreed_at": ruled.agreed_at,
        "agreed_by": ruled.agreed_by,
        "approved_by": ruled.approved_by,
    }


def _ticket(taken: tickets.Ticket) -> dict[str, Any]:
    return {
        "vehicle_id": taken.vehicle_id,
        "facility_id": taken.facility_id,
        "made_at": taken.made_at,
    }
