"""What people reported of bays at their terminals."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from city.terminals.act_store import ACT
from city.terminals.rules.acts import ActKind, Outcome


@dataclass(frozen=True, slots=True)
class Report:
    """Something that is wrong with a bay; `detail` says with which, and what."""

    id: UUID
    at: datetime
    detail: Mapping[str, Any]


def reports_since(
    connection: Connection, received_from_at: datetime, *, after: UUID | None, limit: int
) -> list[Report]:
    """Give the reports that came since an instant, in the order of their ids."""
    query = (
        select(ACT.c.id, ACT.c.at, ACT.c.detail)
        .where(
            ACT.c.kind == ActKind.REPORT.value,
            ACT.c.outcome == Outcome.DONE.value,
            ACT.c.received_at >= received_from_at,
        )
        .order_by(ACT.c.id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(ACT.c.id > after)
    return [Report(row.id, row.at, row.detail) for row in connection.execute(query)]
