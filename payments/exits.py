"""Rules about paying before leaving: agreed to by two people (`payments.terms`), never changed."""

from datetime import datetime

from sqlalchemy import Connection

from city.errors import Conflict
from city.identifiers import DistrictCode, FacilityId
from payments.rules.exits import ExitMode, ExitRule, mode_of
from payments.store import exits as store
from payments.store.whole import whole


def check_free(connection: Connection, ruled: ExitRule) -> ExitRule | None:
    """Give the rule that another would end; Conflict where one begins at the same instant."""
    before = store.standing(connection, ruled.facility_id, ruled.district, ruled.from_at)
    if before is not None and before.from_at == ruled.from_at:
        raise Conflict("another rule begins then", field="from_at")
    return before


def rules(connection: Connection) -> list[ExitRule]:
    """Give all rules, the latest first."""
    found = whole(lambda after, limit: store.page(connection, after, limit))
    return sorted(found, key=lambda each: (each.from_at, each.id), reverse=True)


def mode_in_force(
    connection: Connection, facility_id: FacilityId, district: DistrictCode, at: datetime
) -> ExitMode:
    """Give the mode that a facility follows at an instant: one statement."""
    begun = store.begun_about(connection, facility_id, district, at)
    return mode_of(begun, facility_id, district, at)
