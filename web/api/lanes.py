"""Lanes of gates: what controllers and cameras tell, and what people do from the desk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import redis
import structlog
from apiflask import APIBlueprint

from city.errors import Invalid
from city.identifiers import FacilityId, VehicleId
from city.people import Role
from city.vehicles import parse_plate
from city.works import plate_passes
from journeys.run_lane import (
    LanePhoto,
    LaneRead,
    Report,
    Word,
    WordKind,
    photo_at_lane,
    read_at_lane,
    report,
)
from journeys.work_lanes import Answer, Judged, Wish, answer_alarm, set_fire, work_lane
from parking.rules.lanes.model import Barrier, Loop, Way
from parking.rules.lanes.registered import ActKind, ActReason
from parking.services import lanes as service
from parking.store import lanes as store
from web import access
from web.acts import act, act_on_plate
from web.api.cursors import after, cursor
from web.api.names import names_of
from web.api.plates import masked_plates, plate_read
from web.api.roles import KEEPERS
from web.api.schemas.lanes import (
    AlarmAnswerIn,
    AlarmsQuery,
    FireIn,
    LaneActIn,
    LaneActOut,
    LaneActsOut,
    LaneAlarmsOut,
    LaneAnsweredOut,
    LaneAnswerOut,
    LaneFireOut,
    LaneIn,
    LaneOut,
    LanePhotoIn,
    LanePhotoOut,
    LaneReadIn,
    LaneReportIn,
    LanesOut,
    LanesQuery,
)
from web.api.shown_lanes import (
    shown_act,
    shown_alarm,
    shown_answer,
    shown_lanes,
    shown_vehicle,
    whose,
)

if TYPE_CHECKING:
    from uuid import UUID

    from city.works.database import UnitOfWork
    from journeys.run_lane import LaneAnswer
    from lpr.rules.reads import PlateRead
    from web.api.schemas.lanes import LaneWordIn

log = structlog.get_logger("lanes")

blueprint = APIBlueprint("lanes", __name__, url_prefix="/api/v1", tag="Lanes")

DESK: Final = (Role.ATTENDANT, Role.OPERATOR)
WATCH: Final = (
    Role.ATTENDANT,
    Role.OPERATOR,
    Role.ENGINEER,
    Role.AUDITOR,
    Role.ADMINISTRATOR,
)


@blueprint.get("/lanes")
@access.allow(*WATCH)
@blueprint.input(LanesQuery, location="query")
@blueprint.output(LanesOut)
@blueprint.doc(summary="Lanes in service, how each stands, and its last vehicles")
def lanes(query_data: LanesQuery) -> dict[str, Any]:
    """List lanes."""
    wiring = access.wiring()
    with wiring.database.read() as connection:
        page = store.page(
            connection,
            facility_id=FacilityId(query_data.facility_id) if query_data.facility_id else None,
            districts=access.known_actor().districts,
            after=after(query_data.cursor),
            limit=query_data.limit,
        )
        items = shown_lanes(connection, page.items, wiring.clock)
    return {"at": wiring.clock.now(), "items": items, "next": cursor(page.next)}


@blueprint.post("/lanes")
@access.allow(*KEEPERS)
@act
@blueprint.input(LaneIn)
@blueprint.output(LaneOut, status_code=201)
@blueprint.doc(
    summary="Register a lane of a gate",
    description="Its controller and its cameras are registered as readers of the gate of its name.",
)
def register(uow: UnitOfWork, json_data: LaneIn) -> dict[str, Any]:
    """Register a lane."""
    facility_id, way = FacilityId(json_data.facility_id), Way(json_data.way)
    made = service.register(uow, access.known_actor(), facility_id, json_data.gate, way)
    return shown_lanes(uow.connection, [made], uow.clock)[0]


@blueprint.post("/lanes/<uuid:lane_id>/retirement")
@access.allow(*KEEPERS)
@act
@blueprint.output(LaneOut)
@blueprint.doc(summary="Take a lane out of service: nothing it says is taken any more")
def retire(uow: UnitOfWork, lane_id: UUID) -> dict[str, Any]:
    """Retire a lane."""
    gone = service.retire(uow, access.known_actor(), lane_id)
    return shown_lanes(uow.connection, [gone], uow.clock)[0]


@blueprint.post("/lanes/<uuid:lane_id>/reports")
@access.credential("integration", "device")
@blueprint.input(LaneReportIn)
@blueprint.output(LaneAnswerOut)
@blueprint.doc(
    summary="What happened in a lane since the last report, and what to do",
    description=(
        "Words are numbered from 1 in each life of the controller: what comes again is not taken "
        "again, and a gap means that words were lost. What happened while the line was down is "
        "told with its own times. Without words it is the heartbeat, every second or two; more "
        "than 15 s of silence is told to the desk. Orders come with each answer until the "
        "controller says `done` or they are void."
    ),
)
def reports(lane_id: UUID, json_data: LaneReportIn) -> dict[str, Any]:
    """Take a report."""
    told = Report(json_data.life, json_data.sent_at, tuple(_word(each) for each in json_data.words))
    with access.wiring().database.unit_of_work() as uow:
        answer = report(uow, access.known_actor(), lane_id, told)
        now = uow.clock.now()
    _tell_passes(answer)
    return shown_answer(answer, now, access.wiring().settings.page_origin)


@blueprint.post("/lanes/<uuid:lane_id>/reads")
@access.credential("integration", "device")
@blueprint.input(LaneReadIn)
@blueprint.output(LaneAnswerOut)
@blueprint.doc(
    summary="What a camera read of who stands before the barrier",
    description=(
        "May come a little before the loop feels the vehicle, and more than once: the surest "
        "counts. The answer has what the lane is to do, for cameras that drive their barrier "
        "themselves."
    ),
)
def reads(lane_id: UUID, json_data: LaneReadIn) -> dict[str, Any]:
    """Take a read."""
    sent = LaneRead(
        json_data.event_id,
        json_data.at,
        json_data.sent_at,
        _read(json_data),
        json_data.model,
        json_data.frame,
        None if json_data.corners is None else tuple(json_data.corners),
    )
    with access.wiring().database.unit_of_work() as uow:
        answer = read_at_lane(uow, access.known_actor(), lane_id, sent)
        now = uow.clock.now()
    return shown_answer(answer, now, access.wiring().settings.page_origin)


@blueprint.post("/lanes/<uuid:lane_id>/photos")
@access.credential("integration", "device")
@blueprint.input(LanePhotoIn)
@blueprint.output(LanePhotoOut)
@blueprint.doc(summary="The picture that an order `photo` asked for, for the act that asked")
def photos(lane_id: UUID, json_data: LanePhotoIn) -> dict[str, Any]:
    """Take a photo."""
    sent = LanePhoto(
        json_data.event_id,
        json_data.at,
        json_data.sent_at,
        json_data.order_id,
        json_data.frame,
    )
    with access.wiring().database.unit_of_work() as uow:
        return {"frame_id": photo_at_lane(uow, access.known_actor(), lane_id, sent).id}


@blueprint.get("/lanes/<uuid:lane_id>/acts")
@access.allow(*WATCH)
@blueprint.output(LaneActsOut)
@blueprint.doc(summary="What was done last at a lane's desk, the latest first")
def acts(lane_id: UUID) -> dict[str, Any]:
    """List acts."""
    with access.wiring().database.read() as connection:
        service.of_actor(connection, access.known_actor(), lane_id)
        found = store.acts(connection, lane_id)
        names = names_of(connection, {each.by for each in found})
    return {"items": [shown_act(each) for each in found], "names": names}


@blueprint.post("/lanes/<uuid:lane_id>/acts")
@access.allow(*DESK)
@act
@blueprint.input(LaneActIn)
@blueprint.output(LaneActOut, status_code=201)
@blueprint.doc(
    summary="Lift a barrier for one vehicle, keep it up, or let it down; with a reason, on record",
    description="A lift asks the lane for a photo, which stands beside the act once it came.",
)
def work(uow: UnitOfWork, lane_id: UUID, json_data: LaneActIn) -> dict[str, Any]:
    """Work a lane."""
    wish = Wish(ActKind(json_data.kind), ActReason(json_data.reason), json_data.note)
    return shown_act(work_lane(uow, access.known_actor(), lane_id, wish))


@blueprint.post("/facilities/<uuid:facility_id>/fire")
@access.allow(*DESK)
@act
@blueprint.input(FireIn)
@blueprint.output(LaneFireOut)
@blueprint.doc(summary="Fire: every barrier of a facility goes up and stays up until it is over")
def fire(uow: UnitOfWork, facility_id: UUID, json_data: FireIn) -> dict[str, Any]:
    """Set or end a fire."""
    done = set_fire(
        uow, access.known_actor(), FacilityId(facility_id), json_data.note, on=json_data.on
    )
    return {"items": [shown_act(each) for each in done]}


@blueprint.get("/lane-alarms")
@access.allow(*WATCH)
@blueprint.input(AlarmsQuery, location="query")
@blueprint.output(LaneAlarmsOut)
@blueprint.doc(summary="What a person should look at in lanes, the latest first")
def alarms(query_data: AlarmsQuery) -> dict[str, Any]:
    """List alarms."""
    with access.wiring().database.read() as connection:
        page = store.alarms(
            connection,
            lane_id=query_data.lane_id,
            districts=access.known_actor().districts,
            unanswered=not query_data.answered,
            after=after(query_data.cursor),
            limit=query_data.limit,
        )
        names = names_of(connection, {each.answered_by for each in page.items if each.answered_by})
    return {
        "items": [shown_alarm(each) for each in page.items],
        "next": cursor(page.next),
        "names": names,
    }


@blueprint.post("/lane-alarms/<uuid:alarm_id>/answer")
@access.allow(*DESK)
@act_on_plate
@blueprint.input(AlarmAnswerIn)
@blueprint.output(LaneAnsweredOut)
@blueprint.doc(
    summary="Say what an alarm was, with one press",
    description=(
        "`passed` tells the passage of a vehicle of which nobody knew, or whose plate nobody "
        "read: then with the plate as it stands on the picture."
    ),
)
def answer(uow: UnitOfWork, alarm_id: UUID, json_data: AlarmAnswerIn) -> dict[str, Any]:
    """Answer an alarm."""
    plate = None
    if json_data.plate is not None:
        plate = parse_plate(json_data.plate, json_data.plate_kind)
    judged = Judged(Answer(json_data.answer), json_data.note, plate)
    done, gone = answer_alarm(uow, access.known_actor(), alarm_id, judged)
    return {
        "alarm": shown_alarm(done),
        "vehicle": None if gone is None else shown_vehicle(gone, _plates(uow, gone.named)),
    }


def _tell_passes(answer: LaneAnswer) -> None:
    """Tell signals who drove through, once it is kept; where it is lost it costs nobody."""
    if not answer.passes:
        return
    try:
        plate_passes.publish(access.wiring().live, answer.passes)
    except redis.RedisError as error:
        log.warning("passes were not told", reason=str(error), lost=len(answer.passes))


def _plates(uow: UnitOfWork, named: dict[str, object] | None) -> dict[VehicleId, dict[str, Any]]:
    return masked_plates(uow.connection, [whose(named)])


def _read(sent: LaneWordIn | LaneReadIn) -> PlateRead | None:
    if sent.plate is None:
        if sent.confidences is not None or sent.plate_kind is not None:
            raise Invalid("are of a plate, and there is none", field="confidences")
        return None
    return plate_read(sent.plate, sent.plate_kind, sent.confidences)


def _word(sent: LaneWordIn) -> Word:
    return Word(
        sent.number,
        sent.at,
        WordKind(sent.kind),
        None if sent.loop is None else Loop(sent.loop),
        sent.on,
        None if sent.barrier is None else Barrier(sent.barrier),
        _read(sent),
        sent.ticket,
        sent.order_id,
    )
