"""Requests made from the OpenAPI document, good and bad: the answers are what it says."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.config import SchemathesisConfig

from journeys import wiring
from web.app import create_app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.web.small_site import Site

    Case = schemathesis.Case[Any]

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "12"))
"""Per operation; the coverage phase adds those of every limit and every missing member."""

STANDS_FOR = "Bearer stands-for-"
"""Requests are made before there is a database to issue tokens: this and a role is sent instead."""


class Door:
    """The application as schemathesis knows it, from before there are any servers."""

    def __init__(self) -> None:
        self.app: Any = create_app(wiring.build(offline=True))
        self.tokens: dict[str, str] = {}

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer, with the real token of whom a request stands for."""
        sent = environ.get("HTTP_AUTHORIZATION", "")
        if sent.startswith(STANDS_FOR):
            environ["HTTP_AUTHORIZATION"] = f"Bearer {self.tokens[sent.removeprefix(STANDS_FOR)]}"
        answer: Iterable[bytes] = self.app(environ, start_response)
        return answer


CONFIG: dict[str, Any] = {
    "checks": {
        # Some rules cannot be said in JSON Schema (a plate, a cursor, an entry before its exit):
        # then 422 names the field.
        "positive_data_acceptance": {
            "expected-statuses": ["2xx", "401", "403", "404", "409", "422"],
        },
    },
}

# Schemathesis draws a seed of its own otherwise, whatever the profile says.
if settings().derandomize:
    CONFIG["seed"] = 20260302

door = Door()
config = SchemathesisConfig.from_dict(CONFIG)
schema = schemathesis.openapi.from_wsgi("/api/openapi.json", door, config=config)


@pytest.fixture(autouse=True)
def behind_the_door(shared_site: Site) -> None:
    """Put the site with its servers behind the door."""
    door.app, door.tokens = shared_site.app, shared_site.tokens


@schema.auth(cache_by_key=lambda case, _: case.operation.label)
class Caller:
    """Somebody who may call the operation."""

    def get(self, case: Case, _context: schemathesis.AuthContext) -> str | None:
        """Give the first who is stated."""
        stated = case.operation.definition.raw
        if stated["security"] in ([], [{"terminal": []}]):
            return None  # a terminal signs: unsigned it is told so
        found: str = (stated.get("x-credentials") or stated["x-roles"])[0]
        return found

    def set(self, case: Case, data: str | None, _context: schemathesis.AuthContext) -> None:
        """Send it."""
        if data is not None:
            case.headers["Authorization"] = f"{STANDS_FOR}{data}"


@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_as_the_document_says(case: Case) -> None:
    case.call_and_validate()
