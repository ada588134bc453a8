"""Reads that cameras sent."""

from dataclasses import asdict
from uuid import UUID

from sqlalchemy import Connection, RowMapping, select, update
from sqlalchemy.dialects import postgresql

from city.identifiers import DistrictCode, FacilityId, VehicleId
from city.vehicles import PlateKind
from lpr.rules.kept_reads import KeptRead
from lpr.rules.reads import Band
from lpr.rules.reviews import Review, ReviewAnswer
from lpr.store.tables import plate_read


def add_once(connection: Connection, read: KeptRead) -> bool:
    """Write a read; False where the same event came before."""
    values = {
        **asdict(read),
        "kind": read.kind.value,
        "band": read.band.value,
        "confidences": list(read.confidences),
        "review": read.review.value,
        "answer": None if read.answer is None else read.answer.value,
    }
    added = (
        postgresql.insert(plate_read)
        .values(values)
        .on_conflict_do_nothing(index_elements=["event_key"])
        .returning(plate_read.c.id)
    )
    return connection.execute(added).scalar_one_or_none() is not None


def by_event(connection: Connection, event_key: str) -> KeptRead | None:
    """Give the read that an event became."""
    query = select(plate_read).where(plate_read.c.event_key == event_key)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else read_of(row)


def find(connection: Connection, read_id: UUID) -> KeptRead | None:
    """Give a read."""
    query = select(plate_read).where(plate_read.c.id == read_id)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else read_of(row)


def ask_review(connection: Connection, read_id: UUID) -> None:
    """Put a read before a person, unless one looked at it."""
    connection.execute(
        update(plate_read)
        .where(plate_read.c.id == read_id, plate_read.c.review != Review.DONE.value)
        .values(review=Review.DUE.value)
    )


def read_of(row: RowMapping) -> KeptRead:
    """Give a row as what it is."""
    return KeptRead(
        row["id"],
        row["event_key"],
        FacilityId(row["facility_id"]),
        DistrictCode(row["district"]),
        row["lane_id"],
        row["camera"],
        row["at"],
        row["received_at"],
        None if row["vehicle_id"] is None else VehicleId(row["vehicle_id"]),
        PlateKind(row["kind"]),
        tuple(row["confidences"]),
        row["certainty"],
        Band(row["band"]),
        row["model"],
        Review(row["review"]),
        None if row["answer"] is None else ReviewAnswer(row["answer"]),
        row["reviewed_at"],
        row["reviewed_by"],
        None if row["stated_as"] is None else VehicleId(row["stated_as"]),
    )
