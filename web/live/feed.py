"""``GET /live/occupancy``: server-sent events of the bays in a box.

First one or more ``snapshot`` events, then ``changes`` events as they come, each
``{"bays": [[bay, facility, longitude, latitude, state, since_ms, sure, heard_ms, provisional]]}``.
A page that reconnects with ``Last-Event-ID`` gets what it missed where that is still known,
else a new snapshot. Public: no device evidence, no plate.
"""

from __future__ import annotations

import time
from itertools import chain
from typing import TYPE_CHECKING, Final

from flask import Blueprint, Flask, Response, current_app, jsonify, request

from city.errors import Invalid, TooMany, Unavailable
from city.places import BoundingBox
from web import access, origins
from web.live.hub import Hub, message
from web.live.snapshots import Snapshots

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from city.identifiers import DistrictCode
    from web.live.hub import Subscriber

HEARTBEAT_S: Final = 15.0
"""A comment is sent this often, so that proxies keep the line and pages see it alive."""

MAX_PAGES: Final = 3_500
"""Open pages a process carries before it turns new ones away; its server takes 4 000."""

LONGEST_EVENT_ID: Final = 64
LONGEST_BOX: Final = 128
LOOK_S: Final = 1.0
"""How often a page without news looks whether it should end or say that it lives."""

blueprint = Blueprint("live", __name__)


def register(app: Flask) -> None:
    """Add the feed to the live application and start its reader."""
    wiring = access.wiring_of(app)

    def districts() -> Sequence[DistrictCode]:
        return wiring.places.districts()

    hub = Hub(wiring.live, districts)
    app.extensions["hub"] = hub
    app.extensions["snapshots"] = Snapshots(wiring.places, wiring.live_store, hub.position)
    app.register_blueprint(blueprint)
    app.after_request(_share)
    hub.start()


@blueprint.get("/healthz")
@access.public
def healthz() -> Response:
    """Say that this process is alive; it asks nothing of the others."""
    return jsonify({"status": "alive"})


@blueprint.get("/live/occupancy")
@access.public
def occupancy() -> Response:
    """Stream the bays of ``bbox`` (west,south,east,north)."""
    hub: Hub = current_app.extensions["hub"]
    box = _box()
    last_id = request.headers.get("Last-Event-ID") or request.args.get("last_event_id")
    if last_id is not None and len(last_id) > LONGEST_EVENT_ID:
        raise Invalid("not an event id of this feed", field="Last-Event-ID")
    if hub.subscribers >= MAX_PAGES:
        raise TooMany("Too many live pages are open; poll the facilities instead.", retry_after_s=5)
    page = Page(hub, current_app.extensions["snapshots"], box)
    try:
        # Before the answer begins, so that a store out of reach is an error and not a silence.
        first = list(page.begin(last_id))
    except BaseException:
        page.close()
        raise
    response = Response(chain(first, page.run()), mimetype="text/event-stream")
    response.call_on_close(page.close)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response


def _box() -> BoundingBox:
    unknown = set(request.args) - {"bbox", "last_event_id"}
    if unknown:
        raise Invalid("there is no such parameter", field=min(unknown)[:64])
    text = request.args.get("bbox", "-180,-90,180,90")
    if len(text) > LONGEST_BOX:
        raise Invalid("must be west,south,east,north in degrees", field="bbox")
    return BoundingBox.parse(text)


class Page:
    """One open page: what it is sent, from its first snapshot until it goes away."""

    def __init__(self, hub: Hub, snapshots: Snapshots, box: BoundingBox) -> None:
        self._hub = hub
        self._snapshots = snapshots
        self._box = box
        self._subscriber: Subscriber = hub.join(box)
        self._sent = -1
        """Number of the last change that the page has."""

    def close(self) -> None:
        """Forget the page."""
        self._hub.leave(self._subscriber)

    def begin(self, last_id: str | None) -> Iterator[bytes]:
        """Give what the page missed, or the whole box."""
        yield b"retry: 2000\n\n"
        missed = self._hub.since(last_id, self._box) if last_id else None
        if missed is None:
            yield from self._whole()
        else:
            event, _ = missed
            self._sent = event.number
            yield event.data

    def run(self) -> Iterator[bytes]:
        """Give changes as they come, and a sign of life where none do."""
        subscriber = self._subscriber
        heard_at = time.monotonic()
        while not self._hub.stopped:
            event = subscriber.take(LOOK_S)
            if subscriber.lost:
                try:
                    subscriber.lost = False
                    yield from self._whole(anew=True)
                except Unavailable:
                    subscriber.lost = True
                    self._hub.wait(LOOK_S)
                    continue
            elif event is not None:
                if event.number <= self._sent:
                    continue  # the snapshot had it already
                self._sent = event.number
                yield event.data
            elif time.monotonic() - heard_at < HEARTBEAT_S:
                continue
            else:
                yield b": alive\n\n"
            heard_at = time.monotonic()

    def _whole(self, *, anew: bool = False) -> Iterator[bytes]:
        """Give the whole box: a snapshot, and what has changed since it was taken."""
        snapshot = self._snapshots.of(self._box, anew=anew)
        missed = self._hub.since(snapshot.position, self._box)
        if missed is None and not anew:
            # The store went away in between: what was kept is of another reading.
            yield from self._whole(anew=True)
            return
        # The last part alone has an id: a page that breaks off before it starts from the whole.
        *parts, last = snapshot.parts
        for part in parts:
            yield message("snapshot", part, None)
        yield message("snapshot", last, snapshot.position)
        if missed is not None:
            event, changed = missed
            self._sent = event.number
            if changed:
                yield event.data


def _share(response: Response) -> Response:
    """Let our own pages, and no others, read the feed from the API's origin."""
    response.headers.add("Vary", "Origin")
    origin = request.headers.get("Origin")
    if origin and origins.may_read(access.wiring().settings, origin):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Credentials"] = "true"
    return response
