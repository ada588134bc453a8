"""Tasks of a patrol: the table, its lists, and what people say of tasks."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    RowMapping,
    Select,
    Table,
    Text,
    Uuid,
    func,
    select,
    text,
)

from city.identifiers import BayId, DistrictCode, FacilityId, ParkingSessionId, VehicleId
from city.money import Money
from city.places import Position
from parking.rules.patrol import Ending, PatrolTask, TaskKind
from parking.store.tables import INSTANT, bay, facility, metadata, parking_session

MOST_NEAR: Final = 200
MOST_SUMMED: Final = 20_000

patrol_task = Table(
    "patrol_task",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("subject", Uuid, nullable=False),
    Column("district", Text, nullable=False),
    Column("facility_id", Uuid, nullable=False),
    Column("bay_id", Uuid, nullable=False),
    Column("session_id", Uuid),
    Column("arose_at", INSTANT, nullable=False),
    Column("found_at", INSTANT, nullable=False),
    Column("amount_minor", BigInteger),
    Column("currency", Text),
    Column("what", Text, nullable=False, server_default=""),
    Column("seen_at", INSTANT),
    Column("seen_by", Text),
    Column("ended_at", INSTANT),
    Column("ended_by", Text),
    Column("ending", Text),
    Column("note", Text, nullable=False, server_default=""),
)


@dataclass(frozen=True, slots=True)
class TaskAt:
    """A task with its place."""

    task: PatrolTask
    bay_label: str
    position: Position
    facility_code: str
    facility_zh: str
    facility_en: str
    facility_at: Position
    vehicle_id: VehicleId | None


@dataclass(frozen=True, slots=True)
class ParkedVehicle:
    """A stay that goes on, and whose it is."""

    session_id: ParkingSessionId
    vehicle_id: VehicleId


@dataclass(frozen=True, slots=True)
class StandingCar:
    """A stay that goes on in a bay."""

    session_id: ParkingSessionId
    bay_id: BayId
    opened_at: datetime


# What is part of another stay stands across two bays: the other one's sign is looked at.
_STANDING: Final = text(
    "select id, bay_id, opened_at from parking.parking_session"
    " where state = 'open' and bay_id = any(cast(:bays as uuid[]))"
    " and part_of is null and set_aside is null"
)


def standing(
    connection: Connection, kind: TaskKind, *, after: UUID | None, limit: int
) -> list[PatrolTask]:
    """Give tasks of a kind that have not ended, in the order of their ids."""
    query = (
        select(patrol_task)
        .where(patrol_task.c.kind == kind.value, patrol_task.c.ended_at.is_(None))
        .order_by(patrol_task.c.id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(patrol_task.c.id > after)
    return [_task(row) for row in connection.execute(query).mappings()]


def parked_since(
    connection: Connection, attached_from_at: datetime, *, after: UUID | None, limit: int
) -> list[ParkedVehicle]:
    """Give stays that go on and were named since an instant, in the order of their ids."""
    columns = parking_session.c
    query = (
        select(columns.id, columns.vehicle_id)
        .where(
            columns.state == "open",
            columns.attached_at > attached_from_at,
            columns.vehicle_id.is_not(None),
            columns.bay_id.is_not(None),
        )
        .order_by(columns.id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(columns.id > after)
    return [
        ParkedVehicle(ParkingSessionId(row.id), VehicleId(row.vehicle_id))
        for row in connection.execute(query)
    ]


def cars_in(connection: Connection, bay_ids: Sequence[BayId]) -> list[StandingCar]:
    """Give the stays that go on in some bays, at most one a bay: one statement."""
    return [
        StandingCar(ParkingSessionId(row.id), BayId(row.bay_id), row.opened_at)
        for row in connection.execute(_STANDING, {"bays": list(bay_ids)})
    ]


def vehicles_of(connection: Connection, tasks: Sequence[PatrolTask]) -> dict[UUID, VehicleId]:
    """Give whose stays tasks are about, by the tasks' ids: one statement."""
    stays = {each.session_id: each.id for each in tasks if each.session_id is not None}
    columns = parking_session.c
    query = select(columns.id, columns.vehicle_id).where(
        columns.id.in_(list(stays)), columns.vehicle_id.is_not(None)
    )
    return {stays[row.id]: VehicleId(row.vehicle_id) for row in connection.execute(query)}


def near(
    connection: Connection,
    at: Position,
    radius_m: float,
    districts: Collection[str] | None,
    limit: int = MOST_NEAR,
    *,
    kinds: Collection[TaskKind] | None = None,
) -> list[TaskAt]:
    """Give the tasks that stand around a place, the nearest first, at most `limit`."""
    low, high = at.moved(-radius_m, -radius_m), at.moved(radius_m, radius_m)
    # Around one latitude a degree east is shorter than one north by the same share everywhere.
    narrow = (high.latitude - low.latitude) / (high.longitude - low.longitude)
    east = (bay.c.longitude - at.longitude) * narrow
    north = bay.c.latitude - at.latitude
    query = (
        _with_places()
        .where(
            patrol_task.c.ended_at.is_(None),
            func.point(bay.c.longitude, bay.c.latitude).op("<@", is_comparison=True)(
                func.box(
                    func.point(low.longitude, low.latitude),
                    func.point(high.longitude, high.latitude),
                )
            ),
        )
        .order_by(east * east + north * north, patrol_task.c.id)
        .limit(min(limit, MOST_NEAR))
    )
    if districts is not None:
        query = query.where(patrol_task.c.district.in_(sorted(districts)))
    if kinds is not None:
        query = query.where(patrol_task.c.kind.in_(sorted(kinds)))
    return [_placed(row) for row in connection.execute(query).mappings()]


def standing_in(
    connection: Connection, districts: Collection[str] | None, limit: int
) -> list[TaskAt]:
    """Give the tasks that stand, the newest first, at most `limit`."""
    query = (
        _with_places()
        .where(patrol_task.c.ended_at.is_(None))
        .order_by(patrol_task.c.arose_at.desc(), patrol_task.c.id)
        .limit(limit)
    )
    if districts is not None:
        query = query.where(patrol_task.c.district.in_(sorted(districts)))
    return [_placed(row) for row in connection.execute(query).mappings()]


def by_ids(connection: Connection, ids: Collection[UUID]) -> dict[UUID, PatrolTask]:
    """Give some tasks, locked in the order of their ids."""
    query = (
        select(patrol_task)
        .where(patrol_task.c.id.in_(list(ids)))
        .order_by(patrol_task.c.id)
        .with_for_update()
    )
    return {row["id"]: _task(row) for row in connection.execute(query).mappings()}


def write_words(connection: Connection, changed: Sequence[PatrolTask]) -> None:
    """Write when tasks were seen, and what people's words ended: one statement."""
    rows = [
        {
            "id": str(each.id),
            "seen_at": None if each.seen_at is None else each.seen_at.isoformat(),
            "seen_by": each.seen_by,
            "ended_at": None if each.ended_at is None else each.ended_at.isoformat(),
            "ended_by": each.ended_by,
            "ending": None if each.ending is None else each.ending.value,
            "note": each.note,
        }
        for each in changed
    ]
    if rows:
        connection.execute(
            text(
                "update parking.patrol_task t set seen_at = r.seen_at, seen_by = r.seen_by,"
                " ended_at = r.ended_at, ended_by = r.ended_by, ending = r.ending, note = r.note"
                " from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, seen_at timestamptz,"
                " seen_by text, ended_at timestamptz, ended_by text, ending text, note text)"
                " where t.id = r.id"
            ),
            {"rows": json.dumps(rows, ensure_ascii=False)},
        )


def arisen(
    connection: Connection,
    since_at: datetime,
    districts: Collection[str] | None,
    limit: int = MOST_SUMMED,
) -> list[PatrolTask]:
    """Give tasks that arose since an instant, the newest first, at most `limit`."""
    query = (
        select(patrol_task)
        .where(patrol_task.c.arose_at >= since_at)
        .order_by(patrol_task.c.arose_at.desc())
        .limit(limit)
    )
    if districts is not None:
        query = query.where(patrol_task.c.district.in_(sorted(districts)))
    return [_task(row) for row in connection.execute(query).mappings()]


def forget(connection: Connection, before_at: datetime, limit: int = 5_000) -> int:
    """Drop tasks that ended before an instant, at most so many at once; give how many."""
    return connection.execute(
        text(
            "delete from parking.patrol_task where id in (select id from parking.patrol_task"
            " where ended_at < :before_at limit :most)"
        ),
        {"before_at": before_at, "most": limit},
    ).rowcount


def _with_places() -> Select[Any]:
    return (
        select(
            patrol_task,
            bay.c.label.label("bay_label"),
            bay.c.longitude.label("bay_longitude"),
            bay.c.latitude.label("bay_latitude"),
            facility.c.code.label("facility_code"),
            facility.c.name_zh.label("facility_zh"),
            facility.c.name_en.label("facility_en"),
            facility.c.longitude.label("facility_longitude"),
            facility.c.latitude.label("facility_latitude"),
            parking_session.c.vehicle_id.label("vehicle_id"),
        )
        .join(bay, bay.c.id == patrol_task.c.bay_id)
        .join(facility, facility.c.id == patrol_task.c.facility_id)
        .outerjoin(parking_session, parking_session.c.id == patrol_task.c.session_id)
    )


def _placed(row: RowMapping) -> TaskAt:
    return TaskAt(
        _task(row),
        row["bay_label"],
        Position(row["bay_longitude"], row["bay_latitude"]),
        row["facility_code"],
        row["facility_zh"],
        row["facility_en"],
        Position(row["facility_longitude"], row["facility_latitude"]),
        None if row["vehicle_id"] is None else VehicleId(row["vehicle_id"]),
    )


def _task(row: RowMapping) -> PatrolTask:
    minor = row["amount_minor"]
    return PatrolTask(
        id=row["id"],
        kind=TaskKind(row["kind"]),
        subject=row["subject"],
        district=DistrictCode(row["district"]),
        facility_id=FacilityId(row["facility_id"]),
        bay_id=BayId(row["bay_id"]),
        arose_at=row["arose_at"],
        session_id=None if row["session_id"] is None else ParkingSessionId(row["session_id"]),
        amount=None if minor is None else Money(minor, row["currency"]),
        what=row["what"],
        seen_at=row["seen_at"],
        seen_by=row["seen_by"],
        ended_at=row["ended_at"],
        ended_by=row["ended_by"],
        ending=None if row["ending"] is None else Ending(row["ending"]),
        note=row["note"],
    )
