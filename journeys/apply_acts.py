"""What was done on a terminal, perhaps without a line and hours ago, takes effect once.

A batch is one transaction: each act stands or falls alone in it, and is kept with what became of
it. Sent again it is answered again. What is refused is kept with its reason, its plate in the
vault: the street is the only witness, and no record of it may be lost.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import exc

from city.audit import record
from city.errors import CityError, Conflict, Forbidden, Invalid, NotFound, Unavailable
from city.identifiers import AccountId, BayId, BillId, PaymentId, VehicleId, parse_id, uuid7
from city.money import Money
from city.people import store as people
from city.people.actors import Actor
from city.people.roles import Role
from city.terminals import act_store
from city.terminals.rules import acts as rules
from city.terminals.rules.acts import Act, ActKind, Advice, Basis, Outcome, SignIn
from city.terminals.rules.terminals import Terminal
from city.vault import keep_plates
from city.vehicles import PlateKind, PlateNumber, parse_plate
from city.works.database import UnitOfWork
from journeys.attach_vehicle import attach_seen
from journeys.correct_stay import Correction, CorrectionKind, correct_stay
from journeys.take_payment import take_payment
from parking.rules.evidence import SetAside
from parking.services import rounds
from parking.store.places import bay, facility

CREATED: Final = "created"
EXISTS: Final = "exists"
CONFLICT: Final = "conflict"


@dataclass(frozen=True, slots=True)
class ActIn:
    """An act as a device sends it; its form was checked."""

    id: UUID
    sequence: int
    kind: ActKind
    account_id: AccountId
    device_at: datetime
    offset_ms: int | None
    detail: Mapping[str, JsonValue]
    """Without the plate."""
    plate: str | None = None
    plate_kind: PlateKind | None = None


@dataclass(frozen=True, slots=True)
class ActResult:
    """What the device is told of an act."""

    id: UUID
    result: str
    kept: bool
    """Whether the device may forget it."""
    reason: str = ""
    words: str = ""
    advice: Advice | None = None
    effect: Mapping[str, JsonValue] | None = None


@dataclass(frozen=True, slots=True)
class _Seen:
    """A plate as it was typed: a vehicle where it can be one, else why not."""

    plate: PlateNumber | None = None
    vehicle_id: VehicleId | None = None
    refused: CityError | None = None


@dataclass(frozen=True, slots=True)
class _Done:
    """An act with who did it where."""

    terminal: Terminal
    actor: Actor
    act: Act


def sign_in(uow: UnitOfWork, actor: Actor, terminal: Terminal) -> None:
    """Sign a person in at a terminal; whoever was there before is signed out.

    Raises
    ------
    Forbidden
        For whom no act of a terminal can be, or in another district.
    """
    actor.require(Role.ATTENDANT, Role.OPERATOR)
    if actor.account_id is None or not actor.in_district(terminal.district):
        raise Forbidden("the terminal is of another district than yours")
    now = uow.clock.now()
    act_store.take_turn(uow.connection, terminal.id)
    if act_store.at_terminals(uow.connection, [terminal.id]).get(terminal.id) == actor.account_id:
        return  # their page was loaded again
    act_store.end_sign_in(uow.connection, terminal.id, now)
    act_store.begin_sign_in(uow.connection, uuid7(), terminal.id, actor.account_id, now)
    record(uow, actor, "terminals.signed_in", "terminal", str(terminal.id), {})


def apply_acts(
    uow: UnitOfWork, terminal: Terminal, sent_at: datetime, sent: Sequence[ActIn]
) -> list[ActResult]:
    """Let acts take effect, each once, in the order of their numbers; say what became of each.

    Parameters
    ----------
    uow : UnitOfWork
        One transaction; another upload of the terminal waits for it.
    terminal : Terminal
        Which signed for them.
    sent_at : datetime
        By the device's clock, when it sent them.
    sent : Sequence[ActIn]
        At most `rules.MOST_A_BATCH`, their ids different.

    Returns
    -------
    list of ActResult
        In the order that was sent.

    Raises
    ------
    Invalid
        On more than that, or an id that comes twice.
    Unavailable
        Where the database is busy: nothing was done, send them again.

    Notes
    -----
    Some ten statements a batch, and those of each act's own use case in a savepoint.
    """
    if len(sent) > rules.MOST_A_BATCH:
        raise Invalid(f"must be at most {rules.MOST_A_BATCH}", field="items")
    if len({each.id for each in sent}) < len(sent) or len({each.sequence for each in sent}) < len(
        sent
    ):
        raise Invalid("names one act or number twice", field="items")
    act_store.take_turn(uow.connection, terminal.id)
    if not sent:
        return []
    now = uow.clock.now()
    ids = [each.id for each in sent]
    known = act_store.present(uow.connection, terminal.id, ids, [each.sequence for each in sent])
    by_id = {each.id: each for each in known}
    by_number = {each.sequence: each for each in known if each.terminal_id == terminal.id}
    seen = _seen(uow, sent)
    people_at = _People(uow, act_store.sign_ins(uow.connection, terminal.id))
    results: dict[UUID, ActResult] = {}
    done: list[Act] = []
    for each in sorted(sent, key=lambda each: each.sequence):
        act = _kept(terminal, each, seen[each.id], sent_at, now)
        before, numbered = by_id.get(each.id), by_number.get(each.sequence)
        if before is not None:
            results[each.id] = _again(before, act)
        elif numbered is not None:
            results[each.id] = _not_kept(each.id, "number-used", "another act has this number")
        else:
            finished = _finished(uow, terminal, act, seen[each.id], people_at)
            done.append(finished)
            results[each.id] = _told(finished, CREATED)
    if done:
        act_store.add(uow.connection, done)
        act_store.count_up(uow.connection, terminal.id, done)
    return [results[each] for each in ids]


def _seen(uow: UnitOfWork, sent: Sequence[ActIn]) -> dict[UUID, _Seen]:
    """Keep all plates at once: those that can be none of no kind, where that is possible."""
    found: dict[UUID, _Seen] = {}
    for each in sent:
        if each.plate is None:
            found[each.id] = _Seen()
            continue
        try:
            found[each.id] = _Seen(parse_plate(each.plate, each.plate_kind))
        except Invalid as error:
            try:
                unread = parse_plate(each.plate, PlateKind.UNKNOWN)
            except Invalid:
                found[each.id] = _Seen(refused=error)
            else:
                found[each.id] = _Seen(unread, refused=error)
    plates = [each.plate for each in found.values() if each.plate is not None]
    vehicles = keep_plates(uow, plates)
    return {
        key: each if each.plate is None else replace(each, vehicle_id=vehicles[each.plate])
        for key, each in found.items()
    }


def _kept(terminal: Terminal, sent: ActIn, seen: _Seen, sent_at: datetime, now: datetime) -> Act:
    at, basis = rules.instant_of(sent.device_at, sent.offset_ms, sent_at, now)
    detail = dict(sent.detail)
    if seen.vehicle_id is not None:
        detail["vehicle_id"] = str(seen.vehicle_id)
    return Act(
        id=sent.id,
        terminal_id=terminal.id,
        sequence=sent.sequence,
        kind=sent.kind,
        account_id=sent.account_id,
        device_at=sent.device_at,
        offset_ms=sent.offset_ms,
        at=at,
        basis=Basis(basis),
        received_at=now,
        detail=detail,
    )


def _finished(
    uow: UnitOfWork, terminal: Terminal, act: Act, seen: _Seen, people_at: "_People"
) -> Act:
    try:
        with uow.attempt():
            if seen.refused is not None:
                raise seen.refused
            rules.check_timely(act)
            effect = _effect(uow, _Done(terminal, people_at.actor_of(act), act), seen)
        return replace(act, outcome=Outcome.DONE, effect=effect)
    except Unavailable:
        raise
    except CityError as error:
        reason, words = rules.reason_of(error), error.message
    except exc.IntegrityError:
        # A constraint is the last to say no: something stands against it that was not looked at.
        reason, words = "conflict", "contradicts what already stands"
    return replace(act, outcome=Outcome.REFUSED, reason=reason, words=words)


def _effect(  # noqa: PLR0911 - one return a kind
    uow: UnitOfWork, done: _Done, seen: _Seen
) -> dict[str, JsonValue]:
    terminal, actor, act = done.terminal, done.actor, done.act
    match act.kind:
        case ActKind.PLATE:
            return _plate(uow, done, seen)
        case ActKind.END:
            return _corrected(uow, done, CorrectionKind.END)
        case ActKind.MOVE:
            return _corrected(uow, done, CorrectionKind.MOVE)
        case ActKind.SET_ASIDE:
            return _corrected(uow, done, CorrectionKind.SET_ASIDE)
        case ActKind.CASH:
            return _cash(uow, done)
        case ActKind.REPORT:
            place = _bay(uow, done)
            detail: dict[str, JsonValue] = {
                "what": act.detail.get("what"),
                "note": act.detail.get("note"),
            }
            record(uow, actor, "parking.bay_reported", "bay", str(place), detail)
            return {"bay_id": str(place)}
        case ActKind.SIGN_OUT:
            act_store.end_sign_in(uow.connection, terminal.id, act.at, act.account_id)
            record(uow, actor, "terminals.signed_out", "terminal", str(terminal.id), {})
            return {}


def _plate(uow: UnitOfWork, done: _Done, seen: _Seen) -> dict[str, JsonValue]:
    actor, act = done.actor, done.act
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


def _corrected(uow: UnitOfWork, said: _Done, kind: CorrectionKind) -> dict[str, JsonValue]:
    actor, act = said.actor, said.act
    session = rounds.stay_then(uow, _bay(uow, said), act.at)
    other_id = None
    if kind is CorrectionKind.MOVE:
        other_id = rounds.stay_then(uow, _bay(uow, said, "to_bay_id"), act.at).id
    correction = Correction(
        kind,
        str(act.detail.get("reason") or ""),
        at=max(act.at, session.stay.opened_at),
        other_id=other_id,
        set_aside=_set_aside(act) if kind is CorrectionKind.SET_ASIDE else None,
    )
    done = correct_stay(uow, actor, session.id, correction)
    return {"session_id": str(session.id), "sessions": [str(each.id) for each in done]}


def _set_aside(act: Act) -> SetAside:
    what = act.detail.get("what")
    if what not in set(SetAside):
        raise Invalid("must say what stands there", field="what")
    return SetAside(str(what))


def _cash(uow: UnitOfWork, done: _Done) -> dict[str, JsonValue]:
    actor, act = done.actor, done.act
    minor, currency = act.detail.get("tendered_minor"), act.detail.get("currency")
    if not isinstance(minor, int) or not isinstance(currency, str):
        raise Invalid("must say what was handed over", field="tendered")
    bill_id = BillId(parse_id(str(act.detail.get("bill_id")), "bill_id"))
    # The act's own id is the payment's: whatever is sent again, the money is counted once.
    paid = take_payment(uow, actor, bill_id, Money(minor, currency), PaymentId(act.id))
    return {
        "payment_id": str(paid.id),
        "amount": paid.amount.as_json(),
        "change": paid.change.as_json(),
    }


def _bay(uow: UnitOfWork, done: _Done, field: str = "bay_id") -> BayId:
    place = bay(uow.connection, BayId(parse_id(str(done.act.detail.get(field)), field)))
    if place.district != done.terminal.district or not done.actor.in_district(place.district):
        raise Forbidden("the bay is in another district than yours")
    return BayId(place.id)


class _People:
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


def _again(before: Act, act: Act) -> ActResult:
    if not before.same_as(act):
        return _not_kept(act.id, "id-used", "another act has this id")
    return _told(before, EXISTS)


def _told(act: Act, result: str) -> ActResult:
    if act.outcome is Outcome.REFUSED:
        advice = rules.advice_of(act.reason)
        return ActResult(
            act.id, CONFLICT, kept=True, reason=act.reason, words=act.words, advice=advice
        )
    return ActResult(act.id, result, kept=True, effect=act.effect)


def _not_kept(act_id: UUID, reason: str, words: str) -> ActResult:
    advice = rules.advice_of(reason)
    return ActResult(act_id, CONFLICT, kept=False, reason=reason, words=words, advice=advice)
