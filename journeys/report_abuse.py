"""Which exempt plates are seen unusually often or in two places at once."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from city.identifiers import VehicleId
from city.vault import vehicles_of_kinds
from parking.rules.rights.abuse import AbuseThresholds, Suspect, suspect
from parking.rules.rights.benefits import EXEMPT_KINDS
from parking.rules.rights.spans import Span
from parking.services import blacklists

VEHICLES_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class AbuseReport:
    """The vehicles that reach a threshold, and where a further call goes on."""

    suspects: tuple[Suspect, ...]
    looked_at: int
    """Vehicles with an exempt kind of plate that were looked at."""
    next: VehicleId | None
    """None where all of them were."""


def report_abuse(
    connection: Connection,
    span: Span,
    thresholds: AbuseThresholds,
    *,
    districts: frozenset[str] | None,
    after: VehicleId | None = None,
    limit: int = 100,
) -> AbuseReport:
    """Look at the stays of exempt plates in a span of time.

    Parameters
    ----------
    connection : Connection
        Two statements for each 500 vehicles.
    span : Span
        The period; a stay is cut to it.
    thresholds : AbuseThresholds
        From where on a plate is named.
    districts : frozenset of str or None
        Where; None for the whole city. A plate in two places at once is seen only where both are
        in these districts.
    after : VehicleId or None
        The ``next`` of the report before.
    limit : int
        Vehicles to name at most; the last batch is finished, so that it may be a few more.

    Notes
    -----
    Cost grows with the vehicles of exempt kinds ever seen, some thousands in a city, and their
    stays in the period.
    """
    suspects: list[Suspect] = []
    looked_at = 0
    while len(suspects) < limit:
        batch = vehicles_of_kinds(connection, EXEMPT_KINDS, after=after, limit=VEHICLES_AT_ONCE)
        if not batch:
            return AbuseReport(tuple(suspects), looked_at, None)
        seen = blacklists.sightings(connection, batch, span, districts)
        found = (suspect(each, seen[each], thresholds) for each in batch if each in seen)
        suspects += [each for each in found if each is not None]
        looked_at += len(batch)
        after = batch[-1]
    return AbuseReport(tuple(suspects), looked_at, after)
