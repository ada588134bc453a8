"""Operators, and small look-ups that changing places needs."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Row, select, text
from sqlalchemy import exists as sql_exists
from sqlalchemy.dialects import postgresql

from city.identifiers import OperatorId
from parking.rules.places.model import Operator
from parking.store import tables
from parking.store.pages import DEFAULT_PAGE, Page, checked_limit, paged

TOUCH: Final = text(
    "update parking.device set revision = :revision from parking.placement"
    " where placement.device_id = device.id and placement.bay_id = any(:ids)"
)


def add(connection: Connection, operator: Operator, *, at: datetime, by: str) -> bool:
    """Insert an operator; False where its code is taken."""
    made = connection.execute(
        postgresql.insert(tables.operator)
        .values(
            id=operator.id,
            code=operator.code,
            name_zh=operator.name_zh,
            name_en=operator.name_en,
            phone=operator.phone,
            registered_at=at,
            registered_by=by,
        )
        .on_conflict_do_nothing(index_elements=["code"])
        .returning(tables.operator.c.id)
    )
    return made.one_or_none() is not None


def _operator(row: Row[Any]) -> Operator:
    return Operator(row.code, row.name_zh, row.name_en, row.phone, OperatorId(row.id))


def exists(connection: Connection, operator_id: UUID) -> bool:
    """Tell whether there is such an operator."""
    found = sql_exists().where(tables.operator.c.id == operator_id)
    return bool(connection.execute(select(found)).scalar_one())


def by_id(connection: Connection, operator_id: UUID) -> Operator | None:
    """Give an operator by its id."""
    row = connection.execute(
        select(tables.operator).where(tables.operator.c.id == operator_id)
    ).one_or_none()
    return None if row is None else _operator(row)


def by_ids(
    connection: Connection, operator_ids: Collection[OperatorId]
) -> dict[OperatorId, Operator]:
    """Give operators by their ids: one statement."""
    query = select(tables.operator).where(tables.operator.c.id.in_(list(operator_ids)))
    return {OperatorId(row.id): _operator(row) for row in connection.execute(query)}


def by_code(connection: Connection, code: str) -> Operator | None:
    """Give an operator by its code."""
    row = connection.execute(
        select(tables.operator).where(tables.operator.c.code == code)
    ).one_or_none()
    return None if row is None else _operator(row)


def operators(
    connection: Connection, *, after: UUID | None = None, limit: int = DEFAULT_PAGE
) -> Page[Operator]:
    """Give a page of operators in the order of their ids."""
    query = select(tables.operator).order_by(tables.operator.c.id).limit(checked_limit(limit) + 1)
    if after is not None:
        query = query.where(tables.operator.c.id > after)
    found = [_operator(row) for row in connection.execute(query)]
    return paged(found, [each.id for each in found], limit)


def has_device(connection: Connection, bay_id: UUID) -> bool:
    """Tell whether a device lies in a bay now."""
    lying = sql_exists().where(
        tables.placement.c.bay_id == bay_id, tables.placement.c.until_at.is_(None)
    )
    return bool(connection.execute(select(lying)).scalar_one())


def touch_devices_in(connection: Connection, bay_ids: Sequence[UUID], revision: int) -> None:
    """Mark the devices that lie or lay in bays as changed at a registry version."""
    connection.execute(TOUCH, {"ids": list(bay_ids), "revision": revision})
