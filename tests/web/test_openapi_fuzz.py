"""Requests made from the OpenAPI document, good and bad: the answers are what it says."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.config import SchemathesisConfig

if TYPE_CHECKING:
    from schemathesis.schemas import BaseSchema

    from tests.web.small_site import Site

    Case = schemathesis.Case[Any]

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "12"))
"""Per operation; the coverage phase adds those of every limit and every missing member."""

CONFIG: dict[str, Any] = {
    "checks": {
        # Some rules cannot be said in JSON Schema (a plate, a cursor, an entry before its exit):
        # then 422 names the field.
        "positive_data_acceptance": {
            "expected-statuses": ["2xx", "401", "403", "404", "409", "422"],
        },
        # A list longer than it may be can be a body longer than any may be.
        "negative_data_rejection": {
            "expected-statuses": ["400", "401", "403", "404", "405", "409", "413", "415", "422"],
        },
        # `/pay/together` is also a `/pay/<link>` to whoever asks which methods there are.
        "allow_header_conformance": {"enabled": False},
    },
}

# Schemathesis draws a seed of its own otherwise, whatever the profile says.
if settings().derandomize:
    CONFIG["seed"] = 20260302


@pytest.fixture
def described(shared_site: Site, request: pytest.FixtureRequest) -> BaseSchema:
    """Read the document from the application, and say who calls each operation."""
    # Schemathesis writes the operation under way into a member that pytest 9.2 has no more.
    request.node._nodeid = request.node.nodeid
    config = SchemathesisConfig.from_dict(CONFIG)
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", shared_site.app, config=config)

    @schema.auth(cache_by_key=lambda case, _: case.operation.label)
    class Caller:
        """Somebody who may call the operation."""

        def get(self, case: Case, _context: schemathesis.AuthContext) -> str | None:
            """Give the token of the first who is stated."""
            stated = case.operation.definition.raw
            if stated["security"] in ([], [{"terminal": []}]):
                return None  # a terminal signs: unsigned it is told so
            return shared_site.tokens[(stated.get("x-credentials") or stated["x-roles"])[0]]

        def set(self, case: Case, data: str | None, _context: schemathesis.AuthContext) -> None:
            """Send it."""
            if data is not None:
                case.headers["Authorization"] = f"Bearer {data}"

    return schema


# Read as the test runs: its requests would otherwise be made anew by every process that collects.
document = schemathesis.pytest.from_fixture("described")


@pytest.mark.timeout(1_200)  # all operations are one test, each a part of it
@document.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_as_the_document_says(case: Case) -> None:
    case.call_and_validate()
