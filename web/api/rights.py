"""What covers a stay, what regions grant to kinds of plates, and signs of abuse."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint

from city.errors import Invalid, NotFound
from city.identifiers import (
    BenefitId,
    DistrictCode,
    FacilityId,
    ParkingSessionId,
    VehicleId,
)
from city.people import Role
from journeys.cover_stay import cover_stay
from journeys.report_abuse import report_abuse
from parking.rules.rights.abuse import AbuseThresholds
from parking.rules.rights.benefits import kinds_of
from parking.rules.rights.standing import Effect
from parking.rules.rights.texts import REASONS
from parking.services import rights
from parking.services import stays as stay_service
from web import access
from web.acts import act
from web.api.cursors import after, cursor
from web.api.permits import read_allowance, read_hours
from web.api.plates import masked_plates
from web.api.roles import BACK_OFFICE, KEEPERS
from web.api.schemas.base import PageQuery
from web.api.schemas.rights import (
    AbuseOut,
    AbuseQuery,
    BenefitIn,
    BenefitOut,
    BenefitsOut,
    CoverageOut,
)
from web.api.shown_rights import allowance_json

if TYPE_CHECKING:
    from uuid import UUID

    from city.works.database import UnitOfWork
    from parking.rules.rights.abuse import Suspect
    from parking.rules.rights.benefits import Benefit
    from parking.rules.rights.model import Part

blueprint = APIBlueprint("rights", __name__, url_prefix="/api/v1", tag="Rights")

LONGEST_REPORT = timedelta(days=100)


def _part(part: Part) -> dict[str, Any]:
    return {
        "from_at": part.from_at,
        "until_at": part.until_at,
        "outcome": part.outcome.value,
        "right_kind": None if part.right is None else part.right.kind,
        "right_id": None if part.right is None else part.right.id,
        "fee": None if part.fee is None else part.fee.as_json(),
        "why": {"zh": part.why.text("zh"), "en": part.why.text("en")},
    }


@blueprint.get("/sessions/<uuid:session_id>/coverage")
@access.allow(*BACK_OFFICE)
@blueprint.output(CoverageOut)
@blueprint.doc(summary="What of a stay its vehicle's rights cover, with reasons, as things stand")
def coverage(session_id: UUID) -> dict[str, Any]:
    """Show whether a stay is covered."""
    wiring = access.wiring()
    with wiring.database.read() as connection:
        found = stay_service.find(connection, ParkingSessionId(session_id))
        if found is None:
            raise NotFound("There is no such stay; a passing flicker may have been withdrawn.")
        access.require_district(found.district)
        covered = cover_stay(connection, found, wiring.clock.now())
    listings = () if covered is None else covered.standing.listings.get(Effect.ALERT, ())
    texts = [REASONS[each.reason.value] for each in listings]
    return {
        "session_id": session_id,
        "vehicle": covered is not None,
        "parts": [] if covered is None else [_part(each) for each in covered.coverage.parts],
        "alerts": [{"zh": zh, "en": en} for zh, en in texts],
    }


def _benefit(benefit: Benefit) -> dict[str, Any]:
    return {
        "id": benefit.id,
        "district": benefit.district,
        "facility_id": benefit.facility_id,
        "name": {"zh": benefit.name_zh, "en": benefit.name_en},
        "plate_kinds": sorted(kind.value for kind in benefit.plate_kinds),
        "timezone": benefit.timezone,
        "valid_from": benefit.valid_from,
        "valid_until": benefit.valid_until,
        "hours": benefit.hours.as_json(),
        "allowance": allowance_json(benefit.allowance),
        "source": benefit.source,
    }


@blueprint.get("/benefits")
@access.allow(*BACK_OFFICE)
@blueprint.input(PageQuery, location="query")
@blueprint.output(BenefitsOut)
@blueprint.doc(summary="What regions grant to kinds of plates, the latest first")
def benefits(query_data: PageQuery) -> dict[str, Any]:
    """List benefits."""
    with access.wiring().database.read() as connection:
        page = rights.benefits(
            connection,
            districts=access.known_actor().districts,
            after=after(query_data.cursor),
            limit=query_data.limit,
        )
    return {"items": [_benefit(each) for each in page.items], "next": cursor(page.next)}


@blueprint.post("/benefits")
@access.allow(*KEEPERS)
@act
@blueprint.input(BenefitIn)
@blueprint.output(BenefitOut, status_code=201)
@blueprint.doc(summary="State what a region grants to kinds of plates")
def state_benefit(uow: UnitOfWork, json_data: BenefitIn) -> dict[str, Any]:
    """State a benefit."""
    wish = rights.BenefitWish(
        district=DistrictCode(json_data.district),
        name_zh=json_data.name_zh,
        name_en=json_data.name_en,
        plate_kinds=kinds_of(json_data.classes, json_data.plate_kinds),
        valid_from=json_data.valid_from,
        source=json_data.source,
        timezone=json_data.timezone,
        facility_id=None if json_data.facility_id is None else FacilityId(json_data.facility_id),
        valid_until=json_data.valid_until,
        hours=read_hours(json_data.hours),
        allowance=read_allowance(json_data.allowance),
    )
    return _benefit(rights.state_benefit(uow, access.known_actor(), wish))


@blueprint.post("/benefits/<uuid:benefit_id>/end")
@access.allow(*KEEPERS)
@act
@blueprint.output(BenefitOut)
@blueprint.doc(summary="Let a benefit end now")
def end_benefit(uow: UnitOfWork, benefit_id: UUID) -> dict[str, Any]:
    """End a benefit."""
    return _benefit(rights.end_benefit(uow, access.known_actor(), BenefitId(benefit_id)))


def _suspect(suspect: Suspect, plate: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "vehicle_id": suspect.vehicle_id,
        "plate": plate,
        "stays": suspect.stays,
        "parked_s": suspect.parked_s,
        "often": suspect.often,
        "long": suspect.long,
        "clashes": [
            {
                "first_session_id": each.first.session_id,
                "second_session_id": each.second.session_id,
                "first_bay_id": each.first.bay_id,
                "second_bay_id": each.second.bay_id,
                "overlap_s": each.overlap_s,
                "distance_m": each.distance_m,
                "speed_kph": each.speed_kph,
            }
            for each in suspect.clashes
        ],
    }


@blueprint.get("/rights/abuse")
@access.allow(Role.INSPECTOR, Role.OPERATOR, Role.AUDITOR)
@blueprint.input(AbuseQuery, location="query")
@blueprint.output(AbuseOut)
@blueprint.doc(summary="Exempt plates seen unusually often or in two places at once; masked")
def abuse(query_data: AbuseQuery) -> dict[str, Any]:
    """Report signs of abuse."""
    if query_data.until_at <= query_data.since_at:
        raise Invalid("must lie after the beginning", field="until_at")
    if query_data.until_at - query_data.since_at > LONGEST_REPORT:
        raise Invalid(f"must lie within {LONGEST_REPORT.days} days", field="until_at")
    thresholds = AbuseThresholds(
        query_data.stays, query_data.parked_h, query_data.overlap_s, query_data.speed_kph
    )
    following = after(query_data.cursor)
    with access.wiring().database.read() as connection:
        report = report_abuse(
            connection,
            (query_data.since_at, query_data.until_at),
            thresholds,
            districts=access.known_actor().districts,
            after=None if following is None else VehicleId(following),
            limit=query_data.limit,
        )
        plates = masked_plates(connection, (each.vehicle_id for each in report.suspects))
    return {
        "items": [_suspect(each, plates.get(each.vehicle_id)) for each in report.suspects],
        "next": cursor(report.next),
        "looked_at": report.looked_at,
    }
