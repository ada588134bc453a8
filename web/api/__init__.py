"""The HTTP interface: routes parse, call one use case, render."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from web import access
from web.acts import IDEMPOTENCY_HEADER
from web.api import clock, devices, people, places, stays, uplinks
from web.api.prices import HourlyPrices
from web.api.schemas.base import Problem

if TYPE_CHECKING:
    from apiflask import APIFlask

BLUEPRINTS = (
    places.blueprint,
    stays.blueprint,
    devices.blueprint,
    uplinks.blueprint,
    people.blueprint,
    clock.blueprint,
)


def register(app: APIFlask) -> None:
    """Add the API to an application."""
    app.extensions["prices"] = HourlyPrices(access.wiring_of(app).database)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)

    @app.spec_processor
    def _complete(spec: dict[str, Any] | str) -> dict[str, Any] | str:
        # A text only where YAML is asked for, which we never do.
        return spec if isinstance(spec, str) else complete(spec)


def complete(spec: dict[str, Any]) -> dict[str, Any]:
    """Add to the OpenAPI document what holds for every operation: errors, keys, credentials."""
    components = spec.setdefault("components", {})
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    # Its parts stand beside it, where the references look for them.
    components.setdefault("schemas", {}).update({**schema.pop("$defs", {}), "Problem": schema})
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer"},
        "session": {"type": "apiKey", "in": "cookie", "name": "greenbay_session"},
    }
    problem = {
        "description": "A problem document (RFC 9457)",
        "content": {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
        },
    }
    key = {
        "name": IDEMPOTENCY_HEADER,
        "in": "header",
        "required": False,
        "description": "Repeating a request with its key gets the first answer and does nothing.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 200},
    }
    for operations in spec.get("paths", {}).values():
        for method, operation in operations.items():
            if method not in {"get", "post", "put", "delete"}:
                continue
            answers = operation["responses"]
            for status in [code for code in answers if code.startswith(("4", "5"))]:
                del answers[status]
            answers["default"] = problem
            if method != "get":
                operation.setdefault("parameters", []).append(key)
    return spec
