"""Orders by hand from the duty desk: proposed, confirmed, taken back.

A proposal is judged by what the controller said last and says until when it would hold; nothing is
asked of the controller before the same person has confirmed just that. One order holds a signal at
a time, by a constraint; whoever confirms must have seen the one that it replaces.
"""

import hmac
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from city import vault
from city.audit import record
from city.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable
from city.identifiers import uuid7
from city.people.actors import Actor
from city.time import rfc3339
from city.works.database import UnitOfWork
from signals.rules.controllers import orders
from signals.rules.controllers.orders import LEAST_S, MOST_S, Effect, Way
from signals.rules.live.lights import Seen
from signals.rules.safety.profiles import profile_named
from signals.services import networks
from signals.services.cabinets import DEFAULT_PROFILE
from signals.store import cabinets
from signals.store import overrides as store
from signals.store.overrides import Override

if TYPE_CHECKING:
    from pydantic import JsonValue

CONFIRM_WITHIN: Final = timedelta(minutes=2)
FRESH: Final = timedelta(seconds=5)
"""What was seen of a controller longer ago is no ground to order anything."""
_PURPOSE: Final = "signals/override"
_MOST_REASON: Final = 400


def propose(
    uow: UnitOfWork,
    actor: Actor,
    network_id: UUID,
    name: str,
    seen: Seen | None,
    *,
    effect: Effect,
    stage: int | None,
    seconds: int,
    reason: str,
) -> Override:
    """Judge an order and keep it until it is confirmed; nothing is asked of the controller.

    Parameters
    ----------
    uow : UnitOfWork
    actor : Actor
    network_id : UUID
    name : str
        Of the signal.
    seen : Seen or None
        What its controller said last.
    effect : Effect
    stage : int or None
        For ``Effect.STAGE``.
    seconds : int
        From now.
    reason : str

    Raises
    ------
    NotFound
        Where the signal has no cabinet.
    Invalid
        On a length out of bounds, an empty reason or a stage that is not there.
    Unavailable
        Where the controller has not been heard for some seconds.
    Conflict
        Where what was asked for is unsafe or would let somebody wait too long; in words.
    """
    if not reason.strip() or len(reason) > _MOST_REASON:
        raise Invalid("must say why, in at most 400 characters", field="reason")
    if not LEAST_S <= seconds <= MOST_S[effect]:
        raise Invalid(f"must be {LEAST_S} to {MOST_S[effect]}", field="seconds")
    way, chosen, profile = _judged(uow, network_id, name, seen, effect=effect, stage=stage)
    if way.most_s is not None and seconds > way.most_s:
        raise Conflict(
            f"may be held for {max(int(way.most_s), 0)} s at most: longer, somebody waits too long",
            field="seconds",
        )
    made = _made(
        uow,
        actor,
        network_id,
        name,
        effect=effect,
        stage=chosen,
        seconds=seconds,
        reason=reason.strip(),
        profile=profile,
    )
    store.propose(uow.connection, made)
    return made


def order_at_once(
    uow: UnitOfWork,
    actor: Actor,
    network_id: UUID,
    name: str,
    seen: Seen | None,
    *,
    stage: int | None,
    most_s: int,
    reason: str,
) -> Override:
    """Order a stage for as long as it may be held, without a second step.

    For programs, whose orders people have agreed to beforehand: they are judged and limited as any
    other, and never replace one.

    Raises
    ------
    NotFound, Unavailable, Conflict
        As ``propose``; Conflict too where the signal is held, or the stage cannot be held for as
        long as an order takes.
    """
    cabinets.lock_signals(uow.connection, network_id, [name])
    if store.active(uow.connection, network_id, name) is not None:
        raise Conflict("the signal is held by hand", field="name")
    effect = Effect.STAGE
    way, chosen, profile = _judged(uow, network_id, name, seen, effect=effect, stage=stage)
    seconds = most_s if way.most_s is None else min(most_s, int(way.most_s))
    if seconds < LEAST_S:
        raise Conflict("it cannot be held now: somebody would wait too long", field="seconds")
    made = _made(
        uow,
        actor,
        network_id,
        name,
        effect=effect,
        stage=chosen,
        seconds=seconds,
        reason=reason,
        profile=profile,
    )
    store.propose(uow.connection, made)
    return confirm(uow, actor, network_id, name, made.id, effect=effect, until_at=made.until_at)


def _judged(
    uow: UnitOfWork,
    network_id: UUID,
    name: str,
    seen: Seen | None,
    *,
    effect: Effect,
    stage: int | None,
) -> tuple[Way, int | None, str]:
    """Judge an order by what its controller said last; give the way, the stage and the profile."""
    if not cabinets.bindings(uow.connection, network_id, [name]):
        raise NotFound("no cabinet is bound to this signal", field="name")
    last = cabinets.acts(uow.connection, network_id, name, limit=1)
    profile = last[0].profile if last else DEFAULT_PROFILE
    case = networks.cases(uow.connection, network_id, [name], profile_named(profile))[name]
    at = uow.wall.now()
    if seen is None or seen.state is None or seen.layout is None or at - seen.at > FRESH:
        raise Unavailable("the controller has not been heard lately", retry_after_s=2)
    if seen.plan is None:
        raise Conflict("the controller does not say which plan it runs", field="name")
    chosen = orders.stage_of(effect, seen.plan, seen.state, stage)
    way = orders.way_to(case, seen.layout, seen.plan, seen.state, effect=effect, stage=chosen)
    return way, chosen, profile


def _made(
    uow: UnitOfWork,
    actor: Actor,
    network_id: UUID,
    name: str,
    *,
    effect: Effect,
    stage: int | None,
    seconds: int,
    reason: str,
    profile: str,
) -> Override:
    at = uow.wall.now()
    running = store.active(uow.connection, network_id, name)
    return Override(
        uuid7(),
        network_id,
        name,
        effect.value,
        stage,
        (at + timedelta(seconds=seconds)).replace(microsecond=0),
        reason,
        profile,
        "proposed",
        at,
        actor.subject,
        actor.name or "",
        None if running is None else running.id,
        *(None,) * 3,
        0,
        *(None,) * 6,
        [],
    )


def confirm(
    uow: UnitOfWork,
    actor: Actor,
    network_id: UUID,
    name: str,
    override_id: UUID,
    *,
    effect: Effect,
    until_at: datetime,
) -> Override:
    """Let a proposed order be carried out.

    Parameters
    ----------
    uow, actor, network_id
    name : str
        The signal, as the person who confirms reads it.
    override_id : UUID
    effect : Effect
    until_at : datetime
        Effect and end, as the person who confirms reads them.

    Raises
    ------
    NotFound
        Where there is no such proposal at this signal.
    Forbidden
        Where somebody else proposed it.
    Conflict
        Where it is confirmed already, too old, or another order came between.
    """
    cabinets.lock_signals(uow.connection, network_id, [name])
    found = _of(uow.connection, network_id, name, override_id)
    at = uow.wall.now()
    if found.proposed_by != actor.subject:
        raise Forbidden("who proposed an order confirms it")
    if found.status != "proposed":
        raise Conflict("it is confirmed already", field="override_id")
    if at - found.proposed_at > CONFIRM_WITHIN or found.until_at <= at:
        raise Conflict("it is too old: propose it anew", field="override_id")
    if (effect.value, until_at) != (found.effect, found.until_at):
        raise Conflict("it is not what was proposed: look again", field="until_at")
    running = store.active(uow.connection, network_id, name)
    if (None if running is None else running.id) != found.replaces:
        who = "somebody" if running is None else running.proposed_name or "somebody"
        raise Conflict(f"{who} has changed it meanwhile: look again", field="override_id")
    if running is not None:
        store.replace(uow.connection, running.id, found.id)
    seal = vault.keyed_digests(uow, _PURPOSE, _said(found))[0]
    try:
        with uow.attempt():
            store.confirm(uow.connection, found.id, seal, at)
    except IntegrityError:
        raise Conflict(
            "somebody has changed it meanwhile: look again", field="override_id"
        ) from None
    _record(uow, actor, "signals.override_ordered", found)
    return _of(uow.connection, network_id, name, override_id)


def release(
    uow: UnitOfWork, actor: Actor, network_id: UUID, name: str, override_id: UUID
) -> Override:
    """Let an order end at once, and the plan run again.

    Raises
    ------
    NotFound
        Where there is no such order at this signal.
    Conflict
        Where it holds nothing (any more), or is being taken back already.
    """
    cabinets.lock_signals(uow.connection, network_id, [name])
    found = _of(uow.connection, network_id, name, override_id)
    running = store.active(uow.connection, network_id, name)
    if running is None or running.id != override_id:
        raise Conflict("it holds nothing any more", field="override_id")
    if found.released_at is not None:
        raise Conflict("it is being taken back already", field="override_id")
    store.release(uow.connection, found.id, at=uow.wall.now(), by=actor.subject)
    _record(uow, actor, "signals.override_taken_back", found)
    return _of(uow.connection, network_id, name, override_id)


def genuine(uow: UnitOfWork, found: Override) -> bool:
    """Say whether an order is as it was confirmed, written by nobody else."""
    digests = vault.keyed_digests(uow, _PURPOSE, _said(found))
    return found.seal is not None and any(hmac.compare_digest(found.seal, each) for each in digests)


def _of(connection: Connection, network_id: UUID, name: str, override_id: UUID) -> Override:
    found = store.override_of(connection, override_id)
    if found is None or (found.network_id, found.signal) != (network_id, name):
        raise NotFound("no such order at this signal", field="override_id")
    return found


def _said(found: Override) -> str:
    """Give what is sealed: all that the controller is asked by."""
    parts = (
        str(found.id),
        str(found.network_id),
        found.signal,
        found.effect,
        str(found.stage),
        rfc3339(found.until_at),
        found.profile,
        found.proposed_by,
    )
    return "\n".join(parts)


def _record(uow: UnitOfWork, actor: Actor, action: str, found: Override) -> None:
    detail: dict[str, JsonValue] = {
        "signal": found.signal,
        "override": str(found.id),
        "effect": found.effect,
        "stage": found.stage,
        "until_at": rfc3339(found.until_at),
        "reason": found.reason,
    }
    record(uow, actor, action, "signal_network", str(found.network_id), detail)
