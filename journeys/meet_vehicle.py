"""A person meets a vehicle that no sensor can see: the second car in a bay, one beside the bays."""

from city.audit import record
from city.errors import Forbidden
from city.identifiers import FacilityId
from city.people.actors import Actor
from city.people.roles import Role
from city.vault import keep_plate
from city.vehicles import PlateNumber
from city.works.database import UnitOfWork
from parking.rules.corrections import check_reason
from parking.rules.evidence import STATED, Evidence, EvidenceKind, EvidenceSource
from parking.rules.stays import ParkingSession
from parking.services import corrections, visits
from parking.store.places import facility


def meet_vehicle(
    uow: UnitOfWork, actor: Actor, facility_id: FacilityId, plate: PlateNumber, where: str
) -> ParkingSession:
    """Keep that a vehicle stands at a facility, outside what any sensor or gate sees.

    The first time opens a stay, again confirms it; it ends by a person's word, at the latest when
    it was last met. So it is charged for no time of which nobody knows.

    Parameters
    ----------
    uow : UnitOfWork
        Keeps evidence, stay and audit record together.
    actor : Actor
        An attendant or operator of the facility's district.
    facility_id : FacilityId
    plate : PlateNumber
        What the actor saw. It goes to the vault and nowhere else.
    where : str
        Where it stands, in words.

    Raises
    ------
    Forbidden
        Where the actor's role or district does not allow it.
    NotFound
        Where there is no such facility.
    """
    actor.require(Role.ATTENDANT, Role.OPERATOR)
    place = facility(uow.connection, facility_id)
    if not actor.in_district(place.district):
        raise Forbidden("the facility is in another district than yours")
    said_where = check_reason(where)
    vehicle_id = keep_plate(uow, plate)
    now = uow.clock.now()
    visits.take_turn(uow, facility_id)
    known = visits.identity_of(uow, facility_id, vehicle_id, now)
    joined = visits.add(
        uow,
        Evidence(
            kind=EvidenceKind.PLATE_SEEN,
            at=now,
            recorded_at=now,
            source=EvidenceSource.ATTENDANT,
            certainty=STATED,
            by=actor.subject,
            facility_id=facility_id,
            district=place.district,
            vehicle_id=known or vehicle_id,
            read_as=vehicle_id if known not in {None, vehicle_id} else None,
            detail={"where": said_where},
        ),
    )
    session = corrections.joined_session(joined)
    record(
        uow,
        actor,
        "parking.vehicle_met",
        "parking-session",
        str(session.id),
        {"vehicle_id": str(vehicle_id), "kind": plate.kind.value},
    )
    return session
