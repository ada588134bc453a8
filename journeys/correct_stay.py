"""A person corrects a stay: in their district, with a reason, on record."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from city.audit import Deed, record, record_each
from city.errors import Invalid
from city.identifiers import ParkingSessionId
from city.people.actors import Actor
from city.people.roles import Role
from city.vault import keep_plate
from city.vehicles import PlateNumber
from city.works.database import UnitOfWork
from journeys.held_stay import check_reach, held_stay
from parking.rules.corrections import check_reason
from parking.rules.evidence import EvidenceKind, SetAside
from parking.rules.stays import ParkingSession
from parking.services import corrections
from parking.services.corrections import Word

if TYPE_CHECKING:
    from pydantic import JsonValue

T = TypeVar("T")


class CorrectionKind(StrEnum):
    """What is corrected."""

    END = "end"
    BEGIN = "begin"
    """Of an exit without an entry: when it came in."""
    SPLIT = "split"
    SWAP = "swap"
    """Another vehicle than the noted one stands there now."""
    JOIN = "join"
    MOVE = "move"
    SET_ASIDE = "set-aside"
    IDENTIFY = "identify"
    RELEASE = "release"


@dataclass(frozen=True, slots=True)
class Correction:
    """What a person says; which of the members are needed follows from the kind."""

    kind: CorrectionKind
    reason: str
    at: datetime | None = None
    other_id: ParkingSessionId | None = None
    plate: PlateNumber | None = None
    set_aside: SetAside | None = None
    vehicle_left: bool = True


def correct_stay(
    uow: UnitOfWork, actor: Actor, session_id: ParkingSessionId, correction: Correction
) -> tuple[ParkingSession, ...]:
    """Correct a stay; give it, and the other one that it concerns.

    Parameters
    ----------
    uow : UnitOfWork
        Keeps stay, evidence and audit record together.
    actor : Actor
        An attendant or operator of the stay's district.
    session_id : ParkingSessionId
    correction : Correction

    Raises
    ------
    Forbidden
        Where the actor's role or district does not allow it.
    NotFound, Conflict, Invalid
        As the functions of `parking.services.corrections`; Invalid also where a member that the
        kind needs is not there.
    """
    actor.require(Role.ATTENDANT, Role.OPERATOR)
    word = Word(actor.subject, check_reason(correction.reason))
    if correction.kind in {CorrectionKind.JOIN, CorrectionKind.MOVE}:
        other_id = _needed(correction.other_id, "other_id")
        session, other = corrections.both(uow, session_id, other_id, "other_id")
    else:
        session, other = corrections.known(uow, session_id), None
    check_reach(actor, session)
    done = _corrected(uow, session, other, correction, word)
    record_each(uow, [correcting(actor, session_id, correction, word, done)])
    return done


def correcting(
    actor: Actor,
    session_id: ParkingSessionId,
    correction: Correction,
    word: Word,
    done: Sequence[ParkingSession],
) -> Deed:
    """Give how a correction is recorded."""
    detail: dict[str, JsonValue] = {
        "kind": correction.kind.value,
        "reason": word.reason,
        "sessions": [str(each.id) for each in done],
    }
    if correction.at is not None:
        detail["at"] = correction.at.isoformat()
    return Deed(actor, "parking.stay_corrected", "parking-session", str(session_id), detail)


def match_passage(
    uow: UnitOfWork, actor: Actor, evidence_id: UUID, session_id: ParkingSessionId, reason: str
) -> ParkingSession:
    """Say whose an unclear passage through a gate was.

    Raises
    ------
    Forbidden
        Where the actor's role or district does not allow it.
    NotFound, Conflict, Invalid
        As `parking.services.corrections.match`.
    """
    actor.require(Role.ATTENDANT, Role.OPERATOR)
    word = Word(actor.subject, check_reason(reason))
    session = held_stay(uow, actor, session_id)
    done = corrections.match(uow, evidence_id, session, word)
    record(
        uow,
        actor,
        "parking.passage_matched",
        "parking-session",
        str(session_id),
        {"evidence_id": str(evidence_id), "reason": word.reason},
    )
    return done


def _corrected(  # noqa: PLR0911 - one return a kind
    uow: UnitOfWork,
    session: ParkingSession,
    other: ParkingSession | None,
    said: Correction,
    word: Word,
) -> tuple[ParkingSession, ...]:
    match said.kind:
        case CorrectionKind.END:
            return (corrections.end(uow, session, _needed(said.at, "at"), word),)
        case CorrectionKind.BEGIN:
            at = _needed(said.at, "at")
            kind = EvidenceKind.ENTRY_STATED
            return (corrections.state_passage(uow, session, kind, at, word),)
        case CorrectionKind.SPLIT:
            at = _needed(said.at, "at")
            return corrections.split(uow, session, at, word, vehicle_left=said.vehicle_left)
        case CorrectionKind.SWAP:
            vehicle_id = keep_plate(uow, _needed(said.plate, "plate"))
            return corrections.swap(uow, session, vehicle_id, word, said.at)
        case CorrectionKind.JOIN:
            return corrections.join(uow, session, _needed(other, "other_id"), word)
        case CorrectionKind.MOVE:
            return corrections.move(uow, session, _needed(other, "other_id"), word)
        case CorrectionKind.SET_ASIDE:
            what = _needed(said.set_aside, "set_aside")
            return (corrections.set_aside(uow, session, what, word),)
        case CorrectionKind.IDENTIFY:
            vehicle_id = keep_plate(uow, _needed(said.plate, "plate"))
            return (corrections.identify(uow, session, vehicle_id, word),)
        case CorrectionKind.RELEASE:
            return (corrections.release(uow, session, word),)


def _needed(value: T | None, field: str) -> T:
    if value is None:
        raise Invalid("is needed for this correction", field=field)
    return value
