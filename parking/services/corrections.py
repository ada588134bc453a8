"""Corrections of stays by a person's word: each is evidence, under their name and with a reason."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from pydantic import JsonValue

from city.errors import Conflict, Invalid, NotFound
from city.identifiers import ParkingSessionId, VehicleId, uuid7
from city.works.database import UnitOfWork
from parking.rules import corrections as rules
from parking.rules.evidence import (
    CERTAIN,
    CLAIMED,
    Evidence,
    EvidenceKind,
    EvidenceSource,
    Hold,
    PartKind,
    SetAside,
)
from parking.rules.stays import LEAVING, BayStay, ClosingReason, ParkingSession, remainder
from parking.rules.visits import ENTRIES, SIGHTS
from parking.services import visits
from parking.store import remainders, stay_evidence
from parking.store import stays as store

LOOK_BACK: Final = timedelta(days=1)
"""How long after a stay was ended it is looked at whether its bay stays taken."""


@dataclass(frozen=True, slots=True)
class Word:
    """Whose word it is, and why."""

    by: str
    reason: str
    source: EvidenceSource = EvidenceSource.ATTENDANT

    @property
    def certainty(self) -> int:
        """How sure it is, per mille."""
        return CLAIMED if self.source is EvidenceSource.DRIVER else CERTAIN


def known(
    uow: UnitOfWork, session_id: ParkingSessionId, field: str = "session_id"
) -> ParkingSession:
    """Give a stay, locked; NotFound where there is none."""
    found = store.find(uow.connection, session_id, lock=True)
    if found is None:
        raise NotFound("no such stay; a passing flicker may have been withdrawn", field=field)
    return found


def both(
    uow: UnitOfWork, one_id: ParkingSessionId, other_id: ParkingSessionId, field: str
) -> tuple[ParkingSession, ParkingSession]:
    """Give two stays of one facility, locked in the order of their ids.

    Raises
    ------
    NotFound
        Where one of them is not there.
    Invalid
        Where they are of different facilities.
    """
    found = {
        each: known(uow, each, "session_id" if each == one_id else field)
        for each in sorted({one_id, other_id})
    }
    one, other = found[one_id], found[other_id]
    if one.facility_id != other.facility_id:
        raise Invalid("is at another facility", field=field)
    return one, other


def end(
    uow: UnitOfWork,
    session: ParkingSession,
    at: datetime,
    word: Word,
    kind: EvidenceKind = EvidenceKind.ENDED,
) -> ParkingSession:
    """End a stay by a person's word: a bay's at the latest then, a visit's exactly then.

    Raises
    ------
    Conflict, Invalid
        As `parking.rules.corrections.ended`.
    """
    if session.admitted_as is not None:
        return state_passage(uow, session, EvidenceKind.EXIT_STATED, at, word)
    now = uow.clock.now()
    driver = kind is EvidenceKind.DRIVER_END
    because = ClosingReason.DRIVER if driver else ClosingReason.STATED
    stay = rules.ended(session.stay, at, now, because)
    store.write(uow.connection, session.id, stay, session.attached_by)
    _say(uow, session, kind, at, word)
    return known(uow, session.id)


def state_passage(
    uow: UnitOfWork, session: ParkingSession, kind: EvidenceKind, at: datetime, word: Word
) -> ParkingSession:
    """State when a vehicle came in or left, where no gate saw it.

    Raises
    ------
    Conflict
        Where the stay is billed, or what is stated makes it another one's.
    Invalid
        For a stay in a bay, or an instant that does not fit it.
    """
    stay = session.stay
    if session.admitted_as is None:
        raise Invalid("is in a bay: its sensor says when it began", field="kind")
    rules.check_open_to_change(stay)
    if at > uow.clock.now():
        raise Invalid("lies in the future", field="at")
    leaving = kind is EvidenceKind.EXIT_STATED
    if leaving and at < stay.opened_at:
        raise Invalid("lies before the stay began", field="at")
    if leaving and stay.closed_at is not None and stay.hold is not Hold.MISSED_EXIT:
        raise Conflict("the gate saw it leave", field="at", reason="closed")
    if not leaving and (stay.hold is not Hold.NO_ENTRY or at > stay.opened_at):
        raise Invalid("only an exit without an entry is given one, before it", field="at")
    if leaving:
        _check_seen(uow, session, at)
    joined = visits.add(
        uow,
        _evidence(uow, session, kind, at, word),
        since_at=min(stay.opened_at, at) - timedelta(seconds=1),
    )
    if joined.session is None or joined.session.stay.hold is not None:
        raise Conflict("does not fit the vehicle's other stays", field="at", reason="overlap")
    return joined.session


def _check_seen(uow: UnitOfWork, session: ParkingSession, at: datetime) -> None:
    """Refuse to make a stay that no gate saw longer than people saw its vehicle."""
    said = stay_evidence.of_sessions(uow.connection, [session.id])
    if any(each.kind in ENTRIES for each in said):
        return
    last_at = max((each.at for each in said if each.kind in SIGHTS), default=None)
    if last_at is not None and at > last_at:
        raise Invalid(
            "lies after it was last seen: nobody knows how long it stood there",
            field="at",
            last_seen_at=last_at.isoformat(),
        )


def split(
    uow: UnitOfWork, session: ParkingSession, at: datetime, word: Word, *, vehicle_left: bool
) -> tuple[ParkingSession, ParkingSession]:
    """Part a bay's stay in two, where one vehicle followed another unseen by the sensor."""
    parted = rules.split(session.stay, at, uow.clock.now(), vehicle_left=vehicle_left)
    return _parted(uow, session, parted, word)


def swap(
    uow: UnitOfWork,
    session: ParkingSession,
    vehicle_id: VehicleId,
    word: Word,
    at: datetime | None = None,
) -> tuple[ParkingSession, ParkingSession]:
    """Part a bay's stay where another vehicle than the noted one is seen, or was at an instant.

    Raises
    ------
    Conflict
        Where nobody is noted there, or the stay was over.
    """
    stay, now = session.stay, uow.clock.now()
    seen_now_at = at or now
    if seen_now_at > now:
        raise Invalid("lies in the future", field="at")
    over = stay.closed_at is not None and stay.closed_at <= seen_now_at
    if stay.vehicle_id is None or over:
        raise Conflict("has no vehicle that could have left", field="session_id")
    if stay.vehicle_id == vehicle_id:
        raise Conflict("is the vehicle that is noted", field="plate", reason="attached")
    seen_at = max(
        (
            each.at
            for each in stay_evidence.of_sessions(uow.connection, [session.id])
            if each.names == stay.vehicle_id
        ),
        default=stay.attached_at or stay.opened_at,
    )
    parted = rules.swapped(stay, vehicle_id, seen_at, seen_now_at)
    return _parted(uow, session, parted, word)


def _parted(
    uow: UnitOfWork, session: ParkingSession, parted: rules.Split, word: Word
) -> tuple[ParkingSession, ParkingSession]:
    if session.bay_id is None:
        raise Invalid("is not in a bay", field="session_id")
    later_id = ParkingSessionId(uuid7())
    named = parted.earlier.vehicle_id is not None
    store.write(uow.connection, session.id, parted.earlier, session.attached_by if named else None)
    # Added without its vehicle: what is added follows from sensors, which know none.
    bare = replace(parted.later, id=later_id, vehicle_id=None, attached_at=None)
    store.add(uow.connection, [(session.bay_id, bare)])
    if parted.later.vehicle_id is not None:
        store.attach(uow.connection, later_id, parted.later, word.by)
    at = parted.later.opened_at
    _say(uow, session, EvidenceKind.SPLIT, at, word, **{"with": str(later_id)})
    later = known(uow, later_id)
    _say(uow, later, EvidenceKind.SPLIT, at, word, **{"with": str(session.id)})
    return known(uow, session.id), later


def join(
    uow: UnitOfWork, session: ParkingSession, into: ParkingSession, word: Word
) -> tuple[ParkingSession, ParkingSession]:
    """Say that two stays are one vehicle's; the other one counts."""
    inside = into.admitted_as is not None and session.admitted_as is None
    if session.admitted_as is not None:
        raise Invalid("goes from gate to gate: it is no part of another", field="session_id")
    if store.has_parts(uow.connection, session.id):
        raise Conflict("has parts of its own", field="session_id", reason="parts")
    stay = rules.part(session.stay, into.stay, inside=inside)
    store.write(uow.connection, session.id, stay, session.attached_by)
    at = uow.clock.now()
    facts: dict[str, JsonValue] = {"as": (stay.part_kind or PartKind.STRADDLE).value}
    _say(uow, session, EvidenceKind.JOINED, at, word, **facts, into=str(into.id))
    _say(uow, into, EvidenceKind.JOINED, at, word, **facts, part=str(session.id))
    return known(uow, session.id), known(uow, into.id)


def move(
    uow: UnitOfWork, source: ParkingSession, target: ParkingSession, word: Word
) -> tuple[ParkingSession, ParkingSession]:
    """Move a vehicle that was noted for the wrong bay."""
    if source.bay_id is None or target.bay_id is None:
        raise Invalid("is not in a bay", field="to_id")
    at = uow.clock.now()
    done = rules.moved(source.stay, target.stay, at)
    store.write(uow.connection, source.id, done.source)
    store.write(uow.connection, target.id, done.target, word.by)
    _say(uow, source, EvidenceKind.VEHICLE_MOVED, at, word, to=str(target.id))
    moved = known(uow, target.id)
    _say(uow, moved, EvidenceKind.VEHICLE_MOVED, at, word, **{"from": str(source.id)})
    return known(uow, source.id), moved


def set_aside(
    uow: UnitOfWork, session: ParkingSession, what: SetAside, word: Word
) -> ParkingSession:
    """Say that what the sensor saw is nothing to be charged."""
    if session.admitted_as is not None and session.stay.closed_at is None:
        raise Invalid("is inside: state its exit first", field="session_id")
    store.write(
        uow.connection,
        session.id,
        rules.set_aside(session.stay, what),
        session.attached_by,
    )
    at = uow.clock.now()
    _say(uow, session, EvidenceKind.SET_ASIDE, at, word, **{"as": what.value})
    return known(uow, session.id)


def identify(
    uow: UnitOfWork, session: ParkingSession, vehicle_id: VehicleId, word: Word
) -> ParkingSession:
    """Say which vehicle it really is: a ticket's plate, or what was misread or mistyped."""
    now = uow.clock.now()
    stay = rules.renamed(session.stay, vehicle_id, now)
    was = None if session.stay.vehicle_id is None else str(session.stay.vehicle_id)
    said = replace(
        _evidence(uow, session, EvidenceKind.IDENTIFIED, session.stay.opened_at, word),
        read_as=vehicle_id,
        detail={"reason": word.reason, "was": was},
    )
    if session.admitted_as is not None:
        since_at = session.stay.opened_at - timedelta(seconds=1)
        visits.add(uow, said, since_at=since_at)
        return known(uow, session.id)
    store.write(uow.connection, session.id, stay, word.by)
    stay_evidence.add(uow.connection, [said])
    return known(uow, session.id)


def release(uow: UnitOfWork, session: ParkingSession, word: Word) -> ParkingSession:
    """Let a stay that is held be billed as it stands."""
    stay = session.stay
    rules.released(stay)
    if session.admitted_as is not None and stay.vehicle_id is not None:
        # A person vouches for the vehicle: that is what joins it anew without the hold.
        freed = replace(stay, hold=None)
        store.write(uow.connection, session.id, freed, session.attached_by)
        session = replace(session, stay=freed)
        return identify(uow, session, stay.vehicle_id, word)
    store.write(uow.connection, session.id, rules.released(stay), session.attached_by)
    _say(uow, session, EvidenceKind.IDENTIFIED, uow.clock.now(), word)
    return known(uow, session.id)


def reopen(uow: UnitOfWork, session_id: ParkingSessionId) -> ParkingSession:
    """Let a stay be changed again whose bill was cancelled; it waits for that."""
    session = known(uow, session_id)
    stay = rules.reopened(session.stay)
    store.write(uow.connection, session_id, stay, session.attached_by)
    store.note_bill(uow.connection, session_id, None)
    return known(uow, session_id)


def match(
    uow: UnitOfWork, evidence_id: UUID, session: ParkingSession, word: Word
) -> ParkingSession:
    """Say whose an unclear passage was; it then counts as stated at its own instant.

    Raises
    ------
    NotFound
        Where there is no such passage.
    Conflict
        Where it was matched already.
    """
    said = stay_evidence.find(uow.connection, evidence_id)
    if said is None:
        raise NotFound("there is no such passage", field="evidence_id")
    if said.session_id is not None:
        raise Conflict("was matched already", field="evidence_id", reason="matched")
    if said.facility_id != session.facility_id:
        raise Invalid("is at another facility", field="session_id")
    leaving = said.kind is EvidenceKind.GATE_EXIT
    kind = EvidenceKind.EXIT_STATED if leaving else EvidenceKind.ENTRY_STATED
    done = state_passage(uow, session, kind, said.at, word)
    stay_evidence.assign(uow.connection, {evidence_id: done.id})
    return done


def joined_session(joined: visits.Joined) -> ParkingSession:
    """Give the stay that evidence became part of; Conflict where it is none's."""
    if joined.session is None:
        raise Conflict("does not fit what is known of the vehicle", field="plate")
    return joined.session


def open_remainders(uow: UnitOfWork) -> int:
    """Open stays for what still stands where a stay was ended by a person; give how many.

    Run every minute: the bay that stays taken gets a stay without a vehicle, so that attendants
    look, and nobody is billed for it before.
    """
    now = uow.clock.now()
    found = remainders.still_taken(uow.connection, now - LOOK_BACK, now - LEAVING)
    rests: list[tuple[ParkingSession, BayStay]] = []
    for session in found:
        if session.stay.ended_at is not None:
            rest = remainder(session.stay, session.stay.ended_at)
            rests.append((session, replace(rest, id=ParkingSessionId(uuid7()))))
    if rests:
        store.add(
            uow.connection,
            [(session.bay_id, rest) for session, rest in rests if session.bay_id is not None],
        )
        stay_evidence.add(uow.connection, _still_taken(rests, now))
    return len(rests)


def _still_taken(rests: Sequence[tuple[ParkingSession, BayStay]], at: datetime) -> list[Evidence]:
    return [
        Evidence(
            EvidenceKind.BAY_STILL_TAKEN,
            rest.opened_at,
            at,
            EvidenceSource.SENSOR,
            0,
            rest.opened_evidence,
            session.facility_id,
            session.district,
            rest.id,
            session.bay_id,
            detail={"after": str(session.id)},
        )
        for session, rest in rests
    ]


def _say(
    uow: UnitOfWork,
    session: ParkingSession,
    kind: EvidenceKind,
    at: datetime,
    word: Word,
    **detail: JsonValue,
) -> None:
    said = _evidence(uow, session, kind, at, word)
    stay_evidence.add(uow.connection, [replace(said, detail={**said.detail, **detail})])


def _evidence(
    uow: UnitOfWork, session: ParkingSession, kind: EvidenceKind, at: datetime, word: Word
) -> Evidence:
    return Evidence(
        kind=kind,
        at=at,
        recorded_at=uow.clock.now(),
        source=word.source,
        certainty=word.certainty,
        by=word.by,
        facility_id=session.facility_id,
        district=session.district,
        session_id=session.id,
        bay_id=session.bay_id,
        vehicle_id=session.admitted_as or session.stay.vehicle_id,
        detail={"reason": word.reason} if word.reason else {},
    )
