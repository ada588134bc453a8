"""What was done on a terminal takes effect together: read at once, decided, written at once.

Each act is decided by the rules of its own use case, against what the acts before it made of what
was read. Where that is not enough (a vehicle that straddles two bays, a stay that is billed with
its plate), what was decided so far is written and the act goes by itself. Where a constraint says
no to all that was decided, each of it goes by itself: one act's fault costs no other's effect.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from sqlalchemy import exc

from city.audit import Deed, record_each
from city.errors import CityError, Forbidden, Invalid, NotFound, Unavailable
from city.identifiers import BayId, BillId, PaymentId, VehicleId
from city.people.roles import Role
from city.terminals.rules.acts import Act, ActKind, Outcome
from city.terminals.rules.terminals import Terminal
from city.works.database import UnitOfWork
from journeys.apply_act import (
    CORRECTIONS,
    SHIFT_KINDS,
    Effect,
    PeopleAt,
    Seen,
    Told,
    bay_id_of,
    cash_of,
    check_district,
    check_told,
    finish_act,
    paid_effect,
    refused,
    reported,
    set_aside_of,
)
from journeys.attach_vehicle import AttachWarning, attaching, beside, warnings_of
from journeys.correct_stay import Correction, CorrectionKind, correcting
from journeys.held_stay import check_reach
from journeys.take_payment import taking
from journeys.vehicle_traits import traits_of
from parking.rules.corrections import check_reason
from parking.rules.stays import ParkingSession
from parking.services.corrections import Word
from parking.services.round_book import NotTogether, Reads, RoundBook
from payments.cash_round import CashRound

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

BY_THEMSELVES: Final = frozenset(
    {ActKind.SPLIT, ActKind.SWAP, ActKind.JOIN, ActKind.AHEAD, ActKind.ESCAPE, *SHIFT_KINDS}
)
"""Rare acts that make stays of their own, or bills, and those that look at all cash before them."""


@dataclass(frozen=True, slots=True)
class NewAct:
    """An act that was not told before, with the plate that it names."""

    act: Act
    seen: Seen


class Round:
    """The acts of a batch.

    Parameters
    ----------
    uow : UnitOfWork
    terminal : Terminal
        Which signed for them.
    people_at : PeopleAt
        Who was at it when.
    """

    def __init__(self, uow: UnitOfWork, terminal: Terminal, people_at: PeopleAt) -> None:
        self._uow = uow
        self._terminal = terminal
        self._people_at = people_at
        self._stays = RoundBook(uow)
        self._cash = CashRound(uow)
        self._deeds: list[Deed] = []
        self._run: list[NewAct] = []
        """What was decided, also refused, since anything was last written."""
        self._finished: dict[UUID, Act] = {}

    def apply(self, acts: Sequence[NewAct]) -> list[Act]:
        """Let acts take effect in their order; give each with what became of it.

        Raises
        ------
        Unavailable
            Where the database is busy: nothing was done.
        """
        self._load(acts)
        for place, new in enumerate(acts):
            if new.act.kind is ActKind.SIGN_OUT:
                self._alone(new)
                continue
            if new.act.kind in BY_THEMSELVES:
                # They touch more than their bay: what follows is read anew.
                self._write()
                self._alone(new)
                self._load(acts[place + 1 :])
                continue
            try:
                self._finished[new.act.id] = self._decided(new)
                self._run.append(new)
            except NotTogether:
                as_decided = self._write()
                self._alone(new)
                if as_decided:
                    self._stays.load(_reads(acts, of=new))
                else:
                    self._load(acts[place + 1 :])
        self._write()
        return [self._finished[each.act.id] for each in acts]

    def _load(self, acts: Sequence[NewAct]) -> None:
        self._stays, self._cash = RoundBook(self._uow), CashRound(self._uow)
        self._stays.load(_reads(acts))
        cash = {each.act.id: _bill_of(each.act) for each in acts if each.act.kind is ActKind.CASH}
        bills = {bill_id for bill_id in cash.values() if bill_id is not None}
        self._cash.load(bills, [PaymentId(each) for each in cash])

    def _decided(self, new: NewAct) -> Act:
        act = new.act
        try:
            check_told(act, new.seen)
            told = Told(self._terminal, self._people_at.actor_of(act), act, new.seen)
            with self._stays.attempt():
                effect = self._effect(told)
        except Unavailable:
            raise
        except CityError as error:
            return refused(act, error)
        return replace(act, outcome=Outcome.DONE, effect=effect)

    def _effect(self, told: Told) -> Effect:
        match told.act.kind:
            case ActKind.PLATE:
                return self._plate(told)
            case ActKind.CASH:
                return self._take(told)
            case ActKind.REPORT:
                bay = str(self._bay(told))
                said = reported(told.act)
                self._deeds.append(Deed(told.actor, "parking.bay_reported", "bay", bay, said))
                return {"bay_id": bay}
            case ActKind.EXEMPT:
                raise NotTogether  # it may change a bill
            case _:
                return self._correct(told)

    def _plate(self, told: Told) -> Effect:
        actor, act, seen = told.actor, told.act, told.seen
        actor.require(Role.ATTENDANT, Role.OPERATOR)
        bay_id = self._bay(told)
        if seen.plate is None or seen.vehicle_id is None:
            raise Invalid("names no plate", field="plate")
        if self._stays.place(bay_id).facility_kind == "garage":
            present = self._stays.stay_then(bay_id, act.at)
        else:
            present = self._stays.stay_of_vehicle(bay_id, seen.vehicle_id, act.at, act.id)
        nobody = present.stay.closed_at is None and present.stay.vehicle_id is None
        others = self._stays.others(present, seen.vehicle_id) if nobody else []
        if any(self._one_vehicle(present, each) for each in others):
            raise NotTogether
        seen_at = max(act.at, present.stay.opened_at)
        session = self._stays.attach(present, seen.vehicle_id, actor.subject, seen_at)
        covers = self._stays.coverage(session.stay.tariff_version_id, traits_of(seen.plate.kind))
        self._deeds.append(attaching(actor, present, seen.vehicle_id, seen.plate))
        warnings = ((AttachWarning.ELSEWHERE,) if others else ()) + warnings_of(covers, seen.plate)
        return {"session_id": str(session.id), "warnings": [each.value for each in warnings]}

    def _one_vehicle(self, present: ParkingSession, other: ParkingSession) -> bool:
        if present.bay_id is None or other.bay_id is None:
            return True
        return beside(
            self._stays.place(present.bay_id).position, self._stays.place(other.bay_id).position
        )

    def _correct(self, told: Told) -> Effect:
        actor, act, kind = told.actor, told.act, CORRECTIONS[told.act.kind]
        session = self._stays.stay_then(self._bay(told), act.at)
        other = session
        if kind is CorrectionKind.MOVE:
            other = self._stays.stay_then(self._bay(told, "to_bay_id"), act.at)
        what = set_aside_of(act) if kind is CorrectionKind.SET_ASIDE else None
        actor.require(Role.ATTENDANT, Role.OPERATOR)
        said = Correction(
            kind, str(act.detail.get("reason") or ""), at=max(act.at, session.stay.opened_at)
        )
        word = Word(actor.subject, check_reason(said.reason))
        check_reach(actor, session)
        done: tuple[ParkingSession, ...]
        if kind is CorrectionKind.MOVE:
            done = self._stays.move(session, other, word)
        elif what is not None:
            done = (self._stays.set_aside(session, what, word),)
        else:
            done = (self._stays.end(session, max(act.at, session.stay.opened_at), word),)
        self._deeds.append(correcting(actor, session.id, said, word, done))
        return {"session_id": str(session.id), "sessions": [str(each.id) for each in done]}

    def _take(self, told: Told) -> Effect:
        actor, act = told.actor, told.act
        bill_id, tendered = cash_of(act)
        actor.require(Role.ATTENDANT, Role.FINANCE)
        bill = self._cash.find_bill(bill_id)
        if bill is None:
            raise NotFound("no such bill", field="bill_id")
        if not actor.in_district(bill.charge.district):
            raise Forbidden("the bill is of another district than yours")
        # The act's own id is the payment's: whatever is sent again, the money is counted once.
        taken = self._cash.take(bill_id, tendered, actor.subject, PaymentId(act.id), act.at)
        if taken.fresh:
            self._deeds.append(taking(actor, taken.payment))
        return paid_effect(taken.payment)

    def _bay(self, told: Told, field: str = "bay_id") -> BayId:
        place = self._stays.place(bay_id_of(told.act, field))
        check_district(told, place.district)
        return place.id

    def _alone(self, new: NewAct) -> None:
        self._finished[new.act.id] = finish_act(
            self._uow, self._terminal, new.act, new.seen, self._people_at
        )

    def _write(self) -> bool:
        """Write what was decided; False where each had to go by itself."""
        if not self._run:
            return True
        run, self._run = self._run, []
        try:
            with self._uow.attempt():
                self._stays.write()
                self._cash.write()
                record_each(self._uow, self._deeds)
        except exc.IntegrityError:
            for each in run:
                self._alone(each)
            return False
        finally:
            self._deeds = []
        self._stays.forget_written()
        self._cash.forget_written()
        return True


def _bill_of(act: Act) -> BillId | None:
    try:
        return cash_of(act)[0]
    except Invalid:
        return None  # it is refused when it is its turn


def _bays_of(act: Act) -> list[BayId]:
    found = []
    for field in ("bay_id", "to_bay_id"):
        if field not in act.detail:
            continue
        try:
            found.append(bay_id_of(act, field))
        except Invalid:
            continue  # as above
    return found


def _reads(acts: Sequence[NewAct], of: NewAct | None = None) -> Reads:
    """Give what acts are about; with `of`, what one of them touched."""
    from_at: dict[BayId, datetime] = {}
    vehicles: set[VehicleId] = set()
    for each in acts:
        for bay_id in _bays_of(each.act):
            from_at[bay_id] = min(from_at.get(bay_id, each.act.at), each.act.at)
        if each.seen.vehicle_id is not None:
            vehicles.add(each.seen.vehicle_id)
    if of is None:
        return Reads(from_at, vehicles)
    touched = {each: from_at[each] for each in _bays_of(of.act)}
    named = () if of.seen.vehicle_id is None else (of.seen.vehicle_id,)
    return Reads(touched, named)
