"""Stays: every query on `parking.parking_session`; writes are set-wise."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, Select, func, select, text

from city.identifiers import (
    BayId,
    BillId,
    DistrictCode,
    FacilityId,
    ParkingSessionId,
    VehicleId,
    uuid7,
)
from parking.rules.stays import BayStay, ClosingReason, ParkingSession, StayState
from parking.store.pages import DEFAULT_PAGE, Page, checked_limit, paged
from parking.store.tables import bay, parking_session, tariff_version

Stays = Mapping[BayId, Sequence[BayStay]]

# The newest stay of a bay that began before an edit, and all that began with it or later: an index
# range of `parking_session_bay` a bay, however long its past is.
LOAD = text(
    "select s.* from unnest(cast(:bays as uuid[]), cast(:from_ats as timestamptz[]))"
    " as edit (bay_id, from_at)"
    " join parking.parking_session s on s.bay_id = edit.bay_id and s.opened_at >= coalesce("
    "  (select max(p.opened_at) from parking.parking_session p"
    "   where p.bay_id = edit.bay_id and p.opened_at < edit.from_at), edit.from_at)"
    " order by s.bay_id, s.opened_at for update of s"
)

REMOVE = text("delete from parking.parking_session where id = any(cast(:ids as uuid[]))")

# A stay that ends makes room for one that opens: so endings come first, then the rest.
ALTER = text(
    "update parking.parking_session s set opened_at = n.opened_at, closed_at = n.closed_at,"
    " state = n.state, opened_evidence = n.opened_evidence, closed_evidence = n.closed_evidence,"
    " closing_reason = n.closing_reason, uncertain_from_at = n.uncertain_from_at,"
    " certain_until_at = n.certain_until_at"
    " from unnest(cast(:ids as uuid[]), cast(:opened_ats as timestamptz[]),"
    " cast(:closed_ats as timestamptz[]), cast(:states as text[]),"
    " cast(:opened_evidences as text[]), cast(:closed_evidences as text[]),"
    " cast(:closing_reasons as text[]), cast(:uncertain_from_ats as timestamptz[]),"
    " cast(:certain_until_ats as timestamptz[])) as n (id, opened_at, closed_at, state,"
    " opened_evidence, closed_evidence, closing_reason, uncertain_from_at, certain_until_at)"
    " where s.id = n.id"
)

# The version pinned is the one in force at the arrival, read in the same statement.
INSERT = text(
    "insert into parking.parking_session (id, bay_id, bay_number, facility_id, district,"
    " opened_at, closed_at, state, tariff_version_id, opened_evidence, closed_evidence,"
    " closing_reason, uncertain_from_at, certain_until_at)"
    " select n.id, b.id, b.number, b.facility_id, b.district, n.opened_at, n.closed_at, n.state,"
    " v.id, n.opened_evidence, n.closed_evidence, n.closing_reason, n.uncertain_from_at,"
    " n.certain_until_at"
    " from unnest(cast(:ids as uuid[]), cast(:bays as uuid[]), cast(:opened_ats as timestamptz[]),"
    " cast(:closed_ats as timestamptz[]), cast(:states as text[]),"
    " cast(:opened_evidences as text[]), cast(:closed_evidences as text[]),"
    " cast(:closing_reasons as text[]), cast(:uncertain_from_ats as timestamptz[]),"
    " cast(:certain_until_ats as timestamptz[])) as n (id, bay_id, opened_at, closed_at, state,"
    " opened_evidence, closed_evidence, closing_reason, uncertain_from_at, certain_until_at)"
    " join parking.bay b on b.id = n.bay_id join parking.facility f on f.id = b.facility_id"
    " left join lateral (select t.id from parking.tariff_version t"
    "  where t.tariff_id = f.tariff_id and t.status = 'published' and t.valid_from <= n.opened_at"
    "  order by t.valid_from desc limit 1) v on true"
)

ANNOUNCE = text(
    "update parking.parking_session s set announced_at = :at"
    " from unnest(cast(:bays as uuid[]), cast(:until_ats as timestamptz[]))"
    " as c (bay_id, until_at)"
    " where s.bay_id = c.bay_id and s.state = 'closed' and s.announced_at is null"
    " and s.closed_at < coalesce(c.until_at, 'infinity')"
    " returning s.*"
)

ANNOUNCE_BEFORE = text(
    "update parking.parking_session s set announced_at = :at"
    " where s.state = 'closed' and s.announced_at is null and s.closed_at < :before_at"
    " returning s.*"
)

DEFER_OVERLAP = text("set constraints parking.parking_session_no_overlap deferred")


@dataclass(frozen=True, slots=True)
class ClosedStay:
    """A stay that is over for good, with its place."""

    id: ParkingSessionId
    bay_id: BayId
    facility_id: FacilityId
    district: DistrictCode
    stay: BayStay


def load(connection: Connection, from_at: Mapping[BayId, datetime]) -> dict[BayId, list[BayStay]]:
    """Give each bay's stays that an edit from an instant on can touch, locked: one statement."""
    stays: dict[BayId, list[BayStay]] = {bay_id: [] for bay_id in from_at}
    values = {"bays": list(from_at), "from_ats": list(from_at.values())}
    for row in connection.execute(LOAD, values).mappings():
        stays[BayId(row["bay_id"])].append(_stay(row))
    return stays


def remove(connection: Connection, ids: Sequence[ParkingSessionId]) -> None:
    """Delete annulled stays."""
    connection.execute(REMOVE, {"ids": list(ids)})


def alter(connection: Connection, stays: Sequence[BayStay]) -> None:
    """Write revised stays: those that end first, since a bay has one open stay at most."""
    ending = [stay for stay in stays if stay.closed_at is not None]
    opening = [stay for stay in stays if stay.closed_at is None]
    connection.execute(DEFER_OVERLAP)
    for group in (ending, opening):
        if group:
            values = _columns(group) | {"ids": [stay.id for stay in group]}
            connection.execute(ALTER, values)


def add(connection: Connection, stays: Sequence[tuple[BayId, BayStay]]) -> None:
    """Write new stays under the tariff versions in force at their arrivals."""
    values = _columns([stay for _, stay in stays])
    values |= {"ids": [uuid7() for _ in stays], "bays": [bay_id for bay_id, _ in stays]}
    connection.execute(INSERT, values)


def take_closed(
    connection: Connection, until_at: Mapping[BayId, datetime | None], at: datetime
) -> list[ClosedStay]:
    """Mark stays with a vehicle that ended before an instant (None: any) as announced; give them.

    Each is given once, whoever asks and however often.
    """
    values = {"bays": list(until_at), "until_ats": list(until_at.values()), "at": at}
    return [_closed(row) for row in connection.execute(ANNOUNCE, values).mappings()]


def take_closed_before(
    connection: Connection, before_at: datetime, at: datetime
) -> list[ClosedStay]:
    """Mark every stay with a vehicle that ended before an instant as announced; give them."""
    rows = connection.execute(ANNOUNCE_BEFORE, {"before_at": before_at, "at": at})
    return [_closed(row) for row in rows.mappings()]


def find(
    connection: Connection, session_id: ParkingSessionId, *, lock: bool = False
) -> ParkingSession | None:
    """Give a stay by its id; with `lock` nobody else changes it before the transaction ends."""
    query = _sessions().where(parking_session.c.id == session_id)
    if lock:
        query = query.with_for_update(of=parking_session)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _session(row)


def page(
    connection: Connection,
    *,
    bay_id: BayId | None = None,
    facility_id: FacilityId | None = None,
    state: StayState | None = None,
    districts: frozenset[str] | None = None,
    after: UUID | None = None,
    limit: int = DEFAULT_PAGE,
) -> Page[ParkingSession]:
    """Give stays, the newest first; `districts` limits them to what a reader may see."""
    query = _sessions().order_by(parking_session.c.id.desc()).limit(checked_limit(limit) + 1)
    columns = parking_session.c
    if bay_id is not None:
        query = query.where(columns.bay_id == bay_id)
    if facility_id is not None:
        query = query.where(columns.facility_id == facility_id)
    if state is not None:
        query = query.where(columns.state == state.value)
    if districts is not None:
        query = query.where(columns.district.in_(sorted(districts)))
    if after is not None:
        query = query.where(columns.id < after)
    sessions = [_session(row) for row in connection.execute(query).mappings()]
    return paged(sessions, [each.id for each in sessions], limit)


def earlier(
    connection: Connection, session: ParkingSession, since_at: datetime
) -> list[ParkingSession]:
    """Give the closed stays of the same vehicle before a stay, since an instant, oldest first.

    Those under any version of the same tariff: what rules over several stays look at.
    """
    stay = session.stay
    if stay.vehicle_id is None or stay.tariff_version_id is None:
        return []
    columns = parking_session.c
    pinned = select(tariff_version.c.tariff_id).where(tariff_version.c.id == stay.tariff_version_id)
    same = select(tariff_version.c.id).where(tariff_version.c.tariff_id == pinned.scalar_subquery())
    query = (
        _sessions()
        .where(
            columns.vehicle_id == stay.vehicle_id,
            columns.id != session.id,
            columns.opened_at >= since_at,
            columns.opened_at < stay.opened_at,
            columns.state == StayState.CLOSED.value,
            columns.tariff_version_id.in_(same),
        )
        .order_by(columns.opened_at)
    )
    return [_session(row) for row in connection.execute(query).mappings()]


def sessions_between(
    connection: Connection, bay_id: BayId, start_at: datetime, end_at: datetime
) -> tuple[ParkingSession, ...]:
    """Give a bay's stays that touch the time between two instants, oldest first."""
    columns = parking_session.c
    # The bay's stays share no time, so of those that began earlier only the last can reach in.
    before = (
        select(func.max(columns.opened_at))
        .where(columns.bay_id == bay_id, columns.opened_at < start_at)
        .scalar_subquery()
    )
    query = (
        _sessions()
        .where(
            columns.bay_id == bay_id,
            columns.opened_at >= func.coalesce(before, start_at),
            columns.opened_at < end_at,
            (columns.closed_at.is_(None)) | (columns.closed_at >= start_at),
        )
        .order_by(columns.opened_at)
    )
    return tuple(_session(row) for row in connection.execute(query).mappings())


def open_vehicles(
    connection: Connection, vehicle_ids: Collection[VehicleId]
) -> frozenset[VehicleId]:
    """Give those of some vehicles that are parked, or whose bill is yet to be written."""
    columns = parking_session.c
    found = connection.scalars(
        select(columns.vehicle_id)
        .where(
            columns.vehicle_id.in_(list(vehicle_ids)),
            columns.state != StayState.UNATTRIBUTED.value,
            columns.bill_id.is_(None),
            # Without a tariff there never is a bill.
            (columns.state == StayState.OPEN.value) | columns.tariff_version_id.is_not(None),
        )
        .distinct()
    )
    return frozenset(VehicleId(each) for each in found)


def attach(
    connection: Connection,
    session_id: ParkingSessionId,
    stay: BayStay,
    attached_by: str,
) -> None:
    """Write whose a stay is."""
    connection.execute(
        parking_session.update()
        .where(parking_session.c.id == session_id)
        .values(
            vehicle_id=stay.vehicle_id,
            attached_at=stay.attached_at,
            attached_by=attached_by,
            state=stay.state.value,
        )
    )


def note_bill(connection: Connection, session_id: ParkingSessionId, bill_id: BillId) -> None:
    """Write which bill a stay has."""
    connection.execute(
        parking_session.update().where(parking_session.c.id == session_id).values(bill_id=bill_id)
    )


def _sessions() -> Select[Any]:
    return select(parking_session, bay.c.label).join(bay, bay.c.id == parking_session.c.bay_id)


def _columns(stays: Sequence[BayStay]) -> dict[str, list[Any]]:
    return {
        "opened_ats": [stay.opened_at for stay in stays],
        "closed_ats": [stay.closed_at for stay in stays],
        "states": [stay.state.value for stay in stays],
        "opened_evidences": [stay.opened_evidence for stay in stays],
        "closed_evidences": [stay.closed_evidence for stay in stays],
        "closing_reasons": [stay.closing_reason for stay in stays],
        "uncertain_from_ats": [stay.uncertain_from_at for stay in stays],
        "certain_until_ats": [stay.certain_until_at for stay in stays],
    }


def _stay(row: RowMapping) -> BayStay:
    reason = row["closing_reason"]
    return BayStay(
        opened_at=row["opened_at"],
        opened_evidence=row["opened_evidence"],
        id=ParkingSessionId(row["id"]),
        closed_at=row["closed_at"],
        closed_evidence=row["closed_evidence"],
        closing_reason=None if reason is None else ClosingReason(reason),
        uncertain_from_at=row["uncertain_from_at"],
        certain_until_at=row["certain_until_at"],
        vehicle_id=row["vehicle_id"],
        attached_at=row["attached_at"],
        announced_at=row["announced_at"],
        tariff_version_id=row["tariff_version_id"],
    )


def _closed(row: RowMapping) -> ClosedStay:
    return ClosedStay(
        ParkingSessionId(row["id"]),
        BayId(row["bay_id"]),
        FacilityId(row["facility_id"]),
        DistrictCode(row["district"]),
        _stay(row),
    )


def _session(row: RowMapping) -> ParkingSession:
    return ParkingSession(
        ParkingSessionId(row["id"]),
        BayId(row["bay_id"]),
        row["label"],
        FacilityId(row["facility_id"]),
        DistrictCode(row["district"]),
        _stay(row),
        row["attached_by"],
        row["bill_id"],
    )
