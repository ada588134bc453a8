"""Priority at signals over HTTP: vehicles ask, people read what was done for them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from apiflask import APIBlueprint

from signals.rules.priority.requests import Told, VehicleClass
from signals.services import networks
from signals.services import priority as service
from signals.store import priority as store
from signals.store import priority_turns
from web import access
from web.acts import act
from web.api.cursors import after, page
from web.api.schemas.base import PageQuery
from web.api.schemas.signal_priority import (
    PriorityAskerIn,
    PriorityAskerOut,
    PriorityAskersOut,
    PriorityEffectQuery,
    PriorityEffectsOut,
    PriorityRequestsOut,
    PriorityRequestsQuery,
    PriorityTurnsOut,
    SignalRequestsIn,
    SignalRequestsTakenOut,
)
from web.api.signals import AUTHORS, NETWORK, READERS
from web.refusals import as_asked

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from city.works.database import UnitOfWork
    from signals.store.priority import Asked, Asker
    from signals.store.priority_turns import Turn

blueprint = APIBlueprint("signal_priority", __name__, url_prefix="/api/v1", tag="Signals")

ASKERS: Final = f"{NETWORK}/priority-askers"


@blueprint.post("/signal-requests")
@access.credential("device")
@blueprint.input(SignalRequestsIn)
@blueprint.output(SignalRequestsTakenOut, status_code=202)
@blueprint.doc(
    summary="Vehicles on their way to signals: check in, say it better, check out",
    description=(
        "Answered once what can be used is kept; the others come back with their index and a "
        "reason. Sending a row again does no harm; of a vehicle at a signal the latest `at` "
        "stands. A device asks at the signals of the network that it is registered in, for the "
        "classes that it was granted. Whoever has not checked out a minute after it was to arrive "
        "lapses."
    ),
)
def signal_requests(json_data: SignalRequestsIn) -> dict[str, Any]:
    """Take requests."""
    rows = [
        service.Telling(
            **{
                **each.model_dump(),
                "told": Told(each.told),
                "kind": None if each.kind is None else VehicleClass(each.kind),
            }
        )
        for each in json_data.requests
    ]
    with access.wiring().database.unit_of_work() as uow:
        taken = service.tell(uow, access.known_actor(), rows)
    return {
        "accepted": taken.accepted,
        "rejected": [
            {"index": place, "reason": why, "detail": as_asked(service.SAYS[why])}
            for place, why in taken.refused
        ],
    }


@blueprint.get(ASKERS)
@access.allow(*READERS)
@blueprint.output(PriorityAskersOut)
@blueprint.doc(summary="Devices that may ask for priority at a network's signals")
def priority_askers(network_id: UUID) -> dict[str, Any]:
    """List askers."""
    with access.wiring().database.read() as connection:
        networks.network(connection, network_id)
        found = store.askers(connection, network_id)
    return {"items": [asker_json(each) for each in found]}


@blueprint.post(ASKERS)
@access.allow(*AUTHORS)
@act
@blueprint.input(PriorityAskerIn)
@blueprint.output(PriorityAskerOut, status_code=201)
@blueprint.doc(
    summary="Let a device ask for priority, for some classes of vehicles",
    description="Its credential, of the same name, is issued by the administrator's command.",
)
def add_priority_asker(
    uow: UnitOfWork, network_id: UUID, json_data: PriorityAskerIn
) -> dict[str, Any]:
    """Register an asker."""
    kinds = [VehicleClass(each) for each in json_data.kinds]
    made = service.register(uow, access.known_actor(), network_id, json_data.subject, kinds)
    return asker_json(made)


@blueprint.post(f"{ASKERS}/<uuid:asker_id>/removal")
@access.allow(*AUTHORS)
@act
@blueprint.output(PriorityAskerOut)
@blueprint.doc(summary="Let a device ask no longer; what it asked for is over")
def remove_priority_asker(uow: UnitOfWork, network_id: UUID, asker_id: UUID) -> dict[str, Any]:
    """Remove an asker."""
    return asker_json(service.remove(uow, access.known_actor(), network_id, asker_id))


@blueprint.get(f"{NETWORK}/priority-requests")
@access.allow(*READERS)
@blueprint.input(PriorityRequestsQuery, location="query")
@blueprint.output(PriorityRequestsOut)
@blueprint.doc(summary="Who asked for priority and what was done, the latest first")
def priority_requests(network_id: UUID, query_data: PriorityRequestsQuery) -> dict[str, Any]:
    """List requests."""
    at = access.wiring().wall.now()
    with access.wiring().database.read() as connection:
        networks.network(connection, network_id)
        found = store.requests(
            connection,
            network_id,
            signal=query_data.signal,
            state=query_data.state,
            at=at,
            after=after(query_data.cursor),
            limit=query_data.limit,
        )
    shown = page(found, query_data.limit, lambda each: request_json(each, at))
    return shown | {"now": at}


@blueprint.get(f"{NETWORK}/priority-effect")
@access.allow(*READERS)
@blueprint.input(PriorityEffectQuery, location="query")
@blueprint.output(PriorityEffectsOut)
@blueprint.doc(
    summary="What priority did over the last hours, by class of vehicle",
    description=(
        "What was gained is the instant at which each was foretold to pass by the plan, less that "
        "at which it said it had passed."
    ),
)
def priority_effect(network_id: UUID, query_data: PriorityEffectQuery) -> dict[str, Any]:
    """Give the effect."""
    since_at = access.wiring().wall.now() - timedelta(hours=query_data.hours)
    with access.wiring().database.read() as connection:
        networks.network(connection, network_id)
        found = store.effects(connection, network_id, since_at)
        holding = priority_turns.holding(connection, network_id)
    items = [
        {
            "kind": each.kind,
            "asked": each.asked,
            "passed": each.passed,
            "served": each.served,
            "measured": each.measured,
            "gained_s": each.gained_s,
            "others_s": each.others_s,
        }
        for each in found
    ]
    return {"since_at": since_at, "items": items, "holding": sorted(holding)}


@blueprint.get(f"{NETWORK}/signals/<string:name>/priority-orders")
@access.allow(*READERS)
@blueprint.input(PageQuery, location="query")
@blueprint.output(PriorityTurnsOut)
@blueprint.doc(summary="What a signal's controller was asked for by priority, step by step")
def priority_orders(network_id: UUID, name: str, query_data: PageQuery) -> dict[str, Any]:
    """List orders."""
    with access.wiring().database.read() as connection:
        networks.parts(connection, network_id, [name])
        found = priority_turns.turns(
            connection,
            network_id,
            name,
            after=after(query_data.cursor),
            limit=query_data.limit,
        )
    return page(found, query_data.limit, turn_json)


def asker_json(found: Asker) -> dict[str, Any]:
    """Give a device that may ask as it is shown."""
    return {
        "id": found.id,
        "subject": found.subject,
        "kinds": found.kinds,
        "simulated": found.simulated,
        "added_at": found.added_at,
        "added_by": found.added_by,
    }


def request_json(found: Asked, at: datetime) -> dict[str, Any]:
    """Give a request as it is shown."""
    gained = None
    if found.without_at is not None and found.checked_out_at is not None:
        gained = (found.without_at - found.checked_out_at).total_seconds()
    over = found.ended_at is not None or found.lapses_at <= at
    passed = found.checked_out_at is not None
    return {
        "id": found.id,
        "signal": found.signal,
        "vehicle": found.vehicle,
        "kind": found.kind,
        "group": found.group_name,
        "checked_in_at": found.checked_in_at,
        "first_arrives_at": found.first_arrives_at,
        "arrives_at": found.arrives_at,
        "lateness_s": found.lateness_s,
        "passengers": found.passengers,
        "ahead": found.ahead,
        "lapses_at": found.lapses_at,
        "checked_out_at": found.checked_out_at,
        "state": "passed" if passed else "lapsed" if over else "coming",
        "act": found.act,
        "stage": found.stage,
        "by_s": found.by_s,
        "sooner_s": found.sooner_s,
        "others_s": found.others_s,
        "reason": None if found.reason is None else as_asked(found.reason),
        "decided_at": found.decided_at,
        "gained_s": gained,
    }


def turn_json(found: Turn) -> dict[str, Any]:
    """Give orders as they are shown."""
    return {
        "id": found.id,
        "signal": found.signal,
        "status": found.status,
        "began_at": found.began_at,
        "until_at": found.until_at,
        "ended_at": found.ended_at,
        "steps": found.steps,
    }
