"""Cabinets bound to signals, and plans in force asked to be sent to them."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from city.audit import record
from city.errors import Conflict, NotFound
from city.people.actors import Actor
from city.works.database import UnitOfWork
from signals.rules.controllers.address import CabinetAddress
from signals.services import networks
from signals.store import cabinets as store
from signals.store import running_plans

DEFAULT_PROFILE: Final = "gb"
"""Under which a plan is judged that came with its network."""


def bind(
    uow: UnitOfWork, actor: Actor, network_id: UUID, name: str, address: CabinetAddress
) -> store.Binding:
    """Say which cabinet stands at a signal, in the place of the one before.

    Nothing is sent by that.

    Raises
    ------
    NotFound
        Where there is no such signal.
    Conflict
        Where the cabinet stands at another signal, or something is being sent there.
    """
    networks.parts(uow.connection, network_id, [name])
    store.lock_signals(uow.connection, network_id, [name])
    _require_idle(uow.connection, network_id, name)
    made = store.Binding(network_id, name, address, uow.wall.now(), actor.subject, simulated=False)
    try:
        with uow.attempt():
            store.bind(uow.connection, [made])
    except IntegrityError as error:
        constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", "")
        if constraint != "cabinet_bound_once":
            raise
        raise Conflict("this cabinet stands at another signal", field="controller") from None
    _record(uow, actor, "signals.cabinet_bound", network_id, name, _as_json(address))
    return made


def bind_simulated(
    uow: UnitOfWork, actor: Actor, network_id: UUID, addresses: Mapping[str, CabinetAddress]
) -> int:
    """Bind simulated cabinets set-wise where they are not bound so yet; give how many were not."""
    known = {each.signal: each for each in store.bindings(uow.connection, network_id)}
    at = uow.wall.now()
    made = [
        store.Binding(network_id, name, address, at, actor.subject, simulated=True)
        for name, address in addresses.items()
        # A cabinet that somebody bound by hand stays.
        if name not in known or (known[name].simulated and known[name].address != address)
    ]
    store.bind(uow.connection, made)
    if made:
        detail: dict[str, JsonValue] = {"simulated": len(made)}
        record(uow, actor, "signals.cabinets_bound", "signal_network", str(network_id), detail)
    return len(made)


def unbind(uow: UnitOfWork, actor: Actor, network_id: UUID, name: str) -> store.Binding:
    """Say that no cabinet of ours stands at a signal any more; give the one that did.

    Raises
    ------
    NotFound
        Where none was bound.
    Conflict
        Where something is being sent there.
    """
    store.lock_signals(uow.connection, network_id, [name])
    _require_idle(uow.connection, network_id, name)
    found = store.bindings(uow.connection, network_id, [name])
    if not found:
        raise NotFound("no cabinet is bound to this signal", field="name")
    store.unbind(uow.connection, network_id, name)
    _record(uow, actor, "signals.cabinet_unbound", network_id, name, {})
    return found[0]


def send(
    uow: UnitOfWork,
    actor: Actor,
    network_id: UUID,
    signals: Sequence[str],
    *,
    profile: str = DEFAULT_PROFILE,
) -> list[str]:
    """Let the plans that are in force be sent to the cabinets of some signals.

    In the transaction that put them in force, so that no plan is in force of which nobody tells
    the street. What waited there is superseded; what is being sent gives way at its next safe
    point. Signals without a cabinet, or without a plan, are left out.

    Returns
    -------
    list of str
        Signals that something will be sent to.
    """
    bound = [each.signal for each in store.bindings(uow.connection, network_id, signals)]
    if not bound:
        return []
    store.lock_signals(uow.connection, network_id, bound)
    runs = running_plans.in_force(uow.connection, network_id, bound)
    store.ask(
        uow.connection,
        network_id,
        {name: row.id for name, row in runs.items()},
        profile=profile,
        at=uow.wall.now(),
        by=actor.subject,
    )
    return sorted(runs)


def send_again(uow: UnitOfWork, actor: Actor, network_id: UUID, name: str) -> store.CabinetAct:
    """Let the plan in force be sent to one cabinet once more.

    Raises
    ------
    NotFound
        Where no cabinet is bound there.
    Conflict
        Where something is on its way already, or no plan is in force.
    """
    store.lock_signals(uow.connection, network_id, [name])
    if not store.bindings(uow.connection, network_id, [name]):
        raise NotFound("no cabinet is bound to this signal", field="name")
    _require_idle(uow.connection, network_id, name)
    last = store.acts(uow.connection, network_id, name, limit=1)
    profile = last[0].profile if last else DEFAULT_PROFILE
    if not send(uow, actor, network_id, [name], profile=profile):
        raise Conflict("no plan is in force at this signal", field="name")
    _record(uow, actor, "signals.cabinet_sent_again", network_id, name, {})
    return store.acts(uow.connection, network_id, name, limit=1)[0]


def _require_idle(connection: Connection, network_id: UUID, name: str) -> None:
    last = store.acts(connection, network_id, name, limit=1)
    if last and last[0].status in {"waiting", "sending"}:
        raise Conflict("a plan is on its way into this cabinet", field="name")


def _as_json(address: CabinetAddress) -> dict[str, JsonValue]:
    return {
        "protocol": address.protocol,
        "transport": address.transport,
        "host": address.host,
        "port": address.port,
        "controller": address.controller,
        "junction": address.junction,
        "dialect": dict(address.dialect),
    }


def _record(  # noqa: PLR0917 - private; the parts of a record
    uow: UnitOfWork,
    actor: Actor,
    action: str,
    network_id: UUID,
    name: str,
    detail: Mapping[str, JsonValue],
) -> None:
    what: dict[str, JsonValue] = {"signal": name, **detail}
    record(uow, actor, action, "signal_network", str(network_id), what)
