"""Readers and the bays that they see."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Select, func, insert, select, update

from city.identifiers import BayId, DistrictCode, FacilityId
from parking.rules.readers import Reader, ReaderKind
from parking.store.pages import DEFAULT_PAGE, Page, checked_limit, paged
from parking.store.tables import reader, reader_bay


def add(connection: Connection, new: Reader, *, by: str) -> None:
    """Write a reader with its bays; a constraint refuses a subject that is taken."""
    connection.execute(
        insert(reader).values(
            id=new.id,
            subject=new.subject,
            kind=new.kind.value,
            facility_id=new.facility_id,
            district=new.district,
            gate=new.gate,
            registered_at=new.registered_at,
            registered_by=by,
        )
    )
    if new.bay_ids:
        rows = [{"reader_id": new.id, "bay_id": bay_id} for bay_id in sorted(new.bay_ids)]
        connection.execute(insert(reader_bay), rows)


def by_subject(connection: Connection, subject: str) -> Reader | None:
    """Give the reader in service that speaks under a subject."""
    query = _readers().where(reader.c.subject == subject, reader.c.retired_at.is_(None))
    row = connection.execute(query).one_or_none()
    return None if row is None else _reader(row)


def find(connection: Connection, reader_id: UUID) -> Reader | None:
    """Give a reader."""
    row = connection.execute(_readers().where(reader.c.id == reader_id)).one_or_none()
    return None if row is None else _reader(row)


def retire(connection: Connection, reader_id: UUID, at: datetime, by: str) -> bool:
    """Take a reader out of service; False where it is already."""
    done = connection.execute(
        update(reader)
        .where(reader.c.id == reader_id, reader.c.retired_at.is_(None))
        .values(retired_at=at, retired_by=by)
        .returning(reader.c.id)
    )
    return done.scalar_one_or_none() is not None


def page(
    connection: Connection,
    *,
    facility_id: FacilityId | None = None,
    districts: frozenset[str] | None = None,
    after: UUID | None = None,
    limit: int = DEFAULT_PAGE,
) -> Page[Reader]:
    """Give readers, the newest first, also those out of service."""
    query = _readers().order_by(reader.c.id.desc()).limit(checked_limit(limit) + 1)
    if facility_id is not None:
        query = query.where(reader.c.facility_id == facility_id)
    if districts is not None:
        query = query.where(reader.c.district.in_(sorted(districts)))
    if after is not None:
        query = query.where(reader.c.id < after)
    found = [_reader(row) for row in connection.execute(query)]
    return paged(found, [each.id for each in found], limit)


def _readers() -> Select[Any]:
    bays = (
        select(func.array_agg(reader_bay.c.bay_id))
        .where(reader_bay.c.reader_id == reader.c.id)
        .scalar_subquery()
    )
    return select(reader, bays.label("bays"))


def _reader(row: Row[Any]) -> Reader:
    return Reader(
        id=row.id,
        subject=row.subject,
        kind=ReaderKind(row.kind),
        facility_id=FacilityId(row.facility_id),
        district=DistrictCode(row.district),
        registered_at=row.registered_at,
        gate=row.gate,
        bay_ids=frozenset(BayId(each) for each in row.bays or ()),
        retired_at=row.retired_at,
    )
