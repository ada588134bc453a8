"""Holding an import's plan against what stands: codes taken, ground claimed by other places."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from city.identifiers import FacilityId
from city.places import Position
from parking.rules.places.geometry import Footprint
from parking.rules.places.importing.stated import (
    ImportPlan,
    PlannedBay,
    PlannedFacility,
    Rejected,
)
from parking.rules.places.overlaps import (
    SHARED_GROUND,
    Claim,
    KerbLine,
    kerb_overlaps,
    overlaps,
    ring_of,
)
from parking.store import ground, imports

Known = Mapping[str, tuple[FacilityId, bytes]]


def without_conflicts(connection: Connection, plan: ImportPlan, known: Known) -> ImportPlan:
    """Reject the features whose places contradict what stands in the registry.

    Parameters
    ----------
    connection
        Of the transaction that holds the registry's lock.
    plan
        What a file says; its features do not contradict each other.
    known
        What was imported from the same source before: a place does not contradict itself.
    """
    refused: dict[int, tuple[str, str]] = {}
    own = [known[each.ref][0] for each in plan.facilities if each.ref in known]
    _codes(connection, plan, known, refused)
    _components(connection, plan, own, refused)
    _bays(connection, plan, own, refused)
    _kerbs(connection, plan, own, refused)
    if not refused:
        return plan
    facilities = [_without(each, refused) for each in plan.facilities]
    return ImportPlan(
        tuple(each for each in facilities if each.features),
        tuple(each for each in plan.accepted if each.index not in refused),
        tuple(
            sorted(
                (
                    *plan.rejected,
                    *(
                        Rejected(each.index, each.ref, *refused[each.index])
                        for each in plan.accepted
                        if each.index in refused
                    ),
                ),
                key=lambda each: each.index,
            )
        ),
    )


def _without(each: PlannedFacility, refused: Mapping[int, object]) -> PlannedFacility:
    return replace(
        each,
        bays=tuple(bay for bay in each.bays if bay.feature not in refused),
        features=tuple(index for index in each.features if index not in refused),
    )


def _codes(
    connection: Connection,
    plan: ImportPlan,
    known: Known,
    refused: dict[int, tuple[str, str]],
) -> None:
    new = [each for each in plan.facilities if each.ref not in known]
    taken = imports.taken_codes(connection, [each.code for each in new])
    for each in new:
        if each.code in taken:
            reason = f"would make facility {each.code}, which is there from elsewhere"
            refused.update(dict.fromkeys(each.features, ("id", reason)))


def _components(
    connection: Connection,
    plan: ImportPlan,
    own: Sequence[FacilityId],
    refused: dict[int, tuple[str, str]],
) -> None:
    coded = [bay for each in plan.facilities for bay in each.bays if bay.component_code]
    codes = [bay.component_code or "" for bay in coded]
    taken = imports.taken_components(connection, codes, own)
    for bay in coded:
        if bay.component_code in taken:
            refused[bay.feature] = ("component_code", "another bay has this component code")


def footprint(bay: PlannedBay) -> Footprint:
    """Give the ground that a planned bay claims."""
    return Footprint(
        bay.position,
        ring_of(bay.geometry, bay.position, bay.bearing_deg, bay.length_m, bay.width_m),
    )


def _bays(
    connection: Connection,
    plan: ImportPlan,
    own: Sequence[FacilityId],
    refused: dict[int, tuple[str, str]],
) -> None:
    # A garage's bays meet no others than its own, which the plan has looked at.
    surveyed = [
        bay
        for each in plan.facilities
        if each.kind in {"kerb", "lot"}
        for bay in each.bays
        if bay.located == "surveyed" and bay.feature not in refused
    ]
    if not surveyed:
        return
    claims = [Claim(bay.label, SHARED_GROUND, footprint(bay)) for bay in surveyed]
    standing = ground.claims_near(
        connection, [bay.position for bay in surveyed], besides_facilities=own
    )
    # Among themselves the plan has compared them: what is found here stands in the registry.
    for found in overlaps(claims, standing):
        refused[surveyed[found.index].feature] = ("geometry", found.message)


def _kerbs(
    connection: Connection,
    plan: ImportPlan,
    own: Sequence[FacilityId],
    refused: dict[int, tuple[str, str]],
) -> None:
    lines = [
        (each, KerbLine(each.code, line))
        for each in plan.facilities
        if each.kind == "kerb" and (line := _line_of(each)) and each.features[0] not in refused
    ]
    if not lines:
        return
    standing = ground.kerb_lines_in(
        connection, [point for _, line in lines for point in line.line], besides=own
    )
    if not standing:
        return
    for each, kerb in lines:
        found = kerb_overlaps([kerb], standing)
        if found:
            reason = f"overlaps the kerb of facility {found[0].other}: {found[0].how}"
            refused[each.features[0]] = ("geometry", reason)


def _line_of(each: PlannedFacility) -> tuple[Position, ...]:
    geometry = each.geometry
    if geometry is None or geometry.get("type") != "LineString":
        return ()
    line = geometry.get("coordinates")
    points = line if isinstance(line, list) else []
    return tuple(
        Position(float(x), float(y))
        for point in points
        if isinstance(point, list)
        for x, y in [point]
        if isinstance(x, int | float) and isinstance(y, int | float)
    )
