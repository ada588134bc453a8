"""What a round of many words touches, read at once, and what became of it, written at once."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, text

from city.identifiers import (
    BayId,
    DistrictCode,
    FacilityId,
    TariffVersionId,
    VehicleId,
)
from city.places import Position
from city.works.rows import as_rows
from parking.rules.evidence import Evidence
from parking.rules.stays import ParkingSession
from parking.store.stays import session_of

_INSTANT_AFTER: Final = timedelta(microseconds=1)

_PLACES: Final = text(
    "select b.id, b.facility_id, b.district, b.label, b.longitude, b.latitude, f.kind"
    " from parking.bay b join parking.facility f on f.id = b.facility_id"
    " where b.id = any(cast(:ids as uuid[]))"
)

# As `parking.store.stays.LOAD`: of each bay the stay that had begun by an instant, and all later
# ones; locked bay by bay in one order, whoever asks.
_STAYS: Final = text(
    "select s.*, b.label from unnest(cast(:bays as uuid[]), cast(:from_ats as timestamptz[]))"
    " as said (bay_id, from_at)"
    " join parking.parking_session s on s.bay_id = said.bay_id and s.opened_at >= coalesce("
    "  (select max(p.opened_at) from parking.parking_session p"
    "   where p.bay_id = said.bay_id and p.opened_at < said.from_at), said.from_at)"
    " join parking.bay b on b.id = s.bay_id"
    " order by s.bay_id, s.opened_at for update of s"
)

_OF_VEHICLES: Final = text(
    "select s.*, b.label from parking.parking_session s"
    " left join parking.bay b on b.id = s.bay_id"
    " where s.state = 'open' and s.facility_id = any(cast(:facilities as uuid[]))"
    " and (s.vehicle_id = any(cast(:vehicles as uuid[]))"
    "  or s.admitted_as = any(cast(:vehicles as uuid[])))"
)

_VERSIONS: Final = text(
    "select f.id as facility_id, v.id, v.valid_from from parking.facility f"
    " join parking.tariff_version v on v.tariff_id = f.tariff_id and v.status = 'published'"
    " where f.id = any(cast(:facilities as uuid[])) and v.valid_from <= :until_at"
    " and v.valid_from >= coalesce((select max(p.valid_from) from parking.tariff_version p"
    "  where p.tariff_id = f.tariff_id and p.status = 'published'"
    "  and p.valid_from <= :from_at), '-infinity')"
    " order by v.valid_from"
)

_ADD: Final = text(
    "insert into parking.parking_session (id, bay_id, bay_number, facility_id, district,"
    " opened_at, closed_at, state, tariff_version_id, opened_evidence, closing_reason, vehicle_id,"
    " attached_at, attached_by, set_aside, ended_at)"
    " select r.id, b.id, b.number, b.facility_id, b.district, r.opened_at, r.closed_at, r.state,"
    " r.tariff_version_id, r.opened_evidence, r.closing_reason, r.vehicle_id, r.attached_at,"
    " r.attached_by, r.set_aside, r.ended_at"
    " from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, bay_id uuid,"
    " opened_at timestamptz, closed_at timestamptz, state text, tariff_version_id uuid,"
    " opened_evidence text, closing_reason text, vehicle_id uuid, attached_at timestamptz,"
    " attached_by text, set_aside text, ended_at timestamptz)"
    " join parking.bay b on b.id = r.bay_id"
)

# A person's word makes no stay longer and opens none again, so that no order is needed.
_CHANGE: Final = text(
    "update parking.parking_session s set closed_at = r.closed_at, state = r.state,"
    " closing_reason = r.closing_reason, vehicle_id = r.vehicle_id, attached_at = r.attached_at,"
    " attached_by = r.attached_by, hold = r.hold, set_aside = r.set_aside, ended_at = r.ended_at"
    " from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, closed_at timestamptz,"
    " state text, closing_reason text, vehicle_id uuid, attached_at timestamptz,"
    " attached_by text, hold text, set_aside text, ended_at timestamptz)"
    " where s.id = r.id"
)

_EVIDENCE: Final = text(
    "insert into parking.stay_evidence (id, session_id, facility_id, bay_id, district, kind, at,"
    " recorded_at, source, certainty, written_by, vehicle_id, read_as, event_key, detail)"
    " select id, session_id, facility_id, bay_id, district, kind, at, recorded_at, source,"
    " certainty, written_by, vehicle_id, read_as, event_key, detail"
    " from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, session_id uuid,"
    " facility_id uuid, bay_id uuid, district text, kind text, at timestamptz,"
    " recorded_at timestamptz, source text, certainty smallint, written_by text,"
    " vehicle_id uuid, read_as uuid, event_key text, detail jsonb)"
)


@dataclass(frozen=True, slots=True)
class BayPlace:
    """A bay, as far as words about it need it."""

    id: BayId
    facility_id: FacilityId
    district: DistrictCode
    label: str
    position: Position
    facility_kind: str


@dataclass(frozen=True, slots=True)
class Taking:
    """A published tariff version, and from when it takes effect at a facility."""

    facility_id: FacilityId
    version_id: TariffVersionId
    valid_from: datetime


def places(connection: Connection, bay_ids: Collection[BayId]) -> dict[BayId, BayPlace]:
    """Give those of some bays that there are: one statement."""
    return {
        BayId(row.id): BayPlace(
            BayId(row.id),
            FacilityId(row.facility_id),
            DistrictCode(row.district),
            row.label,
            Position(row.longitude, row.latitude),
            row.kind,
        )
        for row in connection.execute(_PLACES, {"ids": list(bay_ids)})
    }


def stays_from(connection: Connection, from_at: Mapping[BayId, datetime]) -> list[ParkingSession]:
    """Give each bay's last stay that had begun by an instant, and all later ones, locked.

    Oldest first in each bay; one statement, however long the bays' pasts are.
    """
    values = {
        "bays": list(from_at),
        "from_ats": [at + _INSTANT_AFTER for at in from_at.values()],
    }
    return [session_of(row) for row in connection.execute(_STAYS, values).mappings()]


def open_of_vehicles(
    connection: Connection, facility_ids: Collection[FacilityId], vehicle_ids: Collection[VehicleId]
) -> list[ParkingSession]:
    """Give some vehicles' open stays at some facilities, not locked: one statement."""
    values = {"facilities": list(facility_ids), "vehicles": list(vehicle_ids)}
    return [session_of(row) for row in connection.execute(_OF_VEHICLES, values).mappings()]


def versions_between(
    connection: Connection,
    facility_ids: Collection[FacilityId],
    from_at: datetime,
    until_at: datetime,
) -> list[Taking]:
    """Give the tariff versions in force at some facilities at any time between two instants.

    Those that take effect first before the others: one statement.
    """
    values = {"facilities": list(facility_ids), "from_at": from_at, "until_at": until_at}
    return [
        Taking(FacilityId(row.facility_id), TariffVersionId(row.id), row.valid_from)
        for row in connection.execute(_VERSIONS, values)
    ]


def add(connection: Connection, begun: Sequence[ParkingSession]) -> None:
    """Write stays that a person's word began, as they stand at the end of it: one statement."""
    if begun:
        rows = [
            _row(each)
            | {
                "bay_id": each.bay_id,
                "opened_at": each.stay.opened_at,
                "opened_evidence": each.stay.opened_evidence,
                "tariff_version_id": each.stay.tariff_version_id,
            }
            for each in begun
        ]
        connection.execute(_ADD, {"rows": as_rows(rows)})


def change(connection: Connection, changed: Sequence[ParkingSession]) -> None:
    """Write what people's words changed of stays: one statement."""
    if changed:
        connection.execute(_CHANGE, {"rows": as_rows([_row(each) for each in changed])})


def add_evidence(connection: Connection, evidence: Iterable[Evidence]) -> None:
    """Write evidence, as `parking.store.stay_evidence.add`: one statement, one parameter."""
    rows = [
        {
            "id": each.id,
            "session_id": each.session_id,
            "facility_id": each.facility_id,
            "bay_id": each.bay_id,
            "district": each.district,
            "kind": each.kind.value,
            "at": each.at,
            "recorded_at": each.recorded_at,
            "source": each.source.value,
            "certainty": each.certainty,
            "written_by": each.by,
            "vehicle_id": each.vehicle_id,
            "read_as": each.read_as,
            "event_key": each.event_key,
            "detail": dict(each.detail),
        }
        for each in evidence
    ]
    if rows:
        connection.execute(_EVIDENCE, {"rows": as_rows(rows)})


def _row(session: ParkingSession) -> dict[str, object]:
    stay = session.stay
    return {
        "id": session.id,
        "closed_at": stay.closed_at,
        "state": stay.state.value,
        "closing_reason": stay.closing_reason,
        "vehicle_id": stay.vehicle_id,
        "attached_at": stay.attached_at,
        "attached_by": session.attached_by,
        "hold": stay.hold,
        "set_aside": stay.set_aside,
        "ended_at": stay.ended_at,
    }
