"""Schedules from asked for to in force, and every query on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import Connection, delete, insert, select

from city.identifiers import uuid7
from signals.store.numbered import Numbered
from signals.store.tables import schedule, schedule_plan, scheduled_signal

Status = Literal[
    "waiting",
    "making",
    "failed",
    "draft",
    "checked",
    "approved",
    "in_force",
    "ended",
    "withdrawn",
]


@dataclass(frozen=True, slots=True)
class ScheduleRecord:
    """A schedule with who did what to it; without its document."""

    id: UUID
    network_id: UUID
    number: int
    title: str
    signals: list[str]
    profile: str
    timezone: str
    settings: dict[str, JsonValue]
    status: Status
    asked_at: datetime
    asked_by: str
    made_at: datetime | None
    problem: str | None
    """Why it failed, or what keeps it from the street now."""
    checked_at: datetime | None
    checked_by: str | None
    approved_at: datetime | None
    approved_by: str | None
    from_at: datetime | None
    set_by: str | None
    until_at: datetime | None
    ended_by: str | None
    ended_reason: str | None


_KEPT: Final = Numbered(schedule, ScheduleRecord, {"document", "followed"})


def add(
    connection: Connection,
    network_id: UUID,
    *,
    title: str,
    signals: Sequence[str],
    profile: str,
    timezone: str,
    settings: Mapping[str, JsonValue],
    at: datetime,
    by: str,
) -> UUID:
    """Write a schedule that waits to be made, under its network's next number."""
    made = uuid7()
    connection.execute(
        insert(schedule).values(
            id=made,
            network_id=network_id,
            number=_KEPT.next_number(connection, network_id),
            title=title,
            signals=list(signals),
            profile=profile,
            timezone=timezone,
            settings=dict(settings),
            status="waiting",
            asked_at=at,
            asked_by=by,
        )
    )
    return made


def record_of(
    connection: Connection, schedule_id: UUID, *, lock: bool = False
) -> ScheduleRecord | None:
    """Give a schedule; with `lock` nobody else changes it meanwhile."""
    return _KEPT.one(connection, schedule_id, lock=lock)


def document_of(connection: Connection, schedule_id: UUID) -> dict[str, JsonValue] | None:
    """Give a schedule's document; None where it is not made yet."""
    return _KEPT.json(connection, schedule_id, "document")


def unmade_ids(connection: Connection, limit: int) -> list[UUID]:
    """Give schedules that wait to be made or are being made, the oldest first."""
    unmade = schedule.c.status.in_(["waiting", "making"])
    query = select(schedule.c.id).where(unmade).order_by(schedule.c.id).limit(limit)
    return list(connection.execute(query).scalars())


def schedules(
    connection: Connection, network_id: UUID, *, after: UUID | None, limit: int
) -> list[ScheduleRecord]:
    """Give a network's schedules, the latest first, one more than asked."""
    return _KEPT.of_network(connection, network_id, after=after, limit=limit)


def change(connection: Connection, schedule_id: UUID, **values: object) -> None:
    """Write columns of a schedule; lock it first (`record_of`)."""
    _KEPT.change(connection, schedule_id, **values)


def add_plans(connection: Connection, schedule_id: UUID, versions: Mapping[str, UUID]) -> None:
    """Say which plan version each plan of a schedule is."""
    connection.execute(
        insert(schedule_plan),
        [
            {"schedule_id": schedule_id, "name": name, "version_id": version_id}
            for name, version_id in versions.items()
        ],
    )


def plans_of(connection: Connection, schedule_id: UUID) -> dict[str, UUID]:
    """Give the plan versions of a schedule by their names in it."""
    query = (
        select(schedule_plan.c.name, schedule_plan.c.version_id)
        .where(schedule_plan.c.schedule_id == schedule_id)
        .order_by(schedule_plan.c.name)
    )
    return {row.name: row.version_id for row in connection.execute(query)}


def in_force(connection: Connection, network_id: UUID, signals: Sequence[str]) -> list[UUID]:
    """Give the schedules that some signals follow."""
    query = (
        select(scheduled_signal.c.schedule_id)
        .where(
            scheduled_signal.c.network_id == network_id,
            scheduled_signal.c.signal.in_(list(signals)),
        )
        .distinct()
    )
    return list(connection.execute(query).scalars())


def all_in_force(connection: Connection) -> list[UUID]:
    """Give every schedule that signals follow."""
    query = select(schedule.c.id).where(schedule.c.status == "in_force").order_by(schedule.c.id)
    return list(connection.execute(query).scalars())


def follow(
    connection: Connection, schedule_id: UUID, network_id: UUID, signals: Sequence[str]
) -> None:
    """Let signals follow a schedule that is in force."""
    connection.execute(
        insert(scheduled_signal),
        [
            {
                "network_id": network_id,
                "signal": name,
                "schedule_id": schedule_id,
                "in_force": True,
            }
            for name in signals
        ],
    )


def leave(connection: Connection, schedule_id: UUID) -> None:
    """Let the signals of a schedule follow none."""
    connection.execute(
        delete(scheduled_signal).where(scheduled_signal.c.schedule_id == schedule_id)
    )
