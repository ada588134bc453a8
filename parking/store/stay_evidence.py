"""Evidence of stays: every query on `parking.stay_evidence`, which is only ever added to."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, RowMapping, func, insert, select, text
from sqlalchemy.dialects import postgresql

from city.identifiers import BayId, DistrictCode, FacilityId, ParkingSessionId, VehicleId
from city.time import Interval
from parking.rules.evidence import Evidence, EvidenceKind, EvidenceSource
from parking.store.pages import DEFAULT_PAGE, Page, checked_limit, paged
from parking.store.tables import parking_session, stay_evidence

MOST_OF_A_STAY: Final = 1_000
"""A stay with more is a device gone mad; its latest are shown."""

# Evidence of what is decided for good belongs there and joins to nothing else.
OF_VEHICLE = text(
    "select e.* from parking.stay_evidence e"
    " left join parking.parking_session s on s.id = e.session_id"
    " where e.facility_id = :facility and e.vehicle_id = :vehicle and e.bay_id is null"
    " and s.announced_at is null and s.set_aside is null"
    " and (s.state = 'open' or coalesce(s.closed_at, e.at) > :since_at)"
    " order by e.at desc limit :most"
)

ASSIGN = text(
    "update parking.stay_evidence e set session_id = n.session_id"
    " from unnest(cast(:ids as uuid[]), cast(:sessions as uuid[])) as n (id, session_id)"
    " where e.id = n.id and e.session_id is distinct from n.session_id"
)

# A read that came before its sensor's word, and the stay in whose time it lies by now: that which
# had begun, or else the one that began a little after, as a sensor notices later than a camera.
WAITING = text(
    "select e.*, s.id as there from parking.stay_evidence e"
    " join lateral (select n.id from parking.parking_session n where n.bay_id = e.bay_id"
    "  and n.opened_at <= e.at + :early and (n.closed_at is null or n.closed_at >= e.at)"
    "  order by n.opened_at limit 1) s on true"
    " where e.session_id is null and e.kind = 'camera-read' and e.bay_id is not null"
    " and e.recorded_at > :since_at order by e.id limit :most for update of e skip locked"
)

TURN = text("select pg_advisory_xact_lock(hashtextextended(:name, 0))")


def take_turn(connection: Connection, facility_id: FacilityId) -> None:
    """Let one transaction at a time join evidence at a facility: a gate passes one car a second.

    So two reads of one passage see each other, whichever gate's camera sends first.
    """
    connection.execute(TURN, {"name": f"visits/{facility_id}"})


def add(connection: Connection, evidence: Iterable[Evidence]) -> None:
    """Write evidence: one statement."""
    rows = [_row(each) for each in evidence]
    if rows:
        connection.execute(insert(stay_evidence), rows)


def add_once(connection: Connection, evidence: Evidence) -> bool:
    """Write evidence; False where the same event came before."""
    added = (
        postgresql.insert(stay_evidence)
        .values(_row(evidence))
        .on_conflict_do_nothing(index_elements=["event_key"])
        .returning(stay_evidence.c.id)
    )
    return connection.execute(added).scalar_one_or_none() is not None


def by_event(connection: Connection, event_key: str) -> Evidence | None:
    """Give the evidence that an event became."""
    query = select(stay_evidence).where(stay_evidence.c.event_key == event_key)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _evidence(row)


def find(connection: Connection, evidence_id: UUID) -> Evidence | None:
    """Give one piece of evidence."""
    query = select(stay_evidence).where(stay_evidence.c.id == evidence_id)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _evidence(row)


def of_sessions(
    connection: Connection, session_ids: Collection[ParkingSessionId]
) -> list[Evidence]:
    """Give what was said of some stays, in the order of its time; the latest where it is much."""
    columns = stay_evidence.c
    query = (
        select(stay_evidence)
        .where(columns.session_id.in_(list(session_ids)))
        .order_by(columns.at.desc(), columns.id.desc())
        .limit(MOST_OF_A_STAY)
    )
    return [_evidence(row) for row in connection.execute(query).mappings()][::-1]


def is_said(connection: Connection, session_id: ParkingSessionId, kind: EvidenceKind) -> bool:
    """Tell whether something of a kind was said of a stay."""
    columns = stay_evidence.c
    query = select(columns.id).where(columns.session_id == session_id, columns.kind == kind.value)
    return connection.execute(query.limit(1)).first() is not None


def last_words(
    connection: Connection, session_ids: Collection[ParkingSessionId]
) -> dict[ParkingSessionId, datetime]:
    """Give when anything was last said of some stays: one statement."""
    columns = stay_evidence.c
    query = (
        select(columns.session_id, func.max(columns.at))
        .where(columns.session_id.in_(list(session_ids)))
        .group_by(columns.session_id)
    )
    return {ParkingSessionId(row[0]): row[1] for row in connection.execute(query)}


def of_vehicle(
    connection: Connection, facility_id: FacilityId, vehicle_id: VehicleId, since_at: datetime
) -> list[Evidence]:
    """Give what was said of a vehicle at a facility, without what is decided for good.

    Nor what belongs to stays that ended before `since_at`.
    """
    values = {
        "facility": facility_id,
        "vehicle": vehicle_id,
        "since_at": since_at,
        "most": MOST_OF_A_STAY,
    }
    return [_evidence(row) for row in connection.execute(OF_VEHICLE, values).mappings()]


def read_near(
    connection: Connection, facility_id: FacilityId, read_as: VehicleId, between: Interval
) -> VehicleId | None:
    """Give the identity under which the same read was joined at nearly the same time."""
    columns = stay_evidence.c
    found = connection.scalar(
        select(columns.vehicle_id)
        .where(
            columns.facility_id == facility_id,
            columns.read_as == read_as,
            columns.at >= between.start_at,
            columns.at <= between.end_at,
            columns.vehicle_id.is_not(None),
        )
        .order_by(columns.at.desc())
        .limit(1)
    )
    return None if found is None else VehicleId(found)


def entries(
    connection: Connection, facility_id: FacilityId, gate: str, between: Interval
) -> list[Evidence]:
    """Give the entries by one gate in a short time."""
    columns = stay_evidence.c
    query = (
        select(stay_evidence)
        .where(
            columns.facility_id == facility_id,
            columns.kind == EvidenceKind.GATE_ENTRY.value,
            columns.at >= between.start_at,
            columns.at <= between.end_at,
            columns.detail["gate"].astext == gate,
        )
        .order_by(columns.at.desc())
        .limit(MOST_OF_A_STAY)
    )
    return [_evidence(row) for row in connection.execute(query).mappings()]


def assign(connection: Connection, to: Mapping[UUID, ParkingSessionId]) -> None:
    """Say of which stay evidence speaks: one statement."""
    if to:
        connection.execute(ASSIGN, {"ids": list(to), "sessions": list(to.values())})


def unmatched(
    connection: Connection,
    *,
    facility_id: FacilityId | None = None,
    districts: frozenset[str] | None = None,
    after: UUID | None = None,
    limit: int = DEFAULT_PAGE,
) -> Page[Evidence]:
    """Give passages through gates that belong to no stay, the latest first."""
    columns = stay_evidence.c
    query = (
        select(stay_evidence)
        .where(
            columns.session_id.is_(None),
            columns.kind.in_([EvidenceKind.GATE_ENTRY.value, EvidenceKind.GATE_EXIT.value]),
        )
        .order_by(columns.id.desc())
        .limit(checked_limit(limit) + 1)
    )
    if facility_id is not None:
        query = query.where(columns.facility_id == facility_id)
    if districts is not None:
        query = query.where(columns.district.in_(sorted(districts)))
    if after is not None:
        query = query.where(columns.id < after)
    found = [_evidence(row) for row in connection.execute(query).mappings()]
    return paged(found, [each.id for each in found], limit)


def waiting(
    connection: Connection, since_at: datetime, *, early: timedelta, limit: int
) -> list[tuple[Evidence, ParkingSessionId]]:
    """Give reads of bays that had no stay when they came, and have one now, locked; the oldest."""
    values = {"since_at": since_at, "early": early, "most": limit}
    rows = connection.execute(WAITING, values).mappings()
    return [(_evidence(row), ParkingSessionId(row["there"])) for row in rows]


def inside(
    connection: Connection, facility_id: FacilityId, *, after: UUID | None, limit: int
) -> Sequence[tuple[ParkingSessionId, VehicleId, VehicleId | None]]:
    """Give open stays of a facility with gates: id, admitted as, vehicle; in the order of ids."""
    columns = parking_session.c
    query = (
        select(columns.id, columns.admitted_as, columns.vehicle_id)
        .where(
            columns.facility_id == facility_id,
            columns.state == "open",
            columns.admitted_as.is_not(None),
        )
        .order_by(columns.id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(columns.id > after)
    return [
        (ParkingSessionId(row.id), VehicleId(row.admitted_as), row.vehicle_id)
        for row in connection.execute(query)
    ]


def _row(each: Evidence) -> dict[str, object]:
    return {
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


def _evidence(row: RowMapping) -> Evidence:
    session_id, bay_id = row["session_id"], row["bay_id"]
    vehicle_id, read_as = row["vehicle_id"], row["read_as"]
    return Evidence(
        kind=EvidenceKind(row["kind"]),
        at=row["at"],
        recorded_at=row["recorded_at"],
        source=EvidenceSource(row["source"]),
        certainty=row["certainty"],
        by=row["written_by"],
        facility_id=FacilityId(row["facility_id"]),
        district=DistrictCode(row["district"]),
        session_id=None if session_id is None else ParkingSessionId(session_id),
        bay_id=None if bay_id is None else BayId(bay_id),
        vehicle_id=None if vehicle_id is None else VehicleId(vehicle_id),
        read_as=None if read_as is None else VehicleId(read_as),
        event_key=row["event_key"],
        detail=row["detail"],
        id=row["id"],
    )
