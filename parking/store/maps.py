"""Bays by where they lie, and how many."""

from collections.abc import Iterable

from sqlalchemy import Connection, func, select, text

from city.identifiers import FacilityId
from city.places import BoundingBox
from parking.store import tables
from parking.store.places import Bay, read_bay

IN_BOX = text(
    "point(bay.longitude, bay.latitude) <@ box(point(:west, :south), point(:east, :north))"
)


def bays_in_box(connection: Connection, box: BoundingBox, *, limit: int) -> tuple[Bay, ...]:
    """Give bays in a box, in the order of their ids, at most `limit`.

    One look-up in the spatial index; cost grows with the bays in the box.
    """
    rows = connection.execute(
        select(tables.bay).where(IN_BOX).order_by(tables.bay.c.id).limit(limit),
        {"west": box.west, "south": box.south, "east": box.east, "north": box.north},
    )
    return tuple(read_bay(row) for row in rows)


def count_bays(connection: Connection, facility_ids: Iterable[FacilityId]) -> dict[FacilityId, int]:
    """Count the bays of facilities: one statement over an index."""
    column = tables.bay.c.facility_id
    rows = connection.execute(
        select(column, func.count().label("bays"))
        .where(column.in_(list(facility_ids)))
        .group_by(column)
    )
    return {FacilityId(row.facility_id): row.bays for row in rows}
