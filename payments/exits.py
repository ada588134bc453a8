"""Rules about paying before leaving: entered, never changed."""

from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from city.errors import Conflict
from city.identifiers import DistrictCode, FacilityId
from city.works.database import UnitOfWork
from payments.rules.exits import ExitMode, ExitRule, mode_of
from payments.store import exits as store


def rule(uow: UnitOfWork, ruled: ExitRule) -> ExitRule:
    """Enter a rule; Conflict where another of the same place begins at the same instant."""
    try:
        with uow.connection.begin_nested():
            store.add(uow.connection, ruled)
    except IntegrityError:
        raise Conflict("another rule begins then", field="from_at") from None
    return ruled


def rules(connection: Connection) -> list[ExitRule]:
    """Give all rules, the latest first."""
    return store.all_of(connection)


def mode_in_force(
    connection: Connection, facility_id: FacilityId, district: DistrictCode, at: datetime
) -> ExitMode:
    """Give the mode that a facility follows at an instant: one statement."""
    begun = store.begun_about(connection, facility_id, district, at)
    return mode_of(begun, facility_id, district, at)
