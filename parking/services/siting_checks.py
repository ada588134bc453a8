"""Holding a facility's marked bays against the rules of siting."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection

from city.identifiers import FacilityId
from parking.rules.places.siting import (
    Feature,
    Finding,
    Pavement,
    Surveyed,
    check_siting,
)
from parking.services import places
from parking.store.pages import Page
from parking.store.places import Bay


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found on the street around a facility."""

    features: Sequence[Surveyed]
    complete: Collection[Feature] = ()
    """Kinds that were looked for everywhere: none found is none there."""
    pavement: Pavement | None = None


@dataclass(frozen=True, slots=True)
class Sited:
    """A bay and what each rule says of it."""

    bay: Bay
    findings: tuple[Finding, ...]


def check_bays(
    connection: Connection,
    facility_id: FacilityId,
    survey: Survey,
    *,
    after: UUID | None,
    limit: int,
) -> Page[Sited]:
    """Hold a page of a facility's bays in use against the rules.

    Cost grows with the bays of the page times the points of the survey.
    """
    page = places.bays(connection, facility_id=facility_id, after=after, limit=limit)
    found = [
        Sited(
            bay,
            check_siting(bay, survey.features, complete=survey.complete, pavement=survey.pavement),
        )
        for bay in page.items
    ]
    return Page(tuple(found), page.next)
