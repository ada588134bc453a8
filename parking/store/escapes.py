"""Stays of which somebody said that their vehicle drove off unpaid: lists for supervisors."""

from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text

from city.identifiers import ParkingSessionId, VehicleId

# By an index on escapes alone, from the newest on.
_SINCE: Final = text(
    "select e.session_id, e.at, e.written_by, coalesce(e.detail ->> 'reason', '') as words,"
    " e.detail ? 'photo_id' as photo, e.vehicle_id, coalesce(b.label, '') as bay_label,"
    " f.name_zh, f.name_en, w.recorded_at as withdrawn_at, w.written_by as withdrawn_by,"
    " coalesce(w.detail ->> 'reason', '') as because"
    " from parking.stay_evidence e join parking.facility f on f.id = e.facility_id"
    " left join parking.bay b on b.id = e.bay_id"
    " left join parking.stay_evidence w on w.session_id = e.session_id"
    "  and w.kind = 'escape-withdrawn'"
    " where e.kind = 'escaped' and e.recorded_at >= :since_at"
    " and (cast(:districts as text[]) is null or e.district = any(cast(:districts as text[])))"
    " order by e.recorded_at desc limit :most"
)


class EscapeAt(NamedTuple):
    """One that drove off, by whom it was seen, and who took it back where somebody did."""

    session_id: ParkingSessionId
    at: datetime
    by: str
    words: str
    photo: bool
    vehicle_id: VehicleId | None
    bay_label: str
    facility_zh: str
    facility_en: str
    withdrawn_at: datetime | None
    withdrawn_by: str | None
    because: str


def since(
    connection: Connection, since_at: datetime, districts: frozenset[str] | None, most: int
) -> list[EscapeAt]:
    """Give those that were told since an instant, the newest first."""
    values = {
        "since_at": since_at,
        "districts": None if districts is None else sorted(districts),
        "most": most,
    }
    return [
        EscapeAt(ParkingSessionId(UUID(str(row[0]))), *row[1:])
        for row in connection.execute(_SINCE, values)
    ]
