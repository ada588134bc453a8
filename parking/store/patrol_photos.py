"""Photos of rounds: which stay each belongs to, and what it is kept as."""

from dataclasses import asdict
from typing import Final
from uuid import UUID

from sqlalchemy import Column, Connection, RowMapping, Table, Text, Uuid, func, insert, select

from city.identifiers import ParkingSessionId
from parking.rules.patrol import PatrolPhoto
from parking.store.tables import INSTANT, metadata

MOST_OF_A_STAY: Final = 100

patrol_photo = Table(
    "patrol_photo",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("task_id", Uuid, nullable=False),
    Column("session_id", Uuid, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("taken_at", INSTANT, nullable=False),
    Column("taken_by", Text, nullable=False),
    Column("frame_id", Uuid, nullable=False),
)


def find(connection: Connection, photo_id: UUID) -> PatrolPhoto | None:
    """Give a photo."""
    query = select(patrol_photo).where(patrol_photo.c.id == photo_id)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _photo(row)


def add(connection: Connection, photo: PatrolPhoto) -> None:
    """Keep a photo."""
    connection.execute(insert(patrol_photo).values(asdict(photo)))


def count_of_task(connection: Connection, task_id: UUID) -> int:
    """Count the photos of a task."""
    query = select(func.count()).where(patrol_photo.c.task_id == task_id)
    return connection.execute(query).scalar_one()


def of_stay(connection: Connection, session_id: ParkingSessionId) -> list[PatrolPhoto]:
    """Give the photos of a stay, the first one first."""
    query = (
        select(patrol_photo)
        .where(patrol_photo.c.session_id == session_id)
        .order_by(patrol_photo.c.id)
        .limit(MOST_OF_A_STAY)
    )
    return [_photo(row) for row in connection.execute(query).mappings()]


def _photo(row: RowMapping) -> PatrolPhoto:
    return PatrolPhoto(**{**row, "session_id": ParkingSessionId(row["session_id"])})
