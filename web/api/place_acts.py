"""Suspending bays for works, and importing places from files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint

from city.identifiers import OperatorId, TariffId, parse_district_code
from city.people import Role
from city.time import Interval
from parking.rules.places.importing.stated import ImportOptions
from parking.services import places, suspensions
from parking.services.place_import import ImportTarget, import_places, read_plan
from web import access
from web.acts import act
from web.api.cursors import after, cursor
from web.api.schemas.place_keeping import (
    ImportIn,
    ImportOut,
    SuspensionIn,
    SuspensionOut,
    SuspensionsOut,
    SuspensionsQuery,
)
from web.refusals import as_asked

if TYPE_CHECKING:
    from uuid import UUID

    from city.works.database import UnitOfWork
    from parking.store.suspensions import Suspension

blueprint = APIBlueprint("place_acts", __name__, url_prefix="/api/v1", tag="Registry")

READERS = (
    Role.ATTENDANT,
    Role.INSPECTOR,
    Role.OPERATOR,
    Role.ENGINEER,
    Role.AUDITOR,
    Role.ADMINISTRATOR,
)
KEEPERS = (Role.OPERATOR, Role.ADMINISTRATOR)


def _suspension(found: Suspension) -> dict[str, Any]:
    return {
        "id": found.id,
        "facility_id": found.facility_id,
        "permit_no": found.permit_no,
        "reason": found.reason,
        "from_at": found.from_at,
        "until_at": found.until_at,
        "lifted_at": found.lifted_at,
        "recorded_by": found.recorded_by,
        "bay_ids": list(found.bays),
    }


@blueprint.get("/facilities/<uuid:facility_id>/suspensions")
@access.allow(*READERS)
@blueprint.input(SuspensionsQuery, location="query")
@blueprint.output(SuspensionsOut)
@blueprint.doc(summary="Bays of a facility that permits took or take out")
def listed(facility_id: UUID, query_data: SuspensionsQuery) -> dict[str, Any]:
    """List suspensions."""
    with access.wiring().database.read() as connection:
        home = places.facility(connection, facility_id)
        access.require_district(home.district)
        page = suspensions.suspensions_of(
            connection, home.id, after=after(query_data.cursor), limit=query_data.limit
        )
    return {"items": [_suspension(each) for each in page.items], "next": cursor(page.next)}


@blueprint.post("/facilities/<uuid:facility_id>/suspensions")
@access.allow(*KEEPERS)
@act
@blueprint.input(SuspensionIn)
@blueprint.output(SuspensionOut, status_code=201)
@blueprint.doc(summary="Take bays out for a permit; month cards that name them are owed the days")
def suspend(uow: UnitOfWork, facility_id: UUID, json_data: SuspensionIn) -> dict[str, Any]:
    """Suspend bays."""
    access.require_district(places.facility(uow.connection, facility_id).district)
    return _suspension(
        suspensions.suspend_bays(
            uow,
            access.known_actor(),
            facility_id,
            json_data.bay_ids,
            permit_no=json_data.permit_no,
            reason=json_data.reason,
            during=Interval(json_data.from_at, json_data.until_at),
        )
    )


@blueprint.post("/suspensions/<uuid:suspension_id>/lifting")
@access.allow(*KEEPERS)
@act
@blueprint.output(SuspensionOut)
@blueprint.doc(summary="Give suspended bays back before the permit's end")
def lift(uow: UnitOfWork, suspension_id: UUID) -> dict[str, Any]:
    """Lift a suspension."""
    access.require_district(suspensions.suspension(uow.connection, suspension_id).district)
    return _suspension(suspensions.lift_suspension(uow, access.known_actor(), suspension_id))


@blueprint.post("/place-imports")
@access.allow(*KEEPERS)
@act
@blueprint.input(ImportIn)
@blueprint.output(ImportOut)
@blueprint.doc(summary="Import places; each feature is accepted, or rejected with the reason")
def import_file(uow: UnitOfWork, json_data: ImportIn) -> dict[str, Any]:
    """Import a file."""
    access.require_district(json_data.district)
    options = ImportOptions(
        json_data.source,
        json_data.kind,
        json_data.timezone,
        json_data.ownership,
        json_data.bay_length_m,
    )
    target = ImportTarget(
        parse_district_code(json_data.district),
        OperatorId(json_data.operator_id),
        json_data.revenue_nature,
        None if json_data.tariff_id is None else TariffId(json_data.tariff_id),
    )
    content = json_data.content
    plan = read_plan(
        json_data.format, content.encode() if isinstance(content, str) else content, options
    )
    report = import_places(
        uow, access.known_actor(), plan, options, target, dry_run=json_data.dry_run
    )
    rejected = [{**each.as_json(), "reason": as_asked(each.reason)} for each in report.rejected]
    return {**report.as_json(), "rejected": rejected}
