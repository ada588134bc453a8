"""Documents of junctions in their versions, and every query on them."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Connection, Integer, Select, Table, Text, Uuid, func, insert, select

from signals.store.tables import INSTANT, METADATA

junction_document = Table(
    "junction_document",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("network_code", Text, nullable=False),
    Column("signal", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("format", Text, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("picture_id", Uuid, nullable=False),
    Column("note", Text),
    Column("kept_at", INSTANT, nullable=False),
    Column("kept_by", Text, nullable=False),
    Column("kept_name", Text, nullable=False),
)


@dataclass(frozen=True, slots=True)
class JunctionDocument:
    """A version of a drawing, photo, wiring or another paper of a junction."""

    id: UUID
    network_code: str
    signal: str
    kind: str
    title: str
    version: int
    format: str
    bytes: int
    sha256: str
    picture_id: UUID
    note: str | None
    kept_at: datetime
    kept_by: str
    kept_name: str


def add(connection: Connection, made: JunctionDocument) -> None:
    """Write a version."""
    connection.execute(insert(junction_document).values(**asdict(made)))


def documents(
    connection: Connection, network_code: str, signal: str, *, limit: int
) -> list[JunctionDocument]:
    """Give a junction's documents, the latest first, one more than asked."""
    query = _of(network_code, signal).order_by(junction_document.c.id.desc()).limit(limit + 1)
    return [JunctionDocument(**row) for row in connection.execute(query).mappings()]


def latest(
    connection: Connection, network_code: str, signal: str, kind: str, title: str
) -> JunctionDocument | None:
    """Give a document's latest version; None where it has none."""
    query = (
        _of(network_code, signal)
        .where(junction_document.c.kind == kind, junction_document.c.title == title)
        .order_by(junction_document.c.version.desc())
        .limit(1)
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else JunctionDocument(**row)


def document_of(connection: Connection, document_id: UUID) -> JunctionDocument | None:
    """Give a version; None where there is none."""
    query = select(junction_document).where(junction_document.c.id == document_id)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else JunctionDocument(**row)


def count(connection: Connection, network_code: str, signal: str) -> int:
    """Count a junction's versions."""
    query = select(func.count()).where(
        junction_document.c.network_code == network_code, junction_document.c.signal == signal
    )
    return int(connection.execute(query).scalar_one())


def lock(connection: Connection, network_code: str, signal: str) -> None:
    """Let one upload to a junction at a time number its version."""
    name = f"signals.junction_document {network_code} {signal}"
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


def _of(network_code: str, signal: str) -> Select[Any]:
    return select(junction_document).where(
        junction_document.c.network_code == network_code, junction_document.c.signal == signal
    )
