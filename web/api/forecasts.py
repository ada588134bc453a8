"""Occupancy ahead of a facility, and how well chances came true in a district."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint

from city.errors import NotFound
from city.identifiers import DistrictCode
from city.people import Role
from parking.services import foresight
from web import access
from web.api.schemas.forecasts import ChanceOut, ChanceQuery, ForecastOut

if TYPE_CHECKING:
    from uuid import UUID

blueprint = APIBlueprint("forecasts", __name__, url_prefix="/api/v1", tag="Forecasts")


@blueprint.get("/facilities/<uuid:facility_id>/forecast")
@access.allow(*Role)
@blueprint.output(ForecastOut)
@blueprint.doc(
    summary="Occupied bays ahead with 90 % intervals, their age and their model's errors"
)
def forecast(facility_id: UUID) -> dict[str, Any]:
    """Show a facility's occupancy ahead."""
    wiring = access.wiring()
    home = wiring.places.facility(facility_id)
    with wiring.database.read() as connection:
        found = foresight.forecasts_of(connection, home.id)
    now = wiring.clock.now()
    bays = wiring.places.bay_counts([home.id])[home.id]
    items = [each for each in found if each[0].for_at > now]
    made_at = max((each.made_at for each, _, _ in items), default=None)
    return {
        "facility_id": home.id,
        "answer": "forecast" if items else "not enough history",
        "bays": bays,
        "made_at": made_at,
        "data_age_s": None if made_at is None else max(0, round((now - made_at).total_seconds())),
        "items": [
            {
                "horizon_min": each.horizon_min,
                "for_at": each.for_at,
                "occupied": each.occupied,
                "low90": each.low90,
                "high90": each.high90,
                "model": {
                    "version": each.version,
                    "trained_at": trained_at,
                    "judged": judged.rows,
                    "mae": judged.mae,
                    "persistence_mae": judged.persistence_mae,
                    "last_week_mae": judged.last_week_mae,
                    "coverage90": judged.coverage90,
                },
            }
            for each, trained_at, judged in items
        ],
    }


@blueprint.get("/chances")
@access.allow(Role.OPERATOR, Role.ENGINEER, Role.AUDITOR, Role.ADMINISTRATOR)
@blueprint.input(ChanceQuery, location="query")
@blueprint.output(ChanceOut)
@blueprint.doc(summary="How well the chances of being free on arrival came true")
def chances(query_data: ChanceQuery) -> dict[str, Any]:
    """Show a district's Brier score and calibration."""
    district = DistrictCode(query_data.district)
    if not access.known_actor().in_district(district):
        raise NotFound("There is no such district among yours.", field="district")
    with access.wiring().database.read() as connection:
        model = foresight.chance_of_district(connection, district)
    judged = model.calibration
    return {
        "district": model.district,
        "version": model.version,
        "fitted_at": model.fitted_at,
        "from_at": model.from_at,
        "until_at": model.until_at,
        "changes": model.changes,
        "judged": 0 if judged is None else judged.rows,
        "brier": None if judged is None else judged.brier,
        "brier_base": None if judged is None else judged.brier_base,
        "bins": []
        if judged is None
        else [
            {"rows": each.rows, "foretold": each.foretold, "came_true": each.came_true}
            for each in judged.bins
        ],
    }
