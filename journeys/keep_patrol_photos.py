"""Photos that people take on their round: sealed, kept as evidence of the stay that called them."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from city.audit import record
from city.errors import Conflict, Forbidden, NotFound
from city.people.actors import Actor
from city.works.database import UnitOfWork
from journeys.keep_patrol import WALKERS
from lpr.services import evidence
from lpr.services.evidence import SentFrame
from parking.rules.patrol import MOST_PHOTOS, Mark, PatrolPhoto, when
from parking.store import patrol, patrol_photos

if TYPE_CHECKING:
    from pydantic import JsonValue


@dataclass(frozen=True, slots=True)
class TakenPhoto:
    """A photo as a device sends it; `id` was made there, so that it counts once."""

    id: UUID
    task_id: UUID
    taken_at: datetime
    content: bytes


def keep_photo(uow: UnitOfWork, actor: Actor, taken: TakenPhoto) -> PatrolPhoto:
    """Keep a photo of a task's stay; sent again, it is the same one.

    Parameters
    ----------
    uow : UnitOfWork
        Keeps photo, frame and audit record together.
    actor : Actor
        Who may walk a round, in the task's district.
    taken : TakenPhoto
        Its time is held between when the task arose and now: a device's clock may be off.

    Raises
    ------
    NotFound
        Where the task is not known any more.
    Forbidden
        Without the role, or in another district.
    Conflict
        Where the task is about no stay, has photos enough, or another photo has the id.
    Invalid
        Where it is no JPEG, or too large.
    """
    actor.require(*WALKERS)
    task = patrol.by_ids(uow.connection, [taken.task_id]).get(taken.task_id)
    if task is None:
        raise NotFound("this task is not known any more", field="task_id")
    if not actor.in_district(task.district):
        raise Forbidden("the task is in another district than yours")
    if task.session_id is None:
        raise Conflict("the task is about no stay", field="task_id", reason="no-stay")
    sha256 = hashlib.sha256(taken.content).hexdigest()
    before = patrol_photos.find(uow.connection, taken.id)
    if before is not None:
        if (before.task_id, before.sha256) != (task.id, sha256):
            raise Conflict("another picture has this id", field="photo_id", reason="id-used")
        return before
    # The task is held: two devices do not pass its limit together.
    if patrol_photos.count_of_task(uow.connection, task.id) >= MOST_PHOTOS:
        raise Conflict(f"the task has {MOST_PHOTOS} photos", field="task_id", reason="enough")
    at = when(Mark(task.id, taken.taken_at, done=False), task, uow.clock.now())
    frame = evidence.keep_frame(
        uow,
        SentFrame(
            event_key=f"patrol-photo:{taken.id}",
            facility_id=task.facility_id,
            district=task.district,
            lane_id=None,
            camera="patrol",
            taken_at=at,
            content=taken.content,
            unclear=True,
        ),
    )
    photo = PatrolPhoto(taken.id, task.id, task.session_id, sha256, at, actor.subject, frame.id)
    patrol_photos.add(uow.connection, photo)
    detail: dict[str, JsonValue] = {"session_id": str(task.session_id), "sha256": sha256}
    record(uow, actor, "parking.patrol_photo_kept", "frame", str(frame.id), detail)
    return photo
