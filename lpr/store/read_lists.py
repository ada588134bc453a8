"""Lists of reads: the latest, those that wait for a person, one window, and cameras by hour."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, func, select, text, tuple_, update

from city.identifiers import FacilityId, VehicleId
from lpr.rules.kept_reads import KeptRead
from lpr.rules.reads import Band
from lpr.rules.reviews import Review, ReviewAnswer
from lpr.store.reads import read_of
from lpr.store.tables import plate_read

WAITING = (Review.DUE.value, Review.SAMPLED.value)


@dataclass(frozen=True, slots=True)
class CameraHour:
    """What one camera sent in one hour, and what people made of it."""

    camera: str
    hour_at: datetime
    band: Band
    reads: int
    reviewed: int
    right: int
    last_at: datetime
    certainty: float
    """Mean, per mille."""


HOURS = text(
    "select camera, date_trunc('hour', at) as hour_at, band, count(*) as reads,"
    " count(*) filter (where answer in ('right', 'wrong', 'no-plate')) as reviewed,"
    " count(*) filter (where answer = 'right') as right,"
    " max(at) as last_at, avg(certainty) as certainty"
    " from lpr.plate_read where facility_id = :facility and at >= :from_at and at < :to_at"
    " group by 1, 2, 3 order by 1, 2, 3 limit :most"
)


def latest(
    connection: Connection,
    facility_id: FacilityId,
    *,
    after: UUID | None = None,
    limit: int,
) -> list[KeptRead]:
    """Give a facility's reads, the latest first, one more than asked for."""
    query = select(plate_read).where(plate_read.c.facility_id == facility_id)
    if after is not None:
        last = select(plate_read.c.at, plate_read.c.id).where(plate_read.c.id == after)
        at = connection.execute(last).one_or_none()
        if at is None:
            return []
        query = query.where(tuple_(plate_read.c.at, plate_read.c.id) < (at.at, at.id))
    query = query.order_by(plate_read.c.at.desc(), plate_read.c.id.desc()).limit(limit + 1)
    return [read_of(row) for row in connection.execute(query).mappings()]


def waiting(
    connection: Connection, facility_id: FacilityId, *, after: UUID | None = None, limit: int
) -> list[KeptRead]:
    """Give a facility's reads that wait for a person, the oldest first, one more than asked for."""
    query = select(plate_read).where(
        plate_read.c.facility_id == facility_id, plate_read.c.review.in_(WAITING)
    )
    if after is not None:
        query = query.where(plate_read.c.id > after)
    query = query.order_by(plate_read.c.id).limit(limit + 1)
    return [read_of(row) for row in connection.execute(query).mappings()]


def window(
    connection: Connection,
    facility_id: FacilityId,
    from_at: datetime,
    to_at: datetime,
    limit: int,
) -> list[KeptRead]:
    """Give what was read at a facility in a window, the latest first."""
    query = (
        select(plate_read)
        .where(
            plate_read.c.facility_id == facility_id,
            plate_read.c.at >= from_at,
            plate_read.c.at < to_at,
            plate_read.c.vehicle_id.is_not(None),
        )
        .order_by(plate_read.c.at.desc(), plate_read.c.id.desc())
        .limit(limit)
    )
    return [read_of(row) for row in connection.execute(query).mappings()]


def count_waiting(connection: Connection, facility_id: FacilityId) -> int:
    """Say how many of a facility's reads wait for a person."""
    query = select(func.count()).where(
        plate_read.c.facility_id == facility_id, plate_read.c.review.in_(WAITING)
    )
    return connection.execute(query).scalar_one()


def answer(
    connection: Connection,
    read_id: UUID,
    said: ReviewAnswer,
    *,
    stated_as: VehicleId | None,
    at: datetime,
    by: str,
) -> None:
    """Write what a person saw."""
    connection.execute(
        update(plate_read)
        .where(plate_read.c.id == read_id)
        .values(
            review=Review.DONE.value,
            answer=said.value,
            stated_as=stated_as,
            reviewed_at=at,
            reviewed_by=by,
        )
    )


def hours(
    connection: Connection,
    facility_id: FacilityId,
    from_at: datetime,
    to_at: datetime,
    most: int,
) -> Sequence[CameraHour]:
    """Give a facility's cameras by hour and band."""
    found = connection.execute(
        HOURS, {"facility": facility_id, "from_at": from_at, "to_at": to_at, "most": most}
    )
    return [
        CameraHour(
            row["camera"],
            row["hour_at"],
            Band(row["band"]),
            row["reads"],
            row["reviewed"],
            row["right"],
            row["last_at"],
            float(row["certainty"]),
        )
        for row in found.mappings()
    ]
