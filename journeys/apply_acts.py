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

from city.audit import record
from city.errors import Forbidden, Invalid
from city.identifiers import AccountId, uuid7
from city.people.actors import Actor
from city.people.roles import Role
from city.terminals import act_store, photo_store
from city.terminals.rules import acts as rules
from city.terminals.rules.acts import Act, ActKind, Advice, Basis, Outcome
from city.terminals.rules.terminals import Terminal
from city.vault import keep_plates
from city.vehicles import PlateKind, parse_plate
from city.works.database import UnitOfWork
from journeys.apply_act import PeopleAt, Seen, finish_act
from journeys.apply_round import NewAct, Round

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
    uow: UnitOfWork,
    terminal: Terminal,
    sent_at: datetime,
    sent: Sequence[ActIn],
    *,
    together: bool = True,
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
    together : bool
        Read what they touch at once and write it at once; else each by its own use case, which is
        what the first way is held against.

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
    Some thirty statements a batch, whatever its length, and those of the own use cases of acts
    that `journeys.apply_round` cannot decide from what it read.
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
    results: dict[UUID, ActResult] = {}
    new: list[NewAct] = []
    for each in sorted(sent, key=lambda each: each.sequence):
        act = _kept(terminal, each, seen[each.id], sent_at, now)
        before, numbered = by_id.get(each.id), by_number.get(each.sequence)
        if before is not None:
            results[each.id] = _again(before, act)
        elif numbered is not None:
            results[each.id] = _not_kept(each.id, "number-used", "another act has this number")
        else:
            new.append(NewAct(act, seen[each.id]))
    if new:
        people_at = PeopleAt(uow, act_store.sign_ins(uow.connection, terminal.id))
        if together:
            done = Round(uow, terminal, people_at).apply(new)
        else:
            done = [finish_act(uow, terminal, each.act, each.seen, people_at) for each in new]
        results |= {each.id: _told(each, CREATED) for each in done}
        act_store.add(uow.connection, done)
        photo_store.expect(uow.connection, done)
        act_store.count_up(uow.connection, terminal.id, done)
    return [results[each] for each in ids]


def _seen(uow: UnitOfWork, sent: Sequence[ActIn]) -> dict[UUID, Seen]:
    """Keep all plates at once: those that can be none of no kind, where that is possible."""
    found: dict[UUID, Seen] = {}
    for each in sent:
        if each.plate is None:
            found[each.id] = Seen()
            continue
        try:
            found[each.id] = Seen(parse_plate(each.plate, each.plate_kind))
        except Invalid as error:
            try:
                unread = parse_plate(each.plate, PlateKind.UNKNOWN)
            except Invalid:
                found[each.id] = Seen(refused=error)
            else:
                found[each.id] = Seen(unread, refused=error)
    plates = [each.plate for each in found.values() if each.plate is not None]
    vehicles = keep_plates(uow, plates)
    return {
        key: each if each.plate is None else replace(each, vehicle_id=vehicles[each.plate])
        for key, each in found.items()
    }


def _kept(terminal: Terminal, sent: ActIn, seen: Seen, sent_at: datetime, now: datetime) -> Act:
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
