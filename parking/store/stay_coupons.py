"""Coupons that were taken for stays."""

from datetime import datetime

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql

from city.identifiers import ParkingSessionId
from parking.store.tables import stay_coupon


def add(
    connection: Connection, session_id: ParkingSessionId, coupon: str, *, at: datetime, by: str
) -> bool:
    """Write that a coupon was taken for a stay; False where it was already."""
    added = connection.execute(
        postgresql.insert(stay_coupon)
        .values(session_id=session_id, coupon=coupon, taken_at=at, taken_by=by)
        .on_conflict_do_nothing()
        .returning(stay_coupon.c.coupon)
    )
    return added.scalar_one_or_none() is not None


def of_stay(connection: Connection, session_id: ParkingSessionId) -> tuple[str, ...]:
    """Give the ids of the coupons that were taken for a stay, the first one first."""
    found = connection.scalars(
        select(stay_coupon.c.coupon)
        .where(stay_coupon.c.session_id == session_id)
        .order_by(stay_coupon.c.taken_at, stay_coupon.c.coupon)
    )
    return tuple(found)
