"""Lanes: every query on what is registered, how each stands, and what happened in it."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from pydantic import JsonValue, TypeAdapter
from sqlalchemy import Connection, RowMapping, delete, func, insert, select, text, update
from sqlalchemy.dialects import postgresql

from city.identifiers import DistrictCode, FacilityId
from parking.rules.lanes.model import AlarmKind, LaneState, Way
from parking.rules.lanes.registered import (
    ActKind,
    ActReason,
    Lane,
    LaneAct,
    LaneAlarm,
    LaneOrder,
    LaneVehicle,
    OrderKind,
    Outcome,
)
from parking.store.lane_tables import (
    lane,
    lane_act,
    lane_alarm,
    lane_order,
    lane_state,
    lane_vehicle,
)
from parking.store.pages import DEFAULT_PAGE, Page, checked_limit, paged

# A lane that was never heard of is not yet there: it is not told of.
SILENT = text(
    "insert into parking.lane_alarm (id, lane_id, facility_id, district, kind, began_at)"
    " select gen_random_uuid(), l.id, l.facility_id, l.district, :kind, s.heard_at"
    " from parking.lane l join parking.lane_state s on s.lane_id = l.id"
    " where l.retired_at is null and s.heard_at < :before_at and s.heard_at <= :now"
    " on conflict (lane_id, kind) where ended_at is null"
    " and kind in ('left-up', 'called', 'offline', 'fire') do nothing"
)


@dataclass(frozen=True, slots=True)
class Kept:
    """How a lane stands, and what its controller told last."""

    state: LaneState = field(default_factory=LaneState)
    standing: dict[str, JsonValue] = field(default_factory=dict)
    life: str | None = None
    last_word: int = 0
    heard_at: datetime | None = None


@lru_cache(maxsize=1)
def _states() -> TypeAdapter[LaneState]:
    return TypeAdapter(LaneState)


def add(connection: Connection, new: Lane, *, by: str) -> None:
    """Write a lane that nobody has told anything of; a constraint refuses a gate's second."""
    connection.execute(
        insert(lane).values(
            id=new.id,
            facility_id=new.facility_id,
            district=new.district,
            gate=new.gate,
            way=new.way.value,
            registered_at=new.registered_at,
            registered_by=by,
        )
    )
    connection.execute(
        insert(lane_state).values(lane_id=new.id, state=_dumped(LaneState()), standing={})
    )


def find(connection: Connection, lane_id: UUID) -> Lane | None:
    """Give a lane, also one that is retired."""
    row = connection.execute(select(lane).where(lane.c.id == lane_id)).mappings().one_or_none()
    return None if row is None else _lane(row)


def retire(connection: Connection, lane_id: UUID, at: datetime, by: str) -> bool:
    """Take a lane out of service; False where it is already."""
    done = connection.execute(
        update(lane)
        .where(lane.c.id == lane_id, lane.c.retired_at.is_(None))
        .values(retired_at=at, retired_by=by)
        .returning(lane.c.id)
    )
    return done.scalar_one_or_none() is not None


def page(
    connection: Connection,
    *,
    facility_id: FacilityId | None = None,
    districts: frozenset[str] | None = None,
    after: UUID | None = None,
    limit: int = DEFAULT_PAGE,
) -> Page[Lane]:
    """Give lanes in service, in the order of their making."""
    query = select(lane).where(lane.c.retired_at.is_(None)).order_by(lane.c.id)
    query = query.limit(checked_limit(limit) + 1)
    if facility_id is not None:
        query = query.where(lane.c.facility_id == facility_id)
    if districts is not None:
        query = query.where(lane.c.district.in_(sorted(districts)))
    if after is not None:
        query = query.where(lane.c.id > after)
    found = [_lane(row) for row in connection.execute(query).mappings()]
    return paged(found, [each.id for each in found], limit)


def hold(connection: Connection, lane_id: UUID) -> Kept:
    """Give how a lane stands, locked: its words are taken one after another."""
    query = select(lane_state).where(lane_state.c.lane_id == lane_id).with_for_update()
    return _kept(connection.execute(query).mappings().one())


def standing(connection: Connection, lane_ids: Collection[UUID]) -> dict[UUID, Kept]:
    """Give how lanes stand."""
    query = select(lane_state).where(lane_state.c.lane_id.in_(list(lane_ids)))
    return {row["lane_id"]: _kept(row) for row in connection.execute(query).mappings()}


def keep(connection: Connection, lane_id: UUID, kept: Kept) -> None:
    """Write how a lane stands."""
    connection.execute(
        update(lane_state)
        .where(lane_state.c.lane_id == lane_id)
        .values(
            state=_dumped(kept.state),
            standing=kept.standing,
            life=kept.life,
            last_word=kept.last_word,
            heard_at=kept.heard_at,
        )
    )


def order(connection: Connection, orders: Sequence[LaneOrder]) -> None:
    """Write what a controller is told."""
    rows = [{**asdict(each), "kind": each.kind.value} for each in orders]
    if rows:
        connection.execute(insert(lane_order), rows)


def open_orders(connection: Connection, lane_id: UUID, at: datetime) -> list[LaneOrder]:
    """Give what a controller has not done and is still worth doing, the oldest first."""
    query = (
        select(lane_order)
        .where(
            lane_order.c.lane_id == lane_id,
            lane_order.c.done_at.is_(None),
            lane_order.c.void_at > at,
        )
        .order_by(lane_order.c.id)
        .limit(50)
    )
    return [_order(row) for row in connection.execute(query).mappings()]


def outdo(
    connection: Connection, lane_id: UUID, kinds: Collection[OrderKind], at: datetime
) -> None:
    """Make orders void that a later one contradicts."""
    connection.execute(
        update(lane_order)
        .where(
            lane_order.c.lane_id == lane_id,
            lane_order.c.done_at.is_(None),
            lane_order.c.void_at > at,
            lane_order.c.kind.in_([each.value for each in kinds]),
        )
        .values(void_at=at)
    )


def done(connection: Connection, lane_id: UUID, order_ids: Collection[UUID], at: datetime) -> None:
    """Note what a controller has done."""
    if order_ids:
        connection.execute(
            update(lane_order)
            .where(
                lane_order.c.lane_id == lane_id,
                lane_order.c.id.in_(list(order_ids)),
                lane_order.c.done_at.is_(None),
            )
            .values(done_at=at)
        )


def note_vehicle(connection: Connection, gone: LaneVehicle) -> None:
    """Write what became of a vehicle; the same one again, otherwise, replaces it."""
    values = {**asdict(gone), "outcome": gone.outcome.value}
    written = postgresql.insert(lane_vehicle).values(values)
    connection.execute(
        written.on_conflict_do_update(
            index_elements=["lane_id", "number"],
            set_={
                name: written.excluded[name]
                for name in values
                if name not in {"id", "lane_id", "number"}
            },
        )
    )


def vehicle(connection: Connection, lane_id: UUID, number: int) -> LaneVehicle | None:
    """Give what became of a vehicle, locked."""
    query = (
        select(lane_vehicle)
        .where(lane_vehicle.c.lane_id == lane_id, lane_vehicle.c.number == number)
        .with_for_update()
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _vehicle(row)


def vehicle_of_read(connection: Connection, read_id: UUID) -> LaneVehicle | None:
    """Give the vehicle that was taken for whom a read names, locked."""
    query = select(lane_vehicle).where(lane_vehicle.c.read_id == read_id).with_for_update()
    row = connection.execute(query.limit(1)).mappings().one_or_none()
    return None if row is None else _vehicle(row)


def latest_vehicles(
    connection: Connection, lane_ids: Collection[UUID], each: int
) -> dict[UUID, list[LaneVehicle]]:
    """Give the last vehicles of lanes, the latest first: one index look-up a lane."""
    of_lane = (
        select(lane_vehicle)
        .where(lane_vehicle.c.lane_id == lane.c.id)
        .order_by(lane_vehicle.c.id.desc())
        .limit(each)
        .lateral("of_lane")
    )
    query = select(of_lane).select_from(lane.join(of_lane, of_lane.c.lane_id == lane.c.id))
    query = query.where(lane.c.id.in_(list(lane_ids))).order_by(of_lane.c.id.desc())
    found: dict[UUID, list[LaneVehicle]] = {}
    for row in connection.execute(query).mappings():
        found.setdefault(row["lane_id"], []).append(_vehicle(row))
    return found


def raise_alarm(connection: Connection, alarm: LaneAlarm) -> None:
    """Write an alarm; a standing one that stands already is not written again."""
    connection.execute(
        postgresql.insert(lane_alarm)
        .values({**asdict(alarm), "kind": alarm.kind.value})
        .on_conflict_do_nothing()
    )


def end_alarm(connection: Connection, lane_id: UUID, kind: AlarmKind, at: datetime) -> None:
    """Note that what an alarm told of is over."""
    connection.execute(
        update(lane_alarm)
        .where(
            lane_alarm.c.lane_id == lane_id,
            lane_alarm.c.kind == kind.value,
            lane_alarm.c.ended_at.is_(None),
        )
        .values(ended_at=at)
    )


def tell_silent(connection: Connection, now: datetime, silent_after: timedelta) -> None:
    """Raise an alarm for each lane in service whose controller fell silent: one statement."""
    connection.execute(
        SILENT, {"now": now, "before_at": now - silent_after, "kind": AlarmKind.OFFLINE.value}
    )


def alarm(connection: Connection, alarm_id: UUID) -> LaneAlarm | None:
    """Give an alarm, locked."""
    query = select(lane_alarm).where(lane_alarm.c.id == alarm_id).with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _alarm(row)


def answer_alarm(
    connection: Connection, alarm_id: UUID, *, at: datetime, by: str, answer: str, note: str
) -> None:
    """Write what a person made of an alarm."""
    connection.execute(
        update(lane_alarm)
        .where(lane_alarm.c.id == alarm_id)
        .values(
            answered_at=at,
            answered_by=by,
            answer=answer,
            note=note,
            ended_at=func.coalesce(lane_alarm.c.ended_at, at),
        )
    )


def alarms(
    connection: Connection,
    *,
    lane_id: UUID | None = None,
    districts: frozenset[str] | None = None,
    unanswered: bool = True,
    after: UUID | None = None,
    limit: int = DEFAULT_PAGE,
) -> Page[LaneAlarm]:
    """Give alarms, the latest first."""
    query = select(lane_alarm).order_by(lane_alarm.c.id.desc()).limit(checked_limit(limit) + 1)
    if unanswered:
        query = query.where(lane_alarm.c.answered_at.is_(None))
    if lane_id is not None:
        query = query.where(lane_alarm.c.lane_id == lane_id)
    if districts is not None:
        query = query.where(lane_alarm.c.district.in_(sorted(districts)))
    if after is not None:
        query = query.where(lane_alarm.c.id < after)
    found = [_alarm(row) for row in connection.execute(query).mappings()]
    return paged(found, [each.id for each in found], limit)


def add_act(connection: Connection, act: LaneAct) -> None:
    """Write what somebody did at the desk."""
    values = {**asdict(act), "kind": act.kind.value, "reason": act.reason.value}
    connection.execute(insert(lane_act).values(values))


def acts(connection: Connection, lane_id: UUID, limit: int = 20) -> list[LaneAct]:
    """Give what was done at a lane's desk last, the latest first."""
    query = select(lane_act).where(lane_act.c.lane_id == lane_id)
    query = query.order_by(lane_act.c.id.desc()).limit(checked_limit(limit))
    return [_act(row) for row in connection.execute(query).mappings()]


def add_photo(connection: Connection, lane_id: UUID, order_id: UUID, frame_id: UUID) -> None:
    """Put the picture that an act asked for beside it."""
    connection.execute(
        update(lane_act)
        .where(
            lane_act.c.lane_id == lane_id,
            lane_act.c.photo_order_id == order_id,
            lane_act.c.frame_id.is_(None),
        )
        .values(frame_id=frame_id)
    )


def forget_before(connection: Connection, at: datetime, limit: int) -> int:
    """Delete orders and vehicles that are older, `limit` of each at most; give how many."""
    gone = 0
    for table, column in ((lane_order, "given_at"), (lane_vehicle, "ended_at")):
        old = select(table.c.id).where(table.c[column] < at).limit(limit).scalar_subquery()
        gone += connection.execute(delete(table).where(table.c.id.in_(old))).rowcount
    return gone


def _dumped(state: LaneState) -> Any:
    return _states().dump_python(state, mode="json")


def _kept(row: RowMapping) -> Kept:
    return Kept(
        _states().validate_python(row["state"]),
        row["standing"],
        row["life"],
        row["last_word"],
        row["heard_at"],
    )


def _lane(row: RowMapping) -> Lane:
    return Lane(
        row["id"],
        FacilityId(row["facility_id"]),
        DistrictCode(row["district"]),
        row["gate"],
        Way(row["way"]),
        row["registered_at"],
        row["retired_at"],
    )


def _order(row: RowMapping) -> LaneOrder:
    return LaneOrder(**{**row, "kind": OrderKind(row["kind"])})


def _vehicle(row: RowMapping) -> LaneVehicle:
    return LaneVehicle(**{**row, "outcome": Outcome(row["outcome"])})


def _alarm(row: RowMapping) -> LaneAlarm:
    return LaneAlarm(**{**row, "kind": AlarmKind(row["kind"])})


def _act(row: RowMapping) -> LaneAct:
    return LaneAct(**{**row, "kind": ActKind(row["kind"]), "reason": ActReason(row["reason"])})
