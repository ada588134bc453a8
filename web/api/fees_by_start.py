"""What stays come to that begin, or are first named, while a terminal has no line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint

from city.errors import NotFound
from city.identifiers import FacilityId
from city.people import Role
from journeys.tell_fees_by_start import FeesByStart, KindFees, fees_by_start
from parking.rules.tariffs.local_time import utc_at
from parking.services import places
from web import access
from web.api.schemas.fees_by_start import FeesByStartOut

if TYPE_CHECKING:
    from uuid import UUID

blueprint = APIBlueprint("fees_by_start", __name__, url_prefix="/api/v1", tag="Stays")


@blueprint.get("/facilities/<uuid:facility_id>/fees-by-start")
@access.allow(Role.ATTENDANT, Role.OPERATOR)
@blueprint.output(FeesByStartOut)
@blueprint.doc(
    summary="Tables of fees by beginning and end, for a terminal that will have no line",
    description="By kind of plate, for stays that begin from two hours ago to six hours ahead.",
)
def tables(facility_id: UUID) -> dict[str, Any]:
    """Show what stays come to here."""
    wiring = access.wiring()
    with wiring.database.read() as connection:
        found = places.facilities_by_id(connection, [FacilityId(facility_id)])
        facility = found.get(FacilityId(facility_id))
        if facility is None:
            raise NotFound("There is no such facility.")
        now = wiring.clock.now()
        told = fees_by_start(connection, facility.id, facility.district, now)
    if told is None:
        raise NotFound("the facility has no tariff in force at that time", field="facility_id")
    return shown(told)


def shown(told: FeesByStart) -> dict[str, Any]:
    """Return tables, their seconds counted from the first beginning."""
    return {
        "base_at": utc_at(told.first_s),
        "until_s": told.until_s - told.first_s,
        "currency": told.currency,
        "fees": [_fees(each, told.first_s) for each in told.fees],
    }


def _fees(fees: KindFees, base_s: int) -> dict[str, Any]:
    return {
        "kinds": [each.value for each in fees.kinds],
        "alone": fees.alone,
        "pieces": [
            {
                "from_s": piece.from_s - base_s,
                "to_s": piece.to_s - base_s,
                "steps": [
                    (int(moves), at if moves else at - base_s, minor)
                    for moves, at, minor in piece.steps
                ],
            }
            for piece in fees.courses.pieces
        ],
    }
