"""Pay for a stay online before its vehicle leaves: what is due by now is offered, and a link to it.

The link leads to the pay page, as a bill's does. What is paid is held for the stay; its bill takes
it over at departure, and what it did not need goes back through the channel.
"""

from collections.abc import Mapping
from typing import Final

from pydantic import JsonValue

from city.audit import record
from city.errors import Conflict, Invalid, NotFound
from city.events import BusinessEvent
from city.events.payments import StayPaidAhead
from city.identifiers import BayId, ParkingSessionId
from city.people.actors import Actor, system_actor
from city.vehicles import PlateNumber
from city.works.database import Database, UnitOfWork
from city.works.jobs import Task, handle_once
from journeys.drive_stay import is_own
from journeys.pay_ahead import charge_ahead, fee_of_stay, leave_by
from journeys.pay_by_link import give_link, unpaid_of, vehicle_by_plate
from parking.rules.evidence import EvidenceSource
from parking.rules.stays import ParkingSession
from parking.services import corrections, stay_views, stays
from parking.store.places import bay
from payments import offers
from payments.rules.bills import Bill
from payments.rules.pay_links import Scope

TASK: Final = "journeys.note_paid_ahead"
PAID_ONLINE: Final = system_actor("payments.paid-ahead")


def offer_own(uow: UnitOfWork, actor: Actor, session_id: ParkingSessionId) -> tuple[Bill, str]:
    """Offer a driver what is due of their own stay by now; give it with a link.

    Asked again while it costs the same, it is the same offer.

    Raises
    ------
    NotFound
        Where there is no such stay, or it is none of theirs.
    Conflict
        Where it is over, nobody said whose it is, another stay counts, or nothing is due.
    """
    session = corrections.known(uow, session_id)
    if not is_own(uow.connection, actor, session):
        raise NotFound("is no stay of yours", field="session_id")
    offered = offer_stay(uow, session)
    return offered, give_link(uow, offered.id)


def offer_stay(uow: UnitOfWork, session: ParkingSession) -> Bill:
    """Offer what is due of a stay by now; the stay is locked by the caller.

    Raises
    ------
    Conflict
        Where it is over, nobody said whose it is, another stay counts, or nothing is due.
    """
    if session.stay.closed_at is not None:
        raise Conflict("the stay is over: pay its bill", field="session_id", reason="closed")
    fee = fee_of_stay(uow.connection, session, uow.clock.now())
    return offers.offer_ahead(uow, charge_ahead(uow.connection, fee))


def payable_by_plate(
    uow: UnitOfWork, plate: PlateNumber, bay_id: BayId | None = None
) -> list[tuple[Bill, str]]:
    """Find what a vehicle can pay: its stays that go on, as offered now, then its unpaid bills.

    Each with a link that shows neither place nor times. At a bay the facility's bills are found,
    and of stays that go on those in that very bay, or behind the facility's gates: who types a
    plate elsewhere does not learn that the car stands there.

    Parameters
    ----------
    uow : UnitOfWork
    plate : PlateNumber
        As typed by somebody who sees the car; the look at the vault is on record.
    bay_id : BayId or None
        Whose page it was typed on; None: all of the city.
    """
    place = None if bay_id is None else bay(uow.connection, bay_id)
    vehicle_id = vehicle_by_plate(uow, plate)
    if vehicle_id is None:
        return []
    found = []
    for session in stay_views.standing_of(uow.connection, vehicle_id):
        if place is not None and not (
            session.facility_id == place.facility_id and session.bay_id in {None, bay_id}
        ):
            continue
        offered = _offered(uow, session.id)
        if offered is not None:
            found.append((offered, give_link(uow, offered.id, Scope.AMOUNT)))
    facility_id = None if place is None else place.facility_id
    return [*found, *unpaid_of(uow, vehicle_id, facility_id)]


def note_paid_ahead(uow: UnitOfWork, paid: StayPaidAhead) -> bool:
    """Keep with a stay until when it can be left; False where it is over by now."""
    session = corrections.known(uow, paid.session_id)
    if session.stay.closed_at is not None:
        return False
    leave_by_at = leave_by(uow.connection, session, paid.covers_until_at)
    known_at = session.stay.paid_until_at
    stays.note_paid_ahead(
        uow,
        session,
        leave_by_at if known_at is None else max(known_at, leave_by_at),
        PAID_ONLINE.subject,
        {"bill_id": str(paid.bill_id), "paid": paid.amount.as_json()},
        source=EvidenceSource.DRIVER,
    )
    record(
        uow,
        PAID_ONLINE,
        "payments.paid_ahead",
        "parking-session",
        str(session.id),
        {
            "bill_id": str(paid.bill_id),
            "amount": paid.amount.as_json(),
            "covers_until_at": paid.covers_until_at.isoformat(),
        },
    )
    return True


def task(database: Database) -> Task:
    """Give the task that handles `StayPaidAhead`."""

    def handle(arguments: Mapping[str, JsonValue]) -> None:
        event = BusinessEvent.opened(arguments)
        if not isinstance(event, StayPaidAhead):
            raise Invalid("is no payment ahead of a stay", field="event_type")
        with database.unit_of_work() as uow:
            if handle_once(uow, TASK, event.event_id):
                note_paid_ahead(uow, event)

    return Task(TASK, handle)


def _offered(uow: UnitOfWork, session_id: ParkingSessionId) -> Bill | None:
    """Offer a stay where something is due of it."""
    try:
        return offer_stay(uow, corrections.known(uow, session_id))
    except Conflict:
        return None  # nothing is due, or it is over since: there is nothing to pay
