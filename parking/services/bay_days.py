"""What a bay's sensor and its stays tell of a day."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from parking.rules.figures.direct import SeenChange, Spell, spells_of
from parking.rules.occupancy.history import BayState
from parking.rules.stays import ParkingSession
from parking.store import bay_days as store
from parking.store.places import Bay


@dataclass(frozen=True, slots=True)
class Told:
    """Spells and stays that touch a time, whole."""

    spells: tuple[Spell, ...]
    stays: tuple[ParkingSession, ...]


def told(
    connection: Connection, bay: Bay, start_at: datetime, end_at: datetime, now: datetime
) -> Told:
    """Give what touches a time, from the record: index ranges of one bay.

    A spell is given whole, from its beginning to its end, also where these lie outside.
    """
    rows = store.changes(connection, bay.id, start_at, end_at)
    history = [SeenChange(row.at, BayState(row.state)) for row in rows]
    spells = _joined(spells_of(history, now))
    return Told(
        tuple(each for each in spells if each.from_at < end_at and each.until_at > start_at),
        store.stays(connection, bay.id, start_at, end_at),
    )


def _joined(spells: tuple[Spell, ...]) -> tuple[Spell, ...]:
    """Join neighbours of one state: a silence that ended as it began leaves two."""
    joined: list[Spell] = []
    for each in spells:
        last = joined[-1] if joined else None
        if last is not None and last.state is each.state and last.until_at == each.from_at:
            joined[-1] = Spell(last.state, last.from_at, each.until_at)
        else:
            joined.append(each)
    return tuple(joined)
