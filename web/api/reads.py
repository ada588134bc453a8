"""Reads of cameras and their pictures: seen on record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from apiflask import APIBlueprint
from flask import Response

from city.errors import NotFound
from city.people import Role
from lpr.rules.frames import FramePart
from lpr.services import evidence
from lpr.store import frames
from web import access
from web.acts import look
from web.api.schemas.lanes import PictureQuery

if TYPE_CHECKING:
    from uuid import UUID

    from city.works.database import UnitOfWork

blueprint = APIBlueprint("reads", __name__, url_prefix="/api/v1", tag="Reads")

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


def _shown(uow: UnitOfWork, frame_id: UUID, query: PictureQuery) -> Response:
    _, content = evidence.view_frame(uow, access.known_actor(), frame_id, FramePart(query.part))
    answer = Response(content, content_type="image/jpeg")
    # Each look is on record: none is answered from a cache.
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
