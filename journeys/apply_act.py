"""One thing that was done on a terminal takes effect by its own use case, or is refused."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from pydantic import JsonValue
from sqlalchemy import exc

from city.audit import record
from city.errors import CityError, Conflict, Forbidden, Invalid, NotFound, Unavailable
from city.identifiers import AccountId, BayId, BillId, DistrictCode, PaymentId, VehicleId, parse_id
from city.money import Money
from city.people import store as people
from city.people.actors import Actor
from city.people.roles import Role
from city.terminals import act_store
from city.terminals.rules import acts as rules
from city.terminals.rules.acts import Act, ActKind, Outcome, SignIn
from city.terminals.rules.terminals import Terminal
from city.vehicles import PlateNumber
from city.works.database import UnitOfWork
from journeys import keep_shifts
from journeys.attach_vehicle import attach_seen
from journeys.correct_stay import Correction, CorrectionKind, correct_stay
from journeys.exempt_stay import Freeing, exempt_stay
from journeys.keep_shifts import Receiver
from journeys.mark_escape import Escape, mark_escape, stay_of_bill
from journeys.pay_ahead_late import TakenAhead, pay_ahead_late
from journeys.take_payment import take_payment
from parking.rules.evidence import SetAside
from parking.rules.exemptions import Photo
from parking.services import rounds
from parking.store.places import bay, facility
from payments.rules.bills import Payment
from payments.rules.shifts import CURRENCY

Effect = dict[str, JsonValue]
CORRECTIONS: Final = {
    ActKind.END: CorrectionKind.END,
    ActKind.MOVE: CorrectionKind.MOVE,
    ActKind.SPLIT: CorrectionKind.SPLIT,
    ActKind.SWAP: CorrectionKind.SWAP,
    ActKind.JOIN: CorrectionKind.JOIN,
    ActKind.SET_ASIDE: CorrectionKind.SET_ASIDE,
}

SHIFT_KINDS: Final = frozenset(
    {
        ActKind.SHIFT_BEGIN,
        ActKind.SHIFT_PAUSE,
        ActKind.SHIFT_RESUME,
        ActKind.SHIFT_COUNT,
        ActKind.SHIFT_EXPLAIN,
        ActKind.CASH_GIVE,
        ActKind.CASH_TAKE,
    }
)


@dataclass(frozen=True, slots=True)
class Seen:
    """A plate as it was typed: a vehicle where it can be one, else why not."""

    plate: PlateNumber | None = None
    vehicle_id: VehicleId | None = None
    refused: CityError | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """An act with who did it where, and the plate that it names."""

    terminal: Terminal
    actor: Actor
    act: Act
    seen: Seen


def check_told(act: Act, seen: Seen) -> None:
    """Refuse what cannot be looked at: a plate that can be none, or what is too old."""
    if seen.refused is not None:
        raise seen.refused
    rules.check_timely(act)


def finish_act(
    uow: UnitOfWork, terminal: Terminal, act: Act, seen: Seen, people_at: "PeopleAt"
) -> Act:
    """Let an act take effect in a savepoint of its own; give it with what became of it.

    Raises
    ------
    Unavailable
        Where the database is busy.
    """
    try:
        with uow.attempt():
            check_told(act, seen)
            effect = _effect(uow, Told(terminal, people_at.actor_of(act), act, seen))
        return replace(act, outcome=Outcome.DONE, effect=effect)
    except Unavailable:
        raise
    except CityError as error:
        return refused(act, error)
    except exc.IntegrityError:
        # A constraint is the last to say no: something stands against it that was not looked at.
        return replace(
            act,
            outcome=Outcome.REFUSED,
            reason="conflict",
            words="contradicts what already stands",
        )


def refused(act: Act, error: CityError) -> Act:
    """Give an act as refused, with the short name of why and the words."""
    return replace(act, outcome=Outcome.REFUSED, reason=rules.reason_of(error), words=error.message)


def _effect(uow: UnitOfWork, done: Told) -> Effect:  # noqa: PLR0911 - one return a kind
    terminal, actor, act = done.terminal, done.actor, done.act
    correction = CORRECTIONS.get(act.kind)
    if correction is not None:
        return _corrected(uow, done, correction)
    if act.kind in SHIFT_KINDS:
        return _shift(uow, done)
    match act.kind:
        case ActKind.PLATE:
            return _plate(uow, done)
        case ActKind.EXEMPT:
            return _exempted(uow, done)
        case ActKind.CASH:
            return _cash(uow, done)
        case ActKind.AHEAD:
            return _ahead(uow, done)
        case ActKind.ESCAPE:
            return _escaped(uow, done)
        case ActKind.REPORT:
            place = _bay(uow, done)
            record(uow, actor, "parking.bay_reported", "bay", str(place), reported(act))
            return {"bay_id": str(place)}
        case _:
            act_store.end_sign_in(uow.connection, terminal.id, act.at, act.account_id)
            record(uow, actor, "terminals.signed_out", "terminal", str(terminal.id), {})
            return {}


def _plate(uow: UnitOfWork, done: Told) -> Effect:
    actor, act, seen = done.actor, done.act, done.seen
    actor.require(Role.ATTENDANT, Role.OPERATOR)
    bay_id = _bay(uow, done)
    if seen.plate is None or seen.vehicle_id is None:
        raise Invalid("names no plate", field="plate")
    if facility(uow.connection, bay(uow.connection, bay_id).facility_id).kind == "garage":
        session = rounds.stay_then(uow, bay_id, act.at)
    else:
        session = rounds.stay_of_vehicle(uow, bay_id, seen.vehicle_id, act.at, act.id)
    # A stay cannot have been noted before it began, nor after a sensor's word that it was over.
    seen_at = max(act.at, session.stay.opened_at)
    attached = attach_seen(
        uow, actor, session, seen.plate, seen_at=seen_at, vehicle_id=seen.vehicle_id
    )
    return {
        "session_id": str(attached.session.id),
        "warnings": [each.value for each in attached.warnings],
    }


def _corrected(uow: UnitOfWork, said: Told, kind: CorrectionKind) -> Effect:
    actor, act = said.actor, said.act
    session = rounds.stay_then(uow, _bay(uow, said), act.at)
    other_id = None
    if kind in {CorrectionKind.MOVE, CorrectionKind.JOIN}:
        other_id = rounds.stay_then(uow, _bay(uow, said, "to_bay_id"), act.at).id
    correction = Correction(
        kind,
        str(act.detail.get("reason") or ""),
        at=_instant(act, kind, session.stay.opened_at),
        other_id=other_id,
        plate=_plate_of(said) if kind is CorrectionKind.SWAP else None,
        set_aside=set_aside_of(act) if kind is CorrectionKind.SET_ASIDE else None,
        vehicle_left=act.detail.get("vehicle_left") is not False,
    )
    done = correct_stay(uow, actor, session.id, correction)
    return {"session_id": str(session.id), "sessions": [str(each.id) for each in done]}


def _instant(act: Act, kind: CorrectionKind, opened_at: datetime) -> datetime:
    """Give when it was: a person says how long ago one vehicle followed another."""
    if kind is CorrectionKind.SPLIT:
        return act.at - rules.minutes_of(act, "minutes_before", rules.MOST_BEFORE)
    return max(act.at, opened_at)


def _plate_of(said: Told) -> PlateNumber:
    if said.seen.plate is None:
        raise Invalid("names no plate", field="plate")
    return said.seen.plate


def _escaped(uow: UnitOfWork, said: Told) -> Effect:
    act = said.act
    if act.detail.get("bill_id") is not None:
        bill_id = BillId(parse_id(str(act.detail["bill_id"]), "bill_id"))
        session_id = stay_of_bill(uow, bill_id)
    else:
        session_id = rounds.stay_then(uow, _bay(uow, said), act.at).id
    escape = Escape(act.at, str(act.detail.get("reason") or ""), photo_of(act))
    session, bill = mark_escape(uow, said.actor, session_id, escape)
    return {
        "session_id": str(session.id),
        "bill_id": None if bill is None else str(bill.id),
    }


def _ahead(uow: UnitOfWork, said: Told) -> Effect:
    act = said.act
    session = rounds.stay_then(uow, _bay(uow, said), act.at)
    amount = act.detail.get("amount_minor")
    tendered = tendered_of(act)
    if not isinstance(amount, int):
        raise Invalid("must say what was asked for", field="amount_minor")
    until_at = act.at + rules.minutes_of(act, "minutes_ahead", rules.MOST_AHEAD)
    taken = TakenAhead(
        act.at, until_at, Money(amount, tendered.currency), tendered, PaymentId(act.id)
    )
    paid = pay_ahead_late(uow, said.actor, session.stay.part_of or session.id, taken)
    return {"session_id": str(session.id), **paid_effect(paid)}


def _exempted(uow: UnitOfWork, said: Told) -> Effect:
    act = said.act
    session = rounds.stay_then(uow, _bay(uow, said), act.at)
    code = str(act.detail.get("exempt") or "")
    freeing = Freeing(code, str(act.detail.get("reason") or ""), photo_of(act), act.at)
    done = exempt_stay(uow, said.actor, session.stay.part_of or session.id, freeing)
    return {"session_id": str(done.id), "exempt": done.exempt}


def photo_of(act: Act) -> Photo | None:
    """Give the picture that was taken with an act; Invalid where it is named by half."""
    photo_id, sha256 = act.detail.get("photo_id"), act.detail.get("photo_sha256")
    if photo_id is None and sha256 is None:
        return None
    return Photo(parse_id(str(photo_id), "photo_id"), str(sha256))


def reported(act: Act) -> Effect:
    """Give what is reported of a bay, as it is recorded."""
    return {"what": act.detail.get("what"), "note": act.detail.get("note")}


def set_aside_of(act: Act) -> SetAside:
    """Give what stands there instead of a vehicle; Invalid where it is not said."""
    what = act.detail.get("what")
    if what not in set(SetAside):
        raise Invalid("must say what stands there", field="what")
    return SetAside(str(what))


def _shift(uow: UnitOfWork, done: Told) -> Effect:
    actor, act = done.actor, done.act
    if act.kind is ActKind.SHIFT_BEGIN:
        district, place = done.terminal.district, str(act.detail.get("place") or "")
        # The act's own id is the shift's.
        shift = keep_shifts.begin_shift(uow, actor, act.id, district, place, act.at)
        return {"shift_id": str(shift.id)}
    if act.kind is ActKind.SHIFT_EXPLAIN:
        shift_id = parse_id(str(act.detail.get("shift_id")), "shift_id")
        note = str(act.detail.get("note") or "")
        return {"shift_id": str(keep_shifts.explain_shift(uow, actor, shift_id, note).id)}
    if act.kind in {ActKind.CASH_GIVE, ActKind.CASH_TAKE}:
        return _handed(uow, done)
    present = keep_shifts.open_shift(uow, actor)
    match act.kind:
        case ActKind.SHIFT_PAUSE:
            keep_shifts.pause_shift(uow, actor, present.id, act.at)
        case ActKind.SHIFT_RESUME:
            keep_shifts.resume_shift(uow, actor, present.id, act.at)
        case _:
            note = str(act.detail.get("note") or "")
            keep_shifts.count_shift(uow, actor, present.id, pieces_of(act), note, act.at)
    return {"shift_id": str(present.id)}


def _handed(uow: UnitOfWork, done: Told) -> Effect:
    actor, act, district = done.actor, done.act, done.terminal.district
    minor, named = act.detail.get("amount_minor"), act.detail.get("person_id")
    if not isinstance(minor, int) or act.detail.get("currency") != CURRENCY:
        raise Invalid("must say how much, in yuan", field="amount_minor")
    amount = Money(minor, CURRENCY)
    other = None if named is None else AccountId(parse_id(str(named), "person_id"))
    # Without an answer nobody knows the offer: the act's own id is its name.
    if act.kind is ActKind.CASH_GIVE:
        to = Receiver(other)
        move = keep_shifts.offer_cash(uow, actor, act.id, to, amount, district=district, at=act.at)
    elif other is None:
        move_id = parse_id(str(act.detail.get("move_id")), "move_id")
        move = keep_shifts.accept_cash(uow, actor, move_id, amount, act.at)
    else:
        move = keep_shifts.claim_cash(
            uow, actor, act.id, other, amount, district=district, at=act.at
        )
    return {"move_id": str(move.id), "state": move.state.value}


def pieces_of(act: Act) -> dict[int, int]:
    """Give the notes and coins that were counted, by face; Invalid where it is not said."""
    said = act.detail.get("pieces")
    if not isinstance(said, dict):
        raise Invalid("must say what was counted", field="pieces")
    return {int(face): number for face, number in said.items() if isinstance(number, int)}


def _cash(uow: UnitOfWork, done: Told) -> Effect:
    actor, act = done.actor, done.act
    bill_id, tendered = cash_of(act)
    # The act's own id is the payment's: whatever is sent again, the money is counted once.
    return paid_effect(take_payment(uow, actor, bill_id, tendered, PaymentId(act.id), at=act.at))


def cash_of(act: Act) -> tuple[BillId, Money]:
    """Give the bill that cash is for and what was handed over; Invalid where it is not said."""
    tendered = tendered_of(act)
    return BillId(parse_id(str(act.detail.get("bill_id")), "bill_id")), tendered


def tendered_of(act: Act) -> Money:
    """Give what was handed over; Invalid where it is not said."""
    minor, currency = act.detail.get("tendered_minor"), act.detail.get("currency")
    if not isinstance(minor, int) or not isinstance(currency, str):
        raise Invalid("must say what was handed over", field="tendered")
    return Money(minor, currency)


def paid_effect(paid: Payment) -> Effect:
    """Give what the device is told of a payment."""
    return {
        "payment_id": str(paid.id),
        "amount": paid.amount.as_json(),
        "change": paid.change.as_json(),
    }


def bay_id_of(act: Act, field: str = "bay_id") -> BayId:
    """Give the bay that an act names; Invalid where it names none."""
    return BayId(parse_id(str(act.detail.get(field)), field))


def check_district(told: Told, district: DistrictCode) -> None:
    """Refuse bays of other districts than the terminal's and the person's."""
    if district != told.terminal.district or not told.actor.in_district(district):
        raise Forbidden("the bay is in another district than yours")


def _bay(uow: UnitOfWork, done: Told, field: str = "bay_id") -> BayId:
    place = bay(uow.connection, bay_id_of(done.act, field))
    check_district(done, place.district)
    return BayId(place.id)


class PeopleAt:
    """Who did what: people who were signed in at the terminal then, each asked for once."""

    def __init__(self, uow: UnitOfWork, sign_ins: Sequence[SignIn]) -> None:
        self._uow = uow
        self._sign_ins = sign_ins
        self._actors: dict[AccountId, Actor] = {}

    def actor_of(self, act: Act) -> Actor:
        """Give the person; Conflict where they were not signed in, Forbidden where they may not."""
        if not any(each.covers(act.account_id, act.at) for each in self._sign_ins):
            raise Conflict(
                "whoever did this was not signed in at the terminal then",
                field="account_id",
                reason="not-signed-in",
            )
        if act.account_id not in self._actors:
            found = people.account_by_id(self._uow.connection, act.account_id)
            if found is None or found[0].disabled_at is not None:
                raise NotFound("there is no such account in force", field="account_id")
            self._actors[act.account_id] = found[0].actor()
        return self._actors[act.account_id]
