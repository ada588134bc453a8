"""Tell a terminal what a stay will come to, for when it has no line: a table by the one engine."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from city.errors import Conflict
from journeys.pay_ahead import check_counts
from journeys.rate_stay import due_by
from parking.rules.stays import ParkingSession
from parking.rules.tariffs.course import Course, course_of, minutes_between
from parking.rules.tariffs.local_time import ceil_s, floor_s, utc_at

AHEAD: Final = timedelta(hours=12)
"""A shift, and what it may start late."""


@dataclass(frozen=True, slots=True)
class FeeAhead:
    """What is due of a stay by when it ends, as things stood when it was made."""

    course: Course
    currency: str


def fee_ahead(connection: Connection, session: ParkingSession, now: datetime) -> FeeAhead:
    """Say what is due of an open stay whenever it ends in the next hours.

    Parameters
    ----------
    connection : Connection
        Some fifteen statements, and some hundred ratings.
    session : ParkingSession
    now : datetime
        Business time.

    Raises
    ------
    Conflict
        Where the stay is over, nobody said whose it is, it has no tariff, another stay counts, or a
        right covers any of it: then it is told at its end alone.
    Invalid
        Where the tariff has no price for the vehicle.
    """
    check_counts(session)
    if session.stay.closed_at is not None:
        raise Conflict("the stay is over: its bill says it", field="session_id", reason="closed")
    found = due_by(connection, session, now + AHEAD)
    if found is None:
        raise Conflict("what it costs cannot be said ahead", field="session_id", reason="not-ahead")
    tariff, quote = found
    from_s = max(floor_s(now), ceil_s(session.stay.opened_at))
    until_s = from_s + AHEAD // timedelta(seconds=1)
    by_ends = any(each.both_ends for each in tariff.document.schedules)
    course = course_of(
        lambda second: quote(utc_at(second)).total.minor,
        from_s,
        until_s,
        minutes_between(from_s, until_s) if by_ends else (),
    )
    return FeeAhead(course, tariff.document.currency)
