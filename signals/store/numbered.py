"""Queries on what a network numbers and people bring from step to step: plan versions, schedules.

Both have `id`, `network_id` and `number`, heavy columns that lists leave out, and columns that say
who did what to them; what differs is in their own modules.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import Connection, Table, func, select, update

from signals.store.tables import network

Record = TypeVar("Record")


@dataclass(frozen=True)
class Numbered(Generic[Record]):
    """A table of them."""

    table: Table
    record: Callable[..., Record]
    """Made of the light columns by their names."""
    heavy: Collection[str]
    """Columns that records go without."""

    def next_number(self, connection: Connection, network_id: UUID) -> int:
        """Give a network's next number; nobody else gets it before this transaction ends."""
        # The network's row is locked, so that two at a time get two numbers.
        connection.execute(select(network.c.id).where(network.c.id == network_id).with_for_update())
        last = connection.execute(
            select(func.max(self.table.c.number)).where(self.table.c.network_id == network_id)
        ).scalar_one()
        return (last or 0) + 1

    def one(self, connection: Connection, key: UUID, *, lock: bool = False) -> Record | None:
        """Give a record; with `lock` nobody else changes it meanwhile."""
        query = select(*self._light()).where(self.table.c.id == key)
        if lock:
            query = query.with_for_update()
        row = connection.execute(query).mappings().one_or_none()
        return None if row is None else self.record(**row)

    def json(self, connection: Connection, key: UUID, column: str) -> dict[str, JsonValue] | None:
        """Give a heavy column; None where it is not written yet."""
        query = select(self.table.c[column]).where(self.table.c.id == key)
        found: dict[str, JsonValue] | None = connection.execute(query).scalar_one_or_none()
        return found

    def of_network(
        self, connection: Connection, network_id: UUID, *, after: UUID | None, limit: int
    ) -> list[Record]:
        """Give a network's, the latest first, one more than asked."""
        query = (
            select(*self._light())
            .where(self.table.c.network_id == network_id)
            .order_by(self.table.c.id.desc())
            .limit(limit + 1)
        )
        if after is not None:
            query = query.where(self.table.c.id < after)
        return [self.record(**row) for row in connection.execute(query).mappings()]

    def change(self, connection: Connection, key: UUID, **values: object) -> None:
        """Write columns; lock it first (`one`)."""
        connection.execute(update(self.table).where(self.table.c.id == key).values(**values))

    def _light(self) -> list[Any]:
        return [column for column in self.table.c if column.name not in self.heavy]
