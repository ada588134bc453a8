"""Stays that ended between two instants, each with how its sensor saw its time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from city.identifiers import FacilityId
from parking.rules.figures.direct import SeenChange, Spell, spells_of
from parking.rules.occupancy.history import BayState
from parking.rules.stays import ParkingSession
from parking.store import seen_stays as store


@dataclass(frozen=True, slots=True)
class SeenStay:
    """A stay, and for how long of it the sensor said that nobody was there.

    Parameters
    ----------
    free : timedelta or None
        None where no sensor tells of the bay, or it told nothing but silence.
    """

    session: ParkingSession
    free: timedelta | None


def ended(
    connection: Connection, facility_id: FacilityId, from_at: datetime, before_at: datetime
) -> Iterator[list[SeenStay]]:
    """Give a facility's stays that ended between two instants, five hundred at a time.

    Two statements a page; cost grows with the stays and the changes during each.
    """
    for page in store.ended(connection, facility_id, from_at, before_at):
        histories = store.histories(connection, page)
        yield [SeenStay(each, _free(each, histories.get(each.id, []))) for each in page]


def _free(session: ParkingSession, history: list[tuple[datetime, str]]) -> timedelta | None:
    opened_at, closed_at = session.stay.opened_at, session.stay.closed_at
    if closed_at is None:
        return None
    spells = spells_of([SeenChange(at, BayState(state)) for at, state in history], closed_at)
    known = [each for each in spells if each.state is not BayState.UNKNOWN]
    return _within(known, opened_at, closed_at) if known else None


def _within(spells: list[Spell], from_at: datetime, until_at: datetime) -> timedelta:
    return sum(
        (
            max(min(each.until_at, until_at) - max(each.from_at, from_at), timedelta())
            for each in spells
            if each.state is BayState.FREE
        ),
        timedelta(),
    )
