"""Bays by where they lie."""

from sqlalchemy import Connection, select, text

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
        select(tables.bay)
        .where(IN_BOX, tables.bay.c.retired_at.is_(None))
        .order_by(tables.bay.c.id)
        .limit(limit),
        {"west": box.west, "south": box.south, "east": box.east, "north": box.north},
    )
    return tuple(read_bay(row) for row in rows)
