"""Who may ask for priority at signals, and what vehicles on their way tell."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from city.audit import record
from city.errors import Conflict, Forbidden, Invalid, NotFound
from city.identifiers import uuid7
from city.people.actors import Actor
from city.works.database import UnitOfWork
from signals.rules.priority.decision import Act, Decision
from signals.rules.priority.requests import (
    FORGOTTEN_S,
    PRESENCE_S,
    Request,
    Told,
    VehicleClass,
)
from signals.services import networks
from signals.store import networks as network_store
from signals.store import priority as store
from signals.store import priority_turns
from signals.store.priority import Asked, Asker

if TYPE_CHECKING:
    from pydantic import JsonValue

OLD: Final = timedelta(seconds=30)
"""What a vehicle told longer ago says nothing about where it is now."""
AHEAD: Final = timedelta(seconds=5)
"""By so much a device's clock may be ahead."""
FARTHEST: Final = timedelta(minutes=5)
"""Nobody knows that far ahead when he will be at a stop line."""
KEPT: Final = timedelta(days=90)
_AT_ONCE: Final = 20_000

SAYS: Final = {
    "unknown_signal": "the network has no such signal",
    "unknown_group": "the signal has no such signal group for vehicles",
    "not_granted": "the device may not ask for this class of vehicle",
    "old": "older than 30 s, or than what is known of this vehicle",
    "future": "more than 5 s ahead of the city's clock",
    "too_far": "does not arrive within five minutes from now, or a minute ago",
    "taken": "another device asks under this name at this signal",
    "nobody": "no such vehicle of this device is on its way to this signal",
    "incomplete": "a check-in says the class, the signal group and when it arrives",
}
"""Why a row is not used."""


@dataclass(frozen=True, slots=True)
class Telling:
    """What a vehicle tells of itself."""

    told: Told
    signal: str
    vehicle: str
    at: datetime
    kind: VehicleClass | None = None
    group: str | None = None
    lane: str = ""
    arrives_at: datetime | None = None
    spread_s: float = 0.0
    lateness_s: float | None = None
    passengers: int | None = None
    ahead: float | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a request's rows."""

    accepted: int
    refused: tuple[tuple[int, str], ...]
    """Places of rows, and a key of ``SAYS``."""


def register(
    uow: UnitOfWork,
    actor: Actor,
    network_id: UUID,
    subject: str,
    kinds: Sequence[VehicleClass],
    *,
    simulated: bool = False,
) -> Asker:
    """Let a device ask for priority; its credential, of the same name, is issued apart.

    Raises
    ------
    NotFound
        Where there is no such network.
    Invalid
        Without a class.
    Conflict
        Where a device asks under the subject already.
    """
    networks.network(uow.connection, network_id)
    if not kinds:
        raise Invalid("must name a class at least", field="kinds")
    at = uow.wall.now()
    made = Asker(
        uuid7(),
        network_id,
        subject,
        sorted({each.value for each in kinds}),
        simulated,
        at,
        actor.subject,
    )
    row = {name: getattr(made, name) for name in Asker.__slots__}
    try:
        with uow.attempt():
            store.add_askers(uow.connection, [row])
    except IntegrityError as error:
        constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", "")
        if constraint != "priority_asker_subject":
            raise
        raise Conflict("a device asks under this name", field="subject") from None
    detail: dict[str, JsonValue] = {"subject": subject, "kinds": list(made.kinds)}
    record(uow, actor, "signals.priority_asker_added", "signal_network", str(network_id), detail)
    return made


def remove(uow: UnitOfWork, actor: Actor, network_id: UUID, asker_id: UUID) -> Asker:
    """Let a device ask no longer; what it asked for lapses.

    Raises
    ------
    NotFound
        Where no such device asks in the network.
    """
    known = store.askers(uow.connection, network_id)
    gone = next((each for each in known if each.id == asker_id), None)
    at = uow.wall.now()
    if gone is None or not store.remove_asker(uow.connection, asker_id, at=at, by=actor.subject):
        raise NotFound("no such device asks here", field="asker_id")
    store.end_of_asker(uow.connection, asker_id, at=at)
    detail: dict[str, JsonValue] = {"subject": gone.subject}
    record(uow, actor, "signals.priority_asker_removed", "signal_network", str(network_id), detail)
    return gone


def tell(uow: UnitOfWork, actor: Actor, rows: Sequence[Telling]) -> Taken:
    """Take in what vehicles of a device tell.

    Parameters
    ----------
    uow : UnitOfWork
    actor : Actor
        The device.
    rows : Sequence of Telling
        In their order; of several of a vehicle at a signal the last one stands.

    Raises
    ------
    Forbidden
        Where nobody registered the device.
    """
    asker = store.asker_of(uow.connection, actor.subject)
    if asker is None:
        raise Forbidden("This device is not registered to ask for priority.")
    now = uow.wall.now()
    groups = _groups(uow, asker, rows)
    refused: dict[int, str] = {}
    last: dict[tuple[str, str], list[int]] = {}
    for place, row in enumerate(rows):
        why = _wrong(row, asker, groups, now)
        if why is None:
            last.setdefault((row.signal, row.vehicle), []).append(place)
        else:
            refused[place] = why
    ins = {key: places for key, places in last.items() if rows[places[-1]].told is Told.CHECK_IN}
    outs = {key: places for key, places in last.items() if key not in ins}
    taken: set[tuple[str, str]] = set()
    if ins:
        made = [_row(rows[places[-1]], asker, now) for places in ins.values()]
        taken |= store.check_in(uow.connection, made)
    if outs:
        passed = [(*key, rows[places[-1]].at) for key, places in outs.items()]
        taken |= store.check_out(uow.connection, asker.id, passed, at=now)
    others = store.others(uow.connection, asker, [key for key in ins if key not in taken])
    for key, places in last.items():
        if key in taken:
            continue
        why = "nobody" if key in outs else "taken" if key in others else "old"
        refused.update(dict.fromkeys(places, why))
    return Taken(len(rows) - len(refused), tuple(sorted(refused.items())))


def forget(uow: UnitOfWork) -> int:
    """Drop what ended long ago; give how many requests."""
    before = uow.wall.now() - KEPT
    gone = store.forget(uow.connection, before=before, most=_AT_ONCE)
    priority_turns.forget(uow.connection, before=before, most=_AT_ONCE)
    return gone


def forgotten_before(now: datetime) -> datetime:
    """Give before when a request must have lapsed to count as over."""
    return now - timedelta(seconds=FORGOTTEN_S)


def _groups(uow: UnitOfWork, asker: Asker, rows: Sequence[Telling]) -> Mapping[str, frozenset[str]]:
    """Give the signal groups of the signals that are named, those that there are."""
    named = {row.signal for row in rows}
    known = network_store.known_signals(uow.connection, asker.network_id, sorted(named))
    parts = networks.parts(uow.connection, asker.network_id, known)
    return {
        name: frozenset(each.group for each in part.junctions[0].movements)
        for name, part in parts.items()
    }


def _wrong(
    row: Telling, asker: Asker, groups: Mapping[str, frozenset[str]], now: datetime
) -> str | None:
    """Say why a row is not used, by a key of ``SAYS``."""
    soon = now - timedelta(seconds=PRESENCE_S), now + FARTHEST
    out = row.told is Told.CHECK_OUT
    faults = (
        ("unknown_signal", row.signal not in groups),
        ("future", row.at > now + AHEAD),
        ("old", row.at < now - OLD),
        ("incomplete", not out and None in {row.kind, row.group, row.arrives_at}),
        ("not_granted", not out and row.kind not in asker.kinds),
        ("unknown_group", not out and row.group not in groups.get(row.signal, ())),
        ("too_far", row.arrives_at is not None and not soon[0] <= row.arrives_at <= soon[1]),
    )
    return next((why for why, holds in faults if holds), None)


def _row(row: Telling, asker: Asker, now: datetime) -> dict[str, object]:
    assert row.kind is not None and row.arrives_at is not None  # noqa: S101, PT018 - seen to
    lapses_at = row.arrives_at + timedelta(seconds=row.spread_s + PRESENCE_S)
    return {
        "id": uuid7(),
        "network_id": asker.network_id,
        "signal": row.signal,
        "asker_id": asker.id,
        "vehicle": row.vehicle,
        "kind": row.kind.value,
        "group_name": row.group,
        "lane": row.lane,
        "told_at": row.at,
        "checked_in_at": now,
        "first_arrives_at": row.arrives_at,
        "arrives_at": row.arrives_at,
        "spread_s": row.spread_s,
        "lateness_s": row.lateness_s,
        "passengers": row.passengers,
        "ahead": row.ahead,
        "lapses_at": lapses_at,
    }


def board_of(asked: Sequence[Asked]) -> dict[str, Request]:
    """Give kept requests as the rules take them, by vehicle."""
    return {
        each.vehicle: Request(
            each.vehicle,
            VehicleClass(each.kind),
            each.group_name,
            each.arrives_at.timestamp(),
            each.spread_s,
            each.lateness_s,
            each.passengers,
            each.lane,
            each.ahead,
        )
        for each in asked
    }


def keep_decisions(
    uow: UnitOfWork, decisions: Sequence[Decision], ids: Mapping[str, UUID], turn_id: UUID
) -> None:
    """Keep what was decided; where nothing is done, what was done before stays.

    Parameters
    ----------
    uow : UnitOfWork
    decisions : Sequence of Decision
    ids : Mapping
        Requests by vehicle; of others nothing is kept.
    turn_id : UUID
    """
    at = uow.wall.now()
    known = [each for each in decisions if each.request.vehicle in ids]
    done = [
        _decision_row(each, ids[each.request.vehicle], turn_id, at)
        for each in known
        if each.act is not Act.NONE
    ]
    store.decided(uow.connection, done)
    nothing = {ids[each.request.vehicle]: each.reason for each in known if each.act is Act.NONE}
    store.nothing_done(uow.connection, nothing, at=at)


def _decision_row(
    one: Decision, request_id: UUID, turn_id: UUID, at: datetime
) -> dict[str, object]:
    finite = math.isfinite(one.passes_s)
    without_s = one.passes_s + one.sooner_s
    return {
        "key": request_id,
        "act": one.act.value,
        "stage": one.stage,
        "by_s": one.by_s,
        "others_s": one.others_s,
        "reason": one.reason,
        "at": at,
        "without_at": datetime.fromtimestamp(without_s, UTC) if finite else None,
        "passes_at": datetime.fromtimestamp(one.passes_s, UTC) if finite else None,
        "turn_id": turn_id,
    }
