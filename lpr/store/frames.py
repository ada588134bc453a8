"""Frames kept as evidence: every query on them; their pictures lie in the vault."""

from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, RowMapping, func, select, update
from sqlalchemy.dialects import postgresql

from city.identifiers import DistrictCode, FacilityId
from lpr.rules.frames import Corners, Frame, FrameState
from lpr.store.tables import frame


def add_once(connection: Connection, new: Frame) -> bool:
    """Write a frame; False where the same event came before."""
    values = {
        **asdict(new),
        "state": new.state.value,
        "corners": _flat(new.corners),
        "outline": _flat(new.outline),
    }
    added = (
        postgresql.insert(frame)
        .values(values)
        .on_conflict_do_nothing(index_elements=["event_key"])
        .returning(frame.c.id)
    )
    return connection.execute(added).scalar_one_or_none() is not None


def by_event(connection: Connection, event_key: str) -> Frame | None:
    """Give the frame that an event became."""
    row = connection.execute(select(frame).where(frame.c.event_key == event_key))
    found = row.mappings().one_or_none()
    return None if found is None else _frame(found)


def find(connection: Connection, frame_id: UUID, *, held: bool = False) -> Frame | None:
    """Give a frame, locked where asked for."""
    query = select(frame).where(frame.c.id == frame_id)
    row = connection.execute(query.with_for_update() if held else query)
    found = row.mappings().one_or_none()
    return None if found is None else _frame(found)


def by_ids(connection: Connection, frame_ids: list[UUID]) -> dict[UUID, Frame]:
    """Give frames by their ids."""
    query = select(frame).where(frame.c.id.in_(frame_ids))
    return {row["id"]: _frame(row) for row in connection.execute(query).mappings()}


def of_read(connection: Connection, read_id: UUID) -> Frame | None:
    """Give the frame of a read."""
    query = select(frame).where(frame.c.read_id == read_id).order_by(frame.c.id).limit(1)
    found = connection.execute(query).mappings().one_or_none()
    return None if found is None else _frame(found)


def of_reads(connection: Connection, read_ids: list[UUID]) -> dict[UUID, Frame]:
    """Give the frames of reads."""
    query = select(frame).where(frame.c.read_id.in_(read_ids)).order_by(frame.c.id.desc())
    return {row["read_id"]: _frame(row) for row in connection.execute(query).mappings()}


def prepared(connection: Connection, done: Frame) -> None:
    """Write what became of a frame."""
    connection.execute(
        update(frame)
        .where(frame.c.id == done.id)
        .values(
            state=done.state.value,
            picture_id=done.picture_id,
            crop_id=done.crop_id,
            shown_sha256=done.shown_sha256,
            corners=_flat(done.corners),
        )
    )


def keep_longer(connection: Connection, read_id: UUID, until_at: datetime) -> None:
    """Keep a read's frame at least until an instant."""
    connection.execute(
        update(frame)
        .where(frame.c.read_id == read_id)
        .values(kept_until_at=func.greatest(frame.c.kept_until_at, until_at))
    )


def over(connection: Connection, now: datetime, limit: int) -> list[Frame]:
    """Give frames whose time is over, locked."""
    query = (
        select(frame)
        .where(frame.c.kept_until_at < now, frame.c.state != FrameState.GONE.value)
        .order_by(frame.c.kept_until_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [_frame(row) for row in connection.execute(query).mappings()]


def _flat(of: Corners | None) -> list[float] | None:
    return None if of is None else [value for corner in of for value in corner]


def _points(flat: list[float] | None) -> Corners | None:
    if flat is None:
        return None
    return tuple((flat[at], flat[at + 1]) for at in range(0, len(flat), 2))


def _frame(row: RowMapping) -> Frame:
    return Frame(
        id=row["id"],
        event_key=row["event_key"],
        facility_id=FacilityId(row["facility_id"]),
        district=DistrictCode(row["district"]),
        lane_id=row["lane_id"],
        camera=row["camera"],
        read_id=row["read_id"],
        taken_at=row["taken_at"],
        received_at=row["received_at"],
        kept_until_at=row["kept_until_at"],
        state=FrameState(row["state"]),
        sent_sha256=row["sent_sha256"],
        picture_id=row["picture_id"],
        crop_id=row["crop_id"],
        shown_sha256=row["shown_sha256"],
        corners=_points(row["corners"]),
        outline=_points(row["outline"]),
    )
