"""What of a stay its vehicle's rights cover: plate's kind from the vault, rights from parking."""

from datetime import datetime

from sqlalchemy import Connection

from city.vault import masked
from parking.rules.stays import ParkingSession
from parking.services import rights


def stay_in_sight(
    connection: Connection, session: ParkingSession, now: datetime
) -> rights.StayInSight | None:
    """Give a stay as rights see it; None without a vehicle.

    An open stay reaches to ``now``, and one that began after it (late evidence of a clock that is
    ahead) has no length.
    """
    stay = session.stay
    if stay.vehicle_id is None:
        return None
    plate = masked(connection, [stay.vehicle_id]).get(stay.vehicle_id)
    until_at = stay.closed_at if stay.closed_at is not None else max(now, stay.opened_at)
    return rights.StayInSight(
        session.id,
        stay.vehicle_id,
        session.facility_id,
        session.district,
        (stay.opened_at, until_at),
        None if plate is None else plate.kind,
    )


def cover_stay(
    connection: Connection, session: ParkingSession, now: datetime
) -> rights.Covered | None:
    """Say what covers a stay as things stand; None without a vehicle. Nothing is kept.

    Of an open stay the answer may change until it is billed: another car of the same permit may
    yet leave, and its coverage begin there.
    """
    seen = stay_in_sight(connection, session, now)
    return None if seen is None else rights.coverage(connection, seen)
