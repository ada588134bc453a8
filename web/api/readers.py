"""Cameras and gates with a credential of their own, and what cameras read of bays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint

from city.identifiers import BayId, FacilityId
from journeys.keep_bay_frames import SentBayFrame, keep_bay_frame
from journeys.read_bay import BayRead, read_bay
from parking.rules.bay_reads import BayMoment
from parking.services import readers as service
from web import access
from web.acts import act, act_on_plate
from web.api.cursors import after, cursor
from web.api.plates import plate_read
from web.api.roles import KEEPERS, REGISTRY
from web.api.schemas.evidence import (
    BayFrameIn,
    BayFrameOut,
    BayReadIn,
    BayReadOut,
    ReaderIn,
    ReaderOut,
    ReadersOut,
    ReadersQuery,
)

if TYPE_CHECKING:
    from uuid import UUID

    from city.works.database import UnitOfWork
    from parking.rules.readers import Reader

blueprint = APIBlueprint("readers", __name__, url_prefix="/api/v1", tag="Gates")


def _shown(reader: Reader) -> dict[str, Any]:
    return {
        "id": reader.id,
        "subject": reader.subject,
        "kind": reader.kind.value,
        "facility_id": reader.facility_id,
        "gate": reader.gate,
        "bay_ids": sorted(reader.bay_ids),
        "registered_at": reader.registered_at,
        "retired_at": reader.retired_at,
    }


@blueprint.get("/readers")
@access.allow(*REGISTRY)
@blueprint.input(ReadersQuery, location="query")
@blueprint.output(ReadersOut)
@blueprint.doc(summary="Gates' readers and cameras, the newest first")
def readers(query_data: ReadersQuery) -> dict[str, Any]:
    """List readers."""
    with access.wiring().database.read() as connection:
        page = service.page(
            connection,
            facility_id=FacilityId(query_data.facility_id) if query_data.facility_id else None,
            districts=access.known_actor().districts,
            after=after(query_data.cursor),
            limit=query_data.limit,
        )
    return {"items": [_shown(each) for each in page.items], "next": cursor(page.next)}


@blueprint.post("/readers")
@access.allow(*KEEPERS)
@act
@blueprint.input(ReaderIn)
@blueprint.output(ReaderOut, status_code=201)
@blueprint.doc(
    summary="Register a gate's reader, or a camera with the bays that it sees",
    description="Its credential, of the same name, is issued by the administrator's command.",
)
def register(uow: UnitOfWork, json_data: ReaderIn) -> dict[str, Any]:
    """Register a reader."""
    made = service.register(
        uow,
        access.known_actor(),
        json_data.subject,
        FacilityId(json_data.facility_id),
        gate=json_data.gate,
        bay_ids=[BayId(each) for each in json_data.bay_ids],
    )
    return _shown(made)


@blueprint.post("/readers/<uuid:reader_id>/retirement")
@access.allow(*KEEPERS)
@act
@blueprint.output(ReaderOut)
@blueprint.doc(summary="Take a reader out of service: nothing it says is taken any more")
def retire(uow: UnitOfWork, reader_id: UUID) -> dict[str, Any]:
    """Retire a reader."""
    return _shown(service.retire(uow, access.known_actor(), reader_id))


@blueprint.post("/bays/<uuid:bay_id>/reads")
@access.credential("integration", "device")
@act_on_plate
@blueprint.input(BayReadIn)
@blueprint.output(BayReadOut)
@blueprint.doc(
    summary="A plate as a camera read it in a bay",
    description=(
        "A second witness beside the sensor: says whose the stay is where nobody did, confirms "
        "it, or holds it where it names another vehicle than was noted. It opens no stay, so it "
        "charges nobody by itself. May come in any order and more than once. A device tells of "
        "the bays for which it is registered as camera."
    ),
)
def read(uow: UnitOfWork, bay_id: UUID, json_data: BayReadIn) -> dict[str, Any]:
    """Take a read of a bay."""
    seen = plate_read(json_data.plate, json_data.plate_kind, json_data.confidences)
    sent = BayRead(BayId(bay_id), json_data.event_id, json_data.at, seen)
    done = read_bay(uow, access.known_actor(), sent)
    hold = None if done.session is None else done.session.stay.hold
    return {
        "outcome": done.outcome.value,
        "session_id": None if done.session is None else done.session.id,
        "hold": None if hold is None else hold.value,
        "repeated": done.repeated,
    }


@blueprint.post("/bays/<uuid:bay_id>/frames")
@access.credential("integration", "device")
@blueprint.input(BayFrameIn)
@blueprint.output(BayFrameOut)
@blueprint.doc(
    summary="A frame in which a camera saw a vehicle enter a bay, stand there or leave",
    description=(
        "Of a read that the sender told before; it stands with the stay of which the read speaks. "
        "Kept sealed; people see it with everybody else in it hidden. Sent again it is the same."
    ),
)
def frame(bay_id: UUID, json_data: BayFrameIn) -> dict[str, Any]:
    """Take a frame of a bay."""
    corners, outline = json_data.corners, json_data.outline
    sent = SentBayFrame(
        BayId(bay_id),
        json_data.event_id,
        BayMoment(json_data.moment),
        json_data.at,
        json_data.frame,
        None if corners is None else tuple(corners),
        None if outline is None else tuple(outline),
    )
    with access.wiring().database.unit_of_work() as uow:
        return {"frame_id": keep_bay_frame(uow, access.known_actor(), sent).id}
