"""Facilities by their names."""

from typing import Final

from sqlalchemy import Connection, String, bindparam, func, or_, select

from parking.rules.places.model import Facility
from parking.store import tables
from parking.store.places import read_facility

MOST_NAMED: Final = 50


def facilities_named(connection: Connection, wanted: str, *, limit: int) -> tuple[Facility, ...]:
    """Give the facilities whose name in either language, or code, holds the words.

    Parameters
    ----------
    wanted
        As `parking.rules.finding.street_places.folded` gives them: compared without case or space.
    limit
        At most `MOST_NAMED` are given.

    Notes
    -----
    Those that begin with the words come first, then the shorter names. One look at each
    facility's names: milliseconds at 10 000 facilities.
    """
    columns = tables.facility.c
    sought = bindparam("wanted", wanted, type_=String())
    places = [
        func.strpos(func.regexp_replace(func.lower(each), r"\s+", "", "g"), sought)
        for each in (columns.name_zh, columns.name_en, columns.code)
    ]
    query = (
        select(tables.facility)
        .where(columns.onboarding != "withdrawn", or_(*(each > 0 for each in places)))
        .order_by(
            or_(*(each == 1 for each in places)).desc(),
            func.length(columns.name_zh),
            columns.code,
            columns.id,
        )
        .limit(min(limit, MOST_NAMED))
    )
    return tuple(read_facility(row) for row in connection.execute(query))
