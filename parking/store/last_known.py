"""What PostgreSQL last knew of bays: their histories' ends, and the frames since."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text

from city.identifiers import BayId


class RecordedChange(NamedTuple):
    """A row of a bay's recorded history."""

    bay_id: BayId
    changed_at: datetime
    state: str
    sure: int
    observation_key: str
    device_id: UUID | None


class ArchivedFrame(NamedTuple):
    """A raw frame of a known device, as far as folding needs it."""

    device_id: UUID
    model: str
    port: int
    frame: bytes
    device_at: datetime
    received_at: datetime
    session: str | None
    counter: int | None
    message_id: str | None


_CHANGE = "changed_at, state, sure, observation_key, device_id"
_FRAME = "model, port, frame, device_at, received_at, session, counter, message_id"

LAST_CHANGES = text(
    f"select bay.id as bay_id, last.* from unnest(cast(:bays as uuid[])) as bay (id),"  # noqa: S608 - our own columns
    f" lateral (select {_CHANGE} from parking.bay_change where bay_id = bay.id"
    f" and changed_at < :before order by changed_at desc limit 1) as last"
)

CHANGES_SINCE = text(
    f"select bay_id, {_CHANGE} from parking.bay_change"  # noqa: S608 - columns named above
    f" where bay_id = any(cast(:bays as uuid[])) and changed_at >= :since"
    f" order by bay_id, changed_at"
)

FRAMES_SINCE = text(
    f"select device_id, {_FRAME} from parking.uplink"  # noqa: S608 - columns named above
    f" where device_id = any(cast(:devices as uuid[])) and received_at >= :since"
    f" and verdict = 'ok'"
)

LAST_FRAMES = text(
    f"select device.id as device_id, last.* from unnest(cast(:devices as uuid[])) as device (id),"  # noqa: S608 - our own columns
    f" lateral (select {_FRAME} from parking.uplink where device_id = device.id"
    f" and received_at < :before and verdict = 'ok' order by received_at desc limit :few) as last"
)


def last_changes(
    connection: Connection, bay_ids: Sequence[UUID], *, before_at: datetime
) -> dict[BayId, RecordedChange]:
    """Give each bay's last recorded change before an instant: an index look-up a bay."""
    rows = connection.execute(LAST_CHANGES, {"bays": list(bay_ids), "before": before_at})
    return {BayId(row.bay_id): RecordedChange(*row) for row in rows.all()}


def changes_since(
    connection: Connection, bay_ids: Sequence[UUID], *, since_at: datetime
) -> dict[BayId, list[RecordedChange]]:
    """Give bays' recorded changes from an instant on, each bay's oldest first."""
    found: dict[BayId, list[RecordedChange]] = {}
    # All at once: row by row the driver costs more than the query.
    values = {"bays": list(bay_ids), "since": since_at}
    for row in connection.execute(CHANGES_SINCE, values).all():
        found.setdefault(BayId(row.bay_id), []).append(RecordedChange(*row))
    return found


def frames_since(
    connection: Connection, device_ids: Sequence[UUID], *, since_at: datetime
) -> list[ArchivedFrame]:
    """Give devices' readable frames received from an instant on."""
    rows = connection.execute(FRAMES_SINCE, {"devices": list(device_ids), "since": since_at})
    return [ArchivedFrame(*row) for row in rows.all()]


def last_frames(
    connection: Connection, device_ids: Sequence[UUID], *, before_at: datetime, few: int
) -> list[ArchivedFrame]:
    """Give each device's last few readable frames received before an instant."""
    rows = connection.execute(
        LAST_FRAMES, {"devices": list(device_ids), "before": before_at, "few": few}
    )
    return [ArchivedFrame(*row) for row in rows.all()]
