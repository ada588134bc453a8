"""Escort routes: drafted, approved by another, run, and given back, with a log that is sealed.

A junction is held by an order of the same kind as one by hand: judged by what its controller said
within seconds, no longer than the law lets the others wait, kept by the same keeper, given back
where it is safe. The order says neither for whom nor why; the route's own log does.
"""

import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy.exc import IntegrityError

from city import vault
from city.errors import CityError, Conflict, Forbidden, Invalid, NotFound
from city.identifiers import uuid7
from city.people.actors import Actor, system_actor
from city.places import Position
from city.time import rfc3339
from city.works.database import UnitOfWork
from signals.rules.escorts.route import (
    Route,
    Stop,
    due,
    passed,
    progress_m,
    stage_for,
    stops_from_json,
    stops_json,
)
from signals.rules.live.lights import Seen
from signals.services import networks, overrides
from signals.store import escorts as store
from signals.store import intersections, junctions
from signals.store import overrides as override_store
from signals.store.escorts import Entry, Escort

DESK: Final = system_actor("command-desk")
"""Who orders, as everybody reads it."""
REASON: Final = "ordered by the command desk"
FRESH: Final = timedelta(seconds=15)
"""A position is worth nothing later: no junction is held by it any more."""
AHEAD: Final = timedelta(seconds=5)
LONGEST_HOLD_S: Final = 600
_PURPOSE: Final = "signals/escort-log"
_PAGE: Final = 500
_KPH: Final = 3.6


def draft(
    uow: UnitOfWork,
    actor: Actor,
    network_id: UUID,
    *,
    name: str,
    start: Position,
    stops: Sequence[tuple[str, str, Position | None]],
    tail_m: float,
    lead_s: int,
    speed_kph: float,
    subject: str | None,
) -> Escort:
    """Keep a route until another person approves it.

    Parameters
    ----------
    uow, actor, network_id
    name : str
    start : Position
        Where the convoy meets.
    stops : sequence
        Signal, signal group, and where the junction is; None where the city knows it.
    tail_m, lead_s, speed_kph
    subject : str or None
        Of the credential of the device that will tell where the convoy is.

    Raises
    ------
    NotFound
        Where there is no such network or signal.
    Invalid
        Where a group does not drive there, a junction's place is not known, or the route is none.
    """
    named = [signal for signal, _, _ in stops]
    parts = networks.parts(uow.connection, network_id, sorted(set(named)))
    made = []
    for place, (signal, group, at) in enumerate(stops):
        if group not in {each.group for each in parts[signal].junctions[0].movements}:
            raise Invalid("the signal has no such signal group", field=f"stops.{place}.group")
        made.append(Stop(signal, group, at or _position(uow, network_id, signal, place)))
    Route(start, tuple(made), tail_m)
    row = Escort(
        uuid7(),
        network_id,
        name.strip(),
        "draft",
        start.longitude,
        start.latitude,
        stops_json(made),
        tail_m,
        lead_s,
        speed_kph,
        subject,
        uow.wall.now(),
        actor.subject,
        actor.name or "",
        *(None,) * 5,
        0.0,
        *(None,) * 3,
        0,
    )
    store.add(uow.connection, row)
    note(uow, row.id, actor.subject, "drafted", {"signals": list(named)})
    return row


def _position(uow: UnitOfWork, network_id: UUID, signal: str, place: int) -> Position:
    called = intersections.called(uow.connection, network_id, signal)
    if called is not None:
        return Position(called.longitude, called.latitude)
    known = junctions.position_of(uow.connection, signal)
    if known is None:
        raise Invalid("nobody has told where this junction is", field=f"stops.{place}.position")
    return known


def approve(uow: UnitOfWork, actor: Actor, escort_id: UUID) -> Escort:
    """Approve a route that somebody else drafted.

    Raises
    ------
    Forbidden
        Where the same person drafted it.
    Conflict
        Where it is no draft, or its device tells of another convoy.
    """
    found = _in(uow, escort_id, "draft")
    if found.drafted_by == actor.subject:
        raise Forbidden("who drafted a route does not approve it")
    try:
        with uow.attempt():
            store.change(
                uow.connection,
                escort_id,
                status="approved",
                approved_at=uow.wall.now(),
                approved_by=actor.subject,
                approved_name=actor.name or "",
            )
    except IntegrityError:
        raise Conflict("this device tells of another convoy", field="subject") from None
    note(uow, escort_id, actor.subject, "approved", {})
    return of(uow, escort_id)


def withdraw(uow: UnitOfWork, actor: Actor, escort_id: UUID) -> Escort:
    """Give a route up that does not run."""
    _in(uow, escort_id, "draft", "approved")
    store.change(uow.connection, escort_id, status="withdrawn", ended_at=uow.wall.now())
    note(uow, escort_id, actor.subject, "withdrawn", {})
    return of(uow, escort_id)


def start(uow: UnitOfWork, actor: Actor, escort_id: UUID) -> Escort:
    """Let an approved route run: from now on its junctions are held as the convoy comes up."""
    _in(uow, escort_id, "approved")
    store.change(uow.connection, escort_id, status="running", started_at=uow.wall.now())
    note(uow, escort_id, actor.subject, "started", {})
    return of(uow, escort_id)


def end(uow: UnitOfWork, actor: Actor, escort_id: UUID) -> Escort:
    """End a route: every junction that is still held is given back."""
    found = _in(uow, escort_id, "running")
    for place in range(len(found.stops)):
        give_back(uow, actor.subject, found, place)
    store.change(uow.connection, escort_id, status="over", ended_at=uow.wall.now())
    note(uow, escort_id, actor.subject, "ended", {})
    return of(uow, escort_id)


def of(uow: UnitOfWork, escort_id: UUID, *, lock: bool = False) -> Escort:
    """Give a route; NotFound where there is none."""
    found = store.escort_of(uow.connection, escort_id, lock=lock)
    if found is None:
        raise NotFound("no such route", field="escort_id")
    return found


def _in(uow: UnitOfWork, escort_id: UUID, *statuses: str) -> Escort:
    found = of(uow, escort_id, lock=True)
    if found.status not in statuses:
        raise Conflict(f"the route is {found.status}", field="status")
    return found


def route_of(found: Escort) -> Route:
    """Give a kept route as the rules take it."""
    at = Position(found.start_longitude, found.start_latitude)
    return Route(at, stops_from_json(found.stops), found.tail_m)


# --- where the convoy is -------------------------------------------------------------------------


def locate(
    uow: UnitOfWork, actor: Actor, position: Position, at: datetime, speed_kph: float | None
) -> bool:
    """Take in where a convoy is; whether that is on its route.

    Raises
    ------
    Forbidden
        Where the device tells of no route that runs.
    Invalid
        On a position that is too old or from the future.
    """
    found = store.told_by(uow.connection, actor.subject, lock=True)
    if found is None:
        raise Forbidden("This device tells of no convoy on its way.")
    now = uow.wall.now()
    if not now - FRESH <= at <= now + AHEAD:
        raise Invalid("must lie within the last 15 s", field="at")
    if found.told_at is not None and at <= found.told_at:
        return found.located_at == found.told_at
    along_m = progress_m(route_of(found), position, found.along_m)
    values: dict[str, object] = {"told_at": at, "told_kph": speed_kph}
    if along_m is not None:
        values |= {"along_m": along_m, "located_at": at}
    elif found.located_at == found.told_at:
        note(uow, found.id, actor.subject, "off_route", {"position": list(position.as_json())})
    store.change(uow.connection, found.id, **values)
    return along_m is not None


def wanted(found: Escort, now: datetime) -> tuple[list[int], list[int]]:
    """Give the junctions to be held now, and those that are behind the convoy.

    Of a convoy whose place is not known none is held by it: an officer at the desk may.
    """
    route = route_of(found)
    behind = list(range(passed(route, found.along_m)))
    if found.located_at is None or now - found.located_at > FRESH:
        return [], behind
    kph = found.speed_kph if found.told_kph is None else max(found.told_kph, found.speed_kph / 2)
    return due(route, found.along_m, kph / _KPH, found.lead_s), behind


# --- holding -------------------------------------------------------------------------------------


def held(uow: UnitOfWork, found: Escort, place: int) -> store.Hold | None:
    """Give the order that holds a junction for a route now."""
    return next(
        (
            each
            for each in store.holds(uow.connection, found.id)
            if each.place == place
            and each.released_at is None
            and each.status in {"waiting", "holding"}
        ),
        None,
    )


def hold(uow: UnitOfWork, who: str, found: Escort, place: int, seen: Seen | None) -> None:
    """Hold a junction for a convoy.

    Raises
    ------
    NotFound
        Where the route has no such junction.
    Conflict
        Where the route does not run, the junction is held already, by hand too, or what would be
        shown is unsafe; in words.
    Unavailable
        Where the controller has not been heard lately.
    """
    if found.status != "running":
        raise Conflict(f"the route is {found.status}", field="status")
    if not 0 <= place < len(found.stops):
        raise NotFound("the route has no such junction", field="place")
    stop = stops_from_json(found.stops)[place]
    if held(uow, found, place) is not None:
        raise Conflict("it is held already", field="place")
    if override_store.active(uow.connection, found.network_id, stop.signal) is not None:
        raise Conflict("the signal is held by hand", field="place")
    stage = None
    if seen is not None and seen.layout is not None and seen.plan is not None:
        running = None if seen.state is None else seen.state.stage
        stage = stage_for(seen.layout, seen.plan, stop.group, running)
        if stage is None:
            raise Conflict("no stage of the plan lets it go", field="place")
    ordered = overrides.order_at_once(
        uow,
        DESK,
        found.network_id,
        stop.signal,
        seen,
        stage=stage,
        most_s=LONGEST_HOLD_S,
        reason=REASON,
    )
    store.add_hold(uow.connection, found.id, place, ordered.id, uow.wall.now())
    detail: dict[str, JsonValue] = {
        "place": place,
        "signal": stop.signal,
        "stage": ordered.stage,
        "until_at": rfc3339(ordered.until_at),
    }
    note(uow, found.id, who, "held", detail)


def give_back(uow: UnitOfWork, who: str, found: Escort, place: int) -> bool:
    """Give a junction back to its plan; False where it is not held."""
    holds = held(uow, found, place)
    if holds is None:
        return False
    signal = str(found.stops[place]["signal"])
    try:
        overrides.release(uow, DESK, found.network_id, signal, holds.override_id)
    except Conflict as error:
        # It ended by itself a moment ago, or somebody took it back.
        note(uow, found.id, who, "not_held", {"place": place, "why": str(error)})
    store.release_hold(uow.connection, found.id, holds.override_id, uow.wall.now())
    note(uow, found.id, who, "given_back", {"place": place, "signal": signal})
    return True


def follow(uow: UnitOfWork, escort_id: UUID, seen: Mapping[str, Seen]) -> None:
    """Hold what is due for a running route and give back what is behind it.

    Parameters
    ----------
    uow : UnitOfWork
    escort_id : UUID
    seen : Mapping
        By signal, what controllers said last.
    """
    found = store.escort_of(uow.connection, escort_id, lock=True)
    if found is None or found.status != "running":
        return
    ahead, behind = wanted(found, uow.wall.now())
    asked = {each.place for each in store.holds(uow.connection, escort_id)}
    for place in behind:
        if place >= found.left_behind:
            give_back(uow, DESK.subject, found, place)
    if len(behind) > found.left_behind:
        store.change(uow.connection, escort_id, left_behind=len(behind))
        note(uow, escort_id, DESK.subject, "passed", {"junctions": len(behind)})
    for place in ahead:
        # Held once by the convoy's place; again only by an officer, who sees why it ended.
        if place in asked:
            continue
        signal = str(found.stops[place]["signal"])
        try:
            hold(uow, DESK.subject, found, place, seen.get(signal))
        except CityError as error:
            _note_once(uow, found, place, str(error))


def _note_once(uow: UnitOfWork, found: Escort, place: int, why: str) -> None:
    """Log why a junction cannot be held, not each second anew."""
    detail: dict[str, JsonValue] = {"place": place, "why": why}
    said = store.last_of(uow.connection, found.id, "cannot_hold", place)
    if said is None or said.detail != detail:
        note(uow, found.id, DESK.subject, "cannot_hold", detail)


# --- the sealed log ------------------------------------------------------------------------------


def note(
    uow: UnitOfWork, escort_id: UUID, who: str, what: str, detail: dict[str, JsonValue]
) -> None:
    """Write a line whose seal holds the one before: none can be changed, taken out or put in.

    Lock the route first.
    """
    last = store.last_entry(uow.connection, escort_id)
    number = 1 if last is None else last.number + 1
    at = uow.wall.now()
    text = _said(escort_id, number, at, who, what, detail, b"" if last is None else last.seal)
    seal = vault.keyed_digests(uow, _PURPOSE, text)[0]
    store.add_entry(uow.connection, escort_id, Entry(number, at, who, what, detail, seal))


def genuine(uow: UnitOfWork, escort_id: UUID) -> int | None:
    """Read a whole log against its seals; give the first line that is not as it was written.

    Notes
    -----
    Cost grows with the log, a keyed hash a line. Lines cut off at the end show no wrong seal: the
    route's own row says how far it came.
    """
    before, number = b"", 0
    while True:
        rows = store.log_of(uow.connection, escort_id, after=number, limit=_PAGE)
        for each in rows:
            text = _said(
                escort_id, each.number, each.at, each.actor, each.what, each.detail, before
            )
            digests = vault.keyed_digests(uow, _PURPOSE, text)
            whole = each.number == number + 1
            if not whole or not any(hmac.compare_digest(each.seal, one) for one in digests):
                return number + 1
            before, number = each.seal, each.number
        if len(rows) < _PAGE:
            return None


def _said(  # noqa: PLR0917 - a line and the seal before it
    escort_id: UUID,
    number: int,
    at: datetime,
    who: str,
    what: str,
    detail: Mapping[str, JsonValue],
    before: bytes,
) -> str:
    known = json.dumps(detail, sort_keys=True, ensure_ascii=False)
    return "\n".join((str(escort_id), str(number), rfc3339(at), who, what, known, before.hex()))
