"""SPaT and MAP of SAE J2735, for whoever sends them to vehicles."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint
from flask import Response

from signals.rules.j2735.spat import Intersection
from signals.services import radio as service
from web import access
from web.acts import act
from web.api.schemas.signal_radio import (
    SignalIntersectionIn,
    SignalIntersectionOut,
    SignalRadioOut,
    SignalRadioQuery,
    SignalRadioRemovalOut,
)
from web.api.signal_lights import last_seen
from web.api.signals import AUTHORS, NETWORK, READERS

if TYPE_CHECKING:
    from uuid import UUID

    from city.works.database import UnitOfWork

blueprint = APIBlueprint("signal_radio", __name__, url_prefix="/api/v1", tag="Signals")

SIGNAL = f"{NETWORK}/signals/<string:name>"


@blueprint.put(f"{SIGNAL}/intersection")
@access.allow(*AUTHORS)
@act
@blueprint.input(SignalIntersectionIn)
@blueprint.output(SignalIntersectionOut)
@blueprint.doc(summary="Say what a junction is called by radio (SAE J2735), and where it is")
def call_signal_intersection(
    uow: UnitOfWork, network_id: UUID, name: str, json_data: SignalIntersectionIn
) -> dict[str, Any]:
    """Call a junction."""
    made = Intersection(**json_data.model_dump())
    return asdict(service.call(uow, access.known_actor(), network_id, name, made))


@blueprint.post(f"{SIGNAL}/intersection/removal")
@access.allow(*AUTHORS)
@act
@blueprint.output(SignalRadioRemovalOut)
@blueprint.doc(summary="Say that a junction is called nothing by radio")
def forget_signal_intersection(uow: UnitOfWork, network_id: UUID, name: str) -> dict[str, Any]:
    """Forget a reference."""
    service.forget(uow, access.known_actor(), network_id, name)
    return {"signal": name}


@blueprint.get(f"{SIGNAL}/spat")
@access.allow(*READERS)
@blueprint.input(SignalRadioQuery, location="query")
@blueprint.output(SignalRadioOut)
@blueprint.doc(summary="What a junction shows now as a SPaT; 503 where its controller is silent")
def signal_spat(
    network_id: UUID, name: str, query_data: SignalRadioQuery
) -> dict[str, Any] | Response:
    """Give a SPaT."""
    _, seen = last_seen(network_id, name)
    wiring = access.wiring()
    with wiring.database.read() as connection:
        found, raw = service.spat(connection, network_id, name, seen, wiring.wall.now())
    return _told(found.as_json(), raw, query_data.form)


@blueprint.get(f"{SIGNAL}/map")
@access.allow(*READERS)
@blueprint.input(SignalRadioQuery, location="query")
@blueprint.output(SignalRadioOut)
@blueprint.doc(summary="A junction's lanes and which lead where as a MAP")
def signal_map(
    network_id: UUID, name: str, query_data: SignalRadioQuery
) -> dict[str, Any] | Response:
    """Give a MAP."""
    with access.wiring().database.read() as connection:
        found, raw = service.map_message(connection, network_id, name)
    return _told(found.as_json(), raw, query_data.form)


def _told(message: dict[str, Any], raw: bytes, form: str) -> dict[str, Any] | Response:
    if form == "uper":
        return Response(raw, content_type="application/octet-stream")
    return {"message": message, "uper": raw.hex(), "size_bytes": len(raw)}
