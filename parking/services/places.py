"""Facilities and bays: recording them, and asking for them page by page."""

from collections.abc import Sequence

from sqlalchemy import exc

from city.errors import Conflict, Invalid
from city.works.database import UnitOfWork
from parking.store.devices import bump
from parking.store.maps import bays_in_box
from parking.store.pages import Page
from parking.store.places import (
    Bay,
    Facility,
    add_bays,
    add_facilities,
    bay,
    bays,
    bays_by_id,
    count_facilities,
    districts,
    facilities,
    facilities_by_id,
    facility,
)

__all__ = [
    "Bay",
    "Facility",
    "Page",
    "bay",
    "bays",
    "bays_by_id",
    "bays_in_box",
    "count_facilities",
    "districts",
    "facilities",
    "facilities_by_id",
    "facility",
    "record_places",
]


def record_places(uow: UnitOfWork, facilities: Sequence[Facility], bays: Sequence[Bay]) -> None:
    """Record new facilities and bays, each kind in one statement.

    Parameters
    ----------
    uow
        Its transaction.
    facilities
        With their own ids; codes are unique in the city.
    bays
        Of these facilities or of earlier ones; labels are unique in a facility. The database
        numbers them.

    Raises
    ------
    Invalid
        Where a bay's facility or a facility's tariff does not exist, or a bay of one of these
        facilities names another district.
    Conflict
        Where a facility's code or a bay's label is taken.
    """
    homes = {each.id: each.district for each in facilities}
    for each in bays:
        if homes.get(each.facility_id, each.district) != each.district:
            raise Invalid("a bay lies in its facility's district", field="district")
    bump(uow.connection)
    try:
        with uow.connection.begin_nested():
            add_facilities(uow.connection, facilities)
            add_bays(uow.connection, bays)
    except exc.IntegrityError as error:
        constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", "") or ""
        if "fkey" in constraint:
            field = "tariff_id" if "tariff" in constraint else "facility_id"
            raise Invalid("there is no such thing", field=field) from error
        if "code" in constraint:
            raise Conflict("a facility has this code already", field="code") from error
        if "label" in constraint:
            raise Conflict("a bay of the facility has this label already", field="label") from error
        raise
