"""Siting checks of marked bays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint

from city.errors import Invalid
from city.identifiers import FacilityId
from city.places import Position
from parking.rules.places.siting import Pavement, Surveyed
from parking.services import places, siting_checks
from web import access
from web.api.cursors import after, cursor
from web.api.roles import REGISTRY
from web.api.schemas.siting import SitingCheckIn, SitingCheckOut

if TYPE_CHECKING:
    from uuid import UUID

    from parking.services.siting_checks import Sited

blueprint = APIBlueprint("siting", __name__, url_prefix="/api/v1", tag="Registry")

MOST_POINTS = 2_000
"""Points of a survey: each is measured to each bay of the page."""
_WORST = ("violated", "unknown", "passed")


def _shown(sited: Sited) -> dict[str, Any]:
    verdicts = {each.verdict for each in sited.findings}
    return {
        "bay_id": sited.bay.id,
        "bay_label": sited.bay.label,
        "verdict": next((each for each in _WORST if each in verdicts), "unknown"),
        "findings": [
            {
                "rule": each.rule,
                "verdict": each.verdict,
                "basis": each.basis,
                "source": each.source,
                "needed_m": each.needed_m,
                "found_m": each.found_m,
                "short_m": round(each.short_m, 2),
                "about": each.about,
            }
            for each in sited.findings
        ],
    }


@blueprint.post("/facilities/<uuid:facility_id>/siting-checks")
@access.allow(*REGISTRY)
@blueprint.input(SitingCheckIn)
@blueprint.output(SitingCheckOut)
@blueprint.doc(
    summary="Hold marked bays against clearances to crossings, hydrants, blind tracks, and widths",
    description=(
        "Nothing is kept: it answers what each rule says of each bay by the survey that is sent. "
        "What nobody surveyed is `unknown`, never passed."
    ),
)
def check(facility_id: UUID, json_data: SitingCheckIn) -> dict[str, Any]:
    """Check the siting of a facility's bays."""
    if sum(len(each.points) for each in json_data.features) > MOST_POINTS:
        raise Invalid(f"hold more than {MOST_POINTS} points together", field="features")
    width_m = json_data.pavement_width_m
    survey = siting_checks.Survey(
        [
            Surveyed(
                each.feature,
                tuple(Position(longitude, latitude) for longitude, latitude in each.points),
                each.name,
            )
            for each in json_data.features
        ],
        json_data.complete,
        None if width_m is None else Pavement(width_m),
    )
    with access.wiring().database.read() as connection:
        home = places.facility(connection, facility_id)
        access.require_district(home.district)
        page = siting_checks.check_bays(
            connection,
            FacilityId(facility_id),
            survey,
            after=after(json_data.cursor),
            limit=json_data.limit,
        )
    return {"items": [_shown(each) for each in page.items], "next": cursor(page.next)}
