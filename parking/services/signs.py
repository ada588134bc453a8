"""What stands on the sign of a bay: which bay it is, and who runs it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from city.errors import Invalid, NotFound
from parking.rules.places.model import Bay, Facility, Operator
from parking.rules.tariffs.model import Quote, Stay
from parking.services import tariffs
from parking.store import operators, places
from parking.store.pages import Page

STAYS: Final = tuple(timedelta(minutes=each) for each in (30, 60, 120, 240))
"""Lengths of stays whose prices a bay's page shows."""


@dataclass(frozen=True, slots=True)
class Sign:
    """A bay with its place and who runs it."""

    bay: Bay
    facility: Facility
    operator: Operator | None
    """None where the facility names one that was never registered."""


def sign_of_bay(connection: Connection, bay_id: UUID) -> Sign:
    """Give what stands on a bay's sign.

    Raises
    ------
    NotFound
        Where there is no such bay, or it is no more.
    """
    bay = places.bay(connection, bay_id)
    if bay.retired_at is not None:
        raise NotFound("there is no such bay any more", field="bay_id")
    facility = places.facility(connection, bay.facility_id)
    return Sign(bay, facility, operator_of(connection, facility))


def signs_of_facility(
    connection: Connection, facility_id: UUID, *, after: UUID | None = None, limit: int
) -> Page[Sign]:
    """Give a page of the signs of a facility's bays, in the order of the bays: three statements.

    Raises
    ------
    NotFound
        Where there is no such facility.
    """
    facility = places.facility(connection, facility_id)
    operator = operator_of(connection, facility)
    page = places.bays(connection, facility_id=facility.id, after=after, limit=limit)
    return Page(tuple(Sign(bay, facility, operator) for bay in page.items), page.next)


def operator_of(connection: Connection, facility: Facility) -> Operator | None:
    """Give who runs a facility; None where it names one that was never registered."""
    return operators.by_id(connection, facility.operator_id)


def prices(
    connection: Connection, facility: Facility, enter_at: datetime
) -> Sequence[tuple[timedelta, Quote]]:
    """Give what stays of usual lengths from an instant on would cost a small car.

    Empty where no tariff is in force then, or it has no price for one: it is never guessed.
    """
    try:
        return [
            (length, tariffs.quote(connection, facility.id, Stay(enter_at, enter_at + length)))
            for length in STAYS
        ]
    except (NotFound, Invalid):
        return []
