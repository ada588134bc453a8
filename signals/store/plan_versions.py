"""Plan versions from draft to street, and every query on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import Connection, insert

from city.identifiers import uuid7
from signals.store.numbered import Numbered
from signals.store.tables import plan_version

Status = Literal[
    "draft", "checked", "approved", "deployed", "measured", "kept", "reverted", "withdrawn"
]
Origin = Literal["person", "optimisation", "schedule"]


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


_KEPT: Final = Numbered(plan_version, VersionRecord, {"document", "report"})


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
    connection.execute(
        insert(plan_version).values(
            id=made,
            network_id=network_id,
            number=_KEPT.next_number(connection, network_id),
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
    return _KEPT.one(connection, version_id, lock=lock)


def document_of(connection: Connection, version_id: UUID) -> dict[str, JsonValue] | None:
    """Give a version's document."""
    return _KEPT.json(connection, version_id, "document")


def report_of(connection: Connection, version_id: UUID) -> dict[str, JsonValue] | None:
    """Give what the checker said of a version last; None where it was never checked."""
    return _KEPT.json(connection, version_id, "report")


def versions(
    connection: Connection, network_id: UUID, *, after: UUID | None, limit: int
) -> list[VersionRecord]:
    """Give a network's versions, the latest first, one more than asked."""
    return _KEPT.of_network(connection, network_id, after=after, limit=limit)


def change(connection: Connection, version_id: UUID, **values: object) -> None:
    """Write columns of a version; lock it first (`record_of`)."""
    _KEPT.change(connection, version_id, **values)
