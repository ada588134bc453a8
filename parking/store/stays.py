"""Stays: every query on `parking.parking_session`; writes are set-wise."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, select, text

from city.identifiers import (
    AccountId,
    BayId,
    BillId,
    DistrictCode,
    FacilityId,
    ParkingSessionId,
    VehicleId,
    uuid7,
)
from parking.rules.evidence import Hold, PartKind, SetAside
from parking.rules.stays import BayStay, ClosingReason, ParkingSession
from parking.store.tables import bay, parking_session

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

# What is held, set aside or part of another stay is not billed by itself; and a stay that goes on
# in a part of it waits for that part's end. A stay that ended in a silence waits half an hour for
# somebody to say whether what came after it is the same car.
COUNTS = (
    " s.state = 'closed' and s.announced_at is null and s.hold is null and s.set_aside is null"
    " and s.part_of is null and not exists (select 1 from parking.parking_session p"
    "  where p.part_of = s.id and p.part_kind = 'continuation' and p.state = 'open')"
    " and not (s.closing_reason = 'silence' and exists (select 1 from parking.parking_session n"
    "  where n.bay_id = s.bay_id and n.state = 'open' and n.opened_at >= s.closed_at"
    "  and n.vehicle_id is null"
    "  and n.opened_at > cast(:at as timestamptz) - interval '30 minutes'))"
    " returning s.*"
)

ANNOUNCE = text(
    "update parking.parking_session s set announced_at = cast(:at as timestamptz)"  # noqa: S608 - of constants
    " from unnest(cast(:bays as uuid[]), cast(:until_ats as timestamptz[]))"
    " as c (bay_id, until_at)"
    " where s.bay_id = c.bay_id and s.closed_at < coalesce(c.until_at, 'infinity') and" + COUNTS
)

ANNOUNCE_BEFORE = text(
    "update parking.parking_session s set announced_at = cast(:at as timestamptz)"  # noqa: S608 - of constants
    " where s.closed_at < :before_at and" + COUNTS
)

ANNOUNCE_THESE = text(
    "update parking.parking_session s set announced_at = cast(:at as timestamptz)"  # noqa: S608 - of constants
    " where s.id = any(cast(:ids as uuid[])) and" + COUNTS
)

DEFER_OVERLAP = text("set constraints parking.parking_session_no_overlap deferred")


@dataclass(frozen=True, slots=True)
class ClosedStay:
    """A stay that is over for good, with its place."""

    id: ParkingSessionId
    bay_id: BayId | None
    facility_id: FacilityId
    district: DistrictCode
    stay: BayStay


def load(connection: Connection, from_at: Mapping[BayId, datetime]) -> dict[BayId, list[BayStay]]:
    """Give each bay's stays that an edit from an instant on can touch, locked: one statement."""
    stays: dict[BayId, list[BayStay]] = {bay_id: [] for bay_id in from_at}
    values = {"bays": list(from_at), "from_ats": list(from_at.values())}
    for row in connection.execute(LOAD, values).mappings():
        stays[BayId(row["bay_id"])].append(stay_of(row))
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
    """Write new stays, each under its own id if it has one, else a new one.

    The tariff versions in force at their arrivals are pinned.
    """
    values = _columns([stay for _, stay in stays])
    values |= {
        "ids": [stay.id or uuid7() for _, stay in stays],
        "bays": [bay_id for bay_id, _ in stays],
    }
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


def take_these(
    connection: Connection, ids: Sequence[ParkingSessionId], at: datetime
) -> list[ClosedStay]:
    """Mark those of some stays that count and are over as announced; give them."""
    rows = connection.execute(ANNOUNCE_THESE, {"ids": list(ids), "at": at})
    return [_closed(row) for row in rows.mappings()]


def write(
    connection: Connection,
    session_id: ParkingSessionId,
    stay: BayStay,
    attached_by: str | None = None,
) -> None:
    """Write all that may change of one stay; `attached_by` where its vehicle is newly named."""
    values: dict[str, Any] = {
        "opened_at": stay.opened_at,
        "closed_at": stay.closed_at,
        "state": stay.state.value,
        "opened_evidence": stay.opened_evidence,
        "closed_evidence": stay.closed_evidence,
        "closing_reason": stay.closing_reason,
        "uncertain_from_at": stay.uncertain_from_at,
        "certain_until_at": stay.certain_until_at,
        "vehicle_id": stay.vehicle_id,
        "attached_at": stay.attached_at,
        "announced_at": stay.announced_at,
        "hold": stay.hold,
        "set_aside": stay.set_aside,
        "part_of": stay.part_of,
        "part_kind": stay.part_kind,
        "ended_at": stay.ended_at,
        "planned_until_at": stay.planned_until_at,
        "paid_until_at": stay.paid_until_at,
        "started_by": stay.started_by,
    }
    if attached_by is not None or stay.vehicle_id is None:
        values["attached_by"] = attached_by
    connection.execute(
        parking_session.update().where(parking_session.c.id == session_id).values(values)
    )


def has_parts(connection: Connection, session_id: ParkingSessionId) -> bool:
    """Say whether other stays are part of one."""
    query = select(parking_session.c.id).where(parking_session.c.part_of == session_id).limit(1)
    return connection.execute(query).first() is not None


def find(
    connection: Connection, session_id: ParkingSessionId, *, lock: bool = False
) -> ParkingSession | None:
    """Give a stay by its id; with `lock` nobody else changes it before the transaction ends."""
    query = sessions().where(parking_session.c.id == session_id)
    if lock:
        query = query.with_for_update(of=parking_session)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else session_of(row)


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


def note_bill(connection: Connection, session_id: ParkingSessionId, bill_id: BillId | None) -> None:
    """Write which bill a stay has; None where it was cancelled."""
    connection.execute(
        parking_session.update().where(parking_session.c.id == session_id).values(bill_id=bill_id)
    )


def sessions() -> Select[Any]:
    """Select stays with their bays' labels."""
    return select(parking_session, bay.c.label).outerjoin(bay, bay.c.id == parking_session.c.bay_id)


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


def stay_of(row: RowMapping) -> BayStay:
    """Give the stay of a row of `parking.parking_session`."""
    reason = row["closing_reason"]
    because = None if reason is None else ClosingReason(reason)
    hold, aside, part = row["hold"], row["set_aside"], row["part_kind"]
    part_of, started_by = row["part_of"], row["started_by"]
    ended_at = row["ended_at"]
    return BayStay(
        opened_at=row["opened_at"],
        opened_evidence=row["opened_evidence"],
        id=ParkingSessionId(row["id"]),
        closed_at=row["closed_at"],
        closed_evidence=row["closed_evidence"],
        closing_reason=because,
        uncertain_from_at=row["uncertain_from_at"],
        certain_until_at=row["certain_until_at"],
        vehicle_id=row["vehicle_id"],
        attached_at=row["attached_at"],
        announced_at=row["announced_at"],
        tariff_version_id=row["tariff_version_id"],
        hold=None if hold is None else Hold(hold),
        set_aside=None if aside is None else SetAside(aside),
        part_of=None if part_of is None else ParkingSessionId(part_of),
        part_kind=None if part is None else PartKind(part),
        ended_at=ended_at,
        # Where a sensor says that it ended earlier, that is its reason; the person's was this.
        ended_because=(because if ended_at == row["closed_at"] else ClosingReason.STATED)
        if ended_at is not None
        else None,
        planned_until_at=row["planned_until_at"],
        paid_until_at=row["paid_until_at"],
        started_by=None if started_by is None else AccountId(started_by),
    )


def _closed(row: RowMapping) -> ClosedStay:
    return ClosedStay(
        ParkingSessionId(row["id"]),
        _bay_id(row),
        FacilityId(row["facility_id"]),
        DistrictCode(row["district"]),
        stay_of(row),
    )


def session_of(row: RowMapping) -> ParkingSession:
    """Give the stay with its place of a row joined with its bay's label."""
    admitted = row["admitted_as"]
    return ParkingSession(
        ParkingSessionId(row["id"]),
        _bay_id(row),
        row["label"] or "",
        FacilityId(row["facility_id"]),
        DistrictCode(row["district"]),
        stay_of(row),
        row["attached_by"],
        row["bill_id"],
        None if admitted is None else VehicleId(admitted),
        row["exempt"],
    )


def _bay_id(row: RowMapping) -> BayId | None:
    return None if row["bay_id"] is None else BayId(row["bay_id"])
