"""Lists narrowed to a span of time."""

from datetime import datetime
from typing import Any, Final, NamedTuple, TypeVar

from sqlalchemy import Column, Select

Query = TypeVar("Query", bound="Select[*tuple[Any, ...]]")


class Span(NamedTuple):
    """From an instant on and before another one; None: without that end."""

    from_at: datetime | None = None
    before_at: datetime | None = None

    def of(self, query: Query, column: Column[datetime]) -> Query:
        """Give the query with a column inside the span."""
        if self.from_at is not None:
            query = query.where(column >= self.from_at)
        if self.before_at is not None:
            query = query.where(column < self.before_at)
        return query


ALWAYS: Final = Span()
