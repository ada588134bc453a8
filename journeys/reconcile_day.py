"""A bay's day, reconciled: what its sensor saw, its stays, and what came of their bills."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from city.identifiers import BayId
from city.money import Money
from parking.rules.figures.bay_day import BayDay, StayBill, reconcile
from parking.rules.figures.calendar import day_bounds
from parking.services import bay_days, places
from payments import collections


def reconcile_day(connection: Connection, bay_id: BayId, day: date, now: datetime) -> BayDay:
    """Reconcile a local day of a bay.

    Parameters
    ----------
    connection
        For reading, in both rooms.
    bay_id, day
        The bay, and the date where it lies.
    now
        What lies later has not happened.

    Raises
    ------
    NotFound
        Where there is no such bay.

    Notes
    -----
    Cost grows with the day's changes and stays: index ranges of one bay.
    """
    bay = places.bay(connection, bay_id)
    home = places.facility(connection, bay.facility_id)
    start_at, end_at = day_bounds(day, ZoneInfo(home.timezone))
    told = bay_days.told(connection, bay, start_at, end_at, now)
    bills = [
        (
            each.session_id,
            StayBill(
                each.bill_id,
                Money(each.amount_minor, each.currency),
                each.issued_at,
                each.due_at,
                each.paid_at,
                None if each.received_minor is None else Money(each.received_minor, each.currency),
            ),
        )
        for each in collections.bills_of(connection, [stay.id for stay in told.stays])
    ]
    return reconcile((start_at, end_at), told.spells, told.stays, bills, now)
