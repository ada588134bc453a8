"""A driver who was asked to pay drove off: the stay ends, and its bill is due at once.

Nobody is detained and nothing is added: the bill is arrears now and not after its days to pay, so
that it is asked for wherever the car is met. A dispute stops its clock as any other's.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from city.audit import record
from city.errors import Conflict, NotFound
from city.identifiers import BillId, ParkingSessionId
from city.people.actors import Actor
from city.people.roles import Role
from city.works.database import UnitOfWork
from journeys.held_stay import check_reach
from parking.rules.corrections import check_reason
from parking.rules.exemptions import Photo
from parking.rules.stays import ParkingSession
from parking.services import corrections, escapes
from parking.services.corrections import Word
from payments import arrears
from payments import services as payments
from payments.rules.bills import Bill, BillState

if TYPE_CHECKING:
    from pydantic import JsonValue


@dataclass(frozen=True, slots=True)
class Escape:
    """What a person says who saw it."""

    at: datetime
    words: str = ""
    photo: Photo | None = None


def mark_escape(
    uow: UnitOfWork, actor: Actor, session_id: ParkingSessionId, said: Escape
) -> tuple[ParkingSession, Bill | None]:
    """Keep that the vehicle of a stay drove off unpaid; give the stay, and its bill if it has one.

    Parameters
    ----------
    uow : UnitOfWork
        Keeps stay, evidence, bill and audit record together.
    actor : Actor
        An attendant or operator of the stay's district.
    session_id : ParkingSessionId
        Also one that is over, or billed; of a part its whole is meant.
    said : Escape

    Raises
    ------
    Forbidden
        Where the actor's role or district does not allow it.
    NotFound
        Where there is no such stay.
    Conflict
        As `escapes.escape`; where its bill is paid, or nothing of it is asked for.
    """
    actor.require(Role.ATTENDANT, Role.OPERATOR)
    session = _whole(uow, actor, session_id)
    bill = payments.bill_of_session(uow.connection, session.id)
    if bill is not None and bill.state is not BillState.OPEN:
        raise Conflict("nothing of its bill is asked for", field="bay_id", reason="paid")
    word = Word(actor.subject, " ".join(said.words.split()))
    done = escapes.escape(uow, session, said.at, word, said.photo)
    if bill is not None:
        bill = arrears.fall_due(uow, bill.id)
    detail: dict[str, JsonValue] = {
        "at": said.at.isoformat(),
        "bill_id": None if bill is None else str(bill.id),
        "photo_id": None if said.photo is None else str(said.photo.id),
    }
    record(uow, actor, "parking.stay_escaped", "parking-session", str(done.id), detail)
    return done, bill


def withdraw_escape(
    uow: UnitOfWork, actor: Actor, session_id: ParkingSessionId, reason: str
) -> ParkingSession:
    """Take back, as a supervisor, that a vehicle drove off: its bill is due as it was issued.

    The stay stays ended: whoever doubts its end disputes the bill.

    Raises
    ------
    Forbidden
        Where the actor's role or district does not allow it.
    NotFound
        Where there is no such stay.
    Conflict
        As `escapes.withdraw`; where a penalty was added to the bill since.
    Invalid
        Without a reason.
    """
    actor.require(Role.OPERATOR)
    session = _whole(uow, actor, session_id)
    word = Word(actor.subject, check_reason(reason))
    escapes.withdraw(uow, session, word)
    bill = payments.bill_of_session(uow.connection, session.id)
    if bill is not None:
        arrears.due_as_issued(uow, bill.id)
    detail: dict[str, JsonValue] = {
        "bill_id": None if bill is None else str(bill.id),
        "reason": word.reason,
    }
    record(uow, actor, "parking.escape_withdrawn", "parking-session", str(session.id), detail)
    return session


def _whole(uow: UnitOfWork, actor: Actor, session_id: ParkingSessionId) -> ParkingSession:
    """Give the stay that counts, locked, where the actor may touch it."""
    session = corrections.known(uow, session_id)
    if session.stay.part_of is not None:
        session = corrections.known(uow, session.stay.part_of)
    check_reach(actor, session)
    return session


def stay_of_bill(uow: UnitOfWork, bill_id: BillId) -> ParkingSessionId:
    """Give the stay that a bill is for; NotFound where there is no such bill."""
    bill = payments.find_bill(uow.connection, bill_id)
    if bill is None:
        raise NotFound("no such bill", field="bill_id")
    return bill.charge.session_id
