"""A stay that is over becomes a bill: rated under the version pinned at entry."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from pydantic import JsonValue

from city.audit import record
from city.errors import Invalid
from city.events import BusinessEvent
from city.events.parking import ParkingSessionClosed, ParkingSessionClosedInBay
from city.identifiers import ParkingSessionId
from city.people.actors import system_actor
from city.time import Interval
from city.works.database import Database, UnitOfWork
from city.works.jobs import Task, handle_once
from journeys.cover_stay import claims_of, stay_in_sight, tariff_minor, with_overstays
from journeys.vehicle_traits import traits_of
from parking.rules.evidence import PartKind
from parking.rules.stays import ParkingSession, StayState
from parking.rules.tariffs.model import EarlierStay, Stay
from parking.services import rights, stay_views, stays, tariffs
from parking.store import places
from payments import services as payments
from payments.rules.bills import Bill, Charge

TASK: Final = "journeys.settle_stay"
BILLER: Final = system_actor("billing")
HISTORY: Final = timedelta(days=7)
"""How far back earlier stays of the vehicle are looked at: a chain of 24-hour windows that began
longer ago is cut there, in the driver's favour or against it by one window at most."""


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
    history = _history(uow, session)
    whole = _whole(uow, session, stay.closed_at)
    reaching = replace(session, stay=replace(stay, closed_at=whole.leave_at))
    seen = stay_in_sight(uow.connection, reaching, whole.leave_at)
    if seen is None:
        return None
    covered = rights.coverage(uow.connection, seen, lock=True)
    quote = with_overstays(
        tariffs.rate(
            uow.connection,
            stay.tariff_version_id,
            whole,
            traits_of(seen.plate_kind),
            history,
            claims=claims_of(covered.coverage),
        ),
        covered.coverage,
    )
    rights.keep_used(uow, seen, covered)
    facility = places.facility(uow.connection, session.facility_id)
    charge = Charge(
        session_id=session.id,
        vehicle_id=stay.vehicle_id,
        facility_id=facility.id,
        district=facility.district,
        operator_id=facility.operator_id,
        revenue_nature=facility.revenue_nature,
        tariff_version_id=stay.tariff_version_id,
        amount=quote.total,
        lines=tuple(quote.lines_json()),
    )
    bill = payments.issue_bill(uow, charge, BILLER.subject)
    stays.note_bill(uow, session_id, bill.id)
    record(
        uow,
        BILLER,
        "payments.bill_issued",
        "bill",
        str(bill.id),
        {"session_id": str(session_id), "amount": bill.amount.as_json()},
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


def _whole(uow: UnitOfWork, session: ParkingSession, closed_at: datetime) -> Stay:
    """Give the stay with what continues it, without the times of which nobody knows."""
    gaps: list[Interval] = []
    left_at = closed_at
    for part in stay_views.parts(uow.connection, session):
        until_at = part.stay.closed_at
        if part.stay.part_kind is not PartKind.CONTINUATION or until_at is None:
            continue
        if part.stay.opened_at > left_at:
            gaps.append(Interval(left_at, part.stay.opened_at))
        left_at = max(left_at, until_at)
    return Stay(session.stay.opened_at, left_at, tuple(gaps))


def _history(uow: UnitOfWork, session: ParkingSession) -> list[EarlierStay]:
    """Give what was billed for the vehicle's earlier stays, oldest first.

    One that waits for its bill gets it now, so that it does not matter whose job runs first. Bills
    are always written from the earliest stay on, so no two jobs wait for each other.
    """
    opened_at = session.stay.opened_at
    history = []
    for earlier in stays.earlier(uow.connection, session, opened_at - HISTORY):
        bill = settle_stay(uow, earlier.id)
        left_at = earlier.stay.closed_at
        if bill is not None and left_at is not None:
            # two sensors' clocks may overlap by seconds where a car changes its bay
            left_at = max(earlier.stay.opened_at, min(left_at, opened_at))
            paid_minor = max(0, tariff_minor(bill.charge.lines))
            history.append(EarlierStay(earlier.stay.opened_at, left_at, paid_minor))
    return history
