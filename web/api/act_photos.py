"""Pictures that attendants take: sent with their acts, shown with stays, read for a plate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint
from flask import Response

from city.errors import NotFound
from city.identifiers import ParkingSessionId
from city.people import Role
from city.terminals.rules.photos import MOST_BYTES, Part
from journeys.drive_stay import is_own
from journeys.keep_act_photos import (
    PhotoPart,
    expect_no_more,
    keep_part,
    photos_of_stay,
    view_photo,
)
from journeys.read_plate import read_plates
from parking.services import stays
from web import access
from web.acts import act, look
from web.api.reads import JPEG
from web.api.roles import BACK_OFFICE
from web.api.schemas.act_photos import (
    GivenUpIn,
    GivenUpOut,
    PhotoPartIn,
    PhotoReceivedOut,
    PlateCandidatesOut,
    PlatePhotoIn,
    StayPhotosOut,
)

if TYPE_CHECKING:
    from uuid import UUID

    from city.works.database import UnitOfWork
    from parking.rules.stays import ParkingSession

blueprint = APIBlueprint("act_photos", __name__, url_prefix="/api/v1", tag="Terminals")


@blueprint.post("/terminals/photos")
@access.terminal()
@blueprint.input(PhotoPartIn)
@blueprint.output(PhotoReceivedOut)
@blueprint.doc(
    summary="A part of a picture that an act names, after the act",
    description=(
        "Parts follow each other; 409 `offset` says from which byte on. What is whole is held "
        "against the hash that the act named and kept sealed, as evidence of the stay."
    ),
)
def photo_part(json_data: PhotoPartIn) -> dict[str, Any]:
    """Take a part of a picture."""
    sent = PhotoPart(
        json_data.photo_id,
        json_data.act_id,
        json_data.bytes,
        Part(json_data.from_byte, json_data.part),
    )
    with access.wiring().database.unit_of_work() as uow:
        done = keep_part(uow, access.known_terminal(), sent)
    return {"received": done.bytes, "whole": done.whole}


@blueprint.post("/terminals/photos/<uuid:photo_id>/given-up")
@access.allow(Role.OPERATOR)
@act
@blueprint.input(GivenUpIn)
@blueprint.output(GivenUpOut)
@blueprint.doc(summary="Await a picture of an act no more, with a reason; on record")
def give_up_photo(uow: UnitOfWork, photo_id: UUID, json_data: GivenUpIn) -> dict[str, Any]:
    """Await a picture no more."""
    expect_no_more(uow, access.known_actor(), photo_id, json_data.reason)
    return {"photo_id": photo_id}


@blueprint.get("/sessions/<uuid:session_id>/photos")
@access.allow(*BACK_OFFICE, Role.DRIVER)
@look
@blueprint.output(StayPhotosOut)
@blueprint.doc(summary="The pictures of a stay; a driver's own")
def photos(uow: UnitOfWork, session_id: UUID) -> dict[str, Any]:
    """List a stay's pictures."""
    session = _stay(uow, session_id)
    found = photos_of_stay(uow, session, by_driver=_is_driver())
    return {
        "items": [
            {
                "id": each.id,
                "act_id": each.act_id,
                "sha256": each.sha256,
                "taken_at": None if each.frame is None else each.frame.taken_at,
                "state": "awaited" if each.frame is None else each.frame.state.value,
                "moment": None if each.moment is None else each.moment.value,
            }
            for each in found
        ]
    }


@blueprint.get("/sessions/<uuid:session_id>/photos/<uuid:photo_id>/picture")
@access.allow(Role.ATTENDANT, Role.INSPECTOR, Role.OPERATOR, Role.AUDITOR, Role.DRIVER)
@look
@blueprint.doc(summary="A picture of a stay, with everybody else in it hidden", responses=JPEG)
def photo(uow: UnitOfWork, session_id: UUID, photo_id: UUID) -> Response:
    """Show a picture; the look is on record."""
    session = _stay(uow, session_id)
    caller = access.known_actor()
    content = view_photo(uow, caller, session, photo_id, by_driver=_is_driver())
    answer = Response(content, content_type="image/jpeg")
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@blueprint.post("/plate-readings")
@access.allow(Role.ATTENDANT, Role.INSPECTOR, Role.OPERATOR)
@blueprint.input(PlatePhotoIn)
@blueprint.output(PlateCandidatesOut)
@blueprint.doc(summary="Read plates in a picture, for a person to confirm; it is not kept")
def read_plate(json_data: PlatePhotoIn) -> dict[str, Any]:
    """Read plates."""
    found = read_plates(json_data.photo, MOST_BYTES)
    return {
        "items": [
            {
                "text": each.text,
                "kind": each.kind.value,
                "confidence": round(each.confidence, 3),
                "band": each.band.value,
            }
            for each in found
        ]
    }


def _is_driver() -> bool:
    return not access.known_actor().has_any(*BACK_OFFICE)


def _stay(uow: UnitOfWork, session_id: UUID) -> ParkingSession:
    caller = access.known_actor()
    found = stays.find(uow.connection, ParkingSessionId(session_id))
    staff = caller.has_any(*BACK_OFFICE)
    if found is None or not (staff or is_own(uow.connection, caller, found)):
        raise NotFound("There is no such stay; a passing flicker may have been withdrawn.")
    if staff:
        access.require_district(found.district)
    return found
