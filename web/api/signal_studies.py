"""Studies of junctions: what other functions of lanes would do, and what no signal would."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from apiflask import APIBlueprint
from flask import Response

from city.errors import Invalid
from signals.rules.model.junction import Turn
from signals.rules.what_if.lane_functions import Way
from signals.services import counted_flows, networks
from signals.services import lane_studies as service
from signals.store import lane_studies as store
from signals.store import networks as network_store
from web import access
from web.acts import act
from web.api.cursors import after, page
from web.api.schemas.signal_studies import (
    CountedFlowsOut,
    CountedFlowsQuery,
    JunctionFlowsIn,
    SignalLanesOut,
    SignalStudiesOut,
    SignalStudiesQuery,
    SignalStudyDetailOut,
    SignalStudyIn,
    SignalStudyKeepIn,
    SignalStudyOut,
)
from web.api.schemas.signals import SignalDemandOut, SignalFileQuery
from web.api.signal_views import demand_json
from web.api.signals import AUTHORS, NETWORK, READERS
from web.refusals import as_asked

if TYPE_CHECKING:
    from uuid import UUID

    from city.works.database import UnitOfWork
    from signals.rules.what_if.lane_functions import Functions

blueprint = APIBlueprint("signal_studies", __name__, url_prefix="/api/v1", tag="Signals")

STUDY: Final = "/signal-studies/<uuid:study_id>"


def _way(way: Way) -> dict[str, str]:
    return {"turn": way.turn.value, "to_road": way.to_road}


def _study(found: store.LaneStudy) -> dict[str, Any]:
    return {
        "id": found.id,
        "network_id": found.network_id,
        "signal": found.signal,
        "profile": found.profile,
        "functions": found.functions,
        "status": found.status,
        "done": found.done,
        "total": 1 if found.functions is None else 2,
        "requested_at": found.requested_at,
        "finished_at": found.finished_at,
        "problem": None if found.problem is None else as_asked(found.problem),
        "result": found.result,
        "title": found.title,
        "note": found.note,
        "kept_at": found.kept_at,
    }


def _functions(given: SignalStudyIn) -> dict[str, Functions] | None:
    if given.functions is None:
        return None
    found: dict[str, Functions] = {}
    for number, each in enumerate(given.functions):
        if each.road in found:
            raise Invalid("is given twice", field=f"functions.{number}.road")
        found[each.road] = tuple(
            tuple(Way(Turn(way.turn), way.to_road) for way in lane) for lane in each.lanes
        )
    return found


@blueprint.get(f"{NETWORK}/signals/<string:name>/lanes")
@access.allow(*READERS)
@blueprint.output(SignalLanesOut)
@blueprint.doc(summary="What a junction's lanes are for, and who turns where")
def signal_lanes(network_id: UUID, name: str) -> dict[str, Any]:
    """Show a junction's lanes."""
    with access.wiring().database.read() as connection:
        networks.network(connection, network_id)
        found = service.approaches(connection, network_id, name)
        known = network_store.latest_demand(connection, network_id)
    return {
        "demand": None if known is None else demand_json(known),
        "approaches": [
            {
                "road": each.road,
                "bearing_deg": round(each.bearing_deg, 1),
                "lanes": each.lanes,
                "functions": [[_way(way) for way in lane] for lane in each.functions],
                "ways": [
                    {
                        **_way(here.way),
                        "flow_vph": here.flow_vph,
                        "most_lanes": here.most_lanes,
                    }
                    for here in each.ways
                ],
            }
            for each in found
        ],
    }


@blueprint.get(f"{NETWORK}/signals/<string:name>/counted-flows")
@access.allow(*READERS)
@blueprint.input(CountedFlowsQuery, location="query")
@blueprint.output(CountedFlowsOut)
@blueprint.doc(summary="Who turns where in an hour of the day, by tables of counts or detectors")
def signal_counted_flows(
    network_id: UUID, name: str, query_data: CountedFlowsQuery
) -> dict[str, Any]:
    """Show what is counted."""
    database = access.wiring().database
    days, hour = query_data.days, query_data.hour
    with database.read() as connection:
        networks.network(connection, network_id)
        turns = counted_flows.flows(
            connection, network_id, name, days=days, hour=hour, now=database.wall.now()
        )
    return {"days": days, "hour": hour, "turns": [asdict(each) for each in turns]}


@blueprint.post(f"{NETWORK}/signals/<string:name>/flows")
@access.allow(*AUTHORS)
@act
@blueprint.input(JunctionFlowsIn)
@blueprint.output(SignalDemandOut, status_code=201)
@blueprint.doc(summary="Record other flows of one junction: a new demand, elsewhere as it was")
def record_junction_flows(
    uow: UnitOfWork, network_id: UUID, name: str, json_data: JunctionFlowsIn
) -> dict[str, Any]:
    """Record a junction's flows."""
    networks.network(uow.connection, network_id)
    return demand_json(
        networks.record_junction_flows(
            uow,
            access.known_actor(),
            network_id,
            signal=name,
            based_on=json_data.based_on,
            name=json_data.name,
            source=json_data.source,
            flows=[(each.from_road, each.to_road, each.vph) for each in json_data.flows],
        )
    )


@blueprint.get("/signal-studies")
@access.allow(*READERS)
@blueprint.input(SignalStudiesQuery, location="query")
@blueprint.output(SignalStudiesOut)
@blueprint.doc(summary="A junction's studies, the latest first")
def signal_studies(query_data: SignalStudiesQuery) -> dict[str, Any]:
    """List studies."""
    with access.wiring().database.read() as connection:
        networks.network(connection, query_data.network_id)
        found = store.of_signal(
            connection,
            query_data.network_id,
            query_data.signal,
            after=after(query_data.cursor),
            limit=query_data.limit,
        )
    return page(found, query_data.limit, _study)


@blueprint.post("/signal-studies")
@access.allow(*AUTHORS)
@act
@blueprint.input(SignalStudyIn)
@blueprint.output(SignalStudyOut, status_code=202)
@blueprint.doc(summary="Study other functions of a junction's lanes, or no signal; a job runs it")
def study_signal(uow: UnitOfWork, json_data: SignalStudyIn) -> dict[str, Any]:
    """Ask for a study."""
    return _study(
        service.ask(
            uow,
            access.known_actor(),
            json_data.network_id,
            json_data.signal,
            functions=_functions(json_data),
            profile=json_data.profile,
        )
    )


@blueprint.get(STUDY)
@access.allow(*READERS)
@blueprint.output(SignalStudyDetailOut)
@blueprint.doc(summary="A study: how far it is, what it found, the junction under each plan")
def signal_study(study_id: UUID) -> dict[str, Any]:
    """Show a study."""
    with access.wiring().database.read() as connection:
        found = service.find(connection, study_id)
        documents = store.documents(connection, study_id)
    return {"study": _study(found), "documents": documents}


@blueprint.post(f"{STUDY}/cancellation")
@access.allow(*AUTHORS)
@act
@blueprint.output(SignalStudyOut)
@blueprint.doc(summary="Cancel a study that has not ended")
def cancel_study(uow: UnitOfWork, study_id: UUID) -> dict[str, Any]:
    """Cancel a study."""
    return _study(service.cancel(uow, access.known_actor(), study_id))


@blueprint.post(f"{STUDY}/keeping")
@access.allow(*AUTHORS)
@act
@blueprint.input(SignalStudyKeepIn)
@blueprint.output(SignalStudyOut)
@blueprint.doc(summary="Keep a study as a draft; others are forgotten after a week")
def keep_study(uow: UnitOfWork, study_id: UUID, json_data: SignalStudyKeepIn) -> dict[str, Any]:
    """Keep a study."""
    title, note = json_data.title, json_data.note
    return _study(service.keep(uow, access.known_actor(), study_id, title=title, note=note))


@blueprint.post(f"{STUDY}/discarding")
@access.allow(*AUTHORS)
@act
@blueprint.output(SignalStudyOut)
@blueprint.doc(summary="Keep a study no longer")
def discard_study(uow: UnitOfWork, study_id: UUID) -> dict[str, Any]:
    """Discard a study."""
    return _study(service.discard(uow, access.known_actor(), study_id))


@blueprint.get(f"{STUDY}/network")
@access.allow(*READERS)
@blueprint.input(SignalFileQuery, location="query")
@blueprint.doc(summary="The network with the junction as studied and its plan, to import or drive")
def study_network(study_id: UUID, query_data: SignalFileQuery) -> Response:
    """Give the changed network as a file."""
    with access.wiring().database.read() as connection:
        study = service.find(connection, study_id)
        body = service.network_of(connection, study_id, query_data.format)
    sumo = query_data.format == "sumo"
    response = Response(body, content_type=f"application/{'xml' if sumo else 'json'}")
    ending = "net.xml" if sumo else "json"
    response.headers.set("Content-Disposition", "attachment", filename=f"{study.signal}.{ending}")
    return response
