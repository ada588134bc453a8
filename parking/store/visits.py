"""Stays without a bay: those of a vehicle at a facility with gates."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select, text

from city.identifiers import FacilityId, ParkingSessionId, VehicleId
from parking.rules.stays import BayStay
from parking.store.stays import stay_of
from parking.store.tables import parking_session

# The tariff version pinned is the one in force at the entry, read in the same statement.
INSERT = text(
    "insert into parking.parking_session (id, facility_id, district, opened_at, closed_at, state,"
    " opened_evidence, closed_evidence, closing_reason, vehicle_id, attached_at, attached_by,"
    " admitted_as, hold, started_by, tariff_version_id)"
    " select :id, f.id, f.district, :opened_at, :closed_at, :state, :opened_evidence,"
    " :closed_evidence, :closing_reason, :vehicle_id, :attached_at, :attached_by, :admitted_as,"
    " :hold, :started_by, v.id from parking.facility f"
    " left join lateral (select t.id from parking.tariff_version t"
    "  where t.tariff_id = f.tariff_id and t.status = 'published' and t.valid_from <= :opened_at"
    "  order by t.valid_from desc limit 1) v on true where f.id = :facility"
)

# A late entry moves the beginning: then the version in force at it is the one that counts.
REPIN = text(
    "update parking.parking_session s set tariff_version_id = (select t.id"
    "  from parking.tariff_version t join parking.facility f on f.tariff_id = t.tariff_id"
    "  where f.id = s.facility_id and t.status = 'published' and t.valid_from <= s.opened_at"
    "  order by t.valid_from desc limit 1)"
    " where s.id = :id"
)


def of_group(
    connection: Connection, facility_id: FacilityId, admitted_as: VehicleId, since_at: datetime
) -> list[BayStay]:
    """Give a vehicle's stays at a facility that are not yet decided, oldest first, locked.

    Without those that ended before `since_at`.
    """
    columns = parking_session.c
    query = (
        select(parking_session)
        .where(
            columns.facility_id == facility_id,
            columns.admitted_as == admitted_as,
            columns.announced_at.is_(None),
            columns.set_aside.is_(None),
            columns.closed_at.is_(None) | (columns.closed_at > since_at),
        )
        .order_by(columns.opened_at)
        .with_for_update()
    )
    return [stay_of(row) for row in connection.execute(query).mappings()]


def add(
    connection: Connection,
    facility_id: FacilityId,
    admitted_as: VehicleId,
    stay: BayStay,
    *,
    attached_by: str,
) -> None:
    """Write a new stay, under its id."""
    connection.execute(
        INSERT,
        {
            "id": stay.id,
            "facility": facility_id,
            "opened_at": stay.opened_at,
            "closed_at": stay.closed_at,
            "state": stay.state.value,
            "opened_evidence": stay.opened_evidence,
            "closed_evidence": stay.closed_evidence,
            "closing_reason": stay.closing_reason,
            "vehicle_id": stay.vehicle_id,
            "attached_at": stay.attached_at,
            "attached_by": attached_by,
            "admitted_as": admitted_as,
            "hold": stay.hold,
            "started_by": stay.started_by,
        },
    )


def repin(connection: Connection, ids: Sequence[ParkingSessionId]) -> None:
    """Pin the tariff version in force at the beginning of stays, where that has moved."""
    if ids:
        connection.execute(REPIN, [{"id": each} for each in ids])
