"""A person frees a stay of its fee, for a reason of its region: an adjustment, never a blank.

The stay is billed as it was rated, and all of it is taken off again by an adjustment that names
the reason, who said so in which role, and the picture's hash.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from city.audit import record
from city.identifiers import ParkingSessionId
from city.people.actors import Actor
from city.people.roles import Role
from city.works.database import UnitOfWork
from journeys.held_stay import held_stay
from parking.rules.corrections import check_reason
from parking.rules.exemptions import Exemption, Photo, judged
from parking.rules.stays import ParkingSession
from parking.services import corrections, exemptions
from parking.services.corrections import Word
from payments import bill_changes
from payments import services as payments
from payments.rules.bills import Bill

if TYPE_CHECKING:
    from pydantic import JsonValue


@dataclass(frozen=True, slots=True)
class Freeing:
    """What a person says who frees a stay of its fee."""

    code: str
    """Of a reason of the stay's region."""
    words: str = ""
    photo: Photo | None = None
    at: datetime | None = None
    """When they said so; None: now."""


def exempt_stay(
    uow: UnitOfWork, actor: Actor, session_id: ParkingSessionId, said: Freeing
) -> ParkingSession:
    """Free a stay of its fee; what it comes to is billed and taken off again.

    Parameters
    ----------
    uow : UnitOfWork
        Keeps stay, evidence, bill, ledger and audit record together.
    actor : Actor
        An attendant or operator of the stay's district.
    session_id : ParkingSessionId
        Also one that is billed, while nothing was paid for it.
    said : Freeing
        Judged by what the region ruled when it was said.

    Raises
    ------
    Forbidden
        Where the actor's role or district does not allow it.
    NotFound
        Where there is no such stay.
    Invalid, Conflict
        As `judged`; Conflict also where it is free, set aside or paid already.
    """
    actor.require(Role.ATTENDANT, Role.OPERATOR)
    session = held_stay(uow, actor, session_id)
    at = said.at or uow.clock.now()
    words = " ".join(said.words.split())
    policy = exemptions.policy_at(uow.connection, session.district, at)
    reason = judged(policy, said.code, words, said.photo)
    role = Role.ATTENDANT if Role.ATTENDANT in actor.roles else Role.OPERATOR
    exemption = Exemption(
        reason.code, reason.name, words, actor.subject, role.value, at, said.photo
    )
    exemptions.free(uow, session, exemption)
    done = corrections.known(uow, session_id)
    if session.bill_id is not None:
        bill = payments.find_bill(uow.connection, session.bill_id)
        if bill is not None:
            let_off(uow, done, bill)
    detail: dict[str, JsonValue] = {**exemption.detail(), "at": at.isoformat()}
    record(uow, actor, "parking.stay_exempted", "parking-session", str(session_id), detail)
    return done


def withdraw_exemption(
    uow: UnitOfWork, actor: Actor, session_id: ParkingSessionId, reason: str
) -> ParkingSession:
    """Take back, as a supervisor, that a stay is free, before it is billed.

    Raises
    ------
    Forbidden
        Where the actor's role or district does not allow it.
    NotFound
        Where there is no such stay.
    Conflict
        Where it is not free, or is billed.
    Invalid
        Without a reason.
    """
    actor.require(Role.OPERATOR)
    session = held_stay(uow, actor, session_id)
    word = Word(actor.subject, check_reason(reason))
    exemptions.withdraw(uow, session, word)
    detail: dict[str, JsonValue] = {"exempt": session.exempt, "reason": word.reason}
    record(uow, actor, "parking.exemption_withdrawn", "parking-session", str(session_id), detail)
    return corrections.known(uow, session_id)


def let_off(uow: UnitOfWork, session: ParkingSession | None, bill: Bill) -> Bill:
    """Take a bill's whole amount off where its stay was freed of its fee; give it as it is then.

    Raises
    ------
    Conflict
        Where anything was paid for it.
    """
    if session is None or session.exempt is None:
        return bill
    said = exemptions.of_stay(uow.connection, session.id)
    if said is None:
        return bill
    return bill_changes.let_off(uow, bill.id, said.as_reason(), said.by, said.role)
