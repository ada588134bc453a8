"""Detector data over HTTP: taken from devices, read as measures; who tells, by which detectors."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import orjson
from apiflask import APIBlueprint
from flask import Response

from city.errors import Invalid
from journeys.place_lanes import place_lanes
from signals.rules.detections.entries import Kind
from signals.services import networks
from signals.services import reporters as reporter_service
from signals.store import passes as pass_store
from signals.store import reporters as store
from signals.store.reporters import DetectorUse, Reporter
from web import access
from web.acts import act
from web.api.schemas.signal_detections import (
    SignalCountsIn,
    SignalDetectorHealthOut,
    SignalDetectorsIn,
    SignalDetectorsOut,
    SignalEventsIn,
    SignalMeasuresOut,
    SignalMeasuresQuery,
    SignalPassesIn,
    SignalPassLanesIn,
    SignalPassLanesOut,
    SignalProfileHoursOut,
    SignalProfileHoursQuery,
    SignalReporterIn,
    SignalReporterOut,
    SignalReportersOut,
    SignalRowsOut,
)
from web.api.signals import AUTHORS, NETWORK, READERS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID
    from zoneinfo import ZoneInfo

    from sqlalchemy import Connection

    from city.works.database import UnitOfWork

blueprint = APIBlueprint("signal_detections", __name__, url_prefix="/api/v1", tag="Signals")

SIGNAL: Final = f"{NETWORK}/signals/<string:name>"
TAKEN: Final = (
    "Answered once what can be used is in the network's stream; bad rows come back with their "
    "index and a reason. Sending a row again does no harm. A device tells of the signal that it "
    "is registered for as reporter. A time more than two minutes ahead is refused."
)


def _take(kind: Kind, rows: Sequence[object]) -> Response:
    taken = access.wiring().detections.accept(access.known_actor(), kind, rows)
    return Response(orjson.dumps(taken.document()), 202, content_type="application/json")


@blueprint.post("/signal-events")
@access.credential("device")
@blueprint.input(SignalEventsIn)
@blueprint.output(SignalRowsOut, status_code=202)
@blueprint.doc(summary="Events of a controller", description=TAKEN)
def signal_events(json_data: SignalEventsIn) -> Response:
    """Take events."""
    return _take(Kind.EVENTS, json_data.rows)


@blueprint.post("/signal-counts")
@access.credential("device")
@blueprint.input(SignalCountsIn)
@blueprint.output(SignalRowsOut, status_code=202)
@blueprint.doc(summary="Counts of loops and radars, of any length to a day", description=TAKEN)
def signal_counts(json_data: SignalCountsIn) -> Response:
    """Take counts."""
    return _take(Kind.COUNTS, json_data.rows)


@blueprint.post("/signal-passes")
@access.credential("device")
@blueprint.input(SignalPassesIn)
@blueprint.output(SignalRowsOut, status_code=202)
@blueprint.doc(
    summary="Plates at the stop lines; kept as marks that nobody can read back", description=TAKEN
)
def signal_passes(json_data: SignalPassesIn) -> Response:
    """Take plate passes."""
    return _take(Kind.PASSES, json_data.rows)


def reporter_json(found: Reporter) -> dict[str, Any]:
    """Give a reporter as it is shown."""
    values = asdict(found)
    for inner in ("place", "network_id"):
        del values[inner]
    return values


@blueprint.get(f"{NETWORK}/reporters")
@access.allow(*READERS)
@blueprint.output(SignalReportersOut)
@blueprint.doc(summary="Who tells of a network's signals, and when each was heard last")
def signal_reporters(network_id: UUID) -> dict[str, Any]:
    """List reporters."""
    with access.wiring().database.read() as connection:
        networks.network(connection, network_id)
        found = store.of_network(connection, network_id)
    return {"items": [reporter_json(each) for each in found]}


@blueprint.post(f"{SIGNAL}/reporters")
@access.allow(*AUTHORS)
@act
@blueprint.input(SignalReporterIn)
@blueprint.output(SignalReporterOut, status_code=201)
@blueprint.doc(
    summary="Let a device tell of a signal",
    description="Its credential, of the same name, is issued by the administrator's command.",
)
def add_signal_reporter(
    uow: UnitOfWork, network_id: UUID, name: str, json_data: SignalReporterIn
) -> dict[str, Any]:
    """Register a reporter."""
    return reporter_json(
        reporter_service.register(uow, access.known_actor(), network_id, name, json_data.subject)
    )


@blueprint.post(f"{SIGNAL}/reporters/<uuid:reporter_id>/removal")
@access.allow(*AUTHORS)
@act
@blueprint.output(SignalReporterOut)
@blueprint.doc(summary="Take a reporter out of service")
def remove_signal_reporter(
    uow: UnitOfWork, network_id: UUID, name: str, reporter_id: UUID
) -> dict[str, Any]:
    """Remove a reporter."""
    return reporter_json(
        reporter_service.remove(uow, access.known_actor(), network_id, name, reporter_id)
    )


@blueprint.get(f"{SIGNAL}/detectors")
@access.allow(*READERS)
@blueprint.output(SignalDetectorsOut)
@blueprint.doc(summary="What a signal's detectors are used for")
def signal_detectors(network_id: UUID, name: str) -> dict[str, Any]:
    """List detectors."""
    with access.wiring().database.read() as connection:
        networks.parts(connection, network_id, [name])
        found = store.detectors(connection, network_id, [name])
    return {"detectors": [asdict(each) for each in found.get(name, ())]}


@blueprint.put(f"{SIGNAL}/detectors")
@access.allow(*AUTHORS)
@act
@blueprint.input(SignalDetectorsIn)
@blueprint.output(SignalDetectorsOut)
@blueprint.doc(summary="Say what a signal's detectors are used for")
def set_signal_detectors(
    uow: UnitOfWork, network_id: UUID, name: str, json_data: SignalDetectorsIn
) -> dict[str, Any]:
    """Set detectors."""
    uses = [DetectorUse(**each.model_dump()) for each in json_data.detectors]
    reporter_service.set_detectors(uow, access.known_actor(), network_id, {name: uses})
    return {"detectors": [asdict(each) for each in sorted(uses, key=lambda each: each.channel)]}


@blueprint.get(f"{NETWORK}/pass-lanes")
@access.allow(*READERS)
@blueprint.output(SignalPassLanesOut)
@blueprint.doc(summary="Lanes of gates whose cameras' reads count as passes of a network's signals")
def signal_pass_lanes(network_id: UUID) -> dict[str, Any]:
    """List lanes of gates."""
    with access.wiring().database.read() as connection:
        networks.network(connection, network_id)
        return _pass_lanes(connection, network_id)


@blueprint.put(f"{SIGNAL}/pass-lanes")
@access.allow(*AUTHORS)
@act
@blueprint.input(SignalPassLanesIn)
@blueprint.output(SignalPassLanesOut)
@blueprint.doc(
    summary="Say which lanes of gates tell of a signal",
    description="Who passes them is kept as a mark of the day from then on, never as a plate.",
)
def set_signal_pass_lanes(
    uow: UnitOfWork, network_id: UUID, name: str, json_data: SignalPassLanesIn
) -> dict[str, Any]:
    """Set lanes of gates."""
    lanes = [(each.lane_id, each.lane) for each in json_data.lanes]
    place_lanes(uow, access.known_actor(), network_id, name, lanes)
    return _pass_lanes(uow.connection, network_id)


def _pass_lanes(connection: Connection, network_id: UUID) -> dict[str, Any]:
    found = pass_store.lanes_of_network(connection, network_id)
    return {
        "items": [
            {
                "signal": signal,
                "lane_id": each.lane_id,
                "lane": each.lane,
                "district": each.district,
                "since_at": each.since_at,
            }
            for signal, each in found
        ]
    }


@blueprint.get(f"{SIGNAL}/measures")
@access.allow(*READERS)
@blueprint.input(SignalMeasuresQuery, location="query")
@blueprint.output(SignalMeasuresOut)
@blueprint.doc(
    summary="Measures of a signal from the kept events",
    description="The tables of `python -m signals measures`, worked out of what was reported.",
)
def signal_measures(network_id: UUID, name: str, query_data: SignalMeasuresQuery) -> Response:
    """Work out measures."""
    if 1440 % query_data.bin_min:
        raise Invalid("must divide a day: 5 to 1440 minutes", field="bin_min")
    from signals.services import detections as service  # noqa: PLC0415 - NumPy is slow to load

    with access.wiring().database.read() as connection:
        done = service.measured(
            connection,
            network_id,
            name,
            query_data.from_at,
            query_data.until_at,
            bin_min=query_data.bin_min,
        )
    body = {
        "signal": name,
        "events": len(done.events),
        "bin_min": query_data.bin_min,
        "not_told": done.not_told,
        "findings": done.findings,
        "measures": {
            measure: {
                column: _plain(each if isinstance(each, list) else each.tolist(), service.ZONE)
                for column, each in table.items()
            }
            for measure, table in done.tables.items()
        },
    }
    return Response(orjson.dumps(body), content_type="application/json")


@blueprint.get(f"{SIGNAL}/profile")
@access.allow(*READERS)
@blueprint.input(SignalProfileHoursQuery, location="query")
@blueprint.output(SignalProfileHoursOut)
@blueprint.doc(
    summary="Vehicles by detector and hour over the last days of a kind",
    description=(
        "An hour counts of a day only where all of it is known; what stands in place of counts "
        "that cannot be believed is part of it, and `imputed_share` says how much."
    ),
)
def signal_profile(
    network_id: UUID, name: str, query_data: SignalProfileHoursQuery
) -> dict[str, Any]:
    """Give a profile."""
    from signals.services import live_bins  # noqa: PLC0415 - NumPy is slow to load

    with access.wiring().database.read() as connection:
        networks.parts(connection, network_id, [name])
        rows = live_bins.profile(
            connection, network_id, name, query_data.days, access.wiring().wall.now()
        )
    return {"days": query_data.days, "hours": rows}


@blueprint.get(f"{SIGNAL}/detector-health")
@access.allow(*READERS)
@blueprint.output(SignalDetectorHealthOut)
@blueprint.doc(summary="Each detector's last five minutes: believed or not, and what stands for it")
def signal_detector_health(network_id: UUID, name: str) -> dict[str, Any]:
    """Give detectors' health."""
    from signals.services import live_bins  # noqa: PLC0415 - NumPy is slow to load

    with access.wiring().database.read() as connection:
        networks.parts(connection, network_id, [name])
        rows = live_bins.health(connection, network_id, name, access.wiring().wall.now())
    return {
        "detectors": [
            {
                "channel": each.channel,
                "state": each.state.value,
                "from_at": each.from_at,
                "vehicles": each.vehicles,
                "occupied_s": each.occupied_s,
                "held_since": each.held_since,
                "idle_since": each.idle_since,
                "imputed": each.imputed,
                "source": None if each.source is None else each.source.value,
            }
            for each in rows
        ]
    }


def _plain(values: list[Any], zone: ZoneInfo) -> list[Any]:
    """Give a column's values as JSON has them: instants with the street's offset."""
    return [
        each.replace(tzinfo=zone).isoformat() if isinstance(each, datetime) else each
        for each in values
    ]
