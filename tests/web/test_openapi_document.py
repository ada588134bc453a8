"""The committed OpenAPI document is the application's, and a breaking change is called one."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from web.compatibility import breaking
from web.openapi import text

if TYPE_CHECKING:
    from collections.abc import Callable

COMMITTED = Path(__file__).parents[2] / "docs" / "openapi.json"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text())
    return found


def test_the_committed_document_is_the_applications(document: dict[str, Any]) -> None:
    committed = json.loads(COMMITTED.read_text(encoding="utf-8"))
    broken = breaking(committed, document)
    assert broken == [], "BREAKING: callers of the committed document stop working"
    assert document == committed, "`make openapi` and commit docs/openapi.json"


def test_the_document_is_3_1_and_names_every_operation_once(document: dict[str, Any]) -> None:
    operations = [each for path in document["paths"].values() for each in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert document["openapi"] == "3.1.0"
    assert len(names) == len(set(names)) >= 88
    assert all(operation["summary"] for operation in operations)
    assert all("default" in operation["responses"] for operation in operations)


def test_every_post_takes_an_idempotency_key(document: dict[str, Any]) -> None:
    without = [
        f"{method} {path}"
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if method != "get"
        and "Idempotency-Key" not in [each["name"] for each in operation["parameters"]]
    ]
    assert without == []


def test_what_it_refers_to_is_there_and_nothing_else_is(document: dict[str, Any]) -> None:
    referred = {
        part.partition('"')[0] for part in json.dumps(document).split('"#/components/schemas/')[1:]
    }
    assert referred == set(document["components"]["schemas"])


def _facility(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["components"]["schemas"]["OneFacilityOut"]
    return found


def _quote(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["components"]["schemas"]["QuoteIn"]
    return found


def _limit(document: dict[str, Any]) -> dict[str, Any]:
    parameters = document["paths"]["/api/v1/facilities"]["get"]["parameters"]
    (found,) = [each for each in parameters if each["name"] == "limit"]
    schema: dict[str, Any] = found["schema"]
    return schema


BREAKING: dict[str, Callable[[dict[str, Any]], object]] = {
    "/api/v1/quotes is gone": lambda d: d["paths"].pop("/api/v1/quotes"),
    "PUT /api/v1/demo/clock is gone": lambda d: d["paths"]["/api/v1/demo/clock"].pop("put"),
    "answer 200.counts is gone": lambda d: _facility(d)["properties"].pop("counts"),
    "answer 200.counts can be absent now": lambda d: _facility(d)["required"].remove("counts"),
    "answer 200.code can be integer now": lambda d: _facility(d)["properties"]["code"].update(
        type="integer"
    ),
    "body.colour is required now": lambda d: (
        _quote(d)["properties"].update(colour={"type": "string"}),
        _quote(d)["required"].append("colour"),
    ),
    "body.exempt is not taken any more": lambda d: _quote(d)["properties"].pop("exempt"),
    "body.vehicle does not take motorcycle any more": lambda d: _quote(d)["properties"]["vehicle"][
        "enum"
    ].remove("motorcycle"),
    "parameter limit has a lower maximum": lambda d: _limit(d).update(maximum=50),
    "GET /api/v1/facilities wants a credential now": lambda d: d["paths"]["/api/v1/facilities"][
        "get"
    ].update(security=[{"bearer": []}]),
    "GET /api/v1/sessions is closed to the role finance": lambda d: d["paths"]["/api/v1/sessions"][
        "get"
    ]["x-roles"].remove("finance"),
}


@pytest.mark.parametrize("sentence", BREAKING)
def test_a_breaking_change_is_found_and_named(sentence: str, document: dict[str, Any]) -> None:
    changed = copy.deepcopy(document)
    BREAKING[sentence](changed)
    found = breaking(document, changed)
    assert [each for each in found if sentence in each] != [], found


def test_what_is_added_breaks_nobody(document: dict[str, Any]) -> None:
    changed = copy.deepcopy(document)
    changed["paths"]["/api/v2/facilities"] = {}
    _facility(changed)["properties"]["colour"] = {"type": "string"}
    _quote(changed)["properties"]["colour"] = {"type": "string"}
    _quote(changed)["properties"]["vehicle"]["enum"].append("tank")
    _limit(changed)["maximum"] = 5_000
    assert breaking(document, changed) == []
