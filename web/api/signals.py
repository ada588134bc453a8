"""Signals: networks, plans tried, drafted, checked, approved, deployed, kept or reverted."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import orjson
from apiflask import APIBlueprint
from flask import Response

from city.errors import Invalid
from city.identifiers import AccountId, parse_id
from city.people import Role
from city.people.store import account_names
from city.time import rfc3339
from signals.rules.life.outlook import outlook as outlook_of
from signals.rules.model.document_writing import document_of
from signals.services import networks, optimisations, trials
from signals.services import plan_versions as service
from signals.store import networks as network_store
from signals.store import plan_versions as store
from web import access
from web.acts import act
from web.api.cursors import after, cursor
from web.api.schemas.base import PageQuery
from web.api.schemas.signals import (
    SignalDecisionIn,
    SignalDemandIn,
    SignalDemandOut,
    SignalDetailOut,
    SignalFileQuery,
    SignalMeasurementIn,
    SignalNetworkDetailOut,
    SignalNetworkIn,
    SignalNetworkOut,
    SignalNetworksOut,
    SignalOptimisationIn,
    SignalOptimisationOut,
    SignalPlanDetailOut,
    SignalPlanEditIn,
    SignalPlanIn,
    SignalPlanOut,
    SignalPlanRevisionIn,
    SignalPlansOut,
    SignalPlansQuery,
    SignalProfileQuery,
    SignalTrialIn,
    SignalTrialOut,
    SignalWithdrawalIn,
)
from web.api.signal_views import outlook_json, signal_json, street_json

if TYPE_CHECKING:
    from uuid import UUID

    from pydantic import JsonValue
    from sqlalchemy import Connection

    from city.works.database import UnitOfWork
    from signals.store.optimisations import Optimisation

blueprint = APIBlueprint("signals", __name__, url_prefix="/api/v1", tag="Signals")

READERS: Final = (Role.ENGINEER, Role.OPERATOR, Role.AUDITOR, Role.ADMINISTRATOR)
AUTHORS: Final = (Role.ENGINEER, Role.ADMINISTRATOR)
APPROVERS: Final = (Role.ENGINEER, Role.ADMINISTRATOR)
"""Never the one who drew it: services and database see to that."""
NETWORK: Final = "/signal-networks/<uuid:network_id>"
PLAN: Final = "/signal-plans/<uuid:version_id>"
OPTIMISATION: Final = "/signal-optimisations/<uuid:optimisation_id>"


def _network(found: network_store.NetworkRecord) -> dict[str, Any]:
    return {
        "id": found.id,
        "code": found.code,
        "revision": found.revision,
        "name": {"zh": found.name_zh, "en": found.name_en},
        "origin": found.origin,
        "imported_at": found.imported_at,
    }


def _demand(found: network_store.DemandRecord) -> dict[str, Any]:
    return {
        "id": found.id,
        "name": found.name,
        "source": found.source,
        "hours": found.hours,
        "recorded_at": found.recorded_at,
    }


def _plan(found: store.VersionRecord) -> dict[str, Any]:
    values = asdict(found)
    del values["deployable"]
    return values


def _optimisation(found: Optimisation) -> dict[str, Any]:
    return {
        "id": found.id,
        "network_id": found.network_id,
        "profile": found.profile,
        "status": found.status,
        "done": found.done,
        "total": len(found.signals),
        "requested_at": found.requested_at,
        "started_at": found.started_at,
        "finished_at": found.finished_at,
        "problem": found.problem,
        "version_id": found.version_id,
        "result": found.result,
    }


# --- networks ------------------------------------------------------------------------------------


@blueprint.get("/signal-networks")
@access.allow(*READERS)
@blueprint.input(PageQuery, location="query")
@blueprint.output(SignalNetworksOut)
@blueprint.doc(summary="Networks of signals, each in its latest revision")
def signal_networks(query_data: PageQuery) -> dict[str, Any]:
    """List networks."""
    with access.wiring().database.read() as connection:
        found = network_store.networks(
            connection, after=after(query_data.cursor), limit=query_data.limit
        )
    items = found[: query_data.limit]
    following = items[-1].id if len(found) > query_data.limit else None
    return {"items": [_network(each) for each in items], "next": cursor(following)}


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
    roads = {road.name: road for part in parts.values() for road in part.roads}
    return {
        "network": _network(home),
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
        "demand": None if known is None else _demand(known),
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
    return _demand(
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


# --- trials --------------------------------------------------------------------------------------


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


# --- from draft to street ------------------------------------------------------------------------


@blueprint.get("/signal-plans")
@access.allow(*READERS)
@blueprint.input(SignalPlansQuery, location="query")
@blueprint.output(SignalPlansOut)
@blueprint.doc(summary="A network's plans, the latest first")
def signal_plans(query_data: SignalPlansQuery) -> dict[str, Any]:
    """List versions."""
    with access.wiring().database.read() as connection:
        networks.network(connection, query_data.network_id)
        found = store.versions(
            connection,
            query_data.network_id,
            after=after(query_data.cursor),
            limit=query_data.limit,
        )
    items = found[: query_data.limit]
    following = items[-1].id if len(found) > query_data.limit else None
    return {"items": [_plan(each) for each in items], "next": cursor(following)}


@blueprint.post("/signal-plans")
@access.allow(*AUTHORS)
@act
@blueprint.input(SignalPlanIn)
@blueprint.output(SignalPlanOut, status_code=201)
@blueprint.doc(summary="Draft plans: given ones, or those that some signals run now")
def draft_signal_plan(uow: UnitOfWork, json_data: SignalPlanIn) -> dict[str, Any]:
    """Write a draft."""
    return _plan(
        service.draft(
            uow,
            access.known_actor(),
            json_data.network_id,
            title=json_data.title,
            document=json_data.document,
            signals=json_data.signals,
            profile=json_data.profile,
            note=json_data.note,
        )
    )


@blueprint.get(PLAN)
@access.allow(*READERS)
@blueprint.output(SignalPlanDetailOut)
@blueprint.doc(summary="A version: its plans, the checker's report, how it differs from before")
def signal_plan(version_id: UUID) -> dict[str, Any]:
    """Show a version."""
    with access.wiring().database.read() as connection:
        found = service.find(connection, version_id)
        document = store.document_of(connection, version_id)
        report = store.report_of(connection, version_id)
        differences = service.compared(connection, found)
        names = _names(connection, found)
    return {
        "plan": _plan(found),
        "document": document,
        "report": report,
        "differences": [each.as_json() for each in differences],
        "names": names,
    }


def _names(connection: Connection, found: store.VersionRecord) -> dict[str, str]:
    """Give what pages call those who acted on a version."""
    subjects = {
        found.drafted_by,
        found.edited_by,
        found.checked_by,
        found.approved_by,
        found.deployed_by,
        found.measured_by,
        found.decided_by,
    }
    known: dict[AccountId, str] = {}
    for subject in subjects - {None}:
        try:
            known[AccountId(parse_id(str(subject), "subject"))] = str(subject)
        except Invalid:
            continue  # a part of the system, which has no account
    return {known[account]: name for account, name in account_names(connection, known).items()}


@blueprint.put(PLAN)
@access.allow(*AUTHORS)
@act
@blueprint.input(SignalPlanEditIn)
@blueprint.output(SignalPlanOut)
@blueprint.doc(summary="Edit a draft; 409 where somebody else edited it meanwhile")
def edit_signal_plan(
    uow: UnitOfWork, version_id: UUID, json_data: SignalPlanEditIn
) -> dict[str, Any]:
    """Edit a draft."""
    return _plan(
        service.edit(
            uow,
            access.known_actor(),
            version_id,
            json_data.document,
            revision=json_data.revision,
            title=json_data.title,
            note=json_data.note,
            profile=json_data.profile,
        )
    )


@blueprint.post(f"{PLAN}/check")
@access.allow(*AUTHORS)
@act
@blueprint.input(SignalPlanRevisionIn)
@blueprint.output(SignalPlanOut)
@blueprint.doc(summary="Let the safety checker judge a draft, and the model foretell it")
def check_signal_plan(
    uow: UnitOfWork, version_id: UUID, json_data: SignalPlanRevisionIn
) -> dict[str, Any]:
    """Check a draft."""
    return _plan(service.check(uow, access.known_actor(), version_id, revision=json_data.revision))


@blueprint.post(f"{PLAN}/approval")
@access.allow(*APPROVERS)
@act
@blueprint.input(SignalPlanRevisionIn)
@blueprint.output(SignalPlanOut)
@blueprint.doc(summary="Approve a checked plan; never one's own")
def approve_signal_plan(
    uow: UnitOfWork, version_id: UUID, json_data: SignalPlanRevisionIn
) -> dict[str, Any]:
    """Approve a plan."""
    return _plan(
        service.approve(uow, access.known_actor(), version_id, revision=json_data.revision)
    )


@blueprint.post(f"{PLAN}/deployment")
@access.allow(*AUTHORS)
@act
@blueprint.input(SignalPlanRevisionIn)
@blueprint.output(SignalPlanOut)
@blueprint.doc(summary="Give an approved plan to the controllers, checked once more")
def deploy_signal_plan(
    uow: UnitOfWork, version_id: UUID, json_data: SignalPlanRevisionIn
) -> dict[str, Any]:
    """Deploy a plan."""
    return _plan(service.deploy(uow, access.known_actor(), version_id, revision=json_data.revision))


@blueprint.post(f"{PLAN}/measurement")
@access.allow(*AUTHORS)
@act
@blueprint.input(SignalMeasurementIn)
@blueprint.output(SignalPlanOut)
@blueprint.doc(summary="Keep what was measured before and after a deployed plan")
def measure_signal_plan(
    uow: UnitOfWork, version_id: UUID, json_data: SignalMeasurementIn
) -> dict[str, Any]:
    """Keep a measurement."""
    if json_data.until_at <= json_data.from_at:
        raise Invalid("must lie after from_at", field="until_at")
    for side in ("before", "after"):
        delay = getattr(json_data, side)
        if not delay.low_s <= delay.mean_s <= delay.high_s:
            raise Invalid("must lie from low_s to high_s", field=f"{side}.mean_s")
    measured: dict[str, JsonValue] = {
        "source": json_data.source,
        "note": json_data.note,
        "before": json_data.before.model_dump(),
        "after": json_data.after.model_dump(),
        "from_at": rfc3339(json_data.from_at),
        "until_at": rfc3339(json_data.until_at),
    }
    return _plan(service.measure(uow, access.known_actor(), version_id, measured))


@blueprint.post(f"{PLAN}/decision")
@access.allow(*AUTHORS)
@act
@blueprint.input(SignalDecisionIn)
@blueprint.output(SignalPlanOut)
@blueprint.doc(summary="Keep a deployed plan, or give the controllers again what ran before")
def decide_signal_plan(
    uow: UnitOfWork, version_id: UUID, json_data: SignalDecisionIn
) -> dict[str, Any]:
    """Keep or revert."""
    decide = service.keep if json_data.decision == "keep" else service.revert
    return _plan(decide(uow, access.known_actor(), version_id, reason=json_data.reason))


@blueprint.post(f"{PLAN}/withdrawal")
@access.allow(*AUTHORS)
@act
@blueprint.input(SignalWithdrawalIn)
@blueprint.output(SignalPlanOut)
@blueprint.doc(summary="Take back a plan that was never deployed")
def withdraw_signal_plan(
    uow: UnitOfWork, version_id: UUID, json_data: SignalWithdrawalIn
) -> dict[str, Any]:
    """Take a plan back."""
    return _plan(service.withdraw(uow, access.known_actor(), version_id, reason=json_data.reason))


# --- optimisations -------------------------------------------------------------------------------


@blueprint.post("/signal-optimisations")
@access.allow(*AUTHORS)
@act
@blueprint.input(SignalOptimisationIn)
@blueprint.output(SignalOptimisationOut, status_code=202)
@blueprint.doc(summary="Make plans for the demand recorded last; a job runs it and drafts them")
def optimise_signals(uow: UnitOfWork, json_data: SignalOptimisationIn) -> dict[str, Any]:
    """Ask for an optimisation."""
    return _optimisation(
        optimisations.ask(
            uow,
            access.known_actor(),
            json_data.network_id,
            json_data.signals,
            json_data.profile,
        )
    )


@blueprint.get(OPTIMISATION)
@access.allow(*READERS)
@blueprint.output(SignalOptimisationOut)
@blueprint.doc(summary="An optimisation: how far it is, and the draft that it made")
def signal_optimisation(optimisation_id: UUID) -> dict[str, Any]:
    """Show an optimisation."""
    with access.wiring().database.read() as connection:
        return _optimisation(optimisations.find(connection, optimisation_id))


@blueprint.post(f"{OPTIMISATION}/cancellation")
@access.allow(*AUTHORS)
@act
@blueprint.output(SignalOptimisationOut)
@blueprint.doc(summary="Cancel an optimisation that has not ended")
def cancel_optimisation(uow: UnitOfWork, optimisation_id: UUID) -> dict[str, Any]:
    """Cancel an optimisation."""
    return _optimisation(optimisations.cancel(uow, access.known_actor(), optimisation_id))
