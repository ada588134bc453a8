"""Keep attendants' shifts and the cash that goes from hand to hand; on record.

An attendant keeps their own; the office of a district (its supervisors, and finance) gives floats,
takes cash in, brings it to the bank and approves counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from pydantic import JsonValue

from city.audit import record
from city.errors import Forbidden, NotFound
from city.identifiers import AccountId, DistrictCode
from city.money import Money
from city.people import store as people
from city.people.actors import Actor
from city.people.roles import Role
from city.works.database import UnitOfWork
from payments import shifts
from payments.rules.cash_moves import CashMove, MoveState
from payments.rules.ledger import Account, AccountKind, cash_of, till_of
from payments.rules.shifts import Shift
from payments.shifts import Standing

OFFICE: Final = (Role.OPERATOR, Role.FINANCE)
READERS: Final = (*OFFICE, Role.AUDITOR)


@dataclass(frozen=True, slots=True)
class Receiver:
    """Who gets cash: a colleague, or the district's office."""

    account_id: AccountId | None = None


def begin_shift(  # noqa: PLR0917 - whose, which, where, and when
    uow: UnitOfWork,
    actor: Actor,
    shift_id: UUID,
    district: DistrictCode,
    place: str,
    at: datetime | None = None,
) -> Shift:
    """Begin a shift of one's own, now or as of when a terminal says.

    Raises
    ------
    Forbidden
        To whom is no attendant of the district.
    Conflict, Invalid
        As `payments.shifts.begin`.
    """
    _check_attendant(actor, district)
    begun = shifts.begin(uow, shift_id, actor.subject, district, place, at)
    record(uow, actor, "payments.shift_begun", "shift", str(begun.id), {"place": begun.place})
    return begun


def pause_shift(uow: UnitOfWork, actor: Actor, shift_id: UUID, at: datetime | None = None) -> Shift:
    """Begin a break of one's own shift."""
    actor.require(Role.ATTENDANT)
    return shifts.pause(uow, shift_id, actor.subject, at)


def resume_shift(
    uow: UnitOfWork, actor: Actor, shift_id: UUID, at: datetime | None = None
) -> Shift:
    """End the break of one's own shift."""
    actor.require(Role.ATTENDANT)
    return shifts.resume(uow, shift_id, actor.subject, at)


def open_shift(uow: UnitOfWork, actor: Actor) -> Shift:
    """Give one's own open shift; Conflict where there is none."""
    actor.require(Role.ATTENDANT)
    return shifts.open_of(uow.connection, actor.subject)


def count_shift(  # noqa: PLR0917 - whose, which, what, and when
    uow: UnitOfWork,
    actor: Actor,
    shift_id: UUID,
    pieces: Mapping[int, int],
    note: str,
    at: datetime | None = None,
) -> Shift:
    """End one's own shift by what one has counted; NotFound, Conflict, Invalid as the service."""
    actor.require(Role.ATTENDANT)
    done = shifts.count(uow, shift_id, actor.subject, dict(pieces), note, at)
    record(uow, actor, "payments.shift_counted", "shift", str(done.id), _sums(done))
    return done


def explain_shift(uow: UnitOfWork, actor: Actor, shift_id: UUID, note: str) -> Shift:
    """Say something to the difference of one's own shift."""
    actor.require(Role.ATTENDANT)
    return shifts.explain(uow, shift_id, actor.subject, note)


def approve_shift(uow: UnitOfWork, actor: Actor, shift_id: UUID, answer: str) -> Shift:
    """Approve a shift of a district of one's own; never one's own shift."""
    actor.require(*OFFICE)
    found = shifts.find(uow.connection, shift_id)
    if not actor.in_district(found.district):
        raise NotFound("there is no such shift", field="shift_id")
    done = shifts.approve(uow, shift_id, answer, actor.subject)
    record(
        uow,
        actor,
        "payments.shift_approved",
        "shift",
        str(done.id),
        {**_sums(done), "late": done.late.as_json()},
    )
    return done


def see_shift(uow: UnitOfWork, actor: Actor, shift_id: UUID) -> Standing:
    """Give a shift with what the ledger says about it, to its office.

    Raises
    ------
    NotFound
        Where there is none, or it is of another district.
    Forbidden
        Without the role: an attendant who counts is not told what should be there.
    """
    actor.require(*READERS)
    found = shifts.find(uow.connection, shift_id)
    if not actor.in_district(found.district):
        raise NotFound("there is no such shift", field="shift_id")
    return shifts.standing(uow.connection, found)


def offer_cash(
    uow: UnitOfWork,
    actor: Actor,
    move_id: UUID,
    to: Receiver,
    amount: Money,
    *,
    district: DistrictCode,
    at: datetime | None = None,
) -> CashMove:
    """Say that one gives cash to a colleague or to the office, now or as a terminal says.

    It is an offer, unless the colleague has said the same.

    Raises
    ------
    Forbidden
        To whom is no attendant of the district.
    NotFound
        Where the colleague is none of the district's attendants.
    Conflict, Invalid
        As `payments.shifts.offer`.
    """
    _check_attendant(actor, district)
    target = (
        till_of(district) if to.account_id is None else _colleague(uow, to.account_id, district)
    )
    own, by = cash_of(actor.subject), actor.subject
    said = shifts.offer(uow, move_id, district, own, target, amount=amount, by=by, at=at)
    _note(uow, actor, _word(said), said)
    return said


def claim_cash(
    uow: UnitOfWork,
    actor: Actor,
    move_id: UUID,
    giver: AccountId,
    amount: Money,
    *,
    district: DistrictCode,
    at: datetime | None = None,
) -> CashMove:
    """Say that one has counted cash of a colleague whose word need not be known yet.

    Raises
    ------
    Forbidden, NotFound, Conflict, Invalid
        As `offer_cash`.
    """
    _check_attendant(actor, district)
    source, own = _colleague(uow, giver, district), cash_of(actor.subject)
    said = shifts.offer(uow, move_id, district, source, own, amount=amount, by=actor.subject, at=at)
    _note(uow, actor, _word(said), said)
    return said


def give_float(
    uow: UnitOfWork,
    actor: Actor,
    move_id: UUID,
    to: AccountId,
    amount: Money,
    *,
    district: DistrictCode,
) -> CashMove:
    """Offer cash of the office to an attendant; Forbidden, NotFound, Conflict, Invalid."""
    _check_office(actor, district)
    target = _colleague(uow, to, district)
    offered = shifts.offer(
        uow, move_id, district, till_of(district), target, amount=amount, by=actor.subject
    )
    _note(uow, actor, "payments.cash_offered", offered)
    return offered


def accept_cash(
    uow: UnitOfWork, actor: Actor, move_id: UUID, counted: Money, at: datetime | None = None
) -> CashMove:
    """Say the same of cash as the other has said; NotFound where nobody waits for one's word."""
    _asked(uow, actor, move_id)
    done = shifts.accept(uow, move_id, counted, actor.subject, at)
    _note(uow, actor, "payments.cash_accepted", done)
    return done


def refuse_cash(uow: UnitOfWork, actor: Actor, move_id: UUID, reason: str) -> CashMove:
    """Refuse what the other has said of cash, with the reason."""
    _asked(uow, actor, move_id)
    done = shifts.refuse(uow, move_id, reason, actor.subject)
    _note(uow, actor, "payments.cash_refused", done)
    return done


def withdraw_cash(uow: UnitOfWork, actor: Actor, move_id: UUID) -> CashMove:
    """Take back what one has offered."""
    actor.require(Role.ATTENDANT, *OFFICE)
    found = shifts.find_move(uow.connection, move_id)
    if found.offered_by != actor.subject:
        raise NotFound("there is no such cash under way", field="move_id")
    done = shifts.withdraw(uow, move_id, actor.subject)
    _note(uow, actor, "payments.cash_withdrawn", done)
    return done


def deposit_cash(
    uow: UnitOfWork,
    actor: Actor,
    move_id: UUID,
    district: DistrictCode,
    amount: Money,
    *,
    slip: str,
) -> CashMove:
    """Record that the office's cash was brought to the bank; Forbidden, Conflict, Invalid."""
    _check_office(actor, district)
    done = shifts.deposit(uow, move_id, district, amount, slip, by=actor.subject)
    _note(uow, actor, "payments.cash_deposited", done)
    return done


def _check_attendant(actor: Actor, district: DistrictCode) -> None:
    actor.require(Role.ATTENDANT)
    if not actor.in_district(district):
        raise Forbidden("that is another district than yours")


def _check_office(actor: Actor, district: DistrictCode) -> None:
    actor.require(*OFFICE)
    if not actor.in_district(district):
        raise Forbidden("that is another district than yours")


def _colleague(uow: UnitOfWork, account_id: AccountId, district: DistrictCode) -> Account:
    found = people.account_by_id(uow.connection, account_id)
    if found is None or found[0].disabled_at is not None:
        raise NotFound("there is no such attendant", field="to")
    other = found[0].actor()
    if not (other.has_any(Role.ATTENDANT) and other.in_district(district)):
        raise NotFound("there is no such attendant", field="to")
    return cash_of(other.subject)


def _word(said: CashMove) -> str:
    if said.state is MoveState.ACCEPTED:
        return "payments.cash_accepted"
    return "payments.cash_claimed" if _claimed(said) else "payments.cash_offered"


def _claimed(move: CashMove) -> bool:
    """Say whether it is the receiver who spoke first."""
    return move.target == cash_of(move.offered_by)


def _asked(uow: UnitOfWork, actor: Actor, move_id: UUID) -> None:
    """Refuse whom nobody asks about the cash: the receiver, or who is said to have given it."""
    move = shifts.find_move(uow.connection, move_id)
    asked = move.source if _claimed(move) else move.target
    mine = asked == cash_of(actor.subject) and actor.has_any(Role.ATTENDANT)
    ours = (
        asked.kind is AccountKind.TILL
        and actor.has_any(*OFFICE)
        and actor.in_district(move.district)
    )
    if not (mine or ours):
        raise NotFound("there is no such cash under way", field="move_id")


def _sums(of: Shift) -> dict[str, JsonValue]:
    def shown(amount: Money | None) -> JsonValue:
        return None if amount is None else amount.as_json()

    return {"counted": shown(of.counted), "difference": shown(of.difference)}


def _note(uow: UnitOfWork, actor: Actor, action: str, move: CashMove) -> None:
    detail: dict[str, JsonValue] = {
        "from": move.source.code,
        "to": move.target.code,
        "amount": move.amount.as_json(),
    }
    record(uow, actor, action, "cash_move", str(move.id), detail)
