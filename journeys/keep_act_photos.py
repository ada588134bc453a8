"""Pictures that attendants took with what they did: sealed, kept as evidence of the stay.

They come after their act, in parts, each in a request of its own, and are whole where their hash
is the one that the act named. Others in them are made unrecognisable before anybody sees them.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from pydantic import JsonValue

from city import vault
from city.audit import record
from city.errors import Conflict, Invalid, NotFound
from city.people.actors import Actor, system_actor
from city.terminals import act_store, photo_store
from city.terminals.rules import photos as rules
from city.terminals.rules.acts import Act
from city.terminals.rules.photos import ActPhoto, Part
from city.terminals.rules.terminals import Terminal
from city.works.database import Database, UnitOfWork
from city.works.jobs import Task
from journeys.apply_act import bay_id_of, photo_of
from lpr.rules.frames import Frame, FramePart
from lpr.services import evidence
from lpr.services.evidence import SentFrame
from lpr.store import frames
from parking.rules.bay_reads import BayFrame, BayMoment
from parking.rules.corrections import check_reason
from parking.rules.stays import ParkingSession
from parking.services import exemptions
from parking.store import bay_frames, patrol_photos
from parking.store.places import bay

FORGET: Final = "journeys.forget_partial_photos"
FORGET_AT_ONCE: Final = 200
KEEPER: Final = system_actor("terminals")


@dataclass(frozen=True, slots=True)
class PhotoPart:
    """A part of a picture as a terminal sends it."""

    photo_id: UUID
    act_id: UUID
    bytes: int
    """Of the whole picture."""
    part: Part


@dataclass(frozen=True, slots=True)
class Received:
    """How much of a picture came."""

    bytes: int
    whole: bool


@dataclass(frozen=True, slots=True)
class ShownPhoto:
    """A picture of a stay; None of what is not here yet."""

    id: UUID
    act_id: UUID | None
    sha256: str
    frame: Frame | None
    moment: BayMoment | None = None
    """What a camera at the kerb saw; None of people's photos."""


def keep_part(uow: UnitOfWork, terminal: Terminal, sent: PhotoPart) -> Received:
    """Keep a part of a picture; the last one makes it whole.

    Parameters
    ----------
    uow : UnitOfWork
        One upload of a terminal at a time.
    terminal : Terminal
        Which signed for it, and whose act it is.
    sent : PhotoPart
        Where the picture is whole already, nothing is done.

    Raises
    ------
    NotFound
        Where the act did not come yet.
    Conflict
        Where another part follows, or what came is not what the act named: it is forgotten, and
        comes from its beginning again.
    Invalid
        Where the act names no such picture, or it is no JPEG.
    """
    act_store.take_turn(uow.connection, terminal.id)
    photo = photo_store.find(uow.connection, sent.photo_id)
    if photo is None:
        photo = _announced(uow, terminal, sent)
    elif photo.terminal_id != terminal.id or photo.act_id != sent.act_id:
        raise Conflict("another picture has this id", field="photo_id", reason="id-used")
    if photo.kept_at is not None:
        return Received(photo.bytes, whole=True)
    parts = photo_store.parts(uow.connection, photo.id)
    received = sum(count for count, _ in parts)
    rules.check_next(photo, received, sent.part)
    content = sent.part.content
    received += len(content)
    if received < photo.bytes:
        lies = vault.keep_picture(uow, content)
        photo_store.add_part(uow.connection, photo.id, sent.part.from_byte, len(content), lies)
        return Received(received, whole=False)
    whole = b"".join([*(vault.open_picture(uow, lies) for _, lies in parts), content])
    vault.drop_pictures(uow, photo_store.drop_parts(uow.connection, [photo.id]))
    if hashlib.sha256(whole).hexdigest() != photo.sha256:
        # The parts are forgotten with this answer: the device sends all of it again.
        return Received(0, whole=False)
    frame = _kept(uow, terminal, photo, whole)
    photo_store.keep(uow.connection, photo.id, uow.clock.now(), frame.id)
    return Received(photo.bytes, whole=True)


def photos_of_stay(
    uow: UnitOfWork, session: ParkingSession, *, by_driver: bool
) -> list[ShownPhoto]:
    """Give the pictures of a stay, and those that its exemption names and that are not here yet.

    Its driver sees a kerb camera's frames only of reads that name the stay's vehicle: another's is
    nothing of theirs.
    """
    kept = photo_store.of_stay(uow.connection, session.id)
    seen = patrol_photos.of_stay(uow.connection, session.id)
    filmed = _filmed(uow, session, by_driver=by_driver)
    wanted = [each.frame_id for each in kept if each.frame_id]
    wanted += [*(each.frame_id for each in seen), *(each.frame_id for each in filmed)]
    known = frames.by_ids(uow.connection, wanted)
    found = [
        ShownPhoto(
            each.id, each.act_id, each.sha256, known.get(each.frame_id) if each.frame_id else None
        )
        for each in kept
    ]
    found += [ShownPhoto(e.id, None, e.sha256, known.get(e.frame_id)) for e in seen]
    found += [
        ShownPhoto(e.frame_id, None, frame.sent_sha256, frame, e.moment)
        for e in filmed
        if (frame := known.get(e.frame_id)) is not None
    ]
    said = None if session.exempt is None else exemptions.of_stay(uow.connection, session.id)
    if said is not None and said.photo is not None and said.photo.id not in {e.id for e in kept}:
        found.append(ShownPhoto(said.photo.id, None, said.photo.sha256, None))
    return found


def view_photo(
    uow: UnitOfWork, actor: Actor, session: ParkingSession, photo_id: UUID, *, by_driver: bool
) -> bytes:
    """Show a picture of a stay; each look is on record.

    Raises
    ------
    NotFound
        Where the stay has no such picture, or it is not kept any more.
    Conflict
        Where others in it are not hidden yet.
    """
    kept: dict[UUID, UUID | None] = {
        each.id: each.frame_id for each in photo_store.of_stay(uow.connection, session.id)
    }
    kept |= {each.id: each.frame_id for each in patrol_photos.of_stay(uow.connection, session.id)}
    kept |= {e.frame_id: e.frame_id for e in _filmed(uow, session, by_driver=by_driver)}
    frame_id = kept.get(photo_id)
    if frame_id is None:
        raise NotFound("there is no such picture", field="photo_id")
    _, content = evidence.view_frame(uow, actor, frame_id, FramePart.FRAME)
    return content


def _filmed(uow: UnitOfWork, session: ParkingSession, *, by_driver: bool) -> list[BayFrame]:
    whose = session.stay.vehicle_id
    if by_driver and whose is None:
        return []
    return bay_frames.of_stay(uow.connection, session.id, of=whose if by_driver else None)


def expect_no_more(uow: UnitOfWork, actor: Actor, photo_id: UUID, reason: str) -> None:
    """Say that a picture will not come, and why nobody has to look for it; on record.

    Should it come after all, it is kept as any other.

    Raises
    ------
    NotFound
        Where no such picture of the actor's districts is awaited.
    Invalid
        Where the reason says nothing.
    """
    said = check_reason(reason)
    act = photo_store.awaited_act(uow.connection, photo_id, actor.districts)
    if act is None:
        raise NotFound("no such picture is awaited", field="photo_id")
    photo_store.drop_awaited(uow.connection, photo_id)
    detail: dict[str, JsonValue] = {"act_id": str(act.id), "reason": said}
    record(uow, actor, "terminals.photo_given_up", "act", str(act.id), detail)


def forget_partial(uow: UnitOfWork) -> int:
    """Forget what came of pictures of which the rest never came; give how many."""
    now = uow.clock.now()
    photo_store.drop_awaited_before(uow.connection, now - rules.ASKED_FOR)
    gone = photo_store.partly_before(uow.connection, now - rules.GIVEN_UP_AFTER, FORGET_AT_ONCE)
    if gone:
        vault.drop_pictures(uow, photo_store.drop_parts(uow.connection, gone))
        photo_store.drop(uow.connection, gone)
    return len(gone)


def task(database: Database) -> Task:
    """Give the task that forgets what came of pictures by half, daily."""

    def forget(arguments: Mapping[str, JsonValue]) -> None:
        del arguments
        while True:
            with database.unit_of_work() as uow:
                if forget_partial(uow) < FORGET_AT_ONCE:
                    return

    return Task(FORGET, forget, every="41 3 * * *")


def _announced(uow: UnitOfWork, terminal: Terminal, sent: PhotoPart) -> ActPhoto:
    act = act_store.find(uow.connection, sent.act_id)
    if act is None or act.terminal_id != terminal.id:
        raise NotFound("this act did not come yet", field="act_id", reason="act")
    named = photo_of(act)
    if named is None or named.id != sent.photo_id:
        raise Invalid("the act names no such picture", field="photo_id")
    if not 0 < sent.bytes <= rules.MOST_BYTES:
        raise Invalid(f"must have 1 to {rules.MOST_BYTES} bytes", field="bytes")
    photo = ActPhoto(
        id=sent.photo_id,
        terminal_id=terminal.id,
        act_id=act.id,
        session_id=_stay_of(act),
        district=terminal.district,
        sha256=named.sha256,
        bytes=sent.bytes,
        began_at=uow.clock.now(),
    )
    photo_store.add(uow.connection, photo)
    return photo


def _stay_of(act: Act) -> UUID | None:
    told = None if act.effect is None else act.effect.get("session_id")
    return None if told is None else UUID(str(told))


def _kept(uow: UnitOfWork, terminal: Terminal, photo: ActPhoto, content: bytes) -> Frame:
    act = act_store.find(uow.connection, photo.act_id)
    if act is None:
        raise NotFound("this act did not come yet", field="act_id", reason="act")
    place = bay(uow.connection, bay_id_of(act))
    frame = evidence.keep_frame(
        uow,
        SentFrame(
            event_key=f"act-photo:{photo.id}",
            facility_id=place.facility_id,
            district=place.district,
            lane_id=None,
            camera=terminal.name,
            taken_at=act.at,
            content=content,
            # What people did is kept for as long as what a person had to look at.
            unclear=True,
        ),
    )
    detail: dict[str, JsonValue] = {"act_id": str(act.id), "sha256": photo.sha256}
    record(uow, KEEPER, "terminals.photo_kept", "frame", str(frame.id), detail)
    return frame
