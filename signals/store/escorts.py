"""Escort routes, what was held for them, their sealed logs, and every query on them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import (
    Column,
    Connection,
    Double,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, REAL

from signals.store.tables import INSTANT, METADATA, override

Status = Literal["draft", "approved", "running", "over", "withdrawn"]

escort = Table(
    "escort",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("network_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("start_longitude", Double, nullable=False),
    Column("start_latitude", Double, nullable=False),
    Column("stops", JSONB, nullable=False),
    Column("tail_m", REAL, nullable=False),
    Column("lead_s", Integer, nullable=False),
    Column("speed_kph", REAL, nullable=False),
    Column("subject", Text),
    Column("drafted_at", INSTANT, nullable=False),
    Column("drafted_by", Text, nullable=False),
    Column("drafted_name", Text, nullable=False),
    Column("approved_at", INSTANT),
    Column("approved_by", Text),
    Column("approved_name", Text),
    Column("started_at", INSTANT),
    Column("ended_at", INSTANT),
    Column("along_m", Double, nullable=False, server_default="0"),
    Column("located_at", INSTANT),
    Column("told_at", INSTANT),
    Column("told_kph", REAL),
    Column("left_behind", Integer, nullable=False, server_default="0"),
)

escort_hold = Table(
    "escort_hold",
    METADATA,
    Column("escort_id", Uuid, primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("override_id", Uuid, primary_key=True),
    Column("asked_at", INSTANT, nullable=False),
    Column("released_at", INSTANT),
)

escort_log = Table(
    "escort_log",
    METADATA,
    Column("escort_id", Uuid, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", INSTANT, nullable=False),
    Column("actor", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("detail", JSONB, nullable=False),
    Column("seal", LargeBinary, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Escort:
    """A route and how far it has come."""

    id: UUID
    network_id: UUID
    name: str
    status: Status
    start_longitude: float
    start_latitude: float
    stops: list[dict[str, Any]]
    tail_m: float
    lead_s: int
    """So long before the convoy reaches it a junction is held."""
    speed_kph: float
    """That is planned, where the convoy does not tell its own."""
    subject: str | None
    """Of the device that tells where the convoy is."""
    drafted_at: datetime
    drafted_by: str
    drafted_name: str
    approved_at: datetime | None
    approved_by: str | None
    approved_name: str | None
    started_at: datetime | None
    ended_at: datetime | None
    along_m: float
    located_at: datetime | None
    """When it was on its route last, by the device's clock."""
    told_at: datetime | None
    """When the device told anything last, by its clock."""
    told_kph: float | None
    left_behind: int
    """Junctions that it has passed."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A junction held for a convoy, and what became of the order."""

    place: int
    override_id: UUID
    asked_at: datetime
    released_at: datetime | None
    status: str
    until_at: datetime
    stage: int | None


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a sealed log."""

    number: int
    at: datetime
    actor: str
    what: str
    detail: dict[str, JsonValue]
    seal: bytes


def add(connection: Connection, made: Escort) -> None:
    """Write a draft."""
    connection.execute(insert(escort).values({n: getattr(made, n) for n in Escort.__slots__}))


def escort_of(connection: Connection, escort_id: UUID, *, lock: bool = False) -> Escort | None:
    """Give a route; with `lock` nobody else changes it meanwhile."""
    query = select(escort).where(escort.c.id == escort_id)
    if lock:
        query = query.with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else Escort(**row)


def escorts(connection: Connection, *, after: UUID | None, limit: int) -> list[Escort]:
    """Give routes, the latest first, one more than asked."""
    query = select(escort).order_by(escort.c.id.desc()).limit(limit + 1)
    if after is not None:
        query = query.where(escort.c.id < after)
    return [Escort(**row) for row in connection.execute(query).mappings()]


def running(connection: Connection) -> list[UUID]:
    """Give the routes that are being run."""
    return list(connection.scalars(select(escort.c.id).where(escort.c.status == "running")))


def told_by(connection: Connection, subject: str, *, lock: bool) -> Escort | None:
    """Give the running route of which a device tells."""
    query = select(escort).where(escort.c.subject == subject, escort.c.status == "running")
    if lock:
        query = query.with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else Escort(**row)


def change(connection: Connection, escort_id: UUID, **values: object) -> None:
    """Write columns; lock it first."""
    connection.execute(update(escort).where(escort.c.id == escort_id).values(**values))


# --- holds ---------------------------------------------------------------------------------------


def add_hold(
    connection: Connection, escort_id: UUID, place: int, override_id: UUID, at: datetime
) -> None:
    """Note that a junction is being held."""
    connection.execute(
        insert(escort_hold).values(
            escort_id=escort_id, place=place, override_id=override_id, asked_at=at
        )
    )


def release_hold(connection: Connection, escort_id: UUID, override_id: UUID, at: datetime) -> None:
    """Note that a junction is given back."""
    connection.execute(
        update(escort_hold)
        .where(escort_hold.c.escort_id == escort_id, escort_hold.c.override_id == override_id)
        .values(released_at=at)
    )


def holds(connection: Connection, escort_id: UUID) -> list[Hold]:
    """Give what was held for a route, in the order of its junctions, the latest order last."""
    rows = connection.execute(
        select(
            escort_hold.c.place,
            escort_hold.c.override_id,
            escort_hold.c.asked_at,
            escort_hold.c.released_at,
            override.c.status,
            override.c.until_at,
            override.c.stage,
        )
        .join(override, override.c.id == escort_hold.c.override_id)
        .where(escort_hold.c.escort_id == escort_id)
        .order_by(escort_hold.c.place, escort_hold.c.asked_at)
    ).mappings()
    return [Hold(**row) for row in rows]


# --- the sealed log ------------------------------------------------------------------------------


def last_entry(connection: Connection, escort_id: UUID) -> Entry | None:
    """Give the last line of a log; lock the route first."""
    query = (
        _entries().where(escort_log.c.escort_id == escort_id).order_by(escort_log.c.number.desc())
    )
    row = connection.execute(query.limit(1)).mappings().one_or_none()
    return None if row is None else Entry(**row)


def last_of(connection: Connection, escort_id: UUID, what: str, place: int) -> Entry | None:
    """Give the last line of a kind about a junction."""
    query = (
        _entries()
        .where(
            escort_log.c.escort_id == escort_id,
            escort_log.c.what == what,
            escort_log.c.detail["place"].as_integer() == place,
        )
        .order_by(escort_log.c.number.desc())
        .limit(1)
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else Entry(**row)


def add_entry(connection: Connection, escort_id: UUID, made: Entry) -> None:
    """Write the next line of a log."""
    values = {name: getattr(made, name) for name in Entry.__slots__}
    connection.execute(insert(escort_log).values(escort_id=escort_id, **values))


def log_of(connection: Connection, escort_id: UUID, *, after: int, limit: int) -> list[Entry]:
    """Give a log's lines after a number, in their order."""
    query = (
        _entries()
        .where(escort_log.c.escort_id == escort_id, escort_log.c.number > after)
        .order_by(escort_log.c.number)
        .limit(limit)
    )
    return [Entry(**row) for row in connection.execute(query).mappings()]


def _entries() -> Any:
    return select(*(each for each in escort_log.c if each.name != "escort_id"))
