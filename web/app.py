"""The application factories: the API with its pages, and the live feed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from apiflask import APIFlask
from flask import Flask, request

from web import access, problems

if TYPE_CHECKING:
    from flask import Response

    from journeys.wiring import Wiring

MAX_BODY_BYTES = 1_000_000
"""Largest request body; a full batch of 1 000 uplinks is about half of it."""

STATIC_FOLDER = Path(__file__).parent / "static"


def create_app(wiring: Wiring) -> APIFlask:
    """Build the API and the pages.

    Parameters
    ----------
    wiring
        What the use cases need, built once a process by ``journeys.wiring.build``.
    """
    app = APIFlask(
        __name__,
        title="Greenbay",
        version="1",
        spec_path=None,
        docs_path=None,
        static_folder=None,
        template_folder="templates",
    )
    app.config.update(
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES,
        OPENAPI_VERSION="3.1.0",
        AUTO_OPERATION_ID=True,
        JSON_SORT_KEYS=False,
        VALIDATION_ERROR_STATUS_CODE=422,
    )
    _common(app, wiring)

    from web import api, pages, service  # noqa: PLC0415 - the live process needs none of them

    service.register(app)
    api.register(app)
    pages.register(app)
    return app


def create_live_app(wiring: Wiring) -> Flask:
    """Build the live feed's application, which runs under gevent in a process of its own."""
    app = Flask(__name__, static_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=0)
    _common(app, wiring)

    from web import live  # noqa: PLC0415 - the API process does not stream

    live.register(app)
    return app


def _common(app: Flask, wiring: Wiring) -> None:
    app.extensions["greenbay"] = wiring
    problems.register(app)
    access.register(app)
    app.after_request(_harden)


def _harden(response: Response) -> Response:
    """Set the headers that keep pages from running or framing what is not ours."""
    live = access.wiring().settings.live_origin
    response.headers.setdefault(
        "Content-Security-Policy",
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
        f"worker-src 'self'; connect-src 'self' {live}; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'",
    )
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers.setdefault("Permissions-Policy", "geolocation=(self), camera=(self)")
    response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response
