"""What a vehicle with overdue bills has lost: favours of the platform, by a region's policy."""

from collections.abc import Collection, Iterator
from datetime import datetime

from sqlalchemy import Connection

from city.errors import Conflict
from city.identifiers import VehicleId
from payments.rules.arrears import Privilege, is_overdue
from payments.rules.bills import Bill
from payments.store import bills as bill_store
from payments.store import policies


def lost(
    connection: Connection, vehicle_ids: Collection[VehicleId], now: datetime
) -> dict[VehicleId, frozenset[Privilege]]:
    """Give what each of some vehicles has lost; those that lost nothing are not in it.

    A bill takes away what the policy says that it was issued under. A disputed one takes nothing
    away: its clock stands. Two statements for each page of their unpaid bills.
    """
    found: dict[VehicleId, frozenset[Privilege]] = {}
    for overdue in _overdue(connection, vehicle_ids, now):
        issued_under = policies.of_bills(connection, overdue)
        for bill in overdue:
            taken = issued_under[bill.id].privileges
            vehicle_id = bill.charge.vehicle_id
            found[vehicle_id] = found.get(vehicle_id, frozenset()) | taken
    return {vehicle_id: taken for vehicle_id, taken in found.items() if taken}


def _overdue(
    connection: Connection, vehicle_ids: Collection[VehicleId], now: datetime
) -> Iterator[list[Bill]]:
    """Give the overdue bills of some vehicles by pages, the longest overdue first."""
    last: Bill | None = None
    while vehicle_ids:
        unpaid = bill_store.unpaid_of_vehicles(connection, vehicle_ids, last)
        yield [bill for bill in unpaid if is_overdue(bill, now)]
        if len(unpaid) < bill_store.LARGEST_PAGE or unpaid[-1].due_at >= now:
            return
        last = unpaid[-1]


def require(
    connection: Connection, vehicle_id: VehicleId, privilege: Privilege, now: datetime, field: str
) -> None:
    """Refuse where a vehicle has lost a privilege.

    Raises
    ------
    Conflict
        With the reason ``arrears``: paid, it has the privilege again.
    """
    if privilege in lost(connection, [vehicle_id], now).get(vehicle_id, frozenset()):
        raise Conflict("has overdue bills: pay them first", field=field, reason="arrears")
