"""Plan versions from draft to street, and every query on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import Connection, func, insert, select, update

from city.identifiers import uuid7
from signals.store.tables import network, plan_version

Status = Literal[
    "draft", "checked", "approved", "deployed", "measured", "kept", "reverted", "withdrawn"
]
Origin = Literal["person", "optimisation", "schedule"]

_HEAVY = {"document", "report"}


@dataclass(frozen=True, slots=True)
class VersionRecord:
    """A version with who did what to it; without its document and report."""

    id: UUID
    network_id: UUID
    number: int
    title: str
    note: str
    status: Status
    revision: int
    """Counts the edits of a draft."""
    origin: Origin
    profile: str
    signals: list[str]
    drafted_at: datetime
    drafted_by: str
    edited_at: datetime | None
    edited_by: str | None
    checked_at: datetime | None
    checked_by: str | None
    checked_revision: int | None
    safe: bool | None
    predicted: dict[str, JsonValue] | None
    approved_at: datetime | None
    approved_by: str | None
    approved_revision: int | None
    deployed_at: datetime | None
    deployed_by: str | None
    measured_at: datetime | None
    measured_by: str | None
    measured: dict[str, JsonValue] | None
    decided_at: datetime | None
    decided_by: str | None
    decided_reason: str | None
    deployable: bool


def add_draft(
    connection: Connection,
    network_id: UUID,
    *,
    title: str,
    note: str,
    profile: str,
    signals: Sequence[str],
    document: Mapping[str, JsonValue],
    origin: Origin,
    at: datetime,
    by: str,
) -> UUID:
    """Write a draft under its network's next number."""
    made = uuid7()
    # The network's row is locked, so that two drafts at a time get two numbers.
    connection.execute(select(network.c.id).where(network.c.id == network_id).with_for_update())
    last = connection.execute(
        select(func.max(plan_version.c.number)).where(plan_version.c.network_id == network_id)
    ).scalar_one()
    connection.execute(
        insert(plan_version).values(
            id=made,
            network_id=network_id,
            number=(last or 0) + 1,
            title=title,
            note=note,
            status="draft",
            origin=origin,
            profile=profile,
            signals=list(signals),
            document=dict(document),
            drafted_at=at,
            drafted_by=by,
        )
    )
    return made


def record_of(
    connection: Connection, version_id: UUID, *, lock: bool = False
) -> VersionRecord | None:
    """Give a version; with `lock` nobody else changes it meanwhile."""
    query = select(*_light()).where(plan_version.c.id == version_id)
    if lock:
        query = query.with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else VersionRecord(**row)


def document_of(connection: Connection, version_id: UUID) -> dict[str, JsonValue] | None:
    """Give a version's document."""
    query = select(plan_version.c.document).where(plan_version.c.id == version_id)
    found: dict[str, JsonValue] | None = connection.execute(query).scalar_one_or_none()
    return found


def report_of(connection: Connection, version_id: UUID) -> dict[str, JsonValue] | None:
    """Give what the checker said of a version last; None where it was never checked."""
    query = select(plan_version.c.report).where(plan_version.c.id == version_id)
    found: dict[str, JsonValue] | None = connection.execute(query).scalar_one_or_none()
    return found


def versions(
    connection: Connection, network_id: UUID, *, after: UUID | None, limit: int
) -> list[VersionRecord]:
    """Give a network's versions, the latest first, one more than asked."""
    query = (
        select(*_light())
        .where(plan_version.c.network_id == network_id)
        .order_by(plan_version.c.id.desc())
        .limit(limit + 1)
    )
    if after is not None:
        query = query.where(plan_version.c.id < after)
    return [VersionRecord(**row) for row in connection.execute(query).mappings()]


def change(connection: Connection, version_id: UUID, **values: object) -> None:
    """Write columns of a version; lock it first (`record_of`)."""
    connection.execute(update(plan_version).where(plan_version.c.id == version_id).values(**values))


def _light() -> list[Any]:
    return [column for column in plan_version.c if column.name not in _HEAVY]
