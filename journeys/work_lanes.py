"""What people do with lanes from the desk: lift, hold, lower, fire, and answer alarms.

Each act is on record with its reason. A lift asks the lane for a photo of whom it was for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from pydantic import JsonValue

from city.audit import record
from city.errors import Conflict, Invalid, NotFound
from city.identifiers import FacilityId
from city.people.actors import Actor
from city.time import speed_of
from city.vault import keep_plate
from city.vehicles import PlateNumber
from city.works.database import Database, UnitOfWork
from city.works.jobs import Task
from journeys.lane_turn import LaneTurn, lane_of, tell_passage
from parking.rules.evidence import STATED
from parking.rules.lanes.model import (
    DEFAULT_POLICY,
    DeskHeld,
    DeskLifted,
    DeskLowered,
    Event,
    FireChanged,
)
from parking.rules.lanes.registered import (
    ActKind,
    ActReason,
    LaneAct,
    LaneAlarm,
    LaneVehicle,
    Outcome,
)
from parking.services import lanes, places
from parking.store import lanes as store

KEPT_FOR: Final = timedelta(days=180)
"""Orders and vehicles of lanes are history by then."""
FORGET_AT_ONCE: Final = 5_000
MOST_LANES: Final = 200
"""Lanes of one facility: an airport has some dozens."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody at the desk wants done, and why."""

    kind: ActKind
    reason: ActReason
    note: str = ""


class Answer(StrEnum):
    """What a person makes of an alarm: one press."""

    SEEN = "seen"
    """Nothing more to do."""
    PASSED = "passed"
    """The vehicle went through: its passage is told now."""
    BACKED = "backed"
    """It went away again."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What a person makes of an alarm.

    Parameters
    ----------
    answer : Answer
    note : str
    plate : PlateNumber or None
        As the person reads it on the picture, where the camera read none or another one.
    """

    answer: Answer
    note: str = ""
    plate: PlateNumber | None = None


def work_lane(uow: UnitOfWork, actor: Actor, lane_id: UUID, wish: Wish) -> LaneAct:
    """Lift a lane's barrier for one vehicle, keep it up, or let it down.

    Raises
    ------
    NotFound
        Where there is no such lane in the actor's districts.
    Invalid
        For a fire, which is a facility's; where another reason is given without saying which.
    """
    if wish.kind in {ActKind.FIRE, ActKind.FIRE_OVER}:
        raise Invalid("is of a whole facility", field="kind")
    lanes.of_actor(uow.connection, actor, lane_id)
    return _do(uow, actor, lane_id, wish)


def set_fire(
    uow: UnitOfWork, actor: Actor, facility_id: FacilityId, note: str, *, on: bool
) -> list[LaneAct]:
    """Open every lane of a facility and keep them open, or say that it is over.

    Raises
    ------
    NotFound
        Where there is no such facility in the actor's districts, or it has no lanes.
    """
    home = places.facilities_by_id(uow.connection, [facility_id]).get(facility_id)
    if home is None or not actor.in_district(home.district):
        raise NotFound("there is no such facility in your districts", field="facility_id")
    found = store.page(uow.connection, facility_id=facility_id, limit=MOST_LANES)
    if not found.items:
        raise NotFound("the facility has no lanes", field="facility_id")
    wish = Wish(ActKind.FIRE if on else ActKind.FIRE_OVER, ActReason.EMERGENCY, note)
    return [
        _do(uow, actor, lane.id, wish) for lane in sorted(found.items, key=lambda each: each.id)
    ]


def _do(uow: UnitOfWork, actor: Actor, lane_id: UUID, wish: Wish) -> LaneAct:
    kind = wish.kind
    turn = LaneTurn(uow, lane_of(uow, lane_id), joins=False)
    waiting = turn.kept.state.waiting
    turn.take(_event(kind, turn))
    act = LaneAct(
        lane_id,
        turn.lane.facility_id,
        turn.lane.district,
        kind,
        wish.reason,
        wish.note.strip(),
        turn.now,
        actor.subject,
        None if waiting is None else waiting.number,
        turn.photo() if kind in {ActKind.LIFT, ActKind.HOLD} else None,
    )
    turn.finish()
    store.add_act(uow.connection, act)
    facts: dict[str, JsonValue] = {
        "kind": kind.value,
        "reason": wish.reason.value,
        "note": act.note,
    }
    record(uow, actor, "parking.lane_worked", "lane", str(lane_id), facts)
    return act


def _event(kind: ActKind, turn: LaneTurn) -> Event:
    if kind is ActKind.LIFT:
        return DeskLifted(turn.now)
    if kind is ActKind.HOLD:
        return DeskHeld(turn.now)
    if kind is ActKind.LOWER:
        return DeskLowered(turn.now)
    return FireChanged(turn.now, kind is ActKind.FIRE)


def answer_alarm(
    uow: UnitOfWork, actor: Actor, alarm_id: UUID, judged: Judged
) -> tuple[LaneAlarm, LaneVehicle | None]:
    """Say what an alarm was; give it, and its vehicle where its passage is told by that.

    Raises
    ------
    NotFound
        Where there is no such alarm in the actor's districts.
    Conflict
        Where somebody answered it.
    Invalid
        Where a passage is to be told of an alarm without a vehicle, or of one without a plate.
    """
    found = store.alarm(uow.connection, alarm_id)
    if found is None or not actor.in_district(found.district):
        raise NotFound("there is no such alarm", field="alarm_id")
    if found.answered_at is not None:
        raise Conflict("somebody answered it", field="alarm_id", reason="answered")
    gone = None
    if judged.answer is Answer.PASSED:
        gone = _tell(uow, found, judged.plate)
    elif judged.answer is Answer.BACKED:
        gone = _back(uow, found)
    store.answer_alarm(
        uow.connection,
        alarm_id,
        at=uow.clock.now(),
        by=actor.subject,
        answer=judged.answer.value,
        note=judged.note.strip(),
    )
    facts: dict[str, JsonValue] = {
        "kind": found.kind.value,
        "answer": judged.answer.value,
        "note": judged.note.strip(),
        "plate_stated": judged.plate is not None,
    }
    record(uow, actor, "parking.lane_alarm_answered", "lane-alarm", str(alarm_id), facts)
    return store.alarm(uow.connection, alarm_id) or found, gone


def _vehicle(uow: UnitOfWork, alarm: LaneAlarm) -> LaneVehicle:
    gone = None
    if alarm.number is not None:
        gone = store.vehicle(uow.connection, alarm.lane_id, alarm.number)
    if gone is None:
        raise Invalid("is of no vehicle", field="answer")
    return gone


def _tell(uow: UnitOfWork, alarm: LaneAlarm, plate: PlateNumber | None) -> LaneVehicle:
    gone = _vehicle(uow, alarm)
    if gone.evidence_id is not None:
        raise Conflict("its passage is known", field="answer", reason="known")
    named = gone.named
    if plate is not None:
        stated = keep_plate(uow, plate)
        named = {
            "admitted_as": str(stated),
            "read_as": None,
            "certainty": STATED,
            "detail": {"stated": True},
        }
    if named is None:
        raise Invalid("nobody read it: state the plate", field="plate")
    lane = lane_of(uow, alarm.lane_id)
    told = tell_passage(uow, lane, replace(gone, named=named))
    store.note_vehicle(uow.connection, told)
    return told


def _back(uow: UnitOfWork, alarm: LaneAlarm) -> LaneVehicle:
    gone = _vehicle(uow, alarm)
    if gone.evidence_id is not None:
        raise Conflict("its passage is known", field="answer", reason="known")
    told = replace(gone, outcome=Outcome.BACKED)
    store.note_vehicle(uow.connection, told)
    return told


def tasks(database: Database) -> list[Task]:
    """Give what workers do about lanes: tell of silent ones, forget what is old."""

    def watch(arguments: Mapping[str, JsonValue]) -> None:
        del arguments
        with database.unit_of_work() as uow:
            silent_after = DEFAULT_POLICY.at_speed(speed_of(uow.clock)).silent_after
            store.tell_silent(uow.connection, uow.clock.now(), silent_after)

    def forget(arguments: Mapping[str, JsonValue]) -> None:
        del arguments
        while True:
            with database.unit_of_work() as uow:
                before_at = uow.clock.now() - KEPT_FOR
                gone = store.forget_before(uow.connection, before_at, FORGET_AT_ONCE)
            if gone < FORGET_AT_ONCE:
                return

    return [
        Task("parking.watch_lanes", watch, every="* * * * *"),
        Task("parking.forget_lanes", forget, every="52 3 * * *"),
    ]
