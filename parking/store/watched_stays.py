"""Stays that are over, as whoever looks at work needs them: who named them, who ended them."""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, select, text

from city.identifiers import FacilityId
from parking.store.tables import stay_evidence

PAGE: Final = 1_000

_ENDED: Final = text(
    "select s.id, s.opened_at, s.closed_at, s.attached_by, s.attached_at,"
    " s.set_aside is not null as aside, s.part_of is not null as part,"
    " s.opened_evidence not like 'attendant:%' and s.started_by is null as sensed"
    " from parking.parking_session s where s.facility_id = :facility and s.bay_id is not null"
    " and (s.closed_at, s.id) > (:from_at, :after) and s.closed_at < :before_at"
    " order by s.closed_at, s.id limit :most"
)


class WatchedStay(NamedTuple):
    """A stay in a bay that is over.

    Attributes
    ----------
    aside, part : bool
        Set aside as nothing to be charged; part of another one.
    sensed : bool
        Whether a sensor began it.
    """

    id: UUID
    opened_at: datetime
    closed_at: datetime
    attached_by: str | None
    attached_at: datetime | None
    aside: bool
    part: bool
    sensed: bool


class Word(NamedTuple):
    """What a person said of a stay."""

    session_id: UUID
    kind: str
    by: str
    at: datetime


def ended(
    connection: Connection, facility_id: FacilityId, from_at: datetime, before_at: datetime
) -> Iterator[list[WatchedStay]]:
    """Give a facility's stays that ended between two instants, a thousand at a time."""
    at, after = from_at, UUID(int=0)
    while True:
        values = {
            "facility": facility_id,
            "from_at": at,
            "after": after,
            "before_at": before_at,
            "most": PAGE,
        }
        found = [WatchedStay(*row) for row in connection.execute(_ENDED, values)]
        if found:
            yield found
        if len(found) < PAGE:
            return
        at, after = found[-1].closed_at, found[-1].id


def words(connection: Connection, session_ids: Collection[UUID]) -> list[Word]:
    """Give what people on the street said that changed some stays: one statement."""
    columns = stay_evidence.c
    query = (
        select(columns.session_id, columns.kind, columns.written_by, columns.recorded_at)
        .where(
            columns.session_id.in_(list(session_ids)),
            columns.kind.in_(["set-aside", "exempted", "ended", "identified", "escaped"]),
            columns.source == "attendant",
        )
        .order_by(columns.recorded_at)
    )
    return [Word(*row) for row in connection.execute(query)]
