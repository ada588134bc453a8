"""Frames of a camera at the kerb: entering, parked and leaving, kept sealed as evidence of a stay.

They come after the read that they belong to, and stand with whichever stay the read speaks of.
"""

from dataclasses import dataclass
from datetime import datetime

from city.errors import Invalid, NotFound
from city.identifiers import BayId
from city.people.actors import Actor
from city.works.database import UnitOfWork
from journeys.read_bay import AHEAD, LATE, event_key
from lpr.rules.frames import Corners, Frame
from lpr.services import evidence
from lpr.services.evidence import SentFrame
from parking.rules.bay_reads import BayFrame, BayMoment, ReadOutcome
from parking.services import bay_reads, places, readers
from parking.store import bay_frames


@dataclass(frozen=True, slots=True)
class SentBayFrame:
    """A frame as a camera sends it."""

    bay_id: BayId
    event_id: str
    """Of the read to which it belongs."""
    moment: BayMoment
    at: datetime
    content: bytes
    corners: Corners | None
    """Of the plate, in pixels."""
    outline: Corners | None
    """Of the bay, in pixels."""


def keep_bay_frame(uow: UnitOfWork, actor: Actor, sent: SentBayFrame) -> Frame:
    """Keep a frame of a read that was told before; sent again, it is the same one.

    Parameters
    ----------
    uow : UnitOfWork
        Keeps the sealed frame and what it belongs to together.
    actor : Actor
        Who told the read.
    sent : SentBayFrame

    Raises
    ------
    NotFound
        Where there is no such bay, or this sender told no such read of it.
    Forbidden
        Where the actor may not tell of the bay.
    Invalid
        Where it is no JPEG, too large, or its instant lies ahead of us or too far back.
    """
    bay = places.bay(uow.connection, sent.bay_id)
    readers.check_bay(uow.connection, actor, bay)
    now = uow.clock.now()
    if sent.at > now + AHEAD:
        raise Invalid("lies in the future: the camera's clock is wrong", field="at")
    if sent.at < now - LATE:
        raise Invalid(f"lies more than {LATE.days} days back", field="at")
    key = event_key(actor, sent.event_id)
    before = bay_reads.seen_before(uow, key)
    if before is None or before.evidence.bay_id != sent.bay_id:
        raise NotFound("there is no such read of this bay", field="event_id")
    said = before.evidence
    frame = evidence.keep_frame(
        uow,
        SentFrame(
            event_key=f"bay:{sent.moment.value}:{key}",
            facility_id=bay.facility_id,
            district=bay.district,
            lane_id=None,
            camera=actor.subject,
            taken_at=sent.at,
            content=sent.content,
            corners=sent.corners,
            outline=sent.outline,
            unclear=said.detail.get("outcome") == ReadOutcome.HELD.value,
        ),
    )
    bay_frames.add_once(uow.connection, BayFrame(said.id, sent.moment, frame.id))
    return frame
