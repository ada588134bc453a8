"""What a stay that goes on costs by now, offered to be paid online before its vehicle leaves.

Nothing is owed for an offer and nothing is booked: it may never be paid. Its money makes it a bill
that is paid ahead, owed back until the stay's own bill takes it over. What the stay does not need
in the end goes back by itself, through the channel that it came by.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta
from typing import Final

from city.errors import Conflict
from city.events.payments import BillIssued, StayPaidAhead
from city.identifiers import ParkingSessionId
from city.money import Money
from city.works.database import UnitOfWork
from payments.rules.bills import Bill, Charge, Payment, offer
from payments.rules.booking import book_bill
from payments.store import bills as bill_store
from payments.store import ledger as ledger_store
from payments.store import offers as store
from payments.store import takings

STANDS_FOR: Final = timedelta(minutes=5)
"""Of business time: after it the stay may cost more, and another offer is asked for."""


def offer_ahead(uow: UnitOfWork, charge: Charge) -> Bill:
    """Offer what is due of a stay up to an instant; the present offer where it is the same.

    The caller holds the stay, so that two who ask at once get one offer.

    Raises
    ------
    Invalid
        Where nothing is due.
    """
    now = uow.clock.now()
    present = store.standing(uow.connection, charge.session_id, now)
    if present is not None and present.amount == charge.amount:
        return present
    offered = offer(charge, now, STANDS_FOR)
    bill_store.add_bill(uow.connection, offered)
    return offered


def covered(uow: UnitOfWork, bill: Bill) -> bool:
    """Tell whether the very time that an offer is for was paid for meanwhile."""
    charge = bill.charge
    return any(
        each.charge.covers_until_at == charge.covers_until_at and each.paid_minor
        for each in bill_store.bills_of_sessions(uow.connection, [charge.session_id])
    )


def accept(uow: UnitOfWork, bill: Bill, payment: Payment) -> None:
    """Book what was only offered, as its money came: owed back until the stay is billed.

    Parameters
    ----------
    uow : UnitOfWork
        Keeps the payment as well.
    bill : Bill
        Locked, as it was offered.
    payment : Payment
        All of it.
    """
    charge, at = bill.charge, payment.taken_at
    entry = book_bill(bill, payment.taken_by)
    if entry is None or charge.covers_until_at is None:
        raise Conflict("nothing is due, so nothing is paid ahead", field="bill_id")
    ledger_store.add_entry(uow.connection, replace(entry, at=at))
    uow.announce(
        BillIssued(
            occurred_at=at,
            bill_id=bill.id,
            session_id=charge.session_id,
            facility_id=charge.facility_id,
            vehicle_id=charge.vehicle_id,
            amount=charge.amount,
            due_at=bill.due_at,
        )
    )
    uow.announce(
        StayPaidAhead(
            occurred_at=at,
            bill_id=bill.id,
            session_id=charge.session_id,
            amount=charge.amount,
            covers_until_at=charge.covers_until_at,
        )
    )


def hold(uow: UnitOfWork, session_ids: Collection[ParkingSessionId]) -> None:
    """Keep what was, or may just now be, paid ahead for stays that are one as it is.

    Whoever bills them, or gives back what was too much, comes first or second to whoever hears of
    its payment: orders are held before their bills, as hearing of one does.
    """
    store.hold(uow.connection, session_ids)


def withdraw(uow: UnitOfWork, session_ids: Collection[ParkingSessionId]) -> None:
    """Offer no more for stays that are billed: money that still comes goes back as a surplus."""
    store.withdraw(uow.connection, session_ids)


def left_of(uow: UnitOfWork, session_ids: Collection[ParkingSessionId], currency: str) -> Money:
    """Give what neither a bill took over nor went back, of what was paid ahead for some stays."""
    return Money(takings.paid_ahead(uow.connection, session_ids).left_minor, currency)
