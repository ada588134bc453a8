"""``GET /live/occupancy``: server-sent events of the bays in a box.

First one or more ``snapshot`` events, then ``changes`` events as they come, each
``{"bays": [[bay, facility, longitude, latitude, state, since_ms, sure, heard_ms, provisional]]}``.
A page that reconnects with ``Last-Event-ID`` gets what it missed where that is still known,
else a new snapshot. Public: no device evidence, no plate.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from flask import Blueprint, Flask, Response, current_app, request

from city.errors import Invalid, TooMany
from city.places import BoundingBox
from parking.services import places
from web import access
from web.live.hub import Hub, message
from web.live.snapshots import Snapshots

if TYPE_CHECKING:
    from collections.abc import Iterator

HEARTBEAT_S = 15.0
"""A comment is sent this often, so that proxies keep the line and pages see it alive."""

MAX_PAGES = 4_000
"""Open pages a process carries before it turns new ones away."""

blueprint = Blueprint("live", __name__, url_prefix="/live")


def register(app: Flask) -> None:
    """Add the feed to the live application and start its reader."""
    wiring = access.wiring_of(app)

    def districts() -> list[str]:
        with wiring.database.read() as connection:
            return [str(code) for code in places.districts(connection)]

    hub = Hub(wiring.live, districts)
    app.extensions["hub"] = hub
    app.extensions["snapshots"] = Snapshots(wiring.database, wiring.live_store)
    app.register_blueprint(blueprint)
    app.after_request(_share)
    hub.start()


@blueprint.get("/occupancy")
@access.public
def occupancy() -> Response:
    """Stream the bays of ``bbox`` (west,south,east,north)."""
    box = BoundingBox.parse(request.args.get("bbox", "-180,-90,180,90"))
    hub: Hub = current_app.extensions["hub"]
    snapshots: Snapshots = current_app.extensions["snapshots"]
    if hub.subscribers >= MAX_PAGES:
        raise TooMany("Too many live pages are open; poll the facilities instead.", 5)
    last_id = request.headers.get("Last-Event-ID") or request.args.get("last_event_id")
    if last_id is not None and len(last_id) > 64:  # noqa: PLR2004 - ours are below 32
        raise Invalid("not an event id of this feed", field="Last-Event-ID")
    response = Response(_events(hub, snapshots, box, last_id), mimetype="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response


def _events(
    hub: Hub, snapshots: Snapshots, box: BoundingBox, last_id: str | None
) -> Iterator[bytes]:
    subscriber = hub.join(box)
    try:
        yield b"retry: 2000\n\n"
        missed = hub.since(last_id, box) if last_id else None
        if missed is None:
            yield from _snapshot(hub, snapshots, box)
        else:
            yield missed
        heard = time.monotonic()
        while not hub.stopped:
            event = subscriber.take(1.0)
            if subscriber.lost:
                subscriber.lost = False
                yield from _snapshot(hub, snapshots, box)
            elif event is not None:
                yield event
            elif time.monotonic() - heard < HEARTBEAT_S:
                continue
            else:
                yield b": alive\n\n"
            heard = time.monotonic()
    finally:
        hub.leave(subscriber)


def _snapshot(hub: Hub, snapshots: Snapshots, box: BoundingBox) -> Iterator[bytes]:
    position = hub.position()
    for part in snapshots.of(box):
        yield message("snapshot", part, position)


def _share(response: Response) -> Response:
    """Let our own pages, and no others, read the feed from the API's origin."""
    origin = request.headers.get("Origin")
    if origin and origin == access.wiring().settings.page_origin:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Credentials"] = "true"
        response.headers.add("Vary", "Origin")
    return response
