"""Hold a bay for a vehicle, by its plate."""

from city.people.actors import Actor
from city.people.roles import Role
from city.vault import keep_plate
from city.vehicles import PlateNumber
from city.works.database import UnitOfWork
from parking.rules.rights.reservations import Reservation
from parking.services import reservations
from parking.services.reservations import ReservationWish


def reserve_bay(
    uow: UnitOfWork, actor: Actor, plate: PlateNumber, wish: ReservationWish
) -> Reservation:
    """Hold a bay for the vehicle of a plate.

    Parameters
    ----------
    uow : UnitOfWork
        Keeps plate, reservation, hold, audit record and event together.
    actor : Actor
        An operator or attendant of the district.
    plate : PlateNumber
        Whose; it goes to the vault and nowhere else.
    wish : ReservationWish
        Where and when.

    Raises
    ------
    Forbidden
        Where the actor's role does not allow it.
    Invalid, NotFound, Conflict
        As `parking.services.reservations.reserve`.
    """
    actor.require(Role.OPERATOR, Role.ATTENDANT)
    return reservations.reserve(uow, actor, keep_plate(uow, plate), wish)
