"""Frames of cameras at the kerb: which read each belongs to, and what it is kept as."""

from typing import Final

from sqlalchemy import Column, Connection, Table, Text, Uuid, func, select
from sqlalchemy.dialects import postgresql

from city.identifiers import ParkingSessionId, VehicleId
from parking.rules.bay_reads import BayFrame, BayMoment
from parking.store.tables import metadata, stay_evidence

MOST_OF_A_STAY: Final = 60
"""Twenty visits' frames: a stay with more is read by a camera gone mad; its latest are shown."""

bay_frame = Table(
    "bay_frame",
    metadata,
    Column("evidence_id", Uuid, primary_key=True),
    Column("moment", Text, primary_key=True),
    Column("frame_id", Uuid, nullable=False),
)


def add_once(connection: Connection, new: BayFrame) -> None:
    """Say what a frame shows; said again, it is the same."""
    values = {
        "evidence_id": new.evidence_id,
        "moment": new.moment.value,
        "frame_id": new.frame_id,
    }
    connection.execute(postgresql.insert(bay_frame).values(values).on_conflict_do_nothing())


def of_stay(
    connection: Connection, session_id: ParkingSessionId, *, of: VehicleId | None = None
) -> list[BayFrame]:
    """Give the frames of reads that speak of a stay, in the order in which they were sent.

    Parameters
    ----------
    connection : Connection
    session_id : ParkingSessionId
    of : VehicleId or None
        Those of reads that name this vehicle alone.
    """
    said = stay_evidence.c
    query = (
        select(bay_frame)
        .join(stay_evidence, said.id == bay_frame.c.evidence_id)
        .where(said.session_id == session_id)
    )
    if of is not None:
        query = query.where(func.coalesce(said.vehicle_id, said.read_as) == of)
    query = query.order_by(bay_frame.c.frame_id.desc()).limit(MOST_OF_A_STAY)
    found = [
        BayFrame(row.evidence_id, BayMoment(row.moment), row.frame_id)
        for row in connection.execute(query)
    ]
    return found[::-1]
