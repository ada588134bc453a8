"""Bays that stay taken after a person ended the stay there."""

from datetime import datetime

from sqlalchemy import Connection, text

from parking.rules.stays import ParkingSession
from parking.store.stays import session_of

# The bay's last word says that it is taken, since before the end; and no stay follows yet.
STILL_TAKEN = text(
    "select s.*, b.label from parking.parking_session s join parking.bay b on b.id = s.bay_id"
    " join lateral (select c.state, c.changed_at from parking.bay_change c"
    "  where c.bay_id = s.bay_id order by c.changed_at desc limit 1) last on true"
    " where s.ended_at > :since_at and s.ended_at <= :until_at and s.closed_at = s.ended_at"
    " and last.state = 'occupied' and last.changed_at < s.ended_at"
    " and not exists (select 1 from parking.parking_session n"
    "  where n.bay_id = s.bay_id and n.opened_at >= s.ended_at and n.id <> s.id)"
    " order by s.ended_at limit :most for update of s skip locked"
)
MOST_AT_ONCE = 500


def still_taken(
    connection: Connection, since_at: datetime, until_at: datetime
) -> list[ParkingSession]:
    """Give stays that a person ended in a time, whose bays stay taken by nobody's stay; locked."""
    values = {"since_at": since_at, "until_at": until_at, "most": MOST_AT_ONCE}
    return [session_of(row) for row in connection.execute(STILL_TAKEN, values).mappings()]
