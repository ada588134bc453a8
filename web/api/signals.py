"""Signals: networks, who drives in them, plans tried on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson
from apiflask import APIBlueprint
from flask import Response

from city.errors import Invalid
from city.people import Role
from signals.rules.life.outlook import outlook as outlook_of
from signals.rules.life.parts import plan_json
from signals.rules.model.document_writing import document_of
from signals.services import networks, trials
from signals.store import networks as network_store
from signals.store import optimisations, reporters
from web import access
from web.acts import act
from web.api.cursors import after, page
from web.api.schemas.base import PageQuery
from web.api.schemas.signals import (
    SignalDemandIn,
    SignalDemandOut,
    SignalDetailOut,
    SignalDrawingIn,
    SignalDrawnOut,
    SignalFileQuery,
    SignalNetworkDetailOut,
    SignalNetworkIn,
    SignalNetworkOut,
    SignalNetworksOut,
    SignalProfileQuery,
    SignalTrialIn,
    SignalTrialOut,
)
from web.api.signal_views import (
    demand_json,
    optimisation_json,
    outlook_json,
    signal_json,
    street_json,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from city.works.database import UnitOfWork

blueprint = APIBlueprint("signals", __name__, url_prefix="/api/v1", tag="Signals")

READERS: Final = (Role.ENGINEER, Role.OPERATOR, Role.AUDITOR, Role.ADMINISTRATOR)
AUTHORS: Final = (Role.ENGINEER, Role.ADMINISTRATOR)
NETWORK: Final = "/signal-networks/<uuid:network_id>"


def _network(
    found: network_store.NetworkRecord, heard: Mapping[UUID, datetime] | None = None
) -> dict[str, Any]:
    return {
        "id": found.id,
        "code": found.code,
        "revision": found.revision,
        "name": {"zh": found.name_zh, "en": found.name_en},
        "origin": found.origin,
        "imported_at": found.imported_at,
        "heard_at": None if heard is None else heard.get(found.id),
    }


@blueprint.get("/signal-networks")
@access.allow(*READERS, Role.ESCORT, Role.MAINTAINER)
@blueprint.input(PageQuery, location="query")
@blueprint.output(SignalNetworksOut)
@blueprint.doc(summary="Networks of signals, each in its latest revision")
def signal_networks(query_data: PageQuery) -> dict[str, Any]:
    """List networks."""
    with access.wiring().database.read() as connection:
        found = network_store.networks(
            connection, after=after(query_data.cursor), limit=query_data.limit
        )
        heard = reporters.heard_networks(connection, [each.id for each in found])
    return page(found, query_data.limit, lambda each: _network(each, heard))


@blueprint.post("/signal-networks")
@access.allow(*AUTHORS)
@act
@blueprint.input(SignalNetworkIn)
@blueprint.output(SignalNetworkOut, status_code=201)
@blueprint.doc(summary="Import a network: SUMO's or our own JSON; a known code's next revision")
def import_network(uow: UnitOfWork, json_data: SignalNetworkIn) -> dict[str, Any]:
    """Import a network."""
    names = (json_data.name, json_data.name)
    content = json_data.content.encode()
    return _network(
        networks.import_network(uow, access.known_actor(), json_data.code, names, content)
    )


@blueprint.get(NETWORK)
@access.allow(*READERS)
@blueprint.input(SignalProfileQuery, location="query")
@blueprint.output(SignalNetworkDetailOut)
@blueprint.doc(summary="A network: its roads, its signals, what they run and how they fare")
def signal_network(network_id: UUID, query_data: SignalProfileQuery) -> dict[str, Any]:
    """Show a network."""
    profile = networks.profile(query_data.profile)
    with access.wiring().database.read() as connection:
        home = networks.network(connection, network_id)
        rows = network_store.signals_of(connection, network_id)
        parts = networks.parts(connection, network_id, [row.name for row in rows])
        running = networks.running(connection, network_id)
        outlooks = trials.outlooks(connection, network_id, profile)
        known = network_store.latest_demand(connection, network_id)
        asked = optimisations.latest(connection, network_id)
        heard = reporters.heard_networks(connection, [network_id])
    roads = {road.name: road for part in parts.values() for road in part.roads}
    return {
        "network": _network(home, heard),
        "profile": profile.name,
        "roads": [
            {
                "name": road.name,
                "lanes": len(road.lanes),
                "line": road.lanes[len(road.lanes) // 2].shape,
            }
            for road in roads.values()
        ],
        "signals": [
            signal_json(row, running.get(row.name), outlooks.get(row.name)) for row in rows
        ],
        "demand": None if known is None else demand_json(known),
        "optimisation": None if asked is None else optimisation_json(asked),
    }


@blueprint.get(f"{NETWORK}/signals/<string:name>")
@access.allow(*READERS)
@blueprint.input(SignalProfileQuery, location="query")
@blueprint.output(SignalDetailOut)
@blueprint.doc(summary="A junction: its roads, ways, lamps, and the plan that it runs")
def signal(network_id: UUID, name: str, query_data: SignalProfileQuery) -> dict[str, Any]:
    """Show a junction."""
    profile = networks.profile(query_data.profile)
    with access.wiring().database.read() as connection:
        networks.network(connection, network_id)
        parts = networks.parts(connection, network_id, [name])
        row = network_store.signals_of(connection, network_id, [name])[0]
        running = networks.running(connection, network_id, [name])
        known = networks.demand(connection, network_id)
        outlook = None
        if known is not None and name in running:
            cases = networks.cases(connection, network_id, [name], profile)
            outlook = outlook_of(cases[name], running[name][1], known[1])
    return {
        "signal": signal_json(row, running.get(name), outlook),
        "model": document_of(parts[name], ()),
        "plan": running[name][0].programme if name in running else None,
    }


@blueprint.get(f"{NETWORK}/file")
@access.allow(*READERS)
@blueprint.input(SignalFileQuery, location="query")
@blueprint.doc(summary="A network with the plans in force, as our own JSON or as SUMO's XML")
def signal_network_file(network_id: UUID, query_data: SignalFileQuery) -> Response:
    """Give a network as a file."""
    with access.wiring().database.read() as connection:
        home = networks.network(connection, network_id)
        whole = networks.whole(connection, network_id)
        plans = [plan for _, plan in networks.running(connection, network_id).values()]
        if query_data.format == "sumo":
            body, kind, ending = networks.as_sumo(connection, network_id).encode(), "xml", "net.xml"
        else:
            body, kind, ending = orjson.dumps(document_of(whole, plans)), "json", "json"
    response = Response(body, content_type=f"application/{kind}")
    name = f"{home.code}-{home.revision}.{ending}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@blueprint.post(f"{NETWORK}/demands")
@access.allow(*AUTHORS)
@act
@blueprint.input(SignalDemandIn)
@blueprint.output(SignalDemandOut, status_code=201)
@blueprint.doc(summary="Say who drives where: flows by roads, or a SUMO routes file")
def record_demand(uow: UnitOfWork, network_id: UUID, json_data: SignalDemandIn) -> dict[str, Any]:
    """Record a demand."""
    hours = 1.0
    if json_data.flows is not None and json_data.routes is None:
        flows = [(each.from_road, each.to_road, each.vph) for each in json_data.flows]
    elif json_data.routes is not None and json_data.flows is None:
        networks.network(uow.connection, network_id)
        content = json_data.network_content
        body = networks.as_sumo(uow.connection, network_id) if content is None else content
        flows, hours = networks.flows_of_routes(
            body.encode(), json_data.routes.encode(), json_data.begin_s, json_data.end_s
        )
        flows = networks.at_signals(uow.connection, network_id, flows)
    else:
        raise Invalid("must be given, or routes, and not both", field="flows")
    return demand_json(
        networks.record_demand(
            uow,
            access.known_actor(),
            network_id,
            name=json_data.name,
            source=json_data.source,
            flows=flows,
            hours=hours,
        )
    )


@blueprint.post(f"{NETWORK}/signals/<string:name>/drawn-plans")
@access.allow(*AUTHORS)
@blueprint.input(SignalDrawingIn)
@blueprint.output(SignalDrawnOut)
@blueprint.doc(
    summary="Give the plan of drawn stages, what lies between worked out; nothing is kept"
)
def drawn_plan(network_id: UUID, name: str, json_data: SignalDrawingIn) -> dict[str, Any]:
    """Draw a plan."""
    stages = [(frozenset(each.groups), each.green_s) for each in json_data.stages]
    with access.wiring().database.read() as connection:
        networks.network(connection, network_id)
        made = trials.drawn(
            connection,
            network_id,
            name,
            stages,
            profile=networks.profile(json_data.profile),
            offset_s=json_data.offset_s,
        )
    return {"plan": plan_json(made)}


@blueprint.post("/signal-trials")
@access.allow(*READERS)
@blueprint.input(SignalTrialIn)
@blueprint.output(SignalTrialOut)
@blueprint.doc(summary="Try plans: safety, delay, bands along a street; nothing is kept")
def signal_trial(json_data: SignalTrialIn) -> dict[str, Any]:
    """Try plans."""
    profile = networks.profile(json_data.profile)
    network_id = json_data.network_id
    with access.wiring().database.read() as connection:
        networks.network(connection, network_id)
        plans = (
            trials.read_plans(connection, network_id, {"plans": list(json_data.plans)})
            if json_data.plans
            else {}
        )
        tried = trials.assess(connection, network_id, plans, profile) if plans else None
        street = None
        if json_data.street is not None:
            asked = json_data.street
            speeds = (asked.outbound_kph, asked.inbound_kph)
            street = street_json(connection, network_id, asked.signals, plans, speeds)
    return {
        "report": None if tried is None else tried.report.as_json(),
        "outlooks": [] if tried is None else [outlook_json(each) for each in tried.outlooks],
        "before": [] if tried is None else [outlook_json(each) for each in tried.before],
        "street": street,
    }
