"""What is owed of stays that were left, and by vehicles: for whoever walks the street."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, func, select

from city.identifiers import BillId, FacilityId, ParkingSessionId, VehicleId
from city.money import Money
from payments.rules.bills import BillPart, BillState
from payments.store.tables import bill, payment

MOST: Final = 500
CASH: Final = "cash"
_OUTSTANDING: Final = (
    bill.c.amount_minor - bill.c.lowered_minor + bill.c.penalty_minor - bill.c.paid_minor
)


@dataclass(frozen=True, slots=True)
class OpenBill:
    """A bill that nobody paid yet."""

    id: BillId
    session_id: ParkingSessionId
    issued_at: datetime
    outstanding: Money


@dataclass(frozen=True, slots=True)
class Settled:
    """A bill that is open no more; `by` is who took cash for it, None where nobody did."""

    id: BillId
    at: datetime | None
    by: str | None


def open_bills(
    connection: Connection,
    facility_ids: Collection[FacilityId],
    issued_from_at: datetime,
    *,
    after: BillId | None = None,
    limit: int = MOST,
) -> list[OpenBill]:
    """Give the bills of stays at some facilities that were issued since, in order of their ids."""
    query = (
        select(
            bill.c.id,
            bill.c.session_id,
            bill.c.issued_at,
            _OUTSTANDING.label("minor"),
            bill.c.currency,
        )
        .where(
            bill.c.facility_id.in_(list(facility_ids)),
            bill.c.issued_at >= issued_from_at,
            bill.c.state == BillState.OPEN.value,
            bill.c.part == BillPart.STAY.value,
            _OUTSTANDING > 0,
        )
        .order_by(bill.c.id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(bill.c.id > after)
    return [
        OpenBill(
            BillId(row.id),
            ParkingSessionId(row.session_id),
            row.issued_at,
            Money(row.minor, row.currency),
        )
        for row in connection.execute(query)
    ]


def settled(connection: Connection, bill_ids: Collection[BillId]) -> list[Settled]:
    """Give those of some bills that are open no more, with who took cash for them last."""
    last = (
        select(payment.c.taken_by, payment.c.channel, payment.c.taken_at)
        .where(payment.c.bill_id == bill.c.id)
        .order_by(payment.c.taken_at.desc(), payment.c.id.desc())
        .limit(1)
        .lateral()
    )
    query = (
        select(bill.c.id, bill.c.paid_at, last.c.taken_by, last.c.channel, last.c.taken_at)
        .outerjoin_from(bill, last, onclause=bill.c.id.is_not(None))
        .where(bill.c.id.in_(list(bill_ids)), bill.c.state != BillState.OPEN.value)
    )
    return [
        Settled(
            BillId(row.id),
            row.taken_at or row.paid_at,
            row.taken_by if row.channel == CASH else None,
        )
        for row in connection.execute(query)
    ]


def overdue_of(
    connection: Connection, vehicle_ids: Collection[VehicleId], now: datetime
) -> dict[VehicleId, Money]:
    """Give what vehicles owe that is past its due date: in the currency of most, one statement."""
    query = (
        select(bill.c.vehicle_id, bill.c.currency, func.sum(_OUTSTANDING).label("minor"))
        .where(
            bill.c.vehicle_id.in_(list(vehicle_ids)),
            bill.c.state == BillState.OPEN.value,
            bill.c.due_at < now,
        )
        .group_by(bill.c.vehicle_id, bill.c.currency)
        .order_by("minor")
    )
    return {
        VehicleId(row.vehicle_id): Money(int(row.minor), row.currency)
        for row in connection.execute(query)
        if row.minor > 0
    }


@dataclass(frozen=True, slots=True)
class Collected:
    """When money was last taken for a vehicle's bills, and by whom where it was cash."""

    at: datetime | None
    by: str | None


def collected_from(
    connection: Connection, vehicle_ids: Collection[VehicleId], since_at: datetime
) -> dict[VehicleId, Collected]:
    """Give the last payment for some vehicles' bills since an instant: one statement."""
    query = (
        select(bill.c.vehicle_id, payment.c.taken_at, payment.c.taken_by, payment.c.channel)
        .join(payment, payment.c.bill_id == bill.c.id)
        .where(bill.c.vehicle_id.in_(list(vehicle_ids)), payment.c.taken_at >= since_at)
        .order_by(payment.c.taken_at)
    )
    return {
        VehicleId(row.vehicle_id): Collected(
            row.taken_at, row.taken_by if row.channel == CASH else None
        )
        for row in connection.execute(query)
    }
