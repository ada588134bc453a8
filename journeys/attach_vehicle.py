"""Say which vehicle stands in a bay: plate to vault, vehicle to stay, and what to expect of it."""

from dataclasses import dataclass
from enum import StrEnum

from city.audit import record
from city.errors import Forbidden, NotFound
from city.identifiers import ParkingSessionId
from city.people.actors import Actor
from city.people.roles import Role
from city.vault import keep_plate
from city.vehicles import PlateNumber
from city.works.database import UnitOfWork
from journeys.vehicle_traits import traits_of
from parking.rules.stays import ParkingSession
from parking.services import stays, tariffs


class AttachWarning(StrEnum):
    """What whoever attaches a vehicle should know at once; keys of the catalogue."""

    EXEMPT = "attach.warning.exempt"
    """The tariff exempts the plate's kind: the bill will be over nothing."""
    NO_PRICE = "attach.warning.no_price"
    """The tariff has no price for such a vehicle: there can be no bill."""
    CLASS_UNKNOWN = "attach.warning.class_unknown"
    """The plate's kind does not tell the vehicle's class: rated as a small one."""
    NO_TARIFF = "attach.warning.no_tariff"
    """The stay began where no tariff was in force: there will be no bill."""


@dataclass(frozen=True, slots=True)
class Attached:
    """The stay with its vehicle."""

    session: ParkingSession
    warnings: tuple[AttachWarning, ...]


def attach_vehicle(
    uow: UnitOfWork, actor: Actor, session_id: ParkingSessionId, plate: PlateNumber
) -> Attached:
    """Attach a vehicle to a stay.

    Parameters
    ----------
    uow : UnitOfWork
        Keeps plate, stay, audit record and events together.
    actor : Actor
        An attendant or operator of the stay's district.
    session_id : ParkingSessionId
        The stay: open, or ended within the grace.
    plate : PlateNumber
        What the actor saw. It goes to the vault and nowhere else.

    Raises
    ------
    Forbidden
        Where the actor's role or district does not allow it.
    NotFound, Conflict
        As `parking.services.stays.attach`.
    """
    actor.require(Role.ATTENDANT, Role.OPERATOR)
    present = stays.find(uow.connection, session_id)
    if present is None:
        raise NotFound("no such stay; a passing flicker may have been withdrawn", field="id")
    if not actor.in_district(present.district):
        raise Forbidden("the stay is in another district than yours")
    vehicle_id = keep_plate(uow, plate)
    session = stays.attach(uow, session_id, vehicle_id, actor.subject)
    record(
        uow,
        actor,
        "parking.vehicle_attached",
        "parking-session",
        str(session_id),
        {"vehicle_id": str(vehicle_id), "kind": plate.kind.value},
    )
    return Attached(session, _warnings(uow, session, plate))


def _warnings(
    uow: UnitOfWork, session: ParkingSession, plate: PlateNumber
) -> tuple[AttachWarning, ...]:
    version_id = session.stay.tariff_version_id
    if version_id is None:
        return (AttachWarning.NO_TARIFF,)
    coverage = tariffs.coverage(uow.connection, version_id, traits_of(plate.kind))
    if coverage is tariffs.Coverage.EXEMPT:
        return (AttachWarning.EXEMPT,)
    if coverage is tariffs.Coverage.NO_PRICE:
        return (AttachWarning.NO_PRICE,)
    return (AttachWarning.CLASS_UNKNOWN,) if plate.vehicle_class is None else ()
