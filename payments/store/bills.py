"""Bills: writing them, their state, and finding them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    Connection,
    RowMapping,
    Uuid,
    any_,
    bindparam,
    insert,
    select,
    text,
    tuple_,
)
from sqlalchemy.dialects import postgresql

from city.errors import Invalid
from city.identifiers import (
    BillId,
    DistrictCode,
    FacilityId,
    OperatorId,
    ParkingSessionId,
    TariffVersionId,
    VehicleId,
)
from city.money import Money
from city.works.rows import as_rows
from payments.rules.bills import Bill, BillPart, BillState, Charge
from payments.store.tables import bill

LARGEST_PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class BillPage:
    """Bills, the newest first, and the last one's id where more follow: pass it as `after`."""

    items: tuple[Bill, ...]
    next: BillId | None


def add_bill(connection: Connection, issued: Bill, next_step_at: datetime | None = None) -> bool:
    """Write a bill; False, and nothing written, where its stay has one already.

    `next_step_at` is when it is first looked at for arrears.
    """
    added = (
        postgresql.insert(bill)
        .values(_row(issued, next_step_at))
        .on_conflict_do_nothing()
        .returning(bill.c.id)
    )
    return connection.execute(added).scalar_one_or_none() is not None


def add_bills(connection: Connection, issued: Collection[tuple[Bill, datetime | None]]) -> None:
    """Write bills of stays that have none yet, as `add_bill`: a statement for some hundreds.

    Raises
    ------
    IntegrityError
        Where a stay has one already.
    """
    if issued:
        connection.execute(insert(bill), [_row(each, step_at) for each, step_at in issued])


def _row(issued: Bill, next_step_at: datetime | None) -> dict[str, Any]:
    charge = issued.charge
    return {
        "id": issued.id,
        "session_id": charge.session_id,
        "vehicle_id": charge.vehicle_id,
        "facility_id": charge.facility_id,
        "district": charge.district,
        "operator_id": charge.operator_id,
        "revenue_nature": charge.revenue_nature,
        "tariff_version_id": charge.tariff_version_id,
        "amount_minor": charge.amount.minor,
        "currency": charge.amount.currency,
        "lines": list(charge.lines),
        "issued_at": issued.issued_at,
        "due_at": issued.due_at,
        "state": issued.state.value,
        "paid_at": issued.paid_at,
        "part": charge.part.value,
        "covers_until_at": charge.covers_until_at,
        "applied_minor": charge.applied_minor,
        "paid_minor": issued.paid_minor,
        "next_step_at": next_step_at,
        "cash_step_minor": issued.cash_step_minor,
    }


def find_bill(connection: Connection, bill_id: BillId, *, lock: bool = False) -> Bill | None:
    """Give a bill; with `lock` nobody else pays it before the transaction ends."""
    query = select(bill).where(bill.c.id == bill_id)
    if lock:
        query = query.with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else bill_of(row)


def bill_of_session(connection: Connection, session_id: ParkingSessionId) -> Bill | None:
    """Give the bill of a stay, not those that were paid ahead or cancelled."""
    query = select(bill).where(
        bill.c.session_id == session_id,
        bill.c.part == BillPart.STAY.value,
        bill.c.state != BillState.CANCELLED.value,
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else bill_of(row)


def bills_of_sessions(
    connection: Connection, session_ids: Collection[ParkingSessionId]
) -> list[Bill]:
    """Give all bills of some stays, the newest first: also those paid ahead and cancelled.

    Not what is only offered.
    """
    query = (
        select(bill)
        .where(
            bill.c.session_id.in_(list(session_ids)),
            bill.c.state != BillState.OFFERED.value,
        )
        .order_by(bill.c.id.desc())
        .limit(LARGEST_PAGE * 4)
    )
    return [bill_of(row) for row in connection.execute(query).mappings()]


def page_of_bills(
    connection: Connection,
    *,
    state: BillState | None = None,
    facility_id: FacilityId | None = None,
    vehicle_id: VehicleId | None = None,
    districts: frozenset[str] | None = None,
    after: BillId | None = None,
    limit: int = 100,
) -> BillPage:
    """Give bills, the newest first; `districts` limits them to what a reader may see.

    Not what is only offered, unless asked for by its state.

    Raises
    ------
    Invalid
        Where `limit` lies outside 1 to `LARGEST_PAGE`.
    """
    if not 1 <= limit <= LARGEST_PAGE:
        raise Invalid(f"must lie between 1 and {LARGEST_PAGE}", field="limit")
    query = select(bill).order_by(bill.c.id.desc()).limit(limit + 1)
    if state is not None:
        query = query.where(bill.c.state == state.value)
    else:
        query = query.where(bill.c.state != BillState.OFFERED.value)
    if facility_id is not None:
        query = query.where(bill.c.facility_id == facility_id)
    if vehicle_id is not None:
        query = query.where(bill.c.vehicle_id == vehicle_id)
    if districts is not None:
        query = query.where(bill.c.district.in_(sorted(districts)))
    if after is not None:
        query = query.where(bill.c.id < after)
    found = [bill_of(row) for row in connection.execute(query).mappings()]
    items = tuple(found[:limit])
    return BillPage(items, items[-1].id if len(found) > limit else None)


def debtors(connection: Connection, vehicle_ids: Collection[VehicleId]) -> frozenset[VehicleId]:
    """Give those of some vehicles that have an unpaid bill."""
    found = connection.scalars(
        select(bill.c.vehicle_id)
        .where(
            bill.c.vehicle_id.in_(list(vehicle_ids)),
            bill.c.state.in_([BillState.OPEN.value, BillState.DISPUTED.value]),
        )
        .distinct()
    )
    return frozenset(VehicleId(each) for each in found)


def write_state(connection: Connection, paid: Bill) -> None:
    """Write a bill's state, its due date, and what is counted of it; the rest never changes."""
    connection.execute(
        bill.update()
        .where(bill.c.id == paid.id)
        .values(
            state=paid.state.value,
            paid_at=paid.paid_at,
            due_at=paid.due_at,
            paid_minor=paid.paid_minor,
            lowered_minor=paid.lowered_minor,
            penalty_minor=paid.penalty_minor,
            refunded_minor=paid.refunded_minor,
        )
    )


_STATES: Final = text(
    "update payments.bill b set state = r.state, paid_at = r.paid_at, due_at = r.due_at,"
    "  paid_minor = r.paid_minor, lowered_minor = r.lowered_minor,"
    "  penalty_minor = r.penalty_minor, refunded_minor = r.refunded_minor"
    " from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, state text, paid_at timestamptz,"
    "  due_at timestamptz, paid_minor bigint, lowered_minor bigint, penalty_minor bigint,"
    "  refunded_minor bigint) where b.id = r.id"
)


def write_states(connection: Connection, paid: Collection[Bill]) -> None:
    """Write the states of some bills, as `write_state`: one statement."""
    rows = [
        {
            "id": each.id,
            "state": each.state.value,
            "paid_at": each.paid_at,
            "due_at": each.due_at,
            "paid_minor": each.paid_minor,
            "lowered_minor": each.lowered_minor,
            "penalty_minor": each.penalty_minor,
            "refunded_minor": each.refunded_minor,
        }
        for each in paid
    ]
    if rows:
        connection.execute(_STATES, {"rows": as_rows(rows)})


def bills_by_id(
    connection: Connection, bill_ids: Collection[BillId], *, lock: bool = False
) -> dict[BillId, Bill]:
    """Give bills by their ids: one statement; with `lock` held in the order of their ids."""
    # One array: the statement is the same however many are asked for, and is compiled once.
    asked = bindparam("bill_ids", list(bill_ids), ARRAY(Uuid))
    query = select(bill).where(bill.c.id == any_(asked)).order_by(bill.c.id)
    if lock:
        query = query.with_for_update()
    rows = connection.execute(query).mappings().all()
    return {BillId(row["id"]): bill_of(row) for row in rows}


def unpaid_of_vehicles(
    connection: Connection, vehicle_ids: Collection[VehicleId], after: Bill | None = None
) -> list[Bill]:
    """Give open and disputed bills of some vehicles, those due first before.

    At most `LARGEST_PAGE`; where that many came, more may follow `after` the last of them.
    """
    query = (
        select(bill)
        .where(
            bill.c.vehicle_id.in_(list(vehicle_ids)),
            bill.c.state.in_([BillState.OPEN.value, BillState.DISPUTED.value]),
        )
        .order_by(bill.c.due_at, bill.c.id)
        .limit(LARGEST_PAGE)
    )
    if after is not None:
        query = query.where(tuple_(bill.c.due_at, bill.c.id) > (after.due_at, after.id))
    return [bill_of(row) for row in connection.execute(query).mappings()]


def bill_of(row: RowMapping) -> Bill:
    """Read a bill."""
    return Bill(
        id=BillId(row["id"]),
        charge=Charge(
            session_id=ParkingSessionId(row["session_id"]),
            vehicle_id=VehicleId(row["vehicle_id"]),
            facility_id=FacilityId(row["facility_id"]),
            district=DistrictCode(row["district"]),
            operator_id=OperatorId(row["operator_id"]),
            revenue_nature=row["revenue_nature"],
            tariff_version_id=TariffVersionId(row["tariff_version_id"]),
            amount=Money(row["amount_minor"], row["currency"]),
            lines=tuple(row["lines"]),
            covers_until_at=row["covers_until_at"],
            applied_minor=row["applied_minor"],
        ),
        issued_at=row["issued_at"],
        due_at=row["due_at"],
        state=BillState(row["state"]),
        paid_at=row["paid_at"],
        paid_minor=row["paid_minor"],
        lowered_minor=row["lowered_minor"],
        penalty_minor=row["penalty_minor"],
        refunded_minor=row["refunded_minor"],
        cash_step_minor=row["cash_step_minor"],
        in_arrears=row["in_arrears"],
    )
