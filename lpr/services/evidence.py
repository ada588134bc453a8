"""Frames as evidence: kept sealed, shown once others in them are hidden, forgotten by policy."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from pydantic import JsonValue

from city import vault
from city.audit import record
from city.errors import Conflict, Invalid, NotFound
from city.identifiers import DistrictCode, FacilityId, uuid7
from city.people.actors import Actor
from city.works.database import Database, UnitOfWork
from city.works.jobs import Task
from city.works.settings import settings
from lpr.rules.frames import Corners, Frame, FramePart, FrameState, RetentionPolicy
from lpr.store import frames as store
from lpr.store import reads

HIDE: Final = "lpr.hide_others"
FORGET_AT_ONCE: Final = 200
MOST_BYTES: Final = 1_048_576
JPEG: Final = b"\xff\xd8\xff"
_QUALITY: Final = 85
_MOST_PIXELS: Final = 12_000_000


@dataclass(frozen=True, slots=True)
class SentFrame:
    """A picture as a camera sends it."""

    event_key: str
    facility_id: FacilityId
    district: DistrictCode
    lane_id: UUID | None
    camera: str
    taken_at: datetime
    content: bytes
    read_id: UUID | None = None
    corners: Corners | None = None
    outline: Corners | None = None
    """Of the bay, in pixels: its lines are drawn into what is shown."""
    unclear: bool = False
    """Whether a person will have to look at it."""


def retention() -> RetentionPolicy:
    """Give for how long this installation keeps frames."""
    known = settings()
    ordinary = known.evidence_days
    return RetentionPolicy(ordinary, max(ordinary, known.unclear_evidence_days))


def ask_person(uow: UnitOfWork, read_id: UUID, taken_at: datetime) -> None:
    """Put a read before a person, and keep its frame for as long as such are kept."""
    reads.ask_review(uow.connection, read_id)
    store.keep_longer(uow.connection, read_id, retention().until(taken_at, unclear=True))


def keep_frame(uow: UnitOfWork, sent: SentFrame) -> Frame:
    """Keep a frame sealed, and have others in it hidden; sent again, it is the same frame.

    Raises
    ------
    Invalid
        Where it is no JPEG, or too large.
    """
    if not sent.content.startswith(JPEG):
        raise Invalid("must be a JPEG picture", field="frame")
    if len(sent.content) > MOST_BYTES:
        raise Invalid(f"must have at most {MOST_BYTES} bytes", field="frame")
    before = store.by_event(uow.connection, sent.event_key)
    if before is not None:
        return before
    new = Frame(
        id=uuid7(),
        event_key=sent.event_key,
        facility_id=sent.facility_id,
        district=sent.district,
        lane_id=sent.lane_id,
        camera=sent.camera,
        read_id=sent.read_id,
        taken_at=sent.taken_at,
        received_at=uow.clock.now(),
        kept_until_at=retention().until(sent.taken_at, unclear=sent.unclear),
        state=FrameState.RAW,
        sent_sha256=hashlib.sha256(sent.content).hexdigest(),
        picture_id=vault.keep_picture(uow, sent.content),
        corners=sent.corners,
        outline=sent.outline,
    )
    store.add_once(uow.connection, new)
    uow.defer(HIDE, {"frame_id": str(new.id)})
    return new


def hide_others(uow: UnitOfWork, frame_id: UUID) -> None:
    """Make a frame show one plate alone; what it was before is forgotten."""
    found = store.find(uow.connection, frame_id, held=True)
    if found is None or found.state is not FrameState.RAW or found.picture_id is None:
        return
    content = vault.open_picture(uow, found.picture_id)
    # OpenCV and the detector are loaded by the first frame, not by every process's start.
    from lpr.vision.evidence import prepared  # noqa: PLC0415 - slow to load

    try:
        frame, crop, corners = prepared(
            content, found.corners, _MOST_PIXELS, _QUALITY, found.outline
        )
    except Invalid:
        store.prepared(uow.connection, replace(found, state=FrameState.FAILED, picture_id=None))
        vault.drop_pictures(uow, [found.picture_id])
        return
    store.prepared(
        uow.connection,
        replace(
            found,
            state=FrameState.HIDDEN,
            picture_id=vault.keep_picture(uow, frame),
            crop_id=None if crop is None else vault.keep_picture(uow, crop),
            shown_sha256=hashlib.sha256(frame).hexdigest(),
            corners=corners,
        ),
    )
    vault.drop_pictures(uow, [found.picture_id])


def view_frame(
    uow: UnitOfWork, actor: Actor, frame_id: UUID, part: FramePart
) -> tuple[Frame, bytes]:
    """Show a frame to somebody; each look is on record.

    Raises
    ------
    NotFound
        Where there is no such frame in the actor's districts, or it is not kept any more.
    Conflict
        Where others in it are not hidden yet.
    """
    found = store.find(uow.connection, frame_id)
    if found is None or not actor.in_district(found.district):
        raise NotFound("there is no such picture", field="frame_id")
    if found.state is FrameState.RAW:
        raise Conflict("others in the picture are being hidden", field="frame_id", reason="raw")
    picture_id = found.picture_id if part is FramePart.FRAME else found.crop_id
    if picture_id is None:
        raise NotFound("the picture is not kept any more", field="frame_id")
    facts: dict[str, JsonValue] = {
        "part": part.value,
        "camera": found.camera,
        "read_id": None if found.read_id is None else str(found.read_id),
        "sha256": found.shown_sha256,
    }
    record(uow, actor, "lpr.frame_viewed", "frame", str(frame_id), facts)
    return found, vault.open_picture(uow, picture_id)


def forget_frames(uow: UnitOfWork) -> int:
    """Forget the pictures whose time is over, some at once; give how many."""
    gone = store.over(uow.connection, uow.clock.now(), FORGET_AT_ONCE)
    pictures = [each for one in gone for each in (one.picture_id, one.crop_id) if each is not None]
    vault.drop_pictures(uow, pictures)
    for one in gone:
        store.prepared(
            uow.connection,
            replace(one, state=FrameState.GONE, picture_id=None, crop_id=None),
        )
    return len(gone)


def tasks(database: Database) -> list[Task]:
    """Give what workers do about evidence."""

    def hide(arguments: Mapping[str, JsonValue]) -> None:
        with database.unit_of_work() as uow:
            hide_others(uow, UUID(str(arguments["frame_id"])))

    def forget(arguments: Mapping[str, JsonValue]) -> None:
        del arguments
        while True:
            with database.unit_of_work() as uow:
                if forget_frames(uow) < FORGET_AT_ONCE:
                    return

    return [Task(HIDE, hide), Task("lpr.forget_frames", forget, every="17 * * * *")]
