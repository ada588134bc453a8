"""Keeping what cameras read of bays, and finding the stays that they speak of."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from city.identifiers import BayId, ParkingSessionId
from city.works.database import UnitOfWork
from parking.rules.evidence import Evidence, Hold
from parking.rules.stays import ParkingSession
from parking.store import stay_evidence, stay_lists
from parking.store import stays as store

WAITS: Final = timedelta(hours=2)
"""How long a read waits for its sensor's word: far above what a network delays a frame by."""
EARLY: Final = timedelta(seconds=30)
"""How much sooner than its sensor a camera may see a vehicle stand: magnets look every few seconds,
and wait until the field is calm."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A read that came before."""

    evidence: Evidence
    session: ParkingSession | None


def seen_before(uow: UnitOfWork, event_key: str) -> Kept | None:
    """Give what became of an event, where it came before."""
    present = stay_evidence.by_event(uow.connection, event_key)
    if present is None:
        return None
    session = None
    if present.session_id is not None:
        session = store.find(uow.connection, present.session_id)
    return Kept(present, session)


def stay_at(uow: UnitOfWork, bay_id: BayId, at: datetime) -> ParkingSession | None:
    """Give the stay in a bay at an instant, locked."""
    moment = timedelta(microseconds=1)
    there = stay_lists.sessions_between(uow.connection, bay_id, at, at + moment)
    return held(uow, there[-1].id) if there else None


def held(uow: UnitOfWork, session_id: ParkingSessionId) -> ParkingSession | None:
    """Give a stay, locked; None where it was withdrawn meanwhile."""
    return store.find(uow.connection, session_id, lock=True)


def said_of(uow: UnitOfWork, session: ParkingSession) -> list[Evidence]:
    """Give what was said of a stay."""
    return stay_evidence.of_sessions(uow.connection, [session.id])


def keep(uow: UnitOfWork, said: Evidence) -> bool:
    """Keep a read; False where the same event came before."""
    return stay_evidence.add_once(uow.connection, said)


def hold(uow: UnitOfWork, session: ParkingSession, why: Hold) -> None:
    """Keep a stay from being billed until a person has looked."""
    store.write(uow.connection, session.id, replace(session.stay, hold=why), session.attached_by)


def waiting(uow: UnitOfWork, *, limit: int) -> list[tuple[Evidence, ParkingSessionId]]:
    """Give reads that came before their sensor's word, each with the stay that it opened since."""
    since_at = uow.clock.now() - WAITS
    return stay_evidence.waiting(uow.connection, since_at, early=EARLY, limit=limit)


def assign(uow: UnitOfWork, said: Evidence, session_id: ParkingSessionId) -> None:
    """Say of which stay a read speaks."""
    stay_evidence.assign(uow.connection, {said.id: session_id})
