"""A camera reads a plate in a bay: a second witness for the stay that the sensor opened.

The plate goes to the vault. A read says whose a stay is where nobody did, confirms who was noted,
or holds the stay where it names somebody else; it never opens one, so it charges nobody alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from pydantic import JsonValue

from city.audit import record
from city.errors import Conflict, Invalid
from city.identifiers import BayId, VehicleId
from city.people.actors import Actor, system_actor
from city.vault import keep_plate, open_for_comparison
from city.vehicles import PlateKind, PlateNumber, parse_plate
from city.works.database import Database, UnitOfWork
from city.works.jobs import Task
from journeys.attach_vehicle import AttachWarning, attach_seen
from lpr.rules.matching import Verdict, match_read
from lpr.rules.reads import Band, PlateRead
from parking.rules.bay_reads import Agreement, ReadOutcome, judge, settled_by_person
from parking.rules.evidence import CERTAIN, Evidence, EvidenceKind, EvidenceSource, Hold
from parking.rules.stays import ParkingSession
from parking.services import bay_reads, places, readers

MATCHER: Final = system_actor("bays.matching")
AHEAD: Final = timedelta(minutes=5)
"""How far a camera's clock may run ahead of ours."""
LATE: Final = timedelta(days=2)
"""How late a read may be told: stays are billed by then."""
TASK: Final = "journeys.join_bay_reads"
AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class BayRead:
    """What a camera tells of a bay."""

    bay_id: BayId
    event_id: str
    """The sender's own, unique for it: what comes twice is done once."""
    at: datetime
    read: PlateRead


@dataclass(frozen=True, slots=True)
class ReadDone:
    """What became of a read."""

    outcome: ReadOutcome
    session: ParkingSession | None
    repeated: bool


@dataclass(frozen=True, slots=True)
class _Decided:
    outcome: ReadOutcome
    named: VehicleId | None
    """The vehicle that is noted, where the read means it."""


def read_bay(uow: UnitOfWork, actor: Actor, sent: BayRead) -> ReadDone:
    """Take a read of a bay.

    Parameters
    ----------
    uow : UnitOfWork
        Keeps evidence, stay, events and audit record together.
    actor : Actor
        A camera that sees the bay, or an integration of its district.
    sent : BayRead
        In any order; the same one again changes nothing.

    Raises
    ------
    NotFound
        Where there is no such bay.
    Forbidden
        Where the actor may not tell of it.
    Invalid
        Where the instant lies ahead of us or too far back.
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
    if before is not None:
        return _repeated(before)
    plate = sent.read.plate() or parse_plate(sent.read.text, PlateKind.UNKNOWN)
    read_as = keep_plate(uow, plate)
    session = bay_reads.stay_at(uow, sent.bay_id, sent.at)
    decided = _decided(uow, session, read_as, sent.read)
    said = Evidence(
        kind=EvidenceKind.CAMERA_READ,
        at=sent.at,
        recorded_at=now,
        source=EvidenceSource.CAMERA,
        certainty=round(sent.read.confidence * CERTAIN),
        by=actor.subject,
        facility_id=bay.facility_id,
        district=bay.district,
        session_id=None if session is None else session.id,
        bay_id=sent.bay_id,
        vehicle_id=decided.named,
        read_as=None if decided.named == read_as else read_as,
        event_key=key,
        detail={"outcome": decided.outcome.value},
    )
    if not bay_reads.keep(uow, said):
        present = bay_reads.seen_before(uow, key)
        if present is None:
            raise Conflict("the event is being written by somebody else", field="event_id")
        return _repeated(present)
    if session is not None:
        session = _done(uow, actor, session, said, decided.outcome, plate)
    return ReadDone(decided.outcome, session, repeated=False)


def event_key(actor: Actor, event_id: str) -> str:
    """Give the name under which a read of this sender is kept."""
    return f"{actor.kind}:{actor.subject}:{event_id}"


def join_waiting(uow: UnitOfWork) -> int:
    """Join reads that came before their sensor's word with the stays that it opened since.

    Returns
    -------
    int
        How many; called again at once where it is `AT_ONCE`.
    """
    waiting = bay_reads.waiting(uow, limit=AT_ONCE)
    wanted = [each.read_as for each, _ in waiting if each.read_as is not None]
    if not wanted:
        return 0
    opened = open_for_comparison(uow, MATCHER, wanted, "reads of bays before their sensor's word")
    for said, session_id in waiting:
        session = bay_reads.held(uow, session_id)
        plate = None if said.read_as is None else opened.get(said.read_as)
        bay_reads.assign(uow, said, session_id)
        if session is None or plate is None or said.read_as is None:
            continue
        read = PlateRead(plate.text, plate.kind, (said.certainty / CERTAIN,) * len(plate.text))
        decided = _decided(uow, session, said.read_as, read)
        by = Actor("device", said.by, None, frozenset(), said.by)
        _done(uow, by, session, said, decided.outcome, plate)
    return len(waiting)


def task(database: Database) -> Task:
    """Give the task that joins reads with stays that were told later; run every minute."""
    return Task(TASK, _handler(database), every="* * * * *")


def _handler(database: Database) -> Callable[[Mapping[str, JsonValue]], None]:
    def handle(arguments: Mapping[str, JsonValue]) -> None:
        del arguments
        done = AT_ONCE
        while done == AT_ONCE:
            with database.unit_of_work() as uow:
                done = join_waiting(uow)

    return handle


def _repeated(before: bay_reads.Kept) -> ReadDone:
    outcome = ReadOutcome(str(before.evidence.detail.get("outcome")))
    return ReadDone(outcome, before.session, repeated=True)


def _decided(
    uow: UnitOfWork, session: ParkingSession | None, read_as: VehicleId, read: PlateRead
) -> _Decided:
    noted = None if session is None else session.stay.vehicle_id
    agreement = None
    if noted is not None:
        agreement = Agreement.SAME if noted == read_as else _compared(uow, noted, read)
    settled = session is not None and settled_by_person(bay_reads.said_of(uow, session), read_as)
    outcome = judge(
        None if session is None else session.stay,
        accepted=read.band() is Band.ACCEPT,
        agreement=agreement,
        settled=settled,
        now=uow.clock.now(),
    )
    return _Decided(outcome, noted if agreement is Agreement.SAME else None)


def _compared(uow: UnitOfWork, noted: VehicleId, read: PlateRead) -> Agreement:
    plates = open_for_comparison(uow, MATCHER, [noted], "another read in its bay")
    match = match_read(read, list(plates.values()))
    if match.verdict is Verdict.MATCH:
        return Agreement.SAME
    return Agreement.UNCLEAR if match.verdict is Verdict.AMBIGUOUS else Agreement.OTHER


def _done(  # noqa: PLR0917 - who read what of which stay, and what follows
    uow: UnitOfWork,
    actor: Actor,
    session: ParkingSession,
    said: Evidence,
    outcome: ReadOutcome,
    plate: PlateNumber,
) -> ParkingSession:
    """Do what follows from a read."""
    if outcome is ReadOutcome.ATTACHED:
        done = attach_seen(
            uow, actor, session, plate, source=EvidenceSource.CAMERA, certainty=said.certainty
        )
        if AttachWarning.ELSEWHERE not in done.warnings:
            return done.session
        # One car is not in two places: one of the two reads is wrong.
        return _held(uow, actor, done.session, Hold.PLATE_DOUBTFUL)
    if outcome is ReadOutcome.HELD and session.stay.hold is None:
        return _held(uow, actor, session, Hold.PLATE_DIFFERS)
    return session


def _held(uow: UnitOfWork, actor: Actor, session: ParkingSession, hold: Hold) -> ParkingSession:
    record(
        uow,
        actor,
        "parking.stay_held",
        "parking-session",
        str(session.id),
        {"hold": hold.value},
    )
    bay_reads.hold(uow, session, hold)
    return replace(session, stay=replace(session.stay, hold=hold))
