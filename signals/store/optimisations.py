"""Optimisations that wait, run and are done, and every query on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import Connection, insert, select, update

from city.identifiers import uuid7
from signals.store.tables import optimisation

Status = Literal["waiting", "running", "done", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class Optimisation:
    """An optimisation of some signals' plans for a demand."""

    id: UUID
    network_id: UUID
    demand_id: UUID
    profile: str
    signals: list[str]
    status: Status
    done: int
    """Signals so far."""
    requested_at: datetime
    requested_by: str
    started_at: datetime | None
    finished_at: datetime | None
    cancel_asked_by: str | None
    problem: str | None
    version_id: UUID | None
    result: dict[str, JsonValue] | None


def add(
    connection: Connection,
    network_id: UUID,
    demand_id: UUID,
    *,
    profile: str,
    signals: Sequence[str],
    at: datetime,
    by: str,
) -> UUID:
    """Write an optimisation that waits to be run."""
    made = uuid7()
    connection.execute(
        insert(optimisation).values(
            id=made,
            network_id=network_id,
            demand_id=demand_id,
            profile=profile,
            signals=list(signals),
            status="waiting",
            requested_at=at,
            requested_by=by,
        )
    )
    return made


def find(
    connection: Connection, optimisation_id: UUID, *, lock: bool = False
) -> Optimisation | None:
    """Give an optimisation; with `lock` nobody else changes it meanwhile."""
    query = select(optimisation).where(optimisation.c.id == optimisation_id)
    if lock:
        query = query.with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else Optimisation(**row)


def latest(connection: Connection, network_id: UUID) -> Optimisation | None:
    """Give a network's optimisation that was asked for last; None without one."""
    query = (
        select(optimisation)
        .where(optimisation.c.network_id == network_id)
        .order_by(optimisation.c.id.desc())
        .limit(1)
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else Optimisation(**row)


def unfinished_ids(connection: Connection, limit: int) -> list[UUID]:
    """Give optimisations that wait or run, the oldest first."""
    query = (
        select(optimisation.c.id)
        .where(optimisation.c.finished_at.is_(None))
        .order_by(optimisation.c.id)
        .limit(limit)
    )
    return list(connection.execute(query).scalars())


def change(connection: Connection, optimisation_id: UUID, **values: object) -> None:
    """Write columns of an optimisation."""
    connection.execute(
        update(optimisation).where(optimisation.c.id == optimisation_id).values(**values)
    )


def finish(
    connection: Connection,
    optimisation_id: UUID,
    status: Status,
    at: datetime,
    *,
    problem: str | None = None,
    version_id: UUID | None = None,
    result: Mapping[str, JsonValue] | None = None,
) -> None:
    """Write how an optimisation ended."""
    change(
        connection,
        optimisation_id,
        status=status,
        finished_at=at,
        problem=problem,
        version_id=version_id,
        result=None if result is None else dict(result),
    )
