"""Cabinets at signals: bound, listed, and sent their plans again."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint

from signals.rules.controllers.address import CabinetAddress
from signals.services import cabinets as service
from signals.services import networks
from signals.store import cabinets as store
from web import access
from web.acts import act
from web.api.cursors import after, page
from web.api.schemas.signal_cabinets import (
    SignalCabinetActOut,
    SignalCabinetActsOut,
    SignalCabinetActsQuery,
    SignalCabinetIn,
    SignalCabinetOut,
    SignalCabinetsOut,
)
from web.api.signals import AUTHORS, NETWORK, READERS

if TYPE_CHECKING:
    from uuid import UUID

    from city.works.database import UnitOfWork

blueprint = APIBlueprint("signal_cabinets", __name__, url_prefix="/api/v1", tag="Signals")

CABINET = f"{NETWORK}/signals/<string:name>/cabinet"


def act_json(found: store.CabinetAct) -> dict[str, Any]:
    """Give what was sent as it is shown."""
    values = asdict(found)
    for inner in ("network_id", "profile", "attempts"):
        del values[inner]
    return values


def _cabinet(found: store.Binding, last: store.CabinetAct | None) -> dict[str, Any]:
    return {
        "signal": found.signal,
        **asdict(found.address),
        "simulated": found.simulated,
        "bound_at": found.bound_at,
        "bound_by": found.bound_by,
        "last_act": None if last is None else act_json(last),
    }


@blueprint.get(f"{NETWORK}/cabinets")
@access.allow(*READERS)
@blueprint.output(SignalCabinetsOut)
@blueprint.doc(summary="The cabinets of a network, and what was sent to each last")
def signal_cabinets(network_id: UUID) -> dict[str, Any]:
    """List cabinets."""
    with access.wiring().database.read() as connection:
        networks.network(connection, network_id)
        found = store.bindings(connection, network_id)
        last = store.latest_acts(connection, network_id)
    return {"items": [_cabinet(each, last.get(each.signal)) for each in found]}


@blueprint.put(CABINET)
@access.allow(*AUTHORS)
@act
@blueprint.input(SignalCabinetIn)
@blueprint.output(SignalCabinetOut)
@blueprint.doc(summary="Say which cabinet stands at a signal; nothing is sent by that")
def bind_signal_cabinet(
    uow: UnitOfWork, network_id: UUID, name: str, json_data: SignalCabinetIn
) -> dict[str, Any]:
    """Bind a cabinet."""
    values = json_data.model_dump(exclude={"dialect"})
    dialect = json_data.dialect.model_dump(exclude_none=True)
    address = CabinetAddress(**values, dialect=dialect)
    made = service.bind(uow, access.known_actor(), network_id, name, address)
    last = store.acts(uow.connection, network_id, name, limit=1)
    return _cabinet(made, last[0] if last else None)


@blueprint.post(f"{CABINET}/removal")
@access.allow(*AUTHORS)
@act
@blueprint.output(SignalCabinetOut)
@blueprint.doc(summary="Say that no cabinet of ours stands at a signal any more")
def unbind_signal_cabinet(uow: UnitOfWork, network_id: UUID, name: str) -> dict[str, Any]:
    """Unbind a cabinet."""
    removed = service.unbind(uow, access.known_actor(), network_id, name)
    last = store.acts(uow.connection, network_id, name, limit=1)
    return _cabinet(removed, last[0] if last else None)


@blueprint.post(f"{CABINET}/acts")
@access.allow(*AUTHORS)
@act
@blueprint.output(SignalCabinetActOut, status_code=202)
@blueprint.doc(summary="Send the plan in force to a cabinet once more; 409 while one is on its way")
def send_to_signal_cabinet(uow: UnitOfWork, network_id: UUID, name: str) -> dict[str, Any]:
    """Send again."""
    return act_json(service.send_again(uow, access.known_actor(), network_id, name))


@blueprint.get(f"{NETWORK}/cabinet-acts")
@access.allow(*READERS)
@blueprint.input(SignalCabinetActsQuery, location="query")
@blueprint.output(SignalCabinetActsOut)
@blueprint.doc(summary="What was sent to cabinets, step by step, the latest first")
def signal_cabinet_acts(network_id: UUID, query_data: SignalCabinetActsQuery) -> dict[str, Any]:
    """List what was sent."""
    with access.wiring().database.read() as connection:
        networks.network(connection, network_id)
        found = store.acts(
            connection,
            network_id,
            query_data.signal,
            after=after(query_data.cursor),
            limit=query_data.limit,
        )
    return page(found, query_data.limit, act_json)
