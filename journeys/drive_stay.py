"""A driver's own side: their vehicles, their stays, their bills."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from city.audit import record
from city.errors import Forbidden, Invalid, NotFound
from city.identifiers import AccountId, BayId, BillId, FacilityId, ParkingSessionId, VehicleId
from city.people.actors import Actor
from city.people.roles import Role
from city.vault import keep_plate
from city.vehicles import PlateNumber
from city.works.database import UnitOfWork
from journeys.held_stay import held_stay
from parking.rules.stays import ParkingSession, StayState
from parking.rules.vehicle_users import Proof, VehicleUse
from parking.services import corrections, drives, stay_views, stays, tickets, vehicle_users
from parking.store.pages import Page
from parking.store.places import bay, facility
from payments import agreements
from payments import services as payments
from payments.rules.bills import Bill, BillState


@dataclass(frozen=True, slots=True)
class Binding:
    """How a driver shows that a vehicle is theirs: one of the two."""

    code: str | None = None
    """Shown to them at the vehicle by an attendant, or their ticket's."""
    bill_id: BillId | None = None
    """A paid bill of it, with its plate."""
    plate: PlateNumber | None = None
    resale: bool = False
    """Whether it was sold to them: then nobody else has it any more."""


def show_code(uow: UnitOfWork, actor: Actor, session_id: ParkingSessionId) -> tuple[str, datetime]:
    """Give an attendant a code to show to whoever stands at a stay's vehicle.

    Raises
    ------
    Forbidden
        Where the actor's role or district does not allow it.
    Invalid
        Where the stay has no vehicle, or is over.
    """
    actor.require(Role.ATTENDANT, Role.OPERATOR)
    session = held_stay(uow, actor, session_id)
    if session.stay.vehicle_id is None:
        raise Invalid("has no vehicle yet", field="session_id")
    if session.stay.closed_at is not None:
        raise Invalid("is over: the vehicle has left", field="session_id")
    code, expires_at = vehicle_users.issue_code(uow, session_id, actor.subject)
    record(uow, actor, "parking.code_shown", "parking-session", str(session_id), {})
    return code, expires_at


def bind_vehicle(uow: UnitOfWork, actor: Actor, binding: Binding) -> VehicleUse:
    """Bind a vehicle to a driver by proof.

    By a code, the stay at hand and all later ones are theirs to see; by a bill, those from that
    bill's stay on. What was before stays between the city and whoever had the vehicle then.

    Raises
    ------
    NotFound
        Where code or bill prove nothing: whichever of its parts is wrong, the answer is the same.
    Conflict
        Where the vehicle is theirs already.
    Invalid
        Where neither is given, or the proof does not do.
    """
    account_id = account_of(actor)
    if binding.code is not None:
        session_id = vehicle_users.take_code(uow, binding.code)
        session = corrections.known(uow, session_id, "code")
        if session.stay.vehicle_id is None or session.stay.closed_at is not None:
            raise NotFound("there is no such code, or it has ended or was used", field="code")
        vehicle_id, since_at = session.stay.vehicle_id, session.stay.opened_at
        proof: Proof = Proof.STAY_CODE
        proof_id: UUID = session_id
    elif binding.bill_id is not None and binding.plate is not None:
        bill, session = _paid(uow, binding.bill_id)
        vehicle_id, since_at = keep_plate(uow, binding.plate), session.stay.opened_at
        if bill.charge.vehicle_id != vehicle_id:
            raise NotFound("no paid bill of that vehicle has this number", field="bill_id")
        proof, proof_id = Proof.PAID_BILL, bill.id
    else:
        raise Invalid("takes a code, or a bill and its plate", field="code")
    use = vehicle_users.bind(
        uow,
        account_id,
        vehicle_id,
        proof=proof,
        proof_id=proof_id,
        since_at=since_at,
        resale=binding.resale,
    )
    record(
        uow,
        actor,
        "parking.vehicle_bound",
        "vehicle",
        str(vehicle_id),
        {"proof": proof.value, "proof_id": str(proof_id), "resale": binding.resale},
    )
    return use


def unbind_vehicle(uow: UnitOfWork, actor: Actor, vehicle_id: VehicleId) -> VehicleUse:
    """Unbind a vehicle, as when it is sold: its later stays are not theirs to see, or to pay.

    What they agreed to be deducted for it ends.

    Raises
    ------
    NotFound
        Where it is not theirs.
    """
    account_id = account_of(actor)
    use = vehicle_users.unbind(uow, account_id, vehicle_id, actor.subject)
    record(uow, actor, "parking.vehicle_unbound", "vehicle", str(vehicle_id), {})
    for agreement in agreements.end_of_vehicle(uow, account_id, vehicle_id):
        record(uow, actor, "payments.agreement_ended", "agreement", str(agreement.id), {})
    return use


def start_stay(
    uow: UnitOfWork,
    actor: Actor,
    bay_id: BayId,
    vehicle_id: VehicleId,
    until_at: datetime | None = None,
) -> ParkingSession:
    """Start a stay with a vehicle of one's own.

    Raises
    ------
    NotFound
        Where the vehicle is not theirs, or there is no such bay.
    Conflict, Invalid
        As `parking.services.drives.start`; Invalid also behind a gate, which opens the stay itself.
    """
    account_id = account_of(actor)
    now = uow.clock.now()
    if not vehicle_users.was_theirs(uow.connection, account_id, vehicle_id, now):
        raise NotFound("is not a vehicle of yours", field="vehicle_id")
    place = facility(uow.connection, bay(uow.connection, bay_id).facility_id)
    if place.kind == "garage":
        raise Invalid("is behind a gate, which starts the stay", field="bay_id")
    session = drives.start(uow, account_id, bay_id, vehicle_id, until_at)
    _record(uow, actor, "parking.stay_started", session)
    return session


def extend_stay(
    uow: UnitOfWork, actor: Actor, session_id: ParkingSessionId, until_at: datetime
) -> ParkingSession:
    """Say until when one's own stay is planned now.

    Raises
    ------
    NotFound
        Where it is not theirs.
    Conflict, Invalid
        As `parking.services.drives.extend`.
    """
    session = _own(uow, actor, session_id)
    done = drives.extend(uow, session, account_of(actor), until_at)
    _record(uow, actor, "parking.stay_extended", done)
    return done


def end_stay(uow: UnitOfWork, actor: Actor, session_id: ParkingSessionId) -> ParkingSession:
    """End one's own stay now.

    Raises
    ------
    NotFound
        Where it is not theirs.
    Conflict, Invalid
        As `parking.services.drives.end`.
    """
    done = drives.end(uow, _own(uow, actor, session_id), account_of(actor))
    _record(uow, actor, "parking.stay_ended", done)
    return done


def take_ticket(uow: UnitOfWork, actor: Actor, facility_id: FacilityId) -> tickets.Ticket:
    """Give a driver whose vehicle has no plate a ticket for a facility's gates.

    The vehicle, so far only this ticket, is theirs at once.

    Raises
    ------
    NotFound
        Where there is no such facility.
    Invalid
        Where it has no gates.
    """
    account_id = account_of(actor)
    place = facility(uow.connection, facility_id)
    if place.kind == "kerb":
        raise Invalid("is a kerb: it has no gates", field="facility_id")
    ticket = tickets.issue(uow, facility_id, account_id)
    vehicle_users.bind(
        uow,
        account_id,
        ticket.vehicle_id,
        proof=Proof.TICKET,
        proof_id=ticket.vehicle_id,
        since_at=ticket.made_at,
    )
    record(
        uow,
        actor,
        "parking.ticket_taken",
        "vehicle",
        str(ticket.vehicle_id),
        {"facility_id": str(facility_id)},
    )
    return ticket


def is_own(connection: Connection, actor: Actor, session: ParkingSession) -> bool:
    """Say whether a stay is a driver's: they started it, or it was their vehicle's then."""
    account_id = actor.account_id
    if account_id is None or not actor.has_any(Role.DRIVER):
        return False
    stay = session.stay
    return stay.started_by == account_id or any(
        vehicle_users.was_theirs(connection, account_id, vehicle_id, stay.opened_at)
        for vehicle_id in {stay.vehicle_id, session.admitted_as}
    )


def bills_of_driver(
    connection: Connection, page: Page[ParkingSession]
) -> list[tuple[Bill, ParkingSession]]:
    """Give the bills of a page of a driver's stays, the newest first."""
    by_id = {each.id: each for each in page.items}
    found = payments.bills_of_sessions(connection, list(by_id))
    return [(bill, by_id[bill.charge.session_id]) for bill in found]


def own_vehicles(connection: Connection, actor: Actor) -> list[VehicleUse]:
    """Give a driver's vehicles, the newest first."""
    return vehicle_users.vehicles(connection, account_of(actor))


def own_stays(
    connection: Connection,
    actor: Actor,
    *,
    state: StayState | None = None,
    billed: bool = False,
    after: UUID | None,
    limit: int,
) -> Page[ParkingSession]:
    """Give a driver's stays, the newest first; with `billed` those that have or had a bill."""
    return stay_views.of_driver(
        connection, account_of(actor), state=state, billed=billed, after=after, limit=limit
    )


def _own(uow: UnitOfWork, actor: Actor, session_id: ParkingSessionId) -> ParkingSession:
    session = stays.find(uow.connection, session_id, lock=True)
    if session is None or not is_own(uow.connection, actor, session):
        raise NotFound("is no stay of yours", field="session_id")
    return session


def _paid(uow: UnitOfWork, bill_id: BillId) -> tuple[Bill, ParkingSession]:
    bill = payments.find_bill(uow.connection, bill_id)
    if bill is None or bill.state is not BillState.PAID or not bill.fee:
        # A bill over nothing proves nothing: nobody paid it.
        raise NotFound("no paid bill of that vehicle has this number", field="bill_id")
    return bill, corrections.known(uow, bill.charge.session_id, "bill_id")


def account_of(actor: Actor) -> AccountId:
    """Give a driver's account; Forbidden for whoever is none."""
    actor.require(Role.DRIVER)
    if actor.account_id is None:
        raise Forbidden("only a person has vehicles")
    return actor.account_id


def _record(uow: UnitOfWork, actor: Actor, action: str, session: ParkingSession) -> None:
    record(
        uow,
        actor,
        action,
        "parking-session",
        str(session.id),
        {"facility_id": str(session.facility_id)},
    )
