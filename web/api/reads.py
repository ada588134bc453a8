"""Reads of cameras: lists, reviews, searches, and their pictures; seen on record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from apiflask import APIBlueprint
from flask import Response

from city.errors import NotFound
from city.identifiers import FacilityId
from city.people import Role
from city.vehicles import parse_plate
from journeys.review_reads import Search, cameras_by_hour, home_of, review_read, search_reads
from lpr.rules.frames import FramePart
from lpr.rules.reviews import ReviewAnswer
from lpr.services import evidence
from lpr.store import frames, read_lists
from lpr.store import reads as store
from web import access
from web.acts import act_on_plate, look
from web.api.cursors import after, cursor
from web.api.plates import masked_plates, one_plate
from web.api.schemas.evidence import PlateShownOut
from web.api.schemas.lanes import PictureQuery
from web.api.schemas.reads import (
    CamerasOut,
    CamerasQuery,
    ReadSearchIn,
    ReadsFoundOut,
    ReadsOut,
    ReadsQuery,
    ReviewedOut,
    ReviewIn,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from sqlalchemy import Connection

    from city.works.database import UnitOfWork
    from lpr.rules.kept_reads import KeptRead

blueprint = APIBlueprint("reads", __name__, url_prefix="/api/v1", tag="Reads")

SEES_READS: Final = (
    Role.ATTENDANT,
    Role.OPERATOR,
    Role.ENGINEER,
    Role.AUDITOR,
    Role.ADMINISTRATOR,
)
JPEG: Final[dict[int, Any]] = {
    200: {
        "description": "a JPEG",
        "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}},
    }
}
SEES_PICTURES: Final = (Role.ATTENDANT, Role.INSPECTOR, Role.OPERATOR, Role.AUDITOR)
"""Whose work needs to see who stood at a gate; each look is recorded."""


@blueprint.get("/frames/<uuid:frame_id>/picture")
@access.allow(*SEES_PICTURES)
@look
@blueprint.input(PictureQuery, location="query")
@blueprint.doc(
    summary="A frame, with everybody else in it hidden, or its plate alone; on record",
    responses=JPEG,
)
def picture(uow: UnitOfWork, frame_id: UUID, query_data: PictureQuery) -> Response:
    """Show a frame."""
    return _shown(uow, frame_id, query_data)


@blueprint.get("/reads/<uuid:read_id>/picture")
@access.allow(*SEES_PICTURES)
@look
@blueprint.input(PictureQuery, location="query")
@blueprint.doc(
    summary="The frame of a read, with everybody else in it hidden; on record",
    responses=JPEG,
)
def picture_of_read(uow: UnitOfWork, read_id: UUID, query_data: PictureQuery) -> Response:
    """Show the frame of a read."""
    found = frames.of_read(uow.connection, read_id)
    if found is None:
        raise NotFound("there is no such picture", field="read_id")
    return _shown(uow, found.id, query_data)


@blueprint.get("/reads")
@access.allow(*SEES_READS)
@blueprint.input(ReadsQuery, location="query")
@blueprint.output(ReadsOut)
@blueprint.doc(summary="Reads of a facility's cameras, the latest first; plates are masked")
def reads(query_data: ReadsQuery) -> dict[str, Any]:
    """List reads."""
    facility_id, caller = FacilityId(query_data.facility_id), access.known_actor()
    wanted = read_lists.waiting if query_data.waiting else read_lists.latest
    with access.wiring().database.read() as connection:
        home_of(connection, caller, facility_id)
        begin, limit = after(query_data.cursor), query_data.limit
        found = wanted(connection, facility_id, after=begin, limit=limit)
        items = _reads(connection, found[:limit])
        left = read_lists.count_waiting(connection, facility_id)
    more = found[limit - 1].id if len(found) > limit else None
    return {"items": items, "waiting": left, "next": cursor(more)}


@blueprint.get("/reads/<uuid:read_id>/plate")
@access.allow(Role.ATTENDANT, Role.OPERATOR)
@look
@blueprint.output(PlateShownOut)
@blueprint.doc(summary="What was read, whole; on record")
def plate(uow: UnitOfWork, read_id: UUID) -> dict[str, Any]:
    """Show what was read."""
    found = store.find(uow.connection, read_id)
    if found is None:
        raise NotFound("there is no such read", field="read_id")
    access.require_district(found.district)
    return {"plate": one_plate(uow, access.known_actor(), found.vehicle_id, "read shown")}


@blueprint.post("/reads/<uuid:read_id>/review")
@access.allow(Role.ATTENDANT, Role.OPERATOR)
@act_on_plate
@blueprint.input(ReviewIn)
@blueprint.output(ReviewedOut)
@blueprint.doc(
    summary="Say what stands on a read's picture; what followed from a wrong one is put right",
    description=(
        "The stay gets the plate that is stated, or the passage that nobody could match its "
        "stay, unless it is billed. Reviewed reads are the labelled set."
    ),
)
def review(uow: UnitOfWork, read_id: UUID, json_data: ReviewIn) -> dict[str, Any]:
    """Review a read."""
    stated = None
    if json_data.plate is not None:
        stated = parse_plate(json_data.plate, json_data.plate_kind)
    said = ReviewAnswer(json_data.answer)
    done = review_read(uow, access.known_actor(), read_id, said, stated)
    return {"read": _reads(uow.connection, [done.read])[0], "stay": done.stay}


@blueprint.post("/reads/search")
@access.allow(Role.OPERATOR)
@act_on_plate
@blueprint.input(ReadSearchIn)
@blueprint.output(ReadsFoundOut)
@blueprint.doc(
    summary="Find reads by part of a plate at one facility within a day; on record with its reason"
)
def search(uow: UnitOfWork, json_data: ReadSearchIn) -> dict[str, Any]:
    """Search reads."""
    wanted = Search(
        FacilityId(json_data.facility_id),
        json_data.from_at,
        json_data.to_at,
        json_data.part,
        json_data.reason,
    )
    found = search_reads(uow, access.known_actor(), wanted)
    return {
        "items": _reads(uow.connection, found.reads),
        "looked_at": found.looked_at,
        "all_looked_at": found.all_looked_at,
    }


@blueprint.get("/reads/cameras")
@access.allow(*SEES_READS)
@blueprint.input(CamerasQuery, location="query")
@blueprint.output(CamerasOut)
@blueprint.doc(summary="How each camera of a facility did by hour, as far as reviews tell")
def cameras(query_data: CamerasQuery) -> dict[str, Any]:
    """List cameras by hour."""
    facility_id = FacilityId(query_data.facility_id)
    with access.wiring().database.read() as connection:
        home_of(connection, access.known_actor(), facility_id)
        found = cameras_by_hour(connection, facility_id, query_data.from_at, query_data.to_at)
    return {
        "items": [
            {
                "camera": each.camera,
                "hour_at": each.hour_at,
                "reads": each.reads,
                "accepted": each.accepted,
                "reviewed": each.reviewed,
                "right": each.right,
                "last_at": each.last_at,
                "certainty": each.certainty,
                "accuracy": None
                if each.estimate is None
                else {
                    "share": each.estimate.share,
                    "low": each.estimate.low,
                    "high": each.estimate.high,
                },
            }
            for each in found
        ]
    }


def _reads(connection: Connection, found: Sequence[KeptRead]) -> list[dict[str, Any]]:
    whose = [each.vehicle_id for each in found] + [each.stated_as for each in found]
    plates = masked_plates(connection, whose)
    pictures = frames.of_reads(connection, [each.id for each in found])
    return [
        {
            "id": each.id,
            "facility_id": each.facility_id,
            "lane_id": each.lane_id,
            "camera": each.camera,
            "at": each.at,
            "plate": None if each.vehicle_id is None else plates.get(each.vehicle_id),
            "confidences": list(each.confidences),
            "certainty": each.certainty,
            "band": each.band.value,
            "model": each.model,
            "picture": pictures[each.id].state.value if each.id in pictures else "none",
            "review": each.review.value,
            "answer": None if each.answer is None else each.answer.value,
            "reviewed_at": each.reviewed_at,
            "stated_as": None if each.stated_as is None else plates.get(each.stated_as),
        }
        for each in found
    ]


def _shown(uow: UnitOfWork, frame_id: UUID, query: PictureQuery) -> Response:
    _, content = evidence.view_frame(uow, access.known_actor(), frame_id, FramePart(query.part))
    answer = Response(content, content_type="image/jpeg")
    # Each look is on record: none is answered from a cache.
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
