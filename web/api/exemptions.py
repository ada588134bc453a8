"""Stays freed of their fee: by which reasons where, by whom, and taken back by a supervisor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint

from city.audit import record
from city.errors import NotFound
from city.identifiers import DistrictCode, FacilityId, ParkingSessionId
from city.people import Role
from journeys.exempt_stay import Freeing, exempt_stay, withdraw_exemption
from journeys.mark_escape import withdraw_escape
from parking.rules.exemptions import ExemptionPolicy, ExemptReason
from parking.rules.tariffs.document import Name
from parking.services import exemptions, places
from web import access
from web.acts import act
from web.api.plates import masked_plates
from web.api.roles import BACK_OFFICE
from web.api.schemas.exemptions import (
    ExemptionPoliciesOut,
    ExemptionPolicyIn,
    ExemptionPolicyOut,
    ExemptionsOut,
    ExemptionWithdrawalIn,
    FreeingIn,
)
from web.api.schemas.stays import SessionOut
from web.api.shown import shown_of

if TYPE_CHECKING:
    from uuid import UUID

    from city.works.database import UnitOfWork
    from parking.rules.exemptions import RegionExemptions
    from parking.rules.stays import ParkingSession

blueprint = APIBlueprint("exemptions", __name__, url_prefix="/api/v1", tag="Stays")


@blueprint.get("/facilities/<uuid:facility_id>/exemptions")
@access.allow(*BACK_OFFICE)
@blueprint.output(ExemptionsOut)
@blueprint.doc(summary="What frees a stay here: reasons that a person states, and kinds of plates")
def of_facility(facility_id: UUID) -> dict[str, Any]:
    """Show what frees a stay at a place."""
    wiring = access.wiring()
    now = wiring.clock.now()
    with wiring.database.read() as connection:
        found = places.facilities_by_id(connection, [FacilityId(facility_id)])
        facility = found.get(FacilityId(facility_id))
        if facility is None:
            raise NotFound("There is no such facility.")
        policy = exemptions.policy_at(connection, facility.district, now)
        kinds = exemptions.free_kinds(connection, facility.id, facility.district, now)
    return {
        "reasons": [each.as_json() for each in policy.reasons],
        "source": policy.source,
        "free_kinds": [
            {
                "kind": each.kind.value,
                "name": {"zh": each.name.zh, "en": each.name.en},
                "by": each.by.value,
            }
            for each in kinds
        ],
    }


@blueprint.get("/exemption-policies")
@access.allow(Role.OPERATOR, Role.FINANCE, Role.AUDITOR, Role.ADMINISTRATOR)
@blueprint.output(ExemptionPoliciesOut)
@blueprint.doc(summary="The reasons that regions accept, by district, the latest first")
def policies() -> dict[str, Any]:
    """List what regions ruled."""
    with access.wiring().database.read() as connection:
        return {"items": [_policy(each) for each in exemptions.policies(connection)]}


@blueprint.post("/exemption-policies")
@access.allow(Role.ADMINISTRATOR)
@act
@blueprint.input(ExemptionPolicyIn)
@blueprint.output(ExemptionPolicyOut, status_code=201)
@blueprint.doc(summary="Say which reasons a region accepts from an instant on")
def state_policy(uow: UnitOfWork, json_data: ExemptionPolicyIn) -> dict[str, Any]:
    """Keep what a region rules."""
    caller = access.known_actor()
    policy = ExemptionPolicy(
        tuple(
            ExemptReason(each.code, Name(zh=each.name.zh, en=each.name.en), each.photo, each.words)
            for each in json_data.reasons
        ),
        json_data.source,
    )
    district = None if json_data.district is None else DistrictCode(json_data.district)
    stated = exemptions.state_policy(uow, district, json_data.from_at, policy, caller.subject)
    shown = _policy(stated)
    told = {"district": district, "reasons": shown["reasons"], "source": policy.source}
    record(uow, caller, "parking.exemptions_ruled", "exemption-policy", str(stated.id), told)
    return shown


@blueprint.post("/sessions/<uuid:session_id>/exemption")
@access.allow(Role.ATTENDANT, Role.OPERATOR)
@act
@blueprint.input(FreeingIn)
@blueprint.output(SessionOut, status_code=201)
@blueprint.doc(
    summary="Free a stay of its fee, for one of its region's reasons",
    description="A reason that asks for a photo is told on a terminal, as an act.",
)
def exempt(uow: UnitOfWork, session_id: UUID, json_data: FreeingIn) -> dict[str, Any]:
    """Free a stay of its fee."""
    said = Freeing(json_data.code, json_data.words)
    done = exempt_stay(uow, access.known_actor(), ParkingSessionId(session_id), said)
    return _shown(uow, done)


@blueprint.post("/sessions/<uuid:session_id>/exemption/withdrawal")
@access.allow(Role.OPERATOR)
@act
@blueprint.input(ExemptionWithdrawalIn)
@blueprint.output(SessionOut)
@blueprint.doc(summary="Take back that a stay is free, before it is billed")
def withdraw(uow: UnitOfWork, session_id: UUID, json_data: ExemptionWithdrawalIn) -> dict[str, Any]:
    """Take it back."""
    reason = json_data.reason
    caller = access.known_actor()
    return _shown(uow, withdraw_exemption(uow, caller, ParkingSessionId(session_id), reason))


@blueprint.post("/sessions/<uuid:session_id>/escape/withdrawal")
@access.allow(Role.OPERATOR)
@act
@blueprint.input(ExemptionWithdrawalIn)
@blueprint.output(SessionOut)
@blueprint.doc(
    summary="Take back that a stay's vehicle drove off unpaid",
    description="Its bill is due when it was to be. A penalty added since is lowered first.",
)
def withdraw_escaped(
    uow: UnitOfWork, session_id: UUID, json_data: ExemptionWithdrawalIn
) -> dict[str, Any]:
    """Take it back."""
    caller, reason = access.known_actor(), json_data.reason
    return _shown(uow, withdraw_escape(uow, caller, ParkingSessionId(session_id), reason))


def _shown(uow: UnitOfWork, session: ParkingSession) -> dict[str, Any]:
    return shown_of(session, masked_plates(uow.connection, [session.stay.vehicle_id]))


def _policy(stated: RegionExemptions) -> dict[str, Any]:
    return {
        "id": stated.id,
        "district": stated.district,
        "from_at": stated.from_at,
        "reasons": [each.as_json() for each in stated.policy.reasons],
        "source": stated.policy.source,
        "stated_at": stated.stated_at,
        "stated_by": stated.stated_by,
    }
