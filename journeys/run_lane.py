"""What a lane's controller and its cameras tell, and what they are told to do."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, TypeVar
from uuid import UUID

from pydantic import JsonValue

from city.errors import Invalid
from city.identifiers import uuid7
from city.people.actors import Actor
from city.vehicles import PlateKind
from city.works.database import UnitOfWork
from city.works.plate_passes import PlatePass
from journeys.admit_vehicle import Named, Passage, name_passage
from journeys.lane_turn import LaneTurn, lane_of, orders_of
from lpr.rules.frames import Corners, Frame
from lpr.rules.kept_reads import KeptRead
from lpr.rules.reads import Band, PlateRead
from lpr.rules.reviews import Review, first_review
from lpr.services import evidence
from lpr.store import reads as read_store
from parking.rules.evidence import CERTAIN
from parking.rules.lanes.model import (
    AlarmKind,
    Barrier,
    BarrierMoved,
    Called,
    Event,
    FireChanged,
    Loop,
    LoopChanged,
    PlateSeen,
    Restarted,
    Seen,
    Ticked,
)
from parking.rules.lanes.registered import LaneOrder
from parking.services import readers
from parking.store import lanes as store

T = TypeVar("T")

AHEAD: Final = timedelta(seconds=5)
"""How much later than its sending a word may be: controllers' clocks jump when they are set."""
LATE: Final = timedelta(days=30)


class WordKind(StrEnum):
    """What a controller tells."""

    LOOP = "loop"
    BARRIER = "barrier"
    PLATE = "plate"
    TICKET = "ticket"
    FIRE = "fire"
    BUTTON = "button"
    DONE = "done"
    """An order was carried out."""


@dataclass(frozen=True, slots=True)
class Word:
    """One thing that a controller tells; which members it has follows from its kind."""

    number: int
    """From 1 on, in the order in which they happened; told again, it is the same word."""
    at: datetime
    kind: WordKind
    loop: Loop | None = None
    on: bool | None = None
    barrier: Barrier | None = None
    read: PlateRead | None = None
    ticket: str | None = None
    order_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What a controller tells at once."""

    life: str
    """Of the controller: another one after each start of it, whose words count from 1."""
    sent_at: datetime
    """By the clock that its words carry, right or wrong."""
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class LaneRead:
    """What a camera of a lane sends; without a read it saw a vehicle and no plate."""

    event_id: str
    at: datetime
    sent_at: datetime
    read: PlateRead | None
    model: str | None = None
    frame: bytes | None = None
    """The JPEG that it was read in."""
    corners: Corners | None = None
    """Of the plate, in pixels of the frame."""


@dataclass(frozen=True, slots=True)
class LanePhoto:
    """A picture that the desk asked for."""

    event_id: str
    at: datetime
    sent_at: datetime
    order_id: UUID
    frame: bytes


@dataclass(frozen=True, slots=True)
class LaneAnswer:
    """What a controller is told."""

    last_word: int
    """Of its present life, the last that was taken."""
    orders: tuple[LaneOrder, ...]
    standing: Mapping[str, JsonValue]
    """What the rules say of who waits there."""
    read_id: UUID | None = None
    repeated: bool = False
    passes: tuple[PlatePass, ...] = ()
    """Who drove through, for the stream that signals read."""


def report(uow: UnitOfWork, actor: Actor, lane_id: UUID, told: Report) -> LaneAnswer:
    """Take what a lane's controller tells; without words it is the heartbeat.

    Raises
    ------
    NotFound
        Where there is no such lane.
    Forbidden
        Where the actor is not the controller of the lane's gate.
    Invalid
        Where a word lies after its sending, too far back, or misses what its kind needs.
    """
    lane = lane_of(uow, lane_id)
    turn = LaneTurn(uow, lane, joins=bool(told.words))
    readers.check_gate(uow.connection, actor, turn.home, lane.gate)
    _back_on_line(uow, turn)
    done: list[UUID] = []
    hearing = _Hearing(uow, actor, turn)
    for word in _fresh(turn, told):
        at = _instant(turn, word.at, told.sent_at)
        if word.kind is WordKind.DONE:
            done.append(_needed(word.order_id, "order_id"))
        else:
            turn.take(hearing.event(told.life, word, at))
    store.done(uow.connection, lane.id, done, turn.now)
    if not turn.in_the_past:
        turn.take(Ticked(turn.now))
    last = max((each.number for each in told.words), default=0)
    known = turn.kept.last_word if turn.kept.life == told.life else 0
    turn.kept = replace(turn.kept, life=told.life, last_word=max(known, last))
    turn.finish(heard=True)
    return _answer(uow, turn)


def read_at_lane(uow: UnitOfWork, actor: Actor, lane_id: UUID, sent: LaneRead) -> LaneAnswer:
    """Take a read of a camera that looks at a lane's approach.

    Raises
    ------
    NotFound, Forbidden, Invalid
        As `report`.
    """
    lane = lane_of(uow, lane_id)
    turn = LaneTurn(uow, lane, joins=True)
    readers.check_gate(uow.connection, actor, turn.home, lane.gate)
    hearing = _Hearing(uow, actor, turn)
    event_key = hearing.key(sent.event_id)
    before = read_store.by_event(uow.connection, event_key)
    if before is not None:
        return replace(_answer(uow, turn), read_id=before.id, repeated=True)
    at = _instant(turn, sent.at, sent.sent_at)
    seen = hearing.seen(at, event_key, sent.read, sent.model)
    if sent.frame is not None:
        hearing.keep_frame(event_key, at, sent.frame, UUID(seen.read_id), sent.corners)
    turn.take(PlateSeen(at, seen))
    turn.finish()
    return replace(_answer(uow, turn), read_id=UUID(seen.read_id))


def photo_at_lane(uow: UnitOfWork, actor: Actor, lane_id: UUID, sent: LanePhoto) -> Frame:
    """Take the picture that an act at the desk asked for, and put it beside the act.

    Raises
    ------
    NotFound, Forbidden, Invalid
        As `report`.
    """
    lane = lane_of(uow, lane_id)
    turn = LaneTurn(uow, lane, joins=False)
    readers.check_gate(uow.connection, actor, turn.home, lane.gate)
    hearing = _Hearing(uow, actor, turn)
    at = _instant(turn, sent.at, sent.sent_at)
    kept = hearing.keep_frame(hearing.key(sent.event_id), at, sent.frame, None, None)
    store.add_photo(uow.connection, lane.id, sent.order_id, kept.id)
    store.done(uow.connection, lane.id, [sent.order_id], turn.now)
    return kept


def _answer(uow: UnitOfWork, turn: LaneTurn) -> LaneAnswer:
    waiting = turn.kept.state.waiting
    seen = None if waiting is None else waiting.seen
    standing = None if seen is None else turn.kept.standing.get(seen.read_id)
    orders = tuple(orders_of(uow, turn))
    return LaneAnswer(
        turn.kept.last_word,
        orders,
        standing if isinstance(standing, dict) else {},
        passes=tuple(turn.passes),
    )


def _fresh(turn: LaneTurn, told: Report) -> list[Word]:
    """Give the words that were not taken yet; a gap, or another life, is a start anew."""
    kept = turn.kept
    words = sorted(told.words, key=lambda each: each.number)
    known = kept.last_word if kept.life == told.life else 0
    fresh = [each for each in words if each.number > known]
    lost = bool(fresh) and fresh[0].number != known + 1
    if kept.life != told.life or lost:
        at = _instant(turn, fresh[0].at, told.sent_at) if fresh else turn.now
        turn.take(Restarted(at))
    return fresh


def _instant(turn: LaneTurn, at: datetime, sent_at: datetime) -> datetime:
    """Give when something was by our clock: as long ago as the sender's own says."""
    ago = sent_at - at
    if ago < -AHEAD:
        raise Invalid("lies after its sending", field="at")
    if ago > LATE:
        raise Invalid(f"lies more than {LATE.days} days back", field="at")
    return turn.now - max(ago, timedelta())


class _Hearing:
    """Makes words of a lane's devices into what the state machine takes."""

    def __init__(self, uow: UnitOfWork, actor: Actor, turn: LaneTurn) -> None:
        self._uow = uow
        self._actor = actor
        self._turn = turn

    def key(self, event_id: str) -> str:
        """Give the name under which an event of this sender is kept."""
        return f"{self._actor.kind}:{self._actor.subject}:{event_id}"

    def event(self, life: str, word: Word, at: datetime) -> Event:
        if word.kind is WordKind.LOOP:
            return LoopChanged(at, _needed(word.loop, "loop"), _needed(word.on, "on"))
        if word.kind is WordKind.BARRIER:
            return BarrierMoved(at, _needed(word.barrier, "barrier"))
        if word.kind is WordKind.FIRE:
            return FireChanged(at, _needed(word.on, "on"))
        if word.kind is WordKind.BUTTON:
            return Called(at)
        if word.kind is WordKind.TICKET:
            return PlateSeen(at, self._ticket(_needed(word.ticket, "ticket"), at))
        return PlateSeen(at, self.seen(at, self.key(f"{life}:{word.number}"), word.read))

    def _ticket(self, code: str, at: datetime) -> Seen:
        lane = self._turn.lane
        passage = Passage(lane.facility_id, lane.gate, self._turn.direction, "", at, ticket=code)
        named = name_passage(self._uow, passage)
        read_id = str(uuid7())
        self._turn.know(read_id, named)
        return Seen(read_id, str(named.admitted_as), CERTAIN, at)

    def seen(
        self, at: datetime, event_key: str, read: PlateRead | None, model: str | None = None
    ) -> Seen:
        """Keep a read, and say whom it names among those that it can mean."""
        lane, read_id = self._turn.lane, uuid7()
        named = self._named(at, read)
        whose = None if named is None else named.read_as or named.admitted_as
        certainty = 0 if read is None else round(read.confidence * CERTAIN)
        band = Band.REJECT if read is None or named is None else read.band()
        kept = KeptRead(
            id=read_id,
            event_key=event_key,
            facility_id=lane.facility_id,
            district=lane.district,
            lane_id=lane.id,
            camera=self._actor.subject,
            at=at,
            received_at=self._turn.now,
            vehicle_id=whose,
            kind=_kind(read),
            confidences=() if read is None else read.confidences,
            certainty=certainty,
            band=band,
            model=model,
            review=first_review(read_id, band),
        )
        read_store.add_once(self._uow.connection, kept)
        if named is None:
            return Seen(str(read_id), None, certainty, at)
        self._turn.know(str(read_id), named)
        return Seen(str(read_id), str(named.admitted_as or whose), certainty, at)

    def keep_frame(
        self,
        event_key: str,
        at: datetime,
        content: bytes,
        read_id: UUID | None,
        corners: Corners | None,
    ) -> Frame:
        """Keep a picture; of an act at the desk for as long as of an unclear read."""
        lane = self._turn.lane
        read = None if read_id is None else read_store.find(self._uow.connection, read_id)
        return evidence.keep_frame(
            self._uow,
            evidence.SentFrame(
                event_key=event_key,
                facility_id=lane.facility_id,
                district=lane.district,
                lane_id=lane.id,
                camera=self._actor.subject,
                taken_at=at,
                content=content,
                read_id=read_id,
                corners=corners,
                unclear=read is None or read.review is Review.DUE,
            ),
        )

    def _named(self, at: datetime, read: PlateRead | None) -> Named | None:
        """Say whom a read names; None where it is too bad to name anybody."""
        if read is None or read.band() is Band.REJECT:
            return None
        lane = self._turn.lane
        passage = Passage(lane.facility_id, lane.gate, self._turn.direction, "", at, read)
        try:
            return name_passage(self._uow, passage)
        except Invalid:
            return None  # letters that no plate has: a camera's mistake, not a driver's


def _kind(read: PlateRead | None) -> PlateKind:
    return PlateKind.UNKNOWN if read is None else read.kind


def _needed(given: T | None, field: str) -> T:
    if given is None:
        raise Invalid("is needed", field=field)
    return given


def _back_on_line(uow: UnitOfWork, turn: LaneTurn) -> None:
    heard_at = turn.kept.heard_at
    if heard_at is not None and turn.now - heard_at > turn.policy.silent_after:
        store.end_alarm(uow.connection, turn.lane.id, AlarmKind.OFFLINE, turn.now)
