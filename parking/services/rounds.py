"""An attendant's word on a round: by bay and instant, as a terminal tells it, late perhaps."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from city.errors import Conflict, NotFound
from city.identifiers import BayId, ParkingSessionId, VehicleId, uuid7
from city.works.database import UnitOfWork
from parking.rules.stays import ATTACH_GRACE, BayStay, ParkingSession
from parking.store import stay_lists
from parking.store import stays as store

SEEN_BY_ATTENDANT: Final = "attendant"
CLOCKS_APART: Final = timedelta(minutes=1)
"""How much later than a person's word a sensor's arrival may lie and still be that vehicle's."""


def stay_then(uow: UnitOfWork, bay_id: BayId, at: datetime) -> ParkingSession:
    """Give the stay that was in a bay at an instant, or just over; locked.

    Raises
    ------
    Conflict
        Where none was.
    """
    found = stay_lists.in_bay_at(uow.connection, bay_id, at + CLOCKS_APART)
    if found is None or _over(found, at):
        raise Conflict("no vehicle stood in this bay then", field="bay_id", reason="no-stay")
    return found


def stay_of_vehicle(
    uow: UnitOfWork, bay_id: BayId, vehicle_id: VehicleId, at: datetime, seen_under: UUID
) -> ParkingSession:
    """Give the stay that a vehicle seen in a bay belongs to; begin one where no sensor saw it.

    What is begun so has no sensor's word for its end: it ends by a person's, or with the next
    vehicle. Charged it is from when it was seen, never earlier.

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
    found = stay_lists.in_bay_at(uow.connection, bay_id, at + CLOCKS_APART)
    if found is not None and not _over(found, at):
        closed_at = found.stay.closed_at
        there = closed_at is None or at <= closed_at
        # After its end, within the grace, it is still the vehicle that nobody noted in time.
        if there or found.stay.vehicle_id in {None, vehicle_id}:
            return found
    # A bay's stays share no time: only the last one can reach beyond.
    last = stay_lists.in_bay_at(uow.connection, bay_id, uow.clock.now() + timedelta(days=1))
    if last is not None and (last.stay.closed_at is None or last.stay.closed_at > at):
        raise Conflict(
            "another stay began in this bay since then", field="bay_id", reason="later-stay"
        )
    new = ParkingSessionId(uuid7())
    store.add(uow.connection, [(bay_id, BayStay(at, f"{SEEN_BY_ATTENDANT}:{seen_under.hex}", new))])
    begun = store.find(uow.connection, new, lock=True)
    if begun is None:
        raise NotFound("there is no such bay", field="bay_id")
    return begun


def _over(session: ParkingSession, at: datetime) -> bool:
    closed_at = session.stay.closed_at
    return closed_at is not None and at - closed_at > ATTACH_GRACE
