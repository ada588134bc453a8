"""Webhooks of the network servers: 202 once every accepted uplink is in its stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from apiflask import APIBlueprint
from flask import Response, request

from city.errors import Forbidden
from parking.adapters import chirpstack, ctwing, ttn
from web import access
from web.api.schemas.devices import ChirpStackQuery, UplinksOut
from web.problems import Unreadable

if TYPE_CHECKING:
    from parking.uplinks import Reading

blueprint = APIBlueprint("uplinks", __name__, url_prefix="/api/v1/uplinks", tag="Uplinks")

DESCRIPTION = (
    "One message in the network server's own format, or an array of up to 1 000. Answered after "
    "every accepted uplink is kept; bad ones come back with their index and a reason. Uplinks are "
    "told apart by device, join session and frame counter, so sending one twice does no harm."
)


def _take(source: str, reading: Reading) -> Response:
    caller = access.known_actor()
    if caller.districts is not None:
        _stay_in(caller.districts, reading)
    answer = access.wiring().ingest.accept(source, reading.uplinks).with_reading(reading)
    body = {
        "accepted": [
            {"index": each.index, "device": each.device, "state": each.state}
            for each in answer.accepted
        ],
        "rejected": [
            {"index": each.index, "reason": each.reason, "detail": each.detail}
            for each in answer.rejected
        ],
        "ignored": [{"index": each.index, "kind": each.kind} for each in answer.ignored],
    }
    return Response(orjson.dumps(body), 202, content_type="application/json")


def _body() -> bytes:
    """Give the request's body, which has to be JSON: network servers can send Protobuf too."""
    if not request.is_json:
        raise Unreadable(
            415,
            "unsupported-media-type",
            "Messages are taken as JSON.",
            [("Content-Type", "must be application/json")],
        )
    return request.get_data()


def _stay_in(districts: frozenset[str], reading: Reading) -> None:
    """Refuse a request with a device of a district that the integration does not serve."""
    placements = access.wiring().placements
    placements.refresh()
    keys = {uplink.network_key for uplink in reading.uplinks}
    if any(placements.by_key(key) is None for key in keys):
        placements.refresh(force=True)  # just registered, perhaps: then its district counts
    for key in keys:
        device = placements.by_key(key)
        if device is not None and str(device.district) not in districts:
            raise Forbidden("This integration does not serve that device's district.")


@blueprint.post("/ttn")
@access.credential("integration")
@blueprint.output(UplinksOut, status_code=202)
@blueprint.doc(summary="Uplinks from The Things Stack v3", description=DESCRIPTION)
def from_ttn() -> Response:
    """Take a webhook of The Things Stack."""
    return _take(ttn.SOURCE, ttn.read(_body()))


@blueprint.post("/chirpstack")
@access.credential("integration")
@blueprint.input(ChirpStackQuery, location="query")
@blueprint.output(UplinksOut, status_code=202)
@blueprint.doc(summary="Uplinks from ChirpStack v4", description=DESCRIPTION)
def from_chirpstack(query_data: ChirpStackQuery) -> Response:
    """Take an event of ChirpStack's HTTP integration; its kind stands in the address."""
    return _take(chirpstack.SOURCE, chirpstack.read(_body(), query_data.event))


@blueprint.post("/ctwing")
@access.credential("integration")
@blueprint.output(UplinksOut, status_code=202)
@blueprint.doc(summary="Uplinks from CTWing (NB-IoT)", description=DESCRIPTION)
def from_ctwing() -> Response:
    """Take a push of CTWing."""
    return _take(ctwing.SOURCE, ctwing.read(_body()))
