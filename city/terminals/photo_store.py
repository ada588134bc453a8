"""Pictures of acts: what came of each, and which stay it belongs to."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    Column,
    Connection,
    DateTime,
    Integer,
    RowMapping,
    Table,
    Text,
    Uuid,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from city.identifiers import DistrictCode
from city.terminals import act_store
from city.terminals.rules.acts import Act, Outcome
from city.terminals.rules.photos import ActPhoto
from city.terminals.store import METADATA, TERMINAL

_INSTANT = DateTime(timezone=True)
MOST_OF_A_STAY = 100

PHOTO = Table(
    "act_photo",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("terminal_id", Uuid),
    Column("act_id", Uuid),
    Column("session_id", Uuid),
    Column("district", Text),
    Column("sha256", Text),
    Column("bytes", Integer),
    Column("began_at", _INSTANT),
    Column("kept_at", _INSTANT),
    Column("frame_id", Uuid),
)
PART = Table(
    "act_photo_part",
    METADATA,
    Column("photo_id", Uuid, primary_key=True),
    Column("from_byte", Integer, primary_key=True),
    Column("bytes", Integer),
    Column("picture_id", Uuid),
)
AWAITED = Table(
    "awaited_photo",
    METADATA,
    Column("photo_id", Uuid, primary_key=True),
    Column("act_id", Uuid),
    Column("terminal_id", Uuid),
    Column("received_at", _INSTANT),
)


@dataclass(frozen=True, slots=True)
class AwaitedPhoto:
    """A picture that an act named and that is not here, whole."""

    photo_id: UUID
    act: Act
    terminal: str
    """Its name."""
    part_bytes: int
    """What came of it."""


def find(connection: Connection, photo_id: UUID) -> ActPhoto | None:
    """Give a picture; its terminal's turn holds it."""
    row = connection.execute(select(PHOTO).where(PHOTO.c.id == photo_id)).mappings().one_or_none()
    return None if row is None else _photo(row)


def add(connection: Connection, photo: ActPhoto) -> None:
    """Keep that a picture is on its way."""
    connection.execute(insert(PHOTO).values(asdict(photo)))


def parts(connection: Connection, photo_id: UUID) -> list[tuple[int, UUID]]:
    """Give the bytes of each part that came and where it lies, in their order."""
    query = select(PART.c.bytes, PART.c.picture_id).where(PART.c.photo_id == photo_id)
    return [(row[0], row[1]) for row in connection.execute(query.order_by(PART.c.from_byte))]


def add_part(
    connection: Connection, photo_id: UUID, from_byte: int, count: int, picture_id: UUID
) -> None:
    """Keep a part."""
    values = {"from_byte": from_byte, "bytes": count, "picture_id": picture_id}
    connection.execute(insert(PART).values(photo_id=photo_id, **values))


def drop_parts(connection: Connection, photo_ids: Collection[UUID]) -> list[UUID]:
    """Forget parts; give where they lay."""
    query = delete(PART).where(PART.c.photo_id.in_(list(photo_ids))).returning(PART.c.picture_id)
    return list(connection.scalars(query))


def keep(connection: Connection, photo_id: UUID, at: datetime, frame_id: UUID) -> None:
    """Write that a picture is whole."""
    connection.execute(
        update(PHOTO).where(PHOTO.c.id == photo_id).values(kept_at=at, frame_id=frame_id)
    )
    drop_awaited(connection, photo_id)


def expect(connection: Connection, acts: Sequence[Act]) -> None:
    """Keep that the pictures of acts that took effect are awaited."""
    rows = [
        {
            "photo_id": UUID(str(act.detail["photo_id"])),
            "act_id": act.id,
            "terminal_id": act.terminal_id,
            "received_at": act.received_at,
        }
        for act in acts
        if act.outcome is Outcome.DONE and act.detail.get("photo_id") is not None
    ]
    if rows:
        connection.execute(upsert(AWAITED).values(rows).on_conflict_do_nothing())


def awaited(
    connection: Connection, districts: frozenset[str] | None, before_at: datetime, limit: int
) -> list[AwaitedPhoto]:
    """Give pictures that are awaited since before an instant, the newest first."""
    came = (
        select(func.coalesce(func.sum(PART.c.bytes), 0))
        .where(PART.c.photo_id == AWAITED.c.photo_id)
        .scalar_subquery()
    )
    query = (
        select(act_store.ACT, AWAITED.c.photo_id, TERMINAL.c.name, came.label("part_bytes"))
        .join(AWAITED, AWAITED.c.act_id == act_store.ACT.c.id)
        .join(TERMINAL, TERMINAL.c.id == AWAITED.c.terminal_id)
        .where(AWAITED.c.received_at < before_at)
        .order_by(AWAITED.c.received_at.desc(), AWAITED.c.photo_id)
        .limit(limit)
    )
    if districts is not None:
        query = query.where(TERMINAL.c.district.in_(sorted(districts)))
    return [
        AwaitedPhoto(row.photo_id, act_store.act_of(row), row.name, row.part_bytes)
        for row in connection.execute(query)
    ]


def awaited_of(connection: Connection, terminal_id: UUID, limit: int) -> list[UUID]:
    """Give which pictures are awaited of a terminal, the newest first."""
    query = (
        select(AWAITED.c.photo_id)
        .where(AWAITED.c.terminal_id == terminal_id)
        .order_by(AWAITED.c.received_at.desc(), AWAITED.c.photo_id)
        .limit(limit)
    )
    return list(connection.scalars(query))


def awaited_act(
    connection: Connection, photo_id: UUID, districts: frozenset[str] | None
) -> Act | None:
    """Give the act whose picture is awaited, where it is of some districts."""
    query = (
        select(act_store.ACT)
        .join(AWAITED, AWAITED.c.act_id == act_store.ACT.c.id)
        .join(TERMINAL, TERMINAL.c.id == AWAITED.c.terminal_id)
        .where(AWAITED.c.photo_id == photo_id)
    )
    if districts is not None:
        query = query.where(TERMINAL.c.district.in_(sorted(districts)))
    row = connection.execute(query).one_or_none()
    return None if row is None else act_store.act_of(row)


def drop_awaited(connection: Connection, photo_id: UUID) -> None:
    """Await a picture no more."""
    connection.execute(delete(AWAITED).where(AWAITED.c.photo_id == photo_id))


def drop_awaited_before(connection: Connection, before_at: datetime) -> None:
    """Await pictures of acts of long ago no more; their stays go on saying so."""
    connection.execute(delete(AWAITED).where(AWAITED.c.received_at < before_at))


def of_stay(connection: Connection, session_id: UUID) -> list[ActPhoto]:
    """Give the pictures of a stay, the first one first."""
    query = (
        select(PHOTO)
        .where(PHOTO.c.session_id == session_id)
        .order_by(PHOTO.c.id)
        .limit(MOST_OF_A_STAY)
    )
    return [_photo(row) for row in connection.execute(query).mappings()]


def partly_before(connection: Connection, at: datetime, limit: int) -> list[UUID]:
    """Give pictures that began to come before an instant and are not whole, locked."""
    query = (
        select(PHOTO.c.id)
        .where(PHOTO.c.kept_at.is_(None), PHOTO.c.began_at < at)
        .order_by(PHOTO.c.began_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list(connection.scalars(query))


def drop(connection: Connection, photo_ids: Collection[UUID]) -> None:
    """Forget that pictures were on their way."""
    connection.execute(delete(PHOTO).where(PHOTO.c.id.in_(list(photo_ids))))


def _photo(row: RowMapping) -> ActPhoto:
    return ActPhoto(**{**row, "district": DistrictCode(row["district"])})
