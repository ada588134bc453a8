"""An attendant's word on a round: by bay and instant, as a terminal tells it, late perhaps."""

from datetime import datetime
from uuid import UUID

from city.errors import NotFound
from city.identifiers import BayId, ParkingSessionId, VehicleId, uuid7
from city.works.database import UnitOfWork
from parking.rules import rounds as rules
from parking.rules.stays import ParkingSession
from parking.store import stay_lists
from parking.store import stays as store


def stay_then(uow: UnitOfWork, bay_id: BayId, at: datetime) -> ParkingSession:
    """Give the stay that was in a bay at an instant, or just over; locked.

    Raises
    ------
    Conflict
        Where none was.
    """
    return rules.stood(stay_lists.in_bay_at(uow.connection, bay_id, at + rules.CLOCKS_APART), at)


def stay_of_vehicle(
    uow: UnitOfWork, bay_id: BayId, vehicle_id: VehicleId, at: datetime, seen_under: UUID
) -> ParkingSession:
    """Give the stay that a vehicle seen in a bay belongs to; begin one where no sensor saw it.

    Parameters
    ----------
    uow : UnitOfWork
    bay_id : BayId
    vehicle_id : VehicleId
    at : datetime
        When it was seen.
    seen_under : UUID
        The act in which it was seen: the evidence of the stay's beginning.

    Raises
    ------
    Conflict
        Where a stay began in the bay after that, so that nobody knows how long this one stood.
    """
    found = stay_lists.in_bay_at(uow.connection, bay_id, at + rules.CLOCKS_APART)
    if found is not None and rules.belongs(found, vehicle_id, at):
        return found
    until_at = uow.clock.now() + rules.LOOK_AHEAD
    rules.check_last(stay_lists.in_bay_at(uow.connection, bay_id, until_at), at)
    new = ParkingSessionId(uuid7())
    store.add(uow.connection, [(bay_id, rules.begun(at, seen_under, new))])
    begun = store.find(uow.connection, new, lock=True)
    if begun is None:
        raise NotFound("there is no such bay", field="bay_id")
    return begun
