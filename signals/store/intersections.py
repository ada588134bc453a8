"""How junctions are called by radio, and every query on it."""

from uuid import UUID

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.postgresql import insert

from signals.rules.j2735.spat import Intersection
from signals.store.tables import intersection


def call(connection: Connection, network_id: UUID, name: str, made: Intersection) -> None:
    """Write a junction's reference in the place of the one before."""
    values = {
        "region": made.region,
        "reference": made.id,
        "longitude": made.longitude,
        "latitude": made.latitude,
    }
    statement = insert(intersection).values(network_id=network_id, signal=name, **values)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["network_id", "signal"], set_=values)
    )


def called(connection: Connection, network_id: UUID, name: str) -> Intersection | None:
    """Give a junction's reference."""
    row = connection.execute(
        select(intersection).where(
            intersection.c.network_id == network_id, intersection.c.signal == name
        )
    ).one_or_none()
    if row is None:
        return None
    return Intersection(row.region, row.reference, row.longitude, row.latitude)


def forget(connection: Connection, network_id: UUID, name: str) -> bool:
    """Take a reference away; False where there was none."""
    done = connection.execute(
        delete(intersection).where(
            intersection.c.network_id == network_id, intersection.c.signal == name
        )
    )
    return done.rowcount > 0
