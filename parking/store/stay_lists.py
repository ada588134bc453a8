"""Stays, asked for: lists, and those of a bay, a vehicle or a driver."""

from collections.abc import Collection
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, and_, func, or_, select

from city.identifiers import AccountId, BayId, FacilityId, ParkingSessionId, VehicleId
from parking.rules.evidence import Hold
from parking.rules.stays import ParkingSession, StayState
from parking.store.pages import DEFAULT_PAGE, Page, checked_limit, paged
from parking.store.stays import session_of, sessions
from parking.store.tables import parking_session, tariff_version, vehicle_user

MOST_PARTS: Final = 100
MOST_STANDING: Final = 5
"""A car stands in one place; more are stays that nobody saw the end of."""
MOST_EARLIER: Final = 500
"""Stays of one vehicle in the days that rules over several stays look back on."""


def page(
    connection: Connection,
    *,
    bay_id: BayId | None = None,
    facility_id: FacilityId | None = None,
    state: StayState | None = None,
    districts: frozenset[str] | None = None,
    held: bool | None = None,
    after: UUID | None = None,
    limit: int = DEFAULT_PAGE,
) -> Page[ParkingSession]:
    """Give stays, the newest first; `districts` limits them to what a reader may see."""
    query = sessions().order_by(parking_session.c.id.desc()).limit(checked_limit(limit) + 1)
    columns = parking_session.c
    if bay_id is not None:
        query = query.where(columns.bay_id == bay_id)
    if facility_id is not None:
        query = query.where(columns.facility_id == facility_id)
    if state is not None:
        query = query.where(columns.state == state.value)
    if held is not None:
        query = query.where(columns.hold.is_not(None) if held else columns.hold.is_(None))
    if districts is not None:
        query = query.where(columns.district.in_(sorted(districts)))
    if after is not None:
        query = query.where(columns.id < after)
    found = [session_of(row) for row in connection.execute(query).mappings()]
    return paged(found, [each.id for each in found], limit)


def parts(connection: Connection, session_id: ParkingSessionId) -> list[ParkingSession]:
    """Give the stays that are part of one, oldest first."""
    columns = parking_session.c
    query = sessions().where(columns.part_of == session_id).order_by(columns.opened_at)
    return [session_of(row) for row in connection.execute(query.limit(MOST_PARTS)).mappings()]


def open_in_bay(connection: Connection, bay_id: BayId) -> ParkingSession | None:
    """Give a bay's open stay, locked."""
    query = (
        sessions()
        .where(
            parking_session.c.bay_id == bay_id,
            parking_session.c.state == StayState.OPEN.value,
        )
        .with_for_update(of=parking_session)
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else session_of(row)


def in_bay_at(connection: Connection, bay_id: BayId, at: datetime) -> ParkingSession | None:
    """Give a bay's last stay that had begun by an instant, locked: one step of an index."""
    query = (
        sessions()
        .where(parking_session.c.bay_id == bay_id, parking_session.c.opened_at <= at)
        .order_by(parking_session.c.opened_at.desc())
        .limit(1)
        .with_for_update(of=parking_session)
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else session_of(row)


def open_of_vehicle(
    connection: Connection, facility_id: FacilityId, vehicle_id: VehicleId
) -> list[ParkingSession]:
    """Give a vehicle's open stays at a facility, gate to gate and in bays, oldest first, locked."""
    columns = parking_session.c
    query = (
        sessions()
        .where(
            columns.facility_id == facility_id,
            (columns.vehicle_id == vehicle_id) | (columns.admitted_as == vehicle_id),
            columns.state == StayState.OPEN.value,
        )
        .order_by(columns.opened_at)
        .with_for_update(of=parking_session)
    )
    return [session_of(row) for row in connection.execute(query).mappings()]


def standing_of(connection: Connection, vehicle_id: VehicleId) -> list[ParkingSession]:
    """Give a vehicle's open stays that count, at any facility, the newest first: a few."""
    columns = parking_session.c
    query = (
        sessions()
        .where(
            columns.vehicle_id == vehicle_id,
            columns.state == StayState.OPEN.value,
            columns.part_of.is_(None),
            columns.set_aside.is_(None),
        )
        .order_by(columns.opened_at.desc())
        .limit(MOST_STANDING)
    )
    return [session_of(row) for row in connection.execute(query).mappings()]


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
        sessions()
        .where(
            columns.vehicle_id == stay.vehicle_id,
            columns.id != session.id,
            columns.opened_at >= since_at,
            columns.opened_at < stay.opened_at,
            columns.state == StayState.CLOSED.value,
            columns.hold.is_(None),
            columns.set_aside.is_(None),
            columns.part_of.is_(None),
            columns.tariff_version_id.in_(same),
        )
        .order_by(columns.opened_at)
        .limit(MOST_EARLIER)
    )
    return [session_of(row) for row in connection.execute(query).mappings()]


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
            columns.hold.is_(None),
            columns.set_aside.is_(None),
            columns.part_of.is_(None),
            # Without a tariff there never is a bill.
            (columns.state == StayState.OPEN.value) | columns.tariff_version_id.is_not(None),
        )
        .distinct()
    )
    return frozenset(VehicleId(each) for each in found)


def open_since(
    connection: Connection,
    before_at: datetime,
    *,
    facility_id: FacilityId | None = None,
    districts: frozenset[str] | None = None,
    after: tuple[datetime, UUID] | None = None,
    limit: int = DEFAULT_PAGE,
) -> list[ParkingSession]:
    """Give stays that are open since before an instant, the longest first: `limit` and one more.

    An index range of `parking_session_open`, however many stays there are.
    """
    columns = parking_session.c
    query = (
        sessions()
        .where(columns.state == StayState.OPEN.value, columns.opened_at < before_at)
        .order_by(columns.opened_at, columns.id)
        .limit(checked_limit(limit) + 1)
    )
    if facility_id is not None:
        query = query.where(columns.facility_id == facility_id)
    if districts is not None:
        query = query.where(columns.district.in_(sorted(districts)))
    if after is not None:
        opened_at, last = after
        query = query.where(
            or_(
                columns.opened_at > opened_at,
                and_(columns.opened_at == opened_at, columns.id > last),
            )
        )
    return [session_of(row) for row in connection.execute(query).mappings()]


def of_driver(
    connection: Connection,
    account_id: AccountId,
    *,
    state: StayState | None = None,
    billed: bool = False,
    after: UUID | None = None,
    limit: int = DEFAULT_PAGE,
) -> Page[ParkingSession]:
    """Give a driver's stays, the newest first: those of their vehicles while they were theirs.

    And those that they started themselves. Not what belongs to another stay: that one is shown.
    """
    columns, users = parking_session.c, vehicle_user.c
    bound = select(1).where(
        users.account_id == account_id,
        # A ticket stays its driver's after the plate is known.
        or_(users.vehicle_id == columns.vehicle_id, users.vehicle_id == columns.admitted_as),
        columns.opened_at >= users.since_at,
        or_(users.until_at.is_(None), columns.opened_at < users.until_at),
    )
    theirs = select(users.vehicle_id).where(users.account_id == account_id)
    query = (
        sessions()
        .where(
            # The vehicles first: a handful, each an index range; then whose it was at that time.
            or_(
                columns.started_by == account_id,
                columns.vehicle_id.in_(theirs),
                columns.admitted_as.in_(theirs),
            ),
            or_(columns.started_by == account_id, bound.exists()),
            columns.part_of.is_(None),
        )
        .order_by(columns.id.desc())
        .limit(checked_limit(limit) + 1)
    )
    if state is not None:
        query = query.where(columns.state == state.value)
    if billed:
        query = query.where(
            or_(
                columns.bill_id.is_not(None),
                columns.paid_until_at.is_not(None),
                columns.hold == Hold.DISPUTED.value,
            )
        )
    if after is not None:
        query = query.where(columns.id < after)
    found = [session_of(row) for row in connection.execute(query).mappings()]
    return paged(found, [each.id for each in found], limit)


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
        sessions()
        .where(
            columns.bay_id == bay_id,
            columns.opened_at >= func.coalesce(before, start_at),
            columns.opened_at < end_at,
            (columns.closed_at.is_(None)) | (columns.closed_at >= start_at),
        )
        .order_by(columns.opened_at)
    )
    return tuple(session_of(row) for row in connection.execute(query).mappings())
