"""A stay that somebody acts on: held, and of a district of theirs."""

from city.errors import Forbidden
from city.identifiers import ParkingSessionId
from city.people.actors import Actor
from city.works.database import UnitOfWork
from parking.rules.stays import ParkingSession
from parking.services import corrections


def held_stay(uow: UnitOfWork, actor: Actor, session_id: ParkingSessionId) -> ParkingSession:
    """Give a stay, locked.

    Raises
    ------
    NotFound
        Where there is no such stay.
    Forbidden
        Where it is in another district than the actor's.
    """
    session = corrections.known(uow, session_id)
    check_reach(actor, session)
    return session


def check_reach(actor: Actor, session: ParkingSession) -> None:
    """Refuse a stay of another district than the actor's."""
    if not actor.in_district(session.district):
        raise Forbidden("the stay is in another district than yours")
