"""What each signal's controller runs and ran, and every query on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import Connection, insert, select, update

from city.identifiers import uuid7
from signals.store.tables import running_plan

Origin = Literal["found", "deployed", "restored"]


@dataclass(frozen=True, slots=True)
class RunningPlan:
    """One programme that a controller runs, or ran until an instant."""

    id: UUID
    network_id: UUID
    signal: str
    origin: Origin
    version_id: UUID | None
    restores: UUID | None
    programme: JsonValue
    change: dict[str, JsonValue] | None
    from_at: datetime
    until_at: datetime | None
    set_by: str


@dataclass(frozen=True, slots=True)
class NewRun:
    """What a controller is to run from now on."""

    signal: str
    origin: Origin
    programme: JsonValue
    version_id: UUID | None = None
    restores: UUID | None = None
    change: Mapping[str, JsonValue] | None = None


def in_force(
    connection: Connection,
    network_id: UUID,
    signals: Sequence[str] | None = None,
    *,
    lock: bool = False,
) -> dict[str, RunningPlan]:
    """Give what a network's controllers run now, by signal; with `lock` nobody changes it."""
    query = (
        select(*_columns())
        .where(running_plan.c.network_id == network_id, running_plan.c.until_at.is_(None))
        .order_by(running_plan.c.signal)
    )
    if signals is not None:
        query = query.where(running_plan.c.signal.in_(list(signals)))
    if lock:
        query = query.with_for_update()
    rows = [RunningPlan(**row) for row in connection.execute(query).mappings()]
    return {each.signal: each for each in rows}


def found(connection: Connection, network_id: UUID, signals: Sequence[str]) -> dict[str, JsonValue]:
    """Give the programmes that a network came with, by signal; they never change."""
    query = select(running_plan.c.signal, running_plan.c.programme).where(
        running_plan.c.network_id == network_id,
        running_plan.c.signal.in_(list(signals)),
        running_plan.c.origin == "found",
    )
    return {row.signal: row.programme for row in connection.execute(query)}


def of_version(connection: Connection, version_id: UUID) -> dict[str, RunningPlan]:
    """Give the runs that a version was deployed in, by signal."""
    query = select(*_columns()).where(running_plan.c.version_id == version_id)
    rows = [RunningPlan(**row) for row in connection.execute(query).mappings()]
    return {each.signal: each for each in rows}


def before(
    connection: Connection, network_id: UUID, signals: Sequence[str], at: datetime
) -> dict[str, RunningPlan]:
    """Give what ended at an instant, by signal: what ran before something else was deployed."""
    query = select(*_columns()).where(
        running_plan.c.network_id == network_id,
        running_plan.c.signal.in_(list(signals)),
        running_plan.c.until_at == at,
    )
    rows = [RunningPlan(**row) for row in connection.execute(query).mappings()]
    # A plan of no duration at all lasted from and until one instant; the first of them counts.
    ordered = sorted(rows, key=lambda each: each.id, reverse=True)
    return {each.signal: each for each in ordered}


def history(
    connection: Connection, network_id: UUID, name: str, *, limit: int
) -> list[RunningPlan]:
    """Give what a signal's controller runs and ran, the latest first."""
    query = (
        select(*_columns())
        .where(running_plan.c.network_id == network_id, running_plan.c.signal == name)
        .order_by(running_plan.c.from_at.desc(), running_plan.c.id.desc())
        .limit(limit)
    )
    return [RunningPlan(**row) for row in connection.execute(query).mappings()]


def switch(
    connection: Connection, network_id: UUID, runs: Sequence[NewRun], *, at: datetime, by: str
) -> None:
    """End what runs at some signals and begin something else there, in two statements."""
    connection.execute(
        update(running_plan)
        .where(
            running_plan.c.network_id == network_id,
            running_plan.c.signal.in_([each.signal for each in runs]),
            running_plan.c.until_at.is_(None),
        )
        .values(until_at=at)
    )
    connection.execute(
        insert(running_plan),
        [
            {
                "id": uuid7(),
                "network_id": network_id,
                "signal": each.signal,
                "origin": each.origin,
                "version_id": each.version_id,
                "deployable": None if each.version_id is None else True,
                "restores": each.restores,
                "programme": each.programme,
                "change": None if each.change is None else dict(each.change),
                "from_at": at,
                "set_by": by,
            }
            for each in runs
        ],
    )


def _columns() -> list[Any]:
    return [column for column in running_plan.c if column.name != "deployable"]
