"""A driver's own word on a stay: start, extend, end."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from city.errors import Conflict, Invalid, NotFound
from city.events.parking import VehicleAttached
from city.identifiers import AccountId, BayId, ParkingSessionId, VehicleId, uuid7
from city.works.database import UnitOfWork
from parking.rules.evidence import CLAIMED, Evidence, EvidenceKind, EvidenceSource
from parking.rules.stays import BayStay, ParkingSession, attached
from parking.services import corrections
from parking.store import stay_evidence, stay_lists
from parking.store import stays as store
from parking.store.places import bay

LONGEST_PLAN: Final = timedelta(days=7)
STARTED_BY_DRIVER: Final = "driver"


def start(
    uow: UnitOfWork,
    account_id: AccountId,
    bay_id: BayId,
    vehicle_id: VehicleId,
    until_at: datetime | None,
) -> ParkingSession:
    """Start a stay in a bay: join the one that the sensor opened, else open one.

    The sensor's arrival counts where it saw one; where it comes later, the stay begins with it. A
    bay whose sensor says nothing has a stay by the driver's word alone, which only ends by one.

    Raises
    ------
    NotFound
        Where there is no such bay.
    Conflict
        Where the bay has another vehicle, or the vehicle stands in another bay of the facility.
    Invalid
        Where the planned end is not ahead, or too far.
    """
    now = uow.clock.now()
    place = bay(uow.connection, bay_id)
    _check_plan(until_at, now)
    for other in stay_lists.open_of_vehicle(uow.connection, place.facility_id, vehicle_id):
        if other.bay_id != bay_id:
            raise Conflict(
                "stands elsewhere by what is known: end that stay first",
                field="vehicle_id",
                reason="elsewhere",
                session_id=str(other.id),
            )
    session = stay_lists.open_in_bay(uow.connection, bay_id)
    if session is None:
        opened = BayStay(now, f"{STARTED_BY_DRIVER}:{uuid4().hex}", ParkingSessionId(uuid7()))
        store.add(uow.connection, [(bay_id, opened)])
        session = stay_lists.open_in_bay(uow.connection, bay_id)
    if session is None:
        raise NotFound("there is no such bay", field="bay_id")
    stay = session.stay
    if stay.vehicle_id != vehicle_id:
        stay = attached(stay, vehicle_id, now)
    started = replace(stay, planned_until_at=until_at, started_by=stay.started_by or account_id)
    store.write(uow.connection, session.id, started, str(account_id))
    kind, by = EvidenceKind.DRIVER_START, str(account_id)
    say(uow, session, kind, by, vehicle_id=vehicle_id, until_at=until_at)
    if session.stay.vehicle_id is None:
        uow.announce(
            VehicleAttached(
                occurred_at=now,
                session_id=session.id,
                facility_id=session.facility_id,
                vehicle_id=vehicle_id,
            )
        )
    return corrections.known(uow, session.id)


def extend(
    uow: UnitOfWork, session: ParkingSession, account_id: AccountId, until_at: datetime
) -> ParkingSession:
    """Say until when a stay is planned now.

    Raises
    ------
    Conflict
        Where it is over.
    Invalid
        Where the planned end is not ahead, or too far.
    """
    _check_plan(until_at, uow.clock.now())
    if session.stay.closed_at is not None:
        raise Conflict("the stay is over", field="session_id", reason="closed")
    extended = replace(session.stay, planned_until_at=until_at)
    store.write(uow.connection, session.id, extended, session.attached_by)
    kind, vehicle_id = EvidenceKind.DRIVER_EXTENSION, session.stay.vehicle_id
    say(uow, session, kind, str(account_id), vehicle_id=vehicle_id, until_at=until_at)
    return corrections.known(uow, session.id)


def end(uow: UnitOfWork, session: ParkingSession, account_id: AccountId) -> ParkingSession:
    """End a stay in a bay now, by its driver's word.

    Where the sensor says that the vehicle left before, that counts. Where the bay stays taken, what
    stands there is nobody's stay until somebody looks.

    Raises
    ------
    Conflict
        Where it is over.
    Invalid
        Where a gate says when it ends.
    """
    if session.admitted_as is not None:
        raise Invalid("ends at the gate", field="session_id")
    word = corrections.Word(str(account_id), "", EvidenceSource.DRIVER)
    return corrections.end(uow, session, uow.clock.now(), word, EvidenceKind.DRIVER_END)


def say(
    uow: UnitOfWork,
    session: ParkingSession,
    kind: EvidenceKind,
    by: str,
    *,
    vehicle_id: VehicleId | None,
    until_at: datetime | None = None,
) -> None:
    """Keep a driver's word as evidence."""
    now = uow.clock.now()
    said = Evidence(
        kind=kind,
        at=now,
        recorded_at=now,
        source=EvidenceSource.DRIVER,
        certainty=CLAIMED,
        by=by,
        facility_id=session.facility_id,
        district=session.district,
        session_id=session.id,
        bay_id=session.bay_id,
        vehicle_id=vehicle_id,
        detail={} if until_at is None else {"until": until_at.isoformat()},
    )
    stay_evidence.add(uow.connection, [said])


def _check_plan(until_at: datetime | None, now: datetime) -> None:
    if until_at is None:
        return
    if until_at <= now:
        raise Invalid("must lie ahead", field="until")
    if until_at - now > LONGEST_PLAN:
        raise Invalid(f"must lie within {LONGEST_PLAN.days} days", field="until")
