"""A bay's changes and stays that touch a time: index ranges of one bay."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, text

from city.identifiers import BayId
from parking.rules.stays import ParkingSession
from parking.store.stay_lists import sessions_between


class ChangeAt(NamedTuple):
    """A change of a bay's state."""

    at: datetime
    state: str


# From the change in force at the beginning to the first one after the end.
CHANGES = text(
    "(select changed_at, observation_key, state from parking.bay_change"
    "  where bay_id = :bay and changed_at < :start_at"
    "  order by changed_at desc, observation_key desc limit 1)"
    " union all"
    " (select changed_at, observation_key, state from parking.bay_change"
    "  where bay_id = :bay and changed_at >= :start_at and changed_at < :end_at)"
    " union all"
    " (select changed_at, observation_key, state from parking.bay_change"
    "  where bay_id = :bay and changed_at >= :end_at"
    "  order by changed_at, observation_key limit 1)"
    " order by changed_at, observation_key"
)


def changes(
    connection: Connection, bay_id: BayId, start_at: datetime, end_at: datetime
) -> list[ChangeAt]:
    """Give the changes that decide a bay's state between two instants, in order."""
    rows = connection.execute(CHANGES, {"bay": bay_id, "start_at": start_at, "end_at": end_at})
    return [ChangeAt(row.changed_at, row.state) for row in rows]


def stays(
    connection: Connection, bay_id: BayId, start_at: datetime, end_at: datetime
) -> tuple[ParkingSession, ...]:
    """Give the stays that share time with, or touch, the time between two instants, in order."""
    return sessions_between(connection, bay_id, start_at, end_at)
