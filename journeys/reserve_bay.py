"""Hold a bay for a vehicle: by its plate, or by its driver."""

from uuid import UUID

from sqlalchemy import Connection

from city.errors import NotFound
from city.identifiers import ReservationId, VehicleId
from city.people.actors import Actor
from city.people.roles import Role
from city.vault import keep_plate
from city.vehicles import PlateNumber
from city.works.database import UnitOfWork
from journeys.drive_stay import account_of
from parking.rules.rights.reservations import Reservation
from parking.services import reservations, vehicle_users
from parking.services.reservations import ReservationWish
from parking.store.pages import Page
from payments import privileges
from payments.rules.arrears import Privilege


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
    Conflict
        Where the vehicle has overdue bills, and their region's policy takes reservations away.
    Invalid, NotFound, Conflict
        As `parking.services.reservations.reserve`.
    """
    actor.require(Role.OPERATOR, Role.ATTENDANT)
    vehicle_id = keep_plate(uow, plate)
    privileges.require(uow.connection, vehicle_id, Privilege.RESERVE, uow.clock.now(), "plate")
    return reservations.reserve(uow, actor, vehicle_id, wish)


def reserve_own(
    uow: UnitOfWork, actor: Actor, vehicle_id: VehicleId, wish: ReservationWish
) -> Reservation:
    """Hold a bay for a vehicle of a driver's own.

    Raises
    ------
    NotFound
        Where the vehicle is not theirs.
    Conflict
        Where it has overdue bills, as `reserve_bay`.
    Invalid, NotFound, Conflict
        As `parking.services.reservations.reserve`.
    """
    account_id = account_of(actor)
    if not vehicle_users.was_theirs(uow.connection, account_id, vehicle_id, uow.clock.now()):
        raise NotFound("is not a vehicle of yours", field="vehicle_id")
    now = uow.clock.now()
    privileges.require(uow.connection, vehicle_id, Privilege.RESERVE, now, "vehicle_id")
    return reservations.reserve(uow, actor, vehicle_id, wish, field="vehicle_id")


def own_reservations(
    connection: Connection, actor: Actor, *, after: UUID | None, limit: int
) -> Page[Reservation]:
    """Give the reservations of a driver's vehicles, the newest first."""
    return reservations.of_driver(connection, account_of(actor), after=after, limit=limit)


def give_back_own(uow: UnitOfWork, actor: Actor, reservation_id: ReservationId) -> Reservation:
    """Give a bay back that is held for a driver's own vehicle: cancelled, or released early.

    Raises
    ------
    NotFound
        Where it is not for a vehicle of theirs.
    Conflict
        Where it is over already.
    """
    account_id, now = account_of(actor), uow.clock.now()
    found = reservations.find(uow.connection, reservation_id)
    if not vehicle_users.was_theirs(uow.connection, account_id, found.vehicle_id, now):
        raise NotFound("there is no such reservation of yours", field="reservation_id")
    return reservations.give_back(uow, actor, reservation_id)
