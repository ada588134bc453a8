"""The application factories: the API with its pages, and the live feed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from apiflask import APIFlask
from flask import Flask, Response, request
from flask.json.provider import DefaultJSONProvider

from parking.uplinks import LONGEST_BODY_BYTES
from web import access, bridge_protocol, measures, origins, problems

if TYPE_CHECKING:
    from collections.abc import Callable

    from journeys.wiring import Wiring

MAX_BODY_BYTES = LONGEST_BODY_BYTES
"""Largest request body, that of a webhook; acts have a smaller limit (`web.parsing`)."""


class Sync:
    """Calls views as they are: none is asynchronous, and asking each time costs."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Give the function itself."""
        return func


class ApiApp(Sync, APIFlask):
    """The API and the pages."""


class LiveApp(Sync, Flask):
    """The live feed."""


class Json(DefaultJSONProvider):
    """Writes answers with orjson; what templates write stays Flask's."""

    def response(self, *args: Any, **kwargs: Any) -> Response:
        """Give the answer that carries a value as JSON."""
        value = args[0] if args else kwargs
        return Response(orjson.dumps(value, option=orjson.OPT_UTC_Z), mimetype=self.mimetype)


def create_app(wiring: Wiring) -> APIFlask:
    """Build the API and the pages.

    Parameters
    ----------
    wiring
        What the use cases need, built once a process by ``journeys.wiring.build``.
    """
    app = ApiApp(
        __name__,
        title="Greenbay",
        version="1",
        spec_path=None,
        docs_path=None,
        static_folder=None,  # type: ignore[arg-type]  # as Flask: none; the pages have their own
        template_folder="templates",
        json_errors=False,
    )
    app.config.update(
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES,
        OPENAPI_VERSION="3.1.0",
        AUTO_OPERATION_ID=True,
        AUTO_SERVERS=False,
        AUTO_VALIDATION_ERROR_RESPONSE=False,
        AUTO_404_RESPONSE=False,
    )
    app.json = Json(app)
    _common(app, wiring)

    from web import api, pages, service  # noqa: PLC0415 - the live process needs none of them

    service.register(app)
    api.register(app)
    pages.register(app)
    return app


def create_live_app(wiring: Wiring) -> Flask:
    """Build the live feed's application, which runs under gevent in a process of its own."""
    app = LiveApp(__name__, static_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=0)
    app.json = Json(app)
    _common(app, wiring)

    from web import live  # noqa: PLC0415 - the API process does not stream

    live.register(app)
    return app


def _common(app: Flask, wiring: Wiring) -> None:
    app.extensions["greenbay"] = wiring
    measures.register(app)
    problems.register(app)
    access.register(app)
    app.after_request(_harden)


PAGE_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "worker-src 'self'; connect-src 'self' {live}; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
SCRIPT_POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'; frame-ancestors 'none'"
"""A worker lives by the policy of its own script: the map's reads the base map."""
DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"
PAGE_HEADERS = {
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(self), camera=(self)",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def _harden(response: Response) -> Response:
    """Set the headers that keep pages from running or framing what is not ours."""
    headers = response.headers
    headers["X-Content-Type-Options"] = "nosniff"
    kind = headers.get("Content-Type", "")
    if kind.startswith("text/html"):
        if "Content-Security-Policy" not in headers:
            live = origins.live_origin(access.wiring().settings)
            # A handheld's own bridge, which the attendant's page alone speaks to.
            also = f" {bridge_protocol.ORIGIN}" if request.endpoint == "pages.attendant" else ""
            headers["Content-Security-Policy"] = PAGE_POLICY.format(live=f"{live}{also}")
        for name, value in PAGE_HEADERS.items():
            headers.setdefault(name, value)
    elif kind.startswith("text/javascript"):
        headers.setdefault("Content-Security-Policy", SCRIPT_POLICY)
    elif not kind.startswith(("application/json", "text/event-stream")):
        headers.setdefault("Content-Security-Policy", DATA_POLICY)
    if request.is_secure:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response
