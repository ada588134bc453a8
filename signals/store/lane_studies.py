"""Studies of junctions' lanes and signals, and every query on them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import Connection, delete, insert, select, update

from city.identifiers import uuid7
from signals.store.tables import lane_study

Status = Literal["waiting", "running", "done", "failed", "cancelled"]
SideName = Literal["in_force", "as_it_is", "changed"]
Kept = dict[str, list[list[dict[str, str]]]]
"""Functions as they are kept: by approach, by lane, `turn` and `to_road`."""


@dataclass(frozen=True, slots=True)
class LaneStudy:
    """A study of one junction, without its documents."""

    id: UUID
    network_id: UUID
    demand_id: UUID
    signal: str
    profile: str
    functions: Kept | None
    """None: a study of the junction without a signal."""
    status: Status
    done: int
    """Plans made, of two."""
    requested_at: datetime
    requested_by: str
    started_at: datetime | None
    finished_at: datetime | None
    problem: str | None
    result: dict[str, Any] | None
    title: str | None
    note: str
    kept_at: datetime | None
    kept_by: str | None


@dataclass(frozen=True, slots=True)
class NewStudy:
    """What is to be studied."""

    network_id: UUID
    demand_id: UUID
    signal: str
    profile: str
    functions: Kept | None


_COLUMNS = [each for each in lane_study.c if each.name != "documents"]


def add(connection: Connection, new: NewStudy, *, at: datetime, by: str) -> UUID:
    """Write a study that waits."""
    made = uuid7()
    connection.execute(
        insert(lane_study).values(
            id=made,
            network_id=new.network_id,
            demand_id=new.demand_id,
            signal=new.signal,
            profile=new.profile,
            functions=new.functions,
            status="waiting",
            requested_at=at,
            requested_by=by,
        )
    )
    return made


def find(connection: Connection, study_id: UUID, *, lock: bool = False) -> LaneStudy | None:
    """Give a study; with `lock` nobody else changes it meanwhile."""
    query = select(*_COLUMNS).where(lane_study.c.id == study_id)
    if lock:
        query = query.with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else LaneStudy(**row)


def of_signal(
    connection: Connection, network_id: UUID, signal: str, *, after: UUID | None, limit: int
) -> list[LaneStudy]:
    """Give a junction's studies, the latest first, one more than asked."""
    query = (
        select(*_COLUMNS)
        .where(lane_study.c.network_id == network_id, lane_study.c.signal == signal)
        .order_by(lane_study.c.id.desc())
        .limit(limit + 1)
    )
    if after is not None:
        query = query.where(lane_study.c.id < after)
    return [LaneStudy(**row) for row in connection.execute(query).mappings()]


def documents(connection: Connection, study_id: UUID) -> dict[SideName, dict[str, JsonValue]]:
    """Give the junction's documents by side; empty until the study is done."""
    query = select(lane_study.c.documents).where(lane_study.c.id == study_id)
    found: dict[SideName, dict[str, JsonValue]] | None = connection.execute(query).scalar_one()
    return found or {}


def unfinished_ids(connection: Connection, limit: int) -> list[UUID]:
    """Give studies that wait or run, the oldest first."""
    query = select(lane_study.c.id).where(lane_study.c.finished_at.is_(None))
    return list(connection.execute(query.order_by(lane_study.c.id).limit(limit)).scalars())


def change(connection: Connection, study_id: UUID, **values: object) -> None:
    """Write columns of a study; lock it first (`find`)."""
    connection.execute(update(lane_study).where(lane_study.c.id == study_id).values(**values))


def finish(
    connection: Connection,
    study_id: UUID,
    status: Status,
    at: datetime,
    *,
    problem: str | None = None,
    result: Mapping[str, JsonValue] | None = None,
    documents: Mapping[SideName, JsonValue] | None = None,
) -> None:
    """Write how a study ended."""
    change(
        connection,
        study_id,
        status=status,
        finished_at=at,
        problem=problem,
        result=None if result is None else dict(result),
        documents=None if documents is None else dict(documents),
    )


def forget(connection: Connection, before_at: datetime) -> int:
    """Drop studies that ended before an instant and were not kept; give how many."""
    ended = lane_study.c.finished_at < before_at
    query = delete(lane_study).where(ended, lane_study.c.kept_at.is_(None))
    return connection.execute(query).rowcount
