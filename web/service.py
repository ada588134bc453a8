"""What is asked of the service itself: health, metrics, its own description."""

from __future__ import annotations

import hmac
import ipaddress
from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint, APIFlask
from flask import Response, current_app, json, jsonify, redirect, request

from city.errors import Forbidden, NotFound
from city.works import health, metrics
from web import access, origins
from web.pages.render import page

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as BaseResponse

blueprint = APIBlueprint("service", __name__, enable_openapi=False)


def register(app: APIFlask) -> None:
    """Add health, metrics and the API's description to an application."""
    app.register_blueprint(blueprint)


@blueprint.get("/healthz")
@access.public
def healthz() -> Response:
    """Say that this process is alive; it asks nothing of the others."""
    return jsonify({"status": "alive"})


@blueprint.get("/readyz")
@access.public
def readyz() -> Response:
    """Say whether each thing that the service depends on can be used; 503 where one cannot."""
    wiring = access.wiring()
    checks = health.readiness(wiring.settings, wiring.database, wiring.live)
    ready = all(check.ok for check in checks)
    body = {
        "status": "ready" if ready else "not-ready",
        "checks": {check.name: {"ok": check.ok, "detail": check.detail} for check in checks},
    }
    response = jsonify(body)
    response.status_code = 200 if ready else 503
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/metrics")
@access.public
def prometheus() -> Response:
    """Give the metrics to a scraper on loopback, or one with the metrics token."""
    token = access.wiring().settings.metrics_token
    bearer = request.authorization.token if request.authorization else None
    known = (
        token is not None
        and bearer is not None
        and hmac.compare_digest(bearer.encode(), token.get_secret_value().encode())
    )
    if not known and not _on_loopback():
        raise Forbidden("Metrics are for this machine, or for who has the metrics token.")
    return Response(metrics.exposition(), content_type=metrics.CONTENT_TYPE)


def _on_loopback() -> bool:
    # A proxy on this machine also calls from loopback, for somebody who may be anywhere.
    if request.headers.get("X-Forwarded-For") or request.headers.get("Forwarded"):
        return False
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


@blueprint.get("/live/<path:rest>")
@access.public
def to_live(rest: str) -> BaseResponse:
    """Send pages on to the live feed, which is a process of its own."""
    if rest != "occupancy":
        raise NotFound("There is no such feed.")
    origin = origins.live_origin(access.wiring().settings)
    query = request.query_string.decode("ascii", "replace")
    return redirect(f"{origin}/live/{rest}{'?' if query else ''}{query}", 307)


def document(app: APIFlask) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of an application's API."""
    spec = app.spec
    if not isinstance(spec, dict):
        raise TypeError("the OpenAPI document is a mapping")
    return spec


@blueprint.get("/api/openapi.json")
@access.public
def openapi() -> Response:
    """Give the OpenAPI 3.1 document."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - Flask's documented way
    return Response(json.dumps(document(app)), content_type="application/json")


@blueprint.get("/api/docs")
@access.public
def docs() -> Response:
    """Show the OpenAPI document as a page, made here: no script and nothing from elsewhere."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - as above
    return page("service/api.html", document=document(app))
