"""Lanes as responses carry them; plates masked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from city.identifiers import VehicleId
from city.time import speed_of
from parking.rules.lanes.model import DEFAULT_POLICY
from parking.store import lanes as store
from web.api.plates import masked_plates

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from city.time import Clock
    from journeys.run_lane import LaneAnswer
    from parking.rules.lanes.model import Vehicle
    from parking.rules.lanes.registered import Lane, LaneAct, LaneAlarm, LaneVehicle

    Plates = Mapping[VehicleId, dict[str, Any]]

LAST_VEHICLES: Final = 5


def shown_lanes(
    connection: Connection, lanes: Sequence[Lane], clock: Clock
) -> list[dict[str, Any]]:
    """Return lanes with how they stand: four queries, however many there are."""
    ids = [each.id for each in lanes]
    standing = store.standing(connection, ids)
    vehicles = store.latest_vehicles(connection, ids, LAST_VEHICLES)
    named: list[Any] = [each.named for some in vehicles.values() for each in some]
    for kept in standing.values():
        named += kept.standing.values()
    plates = masked_plates(connection, [whose(each) for each in named])
    silent_after = DEFAULT_POLICY.at_speed(speed_of(clock)).silent_after
    now = clock.now()
    return [
        _lane(
            each,
            standing[each.id],
            vehicles.get(each.id, []),
            plates,
            online=_online(standing[each.id].heard_at, now, silent_after),
        )
        for each in lanes
    ]


def _online(heard_at: datetime | None, now: datetime, silent_after: Any) -> bool | None:
    return None if heard_at is None else now - heard_at <= silent_after


def _lane(
    lane: Lane,
    kept: store.Kept,
    vehicles: Sequence[LaneVehicle],
    plates: Plates,
    *,
    online: bool | None,
) -> dict[str, Any]:
    state = kept.state
    return {
        "id": lane.id,
        "facility_id": lane.facility_id,
        "district": lane.district,
        "gate": lane.gate,
        "way": lane.way.value,
        "registered_at": lane.registered_at,
        "retired_at": lane.retired_at,
        "barrier": state.barrier.value,
        "approach": state.approach,
        "beneath": state.beneath,
        "fire": state.fire,
        "held": state.held,
        "heard_at": kept.heard_at,
        "online": online,
        "waiting": None if state.waiting is None else _waiting(state.waiting, kept, plates),
        "vehicles": [shown_vehicle(each, plates) for each in vehicles],
    }


def _waiting(vehicle: Vehicle, kept: store.Kept, plates: Plates) -> dict[str, Any]:
    seen = vehicle.seen
    known: Any = {} if seen is None else kept.standing.get(seen.read_id) or {}
    vehicle_id = whose(known)
    return {
        "number": vehicle.number,
        "since_at": vehicle.since_at,
        "plate": None if vehicle_id is None else plates.get(vehicle_id),
        "read_id": None if seen is None else seen.read_id,
        "certainty": None if seen is None else seen.certainty,
        "verdict": None if vehicle.verdict is None else vehicle.verdict.value,
        "because": known.get("because"),
        "due": known.get("due"),
        "granted_by": None if vehicle.grant is None else vehicle.grant.value,
    }


def shown_vehicle(gone: LaneVehicle, plates: Plates) -> dict[str, Any]:
    """Return a vehicle that is not in the lane any more."""
    vehicle_id = whose(gone.named)
    return {
        "number": gone.number,
        "since_at": gone.since_at,
        "ended_at": gone.ended_at,
        "outcome": gone.outcome.value,
        "granted_by": gone.granted_by,
        "alarmed": gone.alarmed,
        "plate": None if vehicle_id is None else plates.get(vehicle_id),
        "read_id": gone.read_id,
        "session_id": gone.session_id,
        "became": gone.became,
    }


def whose(named: Any) -> VehicleId | None:
    """Give the vehicle that was read, of whom a read was taken for."""
    if not isinstance(named, dict):
        return None
    known = named.get("read_as") or named.get("admitted_as")
    return None if known is None else VehicleId(UUID(str(known)))


def shown_answer(answer: LaneAnswer, now: datetime, origin: str) -> dict[str, Any]:
    """Return what a lane is told."""
    told = answer.standing
    link = told.get("link")
    return {
        "last_word": answer.last_word,
        "orders": [
            {
                "id": each.id,
                "kind": each.kind.value,
                "detail": each.detail,
                "void_in_s": round((each.void_at - now).total_seconds(), 3),
            }
            for each in answer.orders
        ],
        "standing": None
        if not told
        else {
            "verdict": told.get("verdict"),
            "because": told.get("because"),
            "due": told.get("due"),
            "link": f"{origin}/pay/{link}" if link else None,
        },
        "read_id": answer.read_id,
        "repeated": answer.repeated,
    }


def shown_act(act: LaneAct) -> dict[str, Any]:
    """Return what somebody did at the desk."""
    return {
        "id": act.id,
        "lane_id": act.lane_id,
        "kind": act.kind.value,
        "reason": act.reason.value,
        "note": act.note,
        "number": act.number,
        "at": act.at,
        "by": act.by,
        "photo_order_id": act.photo_order_id,
        "frame_id": act.frame_id,
    }


def shown_alarm(alarm: LaneAlarm) -> dict[str, Any]:
    """Return an alarm."""
    return {
        "id": alarm.id,
        "lane_id": alarm.lane_id,
        "facility_id": alarm.facility_id,
        "kind": alarm.kind.value,
        "number": alarm.number,
        "read_id": alarm.read_id,
        "began_at": alarm.began_at,
        "ended_at": alarm.ended_at,
        "answered_at": alarm.answered_at,
        "answered_by": alarm.answered_by,
        "answer": alarm.answer,
        "note": alarm.note,
    }
