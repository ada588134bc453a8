"""Which stay a person's word on a round is about: by bay and instant, told late perhaps."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from city.errors import Conflict
from city.identifiers import ParkingSessionId, VehicleId
from parking.rules.stays import ATTACH_GRACE, BayStay, ParkingSession

SEEN_BY_ATTENDANT: Final = "attendant"
CLOCKS_APART: Final = timedelta(minutes=1)
"""How much later than a person's word a sensor's arrival may lie and still be that vehicle's."""
LOOK_AHEAD: Final = timedelta(days=1)
"""How far beyond now the last stay of a bay is looked for: past every clock."""


def stood(found: ParkingSession | None, at: datetime) -> ParkingSession:
    """Give the last stay that had begun by an instant, where it was not long over then.

    Raises
    ------
    Conflict
        Where none was.
    """
    if found is None or _over(found, at):
        raise Conflict("no vehicle stood in this bay then", field="bay_id", reason="no-stay")
    return found


def belongs(found: ParkingSession | None, vehicle_id: VehicleId, at: datetime) -> bool:
    """Say whether a vehicle seen at an instant is that of the last stay that had begun by then."""
    if found is None or _over(found, at):
        return False
    closed_at = found.stay.closed_at
    # After its end, within the grace, it is still the vehicle that nobody noted in time.
    there = closed_at is None or at <= closed_at
    return there or found.stay.vehicle_id in {None, vehicle_id}


def check_last(last: ParkingSession | None, at: datetime) -> None:
    """Refuse to begin a stay where another began since.

    Raises
    ------
    Conflict
        Then nobody knows how long this one stood. A bay's stays share no time: only the last one
        can reach beyond.
    """
    if last is not None and (last.stay.closed_at is None or last.stay.closed_at > at):
        raise Conflict(
            "another stay began in this bay since then", field="bay_id", reason="later-stay"
        )


def begun(at: datetime, seen_under: UUID, session_id: ParkingSessionId) -> BayStay:
    """Give a stay that no sensor saw begin; the act in which it was seen is its evidence.

    It has no sensor's word for its end: it ends by a person's, or with the next vehicle. Charged
    it is from when it was seen, never earlier.
    """
    return BayStay(at, f"{SEEN_BY_ATTENDANT}:{seen_under.hex}", session_id)


def _over(session: ParkingSession, at: datetime) -> bool:
    closed_at = session.stay.closed_at
    return closed_at is not None and at - closed_at > ATTACH_GRACE
