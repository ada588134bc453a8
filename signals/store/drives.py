"""Plan versions driven in simulation, their runs, and every query on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import Connection, Select, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from city.identifiers import uuid7
from signals.store.tables import drive, drive_run

Status = Literal["waiting", "running", "done", "failed", "cancelled"]
Side = Literal["before", "after"]


@dataclass(frozen=True, slots=True)
class Drive:
    """A version driven beside what ran before."""

    id: UUID
    network_id: UUID
    demand_id: UUID
    version_id: UUID
    revision: int
    profile: str
    seeds: list[int]
    status: Status
    done: int
    """Runs so far, of two a seed."""
    requested_at: datetime
    requested_by: str
    started_at: datetime | None
    finished_at: datetime | None
    cancel_asked_by: str | None
    problem: str | None
    result: dict[str, JsonValue] | None


@dataclass(frozen=True, slots=True)
class NewDrive:
    """What is to be driven: both sides' plans by signal, as documents."""

    network_id: UUID
    demand_id: UUID
    version_id: UUID
    revision: int
    profile: str
    seeds: Sequence[int]
    before: Mapping[str, JsonValue]
    after: Mapping[str, JsonValue]


def add(connection: Connection, new: NewDrive, *, at: datetime, by: str) -> UUID:
    """Write a drive that waits."""
    made = uuid7()
    connection.execute(
        insert(drive).values(
            id=made,
            network_id=new.network_id,
            demand_id=new.demand_id,
            version_id=new.version_id,
            revision=new.revision,
            profile=new.profile,
            seeds=list(new.seeds),
            before=dict(new.before),
            after=dict(new.after),
            status="waiting",
            requested_at=at,
            requested_by=by,
        )
    )
    return made


def find(connection: Connection, drive_id: UUID, *, lock: bool = False) -> Drive | None:
    """Give a drive; with `lock` nobody else changes it meanwhile."""
    query = _drives().where(drive.c.id == drive_id)
    if lock:
        query = query.with_for_update()
    return _one(connection, query)


def latest(connection: Connection, version_id: UUID, *, revision: int) -> Drive | None:
    """Give the drive of a version as it stands that was asked for last; None without one."""
    wanted = (drive.c.version_id == version_id) & (drive.c.revision == revision)
    return _one(connection, _drives().where(wanted).order_by(drive.c.id.desc()).limit(1))


def unfinished(connection: Connection, version_id: UUID) -> bool:
    """Tell whether a drive of a version waits or runs."""
    query = select(drive.c.id).where(
        drive.c.version_id == version_id, drive.c.finished_at.is_(None)
    )
    return connection.execute(query).first() is not None


def unfinished_ids(connection: Connection, limit: int) -> list[UUID]:
    """Give drives that wait or run, the oldest first."""
    query = select(drive.c.id).where(drive.c.finished_at.is_(None)).order_by(drive.c.id)
    return list(connection.execute(query.limit(limit)).scalars())


def sides(connection: Connection, drive_id: UUID) -> dict[Side, dict[str, JsonValue]]:
    """Give both sides' plans by signal."""
    row = connection.execute(
        select(drive.c.before, drive.c.after).where(drive.c.id == drive_id)
    ).one()
    return {"before": row.before, "after": row.after}


def change(connection: Connection, drive_id: UUID, **values: object) -> None:
    """Write columns of a drive."""
    connection.execute(update(drive).where(drive.c.id == drive_id).values(**values))


def add_run(
    connection: Connection,
    drive_id: UUID,
    run: tuple[Side, int],
    figures: Mapping[str, JsonValue],
    replay: bytes | None,
) -> None:
    """Write a run that ended, by side and seed; a second time it stays as it is."""
    connection.execute(
        upsert(drive_run)
        .values(drive_id=drive_id, side=run[0], seed=run[1], figures=dict(figures), replay=replay)
        .on_conflict_do_nothing()
    )


def runs(connection: Connection, drive_id: UUID) -> dict[tuple[Side, int], dict[str, Any]]:
    """Give the figures of all runs so far."""
    query = select(drive_run.c.side, drive_run.c.seed, drive_run.c.figures).where(
        drive_run.c.drive_id == drive_id
    )
    return {(row.side, row.seed): row.figures for row in connection.execute(query)}


def replays(connection: Connection, drive_id: UUID) -> dict[Side, bytes]:
    """Give what was kept to be looked at, by side."""
    query = select(drive_run.c.side, drive_run.c.replay).where(
        drive_run.c.drive_id == drive_id, drive_run.c.replay.is_not(None)
    )
    return {row.side: bytes(row.replay) for row in connection.execute(query)}


def forget_replays(connection: Connection, version_id: UUID, *, but: UUID) -> None:
    """Keep the replay of one drive of a version alone."""
    older = select(drive.c.id).where(drive.c.version_id == version_id, drive.c.id != but)
    connection.execute(
        update(drive_run)
        .where(drive_run.c.drive_id.in_(older), drive_run.c.replay.is_not(None))
        .values(replay=None)
    )


def _drives() -> Select[Any]:
    done = (
        select(func.count())
        .select_from(drive_run)
        .where(drive_run.c.drive_id == drive.c.id)
        .scalar_subquery()
    )
    hidden = {"before", "after"}
    return select(*(each for each in drive.c if each.name not in hidden), done.label("done"))


def _one(connection: Connection, query: Select[Any]) -> Drive | None:
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else Drive(**row)
