"""Reservations and the holds of bays; every change of many is one statement."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Connection,
    Row,
    delete,
    func,
    insert,
    or_,
    select,
    text,
    update,
)

from city.identifiers import (
    AccountId,
    BayId,
    DistrictCode,
    FacilityId,
    ParkingSessionId,
    PermitId,
    ReservationId,
    VehicleId,
    uuid7,
)
from parking.rules.rights.reservations import OPEN_STATES, Reservation, ReservationState
from parking.rules.rights.spans import Span, Spans
from parking.store.pages import DEFAULT_PAGE, Page, checked_limit, paged
from parking.store.rights_tables import bay_hold, reservation
from parking.store.tables import bay, parking_session, vehicle_user

OPEN = tuple(state.value for state in OPEN_STATES)

ONE_AT_A_TIME = text("select pg_advisory_xact_lock(hashtextextended(:key, 0))")

# What stands against holding a bay in a span: it is retired, for holders of permits alone, or
# closed by a suspension then.
_HELD_FOR_OTHERS = (
    " (b.retired_at is not null or b.purpose = 'permit'"
    "  or exists (select from parking.suspended_bay x"
    "   join parking.suspension u on u.id = x.suspension_id where x.bay_id = b.id"
    "   and tstzrange(u.from_at, coalesce(u.lifted_at, u.until_at))"
    "    && tstzrange(:from_at, :until_at)))"
)

RESERVABLE = text(
    f"select not {_HELD_FOR_OTHERS} from parking.bay b where b.id = :bay"  # noqa: S608 - of constants
)

# Bays of a facility that nobody holds in a span, one with a vehicle in it last; else in an order of
# the vehicle's own, so that those who ask at once do not all try the same bay.
FREE_BAYS = text(
    "select b.id from parking.bay b"  # noqa: S608 - of constants
    " where b.facility_id = :facility and (cast(:kind as text) is null or b.kind = :kind)"
    f" and not {_HELD_FOR_OTHERS}"
    " and not exists (select from parking.bay_hold h"
    "  where h.bay_id = b.id and h.during && tstzrange(:from_at, :until_at))"
    " order by exists (select from parking.parking_session s"
    "  where s.bay_id = b.id and s.state = 'open'), md5(b.id::text || :turn)"
    " limit :limit"
)

CHANGE = text(
    "update parking.reservation r set state = n.state, session_id = n.session,"
    " ended_at = n.ended_at, ended_by = n.ended_by"
    " from unnest(cast(:ids as uuid[]), cast(:states as text[]), cast(:sessions as uuid[]),"
    " cast(:ended_ats as timestamptz[]), cast(:ended_bys as text[]))"
    " as n (id, state, session, ended_at, ended_by) where r.id = n.id"
)

# What is left of a hold is free from the end on; a hold that had not begun is gone.
DROP_HOLDS = text(
    "delete from parking.bay_hold h"
    " using unnest(cast(:ids as uuid[]), cast(:ended_ats as timestamptz[])) as n (id, ended_at)"
    " where h.reservation_id = n.id and h.from_at >= n.ended_at"
)
SHORTEN_HOLDS = text(
    "update parking.bay_hold h set until_at = n.ended_at"
    " from unnest(cast(:ids as uuid[]), cast(:ended_ats as timestamptz[])) as n (id, ended_at)"
    " where h.reservation_id = n.id and h.until_at > n.ended_at"
)


@dataclass(frozen=True, slots=True)
class Due:
    """A reservation whose time to look at it has come, and who stands in its bay."""

    reservation: Reservation
    occupied: bool
    session_id: ParkingSessionId | None
    vehicle_id: VehicleId | None
    """None where nobody has identified it."""


def one_at_a_time(connection: Connection, vehicle_id: VehicleId) -> None:
    """Let one transaction at a time reserve for a vehicle: what it may have is counted."""
    connection.execute(ONE_AT_A_TIME, {"key": f"reservation:{vehicle_id}"})


def free_bays(
    connection: Connection,
    facility_id: FacilityId,
    span: Span,
    *,
    kind: str | None,
    turn: str,
    limit: int,
) -> list[BayId]:
    """Give bays of a facility that nobody holds in a span of time, in the order of a turn.

    Cost grows with the bays of the facility.
    """
    rows = connection.execute(
        FREE_BAYS,
        {
            "facility": facility_id,
            "kind": kind,
            "from_at": span[0],
            "until_at": span[1],
            "turn": turn,
            "limit": limit,
        },
    )
    return [BayId(row.id) for row in rows]


def reservable(connection: Connection, bay_id: BayId, span: Span) -> bool:
    """Say whether a bay is one that can be reserved in a span, whoever holds it."""
    values = {"bay": bay_id, "from_at": span[0], "until_at": span[1]}
    return bool(connection.execute(RESERVABLE, values).scalar_one())


def of_driver(
    connection: Connection,
    account_id: AccountId,
    *,
    after: UUID | None = None,
    limit: int = DEFAULT_PAGE,
) -> Page[Reservation]:
    """Give the reservations of an account's vehicles since they are theirs, the newest first."""
    columns, users = reservation.c, vehicle_user.c
    theirs = (
        select(users.id)
        .where(
            users.account_id == account_id,
            users.vehicle_id == columns.vehicle_id,
            users.until_at.is_(None),
            users.since_at <= columns.made_at,
        )
        .exists()
    )
    mine = select(users.vehicle_id).where(users.account_id == account_id)
    query = (
        select(reservation)
        .where(columns.vehicle_id.in_(mine), theirs)
        .order_by(columns.id.desc())
        .limit(checked_limit(limit) + 1)
    )
    if after is not None:
        query = query.where(columns.id < after)
    found = [_reservation(row) for row in connection.execute(query)]
    return paged(found, [each.id for each in found], limit)


def _take_turn(connection: Connection, bay_id: BayId) -> int:
    """Let one transaction at a time write holds of a bay; give its number.

    Without turns two who write at once can wait for each other at the constraint until PostgreSQL
    ends one of them.
    """
    turn = select(bay.c.number).where(bay.c.id == bay_id).with_for_update(key_share=True)
    return int(connection.execute(turn).scalar_one())


def add(connection: Connection, new: Reservation, *, at: datetime, by: str) -> None:
    """Write a reservation and its hold; the constraint refuses one whose bay's time is held."""
    number = _take_turn(connection, new.bay_id)
    connection.execute(
        insert(reservation).values(
            id=new.id,
            bay_id=new.bay_id,
            facility_id=new.facility_id,
            district=new.district,
            vehicle_id=new.vehicle_id,
            from_at=new.from_at,
            until_at=new.until_at,
            hold_until_at=new.hold_until_at,
            state=new.state.value,
            made_at=at,
            made_by=by,
        )
    )
    connection.execute(
        insert(bay_hold).values(
            id=uuid7(),
            bay_id=new.bay_id,
            bay_number=number,
            facility_id=new.facility_id,
            from_at=new.from_at,
            until_at=new.until_at,
            reservation_id=new.id,
        )
    )


def find(
    connection: Connection, reservation_id: ReservationId, *, lock: bool = False
) -> Reservation | None:
    """Give a reservation by its id."""
    query = select(reservation).where(reservation.c.id == reservation_id)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else _reservation(row)


def page(
    connection: Connection,
    *,
    facility_id: FacilityId | None = None,
    vehicle_id: VehicleId | None = None,
    state: ReservationState | None = None,
    districts: frozenset[str] | None = None,
    after: UUID | None = None,
    limit: int = DEFAULT_PAGE,
) -> Page[Reservation]:
    """Give reservations, the newest first."""
    columns = reservation.c
    query = select(reservation).order_by(columns.id.desc()).limit(checked_limit(limit) + 1)
    if facility_id is not None:
        query = query.where(columns.facility_id == facility_id)
    if vehicle_id is not None:
        query = query.where(columns.vehicle_id == vehicle_id)
    if state is not None:
        query = query.where(columns.state == state.value)
    if districts is not None:
        query = query.where(columns.district.in_(sorted(districts)))
    if after is not None:
        query = query.where(columns.id < after)
    found = [_reservation(row) for row in connection.execute(query)]
    return paged(found, [each.id for each in found], limit)


def standing(connection: Connection, vehicle_id: VehicleId, since_at: datetime) -> tuple[int, int]:
    """Count a vehicle's open reservations, and those since an instant to which it did not come."""
    columns = reservation.c
    row = connection.execute(
        select(
            func.count().filter(columns.state.in_(OPEN)).label("held"),
            func.count()
            .filter(columns.state == ReservationState.NO_SHOW.value, columns.ended_at >= since_at)
            .label("missed"),
        ).where(columns.vehicle_id == vehicle_id)
    ).one()
    return int(row.held), int(row.missed)


def awaited(
    connection: Connection,
    place: BayId | FacilityId,
    vehicle_id: VehicleId,
    from_at: datetime,
    until_at: datetime,
) -> Reservation | None:
    """Give the reservation that a vehicle's arrival in a bay, or behind a gate, is, locked.

    The first one held that begins before `until_at` and ends after `from_at`.
    """
    columns = reservation.c
    row = connection.execute(
        select(reservation)
        .where(
            # ids are unique in the city, so that a bay's is no facility's
            or_(columns.bay_id == place, columns.facility_id == place),
            columns.vehicle_id == vehicle_id,
            columns.state == ReservationState.HELD.value,
            columns.from_at <= until_at,
            columns.until_at > from_at,
        )
        .order_by(columns.from_at)
        .limit(1)
        .with_for_update()
    ).one_or_none()
    return None if row is None else _reservation(row)


def of_session(connection: Connection, session_id: ParkingSessionId) -> list[Reservation]:
    """Give the reservations whose vehicle is there by a stay, locked."""
    rows = connection.execute(
        select(reservation)
        .where(
            reservation.c.session_id == session_id,
            reservation.c.state == ReservationState.ARRIVED.value,
        )
        .order_by(reservation.c.id)
        .with_for_update()
    )
    return [_reservation(row) for row in rows]


def take_due(connection: Connection, at: datetime, limit: int) -> list[Due]:
    """Give reservations whose hold or time is over by an instant, locked, at most `limit`.

    One that waits for a vehicle to be identified is left out until its time is over.
    """
    columns, stay = reservation.c, parking_session.c
    held = (columns.state == ReservationState.HELD.value) & (columns.hold_until_at <= at)
    arrived = (columns.state == ReservationState.ARRIVED.value) & (columns.until_at <= at)
    waits = stay.id.is_not(None) & stay.vehicle_id.is_(None) & (columns.until_at > at)
    there = (stay.bay_id == columns.bay_id) & (stay.state == "open")
    rows = connection.execute(
        select(reservation, stay.id.label("there"), stay.vehicle_id.label("there_vehicle"))
        .outerjoin(parking_session, there)
        .where((held & ~waits) | arrived)
        .order_by(columns.id)
        .limit(limit)
        .with_for_update(of=reservation, skip_locked=True)
    )
    return [
        Due(
            _reservation(row),
            row.there is not None,
            None if row.there is None else ParkingSessionId(row.there),
            None if row.there_vehicle is None else VehicleId(row.there_vehicle),
        )
        for row in rows
    ]


def change(connection: Connection, changed: Sequence[Reservation], *, by: str) -> None:
    """Write what became of reservations, and free what is left of their holds."""
    if not changed:
        return
    connection.execute(
        CHANGE,
        {
            "ids": [each.id for each in changed],
            "states": [each.state.value for each in changed],
            "sessions": [each.session_id for each in changed],
            "ended_ats": [each.ended_at for each in changed],
            "ended_bys": [None if each.open else by for each in changed],
        },
    )
    over = [each for each in changed if not each.open]
    if over:
        values = {"ids": [each.id for each in over], "ended_ats": [each.ended_at for each in over]}
        connection.execute(DROP_HOLDS, values)
        connection.execute(SHORTEN_HOLDS, values)


def reserving(connection: Connection, vehicle_ids: Collection[VehicleId]) -> frozenset[VehicleId]:
    """Give those of some vehicles that have an open reservation."""
    found = connection.scalars(
        select(reservation.c.vehicle_id)
        .where(reservation.c.vehicle_id.in_(list(vehicle_ids)), reservation.c.state.in_(OPEN))
        .distinct()
    )
    return frozenset(VehicleId(each) for each in found)


# --- bays of permits -----------------------------------------------------------------------------


def hold_for_permit(
    connection: Connection,
    permit_id: PermitId,
    bay_id: BayId,
    facility_id: FacilityId,
    spans: Spans,
) -> None:
    """Hold a bay for a permit in spans of time, in one statement."""
    number = _take_turn(connection, bay_id)
    if spans:
        connection.execute(
            insert(bay_hold),
            [
                {
                    "id": uuid7(),
                    "bay_id": bay_id,
                    "bay_number": number,
                    "facility_id": facility_id,
                    "from_at": start,
                    "until_at": end,
                    "permit_id": permit_id,
                }
                for start, end in spans
            ],
        )


def bays_of_permits(
    connection: Connection, permit_ids: Collection[PermitId]
) -> dict[PermitId, list[tuple[BayId, FacilityId]]]:
    """Give the bays that permits hold or held; those without one are left out."""
    rows = connection.execute(
        select(bay_hold.c.permit_id, bay_hold.c.bay_id, bay_hold.c.facility_id)
        .where(bay_hold.c.permit_id.in_(list(permit_ids)))
        .distinct()
        .order_by(bay_hold.c.bay_id)
    )
    found: dict[PermitId, list[tuple[BayId, FacilityId]]] = {}
    for row in rows:
        found.setdefault(PermitId(row.permit_id), []).append(
            (BayId(row.bay_id), FacilityId(row.facility_id))
        )
    return found


def end_permit_holds(connection: Connection, permit_id: PermitId, at: datetime) -> None:
    """Free what is left of the bays that a permit holds."""
    ours = bay_hold.c.permit_id == permit_id
    connection.execute(delete(bay_hold).where(ours, bay_hold.c.from_at >= at))
    connection.execute(update(bay_hold).where(ours, bay_hold.c.until_at > at).values(until_at=at))


def _reservation(row: Row[Any]) -> Reservation:
    return Reservation(
        id=ReservationId(row.id),
        bay_id=BayId(row.bay_id),
        facility_id=FacilityId(row.facility_id),
        district=DistrictCode(row.district),
        vehicle_id=VehicleId(row.vehicle_id),
        from_at=row.from_at,
        until_at=row.until_at,
        hold_until_at=row.hold_until_at,
        state=ReservationState(row.state),
        session_id=None if row.session_id is None else ParkingSessionId(row.session_id),
        ended_at=row.ended_at,
    )
