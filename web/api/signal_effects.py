"""What plans did on the street: told by their signals' detectors, kept, or put in by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from apiflask import APIBlueprint

from city.errors import Invalid
from city.time import rfc3339
from signals.services import plan_versions, street_effects
from web import access
from web.acts import act
from web.api.schemas.signal_effects import (
    SignalEffectIn,
    SignalEffectOut,
    SignalEffectQuery,
    SignalMeasurementIn,
)
from web.api.schemas.signals import SignalPlanOut
from web.api.signal_plans import PLAN, plan_out
from web.api.signals import AUTHORS, READERS

if TYPE_CHECKING:
    from uuid import UUID

    from pydantic import JsonValue

    from city.works.database import UnitOfWork

blueprint = APIBlueprint("signal_effects", __name__, url_prefix="/api/v1", tag="Signals")

HOW: Final = (
    "Hours of the day, by kind of day, that are kept on both sides; days are what an interval "
    "stands on, so it takes two on each. Detectors that cannot be believed are left out."
)


@blueprint.get(f"{PLAN}/effect")
@access.allow(*READERS)
@blueprint.input(SignalEffectQuery, location="query")
@blueprint.output(SignalEffectOut)
@blueprint.doc(
    summary="What detectors tell of a deployed plan, before it and since", description=HOW
)
def signal_plan_effect(version_id: UUID, query_data: SignalEffectQuery) -> dict[str, Any]:
    """Show what a plan did."""
    wiring = access.wiring()
    with wiring.database.read() as connection:
        found = plan_versions.find(connection, version_id)
        told = street_effects.effect(
            connection, found, days=query_data.days, now=wiring.database.wall.now()
        )
    return {"version_id": version_id, **told.as_json()}


@blueprint.post(f"{PLAN}/effect")
@access.allow(*AUTHORS)
@act
@blueprint.input(SignalEffectIn)
@blueprint.output(SignalPlanOut)
@blueprint.doc(summary="Keep what detectors tell of a deployed plan as what was measured of it")
def keep_signal_plan_effect(
    uow: UnitOfWork, version_id: UUID, json_data: SignalEffectIn
) -> dict[str, Any]:
    """Keep what a plan did."""
    return plan_out(street_effects.take(uow, access.known_actor(), version_id, days=json_data.days))


@blueprint.post(f"{PLAN}/measurement")
@access.allow(*AUTHORS)
@act
@blueprint.input(SignalMeasurementIn)
@blueprint.output(SignalPlanOut)
@blueprint.doc(summary="Keep what was measured before and after a deployed plan")
def measure_signal_plan(
    uow: UnitOfWork, version_id: UUID, json_data: SignalMeasurementIn
) -> dict[str, Any]:
    """Keep a measurement."""
    if json_data.until_at <= json_data.from_at:
        raise Invalid("must lie after from_at", field="until_at")
    for side in ("before", "after"):
        delay = getattr(json_data, side)
        if not delay.low_s <= delay.mean_s <= delay.high_s:
            raise Invalid("must lie from low_s to high_s", field=f"{side}.mean_s")
    measured: dict[str, JsonValue] = {
        "source": json_data.source,
        "note": json_data.note,
        "before": json_data.before.model_dump(),
        "after": json_data.after.model_dump(),
        "from_at": rfc3339(json_data.from_at),
        "until_at": rfc3339(json_data.until_at),
    }
    return plan_out(plan_versions.measure(uow, access.known_actor(), version_id, measured))
