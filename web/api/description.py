"""What the OpenAPI document says beyond the views' models: errors, keys, credentials, webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from parking.uplinks import LARGEST_BATCH
from web import access
from web.acts import IDEMPOTENCY_HEADER
from web.api.schemas.base import Problem

if TYPE_CHECKING:
    from apiflask import APIFlask

METHODS: Final = frozenset({"get", "post", "put", "patch", "delete"})
REFERENCE: Final = "#/components/schemas/"
IDEMPOTENT_LIMIT: Final = 200

INFO: Final = (
    "Times are RFC 3339 with offset, money is integer minor units of a currency, positions are "
    "`[longitude, latitude]` in WGS-84. Lists page by cursor. Errors are problem documents "
    "(RFC 9457) that name the field at fault. A POST that carries `Idempotency-Key` may be sent "
    "again: it is answered again and done once."
)

TAGS: Final = {
    "Places": "Facilities and bays with their live state; what a stay would cost.",
    "Registry": "Registering and editing places, their history, suspensions, imports.",
    "Tariffs": "Tariffs from draft to street: simulated, approved by another, announced.",
    "Forecasts": "Occupancy ahead with its interval, and how well what was foretold came true.",
    "Stays": "Parking sessions, their vehicles, their bills and what was paid.",
    "Cards": "Stored-value parking cards: issued, topped up, paid with, lost, replaced, paid out.",
    "Shifts": "Attendants' shifts, counted blind, and cash that goes from hand to hand.",
    "Payments": "Unpaid bills, the ledger, paying online by a link, what the channels tell us.",
    "Rights": "Permits, reservations, benefits, blacklists: what covers a stay, who holds a bay.",
    "Figures": "Turnover, occupancy, dwell, money, and a bay's day reconciled.",
    "Gates": "Passages through gates, tickets, and reads that nobody could match.",
    "Lanes": "Lanes through gates: loops, reads, barriers, alarms, and the desk that sees them.",
    "Reads": "Reads of plates as cameras told them, their evidence, and people's word on them.",
    "Patrol": "What calls attendants nearby, how soon it ends, and who differs from peers.",
    "Terminals": "Attendants' handhelds: enrolled, signing each request, locked, revoked.",
    "Drivers": "The caller's own vehicles, stays and bills.",
    "Devices": "Sensors: where they lie, how they do, and those that nobody has registered.",
    "Uplinks": "Webhooks of network servers.",
    "People": "Who calls, and what is on record.",
    "Signals": "Signal networks, plans from draft to street, trials, optimisations.",
    "Demo": "The demo city's clock.",
}

SECURITY: Final = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token issued to a person's script, an integration or a device.",
    },
    "basic": {
        "type": "http",
        "scheme": "basic",
        "description": "For network servers that send nothing else: the token as the password.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": access.SESSION_COOKIE,
        "description": f"A page's session; acts also send `{access.CSRF_HEADER}` (see `GET /me`).",
    },
    "terminal": {
        "type": "apiKey",
        "in": "header",
        "name": "Signature",
        "description": (
            "An HTTP message signature (RFC 9421, ecdsa-p256-sha256) by a terminal's own key over "
            "method, path, query, `Content-Digest` and `Terminal-Sequence`; see docs/terminals.md."
        ),
    },
}

PROBLEM: Final = {
    "description": "A problem document (RFC 9457)",
    "content": {"application/problem+json": {"schema": {"$ref": f"{REFERENCE}Problem"}}},
}

KEY: Final = {
    "name": IDEMPOTENCY_HEADER,
    "in": "header",
    "required": False,
    "description": "Repeating a request with its key gets the first answer and does nothing.",
    "schema": {
        "type": "string",
        "minLength": 1,
        "maxLength": IDEMPOTENT_LIMIT,
        "pattern": "^[!-~]([ -~]*[!-~])?$",
    },
}

EXAMPLES: Final[dict[str, dict[str, Any]]] = {
    "uplinks.from_ttn": {
        "end_device_ids": {"dev_eui": "24E124FFFE000001", "device_id": "bay-a1"},
        "received_at": "2026-03-02T01:00:00.512Z",
        "uplink_message": {
            "session_key_id": "AYq3Tn0=",
            "f_port": 1,
            "f_cnt": 42,
            "frm_payload": "AQ==",
            "rx_metadata": [{"gateway_ids": {"gateway_id": "quay"}, "rssi": -97, "snr": 7.5}],
            "received_at": "2026-03-02T01:00:00.308Z",
        },
    },
    "uplinks.from_chirpstack": {
        "deduplicationId": "3ac7e3c4-4401-4b8d-9386-a5c902f9202d",
        "time": "2026-03-02T01:00:00.308Z",
        "deviceInfo": {"devEui": "24e124fffe000001", "deviceName": "bay-a1"},
        "devAddr": "00bd3f1e",
        "fCnt": 42,
        "fPort": 1,
        "data": "AQ==",
        "rxInfo": [{"gatewayId": "0016c001f153a14c", "rssi": -97, "snr": 7.5}],
    },
    "uplinks.from_ctwing": {
        "messageType": "dataReport",
        "deviceId": "a1b2c3d4e5f60718",
        "timestamp": 1772413200308,
        "payload": {"APPdata": "AQ=="},
    },
}


def complete(spec: dict[str, Any], app: APIFlask) -> dict[str, Any]:
    """Complete the document that APIFlask made from the views."""
    spec["info"]["description"] = INFO
    spec["tags"] = [{"name": name, "description": text} for name, text in TAGS.items()]
    components = spec.setdefault("components", {})
    problem = Problem.model_json_schema(ref_template=f"{REFERENCE}{{model}}")
    definitions = problem.pop("$defs", {})
    components.setdefault("schemas", {}).update({"Problem": problem, **definitions})
    for unused in ("HTTPError", "ValidationError"):
        components["schemas"].pop(unused, None)
    components["securitySchemes"] = SECURITY
    endpoints = {
        f"{method.lower()}_{rule.endpoint.replace('.', '_')}": rule.endpoint
        for rule in app.url_map.iter_rules()
        for method in rule.methods or ()
    }
    for operations in spec.get("paths", {}).values():
        for method, operation in operations.items():
            if method in METHODS:
                endpoint = endpoints[operation["operationId"]]
                _complete_operation(operation, method, endpoint, app)
    _one_name_each(spec)
    for schema in components["schemas"].values():
        _without_titles(schema)
    return spec


def _complete_operation(
    operation: dict[str, Any], method: str, endpoint: str, app: APIFlask
) -> None:
    operation["responses"]["default"] = PROBLEM
    for parameter in operation.get("parameters", []):
        _plain_parameter(parameter, endpoint, app)
    if method != "get":
        operation.setdefault("parameters", []).append(dict(KEY))
    if "requestBody" in operation:
        operation["requestBody"]["required"] = True
    if endpoint in EXAMPLES:
        operation["requestBody"] = _webhook_body(EXAMPLES[endpoint])
    rule = access.rule_of(app.view_functions[endpoint])
    if rule is None:
        return
    if rule.everybody:
        operation["security"] = []
    elif rule.terminals:
        operation["security"] = [{"terminal": []}]
    elif rule.credentials:
        operation["security"] = [{"bearer": []}, {"basic": []}]
        operation["x-credentials"] = sorted(rule.credentials)
    else:
        operation["security"] = [{"session": []}, {"bearer": []}]
        operation["x-roles"] = sorted(rule.roles)


def _webhook_body(example: dict[str, Any]) -> dict[str, Any]:
    # Whatever is no message among an array's items is rejected by its index, with the reason.
    batch = {"type": "array", "items": {}, "maxItems": LARGEST_BATCH}
    schema = {"anyOf": [{"type": "object"}, batch]}
    return {
        "required": True,
        "content": {"application/json": {"schema": schema, "example": example}},
    }


def _plain_parameter(parameter: dict[str, Any], endpoint: str, app: APIFlask) -> None:
    """Say of a parameter what it is when it is there: it cannot be null, only absent."""
    schema = parameter["schema"]
    schema.pop("title", None)
    if schema.get("default", 0) is None:
        del schema["default"]
    kinds = [each for each in schema.get("anyOf", []) if each != {"type": "null"}]
    if len(kinds) == 1:
        del schema["anyOf"]
        schema.update(kinds[0])
    if "description" in schema:
        parameter["description"] = schema.pop("description")
    if parameter["in"] == "path" and _is_uuid(parameter["name"], endpoint, app):
        schema["format"] = "uuid"


def _is_uuid(name: str, endpoint: str, app: APIFlask) -> bool:
    return any(f"<uuid:{name}>" in rule.rule for rule in app.url_map.iter_rules(endpoint))


def _one_name_each(spec: dict[str, Any]) -> None:
    """Name nested models as themselves: APIFlask defines each anew under every parent."""
    schemas: dict[str, Any] = spec["components"]["schemas"]
    names = {name: name.rpartition(".")[2] for name in schemas}
    merged: dict[str, Any] = {}
    for name in sorted(schemas, key=lambda each: names[each]):
        schema = _renamed(schemas[name], names)
        short = names[name]
        if merged.setdefault(short, schema) != schema:
            raise ValueError(f"two different models are called {short}")
    spec["components"]["schemas"] = merged
    spec["paths"] = _renamed(spec["paths"], names)


def _renamed(node: Any, names: dict[str, str]) -> Any:
    if isinstance(node, dict):
        return {
            key: f"{REFERENCE}{names[value.removeprefix(REFERENCE)]}"
            if key == "$ref" and isinstance(value, str)
            else _renamed(value, names)
            for key, value in node.items()
        }
    return [_renamed(item, names) for item in node] if isinstance(node, list) else node


def _without_titles(schema: dict[str, Any]) -> None:
    """Drop the titles that pydantic makes from the names of members: they say nothing more."""
    for member in schema.get("properties", {}).values():
        member.pop("title", None)
