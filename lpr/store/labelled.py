"""Reviewed reads whose frames are still kept: what the labelled set is made of."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Connection, select

from lpr.rules.frames import Frame, FrameState
from lpr.rules.kept_reads import KeptRead
from lpr.rules.labelled import LABELLED
from lpr.rules.reviews import Review
from lpr.store import frames
from lpr.store.reads import read_of
from lpr.store.tables import frame, plate_read


def page(
    connection: Connection,
    districts: Collection[str] | None,
    *,
    after: UUID | None,
    limit: int,
) -> list[tuple[KeptRead, Frame]]:
    """Give labelled reads with the frame that may be shown, by id; of all districts for None."""
    kept = frame.c.state == FrameState.HIDDEN.value, frame.c.picture_id.is_not(None)
    query = (
        select(plate_read)
        .where(
            plate_read.c.review == Review.DONE.value,
            plate_read.c.answer.in_([each.value for each in LABELLED]),
            select(frame.c.id).where(frame.c.read_id == plate_read.c.id, *kept).exists(),
        )
        .order_by(plate_read.c.id)
        .limit(limit)
    )
    if districts is not None:
        query = query.where(plate_read.c.district.in_(list(districts)))
    if after is not None:
        query = query.where(plate_read.c.id > after)
    reads = [read_of(row) for row in connection.execute(query).mappings()]
    shown = frames.of_reads(connection, [read.id for read in reads])
    return [(read, shown[read.id]) for read in reads]
