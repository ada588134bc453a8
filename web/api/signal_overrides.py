"""Orders by hand: proposed, confirmed, taken back, told."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint

from city.errors import Conflict
from signals.rules.controllers.orders import Effect
from signals.services import networks
from signals.services import overrides as service
from signals.store import overrides as store
from web import access
from web.acts import act
from web.api.cursors import after, page
from web.api.schemas.base import PageQuery
from web.api.schemas.signal_overrides import (
    OverrideConfirmationIn,
    OverrideEndIn,
    SignalOverrideIn,
    SignalOverrideOut,
    SignalOverridesOut,
)
from web.api.signal_lights import last_seen
from web.api.signals import AUTHORS, NETWORK, READERS

if TYPE_CHECKING:
    from uuid import UUID

    from city.works.database import UnitOfWork

blueprint = APIBlueprint("signal_overrides", __name__, url_prefix="/api/v1", tag="Signals")

OVERRIDES = f"{NETWORK}/signals/<string:name>/overrides"
_INNER = (
    "network_id",
    "profile",
    "proposed_by",
    "replaced_by",
    "seal",
    "attempts",
    "released_by",
    "plan",
    "control",
)


def override_json(found: store.Override) -> dict[str, Any]:
    """Give an order as it is shown."""
    values = asdict(found)
    for inner in _INNER:
        del values[inner]
    return values


@blueprint.get(OVERRIDES)
@access.allow(*READERS)
@blueprint.input(PageQuery, location="query")
@blueprint.output(SignalOverridesOut)
@blueprint.doc(summary="What was ordered by hand at a signal, step by step, the latest first")
def signal_overrides(network_id: UUID, name: str, query_data: PageQuery) -> dict[str, Any]:
    """List orders."""
    with access.wiring().database.read() as connection:
        networks.parts(connection, network_id, [name])
        found = store.overrides(
            connection,
            network_id,
            name,
            after=after(query_data.cursor),
            limit=query_data.limit,
        )
    return page(found, query_data.limit, override_json) | {"now": access.wiring().wall.now()}


@blueprint.post(OVERRIDES)
@access.allow(*AUTHORS)
@act
@blueprint.input(SignalOverrideIn)
@blueprint.output(SignalOverrideOut, status_code=201)
@blueprint.doc(
    summary="Propose an order by hand: judged, and kept for two minutes; nothing is sent"
)
def propose_signal_override(
    uow: UnitOfWork, network_id: UUID, name: str, json_data: SignalOverrideIn
) -> dict[str, Any]:
    """Propose."""
    _, seen = last_seen(network_id, name)
    made = service.propose(
        uow,
        access.known_actor(),
        network_id,
        name,
        seen,
        effect=Effect(json_data.effect),
        stage=json_data.stage,
        seconds=json_data.seconds,
        reason=json_data.reason,
    )
    return override_json(made)


@blueprint.post(f"{OVERRIDES}/<uuid:override_id>/confirmation")
@access.allow(*AUTHORS)
@act
@blueprint.input(OverrideConfirmationIn)
@blueprint.output(SignalOverrideOut, status_code=202)
@blueprint.doc(
    summary="Confirm your own proposal, naming signal, effect and end: it is carried out"
)
def confirm_signal_override(
    uow: UnitOfWork,
    network_id: UUID,
    name: str,
    override_id: UUID,
    json_data: OverrideConfirmationIn,
) -> dict[str, Any]:
    """Confirm."""
    if json_data.signal != name:
        raise Conflict("is not the signal of this order", field="signal")
    done = service.confirm(
        uow,
        access.known_actor(),
        network_id,
        name,
        override_id,
        effect=Effect(json_data.effect),
        until_at=json_data.until_at,
    )
    return override_json(done)


@blueprint.post(f"{OVERRIDES}/<uuid:override_id>/end")
@access.allow(*AUTHORS)
@act
@blueprint.input(OverrideEndIn)
@blueprint.output(SignalOverrideOut, status_code=202)
@blueprint.doc(summary="Take an order back: the plan runs again")
def end_signal_override(
    uow: UnitOfWork, network_id: UUID, name: str, override_id: UUID, json_data: OverrideEndIn
) -> dict[str, Any]:
    """Take back."""
    del json_data
    return override_json(service.release(uow, access.known_actor(), network_id, name, override_id))
