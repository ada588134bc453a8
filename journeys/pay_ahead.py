"""Pay for a stay before it is over, take coupons for it, and give back what was not needed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from city.audit import record
from city.errors import Conflict, Invalid
from city.identifiers import ParkingSessionId, VehicleId
from city.money import Money
from city.people.actors import Actor
from city.people.roles import Role
from city.vault import masked
from city.vehicles import PlateKind
from city.works.database import UnitOfWork
from journeys.held_stay import held_stay
from journeys.rate_stay import Rated, exit_grace, rate_stay
from journeys.vehicle_traits import traits_of
from parking.rules.stays import ParkingSession
from parking.services import stay_coupons, stay_views, stays, tariffs
from parking.store import places
from payments import money_back, offers
from payments import services as payments
from payments.rules.advances import Refund
from payments.rules.bills import Bill, BillPart, Charge, Payment

FURTHEST: Final = timedelta(days=7)
"""How far ahead a stay can be paid for."""


@dataclass(frozen=True, slots=True)
class Fee:
    """What a stay costs up to an instant, as things stand."""

    session: ParkingSession
    until_at: datetime
    rated: Rated
    leave_by_at: datetime | None
    """Until when it can leave without paying more; None where something is due."""


@dataclass(frozen=True, slots=True)
class Advance:
    """What was paid ahead: its bill, the payment, and until when the vehicle can leave."""

    bill: Bill
    payment: Payment
    leave_by_at: datetime


def fee_of_stay(
    connection: Connection, session: ParkingSession, now: datetime, until_at: datetime | None = None
) -> Fee:
    """Say what a stay costs up to an instant: of one that is over, up to its end.

    Parameters
    ----------
    connection : Connection
    session : ParkingSession
    now : datetime
        Business time.
    until_at : datetime or None
        When it would end; None: now.

    Raises
    ------
    Conflict
        Where nobody said whose it is, it has no tariff, or another stay counts.
    Invalid
        Where the instant lies behind, or too far ahead.
    """
    check_counts(session)
    if until_at is not None and not now <= until_at <= now + FURTHEST:
        raise Invalid(f"must lie within the next {FURTHEST.days} days", field="until_at")
    # In whole seconds, as stays are rated: what is paid to an instant is what is due at it.
    reached_at = session.stay.closed_at or (until_at or now).replace(microsecond=0)
    rated = rate_stay(connection, session, reached_at)
    if rated is None:
        raise Conflict("the stay has no vehicle or no tariff yet", field="session_id")
    leave_by_at = None
    if not rated.quote.total and session.stay.closed_at is None:
        leave_by_at = max(reached_at, session.stay.paid_until_at or reached_at)
    return Fee(session, reached_at, rated, leave_by_at)


def pay_ahead(
    uow: UnitOfWork,
    actor: Actor,
    session_id: ParkingSessionId,
    tendered: Money,
    until_at: datetime | None = None,
) -> Advance:
    """Take cash for what a stay costs up to an instant, while it goes on.

    It is owed back until the stay is billed. Whoever then leaves within the tariff's exit grace
    pays nothing more, who stays longer the difference; what is too much is given back, unless the
    tariff keeps it.

    Parameters
    ----------
    uow : UnitOfWork
        Keeps bill, payment, ledger, stay, evidence and audit record together.
    actor : Actor
        An attendant or the finance desk: who takes the cash.
    session_id : ParkingSessionId
        An open stay with a vehicle; two who pay at once come one after the other.
    tendered : Money
        What was handed over.
    until_at : datetime or None
        Until when it is paid for; None: now.

    Raises
    ------
    Forbidden
        Where the actor's role or district does not allow it.
    NotFound
        Where there is no such stay.
    Conflict
        Where it is over, another stay counts, nobody said whose it is, or nothing is due.
    Invalid
        Where too little or another currency was handed over, or the instant is not ahead.
    """
    actor.require(Role.ATTENDANT, Role.FINANCE)
    session = held_stay(uow, actor, session_id)
    if session.stay.closed_at is not None:
        raise Conflict("the stay is over: pay its bill", field="session_id", reason="closed")
    now = uow.clock.now()
    fee = fee_of_stay(uow.connection, session, now, until_at)
    due = fee.rated.quote.total
    charge = charge_ahead(uow.connection, fee)
    bill, payment = payments.pay_ahead(uow, charge, tendered, actor.subject)
    leave_by_at = fee.until_at + exit_grace(uow.connection, session, fee.rated)
    stays.note_paid_ahead(
        uow, session, leave_by_at, actor.subject, {"bill_id": str(bill.id), "paid": due.as_json()}
    )
    record(
        uow,
        actor,
        "payments.paid_ahead",
        "parking-session",
        str(session.id),
        {
            "bill_id": str(bill.id),
            "payment_id": str(payment.id),
            "amount": due.as_json(),
            "covers_until_at": fee.until_at.isoformat(),
        },
    )
    return Advance(bill, payment, leave_by_at)


def leave_by(connection: Connection, session: ParkingSession, paid_to_at: datetime) -> datetime:
    """Give until when a stay can be left that is paid up to an instant: its tariff's exit grace."""
    stay = session.stay
    if stay.vehicle_id is None or stay.tariff_version_id is None:
        return paid_to_at
    vehicle = traits_of(_kind(connection, stay.vehicle_id))
    grace_s = tariffs.exit_grace_s(connection, stay.tariff_version_id, vehicle)
    return paid_to_at + timedelta(seconds=grace_s)


def leaves_by(connection: Connection, bill: Bill) -> datetime | None:
    """Tell until when a stay can be left that was, or would be, paid by a bill ahead of it.

    None for the bill of a stay, and where nobody knows the stay's tariff any more.
    """
    until_at = bill.charge.covers_until_at
    session = None if until_at is None else stays.find(connection, bill.charge.session_id)
    if until_at is None or session is None:
        return None
    return leave_by(connection, session, until_at)


def charge_ahead(connection: Connection, fee: Fee) -> Charge:
    """Give what is due of a stay that goes on as a bill is written over it.

    Raises
    ------
    Conflict
        Where nothing is due.
    """
    if not fee.rated.quote.total:
        raise Conflict("nothing is due", field="session_id", reason="nothing-due")
    return charge_of(connection, fee)


def charge_of(connection: Connection, fee: Fee) -> Charge:
    """Give what a stay comes to by an instant, nothing too, as a bill is written over it.

    Raises
    ------
    Conflict
        Where nobody said whose it is, or it has no tariff.
    """
    session, due = fee.session, fee.rated.quote.total
    vehicle_id, version_id = session.stay.vehicle_id, session.stay.tariff_version_id
    if vehicle_id is None or version_id is None:
        raise Conflict("the stay has no vehicle or no tariff yet", field="session_id")
    facility = places.facility(connection, session.facility_id)
    return Charge(
        session_id=session.id,
        vehicle_id=vehicle_id,
        facility_id=facility.id,
        district=facility.district,
        operator_id=facility.operator_id,
        revenue_nature=facility.revenue_nature,
        tariff_version_id=version_id,
        amount=due,
        lines=tuple(fee.rated.quote.lines_json()),
        covers_until_at=fee.until_at,
    )


def pay_back(uow: UnitOfWork, actor: Actor, session_id: ParkingSessionId) -> Refund:
    """Give back what was paid ahead for a stay and is not needed.

    What came through channels goes back through them; what was paid in cash, in cash. Where both
    were, the channels' part is asked for first, and another request gives the rest.

    Raises
    ------
    Forbidden
        Where the actor's role or district does not allow it.
    NotFound
        Where there is no such stay.
    Conflict
        Where it is not billed or set aside yet, another stay counts, or nothing is left.
    """
    actor.require(Role.ATTENDANT, Role.FINANCE)
    session = held_stay(uow, actor, session_id)
    stay = session.stay
    if stay.part_of is not None:
        raise Conflict("is part of another stay", field="session_id", reason="part")
    if stay.closed_at is None or (session.bill_id is None and stay.set_aside is None):
        raise Conflict("is not billed yet", field="session_id", reason="not-billed")
    facility = places.facility(uow.connection, session.facility_id)
    # A stay of two bays is one: what was paid for either is here.
    parts = [each.id for each in stay_views.parts(uow.connection, session)]
    bills = payments.bills_of_sessions(uow.connection, [session.id, *parts])
    currency = bills[0].amount.currency if bills else ""
    online = money_back.give_back_ahead(
        uow, [session.id, *parts], money_back.UNUSED_REASON, actor.subject
    )
    if online:
        amount = Money.total((each.amount for each in online), currency)
        at, by = uow.clock.now(), actor.subject
        refund = Refund(online[0].id, session.id, facility.operator_id, "online", amount, at, by)
    else:
        refund = payments.pay_back(
            uow, session.id, parts, facility.operator_id, currency, actor.subject
        )
    record(
        uow,
        actor,
        "payments.paid_back",
        "parking-session",
        str(session.id),
        {"refund_id": str(refund.id), "amount": refund.amount.as_json()},
    )
    return refund


def take_coupon(
    uow: UnitOfWork, actor: Actor, session_id: ParkingSessionId, coupon: str
) -> ParkingSession:
    """Take a validation coupon for a stay; taken again it changes nothing.

    Raises
    ------
    Forbidden
        Where the actor's role or district does not allow it.
    NotFound
        Where there is no such stay.
    Conflict
        Where nobody said whose it is, another stay counts, or it is billed.
    Invalid
        Where its tariff does not honour the coupon for this vehicle.
    """
    actor.require(Role.ATTENDANT, Role.OPERATOR)
    session = held_stay(uow, actor, session_id)
    check_counts(session)
    vehicle_id = session.stay.vehicle_id
    if vehicle_id is None:
        raise Conflict("nobody said whose it is", field="session_id", reason="no-vehicle")
    vehicle = traits_of(_kind(uow.connection, vehicle_id))
    if stay_coupons.take(uow, session, coupon, vehicle, actor.subject):
        record(
            uow,
            actor,
            "parking.coupon_taken",
            "parking-session",
            str(session.id),
            {"coupon": coupon},
        )
    return session


def check_unused(uow: UnitOfWork, bill: Bill, amount: Money) -> None:
    """Refuse to give back of a bill paid ahead what its stay's bill took over; others pass.

    Raises
    ------
    Conflict
        Where the amount is more than what is not taken over, or given back.
    """
    session = stays.find(uow.connection, bill.charge.session_id)
    if bill.charge.part is not BillPart.AHEAD or session is None:
        return
    whole = session
    if session.stay.part_of is not None:
        whole = stays.find(uow.connection, session.stay.part_of) or session
    one = [whole.id, *(each.id for each in stay_views.parts(uow.connection, whole))]
    offers.hold(uow, one)
    left = offers.left_of(uow, one, bill.amount.currency)
    if amount > left:
        raise Conflict(
            "the stay's bill took it over: no more than the rest goes back",
            field="amount",
            left=left.as_json(),
        )


def check_counts(session: ParkingSession) -> None:
    """Pass where a stay is charged by itself.

    Raises
    ------
    Conflict
        Where another stay counts, it is set aside, or nobody said whose it is.
    """
    stay = session.stay
    if stay.part_of is not None:
        raise Conflict(
            "is part of another stay",
            field="session_id",
            reason="part",
            part_of=str(stay.part_of),
        )
    if stay.set_aside is not None:
        raise Conflict("is not charged", field="session_id", reason="set-aside")
    if stay.vehicle_id is None:
        raise Conflict("nobody said whose it is", field="session_id", reason="no-vehicle")


def _kind(connection: Connection, vehicle_id: VehicleId) -> PlateKind | None:
    plate = masked(connection, [vehicle_id]).get(vehicle_id)
    return None if plate is None else plate.kind
