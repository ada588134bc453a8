"""Plan versions driven in simulation beside what ran before, and a replay to look at."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint
from flask import Response, request

from signals.services import drives as service
from web import access
from web.acts import act
from web.api.schemas.signal_drives import SignalDriveIn, SignalDriveOut
from web.api.signal_plans import PLAN, drive_out
from web.api.signals import AUTHORS, READERS

if TYPE_CHECKING:
    from uuid import UUID

    from city.works.database import UnitOfWork

blueprint = APIBlueprint("signal_drives", __name__, url_prefix="/api/v1", tag="Signals")

DRIVE = "/signal-drives/<uuid:drive_id>"


@blueprint.post(f"{PLAN}/drives")
@access.allow(*AUTHORS)
@act
@blueprint.input(SignalDriveIn)
@blueprint.output(SignalDriveOut, status_code=202)
@blueprint.doc(summary="Drive a version in simulation beside what ran before; a job runs it")
def drive_signal_plan(
    uow: UnitOfWork, version_id: UUID, json_data: SignalDriveIn
) -> dict[str, Any]:
    """Ask for a drive."""
    return drive_out(
        service.ask(
            uow,
            access.known_actor(),
            version_id,
            revision=json_data.revision,
            seeds=json_data.seeds,
        )
    )


@blueprint.get(DRIVE)
@access.allow(*READERS)
@blueprint.output(SignalDriveOut)
@blueprint.doc(summary="A drive: how far it is, and what it measured")
def signal_drive(drive_id: UUID) -> dict[str, Any]:
    """Show a drive."""
    with access.wiring().database.read() as connection:
        return drive_out(service.find(connection, drive_id))


@blueprint.post(f"{DRIVE}/cancellation")
@access.allow(*AUTHORS)
@act
@blueprint.output(SignalDriveOut)
@blueprint.doc(summary="Cancel a drive that has not ended")
def cancel_signal_drive(uow: UnitOfWork, drive_id: UUID) -> dict[str, Any]:
    """Cancel a drive."""
    return drive_out(service.cancel(uow, access.known_actor(), drive_id))


@blueprint.get(f"{DRIVE}/replay")
@access.allow(*READERS)
@blueprint.doc(
    summary="Vehicles second by second and what lamps showed, before and after (docs/signals.md)"
)
def signal_drive_replay(drive_id: UUID) -> Response:
    """Give the replay, packed where the reader unpacks it."""
    with access.wiring().database.read() as connection:
        content = service.replay_of(connection, drive_id)
    packed = request.accept_encodings["gzip"] > 0
    answer = Response(content if packed else gzip.decompress(content), mimetype="application/json")
    if packed:
        answer.headers["Content-Encoding"] = "gzip"
    answer.vary.add("Accept-Encoding")
    return answer
