"""A stay that is over becomes a bill: rated under the version pinned at entry."""

from collections.abc import Callable, Mapping
from typing import Final

from pydantic import JsonValue

from city.audit import record
from city.errors import Invalid
from city.events import BusinessEvent
from city.events.parking import ParkingSessionClosed, ParkingSessionClosedInBay
from city.identifiers import ParkingSessionId
from city.money import Money
from city.people.actors import system_actor
from city.works.database import Database, UnitOfWork
from city.works.jobs import Task, handle_once
from journeys import deduct_by_agreement
from journeys.exempt_stay import let_off
from journeys.rate_stay import rate_stay
from parking.rules.stays import ParkingSession, StayState
from parking.services import escapes, rights, stay_views, stays
from parking.store import places
from payments import arrears, money_back, offers
from payments import services as payments
from payments.rules.bills import Bill, Charge

TASK: Final = "journeys.settle_stay"
BILLER: Final = system_actor("billing")


def settle_stay(uow: UnitOfWork, session_id: ParkingSessionId) -> Bill | None:
    """Bill a stay, and before it the vehicle's earlier stays that wait for their bills.

    Done again it changes nothing: a stay has one bill.

    Parameters
    ----------
    uow : UnitOfWork
        Keeps bill, ledger and stay together.
    session_id : ParkingSessionId
        A stay whose closing was announced.

    Returns
    -------
    Bill or None
        None for a stay that is not billed: without a vehicle, without a tariff, not yet over.

    Raises
    ------
    Invalid
        Where the tariff has no price for the vehicle: a person has to look at it.
    """
    session = stays.find(uow.connection, session_id)  # no lock: what is final never changes
    if session is None or not _billable(session):
        return None
    stay = session.stay
    if stay.vehicle_id is None or stay.closed_at is None or stay.tariff_version_id is None:
        return None
    present = payments.bill_of_session(uow.connection, session_id)
    if present is not None:
        return present
    # From here on nothing more is paid ahead for it: what still comes goes back as a surplus.
    one = [session.id, *(each.id for each in stay_views.parts(uow.connection, session))]
    offers.hold(uow, one)
    offers.withdraw(uow, one)
    rated = rate_stay(
        uow.connection,
        session,
        stay.closed_at,
        # An earlier stay that waits for its bill gets it now, so that it does not matter whose job
        # runs first. Bills are written from the earliest stay on, so no two jobs wait for each
        # other.
        bill_of=lambda earlier_id: settle_stay(uow, earlier_id),
        lock=True,
    )
    if rated is None:
        return None
    rights.keep_used(uow, rated.seen, rated.covered)
    facility = places.facility(uow.connection, session.facility_id)
    amount, lines = rated.quote.total, rated.quote.lines_json()
    if rated.let_off_minor:
        # What it came to is billed, and taken off again: the ledger shows both.
        amount, lines = Money(rated.let_off_minor, amount.currency), lines[:-1]
    charge = Charge(
        session_id=session.id,
        vehicle_id=stay.vehicle_id,
        facility_id=facility.id,
        district=facility.district,
        operator_id=facility.operator_id,
        revenue_nature=facility.revenue_nature,
        tariff_version_id=stay.tariff_version_id,
        amount=amount,
        lines=tuple(lines),
        applied_minor=rated.applied_minor,
    )
    bill = payments.issue_bill(uow, charge, BILLER.subject)
    stays.note_bill(uow, session_id, bill.id)
    # Whoever freed the stay while it was rated did so before this, or waits for it.
    bill = let_off(uow, stays.find(uow.connection, session_id), bill)
    if bill.outstanding and escapes.is_escaped(uow.connection, session_id):
        bill = arrears.fall_due(uow, bill.id)
    deduct_by_agreement.defer(uow, bill)
    if rated.unused:
        reason = money_back.UNUSED_REASON
        money_back.give_back_ahead(uow, one, reason, BILLER.subject)
    record(
        uow,
        BILLER,
        "payments.bill_issued",
        "bill",
        str(bill.id),
        {
            "session_id": str(session_id),
            "amount": bill.amount.as_json(),
            "paid_ahead": bill.applied.as_json(),
            "coupons_left_out": list(rated.coupons_left_out),
        },
    )
    return bill


def task(database: Database) -> Task:
    """Give the task that handles `ParkingSessionClosed`."""
    return Task(TASK, _handler(database))


def _handler(database: Database) -> Callable[[Mapping[str, JsonValue]], None]:
    def handle(arguments: Mapping[str, JsonValue]) -> None:
        event = BusinessEvent.opened(arguments)
        if not isinstance(event, ParkingSessionClosed | ParkingSessionClosedInBay):
            raise Invalid("is no closing of a stay", field="event_type")
        with database.unit_of_work() as uow:
            if handle_once(uow, TASK, event.event_id):
                settle_stay(uow, event.session_id)

    return handle


def _billable(session: ParkingSession) -> bool:
    stay = session.stay
    return stay.state is StayState.CLOSED and stay.final and stay.billable
