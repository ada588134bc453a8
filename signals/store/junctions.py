"""The street's junctions and every query on them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from psycopg.errors import UniqueViolation
from sqlalchemy import Connection, Row, exc, select
from sqlalchemy.dialects.postgresql import insert

from city.errors import Conflict
from city.identifiers import DistrictCode, JunctionId
from city.places import Position
from signals.rules.documents import (
    approaches_as_json,
    approaches_from_json,
    plan_as_json,
    plan_from_json,
)
from signals.rules.junctions import Junction
from signals.store.tables import JUNCTION


def save_junctions(connection: Connection, junctions: Sequence[Junction]) -> None:
    """Insert junctions, or replace those with the same identifier, in one statement.

    Raises
    ------
    Conflict
        Where a code belongs to another junction already.
    """
    if not junctions:
        return
    statement = insert(JUNCTION).values([_row(junction) for junction in junctions])
    fresh = {
        column.name: statement.excluded[column.name]
        for column in JUNCTION.columns
        if not column.primary_key
    }
    upsert = statement.on_conflict_do_update(index_elements=[JUNCTION.c.id], set_=fresh)
    try:
        connection.execute(upsert)
    except exc.IntegrityError as error:
        if isinstance(error.orig, UniqueViolation):
            raise Conflict("belongs to another junction", field="junctions.code") from None
        raise


def find_junction(connection: Connection, junction_id: UUID) -> Junction | None:
    """Give one junction; None where there is none of the identifier."""
    row = connection.execute(select(JUNCTION).where(JUNCTION.c.id == junction_id)).one_or_none()
    return None if row is None else _junction(row)


def position_of(connection: Connection, code: str) -> Position | None:
    """Give where the junction of a code is; None where there is none."""
    query = select(JUNCTION.c.longitude, JUNCTION.c.latitude).where(JUNCTION.c.code == code)
    row = connection.execute(query).one_or_none()
    return None if row is None else Position(row.longitude, row.latitude)


def junctions_after(
    connection: Connection, code: str | None, limit: int, district: DistrictCode | None
) -> list[Junction]:
    """Give up to so many junctions whose codes follow a code, in the order of their codes."""
    query = select(JUNCTION).order_by(JUNCTION.c.code).limit(limit)
    if code is not None:
        query = query.where(JUNCTION.c.code > code)
    if district is not None:
        query = query.where(JUNCTION.c.district == district)
    return [_junction(row) for row in connection.execute(query)]


def _row(junction: Junction) -> dict[str, object]:
    return {
        "id": junction.junction_id,
        "code": junction.code,
        "name_zh": junction.name_zh,
        "name_en": junction.name_en,
        "longitude": junction.position.longitude,
        "latitude": junction.position.latitude,
        "district": junction.district,
        "approaches": approaches_as_json(junction.approaches),
        "plan": None if junction.plan is None else plan_as_json(junction.plan),
    }


def _junction(row: Row[Any]) -> Junction:
    return Junction(
        junction_id=JunctionId(row.id),
        code=row.code,
        name_zh=row.name_zh,
        name_en=row.name_en,
        position=Position(row.longitude, row.latitude),
        district=DistrictCode(row.district),
        approaches=approaches_from_json(row.approaches),
        plan=None if row.plan is None else plan_from_json(row.plan),
    )
