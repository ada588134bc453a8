"""Stays by their end, and the changes of their bays while they lasted."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, text, tuple_

from city.identifiers import FacilityId, ParkingSessionId
from parking.rules.stays import ParkingSession
from parking.store.stays import session_of, sessions
from parking.store.tables import parking_session

PAGE: Final = 500

# From the change in force at a stay's beginning to the last one before its end.
_HISTORIES: Final = text(
    "select w.session, c.changed_at, c.state"
    " from unnest(cast(:sessions as uuid[]), cast(:bays as uuid[]),"
    "  cast(:opened as timestamptz[]), cast(:closed as timestamptz[]))"
    "  as w (session, bay, opened_at, closed_at),"
    " lateral ((select changed_at, observation_key, state from parking.bay_change"
    "   where bay_id = w.bay and changed_at <= w.opened_at"
    "   order by changed_at desc, observation_key desc limit 1)"
    "  union all (select changed_at, observation_key, state from parking.bay_change"
    "   where bay_id = w.bay and changed_at > w.opened_at and changed_at < w.closed_at)) as c"
    " order by w.session, c.changed_at, c.observation_key"
)


def ended(
    connection: Connection, facility_id: FacilityId, from_at: datetime, before_at: datetime
) -> Iterator[list[ParkingSession]]:
    """Give a facility's stays that ended between two instants, page by page: an index range."""
    columns = parking_session.c
    last: tuple[datetime | None, ParkingSessionId] | None = None
    while True:
        query = (
            sessions()
            .where(
                columns.facility_id == facility_id,
                columns.closed_at >= from_at,
                columns.closed_at < before_at,
            )
            .order_by(columns.closed_at, columns.id)
            .limit(PAGE)
        )
        if last is not None:
            query = query.where(tuple_(columns.closed_at, columns.id) > tuple_(*last))
        page = [session_of(row) for row in connection.execute(query).mappings()]
        if page:
            yield page
            last = (page[-1].stay.closed_at, page[-1].id)
        if len(page) < PAGE:
            return


def histories(
    connection: Connection, stays: Sequence[ParkingSession]
) -> dict[ParkingSessionId, list[tuple[datetime, str]]]:
    """Give the changes of the stays' bays while each lasted, in order: one statement."""
    told = [each for each in stays if each.bay_id is not None]
    found: dict[ParkingSessionId, list[tuple[datetime, str]]] = {}
    for row in connection.execute(
        _HISTORIES,
        {
            "sessions": [each.id for each in told],
            "bays": [each.bay_id for each in told],
            "opened": [each.stay.opened_at for each in told],
            "closed": [each.stay.closed_at for each in told],
        },
    ):
        found.setdefault(ParkingSessionId(row.session), []).append((row.changed_at, row.state))
    return found
